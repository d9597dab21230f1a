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

#define ROUNDS 100
#define TOLERANCE 1e-8 /* relative violation of rows that are left out */
#define FLAT 1e-10     /* |p| below this share of the longest row: the hull holds 0 */
#define BUCKETS 8      /* rows k = b modulo BUCKETS, of all ranks, have a most violated one each */

/* A candidate row: value s x'e, number of the row, s x (d numbers). */
#define VALUE 0
#define ROW 1
#define HEAD 2

typedef struct margin {
  MPI_Comm comm;
  const hs_shard_t *shard;
  hs_masks_t masks;
  hs_traffic_t *traffic;
  int d, gates, stuck, open, *which; /* gates that are still searched for */
  hs_nearest_point_t *hulls;         /* gates */
  double *E, *margins;               /* the best direction of each gate and its margin */
  double *trial;                     /* open x d: directions to be tried */
  double *candidates;                /* open x BUCKETS x (HEAD + d) */
  double *best;                      /* parts x open x BUCKETS x HEAD */
  double *products, *rows;           /* parts x SLAB x open; parts x SLAB x d */
  double *longest;                   /* gates: |z| of the longest row in the list */
  int parts;
} margin_t;

static hs_status_t margin_create(margin_t *m, const double *G)
{
  size_t gates = (size_t)m->gates, d = (size_t)m->d, parts = (size_t)m->parts, slab = HS_SLAB_ROWS;
  m->which = hs_alloc(gates, sizeof(int), "gates");
  m->hulls = hs_alloc(gates, sizeof *m->hulls, "margins");
  m->trial = hs_alloc(gates * d, sizeof(double), "margins");
  m->candidates = hs_alloc(gates * BUCKETS * (HEAD + d), sizeof(double), "margins");
  m->best = hs_alloc(parts * gates * BUCKETS * HEAD, sizeof(double), "margins");
  m->products = hs_alloc(parts * slab * gates, sizeof(double), "margins");
  m->rows = hs_alloc(parts * slab * d, sizeof(double), "rows");
  m->longest = hs_alloc(gates, sizeof(double), "margins");
  bool good =
      m->which && m->hulls && m->trial && m->candidates && m->best && m->products && m->rows && m->longest;
  hs_status_t status = good ? HS_OK : HS_NO_MEMORY;
  for (int i = 0; i < m->gates && status == HS_OK; i++) status = hs_nearest_point_create(&m->hulls[i], m->d);
  if (status == HS_OK)
    status = hs_masks_create(&m->masks, m->shard->precision, m->shard->rows, m->d, m->shard->X, m->gates, G);
  return hs_agree(m->comm, status);
}

static void margin_free(margin_t *m)
{
  for (int i = 0; i < m->gates && m->hulls != NULL; i++) hs_nearest_point_free(&m->hulls[i]);
  hs_free(m->which);
  hs_free(m->hulls);
  hs_free(m->trial);
  hs_free(m->candidates);
  hs_free(m->best);
  hs_free(m->products);
  hs_free(m->rows);
  hs_free(m->longest);
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
    double *of_bucket = best + row % BUCKETS * HEAD;
    for (int i = 0; i < open; i++) {
      double value = products[(int64_t)k * open + i], *top = of_bucket + (int64_t)i * BUCKETS * HEAD;
      if (!hs_mask_bit(&m->masks, first + k, m->which[i])) value = -value;
      if (!(value < top[VALUE]) || (value == 0 && is_zero(d, x + (int64_t)k * d))) continue;
      top[VALUE] = value;
      top[ROW] = (double)row;
    }
  }
}

static void scan_part(const margin_t *m, int part)
{
  int64_t rows = m->shard->rows, slabs = (rows + HS_SLAB_ROWS - 1) / HS_SLAB_ROWS;
  double *best = m->best + (int64_t)part * m->open * BUCKETS * HEAD;
  double *products = m->products + (int64_t)part * HS_SLAB_ROWS * m->open;
  double *buffer = m->rows + (int64_t)part * HS_SLAB_ROWS * m->d;
  for (int e = 0; e < m->open * BUCKETS; e++) {
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

/* The candidate of a gate and bucket among the rows of this rank. */
static void fill_candidate(const margin_t *m, int gate, int bucket)
{
  int64_t slot = (int64_t)gate * BUCKETS + bucket, stride = (int64_t)m->open * BUCKETS * HEAD;
  double *candidate = m->candidates + slot * (HEAD + m->d);
  memset(candidate, 0, (size_t)(HEAD + m->d) * sizeof *candidate);
  memcpy(candidate, m->best + slot * HEAD, HEAD * sizeof *candidate);
  for (int part = 1; part < m->parts; part++) {
    const double *other = m->best + part * stride + slot * HEAD;
    if (before(other, candidate)) memcpy(candidate, other, HEAD * sizeof *candidate);
  }
  if (isinf(candidate[ROW])) return;
  int64_t row = (int64_t)candidate[ROW] - m->shard->row0;
  const double *x = hs_slab(m->shard, row, 1, m->rows);
  double sign = hs_mask_bit(&m->masks, row, m->which[gate]) ? 1 : -1;
  for (int j = 0; j < m->d; j++) candidate[HEAD + j] = sign * x[j];
}

/* The operation of the reduction: of two candidates the one that comes before. */
static void pick(void *in, void *inout, int *count, MPI_Datatype *type)
{
  int bytes = 0;
  MPI_Type_size(*type, &bytes);
  size_t numbers = (size_t)bytes / sizeof(double);
  double *a = in, *b = inout;
  for (int k = 0; k < *count; k++, a += numbers, b += numbers)
    if (before(a, b)) memcpy(b, a, (size_t)bytes);
}

/* Candidates of all ranks. Collective. */
static void reduce(margin_t *m)
{
  MPI_Datatype candidate;
  MPI_Op first;
  double begin = MPI_Wtime();
  HS_MPI(MPI_Type_contiguous(HEAD + m->d, MPI_DOUBLE, &candidate));
  HS_MPI(MPI_Type_commit(&candidate));
  HS_MPI(MPI_Op_create(pick, 1, &first));
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, m->candidates, m->open * BUCKETS, candidate, first, m->comm));
  HS_MPI(MPI_Op_free(&first));
  HS_MPI(MPI_Type_free(&candidate));
  m->traffic->seconds += MPI_Wtime() - begin;
  m->traffic->bytes += (double)m->open * BUCKETS * (HEAD + m->d) * (double)sizeof(double);
  m->traffic->calls++;
}

