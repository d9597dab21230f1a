#include "mpi/admm/finish.h"

#include <cblas.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "masked/gram.h"
#include "mpi/comm/agree.h"
#include "mpi/gram/reduction.h"

extern void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
                   const int *ldb, int *info);

#define STEPS 4       /* of Newton, in one call */
#define RIDGE 1e-10   /* of the mean diagonal of G: dependent columns */
#define SLOPE 1e-4    /* Armijo's condition */
#define SHORTEST 1e-3 /* of a step that is still taken */
#define UNKNOWNS_MOST 4000
#define WORTH 20 /* iterations that a trial may cost */

/* Rates of one core, as in x_update/choose.c. */
#define GEMM 35e9
#define GRAM 600e9
#define FACTOR 32e9

struct hs_finish {
  const hs_problem_t *problem, *given; /* borrowed */
  double *c;                           /* P x C x d, owned */
  double iteration;
  int64_t pattern; /* groups that G belongs to */
  int count;       /* gates on */
  int *gates;      /* of them, ascending; room for all; owned */
  bool *units;     /* per gate and output: is it on? owned */
  double *G;       /* count d x count d, both triangles; owned */
};

/* What one step works with: weights of the gates that are on, count x C x d. */
typedef struct newton {
  hs_finish_t *finish;
  int order, unknowns;   /* count d; count d C */
  double *u, *trial, *g; /* unknowns */
  double *Gu;            /* G u, G (u of the trial) */
  double *H;             /* unknowns x unknowns */
} newton_t;

static bool is_joint(const hs_finish_t *finish)
{
  return finish->given->groups == HS_JOINT || finish->given->outputs == 1;
}

hs_status_t hs_finish_create(hs_finish_t **out, const hs_problem_t *problem, const hs_problem_t *given,
                             const double *c, double iteration)
{
  *out = NULL;
  bool nuclear = given->groups == HS_NUCLEAR && given->outputs > 1;
  if (given->loss.kind != HS_SQUARED || nuclear) return HS_OK;
  hs_finish_t *finish = hs_alloc(1, sizeof *finish, "Newton steps");
  if (finish == NULL) return HS_NO_MEMORY;
  *finish = (hs_finish_t){.problem = problem, .given = given, .iteration = iteration};
  finish->c = hs_alloc((size_t)given->weights, sizeof(double), "Newton steps");
  finish->gates = hs_alloc((size_t)given->gates, sizeof(int), "Newton steps");
  finish->units = hs_alloc((size_t)given->gates * (size_t)given->outputs, sizeof(bool), "Newton steps");
  if (finish->c == NULL || finish->gates == NULL || finish->units == NULL) {
    hs_finish_free(&finish);
    return HS_NO_MEMORY;
  }
  memcpy(finish->c, c, (size_t)given->weights * sizeof *c);
  *out = finish;
  return HS_OK;
}

void hs_finish_free(hs_finish_t **out)
{
  hs_finish_t *finish = *out;
  *out = NULL;
  if (finish == NULL) return;
  hs_free(finish->c);
  hs_free(finish->gates);
  hs_free(finish->units);
  hs_free(finish->G);
  hs_free(finish);
}

/* ---- groups ---- */

static bool is_zero(int count, const double *x)
{
  for (int e = 0; e < count; e++)
    if (x[e] != 0) return false;
  return true;
}

/* Gates that are on; units, if wanted. */
static int find_groups(const hs_finish_t *finish, const double *u, int *gates, bool *units)
{
  int d = finish->given->d, C = finish->given->outputs, count = 0;
  for (int i = 0; i < finish->given->gates; i++) {
    bool on = false;
    for (int c = 0; c < C; c++) {
      bool unit = !is_zero(d, u + ((int64_t)i * C + c) * d);
      if (units != NULL) units[i * C + c] = unit;
      on = on || unit;
    }
    if (on && gates != NULL) gates[count] = i;
    count += on;
  }
  return count;
}

