#include "base/memory.h"
#include "group/rules.h"

/* Workspace of dsyev, by its manual at least 3 k - 1; LAPACK's own block size, 64, makes it fast. */
static size_t lapack_size(int k)
{
  return (size_t)(64 + 2) * (size_t)k;
}

hs_status_t hs_group_work_create(hs_group_work_t **work, int d, int outputs)
{
  *work = NULL;
  hs_group_work_t *made = hs_alloc(1, sizeof *made, "group scratch");
  if (made == NULL) return HS_NO_MEMORY;
  int k = d < outputs ? d : outputs;
  made->k = k;
  made->lapack_size = (int)lapack_size(k);
  made->gram = hs_alloc((size_t)k * (size_t)k, sizeof *made->gram, "group Gram matrix");
  made->values = hs_alloc((size_t)k, sizeof *made->values, "group eigenvalues");
  made->rotated = hs_alloc((size_t)d * (size_t)outputs, sizeof *made->rotated, "group scratch");
  made->lapack = hs_alloc(lapack_size(k), sizeof *made->lapack, "eigenvalue workspace");
  if (made->gram == NULL || made->values == NULL || made->rotated == NULL || made->lapack == NULL) {
    hs_group_work_free(&made);
    return HS_NO_MEMORY;
  }
  *work = made;
  return HS_OK;
}

void hs_group_work_free(hs_group_work_t **work)
{
  if (*work == NULL) return;
  hs_free((*work)->gram);
  hs_free((*work)->values);
  hs_free((*work)->rotated);
  hs_free((*work)->lapack);
  hs_free(*work);
  *work = NULL;
}
