#include "path/choose.h"

#include <math.h>

bool hs_path_is_better(const hs_path_point_t *a, const hs_path_point_t *b)
{
  if (isnan(a->validation_score) || isnan(b->validation_score))
    return a->validation_loss < b->validation_loss;
  return a->validation_score > b->validation_score;
}

int hs_path_best(int count, const hs_path_point_t *points)
{
  int best = 0;
  for (int k = 1; k < count; k++)
    if (hs_path_is_better(&points[k], &points[best])) best = k;
  return best;
}

int hs_path_within_error(int count, const hs_path_point_t *points)
{
  int best = hs_path_best(count, points);
  double enough = points[best].validation_score - points[best].validation_error;
  for (int k = 0; k < best; k++)
    if (points[k].validation_score >= enough) return k;
  return best;
}
