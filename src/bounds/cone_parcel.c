/* cone_parcel.c: cones on the way between trees. */
#include <string.h>

#include "base/memory.h"
#include "bounds/cone_tree_private.h"

hs_status_t hs_cone_parcel_make(hs_cone_parcel_t *parcel, int d, int cones, int vertices)
{
  *parcel = (hs_cone_parcel_t){.d = d, .cones = cones, .vertices = vertices};
  parcel->bounds = hs_alloc((size_t)cones, sizeof *parcel->bounds, "cones on the way");
  parcel->corners = hs_alloc((size_t)cones * (size_t)(d + 3), sizeof *parcel->corners, "cones on the way");
  parcel->points = hs_alloc((size_t)vertices * (size_t)d, sizeof *parcel->points, "cones on the way");
  if (parcel->bounds != NULL && parcel->corners != NULL && parcel->points != NULL) return HS_OK;
  hs_cone_parcel_free(parcel);
  return HS_NO_MEMORY;
}

void hs_cone_parcel_free(hs_cone_parcel_t *parcel)
{
  hs_free(parcel->bounds);
  hs_free(parcel->corners);
  hs_free(parcel->points);
  *parcel = (hs_cone_parcel_t){0};
}

/* Cone i of the parcel; its vertices are numbered as they come. */
static void pack_cone(hs_cone_tree_t *tree, const open_cone_t *cone, hs_cone_parcel_t *parcel, int i)
{
  int d = parcel->d;
  int32_t *corners = parcel->corners + i * (d + 3);
  parcel->bounds[i] = cone->bound;
  corners[0] = cone->part;
  corners[1] = cone->edge[0];
  corners[2] = cone->edge[1];
  for (int j = 0; j < d; j++) {
    hs_vertex_links_t *links = tree->vertices.links + cone->corner[j];
    if (links->mark == 0) {
      memcpy(parcel->points + parcel->vertices * d, hs_vertex(&tree->vertices, cone->corner[j]),
             (size_t)d * sizeof(double));
      links->mark = ++parcel->vertices;
    }
    corners[3 + j] = links->mark - 1;
  }
}

hs_status_t hs_cone_tree_pack(hs_cone_tree_t *tree, int cones, hs_cone_parcel_t *parcel)
{
  int d = tree->options.d;
  parcel->cones = parcel->vertices = 0;
  if (2 * (int64_t)cones > tree->open) cones = (int)(tree->open / 2);
  open_cone_t *taken = hs_alloc(2 * (size_t)cones, sizeof *taken, "cones on the way");
  if (taken == NULL) return HS_NO_MEMORY;
  for (int i = 0; i < 2 * cones; i++) taken[i] = hs_cone_tree_pop(tree);
  for (int i = 0; i < cones; i++) pack_cone(tree, taken + 2 * i + 1, parcel, i);
  parcel->cones = cones;
  for (int i = 0; i < cones; i++) {
    for (int j = 0; j < d; j++) tree->vertices.links[taken[2 * i + 1].corner[j]].mark = 0;
    hs_cone_tree_push(tree, taken + 2 * i);
  }
  for (int i = 0; i < cones; i++) hs_cone_tree_let_go(tree, taken + 2 * i + 1);
  hs_free(taken);
  return HS_OK;
}

/* Vertices first .. first + count - 1 of the parcel become vertices `place` of the tree. */
static void take_in(hs_cone_tree_t *tree, const hs_cone_parcel_t *parcel, int first, int count,
                    int32_t *place)
{
  for (int i = 0; i < count; i++) {
    place[first + i] = hs_vertices_add(&tree->vertices, parcel->points + (first + i) * parcel->d);
    tree->middles[i] = place[first + i];
  }
  hs_cone_tree_fill(tree, count);
}

hs_status_t hs_cone_tree_unpack(hs_cone_tree_t *tree, const hs_cone_parcel_t *parcel)
{
  int d = tree->options.d, round = tree->options.round;
  int32_t *place = hs_alloc((size_t)parcel->vertices, sizeof *place, "cones on the way");
  hs_status_t status = place != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = hs_vertices_reserve(&tree->vertices, parcel->vertices);
  if (status == HS_OK) status = hs_cone_tree_reserve(tree, parcel->cones);
  for (int first = 0; status == HS_OK && first < parcel->vertices; first += round)
    take_in(tree, parcel, first, parcel->vertices - first < round ? parcel->vertices - first : round, place);
  for (int i = 0; status == HS_OK && i < parcel->cones; i++) {
    const int32_t *corners = parcel->corners + i * (d + 3);
    open_cone_t cone = {.bound = parcel->bounds[i], .part = (int8_t)corners[0]};
    cone.edge[0] = (int8_t)corners[1];
    cone.edge[1] = (int8_t)corners[2];
    for (int j = 0; j < d; j++) cone.corner[j] = place[corners[3 + j]];
    hs_cone_tree_hold(tree, &cone);
    hs_cone_tree_push(tree, &cone);
  }
  hs_free(place);
  return status;
}

hs_status_t hs_cone_tree_deal(hs_cone_tree_t *tree, int first, int stride)
{
  int64_t count = tree->open, kept = 0;
  open_cone_t *mine = hs_alloc((size_t)(count / stride + 1), sizeof *mine, "cones of a rank");
  if (mine == NULL) return HS_NO_MEMORY;
  for (int64_t i = 0; i < count; i++) {
    open_cone_t cone = hs_cone_tree_pop(tree);
    if (i % stride == first)
      mine[kept++] = cone;
    else
      hs_cone_tree_let_go(tree, &cone);
  }
  for (int64_t i = 0; i < kept; i++) hs_cone_tree_push(tree, mine + i);
  hs_free(mine);
  return HS_OK;
}
