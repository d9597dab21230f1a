#include "bounds/cone_bound.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/simd.h"

#define WIDTH HS_CONE_WIDTH
#define STEPS 6        /* towards better combinations of gradients */
#define THINNEST 1e-12 /* smallest pivot of V'V, relative to its diagonal, that is trusted */
#define INLINE static inline __attribute__((always_inline))

/* What is computed for one cone. Rows are WIDTH long, so that loops over them are vector instructions. */
typedef struct search {
  int d;
  double K[WIDTH][WIDTH];               /* v_i'v_j */
  double T[HS_CONE_TANGENTS][WIDTH];    /* g_i'v_j */
  double c[WIDTH], h[WIDTH];            /* F - h; h: the combination of rows of T */
  double middle[WIDTH];                 /* u'v_j, u = unit(sum_j v_j) */
  double l[WIDTH], reached[WIDTH];      /* y = sum_j l_j v_j;  y'v_j */
  bool inside[WIDTH];                   /* may l_j differ from zero? */
  int chosen[WIDTH], size;              /* those j */
  double L[WIDTH][WIDTH], below[WIDTH]; /* factor of K over the chosen, rows; L below = c */
} search_t;

/* rows (count x WIDTH) times edges': out[i][j] = row_i'v_j */
INLINE void products(int count, int d, const double (*rows)[WIDTH], const double (*columns)[WIDTH],
                     double (*out)[WIDTH])
{
  for (int i = 0; i < count; i++) {
    double sum[WIDTH] = {0};
    for (int t = 0; t < d; t++)
      for (int j = 0; j < WIDTH; j++) sum[j] += rows[i][t] * columns[t][j];
    memcpy(out[i], sum, sizeof sum);
  }
}

INLINE double dot(const double *a, const double *b)
{
  double sum = 0;
  for (int j = 0; j < WIDTH; j++) sum += a[j] * b[j];
  return sum;
}

INLINE void prepare(const hs_cone_t *cone, search_t *s)
{
  double columns[WIDTH][WIDTH];
  s->d = cone->d;
  for (int j = 0; j < WIDTH; j++)
    for (int t = 0; t < WIDTH; t++) columns[t][j] = cone->edges[j][t];
  memset(s->K, 0, sizeof s->K);
  products(s->d, s->d, cone->edges, (const double(*)[WIDTH])columns, s->K);
  products(cone->tangents, s->d, cone->gradients, (const double(*)[WIDTH])columns, s->T);
  double sum[WIDTH] = {0}, total = 0;
  for (int i = 0; i < s->d; i++)
    for (int j = 0; j < WIDTH; j++) sum[j] += s->K[i][j];
  for (int j = 0; j < s->d; j++) total += sum[j];
  double length = sqrt(fmax(total, 0));
  for (int j = 0; j < WIDTH; j++) s->middle[j] = length > 0 ? sum[j] / length : 0;
  for (int j = 0; j < s->d; j++) s->inside[j] = true;
}

/* L L' = K over the inside indices; an index whose pivot is too small is put outside. */
INLINE void factor(search_t *s)
{
  s->size = 0;
  for (int j = 0; j < s->d; j++) {
    if (!s->inside[j]) continue;
    int n = s->size;
    double *row = s->L[n], pivot = s->K[j][j];
    for (int a = 0; a < n; a++) {
      double sum = s->K[j][s->chosen[a]];
      for (int b = 0; b < a; b++) sum -= row[b] * s->L[a][b];
      row[a] = sum * s->L[a][a]; /* the diagonal holds reciprocals */
      pivot -= row[a] * row[a];
    }
    if (pivot <= THINNEST * s->K[j][j]) {
      s->inside[j] = false;
      continue;
    }
    row[n] = 1 / sqrt(pivot);
    s->chosen[s->size++] = j;
  }
}

/* out = L^-1 of the chosen numbers of c. */
INLINE void forward(const search_t *s, const double *c, double *out)
{
  for (int a = 0; a < s->size; a++) {
    double sum = c[s->chosen[a]];
    for (int b = 0; b < a; b++) sum -= s->L[a][b] * out[b];
    out[a] = sum * s->L[a][a];
  }
}

/* l = L^-T below, zero outside. Returns whether all chosen l are positive; those that are not are put outside. */
INLINE bool backward(search_t *s)
{
  double x[WIDTH];
  bool good = true;
  memset(s->l, 0, sizeof s->l);
  for (int a = s->size - 1; a >= 0; a--) {
    double sum = s->below[a];
    for (int b = a + 1; b < s->size; b++) sum -= s->L[b][a] * x[b];
    x[a] = sum * s->L[a][a];
  }
  for (int a = 0; a < s->size; a++) {
    s->l[s->chosen[a]] = fmax(x[a], 0);
    if (x[a] > 0) continue;
    s->inside[s->chosen[a]] = false;
    good = false;
  }
  return good;
}

