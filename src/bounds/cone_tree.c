#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "bounds/cone_tree_private.h"

#define CLIMB_EVERY 256 /* new vertices between two climbs */
#define CLIMB_STEPS 100
#define LEAST_SHARE 0.1 /* of a corner in the choice of an edge */

double hs_cone_tree_threshold(const hs_cone_tree_t *tree)
{
  return (1 + tree->options.epsilon) * fmax(tree->options.floor, tree->best);
}

double hs_cone_tree_best(const hs_cone_tree_t *tree)
{
  return tree->best;
}

double hs_cone_tree_seen(const hs_cone_tree_t *tree, const double **w)
{
  *w = tree->seen_at;
  return tree->seen;
}

int64_t hs_cone_tree_open(const hs_cone_tree_t *tree)
{
  return tree->open;
}

double hs_cone_tree_largest(const hs_cone_tree_t *tree)
{
  return tree->open > 0 ? tree->heap[0].bound : 0;
}

int64_t hs_cone_tree_nodes(const hs_cone_tree_t *tree)
{
  return tree->nodes;
}

void hs_cone_tree_raise(hs_cone_tree_t *tree, double value)
{
  tree->best = fmax(tree->best, value);
}

void hs_cone_tree_see(hs_cone_tree_t *tree, double value, const double *w)
{
  hs_cone_tree_raise(tree, value);
  if (value <= tree->seen) return;
  tree->seen = value;
  memcpy(tree->seen_at, w, (size_t)tree->options.d * sizeof *w);
}

/* ---- the heap ---- */

hs_status_t hs_cone_tree_reserve(hs_cone_tree_t *tree, int64_t more)
{
  if (tree->open + more <= tree->room) return HS_OK;
  int64_t room = hs_max64(2 * tree->room, tree->open + more);
  open_cone_t *heap = hs_alloc((size_t)room, sizeof *heap, "open cones");
  if (heap == NULL) return HS_NO_MEMORY;
  if (tree->open > 0) memcpy(heap, tree->heap, (size_t)tree->open * sizeof *heap);
  hs_free(tree->heap);
  tree->heap = heap;
  tree->room = room;
  return HS_OK;
}

void hs_cone_tree_push(hs_cone_tree_t *tree, const open_cone_t *cone)
{
  int64_t at = tree->open++;
  for (; at > 0 && tree->heap[(at - 1) / 2].bound < cone->bound; at = (at - 1) / 2)
    tree->heap[at] = tree->heap[(at - 1) / 2];
  tree->heap[at] = *cone;
}

open_cone_t hs_cone_tree_pop(hs_cone_tree_t *tree)
{
  open_cone_t top = tree->heap[0], last = tree->heap[--tree->open];
  int64_t at = 0;
  for (int64_t child = 1; child < tree->open; child = 2 * at + 1) {
    if (child + 1 < tree->open && tree->heap[child + 1].bound > tree->heap[child].bound) child++;
    if (tree->heap[child].bound <= last.bound) break;
    tree->heap[at] = tree->heap[child];
    at = child;
  }
  tree->heap[at] = last;
  return top;
}

void hs_cone_tree_let_go(hs_cone_tree_t *tree, const open_cone_t *cone)
{
  for (int j = 0; j < tree->options.d; j++) hs_vertices_release(&tree->vertices, cone->corner[j]);
}

void hs_cone_tree_hold(hs_cone_tree_t *tree, const open_cone_t *cone)
{
  for (int j = 0; j < tree->options.d; j++) hs_vertices_hold(&tree->vertices, cone->corner[j]);
}

static double bytes_used(const hs_cone_tree_t *tree)
{
  return (double)tree->open * (double)sizeof(open_cone_t) +
         (double)tree->vertices.live * hs_vertex_bytes(tree->options.d);
}

/* ---- rounds ---- */

