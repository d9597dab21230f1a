#include "mpi/polish/gram.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "mpi/comm/agree.h"

/* Rows expanded at a time: a piece of about this many bytes. */
#define PIECE_BYTES 4e6
#define LEAST_ROWS 32

hs_status_t hs_gram_create(hs_gram_t *gram, const hs_problem_t *problem, const hs_masks_t *masks)
{
  *gram = (hs_gram_t){.problem = problem, .masks = masks};
  gram->place = hs_alloc((size_t)problem->gates, sizeof *gram->place, "list of gates");
  gram->gates = hs_alloc((size_t)problem->gates, sizeof *gram->gates, "list of gates");
  return gram->place != NULL && gram->gates != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_gram_free(hs_gram_t *gram)
{
  hs_free(gram->place);
  hs_free(gram->gates);
  hs_free(gram->values);
  hs_free(gram->expanded);
  hs_free(gram->weighted);
  *gram = (hs_gram_t){0};
}

static int count_blocks(const hs_problem_t *problem)
{
  int C = problem->outputs;
  if (problem->loss.kind == HS_SQUARED) return 1;
  return problem->loss.kind == HS_SOFTMAX ? C * (C + 1) / 2 : C;
}

double hs_gram_size(const hs_problem_t *problem, int gates)
{
  double side = (double)gates * problem->d;
  return side * side * count_blocks(problem);
}

/* Number of the block of outputs c >= e; -1: it is zero. */
static int block_number(const hs_gram_t *gram, int c, int e)
{
  hs_loss_kind_t kind = gram->problem->loss.kind;
  if (gram->mean) return c == e ? 0 : -1;
  if (kind == HS_SOFTMAX) return c * (c + 1) / 2 + e;
  if (c != e) return -1;
  return kind == HS_SQUARED ? 0 : c;
}

const double *hs_gram_block(const hs_gram_t *gram, int c, int e)
{
  int number = c >= e ? block_number(gram, c, e) : block_number(gram, e, c);
  return number < 0 ? NULL : gram->values + number * gram->side * gram->side;
}

static void list_gates(hs_gram_t *gram, const bool *marked, bool mean)
{
  gram->mean = mean;
  gram->count = 0;
  for (int i = 0; i < gram->problem->gates; i++) {
    gram->place[i] = marked[i] ? gram->count : -1;
    if (marked[i]) gram->gates[gram->count++] = i;
  }
  gram->side = (int64_t)gram->count * gram->problem->d;
  gram->blocks = mean ? 1 : count_blocks(gram->problem);
}

static bool holds(const hs_gram_t *gram, const bool *marked)
{
  if (gram->count == 0) return false;
  for (int i = 0; i < gram->problem->gates; i++)
    if (marked[i] && gram->place[i] < 0) return false;
  return true;
}

static hs_status_t enlarge(double **values, int64_t *room, int64_t wanted, const char *what)
{
  if (wanted <= *room) return HS_OK;
  hs_free(*values);
  *room = 0;
  *values = hs_alloc((size_t)wanted, sizeof(double), what);
  if (*values == NULL) return HS_NO_MEMORY;
  *room = wanted;
  return HS_OK;
}

static int64_t piece_rows(const hs_gram_t *gram)
{
  int64_t rows = (int64_t)(PIECE_BYTES / (8 * (double)hs_max64(1, gram->side)));
  return hs_max64(1, hs_min64(gram->problem->rows, hs_max64(LEAST_ROWS, rows)));
}

static hs_status_t make_room(hs_gram_t *gram)
{
  int64_t piece = piece_rows(gram) * gram->side, before = gram->piece_room;
  hs_status_t status = enlarge(&gram->values, &gram->room, gram->blocks * gram->side * gram->side,
                               "Hessian of the active gates");
  if (status == HS_OK) status = enlarge(&gram->expanded, &gram->piece_room, piece, "rows of active gates");
  if (status == HS_OK) status = enlarge(&gram->weighted, &before, piece, "rows of active gates");
  return status;
}

static void copy_row(const hs_gram_t *gram, int64_t row, double *out)
{
  int d = gram->problem->d;
  const hs_shard_t *shard = gram->problem->shard;
  if (shard->precision == HS_DOUBLE) {
    memcpy(out, (const double *)shard->X + row * d, (size_t)d * sizeof *out);
    return;
  }
  const float *x = (const float *)shard->X + row * d;
  for (int j = 0; j < d; j++) out[j] = (double)x[j];
}

/* Rows first .. first+rows-1 of A_S, rows x N row-major. */
static void expand(hs_gram_t *gram, int64_t first, int64_t rows)
{
  size_t d = (size_t)gram->problem->d;
  for (int64_t k = 0; k < rows; k++) {
    double *row = gram->expanded + k * gram->side, *x = gram->weighted;
    copy_row(gram, first + k, x);
    for (int t = 0; t < gram->count; t++, row += d) {
      if (hs_mask_bit(gram->masks, first + k, gram->gates[t]))
        memcpy(row, x, d * sizeof *row);
      else
        memset(row, 0, d * sizeof *row);
    }
  }
}

/* G += E' E, the lower triangle (of the column-major matrix) */
static void add_square(int64_t rows, int64_t side, const double *E, double *G)
{
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)side, (int)rows, 1, E, (int)side, 1, G, (int)side);
}

