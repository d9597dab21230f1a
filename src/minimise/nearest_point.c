#include "minimise/nearest_point.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "minimise/vectors.h"

#define LEAST_WEIGHT 1e-14 /* weights below are zero */
#define LEAST_PIVOT 1e-13  /* of the factor, relative: below, a point depends on the others */

/* Scratch of a solve: the points of positive weight (the corral), in the order in which they came, and the plane through
 * them. Rows of the factor stay good as long as no earlier point goes. */
typedef struct corral {
  int size, most, good, *which; /* good: rows of the factor that are those of the corral */
  double *factor, *alpha;       /* most x most: lower Cholesky factor; weights of the plane's nearest point */
} corral_t;

hs_status_t hs_nearest_point_create(hs_nearest_point_t *hull, int d)
{
  *hull = (hs_nearest_point_t){.d = d};
  hull->p = hs_alloc((size_t)d, sizeof(double), "nearest point");
  return hull->p != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_nearest_point_free(hs_nearest_point_t *hull)
{
  hs_free(hull->points);
  hs_free(hull->weights);
  hs_free(hull->p);
  *hull = (hs_nearest_point_t){0};
}

static double *point(const hs_nearest_point_t *hull, int k)
{
  return hull->points + (int64_t)k * hull->d;
}

static hs_status_t grow(hs_nearest_point_t *hull)
{
  int room = 2 * hull->room + 16;
  double *points = hs_alloc((size_t)room * (size_t)hull->d, sizeof *points, "points of a hull");
  double *weights = hs_alloc((size_t)room, sizeof *weights, "points of a hull");
  if (points == NULL || weights == NULL) {
    hs_free(points);
    hs_free(weights);
    return HS_NO_MEMORY;
  }
  if (hull->count > 0) {
    memcpy(points, hull->points, (size_t)hull->count * (size_t)hull->d * sizeof *points);
    memcpy(weights, hull->weights, (size_t)hull->count * sizeof *weights);
  }
  hs_free(hull->points);
  hs_free(hull->weights);
  hull->points = points;
  hull->weights = weights;
  hull->room = room;
  return HS_OK;
}

hs_status_t hs_nearest_point_add(hs_nearest_point_t *hull, const double *z)
{
  if (hull->count == hull->room) {
    hs_status_t status = grow(hull);
    if (status != HS_OK) return status;
  }
  bool first = hull->count == 0;
  memcpy(point(hull, hull->count), z, (size_t)hull->d * sizeof *z);
  hull->weights[hull->count++] = first ? 1 : 0;
  if (first) memcpy(hull->p, z, (size_t)hull->d * sizeof *z);
  return HS_OK;
}

void hs_nearest_point_shrink(hs_nearest_point_t *hull)
{
  int kept = 0;
  for (int k = 0; k < hull->count; k++) {
    if (!(hull->weights[k] > 0)) continue;
    if (kept != k) memcpy(point(hull, kept), point(hull, k), (size_t)hull->d * sizeof(double));
    hull->weights[kept++] = hull->weights[k];
  }
  hull->count = kept;
}

/* Drop points that have lost their weight, from the corral too; p of those that are left. */
static void gather(hs_nearest_point_t *hull, corral_t *corral)
{
  double sum = 0;
  int kept = 0;
  for (int i = 0; i < corral->size; i++) {
    int k = corral->which[i];
    if (hull->weights[k] > LEAST_WEIGHT) {
      corral->which[kept++] = k;
      sum += hull->weights[k];
    } else {
      hull->weights[k] = 0;
      if (corral->good > kept) corral->good = kept;
    }
  }
  corral->size = kept;
  memset(hull->p, 0, (size_t)hull->d * sizeof(double));
  for (int i = 0; i < kept; i++) {
    int k = corral->which[i];
    hull->weights[k] /= sum;
    hs_vector_add(hull->d, hull->weights[k], point(hull, k), hull->p);
  }
}

/* Row i of the factor of  scale 1 1' + Z Z',  Z the corral's points; false where its last point depends on the others. */
static bool factor_row(const hs_nearest_point_t *hull, corral_t *corral, int i, double scale)
{
  double *row = corral->factor + (int64_t)i * corral->most, whole = 0;
  for (int j = 0; j <= i; j++) {
    const double *other = corral->factor + (int64_t)j * corral->most;
    double entry =
        scale + hs_vector_dot(hull->d, point(hull, corral->which[i]), point(hull, corral->which[j]));
    if (j == i) whole = entry;
    entry -= hs_vector_dot(j, row, other);
    if (j < i) row[j] = entry / other[j];
    if (j == i && !(entry > LEAST_PIVOT * whole)) return false;
    if (j == i) row[j] = sqrt(entry);
  }
  return true;
}

/* alpha: the point of least norm in the plane through the corral,  (scale 1 1' + Z Z') mu = 1,  alpha = mu / sum mu */
static bool nearest_in_plane(const hs_nearest_point_t *hull, corral_t *corral, double scale)
{
  int size = corral->size;
  double *alpha = corral->alpha, sum = 0;
  for (int i = 0; i < size; i++) {
    if (i >= corral->good && !factor_row(hull, corral, i, scale)) return false;
    corral->good = i >= corral->good ? i + 1 : corral->good;
    const double *row = corral->factor + (int64_t)i * corral->most;
    alpha[i] = (1 - hs_vector_dot(i, row, alpha)) / row[i];
  }
  for (int i = size - 1; i >= 0; i--) {
    const double *row = corral->factor + (int64_t)i * corral->most;
    alpha[i] /= row[i];
    hs_vector_add(i, -alpha[i], row, alpha);
  }
  for (int i = 0; i < size; i++) sum += alpha[i];
  for (int i = 0; i < size; i++) alpha[i] /= sum;
  return sum > 0;
}

/* Go towards alpha as far as weights stay positive; true when all of the way was free. */
static bool approach(hs_nearest_point_t *hull, const corral_t *corral)
{
  double step = 1;
  int blocked = -1;
  for (int i = 0; i < corral->size; i++) {
    double weight = hull->weights[corral->which[i]], alpha = corral->alpha[i];
    if (alpha > LEAST_WEIGHT || !(weight / (weight - alpha) < step)) continue;
    step = weight / (weight - alpha);
    blocked = i;
  }
  for (int i = 0; i < corral->size; i++) {
    double *weight = &hull->weights[corral->which[i]];
    *weight += step * (corral->alpha[i] - *weight);
  }
  if (blocked >= 0) hull->weights[corral->which[blocked]] = 0;
  return blocked < 0;
}

/* The point with the least z'p; -1 when none is below |p|^2 by more than a share of it. */
static int most_violated(const hs_nearest_point_t *hull, double share)
{
  double least = (1 - share) * hs_vector_dot(hull->d, hull->p, hull->p);
  int found = -1;
  for (int k = 0; k < hull->count; k++) {
    double product = hs_vector_dot(hull->d, point(hull, k), hull->p);
    if (product < least) {
      least = product;
      found = k;
    }
  }
  return found;
}

/* Take in the point `next` and move until a plane's nearest point lies inside of its corral. False when rounding leaves
 * nothing to gain. */
static bool take_in(hs_nearest_point_t *hull, corral_t *corral, int next, double scale)
{
  if (hull->weights[next] > 0) return false; /* it is there already */
  corral->which[corral->size++] = next;
  while (true) {
    if (!nearest_in_plane(hull, corral, scale)) return false;
    bool inside = approach(hull, corral);
    gather(hull, corral);
    if (inside) return true;
  }
}

hs_status_t hs_nearest_point_solve(hs_nearest_point_t *hull, double tolerance)
{
  if (hull->count == 0) return HS_OK;
  int used = 0;
  for (int k = 0; k < hull->count; k++) used += hull->weights[k] > 0;
  int most = (hull->d + 1 > used ? hull->d + 1 : used) + 1; /* independent points, and the next one */
  corral_t corral = {.most = most, .which = hs_alloc((size_t)most, sizeof(int), "corral")};
  corral.factor = hs_alloc((size_t)most * (size_t)most, sizeof(double), "corral");
  corral.alpha = hs_alloc((size_t)most, sizeof(double), "corral");
  bool good = corral.which != NULL && corral.factor != NULL && corral.alpha != NULL;
  for (int k = 0; k < hull->count && good; k++)
    if (hull->weights[k] > 0) corral.which[corral.size++] = k;
  double scale = 0;
  for (int k = 0; k < hull->count; k++)
    scale = fmax(scale, hs_vector_dot(hull->d, point(hull, k), point(hull, k)));
  if (good) gather(hull, &corral);
  /* The norm falls with every point taken in: no corral comes twice. */
  double norm = INFINITY;
  for (int next = 0; good && (next = most_violated(hull, tolerance)) >= 0;) {
    double now = hs_vector_dot(hull->d, hull->p, hull->p);
    if (!(now < norm) || corral.size >= most || !take_in(hull, &corral, next, scale)) break;
    norm = now;
  }
  if (good) gather(hull, &corral);
  hs_free(corral.which);
  hs_free(corral.factor);
  hs_free(corral.alpha);
  return good ? HS_OK : HS_NO_MEMORY;
}