static double unit(int d, double *w)
{
  double square = 0;
  for (int j = 0; j < d; j++) square += w[j] * w[j];
  double length = sqrt(square);
  for (int j = 0; j < d && length > 0; j++) w[j] /= length;
  return length;
}

static double inner(int d, const double *a, const double *b)
{
  double sum = 0;
  for (int j = 0; j < d; j++) sum += a[j] * b[j];
  return sum;
}

/* The cone with one end of its edge moved to the middle. */
static void make_half(const open_cone_t *whole, int end, int32_t middle, new_cone_t *half)
{
  half->cone = *whole;
  half->cone.corner[(int)whole->edge[end]] = middle;
  half->most = whole->bound;
}

static void centre_of(const hs_cone_tree_t *tree, const open_cone_t *cone, double *centre)
{
  int d = tree->options.d;
  memset(centre, 0, (size_t)d * sizeof *centre);
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) centre[j] += hs_vertex(&tree->vertices, cone->corner[i])[j];
  unit(d, centre);
}

/* Take up to a round of cones off the heap and halve them; what is closed by now is dropped. The halves go to tree->fresh,
 * the vertices that have no values yet to tree->middles. */
static int halve(hs_cone_tree_t *tree, int *middles)
{
  int halves = 0;
  double threshold = hs_cone_tree_threshold(tree);
  bool narrow = bytes_used(tree) > 0.5 * tree->options.bytes;
  *middles = 0;
  while (halves < 2 * tree->options.round && tree->open > 0) {
    /* A cone from the end of the heap has a small bound: what it leaves behind is closed soon, and memory freed. */
    open_cone_t whole = narrow ? tree->heap[--tree->open] : hs_cone_tree_pop(tree);
    if (whole.bound > threshold) {
      bool is_new;
      int32_t middle = hs_vertices_middle(&tree->vertices, whole.corner[(int)whole.edge[0]],
                                          whole.corner[(int)whole.edge[1]], &is_new);
      if (is_new) tree->middles[(*middles)++] = middle;
      for (int end = 0; end < 2; end++) {
        make_half(&whole, end, middle, tree->fresh + halves);
        hs_cone_tree_hold(tree, &tree->fresh[halves++].cone);
      }
    }
    hs_cone_tree_let_go(tree, &whole);
  }
  return halves;
}

/* Gradients at the middles, then at the centres of the halves. */
static void evaluate(hs_cone_tree_t *tree, int middles, int halves)
{
  int d = tree->options.d;
  for (int i = 0; i < middles; i++)
    memcpy(tree->points + i * d, hs_vertex(&tree->vertices, tree->middles[i]), (size_t)d * sizeof(double));
  for (int i = 0; i < halves; i++) centre_of(tree, &tree->fresh[i].cone, tree->points + (middles + i) * d);
  if (tree->options.norm != NULL) return; /* bounds evaluate by themselves */
  tree->options.evaluate(tree->options.context, middles + halves, tree->points, tree->gradients);
  for (int i = 0; i < middles; i++) {
    double f = hs_vertices_fill(&tree->vertices, tree->middles[i], tree->gradients + i * 2 * d);
    hs_cone_tree_see(tree, fabs(f), tree->points + i * d);
  }
  for (int i = middles; i < middles + halves; i++) {
    const double *g = tree->gradients + i * 2 * d, *w = tree->points + i * d;
    hs_cone_tree_see(tree, fabs(inner(d, g, w) - inner(d, g + d, w)), w);
  }
}

void hs_cone_tree_fill(hs_cone_tree_t *tree, int count)
{
  evaluate(tree, count, 0);
}

/* The edge of which halving promises most. What the bound of a cone misses comes from rows that change their sign along its
 * edges; for two corners a and b and the gradients g of either part,
 *     error(a, b) = (g(v_a) - g(v_b))'(v_a - v_b) = sum over these rows of |q_k'(v_a - v_b)|,
 * to which, of a norm, comes what its part across the direction at the centre is bent by. It counts in proportion to l_a l_b
 * at the point where the bound is attained. No edge below half of the longest is taken, so that cones do not become thin; where
 * nothing is known (a norm that is zero at the centre has no direction), it is the longest. */
