#include "masked/gram.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"
#include "masked/gram_private.h"
#include "masked/operator.h"

#undef I /* of complex.h, which cblas.h includes */

/* Rows that are sorted at a time: many, since every class of a chunk is folded once. */
#define MOST_CHUNK ((int64_t)1 << 20)

/* The rows of a slab stay in the nearest caches while they go through all groups. */
#define SLAB_BYTES 1.5e6
#define LEAST_SLAB 512

/* Rows that are handed to BLAS at a time. */
#define PIECE_BYTES 4e6

#define MOST_BITS 8
#define BUCKETS_BYTES 3e6
#define WIDE_BUCKETS_BYTES 128e6

/* Sizes that follow from those of the problem. */
static hs_masked_gram_t measure(int64_t rows, int d, int threads)
{
  hs_masked_gram_t gram = {.d = d, .threads = threads, .wide = d > HS_GRAM_WIDE};
  gram.sums = hs_gram_sums_choose();
  gram.side = (d + 7) / 8 * 8; /* of the widest vectors, so that sizes are the same everywhere */
  gram.stride = (size_t)gram.side * (size_t)gram.side + 8; /* not a power of two */
  gram.chunk = hs_max64(1, hs_min64(rows, MOST_CHUNK));
  double row = (double)gram.side * sizeof(double);
  gram.slab = (int)hs_min64(gram.chunk, hs_max64(LEAST_SLAB, (int64_t)(SLAB_BYTES / row)));
  if (gram.wide) gram.slab = (int)gram.chunk;
  gram.rooms = gram.wide ? 1 : threads;
  return gram;
}

/* Gates of a group, at most: their buckets are of bounded size, and worth their rows. */
static int most_bits(const hs_masked_gram_t *gram, int64_t rows)
{
  double bucket = (double)gram->stride * sizeof(double),
         most = gram->wide ? WIDE_BUCKETS_BYTES : BUCKETS_BYTES;
  int bits = 1;
  while (bits < MOST_BITS && bucket * (double)(2 << bits) <= most && (2 << bits) <= rows) bits++;
  return bits;
}

static int piece_rows(const hs_masked_gram_t *gram)
{
  double rows = PIECE_BYTES / ((double)gram->side * sizeof(double));
  return (int)hs_min64(gram->slab, hs_max64(64, (int64_t)rows));
}

static hs_status_t make_room(const hs_masked_gram_t *gram, hs_gram_room_t *room, int words, int bits)
{
  size_t chunk = (size_t)gram->chunk, slab = (size_t)gram->slab, side = (size_t)gram->side;
  size_t rows = gram->wide ? (size_t)piece_rows(gram) : slab;
  const char *what = "sums of the Gram matrix";
  room->keys = hs_alloc(chunk, sizeof *room->keys, what);
  room->by_class = hs_alloc(chunk, sizeof *room->by_class, what);
  room->masks = hs_alloc(slab * (size_t)words, sizeof *room->masks, what);
  room->run = hs_alloc(slab, sizeof *room->run, what);
  room->x = hs_alloc(rows * side, sizeof *room->x, what);
  room->w = hs_alloc(gram->wide ? 0 : rows * side, sizeof *room->w, what);
  room->buckets = hs_alloc(gram->stride << bits, sizeof *room->buckets, what);
  bool good = room->keys != NULL && room->by_class != NULL && room->masks != NULL && room->run != NULL;
  return good && room->x != NULL && room->w != NULL && room->buckets != NULL ? HS_OK : HS_NO_MEMORY;
}

static void free_room(hs_gram_room_t *room)
{
  hs_free(room->keys);
  hs_free(room->by_class);
  hs_free(room->masks);
  hs_free(room->run);
  hs_free(room->x);
  hs_free(room->w);
  hs_free(room->buckets);
}

