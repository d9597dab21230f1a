#include "mpi/network/margin.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "gates/masks.h"
#include "minimise/nearest_point.h"
#include "minimise/vectors.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"
#include "mpi/network/row_pool.h"

#define ROUNDS 100
#define TOLERANCE 1e-3
#define SHARE 0.5       /* of the tolerance, for the problem of the rows in the list */
#define LOOSE 0.1       /* and of the gap there is, while that is more: */
#define LOOSEST 0.03    /* but no more than this */
#define LONG 512        /* rows beyond d: lists that are longer lose those without weight */
#define LEAST_BUCKETS 8 /* rows k = b modulo buckets, of all ranks, have a most violated one each */

/* A candidate row: value s x'e, twice the number of the row and 1 if s = 1. */
#define VALUE 0
#define ROW 1
#define HEAD 2

/* What the rank of a gate tells about it, behind the direction: |p|, what has come of it. */
#define LENGTH 0
#define OUTCOME 1
#define TAIL 2
typedef enum outcome { GOES_ON, FLAT, STUCK } outcome_t;

/* The list of a gate, on its rank alone. */
typedef struct list {
  int count, room;
  int64_t *row;            /* global numbers */
  double *signs, *weights; /* of the rows; of the nearest point of their hull */
  double delta, tolerance; /* of the last solve */
  bool afresh;             /* it was once solved without what was known */
  double shrunk;           /* |p| when it lost rows */
} list_t;

typedef struct margin {
  MPI_Comm comm;
  const hs_shard_t *shard;
  hs_masks_t masks;
  hs_row_pool_t pool;
  hs_traffic_t *traffic;
  double tolerance, max_seconds, begin;
  bool late; /* the limit of time has been met: the same on all ranks */
  int d, gates, buckets, stuck, rank, ranks, parts;
  int open, *which;        /* gates that are still searched for */
  list_t *lists;           /* gates */
  double *E, *margins;     /* the best direction of each gate and its margin */
  double *bounds, *length; /* gates: the least |p| so far, which no margin exceeds; the last |p| */
  double *trial;           /* open x d: directions to be tried */
  double *shared;          /* open x (d + TAIL), and the seconds of rank 0 */
  double *best; /* parts x open x buckets x HEAD: candidates; those of all ranks in the first part */
  double *products, *rows; /* parts x SLAB x open; parts x SLAB x d */
} margin_t;

static hs_status_t margin_create(margin_t *m, const double *G)
{
  size_t gates = (size_t)m->gates, d = (size_t)m->d, parts = (size_t)m->parts, slab = HS_SLAB_ROWS;
  int fits;
  m->which = hs_alloc(gates, sizeof(int), "gates");
  m->lists = hs_alloc(gates, sizeof *m->lists, "margins");
  m->bounds = hs_alloc(gates, sizeof(double), "margins");
  m->length = hs_alloc(gates, sizeof(double), "margins");
  m->trial = hs_alloc(gates * d, sizeof(double), "margins");
  m->shared = hs_alloc(gates * (d + TAIL) + 1, sizeof(double), "margins");
  m->best = hs_alloc(parts * gates * (size_t)m->buckets * HEAD, sizeof(double), "candidates for margins");
  m->products = hs_alloc(parts * slab * gates, sizeof(double), "margins");
  m->rows = hs_alloc(parts * slab * d, sizeof(double), "rows");
  bool good = m->which && m->lists && m->bounds && m->length && m->trial && m->shared && m->best &&
              m->products && m->rows;
  hs_status_t status = good ? hs_to_int((int64_t)m->gates * m->buckets, &fits, "candidates") : HS_NO_MEMORY;
  if (status == HS_OK) status = hs_row_pool_create(&m->pool, m->shard->partition.rows, m->d);
  if (status == HS_OK)
    status = hs_masks_create(&m->masks, m->shard->precision, m->shard->rows, m->d, m->shard->X, m->gates, G);
  return hs_agree(m->comm, status);
}

