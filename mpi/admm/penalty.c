#include "mpi/admm/penalty.h"

#include <math.h>
#include <stddef.h>

/* Factor and exponent of the estimate, see penalty.h; a little less where the curvatures move. */
#define START_QUADRATIC 0.2
#define START_CURVED 0.15
#define START_EXPONENT 0.4

/* The same of one block. When beta changes, rho may be too large or too small by LAG before another factor is made,
 * with a rho that is off by as much the other way: beta will go on as it did. */
#define ONE_BLOCK 0.53
#define ONE_EXPONENT 0.8
#define LAG 2.0

/* Curvatures below this share of the loss's bound are raised to it: flat rows would decouple from the rest. The
 * curvature of logistic and softmax never jumps; that of squared hinge and huber is all or nothing. */
#define FLOOR_SMOOTH 0.02
#define FLOOR_PIECEWISE 0.2

/* Iterations between checks that models below the bound still make progress, and the progress wanted: the gap
 * has to fall by this factor. */
#define CHECK_EVERY 150
#define CHECK_FALL 0.5
#define MOST_FALL_BACKS 2

/* Iterations at which rho, or the curvatures, may change. */
static const int64_t balance_at[] = {12, 24, 48, 96};
static const int64_t renew_at[] = {10, 20, 40};

static bool contains(const int64_t *list, size_t count, int64_t value)
{
  for (size_t i = 0; i < count; i++)
    if (list[i] == value) return true;
  return false;
}

static bool is_quadratic(const hs_problem_t *problem)
{
  return problem->loss.kind == HS_SQUARED;
}

void hs_penalty_start(hs_penalty_t *penalty, double blocks, double rho)
{
  *penalty = (hs_penalty_t){.rho = rho, .blocks = blocks, .fixed = rho > 0};
}

double hs_penalty_metric(const hs_penalty_t *penalty)
{
  return penalty->blocks * penalty->rho;
}

/* Collective. */
static void estimate(hs_penalty_t *penalty, const hs_problem_t *problem, hs_x_update_t *update,
                     const double *curvature)
{
  hs_kernel_size_t size = hs_x_update_kernel_size(update, curvature);
  double rank = (double)problem->gates * problem->d, blocks = (double)size.blocks;
  double mean = size.trace / blocks / rank, root = sqrt(size.square / blocks / rank);
  if (!(mean > 0)) mean = root = 1; /* all features are zero: any rho will do */
  /* rho = c root (root / mean)^e */
  double factor = is_quadratic(problem) ? START_QUADRATIC : START_CURVED;
  penalty->rho = factor * root * pow(root / mean, START_EXPONENT);
  /* rho = 0.53 T^0.8 root^0.2 (mean / root)^0.8 */
  if (penalty->tangent > 0) {
    penalty->one_block = ONE_BLOCK * pow(penalty->tangent, ONE_EXPONENT) * pow(root, 1 - ONE_EXPONENT) *
                         pow(mean / root, ONE_EXPONENT);
    penalty->rho = penalty->one_block * pow(problem->beta, ONE_EXPONENT);
  }
  if (penalty->start == 0) penalty->start = penalty->rho;
}

void hs_penalty_set_curvature(hs_penalty_t *penalty, const hs_problem_t *problem, hs_x_update_t *update,
                              const double *p, double *curvature)
{
  double bound = hs_loss_curvature(problem->loss);
  double least = bound * (hs_loss_dual_is_quadratic(problem->loss) ? FLOOR_PIECEWISE : FLOOR_SMOOTH);
  bool first = !penalty->measured, plain = first || penalty->fall_backs > 0;
  penalty->measured = true;
  hs_loss_row_curvature(problem->loss, problem->rows, problem->outputs, p, problem->Y, curvature);
  for (int64_t k = 0; k < problem->rows; k++) curvature[k] = plain ? bound : fmax(curvature[k], least);
  bool moved = !is_quadratic(problem) && penalty->fall_backs == 0;
  if (!penalty->fixed && (first || moved)) estimate(penalty, problem, update, curvature);
}

bool hs_penalty_follow(hs_penalty_t *penalty, double beta)
{
  if (penalty->fixed || !(penalty->one_block > 0)) return false;
  double rho = penalty->one_block * pow(beta, ONE_EXPONENT);
  if (fmax(rho / penalty->rho, penalty->rho / rho) < LAG) return false;
  penalty->rho = rho > penalty->rho ? rho * LAG : rho / LAG;
  return true;
}

/* Factor by which rho should change; 1: not at all. The dual residual, sqrt of dw' K dw / rho, falls and the
 * primal one, sqrt(N rho) |dz|, grows with rho. Upward changes late in a run were found to cost more than they
 * bring: they need a large gap. */
static double wanted_change(const hs_penalty_t *penalty, double relative_gap)
{
  double ratio = 0;
  for (int i = 0; i < HS_PENALTY_WINDOW; i++) ratio += penalty->balance[i] / HS_PENALTY_WINDOW;
  ratio = exp(ratio);
  if (ratio > 1) return ratio >= 1.8 && relative_gap > 0.1 ? pow(fmin(ratio, 4), 0.8) : 1;
  ratio *= 0.7;
  return ratio < 1 / 1.8 ? pow(fmax(ratio, 0.1), 0.8) : 1;
}

/* Renew the curvatures early on. Where the gap stops falling, fall back to the bound of the curvature; where that
 * does not help, to the first rho as well, which went with it: the iteration is then the one that it began as. */
static bool adapt_curved(hs_penalty_t *penalty, const hs_history_row_t *row)
{
  if (contains(renew_at, sizeof renew_at / sizeof *renew_at, row->iteration)) return true;
  if (row->iteration % CHECK_EVERY != 0) return false;
  bool stalled = penalty->checked_gap > 0 && row->relative_gap > CHECK_FALL * penalty->checked_gap;
  penalty->checked_gap = row->relative_gap;
  if (!stalled || penalty->fall_backs == MOST_FALL_BACKS) return false;
  penalty->fall_backs += 1;
  if (penalty->fall_backs > 1 && !penalty->fixed) penalty->rho = penalty->start;
  return true;
}

bool hs_penalty_adapt(hs_penalty_t *penalty, const hs_problem_t *problem, const hs_history_row_t *row)
{
  double balance = log(fmax(row->dual_residual, 1e-300) / fmax(row->primal_residual, 1e-300));
  penalty->balance[row->iteration % HS_PENALTY_WINDOW] = balance;
  if (!is_quadratic(problem)) return adapt_curved(penalty, row);
  if (penalty->one_block > 0) return false;
  if (penalty->fixed || problem->beta > 0.05 * problem->beta_max) return false;
  if (!contains(balance_at, sizeof balance_at / sizeof *balance_at, row->iteration)) return false;
  double rho = penalty->rho * wanted_change(penalty, row->relative_gap);
  rho = fmin(fmax(rho, 0.05 * penalty->start), 4 * penalty->start);
  if (fmax(rho / penalty->rho, penalty->rho / rho) < 1.2) return false;
  penalty->rho = rho;
  return true;
}