int64_t hs_finish_pattern(const hs_finish_t *finish, const double *u)
{
  find_groups(finish, u, NULL, finish->units);
  size_t size = (size_t)finish->given->gates * (size_t)finish->given->outputs * sizeof *finish->units;
  return (int64_t)(XXH3_64bits(finish->units, size) >> 1);
}

int64_t hs_finish_made(const hs_finish_t *finish)
{
  return finish->pattern;
}

void hs_finish_was_made(hs_finish_t *finish, int64_t pattern)
{
  finish->pattern = pattern;
}

/* On one rank, so that the answer does not depend on how many there are. */
double hs_finish_cost(const hs_finish_t *finish, const double *u)
{
  const hs_problem_t *given = finish->given;
  double order = (double)find_groups(finish, u, NULL, NULL) * given->d, unknowns = order * given->outputs;
  double rows = (double)given->shard->partition.rows;
  double gram = finish->problem->reduction != NULL ? (double)given->gates * given->d * order * order / GEMM
                                                   : rows * order * order / GRAM;
  double seconds = gram + STEPS * unknowns * unknowns * unknowns / 3 / FACTOR;
  bool pays = unknowns > 0 && unknowns <= UNKNOWNS_MOST && seconds < WORTH * finish->iteration;
  return pays ? seconds / finish->iteration : INFINITY;
}

/* ---- the matrix ---- */

/* Rows of A_S of the reduced problem: those of L', in the columns of the gates. */
static hs_status_t gram_of_reduction(hs_finish_t *finish, double *G)
{
  hs_reduction_t *reduction = finish->problem->reduction;
  int d = finish->given->d, n = finish->count * d, rows = reduction->count;
  double *A = hs_alloc((size_t)rows * (size_t)n, sizeof(double), "Newton steps");
  if (A == NULL) return HS_NO_MEMORY;
  for (int j = 0; j < rows; j++) {
    int row = reduction->first + j;
    const double *column = hs_factor_column(reduction->L, j);
    for (int k = 0; k < n; k++) {
      int index = finish->gates[k / d] * d + k % d;
      A[(size_t)j * (size_t)n + (size_t)k] = index >= row ? column[index - row] : 0;
    }
  }
  if (rows > 0) cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, rows, 1, A, n, 0, G, n);
  hs_free(A);
  return HS_OK;
}

/* The same of the data: an operator with the gates that are on and no others. */
static hs_status_t gram_of_data(hs_finish_t *finish, double *G)
{
  const hs_problem_t *given = finish->given;
  int n = finish->count * given->d;
  size_t bytes = (size_t)given->masks->rows * (size_t)given->masks->words * sizeof(uint64_t);
  hs_masks_t masks = *given->masks;
  hs_masked_t *op = NULL;
  hs_masked_gram_t *gram = NULL;
  masks.bits = hs_alloc(bytes, 1, "Newton steps");
  hs_status_t status = masks.bits != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    memcpy(masks.bits, given->masks->bits, bytes);
    status = hs_masks_select(&masks, finish->count, finish->gates);
  }
  if (status == HS_OK)
    status =
        hs_masked_create(&op, given->shard->precision, given->rows, given->d, 1, given->shard->X, &masks);
  if (status == HS_OK) status = hs_masked_gram_create(&gram, op);
  if (status == HS_OK) hs_masked_gram_block(gram, NULL, 0, n, 0, n, G, n);
  hs_masked_gram_free(&gram);
  hs_masked_free(&op);
  hs_masks_free(&masks);
  return status;
}

