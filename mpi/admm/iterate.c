#include "mpi/admm/iterate.h"

#include "base/memory.h"

typedef struct vector {
  double **place;
  int64_t length;
} vector_t;

#define VECTORS 12

static void list_vectors(hs_iterate_t *iterate, int64_t weights, int64_t rows, int outputs,
                         vector_t list[VECTORS])
{
  vector_t vectors[VECTORS] = {
      {&iterate->z, weights},         {&iterate->z1, weights},
      {&iterate->best_z, weights},    {&iterate->p, rows * outputs},
      {&iterate->p1, rows * outputs}, {&iterate->a, rows * outputs},
      {&iterate->a1, rows * outputs}, {&iterate->w, rows * outputs},
      {&iterate->r, rows * outputs},  {&iterate->v, rows * outputs},
      {&iterate->curvature, rows},    {&iterate->s, weights + HS_ITERATE_EXTRA},
  };
  for (int i = 0; i < VECTORS; i++) list[i] = vectors[i];
}

hs_status_t hs_iterate_create(hs_iterate_t *iterate, int64_t weights, int64_t rows, int outputs)
{
  vector_t list[VECTORS];
  *iterate = (hs_iterate_t){0};
  list_vectors(iterate, weights, rows, outputs, list);
  for (int i = 0; i < VECTORS; i++) {
    *list[i].place = hs_alloc((size_t)list[i].length, sizeof(double), "iterate");
    if (*list[i].place == NULL) {
      hs_iterate_free(iterate);
      return HS_NO_MEMORY;
    }
  }
  return HS_OK;
}

void hs_iterate_free(hs_iterate_t *iterate)
{
  vector_t list[VECTORS];
  list_vectors(iterate, 0, 0, 0, list);
  for (int i = 0; i < VECTORS; i++) hs_free(*list[i].place);
  *iterate = (hs_iterate_t){0};
}

size_t hs_iterate_bytes(int64_t weights, int64_t rows, int outputs)
{
  hs_iterate_t none = {0};
  vector_t list[VECTORS];
  size_t bytes = 0;
  list_vectors(&none, weights, rows, outputs, list);
  for (int i = 0; i < VECTORS; i++) bytes += (size_t)list[i].length * sizeof(double);
  return bytes;
}
