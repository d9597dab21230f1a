#include "bounds/cone_bound.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"

#define WIDTH HS_CONE_WIDTH
#define LEAST_GAIN 0.1 /* of what is left to be gained: more steps are worth it */
#define STEPS 10       /* towards better combinations of gradients */
#define THINNEST 1e-12 /* smallest pivot of V'V, relative to its diagonal, that is trusted */
#define INLINE static inline __attribute__((always_inline))

/* What is computed for one cone. Rows are WIDTH long, so that loops over them are vector instructions. */
typedef struct search {
  int d;
  double K[WIDTH][WIDTH];               /* v_i'v_j */
  double T[HS_CONE_TANGENTS][WIDTH];    /* g_i'v_j */
  double c[WIDTH], h[WIDTH];            /* F - h, or the norm with it; h: the combination of rows of T */
  double more[WIDTH];                   /* c - (F - h) */
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
  double x[WIDTH] = {0};
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

/* ---- the best combination of gradients ---- */

/* While the chosen l stay the same (and c - (F - h), of a norm, too) |y|^2 = |L^-1 (F - h)|^2 = |sum_i mu_i z_i|^2, z_i = L^-1 (F - T_i): the point of the hull
 * of the z_i that is nearest to 0 gives the best mu (P. Wolfe 1976, "Finding the nearest point in a polytope"). */
typedef struct hull {
  int points;
  double products[HS_CONE_TANGENTS][HS_CONE_TANGENTS]; /* z_i'z_j */
  double mu[HS_CONE_TANGENTS];
  int corral[HS_CONE_TANGENTS], size; /* those with mu_i > 0 */
} hull_t;

INLINE void make_hull(const search_t *s, const hs_cone_t *cone, hull_t *hull)
{
  double z[HS_CONE_TANGENTS][WIDTH] = {{0}};
  hull->points = cone->tangents;
  for (int i = 0; i < hull->points; i++) {
    double c[WIDTH];
    for (int j = 0; j < WIDTH; j++) c[j] = cone->F[j] - s->T[i][j] + s->more[j];
    forward(s, c, z[i]);
    for (int k = 0; k <= i; k++) hull->products[i][k] = hull->products[k][i] = dot(z[i], z[k]);
  }
}

/* x = (P + c 11')^-1 1 over the corral, scaled to sum 1: the nearest point of its affine hull. False if it has none. */
INLINE bool nearest_affine(const hull_t *hull, double *x)
{
  double L[HS_CONE_TANGENTS][HS_CONE_TANGENTS], c = 0, total = 0;
  int n = hull->size;
  for (int a = 0; a < n; a++) c += hull->products[hull->corral[a]][hull->corral[a]] / n;
  for (int a = 0; a < n; a++) {
    double pivot = hull->products[hull->corral[a]][hull->corral[a]] + c, whole = pivot;
    x[a] = 1;
    for (int b = 0; b < a; b++) {
      double sum = hull->products[hull->corral[a]][hull->corral[b]] + c;
      for (int k = 0; k < b; k++) sum -= L[a][k] * L[b][k];
      L[a][b] = sum * L[b][b];
      pivot -= L[a][b] * L[a][b];
      x[a] -= L[a][b] * x[b];
    }
    if (!(pivot > 1e-14 * whole)) return false;
    L[a][a] = 1 / sqrt(pivot);
    x[a] *= L[a][a];
  }
  for (int a = n - 1; a >= 0; a--) {
    for (int b = a + 1; b < n; b++) x[a] -= L[b][a] * x[b];
    x[a] *= L[a][a];
    total += x[a];
  }
  for (int a = 0; a < n; a++) x[a] /= total;
  return total > 0;
}

/* Move mu to x, or as far as it stays positive; those that became zero leave the corral. Returns whether x was reached. */
INLINE bool move_towards(hull_t *hull, const double *x)
{
  double share = 1;
  int kept = 0;
  for (int a = 0; a < hull->size; a++) {
    double mu = hull->mu[hull->corral[a]];
    if (x[a] <= 0) share = fmin(share, mu / (mu - x[a]));
  }
  for (int a = 0; a < hull->size; a++) {
    int i = hull->corral[a];
    hull->mu[i] += share * (x[a] - hull->mu[i]);
    bool leaves = x[a] <= 0 && hull->mu[i] <= 1e-14;
    if (leaves) hull->mu[i] = 0;
    if (!leaves) hull->corral[kept++] = i;
  }
  bool reached = share == 1 && kept == hull->size;
  hull->size = kept;
  return reached;
}

/* The point nearest to 0: from one z_i on, add what lies below the plane through the best point so far. */
INLINE void nearest_point(hull_t *hull)
{
  double x[HS_CONE_TANGENTS];
  int first = 0;
  for (int i = 1; i < hull->points; i++)
    if (hull->products[i][i] < hull->products[first][first]) first = i;
  memset(hull->mu, 0, sizeof hull->mu);
  hull->mu[first] = 1;
  hull->corral[0] = first;
  hull->size = 1;
  for (int round = 0; round < 3 * HS_CONE_TANGENTS; round++) {
    double least = INFINITY, square = 0;
    int next = 0;
    for (int i = 0; i < hull->points; i++) {
      double here = 0;
      for (int a = 0; a < hull->size; a++)
        here += hull->mu[hull->corral[a]] * hull->products[i][hull->corral[a]];
      square += hull->mu[i] * here;
      if (here >= least) continue;
      least = here;
      next = i;
    }
    if (least >= square * (1 - 1e-12) || hull->mu[next] > 0 || hull->size == hull->points) return;
    hull->corral[hull->size++] = next;
    do
      if (hull->size == 0 || !nearest_affine(hull, x)) return;
    while (!move_towards(hull, x));
  }
}

/* ---- the bound ---- */

/* c = | (max(F - h, least), across) | */
INLINE void take_norm(search_t *s, const hs_cone_t *cone)
{
  for (int j = 0; j < WIDTH; j++) {
    double along = fmax(s->c[j], cone->least[j]),
           whole = sqrt(along * along + cone->across[j] * cone->across[j]);
    s->more[j] = whole - s->c[j];
    s->c[j] = whole;
  }
}

/* h = sum_i mu_i T_i, and y for it. Returns |y|^2. */
INLINE double solve_for(search_t *s, const hs_cone_t *cone, const double *mu)
{
  memset(s->h, 0, sizeof s->h);
  for (int i = 0; i < cone->tangents; i++)
    for (int j = 0; j < WIDTH; j++) s->h[j] += mu[i] * s->T[i][j];
  for (int j = 0; j < WIDTH; j++) s->c[j] = cone->F[j] - s->h[j];
  if (cone->norm) take_norm(s, cone);
  shortest(s);
  return dot(s->l, s->reached);
}

/* |y|^2 is convex in mu and quadratic where the chosen l do not change: Newton's steps, shortened where it would grow. */
HS_SIMD_CLONES double hs_cone_bound(const hs_cone_t *cone, double enough, double *where)
{
  search_t s;
  hull_t hull;
  double mu[HS_CONE_TANGENTS] = {0}, trial[HS_CONE_TANGENTS], share = 1;
  prepare(cone, &s);
  memset(s.more, 0, sizeof s.more);
  mu[cone->tangents - 1] = 1;
  double square = solve_for(&s, cone, mu), best = repaired(&s, square);
  memcpy(where, s.l, sizeof s.l);
  for (int step = 0; step < STEPS && best > enough && square > 0; step++) {
    if (share == 1) {
      /* At y the bounding function is |y|; with the best gradient there it would be |y| - gain, and no combination of
       * gradients gives a bound below that. */
      double most;
      steepest(&s, cone->tangents, &most);
      double gain = (most - dot(s.l, s.h)) / sqrt(square);
      if (gain <= LEAST_GAIN * fmax(best - enough, 1e-9 * best)) break;
      make_hull(&s, cone, &hull);
      nearest_point(&hull);
    }
    for (int i = 0; i < cone->tangents; i++) trial[i] = mu[i] + share * (hull.mu[i] - mu[i]);
    double there = solve_for(&s, cone, trial);
    best = fmin(best, repaired(&s, there));
    if (there < square) {
      memcpy(mu, trial, sizeof mu);
      memcpy(where, s.l, sizeof s.l);
      square = there;
      share = 1;
    } else {
      share *= 0.3;
    }
  }
  return best;
}
