/* packed_body.h: tiles of one precision. Included once for each, with
 *
 *     REAL        element type
 *     GEMM        cblas_sgemm or cblas_dgemm
 *     NAME(stem)  stem with a suffix of its own
 *
 * defined; they are undefined again at the end.
 */

/* Copy the lower triangle of a spread matrix. */
static void NAME(take)(hs_packed_t *packed, const hs_spread_t *spread)
{
  const hs_grid_t *grid = packed->grid;
  REAL *M = packed->M;
  for (int tj = grid->column; tj < spread->tiles; tj += grid->columns)
    for (int ti = grid->row; ti < spread->tiles; ti += grid->rows) {
      if (ti < tj) continue;
      int rows = hs_spread_extent(spread, ti), columns = hs_spread_extent(spread, tj);
      const double *a = hs_spread_at(spread, ti, tj);
      for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++)
          *M++ = (REAL)(ti > tj || i >= j ? a[(size_t)j * (size_t)spread->ld + (size_t)i]
                                          : a[(size_t)i * (size_t)spread->ld + (size_t)j]);
    }
}

/* y = T x, in one sweep. */
HS_SIMD_CLONES
static void NAME(one_way)(int rows, int columns, const REAL *restrict T, const REAL *x, REAL *restrict y)
{
  for (int i = 0; i < rows; i++) y[i] = 0;
  for (int j = 0; j < columns; j++) {
    const REAL *column = T + (size_t)j * (size_t)rows;
    REAL factor = x[j];
#pragma omp simd
    for (int i = 0; i < rows; i++) y[i] += factor * column[i];
  }
}

/* y = T x and yt = T' xt, in one sweep. */
HS_SIMD_CLONES
static void NAME(both_ways)(int rows, int columns, const REAL *restrict T, const REAL *x, REAL *restrict y,
                            const REAL *xt, REAL *restrict yt)
{
  for (int i = 0; i < rows; i++) y[i] = 0;
  for (int j = 0; j < columns; j++) {
    const REAL *column = T + (size_t)j * (size_t)rows;
    REAL factor = x[j], sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < rows; i++) {
      y[i] += factor * column[i];
      sum += column[i] * xt[i];
    }
    yt[j] = sum;
  }
}

/* Both for C columns, column-major; x and xt have ld rows, y and yt `rows` and `columns`. */
static void NAME(multiply_tile)(int rows, int columns, const REAL *T, int C, int ld, const REAL *x, REAL *y,
                                const REAL *xt, REAL *yt)
{
  if (C == 1 && yt == NULL) NAME(one_way)(rows, columns, T, x, y);
  if (C == 1 && yt != NULL) NAME(both_ways)(rows, columns, T, x, y, xt, yt);
  if (C == 1) return;
  GEMM(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, C, columns, 1, T, rows, x, ld, 0, y, rows);
  if (yt == NULL) return;
  GEMM(CblasColMajor, CblasTrans, CblasNoTrans, columns, C, rows, 1, T, rows, xt, ld, 0, yt, columns);
}

/* Rows of V += y, rows x C column-major. Sums over tiles are double, so that their number costs no accuracy. */
static void NAME(add)(int rows, int C, const REAL *y, double *V)
{
  for (int c = 0; c < C; c++)
    for (int i = 0; i < rows; i++)
      V[(size_t)i * (size_t)C + (size_t)c] += (double)y[(size_t)c * (size_t)rows + (size_t)i];
}

/* V = the part of M R that the tiles of this rank contribute. */
static void NAME(multiply)(hs_packed_t *packed, int C, const double *R, double *V)
{
  const hs_grid_t *grid = packed->grid;
  int n = packed->order, b = packed->tile;
  size_t numbers = (size_t)n * (size_t)C;
  const REAL *T = packed->M;
  REAL *x = packed->x, *y = packed->y, *yt = y + (size_t)b * (size_t)C;
  for (int i = 0; i < n; i++)
    for (int c = 0; c < C; c++)
      x[(size_t)c * (size_t)n + (size_t)i] = (REAL)R[(size_t)i * (size_t)C + (size_t)c];
  memset(V, 0, numbers * sizeof *V);
  if (!grid->inside) return;
  for (int tj = grid->column; tj < packed->tiles; tj += grid->columns)
    for (int ti = grid->row; ti < packed->tiles; ti += grid->rows) {
      if (ti < tj) continue;
      int rows = extent(packed, ti), columns = extent(packed, tj);
      NAME(multiply_tile)
      (rows, columns, T, C, n, x + (size_t)tj * (size_t)b, y, x + (size_t)ti * (size_t)b,
       ti > tj ? yt : NULL);
      NAME(add)(rows, C, y, V + (size_t)ti * (size_t)b * (size_t)C);
      if (ti > tj) NAME(add)(columns, C, yt, V + (size_t)tj * (size_t)b * (size_t)C);
      T += (size_t)rows * (size_t)columns;
    }
}

#undef REAL
#undef GEMM
#undef NAME
