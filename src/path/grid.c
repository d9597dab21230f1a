#include "path/grid.h"

#include <math.h>

void hs_path_grid(int points, double first, double last, double *beta)
{
  for (int k = 0; k < points; k++)
    beta[k] = k == 0 ? first : first * pow(last / first, (double)k / (points - 1));
  beta[points - 1] = last;
}
