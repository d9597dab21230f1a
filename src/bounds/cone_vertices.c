#include "bounds/cone_vertices.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define FIRST_ROOM 1024

double hs_vertex_bytes(int d)
{
  return (double)((size_t)(3 * d + 2) * sizeof(double) + sizeof(hs_vertex_links_t) + sizeof(int32_t));
}

hs_status_t hs_vertices_make(hs_cone_vertices_t *vertices, int d)
{
  *vertices = (hs_cone_vertices_t){.d = d, .stride = 3 * d + 2, .free = -1, .serial = 1};
  return hs_vertices_reserve(vertices, FIRST_ROOM);
}

void hs_vertices_free(hs_cone_vertices_t *vertices)
{
  hs_free(vertices->numbers);
  hs_free(vertices->links);
  hs_free(vertices->chains);
  *vertices = (hs_cone_vertices_t){0};
}

/* Chain of the edge between two serial numbers. */
static int32_t *chain_of(const hs_cone_vertices_t *vertices, const uint64_t ends[2])
{
  uint64_t mixed = (ends[0] * 0x9E3779B97F4A7C15u) ^ (ends[1] * 0xC2B2AE3D27D4EB4Fu);
  mixed ^= mixed >> 29;
  return vertices->chains + ((mixed * 0xBF58476D1CE4E5B9u) >> 32) % (uint64_t)vertices->chain_count;
}

static void chain_all(hs_cone_vertices_t *vertices)
{
  for (int32_t c = 0; c < vertices->chain_count; c++) vertices->chains[c] = -1;
  for (int32_t i = 0; i < vertices->used; i++) {
    hs_vertex_links_t *links = vertices->links + i;
    if (links->serial == 0 || links->ends[0] == 0) continue;
    int32_t *chain = chain_of(vertices, links->ends);
    links->next = *chain;
    *chain = i;
  }
}

hs_status_t hs_vertices_reserve(hs_cone_vertices_t *vertices, int32_t more)
{
  if (more <= vertices->room - vertices->live) return HS_OK;
  int64_t room = vertices->room > 0 ? vertices->room : FIRST_ROOM;
  while (room - vertices->live < more) room *= 2;
  if (room > INT32_MAX / 2) return hs_fail(HS_NO_MEMORY, NULL, "bound", "too many vertices of cones");
  double *numbers = hs_alloc((size_t)room * (size_t)vertices->stride, sizeof *numbers, "vertices of cones");
  hs_vertex_links_t *links = hs_alloc((size_t)room, sizeof *links, "vertices of cones");
  int32_t *chains = hs_alloc((size_t)room, sizeof *chains, "vertices of cones");
  if (numbers == NULL || links == NULL || chains == NULL) {
    hs_free(numbers);
    hs_free(links);
    hs_free(chains);
    return HS_NO_MEMORY;
  }
  if (vertices->used > 0) {
    memcpy(numbers, vertices->numbers, (size_t)vertices->used * (size_t)vertices->stride * sizeof *numbers);
    memcpy(links, vertices->links, (size_t)vertices->used * sizeof *links);
  }
  hs_free(vertices->numbers);
  hs_free(vertices->links);
  hs_free(vertices->chains);
  vertices->numbers = numbers;
  vertices->links = links;
  vertices->chains = chains;
  vertices->room = vertices->chain_count = (int32_t)room;
  chain_all(vertices);
  return HS_OK;
}

static int32_t take_place(hs_cone_vertices_t *vertices)
{
  int32_t place = vertices->free;
  if (place >= 0)
    vertices->free = vertices->links[place].next;
  else
    place = vertices->used++;
  vertices->links[place] = (hs_vertex_links_t){.serial = vertices->serial++, .next = -1};
  vertices->live++;
  return place;
}

int32_t hs_vertices_add(hs_cone_vertices_t *vertices, const double *v)
{
  int32_t place = take_place(vertices);
  memcpy(vertices->numbers + (int64_t)place * vertices->stride, v, (size_t)vertices->d * sizeof *v);
  return place;
}

int32_t hs_vertices_middle(hs_cone_vertices_t *vertices, int32_t a, int32_t b, bool *fresh)
{
  uint64_t x = vertices->links[a].serial, y = vertices->links[b].serial;
  uint64_t ends[2] = {x < y ? x : y, x < y ? y : x};
  int32_t *chain = chain_of(vertices, ends);
  *fresh = false;
  for (int32_t i = *chain; i >= 0; i = vertices->links[i].next)
    if (vertices->links[i].ends[0] == ends[0] && vertices->links[i].ends[1] == ends[1]) return i;
  *fresh = true;
  int32_t place = take_place(vertices);
  hs_vertex_links_t *links = vertices->links + place;
  links->ends[0] = ends[0];
  links->ends[1] = ends[1];
  links->next = *chain;
  *chain = place;
  /* The same bits whichever end comes first: addition commutes. */
  const double *v = hs_vertex(vertices, a), *w = hs_vertex(vertices, b);
  double *m = vertices->numbers + (int64_t)place * vertices->stride, square = 0;
  for (int j = 0; j < vertices->d; j++) {
    m[j] = v[j] + w[j];
    square += m[j] * m[j];
  }
  for (int j = 0; j < vertices->d; j++) m[j] /= sqrt(square);
  return place;
}

double hs_vertices_fill(hs_cone_vertices_t *vertices, int32_t vertex, const double *gradients)
{
  int d = vertices->d;
  double *v = vertices->numbers + (int64_t)vertex * vertices->stride, F[2] = {0, 0};
  memcpy(v + d, gradients, 2 * (size_t)d * sizeof *v);
  for (int part = 0; part < 2; part++)
    for (int j = 0; j < d; j++) F[part] += v[j] * gradients[part * d + j];
  memcpy(v + 3 * d, F, sizeof F);
  return F[0] - F[1];
}

void hs_vertices_hold(hs_cone_vertices_t *vertices, int32_t vertex)
{
  vertices->links[vertex].holders++;
}

void hs_vertices_release(hs_cone_vertices_t *vertices, int32_t vertex)
{
  hs_vertex_links_t *links = vertices->links + vertex;
  if (--links->holders > 0) return;
  if (links->ends[0] != 0) {
    int32_t *at = chain_of(vertices, links->ends);
    while (*at != vertex) at = &vertices->links[*at].next;
    *at = links->next;
  }
  *links = (hs_vertex_links_t){.next = vertices->free};
  vertices->free = vertex;
  vertices->live--;
}
