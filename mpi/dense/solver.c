#include "mpi/dense/solver.h"

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/dense/factor.h"
#include "mpi/dense/packed.h"
#include "mpi/dense/substitution.h"

/* One of the two is there. */
struct hs_dense_solver {
  hs_packed_t *inverse;
  hs_substitution_t *factor;
};

hs_status_t hs_dense_solver_create(hs_dense_solver_t **out, const hs_spread_t *like, hs_precision_t precision,
                                   int columns)
{
  hs_dense_solver_t *solver = *out = hs_alloc(1, sizeof *solver, "dense solver");
  hs_status_t status = hs_agree(hs_spread_comm(like), solver != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK)
    status = hs_spread_order(like) < HS_INVERSE_MOST
                 ? hs_packed_create(&solver->inverse, like, precision, columns)
                 : hs_substitution_create(&solver->factor, like, precision, columns);
  if (status != HS_OK) hs_dense_solver_free(out);
  return status;
}

void hs_dense_solver_free(hs_dense_solver_t **out)
{
  hs_dense_solver_t *solver = *out;
  *out = NULL;
  if (solver == NULL) return;
  hs_packed_free(&solver->inverse);
  hs_substitution_free(&solver->factor);
  hs_free(solver);
}

hs_status_t hs_dense_solver_take(hs_dense_solver_t *solver, hs_spread_t *matrix)
{
  hs_status_t status = hs_spread_factor(matrix);
  if (status != HS_OK) return status;
  if (solver->factor != NULL) return hs_substitution_take(solver->factor, matrix);
  status = hs_spread_invert(matrix);
  if (status == HS_OK) hs_packed_take(solver->inverse, matrix);
  return status;
}

void hs_dense_solver_apply(hs_dense_solver_t *solver, int columns, const double *R, double *V,
                           hs_traffic_t *traffic)
{
  if (solver->inverse != NULL)
    hs_packed_multiply(solver->inverse, columns, R, V, traffic);
  else
    hs_substitution_solve(solver->factor, columns, R, V, traffic);
}

void hs_dense_solver_apply_rows(hs_dense_solver_t *solver, const hs_rows_t *rows, int columns,
                                const double *R, double *V, hs_traffic_t *traffic)
{
  if (solver->inverse != NULL)
    hs_packed_multiply_rows(solver->inverse, rows, columns, R, V, traffic);
  else
    hs_substitution_solve_rows(solver->factor, rows, columns, R, V, traffic);
}
