/* The search for gates against all masks there are.
 *
 * In the plane and in space the masks can be listed: every cell of directions has a facet, on which one row is zero, so the
 * circles of g with x_i.g = 0, with row i on and off, meet all masks (in the plane one circle does). The best price of the
 * list is what the search has to find, and no price that it reports may be another than that of the gate's mask, summed by
 * plain loops.
 */
#include "mpi/pricing/gated_price.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define TWO_PI 6.283185307179586
#define MOST_ROWS 600

/* ---- by plain loops ---- */

static double dual_norm(hs_groups_t groups, int d, int C, const double *M)
{
  double column[2] = {0}, across = 0;
  for (int c = 0; c < C; c++)
    for (int j = 0; j < d; j++) column[c] += M[c * d + j] * M[c * d + j];
  for (int j = 0; j < d && C == 2; j++) across += M[j] * M[d + j];
  if (groups == HS_PER_OUTPUT) return sqrt(fmax(column[0], column[1]));
  if (groups == HS_JOINT) return sqrt(column[0] + column[1]);
  double mean = (column[0] + column[1]) / 2, half = (column[0] - column[1]) / 2;
  return sqrt(mean + sqrt(half * half + across * across));
}

static double price_of_mask(const direct_t *p, const double *theta, const char *mask)
{
  double M[20] = {0};
  for (int k = 0; k < p->n; k++)
    for (int c = 0; c < p->outputs && mask[k]; c++)
      for (int j = 0; j < p->d; j++) M[c * p->d + j] += p->X[k * p->d + j] * theta[k * p->outputs + c];
  return dual_norm(p->groups, p->d, p->outputs, M);
}

static double dot(int d, const double *x, const double *g)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += x[j] * g[j];
  return sum;
}

static double price_of_gate(const direct_t *p, const double *theta, const double *g)
{
  char mask[MOST_ROWS];
  for (int k = 0; k < p->n; k++) mask[k] = dot(p->d, p->X + k * p->d, g) >= 0;
  return price_of_mask(p, theta, mask);
}