static void margin_free(margin_t *m)
{
  for (int i = 0; i < m->gates && m->lists != NULL; i++) {
    hs_free(m->lists[i].row);
    hs_free(m->lists[i].signs);
    hs_free(m->lists[i].weights);
  }
  hs_free(m->which);
  hs_free(m->lists);
  hs_free(m->bounds);
  hs_free(m->length);
  hs_free(m->trial);
  hs_free(m->shared);
  hs_free(m->best);
  hs_free(m->products);
  hs_free(m->rows);
  hs_row_pool_clear(&m->pool);
  hs_masks_free(&m->masks);
}

static bool is_zero(int d, const double *x)
{
  for (int j = 0; j < d; j++)
    if (x[j] != 0) return false;
  return true;
}

/* The rows of a slab against the directions on trial. */
static void scan_slab(const margin_t *m, int64_t first, int count, double *buffer, double *products,
                      double *best)
{
  int d = m->d, open = m->open;
  const double *x = hs_slab(m->shard, first, count, buffer);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, open, d, 1, x, d, m->trial, d, 0, products,
              open);
  for (int k = 0; k < count; k++) {
    int64_t row = m->shard->row0 + first + k;
    double *of_bucket = best + row % m->buckets * HEAD;
    for (int i = 0; i < open; i++) {
      double value = products[(int64_t)k * open + i], *top = of_bucket + (int64_t)i * m->buckets * HEAD;
      int on = hs_mask_bit(&m->masks, first + k, m->which[i]);
      if (!on) value = -value;
      if (!(value < top[VALUE]) || (value == 0 && is_zero(d, x + (int64_t)k * d))) continue;
      top[VALUE] = value;
      top[ROW] = (double)(2 * row + on);
    }
  }
}

static void scan_part(const margin_t *m, int part)
{
  int64_t rows = m->shard->rows, slabs = (rows + HS_SLAB_ROWS - 1) / HS_SLAB_ROWS;
  double *best = m->best + (int64_t)part * m->open * m->buckets * HEAD;
  double *products = m->products + (int64_t)part * HS_SLAB_ROWS * m->open;
  double *buffer = m->rows + (int64_t)part * HS_SLAB_ROWS * m->d;
  for (int64_t e = 0; e < (int64_t)m->open * m->buckets; e++) {
    best[e * HEAD + VALUE] = INFINITY;
    best[e * HEAD + ROW] = INFINITY;
  }
  for (int64_t s = hs_part_first(slabs, m->parts, part); s < hs_part_first(slabs, m->parts, part + 1); s++)
    scan_slab(m, s * HS_SLAB_ROWS, (int)hs_min64(HS_SLAB_ROWS, rows - s * HS_SLAB_ROWS), buffer, products,
              best);
}

/* Does candidate a come before b? In the same order wherever they meet. */
static bool before(const double *a, const double *b)
{
  return a[VALUE] < b[VALUE] || (a[VALUE] == b[VALUE] && a[ROW] < b[ROW]);
}

/* The operation of the reduction: of two candidates the one that comes before. */
static void pick(void *in, void *inout, int *count, MPI_Datatype *type)
{
  (void)type;
  double *a = in, *b = inout;
  for (int k = 0; k < *count; k++, a += HEAD, b += HEAD)
    if (before(a, b)) memcpy(b, a, HEAD * sizeof *b);
}

/* Candidates of all ranks, from those of this one. Collective. */
static void reduce(margin_t *m)
{
  MPI_Datatype candidate;
  MPI_Op first;
  double begin = MPI_Wtime();
  HS_MPI(MPI_Type_contiguous(HEAD, MPI_DOUBLE, &candidate));
  HS_MPI(MPI_Type_commit(&candidate));
  HS_MPI(MPI_Op_create(pick, 1, &first));
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, m->best, m->open * m->buckets, candidate, first, m->comm));
  HS_MPI(MPI_Op_free(&first));
  HS_MPI(MPI_Type_free(&candidate));
  m->traffic->seconds += MPI_Wtime() - begin;
  m->traffic->bytes += (double)m->open * m->buckets * HEAD * (double)sizeof(double);
  m->traffic->calls++;
}

