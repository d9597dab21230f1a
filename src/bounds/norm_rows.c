#include "bounds/norm_rows.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/simd.h"

#define WIDTH HS_CONE_WIDTH
#define ROWS 256 /* of a block */
#define LANES 4
#define INLINE static inline __attribute__((always_inline))

typedef double lanes_t __attribute__((vector_size(8 * LANES)));
typedef int64_t mask_t __attribute__((vector_size(8 * LANES)));

static int64_t blocks_for(int64_t rows)
{
  return (rows + ROWS - 1) / ROWS;
}

double hs_norm_rows_bytes(int d, int outputs, int64_t rows)
{
  double row = (d + outputs) * (double)sizeof(double) + (double)sizeof(int32_t);
  return (double)(blocks_for(rows) + 1) * ROWS * row;
}

/* Rows of F are added one after the other. */
double hs_norm_rows_additions(const hs_norm_rows_t *norm)
{
  return ROWS / LANES + LANES + (double)norm->blocks * (ROWS + 1) + norm->d + norm->outputs;
}

static void put_row(const hs_norm_rows_t *norm, int64_t row, const double *theta, const double *x)
{
  double *block = norm->numbers + row / ROWS * ROWS * (norm->d + norm->outputs);
  for (int j = 0; j < norm->d; j++) block[j * ROWS + row % ROWS] = x[j];
  for (int c = 0; c < norm->outputs; c++) block[(norm->d + c) * ROWS + row % ROWS] = theta[c];
}

hs_status_t hs_norm_rows_make(hs_norm_rows_t *norm, int d, int outputs, int64_t rows, const double *theta,
                              const double *X)
{
  *norm = (hs_norm_rows_t){.d = d, .outputs = outputs, .blocks = blocks_for(rows)};
  if (rows > INT32_MAX / 2 - ROWS) return hs_fail(HS_NO_MEMORY, NULL, "bound", "too many rows");
  size_t places = (size_t)norm->blocks * ROWS, C = (size_t)outputs;
  norm->numbers = hs_alloc(places * ((size_t)d + C), sizeof *norm->numbers, "rows of a bound");
  norm->mixed = hs_alloc(places, sizeof *norm->mixed, "rows of a bound");
  norm->N = hs_alloc(C * (size_t)d, sizeof *norm->N, "rows of a bound");
  norm->a = hs_alloc(C, sizeof *norm->a, "rows of a bound");
  norm->products = hs_alloc(C * (size_t)d, sizeof *norm->products, "rows of a bound");
  if (norm->numbers == NULL || norm->mixed == NULL || norm->N == NULL || norm->a == NULL ||
      norm->products == NULL) {
    hs_norm_rows_free(norm);
    return HS_NO_MEMORY;
  }
  for (int64_t k = 0; k < rows; k++) put_row(norm, k, theta + k * outputs, X + k * d);
  return HS_OK;
}

void hs_norm_rows_free(hs_norm_rows_t *norm)
{
  hs_free(norm->numbers);
  hs_free(norm->mixed);
  hs_free(norm->N);
  hs_free(norm->a);
  hs_free(norm->products);
  *norm = (hs_norm_rows_t){0};
}

/* ---- the pass over all rows ---- */

/* One block. active (d x ROWS) = x where the sum over the edges of x'v is positive, else 0; those of which x'v has both signs
 * are noted. Returns how many are noted now. d and edges are constants wherever this is called. */
INLINE int64_t split_block(int d, int edges, const double *block, const double (*v)[WIDTH], int64_t first,
                           double *active, int32_t *mixed, int64_t count)
{
  mask_t flags[ROWS / LANES], signs[ROWS / LANES];
  for (int k = 0; k < ROWS; k += LANES) {
    lanes_t x[WIDTH], sum = {0};
    mask_t some = {0}, all = ~some; /* sign bits */
    for (int t = 0; t < d; t++) x[t] = *(const lanes_t *)(block + t * ROWS + k);
    for (int j = 0; j < edges; j++) {
      lanes_t z = {0};
      for (int t = 0; t < d; t++) z += x[t] * v[j][t];
      sum += z;
      some |= (mask_t)z;
      all &= (mask_t)z;
    }
    mask_t on = sum > 0;
    for (int t = 0; t < d; t++) *(lanes_t *)(active + t * ROWS + k) = (lanes_t)((mask_t)x[t] & on);
    flags[k / LANES] = (some & ~all) < 0;
    signs[k / LANES] = on;
  }
  for (int k = 0; k < ROWS && edges > 1; k++) {
    mixed[count] = (int32_t)(2 * (first + k) - signs[k / LANES][k % LANES]);
    count -= flags[k / LANES][k % LANES];
  }
  return count;
}

