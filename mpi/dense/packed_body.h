/* packed_body.h: tiles of one precision. Included once for each, with
 *
 *     REAL        element type
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

/* y = T x and yt = T' xt in one sweep over T, rows x columns, column-major. Four columns at a time: y and xt are
 * read for all of them at once. */
HS_SIMD_CLONES
static void NAME(both_ways)(int rows, int columns, const REAL *restrict T, const REAL *restrict x,
                            REAL *restrict y, const REAL *restrict xt, REAL *restrict yt)
{
  for (int i = 0; i < rows; i++) y[i] = 0;
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const REAL *a = T + (size_t)j * (size_t)rows, *b = a + rows, *c = b + rows, *d = c + rows;
    REAL xa = x[j], xb = x[j + 1], xc = x[j + 2], xd = x[j + 3], sa = 0, sb = 0, sc = 0, sd = 0;
#pragma omp simd reduction(+ : sa, sb, sc, sd)
    for (int i = 0; i < rows; i++) {
      y[i] += (xa * a[i] + xb * b[i]) + (xc * c[i] + xd * d[i]);
      sa += a[i] * xt[i];
      sb += b[i] * xt[i];
      sc += c[i] * xt[i];
      sd += d[i] * xt[i];
    }
    yt[j] = sa;
    yt[j + 1] = sb;
    yt[j + 2] = sc;
    yt[j + 3] = sd;
  }
  for (; j < columns; j++) {
    const REAL *a = T + (size_t)j * (size_t)rows;
    REAL xa = x[j], sa = 0;
#pragma omp simd reduction(+ : sa)
    for (int i = 0; i < rows; i++) {
      y[i] += xa * a[i];
      sa += a[i] * xt[i];
    }
    yt[j] = sa;
  }
}

/* Rows of V, C numbers each, += y in column c. Sums over tiles are double, so that their number costs no accuracy. */
static void NAME(add)(int rows, const REAL *y, int C, double *V)
{
  for (int i = 0; i < rows; i++) V[(size_t)i * (size_t)C] += (double)y[i];
}

/* x = R, column-major. */
static void NAME(transpose)(int n, int C, const double *R, REAL *x)
{
  for (int i = 0; i < n; i++)
    for (int c = 0; c < C; c++)
      x[(size_t)c * (size_t)n + (size_t)i] = (REAL)R[(size_t)i * (size_t)C + (size_t)c];
}

/* V = what the tiles of this rank contribute to M R. A tile stays in cache between the columns of R. */
static void NAME(multiply)(hs_packed_t *packed, int C, const double *R, double *V)
{
  const hs_grid_t *grid = packed->grid;
  size_t n = (size_t)packed->order, b = (size_t)packed->tile;
  const REAL *T = packed->M;
  REAL *x = packed->x, *y = packed->y, *yt = y + b;
  NAME(transpose)(packed->order, C, R, x);
  memset(V, 0, n * (size_t)C * sizeof *V);
  if (!grid->inside) return;
  for (int tj = grid->column; tj < packed->tiles; tj += grid->columns)
    for (int ti = grid->row; ti < packed->tiles; ti += grid->rows) {
      if (ti < tj) continue;
      int rows = extent(packed, ti), columns = extent(packed, tj);
      size_t i0 = (size_t)ti * b, j0 = (size_t)tj * b;
      for (int c = 0; c < C; c++) {
        const REAL *column = x + (size_t)c * n;
        NAME(both_ways)(rows, columns, T, column + j0, y, column + i0, yt);
        NAME(add)(rows, y, C, V + i0 * (size_t)C + c);
        if (ti > tj) NAME(add)(columns, yt, C, V + j0 * (size_t)C + c);
      }
      T += (size_t)rows * (size_t)columns;
    }
}

#undef REAL
#undef NAME
