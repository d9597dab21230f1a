#include "mpi/admm/active_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "mpi/admm/gate_size.h"
#include "mpi/comm/agree.h"

/* Fewer gates to be passed over than this share of all are not worth the reduction that finds out. */
#define LEAST_SHARE 0.05

/* Gates are sorted anew only where at least this share of all could be passed over. */
#define LEAST_SORTED 0.1

/* Rounding of a computed s_i, in units of size_i |w|: gates that are so near to beta are computed. */
static const double rounding[] = {[HS_SINGLE] = 1e-5, [HS_DOUBLE] = 1e-11};

typedef struct place {
  double distance;
  int gate;
} place_t;

/* Doubles that live on from one iteration to the next, in one array for the checkpoint. */
typedef struct memory {
  double *bound; /* P, of ||s_i||_*; infinite: not known */
  double *norm;  /* P, when last computed */
  double *order; /* P, in which the gates are grouped */
  double *waste; /* 1, gates computed for their group's sake since they were sorted */
} memory_t;

struct hs_active_set {
  const hs_problem_t *problem; /* borrowed */
  int64_t entries;
  double *numbers; /* what `memory` points into, owned */
  memory_t memory;
  double *w;         /* of the last time, owned */
  double *size;      /* P, owned */
  int groups;        /* of gates that are computed together; 0: they and size are not known yet */
  bool *idle;        /* P: no weights, owned */
  bool *wanted;      /* P: to be computed, owned */
  int *order;        /* P, scratch, owned */
  place_t *places;   /* P, scratch, owned */
  double *size_work; /* scratch of hs_gate_sizes, owned */
};

static int64_t count_numbers(int gates)
{
  return 3 * (int64_t)gates + 1;
}