/* G of the groups of u, summed over ranks, unless it is at hand. Collective. */
static hs_status_t make_gram(hs_finish_t *finish, const double *u, hs_traffic_t *traffic)
{
  MPI_Comm comm = finish->given->comm;
  int64_t pattern = hs_finish_pattern(finish, u);
  if (finish->G != NULL && pattern == finish->pattern) return HS_OK;
  hs_traffic_t again = {0};
  if (pattern == finish->pattern) traffic = &again;
  hs_free(finish->G);
  finish->pattern = pattern;
  finish->count = find_groups(finish, u, finish->gates, finish->units);
  int n = finish->count * finish->given->d;
  finish->G = hs_alloc((size_t)n * (size_t)n, sizeof(double), "Newton steps");
  hs_status_t status = finish->G != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK)
    status = finish->problem->reduction != NULL ? gram_of_reduction(finish, finish->G)
                                                : gram_of_data(finish, finish->G);
  status = hs_agree(comm, status);
  if (status != HS_OK) {
    hs_free(finish->G);
    finish->G = NULL;
    return status;
  }
  double *G = finish->G;
  size_t ld = (size_t)n, packed = 0;
  for (size_t j = 0; j < ld; j++)
    for (size_t i = j; i < ld; i++) G[packed++] = G[j * ld + i];
  hs_sum(comm, G, (int64_t)packed, traffic);
  for (size_t j = ld; j-- > 0;)
    for (size_t i = ld; i-- > j;) G[j * ld + i] = G[--packed];
  for (size_t j = 0; j < ld; j++)
    for (size_t i = 0; i < j; i++) G[j * ld + i] = G[i * ld + j];
  return HS_OK;
}

/* ---- Newton's method; replicated ---- */

/* out = G x, for every output: vectors are gate, output, feature. */
static void multiply(const newton_t *newton, const double *x, double *out)
{
  const hs_finish_t *finish = newton->finish;
  int d = finish->given->d, C = finish->given->outputs, n = newton->order;
  for (int c = 0; c < C; c++)
    for (int i = 0; i < finish->count; i++) {
      double *to = out + ((size_t)i * (size_t)C + (size_t)c) * (size_t)d;
      memset(to, 0, (size_t)d * sizeof *to);
      for (int k = 0; k < finish->count; k++)
        cblas_dgemv(CblasColMajor, CblasNoTrans, d, d, 1,
                    finish->G + (size_t)(k * d) * (size_t)n + (size_t)(i * d), n,
                    x + ((size_t)k * (size_t)C + (size_t)c) * (size_t)d, 1, 1, to, 1);
    }
}

/* Of one unit: its place, and how many numbers it has. */
static int unit_length(const newton_t *newton)
{
  int d = newton->finish->given->d, C = newton->finish->given->outputs;
  return is_joint(newton->finish) ? d * C : d;
}

static const double *target_of(const newton_t *newton, int gate)
{
  const hs_problem_t *given = newton->finish->given;
  return newton->finish->c + (int64_t)newton->finish->gates[gate] * given->d * given->outputs;
}

/* f(u), given G u. */
static double objective(const newton_t *newton, const double *u, const double *Gu)
{
  int size = newton->finish->given->d * newton->finish->given->outputs, length = unit_length(newton);
  double sum = 0;
  for (int i = 0; i < newton->finish->count; i++) {
    const double *c = target_of(newton, i);
    for (int e = 0; e < size; e++) sum += u[i * size + e] * (0.5 * Gu[i * size + e] - c[e]);
  }
  for (int e = 0; e < newton->unknowns; e += length)
    sum += newton->finish->given->beta * cblas_dnrm2(length, u + e, 1);
  return sum;
}

