/* Which gates are passed over, and whether they may be.
 *
 * The gradient is asked for along paths of w that the module cannot know, and every answer is held against all masked
 * gradients by direct loops:
 *     computed     s_i = A_i'w
 *     passed over  z_i = 0, ||A_i'w||_* <= beta, and s_i = 0
 *     returned     at least max_i ||A_i'w||_*; that maximum itself where it is above beta; never above beta otherwise
 * Paths: small random steps; and steps straight towards the worst case, along the residual that raises the norm of a
 * gate as fast as is possible, until it crosses beta.
 */
#include "mpi/admm/active_set.h"

#include "mpi/admm/gate_size.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define STEPS 40
#define EXTRA 2

static MPI_Comm comm;

typedef struct path {
  direct_t direct;
  distributed_t x;
  hs_active_set_t *set;
  hs_traffic_t traffic;
  double *z, *s, *truth; /* weights, and room for the extra numbers */
  double *w, *step;      /* of all rows */
  double tolerance;
  int passed_over, crossed;
  bool right;
} path_t;

static int size_of(const direct_t *p)
{
  return p->d * p->outputs;
}

static double true_norm(const path_t *path, int gate)
{
  return direct_norm_of(&path->direct, path->truth + gate * size_of(&path->direct), 1);
}

/* beta between the smallest norm of a gate (share 0) and the largest (1), or beyond: gates below have no weights, but
 * for the first. */
static void choose_beta(path_t *path, double share)
{
  const direct_t *p = &path->direct;
  double low = INFINITY, high = 0;
  direct_adjoint(p, path->w, path->truth);
  for (int i = 0; i < p->gates; i++) {
    low = fmin(low, true_norm(path, i));
    high = fmax(high, true_norm(path, i));
  }
  path->x.problem.beta = path->direct.beta = (1 - share) * low + share * high;
  for (int i = 0; i < p->gates; i++)
    if (i == 0 || true_norm(path, i) > path->direct.beta) path->z[i * size_of(p)] = 1;
}

static void begin(path_t *path, int d, int gates, int outputs, hs_groups_t groups, hs_precision_t precision,
                  double share)
{
  *path = (path_t){.direct = direct_make(300, d, gates, outputs, HS_SQUARED, groups), .right = true};
  direct_t *p = &path->direct;
  distributed_make(&path->x, comm, p, 0.5, 6, precision);
  path->tolerance = precision == HS_SINGLE ? 1e-5 : 1e-12;
  if (hs_active_set_create(&path->set, &path->x.problem) != HS_OK) abort();
  int weights = gates * size_of(p), values = p->n * outputs;
  path->z = direct_numbers(weights);
  path->s = direct_numbers(weights + EXTRA);
  path->truth = direct_numbers(weights);
  path->w = direct_numbers(values);
  path->step = direct_numbers(values);
  for (int e = 0; e < values; e++) path->w[e] = p->Y[e];
  choose_beta(path, share);
}