static void choose_edge(const hs_cone_t *data, const double (*own)[HS_CONE_WIDTH],
                        const double (*bend)[HS_CONE_WIDTH], const double *where, open_cone_t *cone)
{
  double square[HS_CONE_WIDTH][HS_CONE_WIDTH], error[HS_CONE_WIDTH][HS_CONE_WIDTH], longest = 0, total = 0;
  bool promising = false;
  for (int a = 0; a < data->d; a++) {
    total += where[a];
    for (int b = 0; b < a; b++) {
      square[a][b] = error[a][b] = 0;
      for (int j = 0; j < HS_CONE_WIDTH; j++) {
        double step = data->edges[a][j] - data->edges[b][j];
        square[a][b] += step * step;
        error[a][b] += step * (own[a][j] - own[b][j] + data->gradients[a][j] - data->gradients[b][j]);
      }
      if (bend != NULL) error[a][b] += bend[a][b];
      promising = promising || error[a][b] > 0;
      longest = fmax(longest, square[a][b]);
    }
  }
  double most = -INFINITY;
  for (int a = 0; a < data->d; a++)
    for (int b = 0; b < a; b++) {
      double score = (where[a] + LEAST_SHARE * total) * (where[b] + LEAST_SHARE * total) * error[a][b] *
                     sqrt(square[a][b]);
      if (!promising) score = square[a][b];
      if (square[a][b] < 0.25 * longest || score <= most) continue;
      most = score;
      cone->edge[0] = (int8_t)a;
      cone->edge[1] = (int8_t)b;
    }
}

/* Bound a half; g: the gradients at its centre. */
static void bound_half(hs_cone_tree_t *tree, new_cone_t *half, const double *g)
{
  int d = tree->options.d, part = half->cone.part, other = 1 - part;
  size_t bytes = (size_t)d * sizeof(double);
  double where[HS_CONE_WIDTH], own[HS_CONE_WIDTH][HS_CONE_WIDTH] = {{0}};
  hs_cone_t data;
  memset(&data, 0, sizeof data);
  data.d = d;
  data.tangents = d + 1;
  for (int j = 0; j < d; j++) {
    const double *v = hs_vertex(&tree->vertices, half->cone.corner[j]);
    memcpy(data.edges[j], v, bytes);
    memcpy(data.gradients[j], v + (1 + other) * d, bytes);
    memcpy(own[j], v + (1 + part) * d, bytes);
    data.F[j] = v[3 * d + part];
  }
  memcpy(data.gradients[d], g + other * d, bytes);
  double bound = hs_cone_bound(&data, hs_cone_tree_threshold(tree), where);
  half->cone.bound = fmin(half->most, bound);
  choose_edge(&data, (const double(*)[HS_CONE_WIDTH])own, NULL, where, &half->cone);
  tree->nodes++;
}

/* The same for several outputs; in a pass over their rows, which gives |f| at the centre as well. */
static void bound_norm(hs_cone_tree_t *tree, new_cone_t *half, const double *centre)
{
  int d = tree->options.d;
  double where[HS_CONE_WIDTH];
  hs_cone_t data;
  hs_norm_cone_t about;
  memset(&data, 0, sizeof data);
  data.d = d;
  for (int j = 0; j < d; j++)
    memcpy(data.edges[j], hs_vertex(&tree->vertices, half->cone.corner[j]), (size_t)d * sizeof(double));
  hs_norm_describe(tree->options.norm, centre, &data, &about);
  hs_cone_tree_see(tree, about.value, centre);
  double bound = hs_cone_bound(&data, hs_cone_tree_threshold(tree), where);
  half->cone.bound = fmin(half->most, bound);
  choose_edge(&data, (const double(*)[HS_CONE_WIDTH])about.own, (const double(*)[HS_CONE_WIDTH])about.bend,
              where, &half->cone);
  tree->nodes++;
}

