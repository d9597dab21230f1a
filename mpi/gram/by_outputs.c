#include "mpi/gram/by_outputs.h"

#include <string.h>

#define USUAL_TILE 128

void hs_by_outputs(const hs_problem_t *problem, const double *u, double *U)
{
  int d = problem->d, C = problem->outputs;
  int64_t order = (int64_t)problem->gates * d;
  for (int i = 0; i < problem->gates; i++)
    for (int c = 0; c < C; c++)
      memcpy(U + c * order + (int64_t)i * d, u + ((int64_t)i * C + c) * d, (size_t)d * sizeof *u);
}

void hs_by_gates(const hs_problem_t *problem, const double *U, double *u)
{
  int d = problem->d, C = problem->outputs;
  int64_t order = (int64_t)problem->gates * d;
  for (int i = 0; i < problem->gates; i++)
    for (int c = 0; c < C; c++)
      memcpy(u + ((int64_t)i * C + c) * d, U + c * order + (int64_t)i * d, (size_t)d * sizeof *u);
}

void hs_by_rows(const hs_problem_t *problem, const double *u, double *U)
{
  int d = problem->d, C = problem->outputs;
  for (int64_t i = 0; i < problem->gates; i++)
    for (int c = 0; c < C; c++)
      for (int j = 0; j < d; j++) U[(i * d + j) * C + c] = u[(i * C + c) * d + j];
}

void hs_from_rows(const hs_problem_t *problem, const double *U, double *u)
{
  int d = problem->d, C = problem->outputs;
  for (int64_t i = 0; i < problem->gates; i++)
    for (int c = 0; c < C; c++)
      for (int j = 0; j < d; j++) u[(i * C + c) * d + j] = U[(i * d + j) * C + c];
}

int hs_gram_tile(int d)
{
  return d > USUAL_TILE ? 0 : (USUAL_TILE + d / 2) / d * d;
}
