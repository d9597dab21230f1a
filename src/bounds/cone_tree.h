/* cone_tree.h: branch and bound on |f(w)| over |w| <= 1 in R^d, f = F_+ - F_- as in relu_parts.h.       PRICING.md 3.3
 *
 * Several outputs: f as in norm_rows.h, and in place of two cones with a sign there is one.
 *
 * Open cones, each with a sign s (it bounds s f), lie in a heap, largest bound first; they are taken in rounds, halved at the
 * middle of one edge, and what has a bound above (1 + epsilon) max(floor, best) stays open. Vertices are shared by the cones
 * around them. A round asks for the gradients of F_+ and F_- at all of its points in one call, so that rows may be spread
 * over processes.
 *
 * The same calls give the same bits. Not collective, unless evaluate is; then hs_cone_tree_prepare keeps one process from
 * failing alone.
 */
#ifndef HS_BOUNDS_CONE_TREE_H
#define HS_BOUNDS_CONE_TREE_H

#include <stdint.h>

#include "base/status.h"
#include "bounds/norm_rows.h"

/* gradients (count x 2 x d) = g_+, g_- at points (count x d). */
typedef void hs_parts_evaluate_t(void *context, int count, const double *points, double *gradients);

typedef struct hs_cone_tree_options {
  int d;                         /* 2 .. HS_CONE_MOST */
  hs_parts_evaluate_t *evaluate; /* with */
  void *context;                 /* this */
  hs_norm_rows_t *norm;          /* not NULL: several outputs; evaluate is not used. Not owned */
  int round;                     /* cones halved at a time */
  double floor, epsilon;
  double cap; /* an upper bound that is known: no cone has a larger one */
  double
      bytes; /* of memory for open cones and their vertices; what is beyond is HS_BUDGET, and the tree stays valid */
} hs_cone_tree_options_t;

typedef struct hs_cone_tree hs_cone_tree_t;

/* The 2 (d + 1) cones of a regular simplex (d + 1 for several outputs), open. */
hs_status_t hs_cone_tree_create(hs_cone_tree_t **tree, const hs_cone_tree_options_t *options);
void hs_cone_tree_free(hs_cone_tree_t **tree);

/* Take the memory that growing by so many nodes may need: it cannot run short then. HS_NO_MEMORY. */
hs_status_t hs_cone_tree_prepare(hs_cone_tree_t *tree, int64_t nodes);

/* Halve open cones until at least so many new ones were bounded or none is open. */
hs_status_t hs_cone_tree_grow(hs_cone_tree_t *tree, int64_t nodes);

/* Raise best to this value, which |f| has at some unit w. */
void hs_cone_tree_raise(hs_cone_tree_t *tree, double value);

/* Climb from w (d, unit; overwritten) to a local maximum of |f|; evaluates; w and its value count as seen. */
void hs_cone_tree_climb(hs_cone_tree_t *tree, double *w);

double hs_cone_tree_best(const hs_cone_tree_t *tree); /* largest |f| raised or seen */
double hs_cone_tree_seen(const hs_cone_tree_t *tree,
                         const double **w); /* largest |f| seen here, and where (d, unit) */
int64_t hs_cone_tree_open(const hs_cone_tree_t *tree);
double hs_cone_tree_largest(const hs_cone_tree_t *tree); /* bound of an open cone; 0 if there is none */
int64_t hs_cone_tree_nodes(const hs_cone_tree_t *tree);  /* bounded here so far */

/* Cones on the way between trees. */
typedef struct hs_cone_parcel {
  int d;
  int cones, vertices;
  double *bounds;   /* cones, owned */
  int32_t *corners; /* cones x (d + 3): the part, the edge to be halved, d numbers of vertices; owned */
  double *points;   /* vertices x d, owned */
} hs_cone_parcel_t;

/* Room for so many; it holds as many then, all of them zero. */
hs_status_t hs_cone_parcel_make(hs_cone_parcel_t *parcel, int d, int cones, int vertices);
void hs_cone_parcel_free(hs_cone_parcel_t *parcel);

/* Take out every second one of the 2 cones largest open cones (fewer if there are not so many) and put them into a parcel
 * with room for `cones` and d cones vertices. On failure the parcel is empty and nothing is lost. */
hs_status_t hs_cone_tree_pack(hs_cone_tree_t *tree, int cones, hs_cone_parcel_t *parcel);

/* Put them in, evaluating their vertices. */
hs_status_t hs_cone_tree_unpack(hs_cone_tree_t *tree, const hs_cone_parcel_t *parcel);

/* Keep every `stride`-th open cone, from the largest on, beginning with number `first`. */
hs_status_t hs_cone_tree_deal(hs_cone_tree_t *tree, int first, int stride);

#endif
