#include "mpi/network/local_search.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/size.h"
#include "minimise/adam.h"
#include "minimise/lbfgs.h"
#include "mpi/comm/agree.h"
#include "mpi/network/relu_gradient.h"

#define LBFGS_ITERATIONS 5000
#define ADAM_ITERATIONS 2000
#define NEGLIGIBLE 1e-9 /* neurons below this share of the network's norm are tried without */

const char *hs_local_stop_name(hs_local_stop_t stop)
{
  static const char *const names[] = {"converged", "iterations", "time", "interrupted"};
  return names[stop];
}

/* What an evaluation needs, and what it learns about the end of the search. */
typedef struct search {
  hs_relu_gradient_t *work;
  const hs_local_options_t *options;
  hs_local_report_t *report;
  hs_traffic_t *traffic;
  double begin; /* MPI_Wtime */
  bool late, interrupted;
} search_t;

/* Every rank has a clock and signals of its own: the search ends when any of them says so. */
static hs_status_t evaluate(void *context, const double *x, double *value, double *gradient, bool *stop)
{
  search_t *search = context;
  double limit = search->options->max_seconds;
  double votes[HS_RELU_VOTES] = {limit > 0 && MPI_Wtime() - search->begin > limit, hs_interrupted()};
  hs_relu_gradient(search->work, x, value, gradient, votes, search->traffic);
  search->late = votes[0] > 0;
  search->interrupted = votes[1] > 0;
  *stop = search->late || search->interrupted;
  return HS_OK;
}

static hs_local_stop_t stop_of(const search_t *search, hs_minimise_stop_t stop)
{
  if (search->interrupted) return HS_LOCAL_INTERRUPTED;
  if (search->late) return HS_LOCAL_TIME;
  return stop == HS_MINIMISE_ITERATIONS ? HS_LOCAL_ITERATIONS : HS_LOCAL_CONVERGED;
}

static hs_lbfgs_options_t lbfgs_options(const hs_local_options_t *options)
{
  int64_t most = options->max_iterations;
  return (hs_lbfgs_options_t){.tolerance = options->tolerance,
                              .max_iterations = most > 0 ? most : LBFGS_ITERATIONS};
}

static hs_status_t run_lbfgs(search_t *search, double *x, double *room, hs_minimise_report_t *report)
{
  hs_lbfgs_options_t options = lbfgs_options(search->options);
  return hs_lbfgs(hs_relu_gradient_size(search->work), x, evaluate, search, &options, room, report);
}

static hs_status_t run_adam(search_t *search, double *x, double *room, hs_minimise_report_t *report)
{
  int64_t most = search->options->max_iterations;
  hs_adam_options_t options = {.max_iterations = most > 0 ? most : ADAM_ITERATIONS};
  return hs_adam(hs_relu_gradient_size(search->work), x, evaluate, search, &options, room, report);
}

/* The methods that are asked for, one after the other. */
static hs_status_t run_methods(search_t *search, double *x, double *room)
{
  hs_local_method_t method = search->options->method;
  hs_status_t status = HS_OK;
  for (int lbfgs = 0; lbfgs <= 1 && status == HS_OK; lbfgs++) {
    hs_minimise_report_t report;
    if (method == (lbfgs ? HS_LOCAL_ADAM : HS_LOCAL_LBFGS) || search->late || search->interrupted) continue;
    status = lbfgs ? run_lbfgs(search, x, room, &report) : run_adam(search, x, room, &report);
    if (status != HS_OK) break;
    search->report->iterations += report.iterations;
    search->report->evaluations += report.evaluations;
    search->report->stop = stop_of(search, report.stop);
  }
  return status;
}

static void pack(const hs_neurons_t *neurons, double *x)
{
  size_t first = (size_t)neurons->count * (size_t)neurons->d;
  memcpy(x, neurons->W1, first * sizeof *x);
  memcpy(x + first, neurons->W2, (size_t)neurons->count * (size_t)neurons->outputs * sizeof *x);
}

static void unpack(const double *x, hs_neurons_t *neurons)
{
  size_t first = (size_t)neurons->count * (size_t)neurons->d;
  memcpy(neurons->W1, x, first * sizeof *x);
  memcpy(neurons->W2, x + first, (size_t)neurons->count * (size_t)neurons->outputs * sizeof *x);
  hs_neurons_balance(neurons);
}