static void bound_all(hs_cone_tree_t *tree, int middles, int halves)
{
  int d = tree->options.d;
  for (int i = 0; i < halves; i++)
    if (tree->options.norm != NULL)
      bound_norm(tree, tree->fresh + i, tree->points + (middles + i) * d);
    else
      bound_half(tree, tree->fresh + i, tree->gradients + (middles + i) * 2 * d);
}

static void climb_from_middles(hs_cone_tree_t *tree, int middles)
{
  double w[HS_CONE_MOST];
  for (int i = 0; i < middles; i++)
    if (tree->made++ % CLIMB_EVERY == 0) {
      memcpy(w, hs_vertex(&tree->vertices, tree->middles[i]), (size_t)tree->options.d * sizeof *w);
      hs_cone_tree_climb(tree, w);
    }
}

/* The last round may go beyond what was asked for. */
hs_status_t hs_cone_tree_prepare(hs_cone_tree_t *tree, int64_t nodes)
{
  int64_t most = nodes + 2 * tree->options.round;
  if (most > INT32_MAX / 2) return hs_fail(HS_NO_MEMORY, NULL, "bound", "too many cones at a time");
  hs_status_t status = hs_vertices_reserve(&tree->vertices, (int32_t)most);
  return status == HS_OK ? hs_cone_tree_reserve(tree, most) : status;
}

static hs_status_t grow_once(hs_cone_tree_t *tree)
{
  int middles;
  if (bytes_used(tree) > tree->options.bytes) return HS_BUDGET;
  hs_status_t status = hs_cone_tree_prepare(tree, 1);
  if (status != HS_OK) return status;
  int halves = halve(tree, &middles);
  if (halves == 0) return HS_OK;
  evaluate(tree, middles, halves);
  bound_all(tree, middles, halves);
  climb_from_middles(tree, middles);
  double threshold = hs_cone_tree_threshold(tree);
  for (int i = 0; i < halves; i++) {
    const open_cone_t *cone = &tree->fresh[i].cone;
    if (cone->bound > threshold)
      hs_cone_tree_push(tree, cone);
    else
      hs_cone_tree_let_go(tree, cone);
  }
  return HS_OK;
}

hs_status_t hs_cone_tree_grow(hs_cone_tree_t *tree, int64_t nodes)
{
  hs_status_t status = HS_OK;
  for (int64_t end = tree->nodes + nodes; status == HS_OK && tree->open > 0 && tree->nodes < end;)
    status = grow_once(tree);
  return status;
}

/* |f(w)|; a gradient of it is written if |f| is at least so much, else it may be left alone. */
static double slope_at(hs_cone_tree_t *tree, const double *w, double least, double *G)
{
  int d = tree->options.d;
  double g[2 * HS_CONE_MOST];
  if (tree->options.norm != NULL) {
    double value = hs_norm_value(tree->options.norm, w, g);
    if (value >= least) memcpy(G, g, (size_t)d * sizeof *G);
    return value;
  }
  tree->options.evaluate(tree->options.context, 1, w, g);
  double f = inner(d, g, w) - inner(d, g + d, w);
  for (int j = 0; j < d && fabs(f) >= least; j++) G[j] = (f < 0 ? -1 : 1) * (g[j] - g[d + j]);
  return fabs(f);
}

/* w <- unit(G + kappa w), G the gradient of |f|: kappa is tripled after a decrease and halved after a success. The plain
 * iteration is not monotone, |f| being a difference of convex functions. */