static void scan(margin_t *m)
{
#pragma omp parallel for schedule(static, 1) num_threads(m->parts)
  for (int part = 0; part < m->parts; part++) scan_part(m, part);
  int count = m->open * m->buckets;
  for (int part = 1; part < m->parts; part++)
    pick(m->best + (int64_t)part * count * HEAD, m->best, &count, NULL);
  reduce(m);
}

static const double *candidate_of(const margin_t *m, int open, int bucket)
{
  return m->best + ((int64_t)open * m->buckets + bucket) * HEAD;
}

/* Values below are those of rows that the list should have. */
static double enough(const margin_t *m, int gate)
{
  return (1 - m->tolerance) * m->length[gate];
}

/* What the scan says about the trial direction of an open gate: true when nothing is left to be gained. */
static bool judge(margin_t *m, int open)
{
  int gate = m->which[open], d = m->d;
  double margin = INFINITY;
  for (int b = 0; b < m->buckets; b++) margin = fmin(margin, candidate_of(m, open, b)[VALUE]);
  if (margin > m->margins[gate] && isfinite(margin)) {
    m->margins[gate] = margin;
    memcpy(m->E + (int64_t)gate * d, m->trial + (int64_t)open * d, (size_t)d * sizeof(double));
  }
  return isinf(margin) || m->margins[gate] >= (1 - m->tolerance) * m->bounds[gate];
}

/* Judge all open gates, close those that are done, and have the rows that the others violate. Collective. */
static hs_status_t judge_all(margin_t *m)
{
  hs_status_t status = HS_OK;
  int kept = 0;
  for (int i = 0; i < m->open; i++) {
    if (judge(m, i)) continue;
    memmove(m->best + (int64_t)kept * m->buckets * HEAD, candidate_of(m, i, 0),
            (size_t)m->buckets * HEAD * sizeof(double));
    m->which[kept++] = m->which[i];
  }
  m->open = kept;
  for (int i = 0; i < m->open && !m->late; i++)
    for (int b = 0; b < m->buckets && status == HS_OK; b++) {
      const double *candidate = candidate_of(m, i, b);
      if (candidate[VALUE] < enough(m, m->which[i]))
        status = hs_row_pool_ask(&m->pool, (int64_t)candidate[ROW] / 2);
    }
  status = hs_agree(m->comm, status);
  if (status == HS_OK) hs_row_pool_fetch(&m->pool, m->comm, m->shard, m->traffic);
  return status;
}

/* ---- the list of a gate, on its rank ---- */

/* Keep the rows of positive weight: p stays what it is. */
static void shrink(list_t *list)
{
  int kept = 0;
  for (int k = 0; k < list->count; k++) {
    if (!(list->weights[k] > 0)) continue;
    list->row[kept] = list->row[k];
    list->signs[kept] = list->signs[k];
    list->weights[kept++] = list->weights[k];
  }
  list->count = kept;
}

static hs_status_t reserve(list_t *list, int room)
{
  if (room <= list->room) return HS_OK;
  list_t more = *list;
  more.room = room;
  more.row = hs_alloc((size_t)room, sizeof *more.row, "list of a gate");
  more.signs = hs_alloc((size_t)room, sizeof *more.signs, "list of a gate");
  more.weights = hs_alloc((size_t)room, sizeof *more.weights, "list of a gate");
  bool good = more.row != NULL && more.signs != NULL && more.weights != NULL;
  if (good && list->count > 0) {
    memcpy(more.row, list->row, (size_t)list->count * sizeof *more.row);
    memcpy(more.signs, list->signs, (size_t)list->count * sizeof *more.signs);
    memcpy(more.weights, list->weights, (size_t)list->count * sizeof *more.weights);
  }
  list_t *old = good ? list : &more;
  hs_free(old->row);
  hs_free(old->signs);
  hs_free(old->weights);
  if (good) *list = more;
  return good ? HS_OK : HS_NO_MEMORY;
}

static bool has(const list_t *list, int count, int64_t row)
{
  for (int k = 0; k < count; k++)
    if (list->row[k] == row) return true;
  return false;
}