static int ascending(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The best of the masks in the middle of the arcs of cos t e + sin t f; row `free`, if any, is taken on and off. */
static double best_on_circle(const direct_t *p, const double *theta, const double *e, const double *f,
                             int free_row)
{
  double angle[2 * MOST_ROWS] = {0}, best = 0;
  int count = 0;
  char mask[MOST_ROWS];
  for (int k = 0; k < p->n; k++) {
    double t = atan2(-dot(p->d, p->X + k * p->d, e), dot(p->d, p->X + k * p->d, f));
    if (k == free_row) continue;
    angle[count++] = fmod(t + TWO_PI, TWO_PI);
    angle[count++] = fmod(t + 1.5 * TWO_PI, TWO_PI);
  }
  qsort(angle, (size_t)count, sizeof *angle, ascending);
  for (int i = 0; i < count; i++) {
    double next = i + 1 < count ? angle[i + 1] : angle[0] + TWO_PI, t = (angle[i] + next) / 2, g[3];
    for (int j = 0; j < p->d; j++) g[j] = cos(t) * e[j] + sin(t) * f[j];
    for (int k = 0; k < p->n; k++) mask[k] = dot(p->d, p->X + k * p->d, g) >= 0;
    for (int on = 0; on < 2; on++) {
      if (free_row >= 0) mask[free_row] = (char)on;
      best = fmax(best, price_of_mask(p, theta, mask));
    }
  }
  return best;
}

static double best_of_all(const direct_t *p, const double *theta)
{
  double best = 0, e[3] = {1, 0, 0}, f[3] = {0, 1, 0};
  if (p->d == 2) return best_on_circle(p, theta, e, f, -1);
  for (int i = 0; i < p->n; i++) {
    const double *x = p->X + i * 3;
    double in = sqrt(x[0] * x[0] + x[1] * x[1]), all = sqrt(dot(3, x, x));
    double across[3] = {-x[1] / in, x[0] / in, 0};
    double up[3] = {x[1] * across[2] - x[2] * across[1], x[2] * across[0] - x[0] * across[2],
                    x[0] * across[1] - x[1] * across[0]};
    for (int j = 0; j < 3; j++) up[j] /= all;
    best = fmax(best, best_on_circle(p, theta, across, up, i));
  }
  return best;
}

/* ---- the search ---- */

typedef struct problem {
  direct_t p;
  double *theta; /* of all rows */
} problem_t;

static problem_t make(int n, int d, int C, hs_groups_t groups)
{
  problem_t x = {.p = direct_make(n, d, 1, C, HS_SQUARED, groups)};
  x.theta = direct_numbers(n * C);
  for (int e = 0; e < n * C; e++) x.theta[e] = direct_noise(50, e) - 0.3 * x.p.Y[e];
  return x;
}

static void forget(problem_t *x)
{
  direct_free(&x->p);
  free(x->theta);
}

static hs_gate_prices_t search(MPI_Comm comm, const problem_t *x, hs_precision_t precision,
                               const hs_gate_search_t *wanted)
{
  hs_gate_prices_t prices = {0};
  hs_traffic_t traffic = {0};
  hs_shard_t *shard = distributed_shard(comm, &x->p, 1, precision);
  const double *theta = x->theta + shard->row0 * x->p.outputs;
  if (hs_gated_price(comm, shard, x->p.groups, theta, wanted, &prices, &traffic) != HS_OK) {
    fprintf(stderr, "no search: %s\n", hs_error_message());
    MPI_Abort(comm, 1);
  }
  hs_shard_free(&shard);
  return prices;
}

/* Unit gates above the threshold, descending, of different masks and apart, at the prices of their masks. */
static bool is_sound(const problem_t *x, const hs_gate_prices_t *prices, const hs_gate_search_t *wanted)
{
  int d = x->p.d;
  bool good = prices->count <= wanted->keep && prices->d == d;
  for (int i = 0; i < prices->count; i++) {
    const double *g = prices->G + i * d;
    good = good && fabs(dot(d, g, g) - 1) <= 1e-12 && prices->price[i] > wanted->above;
    good = good && fabs(price_of_gate(&x->p, x->theta, g) - prices->price[i]) <= 1e-11 * prices->price[i];
    good = good && (i == 0 || prices->price[i] <= prices->price[i - 1] * (1 + 1e-9));
    for (int other = 0; other < i; other++) {
      int differ = 0;
      for (int k = 0; k < x->p.n; k++)
        differ += (dot(d, x->p.X + k * d, g) >= 0) != (dot(d, x->p.X + k * d, prices->G + other * d) >= 0);
      good = good && differ > 0 && dot(d, g, prices->G + other * d) <= HS_GATES_APART;
    }
  }
  return good && (prices->count == 0 || fabs(prices->best - prices->price[0]) <= 1e-9 * prices->best);
}

static const hs_gate_search_t usual = {.searches = 40, .circles = 30, .seed = 3, .keep = 8};

static void check_exact(int n, int d, int C, hs_groups_t groups)
{
  char name[120];
  problem_t x = make(n, d, C, groups);
  hs_gate_prices_t prices = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &usual);
  snprintf(name, sizeof name, "gates are what is said of them: d=%d C=%d %s", d, C, hs_groups_name(groups));
  hs_check(MPI_COMM_WORLD, prices.count > 0 && is_sound(&x, &prices, &usual), name);
  snprintf(name, sizeof name, "best price of all masks: d=%d C=%d %s", d, C, hs_groups_name(groups));
  hs_check_near(MPI_COMM_WORLD, prices.best, best_of_all(&x.p, x.theta), 1e-10, name);
  hs_gate_prices_free(&prices);
  forget(&x);
}

static bool same(const hs_gate_prices_t *a, const hs_gate_prices_t *b)
{
  bool good = a->count == b->count && a->circles == b->circles && fabs(a->best - b->best) <= 1e-9 * a->best;
  for (int i = 0; i < a->count && good; i++) {
    good = fabs(a->price[i] - b->price[i]) <= 1e-9 * a->price[i];
    for (int j = 0; j < a->d; j++) good = good && fabs(a->G[i * a->d + j] - b->G[i * a->d + j]) <= 1e-9;
  }
  return good;
}

