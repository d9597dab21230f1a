/* prox_map.c: the derivative of singular value thresholding (Lewis & Sendov 2001 for the eigenvalues):
 * with z = U diag(s) V', k = min(d, C) singular values, f(s) = max(0, s - tau), and the taller side d >= C (else all is
 * transposed), a direction h splits into
 *     U'hV = S + N, symmetric and antisymmetric, and (1 - UU')hV
 * on whose elements D acts by the factors
 *     S_ij: (f_i - f_j)/(s_i - s_j)     N_ij: (f_i + f_j)/(s_i + s_j)     outside, column j: f_j/s_j.
 * T takes the roots of these. */
#include "mpi/polish/prox_map.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

extern void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a,
                    const int *lda, double *s, double *u, const int *ldu, double *vt, const int *ldvt,
                    double *work, const int *lwork, int *info);

/* A norm that equals the threshold up to rounding counts as equal. */
#define SLACK 1e-14

struct hs_svd {
  int tall, wide;        /* the longer and the shorter side of a block */
  double *U, *V, *s, *f; /* per gate: tall x wide, wide x wide (V as V', column-major), wide, wide */
  double *block, *work, *outside, *inner, *turned;
  int work_size;
};

static void svd_free(hs_svd_t *svd)
{
  if (svd == NULL) return;
  double *all[] = {svd->U,    svd->V,       svd->s,     svd->f,     svd->block,
                   svd->work, svd->outside, svd->inner, svd->turned};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) hs_free(all[i]);
  hs_free(svd);
}

static hs_svd_t *svd_create(int gates, int d, int outputs)
{
  hs_svd_t *svd = hs_alloc(1, sizeof *svd, "singular values");
  if (svd == NULL) return NULL;
  svd->tall = d > outputs ? d : outputs;
  svd->wide = d > outputs ? outputs : d;
  svd->work_size = 8 * (svd->tall + svd->wide) + 64 * svd->wide;
  size_t P = (size_t)gates, m = (size_t)svd->tall, k = (size_t)svd->wide;
  struct {
    double **vector;
    size_t length;
  } wanted[] = {{&svd->U, P * m * k},   {&svd->V, P * k * k}, {&svd->s, P * k},
                {&svd->f, P * k},       {&svd->block, m * k}, {&svd->work, (size_t)svd->work_size},
                {&svd->outside, m * k}, {&svd->inner, k * k}, {&svd->turned, m * k}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].vector = hs_alloc(wanted[i].length, sizeof(double), "singular values");
    if (*wanted[i].vector == NULL) {
      svd_free(svd);
      return NULL;
    }
  }
  return svd;
}

hs_status_t hs_prox_map_create(hs_prox_map_t *map, const hs_problem_t *problem)
{
  *map = (hs_prox_map_t){.problem = problem};
  size_t weights = (size_t)problem->weights, units = (size_t)problem->gates * (size_t)problem->outputs;
  bool spectral = problem->groups == HS_NUCLEAR && problem->d > 1 && problem->outputs > 1;
  map->u = hs_alloc(weights, sizeof(double), "weights");
  map->direction = hs_alloc(weights, sizeof(double), "directions of weights");
  map->units = hs_alloc(units, sizeof *map->units, "list of groups");
  if (spectral) map->svd = svd_create(problem->gates, problem->d, problem->outputs);
  bool good = map->u != NULL && map->direction != NULL && map->units != NULL;
  return good && (!spectral || map->svd != NULL) ? HS_OK : HS_NO_MEMORY;
}

void hs_prox_map_free(hs_prox_map_t *map)
{
  hs_free(map->u);
  hs_free(map->direction);
  hs_free(map->units);
  svd_free(map->svd);
  *map = (hs_prox_map_t){0};
}

/* ---- Euclidean norms ---- */

/* u = max(0, 1 - tau/|z|) z; returns |u|. */
static double shrink(int64_t length, const double *z, double threshold, double *u, double *direction,
                     double *root)
{
  double square = 0;
  for (int64_t e = 0; e < length; e++) square += z[e] * z[e];
  double norm = sqrt(square);
  if (norm <= threshold * (1 + SLACK)) {
    memset(u, 0, (size_t)length * sizeof *u);
    return 0;
  }
  double scale = 1 - threshold / norm;
  for (int64_t e = 0; e < length; e++) {
    u[e] = scale * z[e];
    direction[e] = z[e] / norm;
  }
  *root = sqrt(scale);
  return norm - threshold;
}