hs_status_t hs_masked_gram_create(hs_masked_gram_t **out, const hs_masked_t *op)
{
  *out = NULL;
  hs_masked_gram_t *gram = hs_alloc(1, sizeof *gram, "Gram matrix");
  if (gram == NULL) return HS_NO_MEMORY;
  *gram = measure(op->rows, op->d, op->threads);
  gram->masks = op->masks;
  gram->X = op->X;
  gram->precision = op->precision;
  hs_status_t status = hs_gram_plan_create(&gram->plan, op->masks->gates, gram->rooms);
  gram->room = hs_alloc((size_t)gram->rooms, sizeof *gram->room, "Gram matrix");
  if (gram->room == NULL) status = HS_NO_MEMORY;
  int bits = most_bits(gram, op->rows);
  for (int room = 0; room < gram->rooms && status == HS_OK; room++)
    status = make_room(gram, &gram->room[room], op->masks->words, bits);
  if (status != HS_OK) hs_masked_gram_free(&gram);
  *out = gram;
  return status;
}

void hs_masked_gram_free(hs_masked_gram_t **out)
{
  hs_masked_gram_t *gram = *out;
  if (gram == NULL) return;
  for (int room = 0; gram->room != NULL && room < gram->rooms; room++) free_room(&gram->room[room]);
  hs_free(gram->room);
  hs_gram_plan_free(&gram->plan);
  hs_free(gram);
  *out = NULL;
}

/* A block, and what is done for it. */
typedef struct job {
  hs_masked_gram_t *gram;
  const double *lambda;
  int64_t i0, j0;
  int rows, columns, ld;
  double *block;
  int64_t first; /* of the chunk */
  int count;
} job_t;

static int clip(int64_t value, int most)
{
  return value < 0 ? 0 : value > most ? most : (int)value;
}

/* Part of the block that belongs to gates i and j += sum, which is symmetric and full. */
static void add_pair(const job_t *job, int i, int j, const double *sum)
{
  int d = job->gram->d, side = job->gram->side;
  int64_t top = (int64_t)i * d - job->i0, left = (int64_t)j * d - job->j0;
  int first = clip(top, job->rows), end = clip(top + d, job->rows);
  int column = clip(left, job->columns), columns_end = clip(left + d, job->columns);
  for (; column < columns_end; column++) {
    const double *from = sum + (column - left) * side - top;
    double *to = job->block + (size_t)column * (size_t)job->ld;
    for (int row = first; row < end; row++) to[row] += from[row];
  }
}

/* The lower triangle from the upper. */
static void mirror(int d, int side, double *sum)
{
  for (int a = 1; a < d; a++)
    for (int b = 0; b < a; b++) sum[a * side + b] = sum[b * side + a];
}

/* The bits of a group in a mask row whose words are `step` apart. */
static inline unsigned pattern_of(const uint64_t *words, size_t step, int first, int end)
{
  const uint64_t *word = words + (size_t)(first / 64) * step;
  uint64_t bits = *word >> (first % 64);
  if (first / 64 != (end - 1) / 64) bits |= word[step] << (64 - first % 64);
  return (unsigned)(bits & ((1U << (end - first)) - 1));
}

/* Counting sort: start[p] .. start[p + 1] - 1 are the places of the rows with key p. */
static void find_starts(const uint8_t *keys, int count, int patterns, int *start)
{
  memset(start, 0, (size_t)(patterns + 1) * sizeof *start);
  for (int k = 0; k < count; k++) start[keys[k] + 1]++;
  for (int pattern = 0; pattern < patterns; pattern++) start[pattern + 1] += start[pattern];
}

/* The rows of the chunk in the order of their patterns in one group. */
static void sort_chunk(const job_t *job, const hs_gram_group_t *group, hs_gram_room_t *room, int *start)
{
  const hs_masks_t *masks = job->gram->masks;
  const uint64_t *words = masks->bits + job->first * masks->words;
  for (int k = 0; k < job->count; k++, words += masks->words)
    room->keys[k] = (uint8_t)pattern_of(words, 1, group->first, group->end);
  find_starts(room->keys, job->count, 1 << (group->end - group->first), start);
  int next[1 << MOST_BITS];
  memcpy(next, start, sizeof next);
  for (int k = 0; k < job->count; k++) room->by_class[next[room->keys[k]]++] = (uint32_t)k;
}

