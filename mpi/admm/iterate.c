#include "mpi/admm/iterate.h"

#include <stddef.h>

#include "base/memory.h"

hs_status_t hs_iterate_create(hs_iterate_t *iterate, int64_t weights, int64_t rows, int outputs)
{
  *iterate = (hs_iterate_t){0};
  struct {
    double **vector;
    int64_t length;
  } wanted[] = {
      {&iterate->z, weights},         {&iterate->z1, weights},
      {&iterate->best_z, weights},    {&iterate->p, rows * outputs},
      {&iterate->p1, rows * outputs}, {&iterate->a, rows * outputs},
      {&iterate->a1, rows * outputs}, {&iterate->w, rows * outputs},
      {&iterate->r, rows * outputs},  {&iterate->v, rows * outputs},
      {&iterate->curvature, rows},    {&iterate->s, weights + HS_ITERATE_EXTRA},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].vector = hs_alloc((size_t)wanted[i].length, sizeof(double), "iterate");
    if (*wanted[i].vector == NULL) {
      hs_iterate_free(iterate);
      return HS_NO_MEMORY;
    }
  }
  return HS_OK;
}

void hs_iterate_free(hs_iterate_t *iterate)
{
  double *vectors[] = {iterate->z, iterate->p, iterate->a, iterate->z1, iterate->p1,        iterate->a1,
                       iterate->w, iterate->s, iterate->r, iterate->v,  iterate->curvature, iterate->best_z};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) hs_free(vectors[i]);
  *iterate = (hs_iterate_t){0};
}
