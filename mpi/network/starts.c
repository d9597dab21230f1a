#include "mpi/network/starts.h"

#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/network/cone_map.h"
#include "mpi/network/local_search.h"
#include "mpi/network/random_start.h"
#include "mpi/network/sign_map.h"

#define WIDTH 50 /* neurons of a random start, unless the user says otherwise */
#define WIDEST                                                                                               \
  200 /* neurons of a map that are searched: with several outputs a map has up to C for each gate */
#define POOL 200        /* neurons kept of the networks that were not chosen */
#define MAP_SHARE 0.125 /* of the seconds, for each of the three maps */
#define TOLERANCE 1e-6  /* of the local method: column generation does the rest */
#define ITERATIONS 300  /* of a map: column generation does the rest */

/* The search of all starts, and what it works with. */
typedef struct search {
  const hs_relu_problem_t *problem;
  hs_model_t *gated;
  const hs_network_options_t *options;
  hs_starts_t *starts;
  hs_network_record_t *record;
  hs_traffic_t *traffic;
} search_t;

hs_status_t hs_neurons_of_model(const hs_model_t *model, hs_neurons_t *neurons)
{
  hs_status_t status = hs_neurons_reserve(neurons, model->neurons);
  for (int64_t k = 0; k < model->neurons && status == HS_OK; k++)
    status = hs_neurons_add(neurons, model->W1 + k * model->d, model->W2 + k * model->outputs);
  return status;
}

/* Seconds that the local method of a start may take, and the max-margin directions twice: 0: no limit. Random starts were asked for by number: none is cut short. */
static double time_for(const search_t *search, hs_start_kind_t kind)
{
  bool random = kind == HS_START_RANDOM_LBFGS || kind == HS_START_RANDOM_ADAM;
  return random ? 0 : search->options->max_seconds * MAP_SHARE;
}

/* Neurons of a network that was not the best, as directions without weight. */
static hs_status_t pool(hs_starts_t *starts, const hs_neurons_t *neurons)
{
  hs_status_t status = HS_OK;
  for (int k = 0; k < neurons->count && starts->others.count < POOL && status == HS_OK; k++)
    status = hs_neurons_add(&starts->others, neurons->W1 + (int64_t)k * neurons->d, NULL);
  return status;
}

/* The better of the best so far and this one; the other's neurons go to the pool. The arguments are the same on all ranks. */
static hs_status_t take(search_t *search, hs_neurons_t *neurons, const hs_relu_value_t *value)
{
  hs_starts_t *starts = search->starts;
  if (search->record->chosen >= 0 && !(value->objective < starts->value.objective))
    return pool(starts, neurons);
  hs_status_t status = pool(starts, &starts->best);
  hs_neurons_t old = starts->best;
  starts->best = *neurons;
  *neurons = old;
  starts->value = *value;
  search->record->chosen = search->record->starts - 1;
  return status;
}

static hs_status_t run_method(search_t *search, hs_neurons_t *neurons, hs_local_method_t method,
                              hs_start_record_t *row, hs_relu_value_t *value)
{
  hs_local_report_t report;
  double seconds = time_for(search, (hs_start_kind_t)row->kind);
  hs_local_options_t options = {.method = method,
                                .max_iterations = row->number > 0 ? 0 : ITERATIONS,
                                .tolerance = TOLERANCE,
                                .max_seconds = seconds};
  hs_status_t status = hs_local_search(search->problem, neurons, &options, &report, search->traffic);
  if (status != HS_OK) return status;
  search->starts->interrupted |= report.stop == HS_LOCAL_INTERRUPTED;
  if (isnan(row->start)) row->start = report.start.objective;
  row->end = report.end.objective;
  row->iterations = report.iterations;
  row->seconds = report.seconds;
  *value = report.end;
  return HS_OK;
}

