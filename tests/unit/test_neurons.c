/* Neurons: scaling, pruning and merging leave the function of a network alone and never raise its weight decay. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "network/neurons.h"

#define D 4
#define C 3

static double rule(int k, double step)
{
  return sin(step * k + 0.4);
}

/* m neurons of a fixed rule. */
static hs_neurons_t some(int m)
{
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, D, C);
  for (int k = 0; k < m; k++) {
    double w[D], a[C];
    for (int j = 0; j < D; j++) w[j] = (k + 1) * rule(k * D + j, 1.3);
    for (int c = 0; c < C; c++) a[c] = rule(k * C + c, 2.1);
    assert_int_equal(hs_neurons_add(&neurons, w, a), 0);
  }
  return neurons;
}

/* f_c(x) by the definition. */
static double score(const hs_neurons_t *neurons, const double *x, int c)
{
  double sum = 0;
  for (int k = 0; k < neurons->count; k++) {
    double z = 0;
    for (int j = 0; j < D; j++) z += neurons->W1[k * D + j] * x[j];
    sum += fmax(0, z) * neurons->W2[k * C + c];
  }
  return sum;
}

static double decay(const hs_neurons_t *neurons)
{
  double sum = 0;
  for (int i = 0; i < neurons->count * D; i++) sum += neurons->W1[i] * neurons->W1[i] / 2;
  for (int i = 0; i < neurons->count * C; i++) sum += neurons->W2[i] * neurons->W2[i] / 2;
  return sum;
}

static void same_function(const hs_neurons_t *a, const hs_neurons_t *b)
{
  for (int t = 0; t < 50; t++) {
    double x[D];
    for (int j = 0; j < D; j++) x[j] = 3 * rule(t * D + j, 0.77);
    for (int c = 0; c < C; c++) assert_true(fabs(score(a, x, c) - score(b, x, c)) < 1e-12);
  }
}

static void balancing_gives_the_least_weight_decay(void **state)
{
  (void)state;
  hs_neurons_t before = some(6), neurons = some(6);
  double norm = hs_neurons_norm(&before);
  hs_neurons_balance(&neurons);
  same_function(&before, &neurons);
  assert_true(fabs(decay(&neurons) - norm) < 1e-12 * norm);
  assert_true(decay(&before) > norm);
  for (int k = 0; k < neurons.count; k++) {
    /* any other scaling of one neuron costs more */
    for (double t = 0.9; t < 1.2; t += 0.2) {
      hs_neurons_t other = {.d = D, .outputs = C};
      assert_int_equal(hs_neurons_copy(&other, &neurons), 0);
      for (int j = 0; j < D; j++) other.W1[k * D + j] *= t;
      for (int c = 0; c < C; c++) other.W2[k * C + c] /= t;
      assert_true(decay(&other) > decay(&neurons));
      hs_neurons_clear(&other);
    }
  }
  hs_neurons_clear(&before);
  hs_neurons_clear(&neurons);
}

static void normalising_gives_unit_directions(void **state)
{
  (void)state;
  hs_neurons_t before = some(5), neurons = some(5);
  hs_neurons_normalise(&neurons);
  same_function(&before, &neurons);
  for (int k = 0; k < neurons.count; k++) {
    double sum = 0;
    for (int j = 0; j < D; j++) sum += neurons.W1[k * D + j] * neurons.W1[k * D + j];
    assert_true(fabs(sum - 1) < 1e-14);
  }
  assert_true(fabs(hs_neurons_norm(&neurons) - hs_neurons_norm(&before)) < 1e-12);
  hs_neurons_clear(&before);
  hs_neurons_clear(&neurons);
}

static void parallel_neurons_merge_and_others_stay(void **state)
{
  (void)state;
  hs_neurons_t before = some(5), neurons = some(5);
  const double factor[] = {2.5, 0.3};
  for (int t = 0; t < 2; t++) { /* positive multiples of neuron 1, with other outputs */
    double w[D], a[C];
    for (int j = 0; j < D; j++) w[j] = factor[t] * neurons.W1[1 * D + j];
    for (int c = 0; c < C; c++) a[c] = rule(c + 7 * t, 0.9);
    assert_int_equal(hs_neurons_add(&neurons, w, a), 0);
    assert_int_equal(hs_neurons_add(&before, w, a), 0);
  }
  double opposite[D]; /* is no multiple: on where the other is off */
  for (int j = 0; j < D; j++) opposite[j] = -neurons.W1[j];
  assert_int_equal(hs_neurons_add(&neurons, opposite, neurons.W2), 0);
  assert_int_equal(hs_neurons_add(&before, opposite, before.W2), 0);
  assert_int_equal(hs_neurons_merge(&neurons, 0), 2);
  assert_int_equal(neurons.count, 6);
  same_function(&before, &neurons);
  assert_true(hs_neurons_norm(&neurons) <= hs_neurons_norm(&before) * (1 + 1e-14));
  hs_neurons_clear(&before);
  hs_neurons_clear(&neurons);
}

static void near_neurons_merge_at_a_wide_angle_only(void **state)
{
  (void)state;
  const double w[] = {1, 0, 0, 0}, near[] = {cos(0.01), sin(0.01), 0, 0}, a[] = {1, 0, 0};
  hs_neurons_t neurons;
  hs_neurons_init(&neurons, D, C);
  assert_int_equal(hs_neurons_add(&neurons, w, a), 0);
  assert_int_equal(hs_neurons_add(&neurons, near, a), 0);
  assert_int_equal(hs_neurons_merge(&neurons, 0.009), 0);
  assert_int_equal(hs_neurons_merge(&neurons, 0.011), 1);
  assert_int_equal(neurons.count, 1);
  assert_true(fabs(hs_neurons_norm(&neurons) - 2) < 1e-12);
  hs_neurons_clear(&neurons);
}

static void pruning_drops_the_small_ones_in_order(void **state)
{
  (void)state;
  hs_neurons_t neurons = some(6);
  double third = neurons.W1[2 * D];
  for (int c = 0; c < C; c++) neurons.W2[1 * C + c] = 0;
  for (int j = 0; j < D; j++) neurons.W1[4 * D + j] = 0;
  assert_int_equal(hs_neurons_prune(&neurons, 0), 2);
  assert_int_equal(neurons.count, 4);
  assert_true(neurons.W1[1 * D] == third);
  assert_int_equal(hs_neurons_prune(&neurons, INFINITY), 4);
  assert_int_equal(neurons.count, 0);
  hs_neurons_clear(&neurons);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(balancing_gives_the_least_weight_decay),
                                     cmocka_unit_test(normalising_gives_unit_directions),
                                     cmocka_unit_test(parallel_neurons_merge_and_others_stay),
                                     cmocka_unit_test(near_neurons_merge_at_a_wide_angle_only),
                                     cmocka_unit_test(pruning_drops_the_small_ones_in_order)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