void hs_cone_tree_climb(hs_cone_tree_t *tree, double *w)
{
  int d = tree->options.d;
  double G[HS_CONE_MOST], from[HS_CONE_MOST], value = -1, kappa = 0;
  memcpy(from, w, (size_t)d * sizeof *w);
  memset(G, 0, sizeof G);
  for (int step = 0; step < CLIMB_STEPS; step++) {
    double f = slope_at(tree, w, value, G), gain = f - value;
    if (gain >= 0) {
      double square = 0;
      for (int j = 0; j < d; j++) square += G[j] * G[j];
      memcpy(from, w, (size_t)d * sizeof *w);
      value = f;
      kappa = kappa < 0.1 * value ? 0 : 0.5 * kappa;
      if (!(square > 0) || (step > 0 && gain <= 1e-12 * value)) break;
    } else {
      kappa = fmax(3 * kappa, value);
      if (kappa > 1e6 * value) break;
    }
    for (int j = 0; j < d; j++) w[j] = G[j] + kappa * from[j];
    if (!(unit(d, w) > 0)) break;
  }
  memcpy(w, from, (size_t)d * sizeof *w);
  hs_cone_tree_see(tree, value, w);
}

/* ---- the first cones ---- */

/* Corner i of the regular simplex with d + 1 unit corners in R^d: row by row, from the inner products -1/d. */
static void simplex_corner(int d, int i, double *v)
{
  for (int j = 0; j < d; j++) {
    double height = sqrt((double)(d + 1) * (double)(d - j) / ((double)d * (double)(d - j + 1)));
    v[j] = j < i ? -height / (double)(d - j) : j == i ? height : 0;
  }
}

static hs_status_t make_roots(hs_cone_tree_t *tree)
{
  int d = tree->options.d;
  hs_status_t status = hs_vertices_reserve(&tree->vertices, d + 1);
  if (status == HS_OK) status = hs_cone_tree_reserve(tree, 2 * (d + 1));
  if (status != HS_OK) return status;
  for (int i = 0; i <= d; i++) {
    double v[HS_CONE_MOST];
    simplex_corner(d, i, v);
    tree->middles[i] = hs_vertices_add(&tree->vertices, v);
  }
  hs_cone_tree_fill(tree, d + 1);
  int parts = tree->options.norm != NULL ? 1 : 2;
  for (int root = 0; root < parts * (d + 1); root++) {
    open_cone_t cone = {.bound = tree->options.cap, .part = (int8_t)(root % parts), .edge = {1, 0}};
    for (int i = 0, j = 0; i <= d; i++)
      if (i != root / parts) cone.corner[j++] = tree->middles[i];
    hs_cone_tree_hold(tree, &cone);
    hs_cone_tree_push(tree, &cone);
  }
  return HS_OK;
}

hs_status_t hs_cone_tree_create(hs_cone_tree_t **tree, const hs_cone_tree_options_t *options)
{
  size_t round = (size_t)options->round, d = (size_t)options->d;
  hs_cone_tree_t *made = *tree = hs_alloc(1, sizeof *made, "cones");
  if (made == NULL) return HS_NO_MEMORY;
  made->options = *options;
  made->fresh = hs_alloc(2 * round, sizeof *made->fresh, "cones");
  made->middles = hs_alloc(round + d + 1, sizeof *made->middles, "cones");
  made->points = hs_alloc((3 * round + d + 1) * d, sizeof *made->points, "cones");
  made->gradients = hs_alloc((3 * round + d + 1) * 2 * d, sizeof *made->gradients, "cones");
  hs_status_t status = hs_vertices_make(&made->vertices, options->d);
  if (made->fresh == NULL || made->middles == NULL || made->points == NULL || made->gradients == NULL)
    status = HS_NO_MEMORY;
  if (status == HS_OK) status = make_roots(made);
  if (status != HS_OK) hs_cone_tree_free(tree);
  return status;
}

void hs_cone_tree_free(hs_cone_tree_t **tree)
{
  if (*tree == NULL) return;
  hs_vertices_free(&(*tree)->vertices);
  hs_free((*tree)->heap);
  hs_free((*tree)->fresh);
  hs_free((*tree)->middles);
  hs_free((*tree)->points);
  hs_free((*tree)->gradients);
  hs_free(*tree);
  *tree = NULL;
}