static void root_euclidean(int64_t length, const double *direction, double root, double *h)
{
  double inner = 0;
  for (int64_t e = 0; e < length; e++) inner += direction[e] * h[e];
  for (int64_t e = 0; e < length; e++) h[e] = root * h[e] + (1 - root) * inner * direction[e];
}

/* ---- nuclear norm ---- */

/* Blocks are d x C; out is tall x wide. */
static void turn(const hs_prox_map_t *map, const double *block, double *out)
{
  int d = map->problem->d, C = map->problem->outputs;
  for (int c = 0; c < C; c++)
    for (int j = 0; j < d; j++) out[d >= C ? c * d + j : j * C + c] = block[c * d + j];
}

static void turn_back(const hs_prox_map_t *map, const double *turned, double *block)
{
  int d = map->problem->d, C = map->problem->outputs;
  for (int c = 0; c < C; c++)
    for (int j = 0; j < d; j++) block[c * d + j] = turned[d >= C ? c * d + j : j * C + c];
}

/* out = U diag(x) V' */
static void compose(const hs_svd_t *svd, const double *U, const double *V, const double *x, double *out)
{
  int m = svd->tall, k = svd->wide;
  for (int j = 0; j < k; j++)
    for (int i = 0; i < m; i++) svd->outside[j * m + i] = U[j * m + i] * x[j];
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, k, k, 1, svd->outside, m, V, k, 0, out, m);
}

/* *norm = the sum of the shrunken singular values. */
static hs_status_t threshold_spectrum(hs_prox_map_t *map, int gate, const double *z, double threshold,
                                      double *norm)
{
  hs_svd_t *svd = map->svd;
  int m = svd->tall, k = svd->wide, info = 0;
  double *U = svd->U + (size_t)gate * (size_t)(m * k), *V = svd->V + (size_t)gate * (size_t)(k * k);
  double *s = svd->s + (size_t)gate * (size_t)k, *f = svd->f + (size_t)gate * (size_t)k;
  *norm = 0;
  if (cblas_dnrm2(m * k, z, 1) <= threshold) { /* no singular value is larger */
    memset(map->u + (int64_t)gate * m * k, 0, (size_t)(m * k) * sizeof(double));
    return HS_OK;
  }
  turn(map, z, svd->block);
  dgesvd_("S", "S", &m, &k, svd->block, &m, s, U, &m, V, &k, svd->work, &svd->work_size, &info);
  if (info != 0) return HS_NUMERICAL;
  for (int i = 0; i < k; i++) {
    f[i] = s[i] > threshold * (1 + SLACK) ? s[i] - threshold : 0;
    *norm += f[i];
  }
  compose(svd, U, V, f, svd->turned);
  turn_back(map, svd->turned, map->u + (int64_t)gate * m * k);
  return HS_OK;
}

static double symmetric_root(double si, double sj, double fi, double fj)
{
  if (fi > 0 && fj > 0) return 1;
  if (fi == 0 && fj == 0) return 0;
  return sqrt((fi - fj) / (si - sj));
}

/* inner = roots of the factors times the two parts of inner. */
static void scale_inner(int k, const double *s, const double *f, double *inner)
{
  for (int i = 0; i < k; i++)
    for (int j = i; j < k; j++) {
      double x = inner[j * k + i], y = inner[i * k + j];
      double even = 0.5 * (x + y) * symmetric_root(s[i], s[j], f[i], f[j]);
      double odd = f[i] + f[j] > 0 ? 0.5 * (x - y) * sqrt((f[i] + f[j]) / (s[i] + s[j])) : 0;
      inner[j * k + i] = even + odd;
      inner[i * k + j] = even - odd;
    }
}

