#include "mpi/pricing/relu_ascent.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"
#include "mpi/pricing/relu_products.h"

/* When a column is at rest. */
typedef struct rest {
  double angle; /* |G - f w| / f */
  double gain;  /* of f by a step, relative */
  double kappa; /* in units of f */
} rest_t;

/* Changes of f of 1e-7 are round-off in single precision: differences of w of 1e-4 do not show. With several outputs f is
 * curved in a cell as well: w is then known to the root of the last gain only, and the same maximum must be found as the same. */
static rest_t rest_of(hs_precision_t precision, int outputs)
{
  if (precision == HS_SINGLE) return (rest_t){.angle = 1e-5, .gain = 1e-6, .kappa = 1e4};
  return (rest_t){.angle = 1e-8, .gain = outputs > 1 ? 1e-11 : 1e-9, .kappa = 1e6};
}

/* A point of each column: w (d), gradient (d), T'(Xw)_+ (C), its length. */
typedef struct points {
  double *W, *G, *A, *f;
} points_t;

struct hs_relu_ascent {
  MPI_Comm comm;
  hs_relu_products_t *products;
  int d, C;
  rest_t rest;
  int moving;          /* columns that are not at rest: the first ones of everything below */
  points_t now, tried; /* tried.G: of the columns that move, one after the other */
  double *kappa;
  int *column;   /* number in the batch */
  int *last;     /* a step with kappa = 0 is the last one, unless it gains */
  int *accepted; /* columns that move, ascending, */
  int moves;     /* so many */
  double *a;     /* moves x C */
};

static bool create_points(points_t *points, size_t columns, size_t d, size_t C)
{
  points->W = hs_alloc(columns * d, sizeof(double), "directions of the price");
  points->G = hs_alloc(columns * d, sizeof(double), "gradients of the price");
  points->A = hs_alloc(columns * C, sizeof(double), "values of the price");
  points->f = hs_alloc(columns, sizeof(double), "values of the price");
  return points->W != NULL && points->G != NULL && points->A != NULL && points->f != NULL;
}

static void free_points(points_t *points)
{
  hs_free(points->W);
  hs_free(points->G);
  hs_free(points->A);
  hs_free(points->f);
}

static bool allocate(hs_relu_ascent_t *ascent, size_t columns)
{
  size_t d = (size_t)ascent->d, C = (size_t)ascent->C;
  ascent->kappa = hs_alloc(columns, sizeof(double), "shifts of the price");
  ascent->column = hs_alloc(columns, sizeof(int), "columns of the price");
  ascent->last = hs_alloc(columns, sizeof(int), "columns of the price");
  ascent->accepted = hs_alloc(columns, sizeof(int), "columns of the price");
  ascent->a = hs_alloc(columns * C, sizeof(double), "directions of the price");
  bool good = ascent->kappa != NULL && ascent->column != NULL && ascent->last != NULL;
  return create_points(&ascent->now, columns, d, C) && create_points(&ascent->tried, columns, d, C) && good &&
         ascent->accepted != NULL && ascent->a != NULL;
}

hs_status_t hs_relu_ascent_create(hs_relu_ascent_t **out, const hs_relu_problem_t *problem,
                                  const double *theta, int columns)
{
  hs_relu_ascent_t *ascent = *out = hs_alloc(1, sizeof *ascent, "ascent of the price");
  hs_status_t status = ascent != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    *ascent = (hs_relu_ascent_t){.comm = problem->comm, .d = problem->shard->d, .C = problem->shard->outputs};
    status = allocate(ascent, (size_t)columns) ? HS_OK : HS_NO_MEMORY;
  }
  if (status == HS_OK) status = hs_relu_products_create(&ascent->products, problem->shard, theta, columns);
  status = hs_agree(problem->comm, status);
  if (status != HS_OK) hs_relu_ascent_free(out);
  return status;
}

void hs_relu_ascent_free(hs_relu_ascent_t **out)
{
  hs_relu_ascent_t *ascent = *out;
  if (ascent == NULL) return;
  hs_relu_products_free(&ascent->products);
  free_points(&ascent->now);
  free_points(&ascent->tried);
  hs_free(ascent->kappa);
  hs_free(ascent->column);
  hs_free(ascent->last);
  hs_free(ascent->accepted);
  hs_free(ascent->a);
  hs_free(ascent);
  *out = NULL;
}

