/* loss.h: the smooth losses, their gradients and their conjugates.
 *
 * Predictions A, targets Y and dual points T are n x C, row-major, double. A loss is a SUM over rows (never
 * a mean). With N = -grad L(A) the generalised residual, the dual function of the group lasso is
 *     D(T) = - sum_k f*_k(-T_k)                             FORMULATIONS.md 10.1, 10.2
 * and D(T) <= optimum for every T whose masked gradients have dual norm at most beta.
 *
 *   name           f(a)                                       targets            curvature   D needs
 *   squared        1/2 |a - y|^2                              any                1           nothing
 *   logistic       sum_c log(1 + exp(-y a))                   y = +-1            1/4         0 <= y t <= 1
 *   softmax        log sum_c exp(a_c) - sum_c y_c a_c         one-hot, C >= 2    1/2         y - t in simplex
 *   squared-hinge  1/2 sum_c max(0, 1 - y a)^2                y = +-1            1           y t >= 0
 *   huber          r^2/2 for |r| <= h, h|r| - h^2/2 beyond    any (r = a - y)    1           |t| <= h
 */
#ifndef HS_LOSS_LOSS_H
#define HS_LOSS_LOSS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum hs_loss_kind { HS_SQUARED, HS_LOGISTIC, HS_SOFTMAX, HS_SQUARED_HINGE, HS_HUBER } hs_loss_kind_t;

typedef struct hs_loss {
  hs_loss_kind_t kind;
  double huber_width; /* h above; used by huber alone */
} hs_loss_t;

/* sum_k f(A_k, Y_k) over the given rows. Not collective: the caller adds up over ranks. */
double hs_loss_value(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y);

/* G = gradient of the loss with respect to A, n x C. G may be A. */
void hs_loss_gradient(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y, double *G);

/* Upper bound of the second derivative: 1, 1/4 or 1/2. */
double hs_loss_curvature(hs_loss_t loss);

/* Curvature of each row's loss at the predictions A, an upper bound over its outputs: out[k] >= the largest
 * eigenvalue of the row's C x C second derivative at A_k; out has one entry per row. 0 where the loss is
 * flat. */
void hs_loss_row_curvature(hs_loss_t loss, int64_t rows, int outputs, const double *A, const double *Y,
                           double *out);

/* The dual function along the ray s -> D(s T), reduced to a few sums, so that ranks can add them up.
 * quadratic: D(s) = s linear - s^2 square / 2.
 * The ray leaves the domain of D at s = limit (INFINITY: never; 0: T itself points outside). */
typedef struct hs_dual_ray {
  double linear, square; /* sums over rows; meaningful for quadratic duals only */
  double limit;          /* minimum over rows */
} hs_dual_ray_t;

/* Is D quadratic along rays (squared, squared-hinge, huber), or entropic (logistic, softmax)? */
bool hs_loss_dual_is_quadratic(hs_loss_t loss);

hs_dual_ray_t hs_loss_dual_ray(hs_loss_t loss, int64_t rows, int outputs, const double *T, const double *Y);

/* D(s T) over the given rows; -INFINITY outside the domain. */
double hs_loss_dual_value(hs_loss_t loss, int64_t rows, int outputs, const double *T, double s,
                          const double *Y);

/* Move T to the nearest point of the domain of D, row by row; returns |change|^2 summed over the rows. */
double hs_loss_dual_project(hs_loss_t loss, int64_t rows, int outputs, double *T, const double *Y);

/* Do the targets have to be classes? (logistic, softmax, squared-hinge) */
bool hs_loss_needs_classes(hs_loss_t loss);

/* "squared", ... and back; -1 for an unknown name. */
const char *hs_loss_name(hs_loss_kind_t kind);
int hs_loss_find(const char *name);

#endif
