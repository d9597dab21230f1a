#include "synthetic/synthetic.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"

#define MOST_FEATURES 8192
#define TEACHER_UNITS 10
#define TEACHER_SAMPLE 4096 /* rows that measure the teacher's root mean square */
#define PROTOTYPES 10
#define FACTORS 30
#define BUMPS 6          /* in a prototype or factor */
#define FACTOR_SIZE 0.25 /* standard deviation of a factor's weight; prototypes peak at 1 */
#define CLIP 0.42        /* subtracted before clipping at zero: leaves about 27 % of the pixels on */

/* Streams of the generator, after HS_STREAM_SYNTHETIC. */
enum { FEATURES, NOISE, TEACHER, OUTPUT, CLASS, WEIGHTS, CENTRES, WIDTHS, SIGNS };

struct hs_synthetic {
  hs_synthetic_kind_t kind;
  int d;
  double noise;
  uint64_t seed;
  double *teacher; /* 10 x d, and behind it 10 output weights; or 40 x d fields, prototypes first */
};

static double normal(const hs_synthetic_t *s, int stream, uint64_t index)
{
  return hs_random_normal(s->seed, (uint32_t)(HS_STREAM_SYNTHETIC + stream), index);
}

static double uniform(const hs_synthetic_t *s, int stream, uint64_t index)
{
  return hs_random_uniform(s->seed, (uint32_t)(HS_STREAM_SYNTHETIC + stream), index);
}

static double teacher_output(const hs_synthetic_t *s, const double *x)
{
  double sum = 0;
  for (int u = 0; u < TEACHER_UNITS; u++) {
    double h = 0;
    for (int j = 0; j < s->d; j++) h += s->teacher[u * s->d + j] * x[j];
    sum += s->teacher[TEACHER_UNITS * s->d + u] * fmax(0, h);
  }
  return sum;
}

static void gaussian_row(const hs_synthetic_t *s, int64_t row, double *x)
{
  for (int j = 0; j < s->d; j++) x[j] = normal(s, FEATURES, (uint64_t)row * (uint64_t)s->d + (uint64_t)j);
}

static hs_status_t make_teacher(hs_synthetic_t *s)
{
  double *x = hs_alloc((size_t)s->d, sizeof(double), "synthetic row"), square = 0;
  if (x == NULL) return HS_NO_MEMORY;
  for (int e = 0; e < TEACHER_UNITS * s->d; e++) s->teacher[e] = normal(s, TEACHER, (uint64_t)e) / sqrt(s->d);
  double *output = s->teacher + TEACHER_UNITS * s->d;
  for (int u = 0; u < TEACHER_UNITS; u++) output[u] = normal(s, OUTPUT, (uint64_t)u);
  for (int k = 0; k < TEACHER_SAMPLE; k++) {
    gaussian_row(s, k, x);
    square += pow(teacher_output(s, x), 2) / TEACHER_SAMPLE;
  }
  for (int u = 0; u < TEACHER_UNITS; u++) output[u] /= sqrt(square);
  hs_free(x);
  return HS_OK;
}

/* A smooth field on the image: a sum of Gaussian bumps, all positive for prototypes. */
static void make_field(hs_synthetic_t *s, int field)
{
  int side = (int)ceil(sqrt(s->d));
  double *values = s->teacher + (size_t)field * (size_t)s->d, largest = 0;
  for (int b = 0; b < BUMPS; b++) {
    uint64_t at = (uint64_t)(field * BUMPS + b);
    double row = side * (0.15 + 0.7 * uniform(s, CENTRES, 2 * at)),
           column = side * (0.15 + 0.7 * uniform(s, CENTRES, 2 * at + 1));
    double width = side * (0.06 + 0.09 * uniform(s, WIDTHS, at));
    double height = field < PROTOTYPES || uniform(s, SIGNS, at) < 0.5 ? 1 : -1;
    for (int j = 0; j < s->d; j++) {
      double dr = (j / side - row) / width, dc = (j % side - column) / width;
      values[j] += height * exp(-0.5 * (dr * dr + dc * dc));
    }
  }
  for (int j = 0; j < s->d; j++) largest = fmax(largest, fabs(values[j]));
  for (int j = 0; j < s->d; j++) values[j] /= largest;
}

static int class_of(const hs_synthetic_t *s, int64_t row)
{
  return (int)(hs_random_bits(s->seed, HS_STREAM_SYNTHETIC + CLASS, (uint64_t)row) % PROTOTYPES);
}

static void prototype_row(const hs_synthetic_t *s, int64_t row, double *x)
{
  const double *prototype = s->teacher + (size_t)class_of(s, row) * (size_t)s->d;
  for (int j = 0; j < s->d; j++) x[j] = prototype[j] - CLIP;
  for (int f = 0; f < FACTORS; f++) {
    const double *factor = s->teacher + (size_t)(PROTOTYPES + f) * (size_t)s->d;
    double weight = FACTOR_SIZE * normal(s, WEIGHTS, (uint64_t)row * FACTORS + (uint64_t)f);
    for (int j = 0; j < s->d; j++) x[j] += weight * factor[j];
  }
  for (int j = 0; j < s->d; j++) x[j] = fmax(0, x[j]);
}

hs_status_t hs_synthetic_create(hs_synthetic_t **out, hs_synthetic_kind_t kind, int d, double noise,
                                uint64_t seed)
{
  *out = NULL;
  if (d < 1 || d > MOST_FEATURES)
    return hs_fail(HS_BAD_USAGE, NULL, "d", "%d features (1 to %d)", d, MOST_FEATURES);
  hs_synthetic_t *s = hs_alloc(1, sizeof *s, "synthetic data");
  if (s == NULL) return HS_NO_MEMORY;
  *s = (hs_synthetic_t){.kind = kind, .d = d, .noise = noise, .seed = seed};
  size_t count = kind == HS_GAUSSIAN ? TEACHER_UNITS * ((size_t)d + 1) : (PROTOTYPES + FACTORS) * (size_t)d;
  s->teacher = hs_alloc(count, sizeof(double), "synthetic data");
  hs_status_t status = s->teacher != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK && kind == HS_GAUSSIAN) status = make_teacher(s);
  for (int f = 0; status == HS_OK && kind == HS_PROTOTYPES && f < PROTOTYPES + FACTORS; f++) make_field(s, f);
  if (status != HS_OK) hs_synthetic_free(&s);
  *out = s;
  return status;
}

void hs_synthetic_free(hs_synthetic_t **out)
{
  hs_synthetic_t *s = *out;
  *out = NULL;
  if (s == NULL) return;
  hs_free(s->teacher);
  hs_free(s);
}

int hs_synthetic_features(const hs_synthetic_t *synthetic)
{
  return synthetic->d;
}

void hs_synthetic_rows(const hs_synthetic_t *s, int64_t first, int64_t count, double *X, double *y)
{
  double spare[MOST_FEATURES];
  for (int64_t k = 0; k < count; k++) {
    double *x = X != NULL ? X + k * s->d : spare; // cppcheck-suppress legacyUninitvar
    if (s->kind == HS_PROTOTYPES) {
      if (X != NULL) prototype_row(s, first + k, x);
      if (y != NULL) y[k] = class_of(s, first + k) % 2 == 1 ? 1 : -1;
      continue;
    }
    gaussian_row(s, first + k, x);
    if (y != NULL) y[k] = teacher_output(s, x) + s->noise * normal(s, NOISE, (uint64_t)(first + k));
  }
}
