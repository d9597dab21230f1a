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

hs_status_t hs_gram_create(hs_gram_t *gram, const hs_problem_t *problem)
{
  *gram = (hs_gram_t){.problem = problem};
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

int hs_gram_blocks(const hs_problem_t *problem)
{
  int C = problem->outputs;
  if (problem->loss.kind == HS_SQUARED) return 1;
  return problem->loss.kind == HS_SOFTMAX ? C * (C + 1) / 2 : C;
}

/* Number of the block of outputs c >= e; -1: it is zero. */
static int block_number(const hs_gram_t *gram, int c, int e)
{
  hs_loss_kind_t kind = gram->problem->loss.kind;
  if (kind == HS_SOFTMAX) return c * (c + 1) / 2 + e;
  if (c != e) return -1;
  return kind == HS_SQUARED ? 0 : c;
}

const double *hs_gram_block(const hs_gram_t *gram, int c, int e)
{
  int number = c >= e ? block_number(gram, c, e) : block_number(gram, e, c);
  return number < 0 ? NULL : gram->values + number * gram->side * gram->side;
}

bool hs_gram_has(const hs_gram_t *gram, const bool *marked)
{
  if (gram->problem->loss.kind != HS_SQUARED || gram->count == 0) return false;
  for (int i = 0; i < gram->problem->gates; i++)
    if (marked[i] && gram->place[i] < 0) return false;
  return true;
}

/* S = the marked gates, and those in it already where these fit too. */
static void list_gates(hs_gram_t *gram, const bool *marked, int most)
{
  int together = 0, gates = gram->problem->gates;
  bool keep = gram->problem->loss.kind == HS_SQUARED && gram->count > 0;
  for (int i = 0; i < gates; i++) together += marked[i] || (keep && gram->place[i] >= 0);
  keep = keep && together <= most;
  gram->count = 0;
  for (int i = 0; i < gates; i++) {
    bool wanted = marked[i] || (keep && gram->place[i] >= 0);
    gram->place[i] = wanted ? gram->count : -1;
    if (wanted) gram->gates[gram->count++] = i;
  }
  gram->side = (int64_t)gram->count * gram->problem->d;
  gram->blocks = hs_gram_blocks(gram->problem);
}

static hs_status_t enlarge(double **values, int64_t *room, int64_t wanted)
{
  if (wanted <= *room) return HS_OK;
  hs_free(*values);
  *room = 0;
  *values = hs_alloc((size_t)wanted, sizeof(double), "Hessian of the active gates");
  if (*values == NULL) return HS_NO_MEMORY;
  *room = wanted;
  return HS_OK;
}

static int64_t piece_rows(const hs_gram_t *gram)
{
  int64_t rows = (int64_t)(PIECE_BYTES / (8 * (double)gram->side));
  return hs_max64(1, hs_min64(gram->problem->rows, hs_max64(LEAST_ROWS, rows)));
}

static hs_status_t make_room(hs_gram_t *gram)
{
  int64_t piece = piece_rows(gram) * gram->side;
  hs_status_t status = enlarge(&gram->values, &gram->values_room, gram->blocks * gram->side * gram->side);
  if (status == HS_OK) status = enlarge(&gram->expanded, &gram->expanded_room, piece);
  if (status == HS_OK) status = enlarge(&gram->weighted, &gram->weighted_room, piece);
  return status;
}

/* One row of features in double. */
static void copy_row(const hs_shard_t *shard, int64_t row, double *x)
{
  int64_t first = row * shard->d;
  for (int j = 0; j < shard->d; j++)
    x[j] = shard->precision == HS_DOUBLE ? ((const double *)shard->X)[first + j]
                                         : (double)((const float *)shard->X)[first + j];
}

/* Rows first .. first+rows-1 of A_S, rows x N row-major. */
static void expand(hs_gram_t *gram, int64_t first, int64_t rows)
{
  size_t d = (size_t)gram->problem->d;
  double *x = gram->weighted; /* not in use yet */
  for (int64_t k = 0; k < rows; k++) {
    double *out = gram->expanded + k * gram->side;
    copy_row(gram->problem->shard, first + k, x);
    for (int t = 0; t < gram->count; t++, out += d) {
      if (hs_mask_bit(gram->problem->masks, first + k, gram->gates[t]))
        memcpy(out, x, d * sizeof *out);
      else
        memset(out, 0, d * sizeof *out);
    }
  }
}

/* weighted = the rows times H[c, e], or its root on the diagonal. */
static void weigh(hs_gram_t *gram, const hs_curvature_t *curvature, int64_t first, int64_t rows, int c, int e)
{
  for (int64_t k = 0; k < rows; k++) {
    double weight = hs_curvature_element(curvature, first + k, c, e);
    const double *from = gram->expanded + k * gram->side;
    double *to = gram->weighted + k * gram->side;
    if (c == e) weight = sqrt(weight);
    for (int64_t l = 0; l < gram->side; l++) to[l] = weight * from[l];
  }
}

/* Row-major, the upper triangle. */
static void add_square(int64_t rows, int side, const double *E, double *G)
{
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, side, (int)rows, 1, E, side, 1, G, side);
}

static void add_block(hs_gram_t *gram, const hs_curvature_t *curvature, int64_t first, int64_t rows, int c,
                      int e)
{
  int side = (int)gram->side, number = block_number(gram, c, e);
  if (number < 0) return;
  double *G = gram->values + number * gram->side * gram->side;
  weigh(gram, curvature, first, rows, c, e);
  if (c == e)
    add_square(rows, side, gram->weighted, G);
  else
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, side, side, (int)rows, 1, gram->expanded, side,
                gram->weighted, side, 1, G, side);
}

static void add_rows(hs_gram_t *gram, const hs_curvature_t *curvature, int64_t first, int64_t rows)
{
  expand(gram, first, rows);
  if (gram->problem->loss.kind == HS_SQUARED) {
    add_square(rows, (int)gram->side, gram->expanded, gram->values);
    return;
  }
  for (int c = 0; c < gram->problem->outputs; c++)
    for (int e = 0; e <= c; e++) add_block(gram, curvature, first, rows, c, e);
}

/* The upper triangles one after the other: only they are sent. */
static void pack(hs_gram_t *gram)
{
  int64_t N = gram->side;
  double *to = gram->values;
  for (int64_t row = 0; row < gram->blocks * N; row++) {
    int64_t start = row % N;
    memmove(to, gram->values + row * N + start, (size_t)(N - start) * sizeof *to);
    to += N - start;
  }
}

static void unpack(hs_gram_t *gram)
{
  int64_t N = gram->side;
  const double *from = gram->values + gram->blocks * (N * (N + 1) / 2);
  for (int64_t row = gram->blocks * N - 1; row >= 0; row--) {
    int64_t start = row % N;
    from -= N - start;
    memmove(gram->values + row * N + start, from, (size_t)(N - start) * sizeof *from);
  }
  for (int64_t b = 0; b < gram->blocks; b++) {
    double *G = gram->values + b * N * N;
    for (int64_t l = 0; l < N; l++)
      for (int64_t k = 0; k < l; k++) G[l * N + k] = G[k * N + l];
  }
}

hs_status_t hs_gram_make(hs_gram_t *gram, const bool *marked, int most, const hs_curvature_t *curvature,
                         hs_traffic_t *traffic)
{
  const hs_problem_t *problem = gram->problem;
  if (hs_gram_has(gram, marked)) return HS_OK;
  list_gates(gram, marked, most);
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
