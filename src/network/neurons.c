#include "network/neurons.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

void hs_neurons_init(hs_neurons_t *neurons, int d, int outputs)
{
  *neurons = (hs_neurons_t){.d = d, .outputs = outputs};
}

void hs_neurons_clear(hs_neurons_t *neurons)
{
  hs_free(neurons->W1);
  hs_free(neurons->W2);
  hs_neurons_init(neurons, neurons->d, neurons->outputs);
}

hs_status_t hs_neurons_reserve(hs_neurons_t *neurons, int room)
{
  if (room <= neurons->room) return HS_OK;
  int64_t least = hs_max64(room, (int64_t)neurons->room * 3 / 2 + 8);
  int d, wide;
  hs_status_t status = hs_to_int(least * neurons->d, &d, "neurons times features");
  if (status == HS_OK) status = hs_to_int(least * neurons->outputs, &wide, "neurons times outputs");
  if (status != HS_OK) return status;
  double *W1 = hs_alloc((size_t)least * (size_t)neurons->d, sizeof *W1, "neurons");
  double *W2 = hs_alloc((size_t)least * (size_t)neurons->outputs, sizeof *W2, "neurons");
  if (W1 == NULL || W2 == NULL) {
    hs_free(W1);
    hs_free(W2);
    return HS_NO_MEMORY;
  }
  if (neurons->count > 0) {
    memcpy(W1, neurons->W1, (size_t)neurons->count * (size_t)neurons->d * sizeof *W1);
    memcpy(W2, neurons->W2, (size_t)neurons->count * (size_t)neurons->outputs * sizeof *W2);
  }
  hs_free(neurons->W1);
  hs_free(neurons->W2);
  neurons->W1 = W1;
  neurons->W2 = W2;
  neurons->room = (int)least;
  return HS_OK;
}

static double *first(const hs_neurons_t *neurons, int k)
{
  return neurons->W1 + (int64_t)k * neurons->d;
}

static double *second(const hs_neurons_t *neurons, int k)
{
  return neurons->W2 + (int64_t)k * neurons->outputs;
}

hs_status_t hs_neurons_add(hs_neurons_t *neurons, const double *w, const double *a)
{
  hs_status_t status = hs_neurons_reserve(neurons, neurons->count + 1);
  if (status != HS_OK) return status;
  int k = neurons->count++;
  memcpy(first(neurons, k), w, (size_t)neurons->d * sizeof *w);
  memset(second(neurons, k), 0, (size_t)neurons->outputs * sizeof *w);
  if (a != NULL) memcpy(second(neurons, k), a, (size_t)neurons->outputs * sizeof *a);
  return HS_OK;
}

hs_status_t hs_neurons_copy(hs_neurons_t *to, const hs_neurons_t *from)
{
  if (to->d != from->d || to->outputs != from->outputs) {
    hs_neurons_clear(to);
    hs_neurons_init(to, from->d, from->outputs);
  }
  hs_status_t status = hs_neurons_reserve(to, from->count);
  if (status != HS_OK) return status;
  to->count = from->count;
  if (from->count == 0) return HS_OK;
  memcpy(to->W1, from->W1, (size_t)from->count * (size_t)from->d * sizeof(double));
  memcpy(to->W2, from->W2, (size_t)from->count * (size_t)from->outputs * sizeof(double));
  return HS_OK;
}

static double first_norm(const hs_neurons_t *neurons, int k)
{
  return cblas_dnrm2(neurons->d, first(neurons, k), 1);
}

static double second_norm(const hs_neurons_t *neurons, int k)
{
  return cblas_dnrm2(neurons->outputs, second(neurons, k), 1);
}

double hs_neurons_norm(const hs_neurons_t *neurons)
{
  double sum = 0;
  for (int k = 0; k < neurons->count; k++) sum += first_norm(neurons, k) * second_norm(neurons, k);
  return sum;
}

/* w_k to the length `wanted`, a_k such that the product of the lengths stays. */
static void scale(hs_neurons_t *neurons, int k, double length, double wanted)
{
  cblas_dscal(neurons->d, wanted / length, first(neurons, k), 1);
  cblas_dscal(neurons->outputs, length / wanted, second(neurons, k), 1);
}

static void make_zero(hs_neurons_t *neurons, int k)
{
  memset(first(neurons, k), 0, (size_t)neurons->d * sizeof(double));
  memset(second(neurons, k), 0, (size_t)neurons->outputs * sizeof(double));
}

void hs_neurons_balance(hs_neurons_t *neurons)
{
  for (int k = 0; k < neurons->count; k++) {
    double w = first_norm(neurons, k), a = second_norm(neurons, k);
    if (w * a > 0)
      scale(neurons, k, w, sqrt(w * a));
    else
      make_zero(neurons, k);
  }
}

void hs_neurons_normalise(hs_neurons_t *neurons)
{
  for (int k = 0; k < neurons->count; k++) {
    double w = first_norm(neurons, k);
    if (w > 0)
      scale(neurons, k, w, 1);
    else
      make_zero(neurons, k);
  }
}

static void move(hs_neurons_t *neurons, int to, int from)
{
  if (to == from) return;
  memcpy(first(neurons, to), first(neurons, from), (size_t)neurons->d * sizeof(double));
  memcpy(second(neurons, to), second(neurons, from), (size_t)neurons->outputs * sizeof(double));
}

int hs_neurons_prune(hs_neurons_t *neurons, double least)
{
  int kept = 0, before = neurons->count;
  for (int k = 0; k < before; k++)
    if (first_norm(neurons, k) * second_norm(neurons, k) > least) move(neurons, kept++, k);
  neurons->count = kept;
  return before - kept;
}

/* |w_k/|w_k| - w_l/|w_l||: the angle between the directions, when it is small. */
static double distance(const hs_neurons_t *neurons, int k, int l, double wk, double wl)
{
  const double *x = first(neurons, k), *y = first(neurons, l);
  double sum = 0;
  for (int j = 0; j < neurons->d; j++) sum += (x[j] / wk - y[j] / wl) * (x[j] / wk - y[j] / wl);
  return sqrt(sum);
}

/* Neuron l into neuron k, along the direction of the larger one; l becomes zero. */
static void join(hs_neurons_t *neurons, int k, int l, double wk, double wl)
{
  if (wk * second_norm(neurons, k) < wl * second_norm(neurons, l)) {
    memcpy(first(neurons, k), first(neurons, l), (size_t)neurons->d * sizeof(double));
    cblas_dscal(neurons->d, wk / wl, first(neurons, k), 1);
  }
  cblas_daxpy(neurons->outputs, wl / wk, second(neurons, l), 1, second(neurons, k), 1);
  make_zero(neurons, l);
}

int hs_neurons_merge(hs_neurons_t *neurons, double apart)
{
  double limit = fmax(2 * sin(fmin(apart, M_PI) / 2), 1e-13);
  for (int k = 0; k < neurons->count; k++) {
    double wk = first_norm(neurons, k);
    for (int l = k + 1; l < neurons->count && wk > 0; l++) {
      double wl = first_norm(neurons, l);
      if (wl > 0 && distance(neurons, k, l, wk, wl) <= limit) join(neurons, k, l, wk, wl);
    }
  }
  return hs_neurons_prune(neurons, 0);
}
