/* Models: scores, classes and penalties.
 *
 * The problem: 300 rows (more than one slab), d = 5, C = 3, 70 gates and 600 neurons (more than one word of a
 * mask, more than one batch of neurons), entries from a fixed rule. The answer: the definitions of model.h,
 * written out as loops with a real max(0, .). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/model.h"
#include "model/probabilities.h"

#define ROWS 300
#define D 5
#define C 3
#define GATES 70
#define NEURONS 600

static double rule(int64_t k, double step)
{
  return sin(step * (double)k + 0.3);
}

static double *filled(int64_t count, double step)
{
  double *values = hs_alloc((size_t)count, sizeof *values, "test");
  for (int64_t k = 0; k < count; k++) values[k] = rule(k, step);
  return values;
}

static hs_model_t test_model(int outputs)
{
  hs_model_t model = {.features = D - 1,
                      .d = D,
                      .outputs = outputs,
                      .bias = true,
                      .precision = HS_DOUBLE,
                      .beta = 0.5,
                      .gates = GATES,
                      .neurons = NEURONS};
  model.G = filled(GATES * D, 1.7);
  model.weights = filled(GATES * D * (int64_t)outputs, 0.9);
  model.W1 = filled(NEURONS * D, 2.3);
  model.W2 = filled(NEURONS * (int64_t)outputs, 3.1);
  return model;
}

static double dot(const double *a, const double *b)
{
  double sum = 0;
  for (int j = 0; j < D; j++) sum += a[j] * b[j];
  return sum;
}

static double expected_gated(const hs_model_t *model, const double *x, int c)
{
  double sum = 0;
  for (int i = 0; i < model->gates; i++)
    if (dot(x, model->G + i * D) >= 0) sum += dot(x, model->weights + (i * model->outputs + c) * D);
  return sum;
}

static double expected_relu(const hs_model_t *model, const double *x, int c)
{
  double sum = 0;
  for (int k = 0; k < model->neurons; k++)
    sum += fmax(0.0, dot(x, model->W1 + k * D)) * model->W2[k * model->outputs + c];
  return sum;
}

static void close_to(double found, double wanted, double scale)
{
  assert_true(isfinite(found));
  assert_true(fabs(found - wanted) <= 1e-13 * scale);
}

static void check_scores(int outputs)
{
  hs_model_t model = test_model(outputs);
  double *X = filled(ROWS * D, 0.37), *scores = filled(ROWS * (int64_t)outputs, 1.0);
  assert_int_equal(hs_model_gated_scores(&model, ROWS, X, scores), HS_OK);
  for (int k = 0; k < ROWS; k++)
    for (int c = 0; c < outputs; c++)
      close_to(scores[k * outputs + c], expected_gated(&model, X + k * D, c), GATES * D);
  assert_int_equal(hs_model_relu_scores(&model, ROWS, X, scores), HS_OK);
  for (int k = 0; k < ROWS; k++)
    for (int c = 0; c < outputs; c++)
      close_to(scores[k * outputs + c], expected_relu(&model, X + k * D, c), NEURONS * D);
  hs_free(X);
  hs_free(scores);
  hs_model_clear(&model);
}

static void test_scores(void **state)
{
  (void)state;
  check_scores(C);
  check_scores(1);
  check_scores(700); /* more outputs than are computed together */
}

/* Features in single precision are exact as doubles: the scores are those of the rounded features. */
static void test_single_precision(void **state)
{
  (void)state;
  hs_model_t model = test_model(C);
  model.precision = HS_SINGLE;
  double *rounded = filled(ROWS * D, 0.37), scores[ROWS * C];
  float X[ROWS * D];
  for (int k = 0; k < ROWS * D; k++) {
    X[k] = (float)rounded[k];
    rounded[k] = (double)X[k];
  }
  assert_int_equal(hs_model_gated_scores(&model, ROWS, X, scores), HS_OK);
  for (int k = 0; k < ROWS; k++)
    for (int c = 0; c < C; c++)
      close_to(scores[k * C + c], expected_gated(&model, rounded + k * D, c), GATES * D);
  assert_int_equal(hs_model_relu_scores(&model, ROWS, X, scores), HS_OK);
  for (int k = 0; k < ROWS; k++)
    for (int c = 0; c < C; c++)
      close_to(scores[k * C + c], expected_relu(&model, rounded + k * D, c), NEURONS * D);
  hs_free(rounded);
  hs_model_clear(&model);
}

/* x . g = 0 exactly belongs to the gate: the row of zeros is on everywhere, and scores 0. */
static void test_boundary_is_on(void **state)
{
  (void)state;
  double G[] = {1, -1}, weights[] = {3, 4}, X[] = {2, 2, 2, 1, 1, 2}, scores[3];
  hs_model_t model = {.features = 2, .d = 2, .outputs = 1, .precision = HS_DOUBLE, .gates = 1};
  model.G = G;
  model.weights = weights;
  assert_int_equal(hs_model_gated_scores(&model, 3, X, scores), HS_OK);
  assert_true(scores[0] == 14 && scores[1] == 10 && scores[2] == 0);
}

