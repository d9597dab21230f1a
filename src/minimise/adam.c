#include "minimise/adam.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "minimise/vectors.h"

#define STEP 0.05
#define FADE_MEAN 0.9
#define FADE_SQUARE 0.999

typedef struct adam {
  int64_t size;
  double *at, *g, *mean, *square; /* the iterate; the caller's x is the best one */
  double step;                    /* of the first iteration */
} adam_t;

int64_t hs_adam_room(int64_t size)
{
  return 4 * size;
}

static void adam_start(adam_t *a, const double *x, double step, double *room)
{
  size_t bytes = (size_t)a->size * sizeof *x;
  a->at = room;
  a->g = a->at + a->size;
  a->mean = a->g + a->size;
  a->square = a->mean + a->size;
  memcpy(a->at, x, bytes);
  memset(a->mean, 0, 2 * bytes);
  double rms = a->size > 0 ? sqrt(hs_vector_dot(a->size, x, x) / (double)a->size) : 0;
  a->step = (step > 0 ? step : STEP) * (rms > 0 ? rms : 1);
}

/* Iteration k, from 1. */
static void advance(adam_t *a, int64_t k, int64_t iterations)
{
  const double pi = 3.14159265358979323846;
  double step = a->step * (1 + cos(pi * (double)(k - 1) / (double)iterations)) / 2;
  double mean_share = 1 - pow(FADE_MEAN, (double)k), square_share = 1 - pow(FADE_SQUARE, (double)k);
  for (int64_t e = 0; e < a->size; e++) {
    a->mean[e] = FADE_MEAN * a->mean[e] + (1 - FADE_MEAN) * a->g[e];
    a->square[e] = FADE_SQUARE * a->square[e] + (1 - FADE_SQUARE) * a->g[e] * a->g[e];
    double root = sqrt(a->square[e] / square_share);
    if (root > 0) a->at[e] -= step * (a->mean[e] / mean_share) / root;
  }
}

static hs_status_t evaluate(adam_t *a, double *x, hs_objective_t function, void *context, bool *stop,
                            hs_minimise_report_t *report)
{
  double value;
  hs_status_t status = function(context, a->at, &value, a->g, stop);
  if (status != HS_OK) return status;
  bool first = report->evaluations++ == 0;
  if (first && !isfinite(value))
    return hs_fail(HS_NUMERICAL, NULL, "Adam", "the value at the start is %g (a finite number)", value);
  if (first) report->start = value;
  if (first || value < report->end) {
    report->end = value;
    report->gradient = sqrt(hs_vector_dot(a->size, a->g, a->g));
    memcpy(x, a->at, (size_t)a->size * sizeof *x);
  }
  if (!isfinite(value)) *stop = true; /* it will not come back */
  return HS_OK;
}

hs_status_t hs_adam(int64_t size, double *x, hs_objective_t function, void *context,
                    const hs_adam_options_t *options, double *room, hs_minimise_report_t *report)
{
  adam_t a = {.size = size};
  bool stop = false;
  *report = (hs_minimise_report_t){.stop = HS_MINIMISE_ITERATIONS};
  adam_start(&a, x, options->step, room);
  hs_status_t status = evaluate(&a, x, function, context, &stop, report);
  while (status == HS_OK && !stop && report->iterations < options->max_iterations) {
    report->iterations++;
    advance(&a, report->iterations, options->max_iterations);
    status = evaluate(&a, x, function, context, &stop, report);
  }
  if (stop) report->stop = HS_MINIMISE_ASKED;
  return status;
}
