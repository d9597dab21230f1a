/* relu_products_body.h: the products in one precision. Included once for each, with
 *
 *     REAL        element type
 *     NAME(stem)  stem with a suffix of its own
 *     GEMM        cblas_sgemm or cblas_dgemm
 *     ROWS        rows of the shard in that type: ROWS(products, first, count, buffer), count x d
 *     THETA       theta of rows in that type: THETA(products, first, count, buffer), count x C
 *
 * defined; they are undefined again at the end.
 */

/* What a thread has: a slab of rows and theta of it (where they have to be converted), its products with all columns,
 * and what the slab adds to the sum. */
typedef struct NAME(slab) {
  REAL *rows, *theta, *Z, *panel;
  const REAL *X, *T; /* of the slab at hand */
  int64_t first;
  int count;
} NAME(slab_t);

static NAME(slab_t) NAME(slab_of)(const hs_relu_products_t *products, int part)
{
  REAL *memory = (REAL *)(void *)(products->scratch + (size_t)part * products->scratch_bytes);
  size_t rows = HS_SLAB_ROWS, d = (size_t)products->shard->d, C = (size_t)products->shard->outputs;
  NAME(slab_t) slab = {.Z = memory};
  slab.panel = slab.Z + rows * (size_t)products->columns;
  slab.rows = slab.panel + (size_t)products->columns * (d > C ? d : C);
  slab.theta = slab.rows + rows * d;
  return slab;
}

static void NAME(take)(const hs_relu_products_t *products, int64_t s, NAME(slab_t) * slab)
{
  slab->first = s * HS_SLAB_ROWS;
  slab->count = (int)hs_min64(HS_SLAB_ROWS, products->shard->rows - slab->first);
  slab->X = ROWS(products, slab->first, slab->count, slab->rows);
  slab->T = THETA(products, slab->first, slab->count, slab->theta);
}

/* sum += panel */
HS_SIMD_CLONES
static void NAME(add)(size_t count, const REAL *restrict panel, double *restrict sum)
{
  for (size_t e = 0; e < count; e++) sum[e] += (double)panel[e];
}

/* Z = X W' */
static void NAME(project)(const hs_relu_products_t *products, const NAME(slab_t) * slab, int m)
{
  int d = products->shard->d;
  GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, slab->count, m, d, 1, slab->X, d, products->W, d, 0, slab->Z,
       m);
}

/* sum += Z' X */
static void NAME(collect)(const hs_relu_products_t *products, const NAME(slab_t) * slab, int m, double *sum)
{
  int d = products->shard->d;
  GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, m, d, slab->count, 1, slab->Z, m, slab->X, d, 0, slab->panel,
       d);
  NAME(add)((size_t)m * (size_t)d, slab->panel, sum);
}

/* Z = theta o [Z > 0] */
HS_SIMD_CLONES
static void NAME(select)(int count, int m, const REAL *restrict theta, REAL *restrict Z)
{
  for (int r = 0; r < count; r++, Z += m) {
    REAL t = theta[r];
    for (int s = 0; s < m; s++) Z[s] = Z[s] > 0 ? t : 0;
  }
}

/* Z = (Z)_+, and bit r % 8 of signs[r / 8] = [Z > 0]: m bytes for eight rows. */
HS_SIMD_CLONES
static void NAME(rectify)(int count, int m, REAL *restrict Z, uint8_t *restrict signs)
{
  memset(signs, 0, (size_t)((count + 7) / 8) * (size_t)m);
  for (int r = 0; r < count; r++, Z += m) {
    uint8_t bit = (uint8_t)(1 << r % 8), *byte = signs + (size_t)(r / 8) * (size_t)m;
    for (int s = 0; s < m; s++) byte[s] |= Z[s] > 0 ? bit : 0;
    for (int s = 0; s < m; s++) Z[s] = Z[s] > 0 ? Z[s] : 0;
  }
}

/* Z = 0 where the sign of the chosen column was not positive. */
HS_SIMD_CLONES
static void NAME(mask)(int count, int m, const int *restrict chosen, const uint8_t *restrict signs,
                       int stride, REAL *restrict Z)
{
  uint8_t byte[HS_PRODUCT_COLUMNS];
  for (int r = 0; r < count; r++, Z += m) {
    if (r % 8 == 0)
      for (int s = 0; s < m; s++) byte[s] = signs[(size_t)(r / 8) * (size_t)stride + (size_t)chosen[s]];
    uint8_t bit = (uint8_t)(1 << r % 8);
    for (int s = 0; s < m; s++) Z[s] = byte[s] & bit ? Z[s] : 0;
  }
}

static void NAME(both)(const hs_relu_products_t *products, int part, int64_t from, int64_t to, double *sum)
{
  NAME(slab_t) slab = NAME(slab_of)(products, part);
  int m = products->m;
  for (int64_t s = from; s < to; s++) {
    NAME(take)(products, s, &slab);
    NAME(project)(products, &slab, m);
    NAME(select)(slab.count, m, slab.T, slab.Z);
    NAME(collect)(products, &slab, m, sum);
  }
}

static void NAME(values)(const hs_relu_products_t *products, int part, int64_t from, int64_t to, double *sum)
{
  NAME(slab_t) slab = NAME(slab_of)(products, part);
  int m = products->m, C = products->shard->outputs;
  for (int64_t s = from; s < to; s++) {
    NAME(take)(products, s, &slab);
    NAME(project)(products, &slab, m);
    NAME(rectify)(slab.count, m, slab.Z, signs_at(products, slab.first));
    GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, m, C, slab.count, 1, slab.Z, m, slab.T, C, 0, slab.panel,
         C);
    NAME(add)((size_t)m * (size_t)C, slab.panel, sum);
  }
}

static void NAME(gradients)(const hs_relu_products_t *products, int part, int64_t from, int64_t to,
                            double *sum)
{
  NAME(slab_t) slab = NAME(slab_of)(products, part);
  int count = products->count, C = products->shard->outputs;
  for (int64_t s = from; s < to; s++) {
    NAME(take)(products, s, &slab);
    GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, slab.count, count, C, 1, slab.T, C, products->W, C, 0,
         slab.Z, count);
    NAME(mask)(slab.count, count, products->chosen, signs_at(products, slab.first), products->m, slab.Z);
    NAME(collect)(products, &slab, count, sum);
  }
}

/* W (or a), in this precision. */
static void NAME(set)(hs_relu_products_t *products, size_t numbers, const double *from)
{
  REAL *to = products->W;
  for (size_t e = 0; e < numbers; e++) to[e] = (REAL)from[e];
}

#undef REAL
#undef NAME
#undef GEMM
#undef ROWS
#undef THETA
