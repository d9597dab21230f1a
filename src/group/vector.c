/* vector.c: the Euclidean norm and its proximal map, shared by the kinds of groups. */
#include <math.h>
#include <string.h>

#include "group/rules.h"

#define LANES 8

/* Eight independent partial sums: the compiler may use vectors of any width, and all give the same bits. */
double hs_vector_norm(size_t length, const double *x)
{
  double lanes[LANES] = {0};
  size_t whole = length / LANES * LANES;
  for (size_t i = 0; i < whole; i += LANES)
    for (size_t k = 0; k < LANES; k++) lanes[k] += x[i + k] * x[i + k];
  for (size_t i = whole; i < length; i++) lanes[i - whole] += x[i] * x[i];
  double sum = 0;
  for (size_t k = 0; k < LANES; k++) sum += lanes[k];
  return sqrt(sum);
}

/* u = max(0, 1 - threshold / |x|) x. The zero case comes first: 0/0 would turn an inactive group into NaN. A
 * norm that is NaN fails the comparison and stays visible. */
double hs_vector_shrink(size_t length, double *x, double threshold)
{
  double norm = hs_vector_norm(length, x);
  if (norm <= threshold) {
    memset(x, 0, length * sizeof *x);
    return 0;
  }
  double scale = 1 - threshold / norm;
  for (size_t i = 0; i < length; i++) x[i] *= scale;
  return norm - threshold;
}