/* Neurons that are on for no row only cost weight decay. */
static hs_status_t drop_idle(const hs_relu_problem_t *problem, hs_neurons_t *neurons, hs_traffic_t *traffic)
{
  double *counts = hs_alloc((size_t)neurons->count, sizeof *counts, "active rows");
  hs_status_t status = hs_agree(problem->comm, counts != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = hs_relu_active_rows(problem, neurons, counts, traffic);
  for (int k = 0; k < neurons->count && status == HS_OK; k++)
    if (counts[k] == 0)
      memset(neurons->W2 + (int64_t)k * neurons->outputs, 0, (size_t)neurons->outputs * sizeof(double));
  if (status == HS_OK) hs_neurons_prune(neurons, 0);
  hs_free(counts);
  return status;
}

/* kept := found if that is not worse, which has the room. Collective. */
static hs_status_t keep_better(const hs_relu_problem_t *problem, const hs_neurons_t *found,
                               hs_neurons_t *kept, hs_relu_value_t *best, hs_traffic_t *traffic)
{
  hs_relu_value_t value;
  hs_status_t status = hs_relu_evaluate(problem, found, NULL, &value, traffic);
  if (status != HS_OK || !(value.objective <= best->objective)) return status;
  *best = value;
  return hs_neurons_copy(kept, found); /* cannot fail: the room is there */
}

/* What the search has found replaces the neurons if it is better: as it is, and without what is negligible. */
static hs_status_t accept(const search_t *search, const hs_relu_problem_t *problem, hs_neurons_t *found,
                          hs_neurons_t *neurons)
{
  hs_relu_value_t *best = &search->report->end;
  hs_status_t status = drop_idle(problem, found, search->traffic);
  if (status == HS_OK) status = keep_better(problem, found, neurons, best, search->traffic);
  if (status == HS_OK && hs_neurons_prune(found, NEGLIGIBLE * hs_neurons_norm(found)) > 0)
    status = keep_better(problem, found, neurons, best, search->traffic);
  return status;
}

static hs_status_t search_from(search_t *search, const hs_relu_problem_t *problem, hs_neurons_t *neurons)
{
  int64_t size = (int64_t)neurons->count * (neurons->d + neurons->outputs);
  hs_lbfgs_options_t options = lbfgs_options(search->options);
  int64_t numbers = hs_max64(hs_lbfgs_room(size, &options), hs_adam_room(size));
  hs_neurons_t found;
  hs_neurons_init(&found, neurons->d, neurons->outputs);
  double *x = hs_alloc((size_t)size, sizeof *x, "weights of the network");
  double *room = hs_alloc((size_t)numbers, sizeof *room, "local search");
  hs_status_t status = x != NULL && room != NULL ? hs_neurons_copy(&found, neurons) : HS_NO_MEMORY;
  status = hs_agree(problem->comm, status);
  if (status == HS_OK) status = hs_relu_gradient_create(&search->work, problem, neurons->count);
  if (status == HS_OK) {
    pack(neurons, x);
    status = run_methods(search, x, room);
  }
  if (status == HS_OK) {
    unpack(x, &found);
    status = accept(search, problem, &found, neurons);
  }
  hs_relu_gradient_free(&search->work);
  hs_neurons_clear(&found);
  hs_free(room);
  hs_free(x);
  return status;
}

hs_status_t hs_local_search(const hs_relu_problem_t *problem, hs_neurons_t *neurons,
                            const hs_local_options_t *options, hs_local_report_t *report,
                            hs_traffic_t *traffic)
{
  search_t search = {.options = options, .report = report, .traffic = traffic, .begin = MPI_Wtime()};
  *report = (hs_local_report_t){.stop = HS_LOCAL_CONVERGED};
  hs_neurons_balance(neurons);
  hs_neurons_prune(neurons, 0);
  hs_status_t status = hs_relu_evaluate(problem, neurons, NULL, &report->start, traffic);
  report->end = report->start;
  if (status == HS_OK && neurons->count > 0) status = search_from(&search, problem, neurons);
  report->seconds = MPI_Wtime() - search.begin;
  return status;
}