/* All rows on one rank, and single precision, find the same. */
static void check_same(int n, int d, int C, hs_groups_t groups, const char *name)
{
  problem_t x = make(n, d, C, groups);
  hs_gate_prices_t here = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &usual);
  hs_gate_prices_t alone = search(MPI_COMM_SELF, &x, HS_DOUBLE, &usual);
  hs_gate_prices_t single = search(MPI_COMM_WORLD, &x, HS_SINGLE, &usual);
  hs_check(MPI_COMM_WORLD, here.count > (n > 3) && is_sound(&x, &here, &usual), name);
  hs_check(MPI_COMM_WORLD, same(&here, &alone), "the same gates as on one rank");
  hs_check(MPI_COMM_WORLD, same(&here, &single), "the same gates from features in single precision");
  hs_gate_prices_free(&here);
  hs_gate_prices_free(&alone);
  hs_gate_prices_free(&single);
  forget(&x);
}

/* A longer search goes on where a shorter one ends; another round looks elsewhere; thresholds and numbers are kept to. */
static void check_options(void)
{
  problem_t x = make(150, 5, 2, HS_JOINT);
  double best = 0;
  bool rising = true;
  hs_gate_search_t wanted = {.searches = 5, .seed = 3, .keep = 5};
  for (int circles = 1; circles <= 13; circles += 3) {
    wanted.circles = circles;
    hs_gate_prices_t prices = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &wanted);
    rising = rising && prices.best >= best && prices.circles == 5 * circles && is_sound(&x, &prices, &wanted);
    best = prices.best;
    hs_gate_prices_free(&prices);
  }
  hs_check(MPI_COMM_WORLD, rising, "more circles, no lower price");
  hs_gate_prices_t first = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &wanted);
  wanted.round = 1;
  hs_gate_prices_t second = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &wanted);
  hs_check(MPI_COMM_WORLD, first.count > 0 && second.count > 0 && !same(&first, &second),
           "another round, other starts");
  wanted.round = 0;
  wanted.above = first.price[first.count - 1];
  hs_gate_prices_t above = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &wanted);
  hs_check(MPI_COMM_WORLD, above.count == first.count - 1 && is_sound(&x, &above, &wanted),
           "only what is above the threshold");
  wanted.above = first.best;
  hs_gate_prices_t none = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &wanted);
  hs_check(MPI_COMM_WORLD, none.count == 0 && none.best == first.best, "none above the best");
  hs_gate_prices_free(&first);
  hs_gate_prices_free(&second);
  hs_gate_prices_free(&above);
  hs_gate_prices_free(&none);
  forget(&x);
}

/* One column leaves two masks and those of rows at zero. */
static void check_one_column(void)
{
  problem_t x = make(9, 1, 1, HS_JOINT);
  double plus[1] = {1}, minus[1] = {-1};
  for (int k = 0; k < x.p.n; k++) x.p.X[k] = k % 3 - 1;
  hs_gate_prices_t prices = search(MPI_COMM_WORLD, &x, HS_DOUBLE, &usual);
  double truth = fmax(price_of_gate(&x.p, x.theta, plus), price_of_gate(&x.p, x.theta, minus));
  hs_check_near(MPI_COMM_WORLD, prices.best, truth, 1e-12, "one column");
  hs_gate_prices_free(&prices);
  forget(&x);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  const hs_groups_t groups[] = {HS_JOINT, HS_PER_OUTPUT, HS_NUCLEAR};
  for (int d = 2; d <= 3; d++) {
    check_exact(d == 2 ? 60 : 35, d, 1, HS_JOINT);
    for (int g = 0; g < 3; g++) check_exact(d == 2 ? 60 : 35, d, 2, groups[g]);
  }
  check_same(600, 7, 1, HS_JOINT, "gates of more than one slab of rows");
  check_same(120, 5, 2, HS_NUCLEAR, "gates of two outputs");
  check_same(3, 3, 1, HS_JOINT, "gates of three rows: ranks without rows");
  check_options();
  check_one_column();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