static double element(const hs_gram_t *gram, const hs_curvature_t *curvature, int64_t row, int c, int e)
{
  if (!gram->mean) return hs_curvature_element(curvature, row, c, e);
  double sum = 0;
  for (int o = 0; o < gram->problem->outputs; o++) sum += hs_curvature_element(curvature, row, o, o);
  return sum / gram->problem->outputs;
}

static void weigh(const hs_gram_t *gram, const hs_curvature_t *curvature, int64_t first, int64_t rows, int c, int e)
{
  for (int64_t k = 0; k < rows; k++) {
    double weight = element(gram, curvature, first + k, c, e);
    if (c == e) weight = sqrt(weight);
    const double *from = gram->expanded + k * gram->side;
    double *to = gram->weighted + k * gram->side;
    for (int64_t l = 0; l < gram->side; l++) to[l] = weight * from[l];
  }
}

static void add_rows(hs_gram_t *gram, const hs_curvature_t *curvature, int64_t first, int64_t rows)
{
  int C = gram->problem->outputs, side = (int)gram->side;
  expand(gram, first, rows);
  if (hs_curvature_is_one(curvature)) {
    add_square(rows, side, gram->expanded, gram->values);
    return;
  }
  for (int c = 0; c < (gram->mean ? 1 : C); c++)
    for (int e = 0; e <= c; e++) {
      int number = block_number(gram, c, e);
      if (number < 0) continue;
      double *G = gram->values + number * gram->side * gram->side;
      weigh(gram, curvature, first, rows, c, e);
      if (c == e)
        add_square(rows, side, gram->weighted, G);
      else
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, side, side, (int)rows, 1, gram->expanded, side,
                    gram->weighted, side, 1, G, side);
    }
}

/* Row l of the triangle is its elements l .. N-1: only they are sent. */
static void pack(hs_gram_t *gram)
{
  int64_t N = gram->side;
  double *to = gram->values;
  for (int64_t row = 0; row < gram->blocks * N; row++) {
    int64_t l = row % N;
    memmove(to, gram->values + row * N + l, (size_t)(N - l) * sizeof *to);
    to += N - l;
  }
}

static void unpack(hs_gram_t *gram)
{
  int64_t N = gram->side;
  double *from = gram->values + gram->blocks * (N * (N + 1) / 2);
  for (int64_t row = gram->blocks * N - 1; row >= 0; row--) {
    int64_t l = row % N;
    from -= N - l;
    memmove(gram->values + row * N + l, from, (size_t)(N - l) * sizeof *from);
  }
  for (int64_t b = 0; b < gram->blocks; b++) {
    double *G = gram->values + b * N * N;
    for (int64_t l = 0; l < N; l++)
      for (int64_t k = 0; k < l; k++) G[l * N + k] = G[k * N + l];
  }
}

hs_status_t hs_gram_make(hs_gram_t *gram, const bool *marked, const hs_curvature_t *curvature, bool mean,
                         hs_traffic_t *traffic)
{
  const hs_problem_t *problem = gram->problem;
  if (hs_curvature_is_one(curvature) && holds(gram, marked)) return HS_OK;
  list_gates(gram, marked, mean);
  hs_status_t status = hs_agree(problem->comm, make_room(gram));
  if (status != HS_OK) {
    gram->count = 0;
    return status;
  }
  memset(gram->values, 0, (size_t)(gram->blocks * gram->side * gram->side) * sizeof(double));
  int64_t piece = piece_rows(gram);
  for (int64_t first = 0; first < problem->rows; first += piece)
    add_rows(gram, curvature, first, hs_min64(piece, problem->rows - first));
  pack(gram);
  hs_sum(problem->comm, gram->values, gram->blocks * (gram->side * (gram->side + 1) / 2), traffic);
  unpack(gram);
  return HS_OK;
}