/* The candidates of an open gate join its list. *joined: how many were not there. */
static hs_status_t join(margin_t *m, int open, int *joined)
{
  int gate = m->which[open];
  list_t *list = &m->lists[gate];
  /* |p| falls from one shrinking to the next: no list comes twice. */
  if (list->count > m->d + LONG && m->length[gate] < list->shrunk) {
    list->shrunk = m->length[gate];
    shrink(list);
  }
  int before_it = list->count;
  hs_status_t status = reserve(list, list->count + m->buckets);
  for (int b = 0; b < m->buckets && status == HS_OK; b++) {
    const double *candidate = candidate_of(m, open, b);
    int64_t code = (int64_t)candidate[ROW], row = code / 2;
    if (!(candidate[VALUE] < enough(m, gate)) || has(list, before_it, row)) continue;
    list->row[list->count] = row;
    list->signs[list->count] = code % 2 == 1 ? 1 : -1;
    list->weights[list->count++] = 0;
  }
  *joined = list->count - before_it;
  return status;
}

/* p of the list's weights; to (d + TAIL): its direction, its length. */
static void combine(const margin_t *m, const list_t *list, const int *places, double *to)
{
  memset(to, 0, (size_t)m->d * sizeof *to);
  for (int k = 0; k < list->count; k++)
    if (list->weights[k] > 0)
      hs_vector_add(m->d, list->weights[k] * list->signs[k], m->pool.rows + (int64_t)places[k] * m->d, to);
  double length = sqrt(hs_vector_dot(m->d, to, to));
  for (int j = 0; j < m->d && length > 0; j++) to[j] /= length;
  to[m->d + LENGTH] = length;
}

/* The best direction for the rows in the list, to a relative tolerance. */
static hs_status_t solve(const margin_t *m, list_t *list, double tolerance, double seconds, double *to)
{
  size_t count = (size_t)list->count;
  hs_nearest_options_t options = {.tolerance = tolerance, .max_seconds = seconds};
  hs_nearest_report_t report = {0};
  double *K = hs_alloc(count * count, sizeof *K, "products of rows");
  int *places = hs_alloc(count, sizeof *places, "products of rows");
  hs_status_t status = K != NULL && places != NULL ? HS_OK : HS_NO_MEMORY;
  for (int k = 0; k < list->count && status == HS_OK; k++)
    places[k] = hs_row_pool_place(&m->pool, list->row[k]);
  if (status == HS_OK) status = hs_row_pool_gram(&m->pool, list->count, places, list->signs, K);
  if (status == HS_OK)
    status = hs_nearest_point(list->count, K, &options, &list->delta, list->weights, &report);
  if (status == HS_OK) {
    combine(m, list, places, to);
    to[m->d + OUTCOME] = isinf(report.gap) ? FLAT : GOES_ON;
    list->tolerance = tolerance;
  }
  hs_free(K);
  hs_free(places);
  return status;
}

/* The next direction of an open gate of this rank. A list is solved to no more than a share of the gap that its gate has. */
static hs_status_t next_trial(margin_t *m, int open, double seconds, double *to)
{
  int gate = m->which[open], joined;
  list_t *list = &m->lists[gate];
  double least = SHARE * m->tolerance, gap = 1 - m->margins[gate] / m->bounds[gate];
  double tolerance = fmax(least, fmin(LOOSEST, LOOSE * gap));
  hs_status_t status = join(m, open, &joined);
  if (status != HS_OK) return status;
  if (joined == 0 && list->tolerance <= least) {
    to[m->d + OUTCOME] = STUCK;
    if (list->afresh) return HS_OK;
    list->afresh = true;
    list->delta = 0;
    memset(list->weights, 0, (size_t)list->count * sizeof *list->weights);
  }
  if (joined == 0 || m->shard->partition.rows <= m->buckets) tolerance = least; /* no other rows will come */
  return solve(m, list, tolerance, seconds, to);
}