/* Replicated sums are plain loops: the same code, hence the same bits, on all ranks, whatever BLAS takes for
 * their processors. */
static double dot(int count, const double *x, const double *y)
{
  double sum = 0;
  for (int j = 0; j < count; j++) sum += x[j] * y[j];
  return sum;
}

static double length(int count, const double *x)
{
  return sqrt(dot(count, x, x));
}

static double *at(double *numbers, int column, int wide)
{
  return numbers + (size_t)column * (size_t)wide;
}

static void copy(double *to, const double *from, int count)
{
  memmove(to, from, (size_t)count * sizeof *to);
}

/* tried w = unit(G + kappa w); w itself where there is no direction. */
static void propose(hs_relu_ascent_t *ascent)
{
  int d = ascent->d;
  for (int s = 0; s < ascent->moving; s++) {
    double *tried = at(ascent->tried.W, s, d), kappa = ascent->kappa[s];
    const double *w = at(ascent->now.W, s, d), *G = at(ascent->now.G, s, d);
    for (int j = 0; j < d; j++) tried[j] = G[j] + kappa * w[j];
    double size = length(d, tried);
    for (int j = 0; j < d; j++) tried[j] = size > 0 ? tried[j] / size : w[j];
  }
}

/* f of the columns tried. One output: their gradients as well, but for the sign. */
static void evaluate(hs_relu_ascent_t *ascent, hs_precision_t precision, hs_ascent_work_t *work,
                     hs_traffic_t *traffic)
{
  points_t *tried = &ascent->tried;
  int d = ascent->d, C = ascent->C, m = ascent->moving;
  if (C == 1) {
    hs_relu_products_both(ascent->products, precision, m, tried->W, tried->G);
    hs_sum(ascent->comm, tried->G, (int64_t)m * d, traffic);
    for (int s = 0; s < m; s++) tried->A[s] = dot(d, at(tried->W, s, d), at(tried->G, s, d));
    work->gradients += m;
  } else {
    hs_relu_products_values(ascent->products, precision, m, tried->W, tried->A);
    hs_sum(ascent->comm, tried->A, (int64_t)m * C, traffic);
  }
  for (int s = 0; s < m; s++) tried->f[s] = length(C, at(tried->A, s, C));
  work->values += m;
  work->steps += 1;
}

/* Which columns move, and a = A / f of them. */
static void judge(hs_relu_ascent_t *ascent)
{
  const points_t *tried = &ascent->tried;
  int C = ascent->C;
  ascent->moves = 0;
  for (int s = 0; s < ascent->moving; s++) {
    if (!(tried->f[s] >= ascent->now.f[s])) continue;
    int move = ascent->moves++;
    ascent->accepted[move] = s;
    for (int c = 0; c < C; c++)
      at(ascent->a, move, C)[c] = tried->f[s] > 0 ? at(tried->A, s, C)[c] / tried->f[s] : 0;
  }
}

/* tried.G of the columns that move, one after the other. */
static void differentiate(hs_relu_ascent_t *ascent, hs_ascent_work_t *work, hs_traffic_t *traffic)
{
  int d = ascent->d, moves = ascent->moves;
  double *G = ascent->tried.G;
  if (moves == 0) return;
  if (ascent->C > 1) {
    hs_relu_products_gradients(ascent->products, moves, ascent->accepted, ascent->a, G);
    hs_sum(ascent->comm, G, (int64_t)moves * d, traffic);
    work->gradients += moves;
    return;
  }
  for (int move = 0; move < moves; move++) {
    const double *from = at(G, ascent->accepted[move], d);
    double *to = at(G, move, d), sign = ascent->a[move];
    for (int j = 0; j < d; j++) to[j] = sign * from[j];
  }
}

static bool is_stationary(const hs_relu_ascent_t *ascent, int s)
{
  const double *w = at(ascent->now.W, s, ascent->d), *G = at(ascent->now.G, s, ascent->d);
  double f = ascent->now.f[s], sum = 0;
  for (int j = 0; j < ascent->d; j++) sum += (G[j] - f * w[j]) * (G[j] - f * w[j]);
  return sqrt(sum) <= ascent->rest.angle * f;
}

