#include "bounds/circle.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define PI 3.14159265358979323846

typedef struct event {
  double angle;   /* in [-pi, pi] */
  double step[2]; /* of g */
} event_t;

static int by_angle(const void *a, const void *b)
{
  const event_t *x = a, *y = b;
  return (x->angle > y->angle) - (x->angle < y->angle);
}

static double wrapped(double angle)
{
  return angle < -PI ? angle + 2 * PI : angle > PI ? angle - 2 * PI : angle;
}

/* A row is active within a right angle of its own direction: it comes and it goes. One that goes before it comes is active
 * at -pi: it counts in g from the start. */
static void add_row(double theta, const double *x, event_t *events, long double *g)
{
  double own = atan2(x[1], x[0]);
  events[0].angle = wrapped(own - PI / 2);
  events[1].angle = wrapped(own + PI / 2);
  for (int j = 0; j < 2; j++) {
    events[0].step[j] = theta * x[j];
    events[1].step[j] = -theta * x[j];
    if (events[1].angle < events[0].angle) g[j] += theta * x[j];
  }
}

static void offer(double angle, const double *g, double *most, double *w)
{
  double value = fabs(g[0] * cos(angle) + g[1] * sin(angle));
  if (value <= *most) return;
  *most = value;
  w[0] = cos(angle);
  w[1] = sin(angle);
}

/* The arc from one angle to the next, on which f = g'w. */
static void try_arc(double from, double to, const long double *sum, double *most, double *w)
{
  double g[2] = {(double)sum[0], (double)sum[1]}, peak = atan2(g[1], g[0]);
  double opposite = peak > 0 ? peak - PI : peak + PI;
  offer(from, g, most, w);
  offer(to, g, most, w);
  if (from <= peak && peak <= to) offer(peak, g, most, w);
  if (from <= opposite && opposite <= to) offer(opposite, g, most, w);
}

hs_status_t hs_circle(int64_t rows, const double *theta, const double *X, double *most, double *w)
{
  event_t *events = hs_alloc(2 * (size_t)rows, sizeof *events, "angles of a circle");
  if (events == NULL) return HS_NO_MEMORY;
  long double g[2] = {0, 0}; /* of 2 n additions one after the other */
  *most = 0;
  w[0] = 1;
  w[1] = 0;
  for (int64_t k = 0; k < rows; k++) add_row(theta[k], X + 2 * k, events + 2 * k, g);
  qsort(events, 2 * (size_t)rows, sizeof *events, by_angle);
  double from = -PI;
  for (int64_t e = 0; e < 2 * rows; e++) {
    try_arc(from, events[e].angle, g, most, w);
    from = events[e].angle;
    for (int j = 0; j < 2; j++) g[j] += (long double)events[e].step[j];
  }
  try_arc(from, PI, g, most, w);
  hs_free(events);
  return HS_OK;
}