/* N += T' active */
INLINE void add_products(int d, int outputs, const double *T, const double *active, double *N)
{
  for (int c = 0; c < outputs; c++) {
    lanes_t sum[WIDTH] = {{0}};
    for (int k = 0; k < ROWS; k += LANES) {
      lanes_t theta = *(const lanes_t *)(T + c * ROWS + k);
      for (int t = 0; t < d; t++) sum[t] += theta * *(const lanes_t *)(active + t * ROWS + k);
    }
    for (int t = 0; t < d; t++)
      for (int lane = 0; lane < LANES; lane++) N[c * d + t] += sum[t][lane];
  }
}

INLINE int64_t pass(int d, int edges, hs_norm_rows_t *norm, const double (*v)[WIDTH])
{
  double active[HS_CONE_MOST * ROWS] __attribute__((aligned(64)));
  int64_t count = 0;
  for (int64_t b = 0; b < norm->blocks; b++) {
    const double *block = norm->numbers + b * ROWS * (d + norm->outputs);
    count = split_block(d, edges, block, v, b * ROWS, active, norm->mixed, count);
    add_products(d, norm->outputs, block + d * ROWS, active, norm->N);
  }
  return count;
}

#define EACH(number, call)                                                                                   \
  case number:                                                                                               \
    call;                                                                                                    \
    return

#define CASE(number)                                                                                         \
  case number:                                                                                               \
    return one ? pass(number, 1, norm, v) : pass(number, number, norm, v)

/* N of the rows that are active at sum_j v_j, of d vectors or of one. Returns the number of mixed ones. */
HS_SIMD_CLONES static int64_t any_pass(hs_norm_rows_t *norm, bool one, const double (*v)[WIDTH])
{
  memset(norm->N, 0, (size_t)norm->d * (size_t)norm->outputs * sizeof *norm->N);
  switch (norm->d) {
    CASE(1);
    CASE(2);
    CASE(3);
    CASE(4);
    CASE(5);
    CASE(6);
    CASE(7);
  default:
    return 0;
  }
}

/* a = unit(N w). Returns |N w|. */
static double direct_a(const hs_norm_rows_t *norm, const double *w)
{
  double square = 0;
  for (int c = 0; c < norm->outputs; c++) {
    double sum = 0;
    for (int t = 0; t < norm->d; t++) sum += norm->N[c * norm->d + t] * w[t];
    norm->a[c] = sum;
    square += sum * sum;
  }
  double length = sqrt(square);
  for (int c = 0; c < norm->outputs && length > 0; c++) norm->a[c] /= length;
  return length;
}

double hs_norm_value(hs_norm_rows_t *norm, const double *w, double *gradient)
{
  double v[1][WIDTH] = {{0}};
  memcpy(v[0], w, (size_t)norm->d * sizeof *w);
  any_pass(norm, true, (const double(*)[WIDTH])v);
  double value = direct_a(norm, w);
  memset(gradient, 0, (size_t)norm->d * sizeof *gradient);
  for (int c = 0; c < norm->outputs; c++)
    for (int t = 0; t < norm->d; t++) gradient[t] += norm->a[c] * norm->N[c * norm->d + t];
  return value;
}

/* ---- the description of a cone ---- */

/* F, least and across from N v_j; bend from their parts across a. */
static void describe_linear(const hs_norm_rows_t *norm, hs_cone_t *cone, hs_norm_cone_t *about)
{
  int d = norm->d, C = norm->outputs;
  for (int i = 0; i < d; i++) {
    double *product = norm->products + i * C, along = 0, square = 0;
    for (int c = 0; c < C; c++) {
      double sum = 0;
      for (int t = 0; t < d; t++) sum += norm->N[c * d + t] * cone->edges[i][t];
      product[c] = sum;
      along += norm->a[c] * sum;
    }
    for (int c = 0; c < C; c++) {
      product[c] -= along * norm->a[c];
      square += product[c] * product[c];
    }
    cone->F[i] = along;
    cone->least[i] = -along;
    cone->across[i] = sqrt(square);
    for (int j = 0; j < i; j++) {
      double apart = 0;
      for (int c = 0; c < C; c++) {
        double step = product[c] - norm->products[j * C + c];
        apart += step * step;
      }
      about->bend[i][j] = about->value > 0 ? apart / (2 * about->value) : 0;
    }
  }
}