static void scan(margin_t *m)
{
#pragma omp parallel for schedule(static, 1) num_threads(m->parts)
  for (int part = 0; part < m->parts; part++) scan_part(m, part);
  for (int i = 0; i < m->open; i++)
    for (int b = 0; b < BUCKETS; b++) fill_candidate(m, i, b);
  reduce(m);
}

/* What the scan says about the trial direction of an open gate. *done: nothing is left to be gained. */
static hs_status_t judge(margin_t *m, int open, bool *done)
{
  int gate = m->which[open], d = m->d;
  hs_nearest_point_t *hull = &m->hulls[gate];
  const double *candidates = m->candidates + (int64_t)open * BUCKETS * (HEAD + d);
  double *e = m->trial + (int64_t)open * d;
  double length = sqrt(hs_vector_dot(d, hull->p, hull->p)), margin = INFINITY;
  hs_status_t status = HS_OK;
  for (int b = 0; b < BUCKETS; b++) margin = fmin(margin, candidates[b * (HEAD + d) + VALUE]);
  if (margin > m->margins[gate] && isfinite(margin)) {
    m->margins[gate] = margin;
    memcpy(m->E + (int64_t)gate * d, e, (size_t)d * sizeof *e);
  }
  /* |p| is what no direction exceeds: p lies in the hull of some of the rows. */
  double enough = hull->count > 0 ? (1 - TOLERANCE) * length : INFINITY;
  *done = margin >= enough;
  if (hull->count > 4 * (d + BUCKETS)) hs_nearest_point_shrink(hull);
  for (int b = 0; b < BUCKETS && !*done && status == HS_OK; b++) {
    const double *candidate = candidates + b * (HEAD + d);
    if (!(candidate[VALUE] < enough)) continue;
    status = hs_nearest_point_add(hull, candidate + HEAD);
    m->longest[gate] = fmax(m->longest[gate], hs_vector_dot(d, candidate + HEAD, candidate + HEAD));
  }
  return status;
}

/* The next trial direction. *flat: there is none, since 0 lies in the hull. *stuck: the new rows have not moved p, which
 * is as good as rounding allows. */
static hs_status_t next_trial(margin_t *m, int open, bool *flat, bool *stuck)
{
  int gate = m->which[open];
  hs_nearest_point_t *hull = &m->hulls[gate];
  double before = hull->count > BUCKETS ? hs_vector_dot(m->d, hull->p, hull->p) : INFINITY;
  hs_status_t status = hs_nearest_point_solve(hull, TOLERANCE / 100);
  double square = hs_vector_dot(m->d, hull->p, hull->p), length = sqrt(square);
  *flat = !(length > FLAT * sqrt(m->longest[gate]));
  *stuck = !(square < before);
  for (int j = 0; j < m->d && !*flat; j++) m->trial[(int64_t)open * m->d + j] = hull->p[j] / length;
  return status;
}

/* A round: scan, then new directions for the gates that are not done. Collective. */
static hs_status_t go_round(margin_t *m)
{
  hs_status_t status = HS_OK;
  int kept = 0;
  scan(m);
  for (int i = 0; i < m->open && status == HS_OK; i++) {
    bool done, flat = false, stuck = false;
    status = judge(m, i, &done);
    if (status == HS_OK && !done) status = next_trial(m, i, &flat, &stuck);
    if (stuck && !flat) m->stuck++;
    if (done || flat || stuck) continue;
    memmove(m->trial + (int64_t)kept * m->d, m->trial + (int64_t)i * m->d, (size_t)m->d * sizeof(double));
    m->which[kept++] = m->which[i];
  }
  m->open = kept;
  return hs_agree(m->comm, status);
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
  }
  memcpy(m->E, m->trial, (size_t)m->gates * (size_t)m->d * sizeof *m->E);
}

hs_status_t hs_margin_directions(MPI_Comm comm, const hs_shard_t *shard, int gates, const double *G,
                                 double *E, double *margins, hs_margin_report_t *report,
                                 hs_traffic_t *traffic)
{
  margin_t m = {.comm = comm, .shard = shard, .traffic = traffic, .d = shard->d, .gates = gates};
  m.E = E;
  m.margins = margins;
  m.parts = hs_parts(shard->rows, HS_SLAB_ROWS, hs_threads());
  *report = (hs_margin_report_t){0};
  if (gates == 0) return HS_OK;
  hs_status_t status = margin_create(&m, G);
  if (status == HS_OK) begin_with_gates(&m, G);
  for (; status == HS_OK && m.open > 0 && report->rounds < ROUNDS; report->rounds++) status = go_round(&m);
  for (int i = 0; i < gates && status == HS_OK; i++) {
    if (isinf(margins[i])) margins[i] = 0; /* no rows at all */
    report->flat += !(margins[i] > 0);
  }
  report->unsolved = m.open + m.stuck;
  margin_free(&m);
  return status;
}
