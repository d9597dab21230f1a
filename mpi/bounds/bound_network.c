#include "mpi/bounds/bound_network.h"

#include <math.h>
#include <string.h>

#include "mpi/comm/agree.h"

hs_status_t hs_bound_estimate(const hs_relu_problem_t *problem, const double *theta, const hs_neurons_t *near,
                              int64_t starts, int64_t seed, double max_seconds, hs_bracket_t *bracket,
                              double *w, hs_traffic_t *traffic)
{
  hs_price_options_t options = {.starts = starts, .seed = seed, .near = near, .max_seconds = max_seconds};
  hs_price_t price;
  hs_status_t status = hs_relu_price(problem, theta, &options, &price, traffic);
  if (status != HS_OK) return status;
  double most = fmax(price.best, problem->beta);
  double lower = hs_relu_dual(problem, theta, most, traffic);
  if (!(lower <= bracket->estimated)) {
    bracket->estimated = lower;
    bracket->starts = price.starts;
    bracket->price = price.best / problem->beta;
  }
  if (price.best > 0) memcpy(w, price.best_w, (size_t)problem->shard->d * sizeof *w);
  hs_price_free(&price);
  return HS_OK;
}

/* A price above the one that the estimate rests on. */
static void lower_estimate(const hs_relu_problem_t *problem, const double *theta, double attained,
                           hs_bracket_t *bracket, hs_traffic_t *traffic)
{
  if (isnan(bracket->estimated) || attained <= problem->beta * fmax(1, bracket->price)) return;
  bracket->price = attained / problem->beta;
  bracket->estimated = hs_relu_dual(problem, theta, attained, traffic);
}

hs_status_t hs_bound_prove(const hs_relu_problem_t *problem, const double *theta, double max_seconds,
                           double epsilon, hs_bracket_t *bracket, double *w, hs_proof_outcome_t *outcome,
                           hs_traffic_t *traffic)
{
  hs_proof_options_t options = {
      .max_seconds = max_seconds, .floor = problem->beta, .epsilon = epsilon, .start = w};
  hs_proof_t proof;
  hs_status_t status = hs_relu_prove(problem, theta, &options, &proof, traffic);
  if (status != HS_OK) return status;
  double lower = hs_relu_dual(problem, theta, fmax(proof.upper, problem->beta), traffic);
  bool out_of_time = proof.seconds >= 0.9 * max_seconds;
  *outcome = (hs_proof_outcome_t){.attained = proof.attained,
                                  .upper = proof.upper,
                                  .finished = proof.finished,
                                  .cut_short = !proof.finished && out_of_time};
  HS_MPI(MPI_Bcast(&outcome->cut_short, sizeof outcome->cut_short, MPI_BYTE, 0, problem->comm));
  if (proof.attained > 0) memcpy(w, proof.w, (size_t)problem->shard->d * sizeof *w);
  lower_estimate(problem, theta, proof.attained, bracket, traffic);
  if (!(lower <= bracket->proved)) {
    bracket->proved = lower;
    bracket->price_most = proof.upper / problem->beta;
    bracket->method = proof.method;
    bracket->rank = proof.rank;
    bracket->finished = proof.finished;
  }
  bracket->nodes += proof.nodes;
  bracket->proof_seconds = (isnan(bracket->proof_seconds) ? 0 : bracket->proof_seconds) + proof.seconds;
  hs_proof_free(&proof);
  return HS_OK;
}
