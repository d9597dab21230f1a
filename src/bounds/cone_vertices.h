/* cone_vertices.h: the vertices of simplicial cones, shared by the cones around them.
 *
 * A vertex is made once however many cones halve the same edge: middles are found through a hash of the two ends. It is
 * given back when the last cone has let go of it. Not collective.
 */
#ifndef HS_BOUNDS_CONE_VERTICES_H
#define HS_BOUNDS_CONE_VERTICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct hs_vertex_links {
  uint64_t serial, ends[2]; /* never used twice; those of the two ends, 0 for a vertex that is no middle */
  int32_t next;             /* in its chain of the hash, or in the list of free places; -1: last */
  int32_t holders;          /* cones that use it */
  int32_t mark;             /* for the caller; 0 when made */
} hs_vertex_links_t;

typedef struct hs_cone_vertices {
  int d, stride;            /* numbers of a vertex: v (d), g_+ (d), g_- (d), F_+, F_- */
  double *numbers;          /* room x stride, owned */
  hs_vertex_links_t *links; /* room, owned */
  int32_t *chains;          /* chain_count (a power of two), first vertex or -1; owned */
  int32_t chain_count, room, used, free, live;
  uint64_t serial;
} hs_cone_vertices_t;

hs_status_t hs_vertices_make(hs_cone_vertices_t *vertices, int d);
void hs_vertices_free(hs_cone_vertices_t *vertices);

/* Room for `more` further ones; pointers to numbers are void afterwards. HS_NO_MEMORY. */
hs_status_t hs_vertices_reserve(hs_cone_vertices_t *vertices, int32_t more);

/* A vertex at v (d) that is no middle. There must be room. */
int32_t hs_vertices_add(hs_cone_vertices_t *vertices, const double *v);

/* The vertex unit(v_a + v_b); *fresh: it was made now and has no values yet. There must be room. */
int32_t hs_vertices_middle(hs_cone_vertices_t *vertices, int32_t a, int32_t b, bool *fresh);

/* Fill in g_+, g_- (2 d numbers) and with them F_+ and F_-. Returns F_+ - F_-. */
double hs_vertices_fill(hs_cone_vertices_t *vertices, int32_t vertex, const double *gradients);

/* One cone more, or one fewer; without any the vertex is gone. */
void hs_vertices_hold(hs_cone_vertices_t *vertices, int32_t vertex);
void hs_vertices_release(hs_cone_vertices_t *vertices, int32_t vertex);

static inline const double *hs_vertex(const hs_cone_vertices_t *vertices, int32_t vertex)
{
  return vertices->numbers + (int64_t)vertex * vertices->stride;
}

/* Bytes of one vertex. */
double hs_vertex_bytes(int d);

#endif
