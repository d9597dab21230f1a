#include "mpi/admm/certificate.h"

#include <math.h>

double hs_certificate_relative_gap(const hs_certificate_t *certificate)
{
  double gap = certificate->primal - certificate->dual;
  if (!(gap > 0)) return isnan(gap) ? INFINITY : 0;
  return gap / fabs(certificate->primal);
}

double hs_certificate_scale(const hs_problem_t *problem, const double *s)
{
  double norm = hs_problem_dual_norm(problem, s);
  return norm > 0 ? problem->beta / norm : INFINITY;
}

/* The residual of huber and of the entropic losses lies on or inside the border of the domain: c <= 1. */
static double largest_scale(const hs_problem_t *problem, double scale)
{
  bool free_ray = problem->loss.kind == HS_SQUARED || problem->loss.kind == HS_SQUARED_HINGE;
  return free_ray ? scale : fmin(scale, 1.0);
}

double hs_certificate_quadratic(const hs_problem_t *problem, double linear, double square, double scale)
{
  if (!(square > 0)) return 0;
  /* D(c) = c linear - c^2 square / 2 */
  double c = fmax(0, fmin(linear / square, largest_scale(problem, scale)));
  return c * linear - 0.5 * c * c * square;
}

/* Collective. */
static double exact_dual(const hs_problem_t *problem, const double *w, double *s, hs_traffic_t *traffic)
{
  hs_masked_adjoint_exact(problem->op, w, s);
  hs_sum(problem->comm, s, problem->weights, traffic);
  double scale = hs_certificate_scale(problem, s);
  if (hs_loss_dual_is_quadratic(problem->loss)) {
    hs_dual_ray_t ray = hs_loss_dual_ray(problem->loss, problem->rows, problem->outputs, w, problem->Y);
    double sums[2] = {ray.linear, ray.square};
    hs_sum(problem->comm, sums, 2, traffic);
    return hs_certificate_quadratic(problem, sums[0], sums[1], scale);
  }
  double dual =
      hs_loss_dual_value(problem->loss, problem->rows, problem->outputs, w, fmin(scale, 1.0), problem->Y);
  hs_sum(problem->comm, &dual, 1, traffic);
  return dual;
}

void hs_certificate_exact(const hs_problem_t *problem, const double *u, const double *w, double *a, double *s,
                          hs_certificate_t *certificate, hs_traffic_t *traffic)
{
  hs_masked_forward_exact(problem->op, u, a);
  certificate->loss = hs_loss_value(problem->loss, problem->rows, problem->outputs, a, problem->Y);
  hs_sum(problem->comm, &certificate->loss, 1, traffic);
  certificate->primal = certificate->loss + problem->beta * hs_problem_norm(problem, u);
  certificate->dual = exact_dual(problem, w, s, traffic);
}