static void print_row(const hs_start_record_t *row)
{
  char number[24] = "", end[32] = "-";
  if (row->number > 0) snprintf(number, sizeof number, " %" PRId64, row->number);
  if (isfinite(row->end)) snprintf(end, sizeof end, "%.8g", row->end);
  hs_log("  %s%-*s %7" PRId64 " %15.8g %15s %8" PRId64 " %7" PRId64 " %8.2f", hs_start_name(row->kind),
         20 - (int)strlen(hs_start_name(row->kind)), number, row->neurons, row->start, end, row->left,
         row->iterations, row->seconds);
}

typedef struct ranked {
  double size;
  int index;
} ranked_t;

static int larger_first(const void *a, const void *b)
{
  const ranked_t *x = a, *y = b;
  if (x->size != y->size) return x->size < y->size ? 1 : -1;
  return x->index - y->index;
}

/* Keep the WIDEST largest neurons, in their order. Not collective; the same on all ranks. */
static hs_status_t keep_largest(hs_neurons_t *neurons)
{
  ranked_t *order = hs_alloc((size_t)neurons->count, sizeof *order, "sizes of neurons");
  if (order == NULL) return HS_NO_MEMORY;
  for (int k = 0; k < neurons->count; k++) {
    const double *a = neurons->W2 + (int64_t)k * neurons->outputs; /* balanced: |w| = |a| */
    order[k] = (ranked_t){cblas_ddot(neurons->outputs, a, 1, a, 1), k};
  }
  qsort(order, (size_t)neurons->count, sizeof *order, larger_first);
  for (int r = WIDEST; r < neurons->count; r++)
    memset(neurons->W2 + (int64_t)order[r].index * neurons->outputs, 0,
           (size_t)neurons->outputs * sizeof(double));
  hs_free(order);
  hs_neurons_prune(neurons, 0);
  return HS_OK;
}

/* A map of several outputs may be wide: its value is told, and its largest neurons are searched. What cone decompositions are made of
 * cancels, so that a part of one is no network worth having: *searched is false then. Collective. */
static hs_status_t narrow(search_t *search, hs_neurons_t *neurons, hs_start_record_t *row, bool *searched)
{
  hs_relu_value_t value;
  *searched = neurons->count > 0;
  if (neurons->count <= WIDEST || row->number > 0) return HS_OK;
  hs_status_t status = hs_relu_evaluate(search->problem, neurons, NULL, &value, search->traffic);
  row->start = value.objective;
  *searched = row->kind == HS_START_SIGN_MAP;
  if (status == HS_OK && *searched) status = keep_largest(neurons);
  return hs_agree(search->problem->comm, status);
}

/* One start: its value, the local method from it, the record. The neurons are used up. Collective. */
static hs_status_t follow(search_t *search, hs_start_kind_t kind, int64_t number, hs_neurons_t *neurons)
{
  hs_local_method_t method = kind == HS_START_RANDOM_ADAM ? HS_LOCAL_ADAM : HS_LOCAL_LBFGS;
  hs_start_record_t row = {
      .kind = kind, .number = number, .neurons = neurons->count, .start = NAN, .end = NAN};
  hs_relu_value_t value;
  hs_status_t status;
  hs_neurons_prune(neurons, 0);
  hs_neurons_balance(neurons);
  bool searched;
  status = narrow(search, neurons, &row, &searched);
  if (status == HS_OK && searched) {
    status = run_method(search, neurons, method, &row, &value);
  } else if (status == HS_OK) {
    status = hs_relu_evaluate(search->problem, neurons, NULL, &value, search->traffic);
    row.start = value.objective;
  }
  row.left = neurons->count;
  if (status == HS_OK) status = hs_network_record_start(search->record, &row);
  if (status == HS_OK) print_row(&row);
  if (status == HS_OK) status = take(search, neurons, &value);
  return hs_agree(search->problem->comm, status);
}

/* ---- the starts ---- */

