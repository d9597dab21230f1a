#include "network/small_lasso.h"

#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

#define RIDGE 1e-13 /* of the mean diagonal */
#define PASSES 6
#define LEAST_PIVOT 1e-3 /* of the ridge: below, rounding has eaten the column */

typedef struct state {
  const hs_small_lasso_t *problem;
  int size;    /* entries in the set */
  int *member; /* which ones */
  double *sign, *z;
  double *L;        /* count x count row-major; factor of P + ridge on the set, in its order */
  double *centre;   /* count: what the ridge pulls to */
  double *gradient; /* q - P x - ridge (x - centre) */
  char *in, *blocked;
  double ridge;
  int changes;
} state_t;

static hs_status_t state_create(state_t *state, const hs_small_lasso_t *problem)
{
  size_t count = (size_t)problem->count;
  *state = (state_t){.problem = problem};
  state->member = hs_alloc(count, sizeof(int), "active set");
  state->sign = hs_alloc(count, sizeof(double), "active set");
  state->z = hs_alloc(count, sizeof(double), "active set");
  state->gradient = hs_alloc(count, sizeof(double), "active set");
  state->centre = hs_alloc(count, sizeof(double), "active set");
  state->L = hs_alloc(count * count, sizeof(double), "factor of the active set");
  state->in = hs_alloc(count, 1, "active set");
  state->blocked = hs_alloc(count, 1, "active set");
  for (size_t i = 0; i < count; i++) state->ridge += RIDGE * problem->P[i * count + i] / (double)count;
  bool good = state->member != NULL && state->sign != NULL && state->z != NULL && state->gradient != NULL &&
              state->centre != NULL && state->L != NULL && state->in != NULL && state->blocked != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

static void state_free(state_t *state)
{
  hs_free(state->member);
  hs_free(state->sign);
  hs_free(state->z);
  hs_free(state->centre);
  hs_free(state->gradient);
  hs_free(state->L);
  hs_free(state->in);
  hs_free(state->blocked);
}

/* One more row of the factor: L l = P_Sj, pivot^2 = P_jj - |l|^2. False if the entry depends on those of the set. */
static bool append(state_t *state, int j, double sign)
{
  int count = state->problem->count, size = state->size;
  const double *column = state->problem->P + (int64_t)j * count;
  double *l = state->L + (int64_t)size * count;
  for (int i = 0; i < size; i++) l[i] = column[state->member[i]];
  if (size > 0)
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, size, state->L, count, l, 1);
  double pivot = column[j] + state->ridge - (size > 0 ? cblas_ddot(size, l, 1, l, 1) : 0);
  if (!(pivot > LEAST_PIVOT * state->ridge)) return false;
  l[size] = sqrt(pivot);
  state->member[size] = j;
  state->sign[size] = sign;
  state->size++;
  state->in[j] = 1;
  return true;
}

/* The set without the entries that are marked as out; those that depend on others go, too. The factor stays as it is up to
 * the first that is gone. */
static void refactor(state_t *state, double *x)
{
  int before = state->size, kept = 0;
  while (kept < before && state->in[state->member[kept]]) kept++;
  state->size = kept;
  for (int i = kept; i < before; i++) {
    int j = state->member[i]; /* append writes to places before i only */
    if (!state->in[j] || append(state, j, state->sign[i])) continue;
    state->in[j] = 0;
    x[j] = 0;
  }
}

/* (P + ridge) z = q + ridge centre - penalty sign on the set. */
static void solve_set(state_t *state)
{
  const hs_small_lasso_t *problem = state->problem;
  int count = problem->count, size = state->size;
  for (int i = 0; i < size; i++) {
    int j = state->member[i];
    state->z[i] = problem->q[j] + state->ridge * state->centre[j] - problem->penalty * state->sign[i];
  }
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, size, state->L, count, state->z, 1);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, size, state->L, count, state->z, 1);
}