static void end(path_t *path)
{
  hs_active_set_free(&path->set);
  distributed_free(&path->x);
  direct_free(&path->direct);
  double *owned[] = {path->z, path->s, path->truth, path->w, path->step};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

static double ask(path_t *path, hs_active_set_t *set, double *s)
{
  const direct_t *p = &path->direct;
  double *extra = s + p->gates * size_of(p);
  extra[0] = 1;
  extra[1] = hs_rank(comm);
  return hs_active_set_gradient(set, path->z, path->w + path->x.shard->row0 * p->outputs, s, EXTRA,
                                &path->traffic);
}

static bool extra_is_right(const path_t *path)
{
  const double *extra = path->s + path->direct.gates * size_of(&path->direct);
  int ranks = hs_ranks(comm);
  return extra[0] == ranks && extra[1] == ranks * (ranks - 1) / 2;
}

static bool block_is_right(const path_t *path, int gate, bool computed)
{
  int size = size_of(&path->direct);
  const double *s = path->s + gate * size, *truth = path->truth + gate * size, *z = path->z + gate * size;
  bool zero = true, no_weights = true;
  double off = 0, scale = 0;
  for (int e = 0; e < path->direct.gates * size; e++) scale = fmax(scale, fabs(path->truth[e]));
  for (int e = 0; e < size; e++) {
    zero &= s[e] == 0;
    no_weights &= z[e] == 0;
    off = fmax(off, fabs(s[e] - truth[e]));
  }
  if (computed) return off <= path->tolerance * scale;
  return zero && no_weights && true_norm(path, gate) <= path->direct.beta;
}

/* One gradient, and everything about it that has to be true. */
static void look(path_t *path)
{
  const direct_t *p = &path->direct;
  double most = 0, beta = p->beta, returned = ask(path, path->set, path->s);
  const bool *computed = hs_active_set_computed(path->set);
  direct_adjoint(p, path->w, path->truth);
  for (int i = 0; i < p->gates; i++) {
    path->right &= block_is_right(path, i, computed[i]);
    path->passed_over += !computed[i];
    path->crossed += path->z[i * size_of(p)] == 0 && true_norm(path, i) > beta;
    most = fmax(most, true_norm(path, i));
  }
  path->right &= extra_is_right(path);
  path->right &= returned >= most * (1 - path->tolerance);
  path->right &= returned <= fmax(most, beta) * (1 + path->tolerance);
}

static void move(path_t *path, double length)
{
  for (int e = 0; e < path->direct.n * path->direct.outputs; e++) path->w[e] += length * path->step[e];
}

/* Random steps, ever smaller, with a larger one now and then. */
static void walk(path_t *path)
{
  int values = path->direct.n * path->direct.outputs;
  double length = 0.05;
  for (int t = 0; t < STEPS; t++) {
    for (int e = 0; e < values; e++) path->step[e] = direct_noise(50 + (uint32_t)t, e);
    look(path);
    move(path, t % 11 == 10 ? 0.1 : length);
    length *= 0.85;
  }
}

/* The unit step that raises the norm of the largest gate without weights fastest: D_i X v, v its leading direction,
 * in the output where the gradient is largest. Both in the sign of the gradient. */
static void aim(path_t *path, int gate)
{
  const direct_t *p = &path->direct;
  double *v = direct_numbers(p->d), *next = direct_numbers(p->d), norm;
  int size = size_of(p), best = 0;
  const double *s = path->truth + gate * size;
  for (int e = 0; e < size; e++)
    if (fabs(s[e]) > fabs(s[best])) best = e;
  int c = best / p->d;
  for (int j = 0; j < p->d; j++) v[j] = s[c * p->d + j];
  for (int round = 0; round < 3; round++) {
    memset(next, 0, (size_t)p->d * sizeof *next);
    memset(path->step, 0, (size_t)(p->n * p->outputs) * sizeof(double));
    norm = 0;
    for (int k = 0; k < p->n; k++) {
      double dot = 0;
      for (int j = 0; j < p->d && p->mask[k * p->gates + gate]; j++) dot += p->X[k * p->d + j] * v[j];
      path->step[k * p->outputs + c] = dot;
      norm += dot * dot;
      for (int j = 0; j < p->d; j++) next[j] += dot * p->X[k * p->d + j];
    }
    for (int k = 0; k < p->n; k++) path->step[k * p->outputs + c] /= sqrt(norm);
    memcpy(v, next, (size_t)p->d * sizeof *v);
  }
  free(v);
  free(next);
}

static void drive(path_t *path)
{
  const direct_t *p = &path->direct;
  int nearest = -1;
  look(path);
  for (int i = 0; i < p->gates; i++)
    if (path->z[i * size_of(p)] == 0 && (nearest < 0 || true_norm(path, i) > true_norm(path, nearest)))
      nearest = i;
  aim(path, nearest);
  double *size = direct_numbers(p->gates), *work = direct_numbers((int)hs_gate_sizes_work(p->gates, p->d));
  hs_gate_sizes(&path->x.problem, size, work, &path->traffic);
  double length = 3 * (p->beta - true_norm(path, nearest)) / size[nearest] / STEPS;
  for (int t = 0; t < STEPS; t++) {
    move(path, length);
    look(path);
  }
  free(size);
  free(work);
}

static void check_path(void way(path_t *), const char *what, int d, int gates, int outputs,
                       hs_groups_t groups, hs_precision_t precision, double share)
{
  path_t path;
  char name[200];
  begin(&path, d, gates, outputs, groups, precision, share);
  way(&path);
  snprintf(name, sizeof name, "%s: d %d, %d gates, %d outputs, %s, %s", what, d, gates, outputs,
           hs_groups_name(groups), precision == HS_SINGLE ? "single" : "double");
  hs_check(comm, path.right && path.passed_over > STEPS && (path.crossed > 0 || way != drive), name);
  end(&path);
}

/* A gate that gets weights is computed from then on. */
static void check_weights(void)
{
  path_t path;
  begin(&path, 6, 60, 1, HS_JOINT, HS_DOUBLE, 0.6);
  int woken = 0;
  for (int t = 0; t < STEPS && path.right; t++) {
    look(&path);
    const bool *computed = hs_active_set_computed(path.set);
    for (int i = t % 60; i < 60 && t % 3 == 2; i++)
      if (!computed[i]) {
        path.z[i * 6 + 5] = 1e-300;
        woken++;
        break;
      }
  }
  hs_check(comm, path.right && woken > 3, "gates that get weights are computed");
  end(&path);
}

/* Upper bounds on what power iteration finds, and no more than the Frobenius norm or the norm of all rows. */
static void check_sizes(int d, hs_precision_t precision)
{
  path_t path;
  char name[100];
  begin(&path, d, 12, 1, HS_JOINT, precision, 0.6);
  const direct_t *p = &path.direct;
  double *size = direct_numbers(12), *work = direct_numbers((int)hs_gate_sizes_work(p->gates, p->d));
  hs_gate_sizes(&path.x.problem, size, work, &path.traffic);
  bool right = true;
  for (int i = 0; i < 12; i++) {
    direct_adjoint(p, path.w, path.truth);
    double lower = 0, square = 0, length = 0;
    for (int round = 0; round < 30; round++) {
      aim(&path, i);
      direct_adjoint(p, path.step, path.truth);
      lower = fmax(lower, true_norm(&path, i));
    }
    for (int k = 0; k < p->n; k++) length += path.step[k] * path.step[k];
    for (int k = 0; k < p->n; k++)
      for (int j = 0; j < d && p->mask[k * 12 + i]; j++) square += p->X[k * d + j] * p->X[k * d + j];
    right &= fabs(length - 1) < 1e-9 && size[i] >= lower && size[i] <= sqrt(square) * (1 + 1e-9) &&
             (d > 256 || size[i] < 3 * lower);
  }
  snprintf(name, sizeof name, "sizes of the gates, d %d, %s", d,
           precision == HS_SINGLE ? "single" : "double");
  hs_check(comm, right, name);
  free(size);
  free(work);
  end(&path);
}

/* A set that goes on from the checkpoint of another gives the same bits, though the operator was grouped otherwise. */
static void check_checkpoint(void)
{
  path_t path;
  begin(&path, 6, 60, 1, HS_JOINT, HS_DOUBLE, 0.6);
  walk(&path);
  hs_active_set_t *other;
  static hs_state_t from, to;
  int count = 60 * 6;
  hs_active_set_describe(path.set, &from);
  double *kept[2], *s = direct_numbers(count + EXTRA);
  for (int i = 0; i < 2; i++) {
    int64_t numbers = from.item[i].kind == HS_STORED_ROWS ? path.x.shard->rows : from.item[i].columns;
    kept[i] = direct_numbers((int)numbers);
    memcpy(kept[i], from.item[i].data, (size_t)numbers * sizeof(double));
  }
  move(&path, 1e-3);
  double first = ask(&path, path.set, path.s);
  if (hs_active_set_create(&other, &path.x.problem) != HS_OK) abort();
  hs_active_set_describe(other, &to);
  for (int i = 0; i < 2; i++) {
    int64_t numbers = to.item[i].kind == HS_STORED_ROWS ? path.x.shard->rows : to.item[i].columns;
    memcpy(to.item[i].data, kept[i], (size_t)numbers * sizeof(double));
    free(kept[i]);
  }
  hs_active_set_restored(other);
  double second = ask(&path, other, s);
  int passed_over = 0;
  for (int i = 0; i < 60; i++) passed_over += !hs_active_set_computed(other)[i];
  hs_check(comm,
           memcmp(s, path.s, (size_t)(count + EXTRA) * sizeof *s) == 0 && first == second && passed_over > 0,
           "the same bits after a checkpoint");
  free(s);
  hs_active_set_free(&other);
  end(&path);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  comm = MPI_COMM_WORLD;
  for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
    hs_precision_t in = (hs_precision_t)precision;
    check_path(walk, "random steps", 6, 60, 1, HS_JOINT, in, 0.6);
    check_path(walk, "random steps", 5, 33, 3, HS_JOINT, in, 0.6);
    check_path(walk, "random steps", 5, 33, 3, HS_PER_OUTPUT, in, 0.6);
    check_path(walk, "random steps", 5, 33, 3, HS_NUCLEAR, in, 0.6);
    check_path(walk, "random steps below beta", 6, 60, 1, HS_JOINT, in, 1.3);
    check_path(drive, "the worst steps", 6, 60, 1, HS_JOINT, in, 0.6);
    check_path(drive, "the worst steps", 5, 33, 3, HS_PER_OUTPUT, in, 0.6);
    check_path(drive, "the worst steps", 5, 33, 3, HS_NUCLEAR, in, 0.6);
    check_sizes(2, in);
    check_sizes(6, in);
  }
  check_sizes(270, HS_DOUBLE);
  check_weights();
  check_checkpoint();
  int code = hs_check_summary(comm);
  MPI_Finalize();
  return code;
}
