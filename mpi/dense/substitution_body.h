/* substitution_body.h: tiles of one precision. Included once for each, with
 *
 *     REAL        element type
 *     NAME(stem)  stem with a suffix of its own
 *
 * defined; they are undefined again at the end.
 */

/* Copy the lower triangle of a spread matrix, with zeros above the diagonal. */
static void NAME(take)(hs_substitution_t *s, const hs_spread_t *spread)
{
  const hs_grid_t *grid = s->grid;
  REAL *L = s->L;
  for (int tj = grid->column; tj < s->tiles; tj += grid->columns)
    for (int ti = grid->row; ti < s->tiles; ti += grid->rows) {
      if (ti < tj) continue;
      int rows = hs_spread_extent(spread, ti), columns = hs_spread_extent(spread, tj);
      const double *a = hs_spread_at(spread, ti, tj);
      for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++)
          *L++ = ti > tj || i >= j ? (REAL)a[(size_t)j * (size_t)spread->ld + (size_t)i] : 0;
    }
}

/* y = T x; T is rows x columns, column-major. Four columns at a time: y is read for all of them at once. */
HS_SIMD_CLONES
static void NAME(product)(int rows, int columns, const REAL *restrict T, const REAL *restrict x,
                          REAL *restrict y)
{
  for (int i = 0; i < rows; i++) y[i] = 0;
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const REAL *a = T + (size_t)j * (size_t)rows, *b = a + rows, *c = b + rows, *d = c + rows;
    REAL xa = x[j], xb = x[j + 1], xc = x[j + 2], xd = x[j + 3];
#pragma omp simd
    for (int i = 0; i < rows; i++) y[i] += (xa * a[i] + xb * b[i]) + (xc * c[i] + xd * d[i]);
  }
  for (; j < columns; j++) {
    const REAL *a = T + (size_t)j * (size_t)rows;
    REAL xa = x[j];
#pragma omp simd
    for (int i = 0; i < rows; i++) y[i] += xa * a[i];
  }
}

/* y = T' x, the same way. */
HS_SIMD_CLONES
static void NAME(transposed)(int rows, int columns, const REAL *restrict T, const REAL *restrict x,
                             REAL *restrict y)
{
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const REAL *a = T + (size_t)j * (size_t)rows, *b = a + rows, *c = b + rows, *d = c + rows;
    REAL ya = 0, yb = 0, yc = 0, yd = 0;
#pragma omp simd reduction(+ : ya, yb, yc, yd)
    for (int i = 0; i < rows; i++) {
      ya += a[i] * x[i];
      yb += b[i] * x[i];
      yc += c[i] * x[i];
      yd += d[i] * x[i];
    }
    y[j] = ya;
    y[j + 1] = yb;
    y[j + 2] = yc;
    y[j + 3] = yd;
  }
  for (; j < columns; j++) {
    const REAL *a = T + (size_t)j * (size_t)rows;
    REAL ya = 0;
#pragma omp simd reduction(+ : ya)
    for (int i = 0; i < rows; i++) ya += a[i] * x[i];
    y[j] = ya;
  }
}

/* x of the rows first .. last-1 = V. */
static void NAME(set)(hs_substitution_t *s, int first, int last, int C, const double *V)
{
  REAL *x = s->x;
  for (int i = first; i < last; i++)
    for (int c = 0; c < C; c++)
      x[(size_t)c * (size_t)s->order + (size_t)i] = (REAL)V[(size_t)i * (size_t)C + (size_t)c];
}

/* sum += T x, or T' x, of one tile, in all columns of x. Sums over tiles are double. */
static void NAME(add_tile)(hs_substitution_t *s, const REAL *T, int ti, int tj, int C, bool transpose)
{
  REAL *y = s->y;
  int rows = extent(s, ti), columns = extent(s, tj), to = (transpose ? tj : ti) * s->tile;
  for (int c = 0; c < C; c++) {
    const REAL *x =
        (const REAL *)s->x + (size_t)c * (size_t)s->order + (size_t)((transpose ? ti : tj) * s->tile);
    if (transpose)
      NAME(transposed)(rows, columns, T, x, y);
    else
      NAME(product)(rows, columns, T, x, y);
    double *sum = s->sum + (size_t)to * (size_t)C + (size_t)c;
    for (int i = 0; i < (transpose ? columns : rows); i++) sum[(size_t)i * (size_t)C] += (double)y[i];
  }
}

/* The tiles of this rank in the rows of tiles t0 .. t1-1 and the columns of tiles u0 .. u1-1, on or below the
 * diagonal. */
static void NAME(add)(hs_substitution_t *s, int t0, int t1, int u0, int u1, int C, bool transpose)
{
  const hs_grid_t *grid = s->grid;
  for (int tj = grid->column, j = 0; tj < u1; tj += grid->columns, j++) {
    if (tj < u0) continue;
    const REAL *T = (const REAL *)s->L + s->start[j];
    for (int ti = grid->row; ti < t1; ti += grid->rows) {
      if (ti < tj) continue;
      if (ti >= t0) NAME(add_tile)(s, T, ti, tj, C, transpose);
      T += (size_t)extent(s, ti) * (size_t)extent(s, tj);
    }
  }
}

#undef REAL
#undef NAME