static void copy_features(const hs_masked_gram_t *gram, int64_t row, double *to)
{
  if (gram->precision == HS_DOUBLE) {
    memcpy(to, (const double *)gram->X + row * gram->d, (size_t)gram->d * sizeof *to);
    return;
  }
  const float *x = (const float *)gram->X + row * gram->d;
  for (int a = 0; a < gram->d; a++) to[a] = (double)x[a];
}

#define AHEAD 16

static void prefetch_row(const hs_masked_gram_t *gram, int64_t row)
{
  size_t bytes = (size_t)gram->d * hs_precision_bytes(gram->precision);
  const char *x = (const char *)gram->X + (size_t)row * bytes;
  for (size_t at = 0; at < bytes + 63; at += 64) __builtin_prefetch(x + at);
  __builtin_prefetch(gram->masks->bits + row * gram->masks->words);
}

/* What all pairs need of the rows of a slab. */
static void fill_slab(const job_t *job, hs_gram_room_t *room, const uint32_t *rows, int count)
{
  const hs_masked_gram_t *gram = job->gram;
  int words = gram->masks->words, side = gram->side;
  for (int k = 0; k < count; k++) {
    int64_t row = job->first + rows[k];
    if (k + AHEAD < count && !gram->wide) prefetch_row(gram, job->first + rows[k + AHEAD]);
    for (int word = 0; word < words; word++)
      room->masks[(size_t)word * (size_t)gram->slab + (size_t)k] = gram->masks->bits[row * words + word];
    if (gram->wide) continue;
    double *x = room->x + (size_t)k * (size_t)side, *w = room->w + (size_t)k * (size_t)side;
    copy_features(gram, row, x);
    if (job->lambda == NULL) continue;
    for (int a = 0; a < gram->d; a++) w[a] = job->lambda[row] * x[a];
  }
}

/* The rows of a slab in the order of their patterns in one group: what `sum_run` wants to know of them. */
static void sort_slab(const job_t *job, const hs_gram_group_t *group, hs_gram_room_t *room,
                      const uint32_t *rows, int count, int *start)
{
  const hs_masked_gram_t *gram = job->gram;
  for (int k = 0; k < count; k++)
    room->keys[k] = (uint8_t)pattern_of(room->masks + k, (size_t)gram->slab, group->first, group->end);
  find_starts(room->keys, count, 1 << (group->end - group->first), start);
  int next[1 << MOST_BITS];
  memcpy(next, start, sizeof next);
  if (gram->wide)
    for (int k = 0; k < count; k++) room->run[next[room->keys[k]]++] = rows[k];
  else
    for (int k = 0; k < count; k++) room->run[next[room->keys[k]]++] = (uint32_t)(k * gram->side);
}

/* One sign of the weights: bucket += sign * sum of |lambda_k| x_k x_k' over the rows of the run that have it. Weights
 * of 0 count as positive. */
static void add_sign(const job_t *job, hs_gram_room_t *room, const uint32_t *rows, int count, double sign,
                     double *bucket)
{
  const hs_masked_gram_t *gram = job->gram;
  int piece = piece_rows(gram), filled = 0, side = gram->side;
  for (int k = 0; k < count; k++) {
    int64_t row = job->first + rows[k];
    double lambda = job->lambda == NULL ? 1 : job->lambda[row];
    if ((lambda < 0) != (sign < 0)) continue;
    double *x = room->x + (size_t)filled++ * (size_t)side, root = sqrt(fabs(lambda));
    copy_features(gram, row, x);
    if (job->lambda != NULL)
      for (int a = 0; a < gram->d; a++) x[a] *= root;
    if (filled < piece) continue;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, gram->d, filled, sign, room->x, side, 1, bucket, side);
    filled = 0;
  }
  if (filled > 0)
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, gram->d, filled, sign, room->x, side, 1, bucket, side);
}

