#include "mpi/plan/vectors.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/admm/anderson.h"
#include "mpi/bench/operand.h"
#include "mpi/bench/timing.h"

#define STEPS 3 /* different plain steps, taken in turn: equal ones would be no work */
#define STEP 0.01

typedef struct acceleration {
  int64_t weights, entries;
  int round;
  hs_anderson_t *anderson;
  double *z, *p, *a, *z1[STEPS], *p1[STEPS], *sums;
  hs_task_t *between;
  void *context;
} acceleration_t;

static void disturb(void *context)
{
  acceleration_t *x = context;
  if (x->between != NULL) x->between(x->context);
}

static void accelerate(void *context)
{
  acceleration_t *x = context;
  const double *z1 = x->z1[x->round % STEPS], *p1 = x->p1[x->round % STEPS];
  hs_anderson_take(x->anderson, x->z, x->p, z1, p1, p1, x->sums);
  hs_anderson_combine(x->anderson, x->sums, 1, z1, p1, p1, x->z, x->p, x->a);
  x->round += 1;
}

static hs_status_t acceleration_create(acceleration_t *x, int memory)
{
  hs_status_t status = hs_anderson_create(&x->anderson, memory, x->weights, x->entries);
  if (status != HS_OK) return status;
  double *curvature = hs_alloc((size_t)x->entries, sizeof(double), "curvatures");
  x->z = hs_alloc((size_t)x->weights, sizeof(double), "weights");
  x->p = hs_alloc((size_t)x->entries, sizeof(double), "rows");
  x->a = hs_alloc((size_t)x->entries, sizeof(double), "rows");
  x->sums = hs_alloc((size_t)hs_anderson_sums(x->anderson), sizeof(double), "sums");
  bool good = curvature != NULL && x->z != NULL && x->p != NULL && x->a != NULL && x->sums != NULL;
  for (int i = 0; i < STEPS; i++) {
    x->z1[i] = hs_alloc((size_t)x->weights, sizeof(double), "weights");
    x->p1[i] = hs_alloc((size_t)x->entries, sizeof(double), "rows");
    good = good && x->z1[i] != NULL && x->p1[i] != NULL;
  }
  for (int i = 0; good && i < STEPS; i++) {
    hs_operand_fill(x->z1[i], x->weights);
    hs_operand_fill(x->p1[i], x->entries);
    for (int64_t e = i; e < x->weights; e += STEPS) x->z1[i][e] = -x->z1[i][e];
    for (int64_t e = i; e < x->entries; e += STEPS) x->p1[i][e] = -x->p1[i][e];
  }
  for (int64_t e = 0; good && e < x->entries; e++) curvature[e] = 1;
  if (good) hs_anderson_reset(x->anderson, 1, curvature);
  hs_free(curvature);
  return good ? HS_OK : HS_NO_MEMORY;
}

static void acceleration_free(acceleration_t *x)
{
  hs_anderson_free(&x->anderson);
  hs_free(x->z);
  hs_free(x->p);
  hs_free(x->a);
  hs_free(x->sums);
  for (int i = 0; i < STEPS; i++) {
    hs_free(x->z1[i]);
    hs_free(x->p1[i]);
  }
}

hs_status_t hs_time_anderson(int memory, int64_t weights, int64_t entries, hs_task_t *between, void *context,
                             double *seconds)
{
  static hs_task_t *const tasks[] = {disturb, accelerate};
  acceleration_t x = {.weights = weights, .entries = entries, .between = between, .context = context};
  *seconds = 0;
  if (memory == 0) return HS_OK;
  hs_status_t status = acceleration_create(&x, memory);
  if (status == HS_OK) {
    double shortest[2];
    for (int step = 0; step <= memory; step++) accelerate(&x);
    hs_time_tasks(2, tasks, &x, 0, shortest);
    *seconds = shortest[1];
  }
  acceleration_free(&x);
  return status;
}

typedef struct replicated {
  const hs_problem_size_t *size;
  hs_group_work_t *work;
  double *z, *z1, *s, *best;
} replicated_t;

/* z1 = prox(z + step s), the dual norm of s, and a copy of the best weights. */
static void work_on_weights(void *context)
{
  replicated_t *x = context;
  int d = x->size->d, C = x->size->outputs, active = 0;
  int64_t block = (int64_t)d * C;
  double norms = 0, largest = 0;
  for (int64_t i = 0; i < x->size->gates; i++) {
    const double *s = x->s + i * block, *z = x->z + i * block;
    double *z1 = x->z1 + i * block;
    for (int64_t e = 0; e < block; e++) z1[e] = z[e] + STEP * s[e];
    norms += hs_group_prox(x->size->groups, d, C, z1, STEP, &active, x->work);
    largest = fmax(largest, hs_group_dual_norm(x->size->groups, d, C, s, x->work));
  }
  memcpy(x->best, x->z1, (size_t)hs_problem_weights(x->size) * sizeof(double));
  x->s[0] = norms + largest > 0 ? x->s[0] : 1; /* the results are used */
}

hs_status_t hs_time_weights(const hs_problem_size_t *size, double *seconds)
{
  static hs_task_t *const tasks[] = {work_on_weights};
  int64_t weights = hs_problem_weights(size);
  replicated_t x = {.size = size};
  double **vectors[] = {&x.z, &x.z1, &x.s, &x.best};
  hs_status_t status = hs_group_work_create(&x.work, size->d, size->outputs);
  for (int i = 0; i < 4 && status == HS_OK; i++) {
    *vectors[i] = hs_alloc((size_t)weights, sizeof(double), "weights");
    if (*vectors[i] == NULL) status = HS_NO_MEMORY;
  }
  if (status == HS_OK) {
    hs_operand_fill(x.z, weights);
    hs_operand_fill(x.s, weights);
    hs_time_tasks(1, tasks, &x, 0, seconds);
  }
  for (int i = 0; i < 4; i++) hs_free(*vectors[i]);
  hs_group_work_free(&x.work);
  return status;
}