/* The j outside with the largest c_j - y'v_j; -1: none beyond rounding. */
INLINE int most_violated(const search_t *s)
{
  int worst = -1;
  double most = 0;
  for (int j = 0; j < s->d; j++) {
    double lack = s->c[j] - s->reached[j];
    if (s->inside[j] || lack <= 1e-12 * fabs(s->c[j]) || lack <= most) continue;
    most = lack;
    worst = j;
  }
  return worst;
}

/* min |y| over y'v_j >= c_j, by the signs of its multipliers l. It need not end well: what it gives is repaired. */
INLINE void shortest(search_t *s)
{
  for (int round = 0; round < 2 * WIDTH; round++) {
    factor(s);
    forward(s, s->c, s->below);
    if (!backward(s)) continue;
    double reached[WIDTH] = {0};
    for (int i = 0; i < s->d; i++)
      for (int j = 0; j < WIDTH; j++) reached[j] += s->l[i] * s->K[i][j];
    memcpy(s->reached, reached, sizeof reached);
    int worst = most_violated(s);
    if (worst < 0) return;
    s->inside[worst] = true;
  }
  double reached[WIDTH] = {0};
  for (int i = 0; i < s->d; i++)
    for (int j = 0; j < WIDTH; j++) reached[j] += s->l[i] * s->K[i][j];
  memcpy(s->reached, reached, sizeof reached);
}

/* Least t >= 0 with (from + t u)'v_j >= c_j for all j; infinity if u does not lead there. */
INLINE double repair(const search_t *s, const double *from)
{
  double t = 0;
  for (int j = 0; j < s->d; j++) {
    double lack = s->c[j] - from[j];
    if (lack <= 0) continue;
    if (!(s->middle[j] > 1e-9)) return INFINITY;
    t = fmax(t, lack / s->middle[j]);
  }
  return t;
}

/* |y + t u|, or |t u| where that is less. */
INLINE double repaired(const search_t *s, double square)
{
  static const double zero[WIDTH];
  double t = repair(s, s->reached), along = repair(s, zero);
  return fmin(sqrt(fmax(0, square) + 2 * t * dot(s->l, s->middle) + t * t), along);
}

/* Row of T that is largest at sum_j l_j v_j; *value is its value there. */
INLINE int steepest(const search_t *s, int tangents, double *value)
{
  int best = 0;
  *value = -INFINITY;
  for (int i = 0; i < tangents; i++) {
    double here = dot(s->l, s->T[i]);
    if (here <= *value) continue;
    *value = here;
    best = i;
  }
  return best;
}

/* The step g of h + g (row - h) after which the bound is least, as long as the chosen stay the same:
 * |y|^2 = |L^-1 c|^2. */
INLINE double step_length(const search_t *s, const double *row)
{
  double change[WIDTH], moved[WIDTH], square = 0, product = 0;
  for (int j = 0; j < WIDTH; j++) change[j] = row[j] - s->h[j];
  forward(s, change, moved);
  for (int a = 0; a < s->size; a++) {
    square += moved[a] * moved[a];
    product += moved[a] * s->below[a];
  }
  return square > 0 ? fmin(1, fmax(0, product / square)) : 0;
}

HS_SIMD_CLONES double hs_cone_bound(const hs_cone_t *cone, double enough, double *where)
{
  search_t s;
  double best = INFINITY;
  prepare(cone, &s);
  memcpy(s.h, s.T[cone->tangents - 1], sizeof s.h);
  for (int step = 0;; step++) {
    for (int j = 0; j < WIDTH; j++) s.c[j] = cone->F[j] - s.h[j];
    shortest(&s);
    double square = dot(s.l, s.reached), bound = repaired(&s, square);
    if (bound < best || step == 0) memcpy(where, s.l, sizeof s.l);
    best = fmin(best, bound);
    if (best <= enough || step == STEPS || !(square > 0)) return best;
    /* At y the bounding function is |y|; with the best gradient there it would be |y| - gain, and no combination of
     * gradients gives a bound below that. */
    double length = sqrt(square), most, gain;
    int row = steepest(&s, cone->tangents, &most);
    gain = (most - dot(s.l, s.h)) / length;
    if (gain <= 1e-3 * fmax(best - enough, 1e-9 * best)) return best;
    double share = step_length(&s, s.T[row]);
    if (!(share > 0)) return best;
    for (int j = 0; j < WIDTH; j++) s.h[j] += share * (s.T[row][j] - s.h[j]);
  }
}