/* One row of F. columns[t][j] = v_j[t]; d is a constant wherever this is called. Signs are as good as random: no branches. */
INLINE void add_mixed(int d, const hs_norm_rows_t *norm, int32_t entry, const double (*columns)[WIDTH],
                      double (*sums)[WIDTH], double (*gradients)[WIDTH][WIDTH], double *kinks)
{
  int C = norm->outputs;
  const double *x = norm->numbers + entry / 2 / ROWS * ROWS * (int64_t)(d + C) + entry / 2 % ROWS;
  const double *theta = x + d * ROWS;
  double sign = entry % 2 ? -1 : 1, e[WIDTH] = {0}, step[WIDTH] = {0}, along = 0, square = 0;
  for (int t = 0; t < d; t++) {
    step[t] = sign * x[t * ROWS];
    for (int j = 0; j < WIDTH; j++) e[j] += step[t] * columns[t][j];
  }
  for (int c = 0; c < C; c++) along += norm->a[c] * theta[c * ROWS];
  for (int c = 0; c < C; c++) {
    double rest = theta[c * ROWS] - along * norm->a[c];
    square += rest * rest;
  }
  double across = sqrt(square), size = fabs(along);
  int part = along <= 0;
  for (int j = 0; j < WIDTH; j++) e[j] = e[j] > 0 ? e[j] : 0;
  for (int j = 0; j < WIDTH; j++) sums[part][j] += size * e[j];
  for (int j = 0; j < WIDTH; j++) kinks[j] += across * e[j];
  for (int i = 0; i < d; i++) {
    double weight = e[i] > 0 ? size : 0;
    for (int t = 0; t < WIDTH; t++) gradients[part][i][t] += weight * step[t];
  }
}

INLINE void add_every_mixed(int d, const hs_norm_rows_t *norm, int64_t count, hs_cone_t *cone,
                            hs_norm_cone_t *about)
{
  double columns[WIDTH][WIDTH], sums[2][WIDTH] = {{0}}, gradients[2][WIDTH][WIDTH] = {{{0}}};
  double kinks[WIDTH] = {0};
  for (int j = 0; j < WIDTH; j++)
    for (int t = 0; t < WIDTH; t++) columns[t][j] = cone->edges[j][t];
  for (int64_t i = 0; i < count; i++)
    add_mixed(d, norm, norm->mixed[i], (const double(*)[WIDTH])columns, sums, gradients, kinks);
  for (int j = 0; j < WIDTH; j++) {
    cone->F[j] += sums[0][j];
    cone->least[j] += sums[1][j];
    cone->across[j] += kinks[j];
  }
  memcpy(about->own, gradients[0], sizeof gradients[0]);
  memcpy(cone->gradients, gradients[1], sizeof gradients[1]);
}

HS_SIMD_CLONES static void add_all_mixed(const hs_norm_rows_t *norm, int64_t count, hs_cone_t *cone,
                                         hs_norm_cone_t *about)
{
  switch (norm->d) {
    EACH(1, add_every_mixed(1, norm, count, cone, about));
    EACH(2, add_every_mixed(2, norm, count, cone, about));
    EACH(3, add_every_mixed(3, norm, count, cone, about));
    EACH(4, add_every_mixed(4, norm, count, cone, about));
    EACH(5, add_every_mixed(5, norm, count, cone, about));
    EACH(6, add_every_mixed(6, norm, count, cone, about));
    EACH(7, add_every_mixed(7, norm, count, cone, about));
  default:
    return;
  }
}

/* The last gradient of H, that at the centre, is zero. */
void hs_norm_describe(hs_norm_rows_t *norm, const double *centre, hs_cone_t *cone, hs_norm_cone_t *about)
{
  memset(about, 0, sizeof *about);
  memset(cone->gradients, 0, sizeof cone->gradients);
  memset(cone->F, 0, sizeof cone->F);
  memset(cone->least, 0, sizeof cone->least);
  memset(cone->across, 0, sizeof cone->across);
  cone->norm = true;
  cone->tangents = cone->d + 1;
  int64_t count = any_pass(norm, false, (const double(*)[WIDTH])cone->edges);
  about->value = direct_a(norm, centre);
  describe_linear(norm, cone, about);
  add_all_mixed(norm, count, cone, about);
}
