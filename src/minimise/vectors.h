/* vectors.h: sums over replicated vectors, in an order that depends on nothing but their length: the numbers of
 * threads, which may differ between ranks, must not lead to different bits. Not collective. */
#ifndef HS_MINIMISE_VECTORS_H
#define HS_MINIMISE_VECTORS_H

#include <stdint.h>

static inline double hs_vector_dot(int64_t size, const double *x, const double *y)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t e = 0; e < size; e++) sum += x[e] * y[e];
  return sum;
}

/* y += factor x */
static inline void hs_vector_add(int64_t size, double factor, const double *x, double *y)
{
#pragma omp simd
  for (int64_t e = 0; e < size; e++) y[e] += factor * x[e];
}

#endif