/* Move column s to the point tried, whose gradient is number `move`; true if it is at rest there. */
static bool accept(hs_relu_ascent_t *ascent, int s, int move)
{
  points_t *now = &ascent->now, *tried = &ascent->tried;
  double f = tried->f[s], gain = now->f[s] < 0 ? INFINITY : f - now->f[s];
  copy(at(now->W, s, ascent->d), at(tried->W, s, ascent->d), ascent->d);
  copy(at(now->G, s, ascent->d), at(tried->G, move, ascent->d), ascent->d);
  copy(at(now->A, s, ascent->C), at(tried->A, s, ascent->C), ascent->C);
  now->f[s] = f;
  if (is_stationary(ascent, s)) return true;
  ascent->kappa[s] = ascent->kappa[s] / 2 < 0.05 * f ? 0 : ascent->kappa[s] / 2;
  bool small = gain <= ascent->rest.gain * f;
  if (small && ascent->last[s]) return true;
  ascent->last[s] = small;
  if (small) ascent->kappa[s] = 0;
  return false;
}

/* Column s stays; true if it is at rest. */
static bool stay(hs_relu_ascent_t *ascent, int s)
{
  double f = ascent->now.f[s], size = length(ascent->d, at(ascent->now.G, s, ascent->d));
  if (f < 0 || ascent->last[s]) return true;
  ascent->kappa[s] = fmax(3 * ascent->kappa[s], fmax(f, 0.1 * size));
  return !(ascent->kappa[s] <= ascent->rest.kappa * f);
}

static void give_back(const hs_relu_ascent_t *ascent, int s, hs_ascent_batch_t *batch)
{
  int column = ascent->column[s];
  bool never = ascent->now.f[s] < 0; /* not finite at its start */
  copy(at(batch->W, column, ascent->d), at(ascent->now.W, s, ascent->d), ascent->d);
  copy(at(batch->A, column, ascent->C), at(never ? ascent->tried.A : ascent->now.A, s, ascent->C), ascent->C);
  batch->f[column] = never ? ascent->tried.f[s] : ascent->now.f[s];
}

static void move_column(hs_relu_ascent_t *ascent, int to, int from)
{
  points_t *now = &ascent->now;
  copy(at(now->W, to, ascent->d), at(now->W, from, ascent->d), ascent->d);
  copy(at(now->G, to, ascent->d), at(now->G, from, ascent->d), ascent->d);
  copy(at(now->A, to, ascent->C), at(now->A, from, ascent->C), ascent->C);
  now->f[to] = now->f[from];
  ascent->kappa[to] = ascent->kappa[from];
  ascent->last[to] = ascent->last[from];
  ascent->column[to] = ascent->column[from];
}

/* Take the result of a step; columns at rest leave, the others close ranks. */
static void update(hs_relu_ascent_t *ascent, bool last_step, hs_ascent_batch_t *batch)
{
  int kept = 0, move = 0;
  for (int s = 0; s < ascent->moving; s++) {
    bool moves = move < ascent->moves && ascent->accepted[move] == s;
    bool rests = moves ? accept(ascent, s, move++) : stay(ascent, s);
    if (rests || last_step)
      give_back(ascent, s, batch);
    else if (kept++ < s)
      move_column(ascent, kept - 1, s);
  }
  ascent->moving = kept;
}

void hs_relu_ascent_run(hs_relu_ascent_t *ascent, hs_ascent_batch_t *batch, hs_precision_t precision,
                        int max_steps, hs_ascent_work_t *work, hs_traffic_t *traffic)
{
  ascent->rest = rest_of(precision, ascent->C);
  ascent->moving = batch->count;
  copy(ascent->tried.W, batch->W, batch->count * ascent->d);
  copy(ascent->now.W, batch->W, batch->count * ascent->d);
  for (int s = 0; s < batch->count; s++) {
    ascent->column[s] = s;
    ascent->kappa[s] = ascent->last[s] = 0;
    ascent->now.f[s] = -1; /* any value is better */
  }
  for (int step = 0; step <= max_steps && ascent->moving > 0; step++) {
    if (step > 0) propose(ascent);
    evaluate(ascent, precision, work, traffic);
    judge(ascent);
    differentiate(ascent, work, traffic);
    update(ascent, step == max_steps, batch);
  }
}