/* New directions from all ranks: the open gates that go on stay. Collective. */
static void share_trials(margin_t *m)
{
  int64_t stride = m->d + TAIL, end = m->open * stride;
  int kept = 0;
  m->shared[end] = m->rank == 0 ? MPI_Wtime() - m->begin : 0;
  hs_sum(m->comm, m->shared, end + 1, m->traffic);
  m->late = m->max_seconds > 0 && m->shared[end] >= m->max_seconds;
  for (int i = 0; i < m->open; i++) {
    const double *from = m->shared + i * stride;
    int gate = m->which[i];
    m->stuck += from[m->d + OUTCOME] == STUCK;
    if (from[m->d + OUTCOME] != GOES_ON) continue;
    m->length[gate] = from[m->d + LENGTH];
    m->bounds[gate] = fmin(m->bounds[gate], m->length[gate]);
    memcpy(m->trial + (int64_t)kept * m->d, from, (size_t)m->d * sizeof *from);
    m->which[kept++] = gate;
  }
  m->open = kept;
}

/* New directions for the open gates. The time that is left is for one gate after the other: a few good directions are worth
 * more than many bad ones. Gates without time are closed. Collective. */
static hs_status_t next_trials(margin_t *m)
{
  hs_status_t status = HS_OK;
  memset(m->shared, 0, ((size_t)m->open * (size_t)(m->d + TAIL) + 1) * sizeof(double));
  for (int i = 0; i < m->open && status == HS_OK; i++) {
    if (m->which[i] % m->ranks != m->rank) continue;
    double left = m->max_seconds - (MPI_Wtime() - m->begin), *to = m->shared + (int64_t)i * (m->d + TAIL);
    if (m->max_seconds > 0 && left <= 0)
      to[m->d + OUTCOME] = STUCK;
    else
      status = next_trial(m, i, m->max_seconds > 0 ? left : 0, to);
  }
  status = hs_agree(m->comm, status);
  if (status == HS_OK) share_trials(m);
  return status;
}

static void begin_with_gates(margin_t *m, const double *G)
{
  m->open = m->gates;
  for (int i = 0; i < m->gates; i++) {
    const double *g = G + (int64_t)i * m->d;
    double length = sqrt(hs_vector_dot(m->d, g, g));
    for (int j = 0; j < m->d; j++) m->trial[(int64_t)i * m->d + j] = length > 0 ? g[j] / length : 0;
    m->which[i] = i;
    m->margins[i] = -INFINITY;
    m->bounds[i] = m->length[i] = m->lists[i].shrunk = INFINITY;
  }
  memcpy(m->E, m->trial, (size_t)m->gates * (size_t)m->d * sizeof *m->E);
}

static void write_report(const margin_t *m, hs_margin_report_t *report)
{
  for (int i = 0; i < m->gates; i++) {
    if (isinf(m->margins[i])) m->margins[i] = 0; /* no rows at all */
    report->flat += !(m->margins[i] > 0);
    if (m->margins[i] > 0) report->gap = fmax(report->gap, 1 - m->margins[i] / m->bounds[i]);
  }
  report->unsolved = m->open + m->stuck;
  report->seconds = MPI_Wtime() - m->begin;
}

hs_status_t hs_margin_directions(MPI_Comm comm, const hs_shard_t *shard, int gates, const double *G,
                                 const hs_margin_options_t *options, double *E, double *margins,
                                 hs_margin_report_t *report, hs_traffic_t *traffic)
{
  margin_t m = {.comm = comm, .shard = shard, .traffic = traffic, .d = shard->d, .gates = gates};
  m.E = E;
  m.margins = margins;
  m.begin = MPI_Wtime();
  m.tolerance = options->tolerance > 0 ? options->tolerance : TOLERANCE;
  m.max_seconds = options->max_seconds;
  m.rank = hs_rank(comm);
  m.ranks = hs_ranks(comm);
  m.buckets = m.d > LEAST_BUCKETS ? m.d : LEAST_BUCKETS;
  m.parts = hs_parts(shard->rows, HS_SLAB_ROWS, hs_threads());
  *report = (hs_margin_report_t){0};
  if (gates == 0) return HS_OK;
  hs_status_t status = margin_create(&m, G);
  if (status == HS_OK) begin_with_gates(&m, G);
  while (status == HS_OK && m.open > 0 && report->rounds < ROUNDS) {
    report->rounds++;
    scan(&m);
    status = judge_all(&m);
    if (m.late) break;
    if (status == HS_OK) status = next_trials(&m);
  }
  if (status == HS_OK) write_report(&m, report);
  margin_free(&m);
  return status;
}