static void root_spectral(const hs_prox_map_t *map, int gate, double *h)
{
  const hs_svd_t *svd = map->svd;
  int m = svd->tall, k = svd->wide;
  const double *U = svd->U + (size_t)gate * (size_t)(m * k), *V = svd->V + (size_t)gate * (size_t)(k * k);
  const double *s = svd->s + (size_t)gate * (size_t)k, *f = svd->f + (size_t)gate * (size_t)k;
  turn(map, h, svd->turned);
  /* hV, U'hV, and hV - U U'hV */
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, m, k, k, 1, svd->turned, m, V, k, 0, svd->outside, m);
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, k, k, m, 1, U, m, svd->outside, m, 0, svd->inner, k);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, k, k, -1, U, m, svd->inner, k, 1, svd->outside,
              m);
  for (int j = 0; j < k; j++) {
    double factor = f[j] > 0 ? sqrt(f[j] / s[j]) : 0;
    for (int i = 0; i < m; i++) svd->outside[j * m + i] *= factor;
  }
  scale_inner(k, s, f, svd->inner);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, k, k, 1, U, m, svd->inner, k, 1, svd->outside, m);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, k, k, 1, svd->outside, m, V, k, 0, svd->turned,
              m);
  turn_back(map, svd->turned, h);
}

/* ---- all gates ---- */

static void list_unit(hs_prox_map_t *map, hs_unit_t unit, double norm)
{
  if (norm == 0) return;
  int64_t length = (int64_t)map->problem->d * unit.outputs;
  for (int64_t e = 0; e < length; e++) map->square += map->u[unit.offset + e] * map->u[unit.offset + e];
  map->units[map->count++] = unit;
  map->length += length;
  map->norm += norm;
}

hs_status_t hs_prox_map_set(hs_prox_map_t *map, const double *z, double threshold)
{
  const hs_problem_t *problem = map->problem;
  bool per_output = problem->groups == HS_PER_OUTPUT;
  int outputs = per_output ? 1 : problem->outputs;
  int64_t length = (int64_t)problem->d * outputs;
  for (int64_t e = 0; e < problem->weights; e++)
    if (!isfinite(z[e])) return HS_NUMERICAL;
  map->count = 0;
  map->length = 0;
  map->norm = map->square = 0;
  for (int i = 0; i < problem->gates; i++)
    for (int c = 0; c < problem->outputs; c += outputs) {
      hs_unit_t unit = {.gate = i, .output = c, .outputs = outputs};
      unit.offset = ((int64_t)i * problem->outputs + c) * problem->d;
      double norm;
      hs_status_t status = HS_OK;
      if (map->svd != NULL)
        status = threshold_spectrum(map, i, z + unit.offset, threshold, &norm);
      else
        norm = shrink(length, z + unit.offset, threshold, map->u + unit.offset, map->direction + unit.offset,
                      &unit.root);
      if (status != HS_OK) return status;
      list_unit(map, unit, norm);
    }
  return HS_OK;
}

int64_t hs_prox_map_print(const hs_prox_map_t *map)
{
  uint64_t print = (uint64_t)map->count;
  for (int t = 0; t < map->count; t++) print = print * 1000003 + (uint64_t)map->units[t].offset;
  return (int64_t)(print >> 1);
}

void hs_prox_map_gather(const hs_prox_map_t *map, const double *full, double *compact)
{
  for (int t = 0; t < map->count; t++) {
    size_t length = (size_t)map->problem->d * (size_t)map->units[t].outputs;
    memcpy(compact, full + map->units[t].offset, length * sizeof *compact);
    compact += length;
  }
}

void hs_prox_map_scatter(const hs_prox_map_t *map, const double *compact, double *full)
{
  for (int t = 0; t < map->count; t++) {
    size_t length = (size_t)map->problem->d * (size_t)map->units[t].outputs;
    memcpy(full + map->units[t].offset, compact, length * sizeof *compact);
    compact += length;
  }
}

void hs_prox_map_root_unit(const hs_prox_map_t *map, const hs_unit_t *unit, double *h)
{
  if (map->svd != NULL)
    root_spectral(map, unit->gate, h);
  else
    root_euclidean((int64_t)map->problem->d * unit->outputs, map->direction + unit->offset, unit->root, h);
}

void hs_prox_map_root(const hs_prox_map_t *map, double *compact)
{
  for (int t = 0; t < map->count; t++) {
    hs_prox_map_root_unit(map, &map->units[t], compact);
    compact += (int64_t)map->problem->d * map->units[t].outputs;
  }
}