static void test_empty_models(void **state)
{
  (void)state;
  hs_model_t model = {.features = 2, .d = 2, .outputs = 2, .precision = HS_DOUBLE, .beta = 3};
  double X[] = {1, 2}, scores[] = {7, 7}, penalty = 7;
  assert_int_equal(hs_model_gated_scores(&model, 1, X, scores), HS_OK);
  assert_true(scores[0] == 0 && scores[1] == 0);
  scores[0] = 7;
  assert_int_equal(hs_model_relu_scores(&model, 1, X, scores), HS_OK);
  assert_true(scores[0] == 0);
  assert_int_equal(hs_model_gated_scores(&model, 0, X, scores), HS_OK);
  assert_int_equal(hs_model_gated_penalty(&model, &penalty), HS_OK);
  assert_true(penalty == 0 && hs_model_relu_penalty(&model) == 0);
}

static void test_class_rule(void **state)
{
  (void)state;
  assert_int_equal(hs_model_class(1, (double[]){0.0}), 1);
  assert_int_equal(hs_model_class(1, (double[]){-1e-300}), 0);
  assert_int_equal(hs_model_class(1, (double[]){2}), 1);
  assert_int_equal(hs_model_class(3, (double[]){-3, -1, -2}), 1);
  assert_int_equal(hs_model_class(3, (double[]){5, 7, 7}), 1);
  assert_int_equal(hs_model_class(2, (double[]){0, 0}), 0);
}

/* Norms from right triangles, and a matrix of singular values 3 and 4 (its columns are orthogonal). */
static void test_penalties(void **state)
{
  (void)state;
  double weights[] = {3, 0, 0, 4, 0, 0, 5, 12}; /* two gates, d = 2, C = 2: columns (3,0) (0,4); 0, (5,12) */
  double W1[] = {3, 4, 8, 15}, W2[] = {5, 12, 0, -2}, penalty;
  hs_model_t model = {.features = 2, .d = 2, .outputs = 2, .beta = 0.5, .gates = 2, .neurons = 2};
  model.weights = weights;
  model.W1 = W1;
  model.W2 = W2;
  close_to(hs_model_relu_penalty(&model), 0.5 * (5 * 13 + 17 * 2), 100);
  const double wanted[] = {5 + 13, 3 + 4 + 13, 3 + 4 + 13};
  for (int groups = HS_JOINT; groups <= HS_NUCLEAR; groups++) {
    model.groups = (hs_groups_t)groups;
    assert_int_equal(hs_model_gated_penalty(&model, &penalty), HS_OK);
    close_to(penalty, 0.5 * wanted[groups], 100);
  }
}

/* Odds by hand: scores log 1, log 3, log 4 give 1/8, 3/8, 1/2 whatever is added to all; a score of log 3 gives
 * 3/4 to class 1; one against all: sigmoids 1/2, 3/4, 3/4 make 1/4, 3/8, 3/8. Huge scores stay finite. */
static void test_probabilities(void **state)
{
  (void)state;
  hs_model_t model = {.outputs = 3, .classes = 3, .loss = {.kind = HS_SOFTMAX}};
  double p[6], scores[] = {0, log(3), log(4), 5000, 5000 + log(3), 5000 + log(4)};
  assert_true(hs_model_has_probabilities(&model));
  hs_model_probabilities(&model, 2, scores, p);
  const double softmax[] = {0.125, 0.375, 0.5};
  for (int c = 0; c < 6; c++) close_to(p[c], softmax[c % 3], 10); /* 5000 has 13 digits for a third */
  model.loss.kind = HS_LOGISTIC;
  hs_model_probabilities(&model, 1, (double[]){0, log(3), log(3)}, p);
  const double against_all[] = {0.25, 0.375, 0.375};
  for (int c = 0; c < 3; c++) close_to(p[c], against_all[c], 1);
  hs_model_probabilities(&model, 1, (double[]){-2000, -1e300, -2000}, p);
  assert_true(p[0] == 0.5 && p[1] == 0 && p[2] == 0.5);
  model.outputs = 1;
  model.classes = 2;
  hs_model_probabilities(&model, 3, (double[]){log(3), -800, 800}, p);
  close_to(p[0], 0.25, 1);
  close_to(p[1], 0.75, 1);
  assert_true(p[2] == 1 && p[3] == 0 && p[4] == 0 && p[5] == 1);
  model.loss.kind = HS_SQUARED;
  assert_false(hs_model_has_probabilities(&model));
  model.classes = 0;
  model.loss.kind = HS_LOGISTIC;
  assert_false(hs_model_has_probabilities(&model));
}

static void test_clear_twice(void **state)
{
  (void)state;
  hs_model_t model = test_model(C);
  hs_model_clear(&model);
  assert_null(model.G);
  assert_int_equal(model.gates, 0);
  hs_model_clear(&model);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scores),         cmocka_unit_test(test_single_precision),
      cmocka_unit_test(test_boundary_is_on), cmocka_unit_test(test_empty_models),
      cmocka_unit_test(test_class_rule),     cmocka_unit_test(test_penalties),
      cmocka_unit_test(test_probabilities),  cmocka_unit_test(test_clear_twice),
  };
  return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