static void sum_run(const job_t *job, hs_gram_room_t *room, const uint32_t *run, int count, double *bucket)
{
  const hs_masked_gram_t *gram = job->gram;
  if (!gram->wide) {
    gram->sums.sum(room->x, job->lambda == NULL ? room->x : room->w, run, count, gram->side, bucket);
    return;
  }
  memset(bucket, 0, gram->stride * sizeof *bucket);
  if (count == 0) return;
  add_sign(job, room, run, count, 1, bucket);
  if (job->lambda != NULL) add_sign(job, room, run, count, -1, bucket);
}

/* A sum over the rows with one pattern in the row group: its share in the gates of that pattern. */
static void add_to_gates(const job_t *job, const hs_gram_group_t *group, unsigned pattern, int j, double *sum)
{
  mirror(job->gram->d, job->gram->side, sum);
  for (int i = group->first; i < group->end; i++)
    if (pattern >> (i - group->first) & 1 && i >= j) add_pair(job, i, j, sum);
}

/* The pairs of gates within a group, for the rows with one pattern in it. */
static void add_within(const job_t *job, const hs_gram_group_t *group, unsigned pattern, double *sum)
{
  for (int j = group->first; j < group->end; j++)
    if (pattern >> (j - group->first) & 1) add_to_gates(job, group, pattern, j, sum);
}

static void fold(const hs_masked_gram_t *gram, double *buckets, int half, int start)
{
  if (!gram->wide || gram->threads == 1) {
    gram->sums.fold(buckets, gram->stride, half, start, 0, gram->d, gram->side);
    return;
  }
  int parts = 8 * gram->threads;
#pragma omp parallel for schedule(dynamic, 1) num_threads(gram->threads)
  for (int part = 0; part < parts; part++)
    gram->sums.fold(buckets, gram->stride, half, start, (int)hs_part_first(gram->d, parts, part),
                    (int)hs_part_first(gram->d, parts, part + 1), gram->side);
}

/* A pair of groups on a slab of rows with one pattern in the row group.
 *   totals  the sum over all these rows is wanted, for the pairs within the row group */
static void add_group_pair(const job_t *job, hs_gram_room_t *room, const hs_gram_group_t *row_group,
                           unsigned pattern, const hs_gram_group_t *column_group, const uint32_t *rows,
                           int count, bool totals)
{
  const hs_masked_gram_t *gram = job->gram;
  int bits = column_group->end - column_group->first, start[(1 << MOST_BITS) + 1];
  sort_slab(job, column_group, room, rows, count, start);
  for (int p = totals ? 0 : 1; p < 1 << bits; p++)
    sum_run(job, room, room->run + start[p], start[p + 1] - start[p],
            room->buckets + (size_t)p * gram->stride);
  for (int bit = bits - 1; bit >= 0; bit--) {
    fold(gram, room->buckets, 1 << bit, totals ? 0 : 1);
    add_to_gates(job, row_group, pattern, column_group->first + bit, room->buckets + (gram->stride << bit));
  }
  if (totals) add_within(job, row_group, pattern, room->buckets);
}

/* The pairs within a group that has no partner. */
static void add_alone(const job_t *job, hs_gram_room_t *room, const hs_gram_group_t *group, unsigned pattern,
                      const uint32_t *rows, int count)
{
  if (job->gram->wide) {
    memcpy(room->run, rows, (size_t)count * sizeof *rows);
  } else {
    for (int k = 0; k < count; k++) room->run[k] = (uint32_t)(k * job->gram->side);
  }
  sum_run(job, room, room->run, count, room->buckets);
  add_within(job, group, pattern, room->buckets);
}

/* The first group of columns that is a partner of the group, which then also gives its totals; -1: there is none. */
static int first_partner(const hs_gram_plan_t *plan, int group)
{
  for (int other = 0; other < group; other++)
    if (plan->groups[other].in_columns) return other;
  return -1;
}