/* From x towards z, until the first entry would change its sign: that one leaves the set. True if none did. */
static bool move(state_t *state, double *x)
{
  double step = 1;
  int first = -1;
  for (int i = 0; i < state->size; i++) {
    double from = x[state->member[i]] * state->sign[i], to = state->z[i] * state->sign[i];
    if (to > 0) continue;
    double most = from > 0 ? from / (from - to) : 0;
    if (first >= 0 && most >= step) continue;
    step = most;
    first = i;
  }
  for (int i = 0; i < state->size; i++) {
    double *value = &x[state->member[i]];
    *value = first < 0 ? state->z[i] : *value + step * (state->z[i] - *value);
    if (i != first && *value * state->sign[i] >= 0) continue;
    state->in[state->member[i]] = 0; /* the first one, and what rounding took over the edge with it */
    *value = 0;
  }
  return first < 0;
}

/* The minimum on the set, dropping entries as they reach zero. */
static void settle(state_t *state, double *x)
{
  for (;;) {
    if (state->size == 0) return;
    solve_set(state);
    if (move(state, x)) return;
    state->changes++;
    refactor(state, x);
  }
}

static void find_gradient(state_t *state, const double *x)
{
  const hs_small_lasso_t *problem = state->problem;
  int count = problem->count;
  for (int i = 0; i < count; i++)
    state->gradient[i] = problem->q[i] - state->ridge * (x[i] - state->centre[i]);
  for (int i = 0; i < state->size; i++) {
    int j = state->member[i];
    cblas_daxpy(count, -x[j], problem->P + (int64_t)j * count, 1, state->gradient, 1);
  }
}

/* The entry outside the set whose gradient exceeds the penalty most, -1 if none does by more than the slack. */
static int worst(const state_t *state, double slack)
{
  const hs_small_lasso_t *problem = state->problem;
  int best = -1;
  double most = slack;
  for (int j = 0; j < problem->count; j++) {
    double g = problem->nonnegative ? state->gradient[j] : fabs(state->gradient[j]);
    if (state->in[j] || state->blocked[j] || !(g - problem->penalty > most)) continue;
    most = g - problem->penalty;
    best = j;
  }
  return best;
}

static void warm_start(state_t *state, double *x)
{
  for (int j = 0; j < state->problem->count; j++)
    if (x[j] != 0 && !append(state, j, x[j] > 0 ? 1 : -1)) x[j] = 0;
  settle(state, x);
}

/* Entries come in, the steepest first, until none wants to. */
static void solve(state_t *state, double slack, double *x)
{
  int count = state->problem->count;
  int most =
      state->changes + 100 + 30 * count; /* far beyond what is ever needed: only rounding could cycle */
  memset(state->blocked, 0, (size_t)count);
  while (state->changes < most) {
    find_gradient(state, x);
    int j = worst(state, slack);
    if (j < 0) return;
    bool good = append(state, j, state->gradient[j] > 0 ? 1 : -1);
    state->changes++;
    if (good) settle(state, x);
    /* An entry that comes in and goes out at once gains nothing but rounding, until something else has changed. */
    if (good && state->in[j])
      memset(state->blocked, 0, (size_t)count);
    else
      state->blocked[j] = 1;
  }
}

/* centre := x; the largest error of the gradient that the ridge has made until now. */
static double recentre(state_t *state, const double *x)
{
  double error = 0;
  for (int i = 0; i < state->problem->count; i++) {
    error = fmax(error, state->ridge * fabs(x[i] - state->centre[i]));
    state->centre[i] = x[i];
  }
  return error;
}

hs_status_t hs_small_lasso(const hs_small_lasso_t *problem, double slack, double *x, int *steps)
{
  state_t state;
  hs_status_t status = state_create(&state, problem);
  if (status == HS_OK) {
    recentre(&state, x);
    warm_start(&state, x);
    /* The proximal point method: what the ridge changes vanishes when it is centred at the solution. */
    for (int pass = 0; pass < PASSES; pass++) {
      solve(&state, slack, x);
      if (recentre(&state, x) <= slack) break;
      settle(&state, x);
    }
    if (steps != NULL) *steps = state.changes;
  }
  state_free(&state);
  return status;
}