static hs_status_t sign_map(search_t *search, hs_neurons_t *neurons)
{
  hs_status_t status = hs_sign_map(search->gated, search->problem->comm, search->problem->shard);
  return status == HS_OK ? hs_agree(search->problem->comm, hs_neurons_of_model(search->gated, neurons))
                         : status;
}

static hs_status_t cones(search_t *search, hs_start_kind_t kind, hs_neurons_t *neurons)
{
  hs_cone_direction_t direction = kind == HS_START_CONES ? HS_CONE_GATE : HS_CONE_MARGIN;
  hs_cone_report_t report;
  return hs_cone_map(search->gated, search->problem->comm, search->problem->shard, direction,
                     2 * time_for(search, kind), neurons, &report, search->traffic);
}

/* Collective. */
static hs_status_t start_from(search_t *search, hs_start_kind_t kind, int64_t number)
{
  const hs_shard_t *shard = search->problem->shard;
  int width = search->options->width > 0 ? (int)search->options->width : WIDTH;
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, shard->d, shard->outputs);
  hs_status_t status;
  if (kind == HS_START_SIGN_MAP)
    status = sign_map(search, &neurons);
  else if (kind == HS_START_CONES || kind == HS_START_MARGIN_CONES)
    status = cones(search, kind, &neurons);
  else
    status = hs_random_start(search->problem, search->options->seed, (int)number, width, &neurons,
                             search->traffic);
  if (status == HS_OK) status = follow(search, kind, number, &neurons);
  hs_neurons_clear(&neurons);
  return status;
}

static hs_status_t convex_starts(search_t *search)
{
  static const hs_start_kind_t kinds[] = {HS_START_SIGN_MAP, HS_START_CONES, HS_START_MARGIN_CONES};
  hs_status_t status = HS_OK;
  for (int k = 0; k < 3 && status == HS_OK && !search->starts->interrupted; k++)
    status = start_from(search, kinds[k], 0);
  return status;
}

static hs_status_t random_starts(search_t *search)
{
  const hs_network_options_t *options = search->options;
  hs_status_t status = HS_OK;
  for (int64_t k = 1; k <= options->restarts && status == HS_OK; k++) {
    if (options->method != HS_LOCAL_ADAM && !search->starts->interrupted)
      status = start_from(search, HS_START_RANDOM_LBFGS, k);
    if (status == HS_OK && options->method != HS_LOCAL_LBFGS && !search->starts->interrupted)
      status = start_from(search, HS_START_RANDOM_ADAM, k);
  }
  return status;
}

hs_status_t hs_starts_search(const hs_relu_problem_t *problem, hs_model_t *gated,
                             const hs_network_options_t *options, hs_starts_t *starts,
                             hs_network_record_t *record, hs_traffic_t *traffic)
{
  search_t search = {.problem = problem,
                     .gated = gated,
                     .options = options,
                     .starts = starts,
                     .record = record,
                     .traffic = traffic};
  *starts = (hs_starts_t){0};
  hs_neurons_init(&starts->best, problem->shard->d, problem->shard->outputs);
  hs_neurons_init(&starts->others, problem->shard->d, problem->shard->outputs);
  record->chosen = -1;
  hs_log("network : starts and local methods (objective: loss + beta sum |w_k| |a_k|, weight decay)");
  hs_log("  %-20s %7s %15s %15s %8s %7s %8s", "start", "neurons", "objective", "after it", "neurons", "iter",
         "seconds");
  double begin = MPI_Wtime();
  hs_status_t status = options->init != HS_INIT_RANDOM ? convex_starts(&search) : HS_OK;
  starts->map_seconds = MPI_Wtime() - begin;
  if (status == HS_OK && options->init != HS_INIT_CONVEX) status = random_starts(&search);
  if (status != HS_OK) hs_starts_free(starts);
  return status;
}

void hs_starts_free(hs_starts_t *starts)
{
  hs_neurons_clear(&starts->best);
  hs_neurons_clear(&starts->others);
}