static void do_slab(const job_t *job, const hs_gram_unit_t *unit, hs_gram_room_t *room, unsigned pattern,
                    const uint32_t *rows, int count)
{
  const hs_gram_plan_t *plan = &job->gram->plan;
  const hs_gram_group_t *own = &plan->groups[unit->group];
  int partner = first_partner(plan, unit->group);
  fill_slab(job, room, rows, count);
  for (int group = unit->first; group < unit->end; group++) {
    const hs_gram_group_t *other = &plan->groups[group];
    if (!other->in_columns) continue;
    if (group < unit->group)
      add_group_pair(job, room, own, pattern, other, rows, count, own->in_columns && group == partner);
    else if (partner < 0)
      add_alone(job, room, own, pattern, rows, count);
  }
}

static void do_unit(const job_t *job, const hs_gram_unit_t *unit, hs_gram_room_t *room)
{
  const hs_masked_gram_t *gram = job->gram;
  const hs_gram_group_t *group = &gram->plan.groups[unit->group];
  int start[(1 << MOST_BITS) + 1];
  sort_chunk(job, group, room, start);
  for (unsigned pattern = 1; pattern < 1U << (group->end - group->first); pattern++)
    for (int first = start[pattern]; first < start[pattern + 1]; first += gram->slab)
      do_slab(job, unit, room, pattern, room->by_class + first,
              (int)hs_min64(gram->slab, start[pattern + 1] - first));
}

static void do_chunk(const job_t *job)
{
  const hs_masked_gram_t *gram = job->gram;
  const hs_gram_unit_t *units = gram->plan.units;
  int count = gram->plan.units_count;
  if (gram->rooms == 1) { /* not a loop of one thread: BLAS would be confined to it */
    for (int unit = 0; unit < count; unit++) do_unit(job, &units[unit], &gram->room[0]);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(gram->rooms)
  for (int unit = 0; unit < count; unit++) do_unit(job, &units[unit], &gram->room[hs_thread()]);
}

void hs_masked_gram_block(hs_masked_gram_t *gram, const double *lambda, int64_t i0, int rows, int64_t j0,
                          int columns, double *block, int ld)
{
  if (rows <= 0 || columns <= 0) return;
  for (int column = 0; column < columns; column++)
    memset(block + (size_t)column * (size_t)ld, 0, (size_t)rows * sizeof *block);
  job_t job = {gram, lambda, i0, j0, rows, columns, ld, block, 0, 0};
  int64_t d = gram->d, n = gram->masks->rows;
  hs_gram_range_t range = {(int)(i0 / d), (int)((i0 + rows - 1) / d) + 1, (int)(j0 / d),
                           (int)((j0 + columns - 1) / d) + 1};
  if (range.row < range.column) range.row = range.column;
  if (range.column_end > range.row_end) range.column_end = range.row_end;
  if (range.row >= range.row_end || n == 0) return;
  hs_gram_costs_t costs = {n, gram->chunk, most_bits(gram, n), 6, 8};
  hs_gram_plan_make(&gram->plan, range, &costs, gram->rooms);
  for (job.first = 0; job.first < n; job.first += gram->chunk) {
    job.count = (int)hs_min64(gram->chunk, n - job.first);
    do_chunk(&job);
  }
}

size_t hs_masked_gram_bytes(int64_t rows, int d, int gates)
{
  hs_masked_gram_t gram = measure(rows, d, hs_threads());
  size_t chunk = (size_t)gram.chunk, slab = (size_t)gram.slab, side = (size_t)gram.side;
  size_t of_rows = gram.wide ? (size_t)piece_rows(&gram) * side : 2 * slab * side;
  size_t room = chunk * 5 + slab * (4 + 8 * (((size_t)gates + 63) / 64)) +
                (of_rows + (gram.stride << most_bits(&gram, rows))) * sizeof(double);
  return sizeof gram + hs_gram_plan_bytes(gates, gram.rooms) +
         (size_t)gram.rooms * (sizeof(hs_gram_room_t) + room);
}
