/* cone_tree_private.h: what is inside of a tree of cones. */
#ifndef HS_BOUNDS_CONE_TREE_PRIVATE_H
#define HS_BOUNDS_CONE_TREE_PRIVATE_H

#include "bounds/cone_bound.h"
#include "bounds/cone_tree.h"
#include "bounds/cone_vertices.h"

typedef struct open_cone {
  double bound;
  int32_t corner[HS_CONE_MOST];
  int8_t part;    /* 0: bounds F_+ - F_-; 1: F_- - F_+ */
  int8_t edge[2]; /* which corners are the ends of the edge to be halved */
} open_cone_t;

/* A cone that is being made in a round. */
typedef struct new_cone {
  open_cone_t cone;
  double most; /* the bound of what it is a half of */
} new_cone_t;

struct hs_cone_tree {
  hs_cone_tree_options_t options;
  hs_cone_vertices_t vertices;
  open_cone_t *heap; /* room, the largest bound first; owned */
  int64_t open, room;
  int64_t nodes, made; /* cones bounded, vertices made */
  double best, seen;
  double seen_at[HS_CONE_MOST];
  new_cone_t *fresh;          /* 2 rounds, owned */
  int32_t *middles;           /* vertices to be filled in, owned */
  double *points, *gradients; /* of a round, owned */
};

double hs_cone_tree_threshold(const hs_cone_tree_t *tree);

/* There must be room in the heap. */
void hs_cone_tree_push(hs_cone_tree_t *tree, const open_cone_t *cone);
open_cone_t hs_cone_tree_pop(hs_cone_tree_t *tree);
hs_status_t hs_cone_tree_reserve(hs_cone_tree_t *tree, int64_t more);

/* Take the cone's hands off its vertices, or put them on. */
void hs_cone_tree_let_go(hs_cone_tree_t *tree, const open_cone_t *cone);
void hs_cone_tree_hold(hs_cone_tree_t *tree, const open_cone_t *cone);

/* |f| at a unit point. */
void hs_cone_tree_see(hs_cone_tree_t *tree, double value, const double *w);

/* Evaluate the vertices in tree->middles (at most as many as a round has points). */
void hs_cone_tree_fill(hs_cone_tree_t *tree, int count);

#endif