/* Gradient and second derivative at u. Units that are off stay off: their rows are those of the identity. */
static void derive(newton_t *newton)
{
  const hs_finish_t *finish = newton->finish;
  const hs_problem_t *given = finish->given;
  int d = given->d, C = given->outputs, n = newton->order, size = d * C, length = unit_length(newton);
  size_t m = (size_t)newton->unknowns;
  double trace = 0;
  for (int k = 0; k < n; k++) trace += finish->G[(size_t)k * ((size_t)n + 1)];
  memset(newton->H, 0, m * m * sizeof(double));
  for (int k = 0; k < finish->count; k++)
    for (int i = 0; i < finish->count; i++)
      for (int c = 0; c < C; c++)
        for (int b = 0; b < d; b++)
          memcpy(newton->H + ((size_t)k * (size_t)size + (size_t)(c * d + b)) * m + (size_t)i * (size_t)size +
                     (size_t)(c * d),
                 finish->G + (size_t)(k * d + b) * (size_t)n + (size_t)(i * d), (size_t)d * sizeof(double));
  for (int i = 0; i < finish->count; i++) {
    const double *c = target_of(newton, i);
    for (int e = 0; e < size; e++) newton->g[i * size + e] = newton->Gu[i * size + e] - c[e];
  }
  for (int first = 0; first < newton->unknowns; first += length) {
    const double *u = newton->u + first;
    double norm = cblas_dnrm2(length, u, 1);
    for (int b = 0; b < length; b++) {
      double *column = newton->H + (size_t)(first + b) * m;
      if (norm == 0) {
        memset(column, 0, m * sizeof *column);
        for (size_t row = 0; row < m; row++) newton->H[row * m + (size_t)(first + b)] = 0;
        column[first + b] = 1;
        newton->g[first + b] = 0;
        continue;
      }
      newton->g[first + b] += given->beta * u[b] / norm;
      for (int a = 0; a < length; a++)
        column[first + a] += given->beta / norm * ((a == b) - u[a] / norm * (u[b] / norm));
      column[first + b] += RIDGE * trace / n;
    }
  }
}

/* One damped step; false: no lower point was found. */
static bool step(newton_t *newton, double *f)
{
  int m = newton->unknowns, one = 1, info = 0;
  derive(newton);
  double *direction = newton->trial + m, *Gu = newton->Gu + m;
  memcpy(direction, newton->g, (size_t)m * sizeof *direction);
  dposv_("L", &m, &one, newton->H, &m, direction, &m, &info);
  if (info != 0) return false;
  double slope = cblas_ddot(m, newton->g, 1, direction, 1);
  for (double t = 1; t > SHORTEST; t /= 2) {
    for (int e = 0; e < m; e++) newton->trial[e] = newton->u[e] - t * direction[e];
    multiply(newton, newton->trial, Gu);
    double lower = objective(newton, newton->trial, Gu);
    if (!(lower <= *f - SLOPE * t * slope)) continue;
    memcpy(newton->u, newton->trial, (size_t)m * sizeof(double));
    memcpy(newton->Gu, Gu, (size_t)m * sizeof(double));
    *f = lower;
    return slope > 0;
  }
  return false;
}

static hs_status_t allocate(newton_t *newton)
{
  size_t m = (size_t)newton->unknowns;
  newton->u = hs_alloc(m, sizeof(double), "Newton steps");
  newton->trial = hs_alloc(2 * m, sizeof(double), "Newton steps");
  newton->g = hs_alloc(m, sizeof(double), "Newton steps");
  newton->Gu = hs_alloc(2 * m, sizeof(double), "Newton steps");
  newton->H = hs_alloc(m * m, sizeof(double), "Newton steps");
  bool good = newton->u != NULL && newton->trial != NULL && newton->g != NULL && newton->Gu != NULL &&
              newton->H != NULL;
  return good ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_finish_step(hs_finish_t *finish, double *u, bool *moved, hs_traffic_t *traffic)
{
  *moved = false;
  hs_status_t status = make_gram(finish, u, traffic);
  if (status != HS_OK || finish->count == 0) return status;
  int size = finish->given->d * finish->given->outputs;
  newton_t newton = {
      .finish = finish, .order = finish->count * finish->given->d, .unknowns = finish->count * size};
  status = hs_agree(finish->given->comm, allocate(&newton));
  if (status == HS_OK) {
    for (int i = 0; i < finish->count; i++)
      memcpy(newton.u + i * size, u + (int64_t)finish->gates[i] * size, (size_t)size * sizeof *u);
    multiply(&newton, newton.u, newton.Gu);
    double f = objective(&newton, newton.u, newton.Gu);
    for (int k = 0; k < STEPS && step(&newton, &f); k++) *moved = true;
    for (int i = 0; i < finish->count && *moved; i++)
      memcpy(u + (int64_t)finish->gates[i] * size, newton.u + i * size, (size_t)size * sizeof *u);
  }
  hs_free(newton.u);
  hs_free(newton.trial);
  hs_free(newton.g);
  hs_free(newton.Gu);
  hs_free(newton.H);
  return status;
}