static hs_status_t allocate(hs_active_set_t *set)
{
  const char *what = "active set";
  size_t gates = (size_t)set->problem->gates;
  set->numbers = hs_alloc((size_t)count_numbers(set->problem->gates), sizeof(double), what);
  set->w = hs_alloc((size_t)set->entries, sizeof(double), what);
  set->size = hs_alloc(gates, sizeof(double), what);
  set->idle = hs_alloc(gates, sizeof(bool), what);
  set->wanted = hs_alloc(gates, sizeof(bool), what);
  set->order = hs_alloc(gates, sizeof(int), what);
  set->places = hs_alloc(gates, sizeof(place_t), what);
  set->size_work =
      hs_alloc((size_t)hs_gate_sizes_work(set->problem->gates, set->problem->d), sizeof(double), what);
  bool good = set->numbers != NULL && set->w != NULL && set->size != NULL && set->idle != NULL &&
              set->wanted != NULL && set->order != NULL && set->places != NULL && set->size_work != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

/* The operator groups its gates as this set has them. */
static void regroup(hs_active_set_t *set)
{
  int gates = set->problem->gates;
  if (set->problem->reduction != NULL) return;
  for (int i = 0; i < gates; i++) set->order[i] = (int)set->memory.order[i];
  hs_masked_regroup(set->problem->op, set->order);
}

hs_status_t hs_active_set_create(hs_active_set_t **out, const hs_problem_t *problem)
{
  hs_active_set_t *set = *out = hs_alloc(1, sizeof *set, "active set");
  if (set == NULL) return HS_NO_MEMORY;
  *set = (hs_active_set_t){.problem = problem, .entries = problem->rows * problem->outputs};
  hs_status_t status = allocate(set);
  if (status != HS_OK) {
    hs_active_set_free(out);
    return status;
  }
  int gates = problem->gates;
  set->memory = (memory_t){.bound = set->numbers,
                           .norm = set->numbers + gates,
                           .order = set->numbers + 2 * gates,
                           .waste = set->numbers + 3 * gates};
  for (int gate = 0; gate < gates; gate++) {
    set->memory.bound[gate] = INFINITY;
    set->memory.order[gate] = gate;
    set->wanted[gate] = true;
  }
  regroup(set);
  return HS_OK;
}

void hs_active_set_free(hs_active_set_t **out)
{
  hs_active_set_t *set = *out;
  *out = NULL;
  if (set == NULL) return;
  hs_free(set->numbers);
  hs_free(set->w);
  hs_free(set->size);
  hs_free(set->idle);
  hs_free(set->wanted);
  hs_free(set->order);
  hs_free(set->places);
  hs_free(set->size_work);
  hs_free(set);
}

size_t hs_active_set_bytes(int gates, int d, int64_t entries)
{
  int64_t doubles = count_numbers(gates) + entries + gates + hs_gate_sizes_work(gates, d);
  return sizeof(hs_active_set_t) + (size_t)doubles * sizeof(double) +
         (size_t)gates * (2 * sizeof(bool) + sizeof(int) + sizeof(place_t));
}

/* ---- which gates ---- */

static bool is_zero(const double *block, int64_t size)
{
  for (int64_t e = 0; e < size; e++)
    if (block[e] != 0) return false;
  return true;
}

/* Could enough gates be passed over? From what is known before w is looked at. */
static bool is_hopeful(hs_active_set_t *set, const double *z)
{
  const hs_problem_t *problem = set->problem;
  int64_t size = (int64_t)problem->d * problem->outputs;
  int hopeful = 0;
  if (problem->reduction != NULL) return false;
  for (int gate = 0; gate < problem->gates; gate++) {
    set->idle[gate] = is_zero(z + gate * size, size);
    hopeful += set->idle[gate] && set->memory.bound[gate] < problem->beta;
  }
  return hopeful > LEAST_SHARE * problem->gates;
}

/* |w - w before| and |w|, over all ranks. Collective. */
static void measure_move(const hs_active_set_t *set, const double *w, double *move, double *length,
                         hs_traffic_t *traffic)
{
  double sums[2] = {0};
  for (int64_t k = 0; k < set->entries; k++) {
    double change = w[k] - set->w[k];
    sums[0] += change * change;
    sums[1] += w[k] * w[k];
  }
  hs_sum(set->problem->comm, sums, 2, traffic);
  *move = sqrt(sums[0]);
  *length = sqrt(sums[1]);
}

/* Not counted as traffic: a run that goes on from a checkpoint measures again, and has to count the same. Collective. */
static void measure(hs_active_set_t *set)
{
  hs_traffic_t uncounted = {0};
  hs_gate_sizes(set->problem, set->size, set->size_work, &uncounted);
  set->groups = hs_masked_group_count(set->problem->op);
  HS_MPI(MPI_Bcast(&set->groups, 1, MPI_INT, 0, set->problem->comm));
}

/* Returns how many gates have to be computed. Collective. */
static int choose(hs_active_set_t *set, const double *w, hs_traffic_t *traffic)
{
  const hs_problem_t *problem = set->problem;
  double move, length, unit = rounding[problem->shard->precision];
  int wanted = 0;
  if (set->groups == 0) measure(set);
  measure_move(set, w, &move, &length, traffic);
  for (int gate = 0; gate < problem->gates; gate++) {
    double *bound = &set->memory.bound[gate];
    *bound += set->size[gate] * move;
    set->wanted[gate] = !(set->idle[gate] && *bound + unit * set->size[gate] * length <= problem->beta);
    wanted += set->wanted[gate];
  }
  return wanted;
}

/* ---- the order of the gates ---- */

static int compare_places(const void *left, const void *right)
{
  const place_t *a = left, *b = right;
  if (a->distance != b->distance) return a->distance < b->distance ? -1 : 1;
  return (a->gate > b->gate) - (a->gate < b->gate);
}

/* Gates with weights first, then those that w reaches soonest. */
static void sort_gates(hs_active_set_t *set)
{
  int gates = set->problem->gates;
  for (int gate = 0; gate < gates; gate++) {
    double room = set->problem->beta - set->memory.norm[gate];
    bool rests = set->idle[gate] && room > 0;
    set->places[gate] = (place_t){rests ? room / set->size[gate] : -1, gate};
  }
  qsort(set->places, (size_t)gates, sizeof *set->places, compare_places);
  for (int i = 0; i < gates; i++) set->memory.order[i] = set->places[i].gate;
  *set->memory.waste = 0;
  regroup(set);
}

static void sort_if_it_pays(hs_active_set_t *set, int wanted, int computed)
{
  int gates = set->problem->gates;
  *set->memory.waste += computed - wanted;
  if (gates - wanted < LEAST_SORTED * gates) return;
  if (*set->memory.waste > hs_masked_regroup_cost(set->problem->op) * gates) sort_gates(set);
}

/* All gates of the groups that have a wanted one. Returns how many. */
static int complete_groups(hs_active_set_t *set)
{
  int gates = set->problem->gates, computed = 0;
  for (int group = 0; group < set->groups; group++) {
    int first = (int)hs_part_first(gates, set->groups, group),
        end = (int)hs_part_first(gates, set->groups, group + 1);
    bool wanted = false;
    for (int i = first; i < end; i++) wanted |= set->wanted[(int)set->memory.order[i]];
    for (int i = first; i < end; i++) set->wanted[(int)set->memory.order[i]] = wanted;
    computed += wanted ? end - first : 0;
  }
  return computed;
}

/* ---- the gradients ---- */

/* Sum over ranks of the blocks that were computed, moved together meanwhile. Collective. */
static void add_up(const hs_active_set_t *set, double *s, int extra, hs_traffic_t *traffic)
{
  const hs_problem_t *problem = set->problem;
  size_t size = (size_t)problem->d * (size_t)problem->outputs, bytes = size * sizeof *s;
  double *end = s, *behind = s + problem->weights;
  for (int gate = 0; gate < problem->gates; gate++)
    if (set->wanted[gate]) {
      if (end != s + (size_t)gate * size) memcpy(end, s + (size_t)gate * size, bytes);
      end += size;
    }
  memmove(end, behind, (size_t)extra * sizeof *s);
  hs_sum(problem->comm, s, end - s + extra, traffic);
  memmove(behind, end, (size_t)extra * sizeof *s);
  for (int gate = problem->gates - 1; gate >= 0; gate--) {
    double *block = s + (size_t)gate * size;
    if (!set->wanted[gate]) {
      memset(block, 0, bytes);
      continue;
    }
    end -= size;
    if (end != block) memcpy(block, end, bytes);
  }
}

/* Norms of what was computed. Returns the largest of them and of the other gates' bounds. */
static double take_norms(hs_active_set_t *set, const double *s)
{
  const hs_problem_t *problem = set->problem;
  int64_t size = (int64_t)problem->d * problem->outputs;
  double largest = 0;
  for (int gate = 0; gate < problem->gates; gate++) {
    if (set->wanted[gate])
      set->memory.bound[gate] = set->memory.norm[gate] = hs_group_dual_norm(
          problem->groups, problem->d, problem->outputs, s + gate * size, problem->group_work);
    largest = set->memory.bound[gate] > largest ? set->memory.bound[gate] : largest;
  }
  return largest;
}

double hs_active_set_gradient(hs_active_set_t *set, const double *z, const double *w, double *s, int extra,
                              hs_traffic_t *traffic)
{
  const hs_problem_t *problem = set->problem;
  int gates = problem->gates, wanted = gates, computed = gates;
  bool hopeful = is_hopeful(set, z);
  if (hopeful) {
    wanted = choose(set, w, traffic);
    computed = complete_groups(set);
  }
  if (computed < gates) {
    hs_masked_adjoint_some(problem->op, set->wanted, w, s);
  } else {
    for (int gate = 0; gate < gates; gate++) set->wanted[gate] = true;
    hs_problem_adjoint(problem, w, s);
  }
  memcpy(set->w, w, (size_t)set->entries * sizeof *w);
  add_up(set, s, extra, traffic);
  double largest = take_norms(set, s);
  if (hopeful) sort_if_it_pays(set, wanted, computed);
  return largest;
}

const bool *hs_active_set_computed(const hs_active_set_t *set)
{
  return set->wanted;
}

void hs_active_set_describe(hs_active_set_t *set, hs_state_t *state)
{
  hs_state_add(state, HS_STORED_SAME, "active_set", -1, HS_STORED_DOUBLE, 1,
               count_numbers(set->problem->gates), set->numbers);
  hs_state_add(state, HS_STORED_ROWS, "last_w", -1, HS_STORED_DOUBLE, 0, set->problem->outputs, set->w);
}

void hs_active_set_restored(hs_active_set_t *set)
{
  regroup(set);
}
