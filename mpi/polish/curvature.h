/* curvature.h: the second derivative of a loss at given predictions, row by row.
 *
 *   (H v)_k = f''(a_k) v_k      v, a rows x C, row-major
 *
 * f'' of a row is a diagonal of C numbers, for softmax diag(q) - q q' with q the probabilities. Squared hinge and
 * Huber bend in pieces: of the two curvatures at a joint one is taken. Not collective.
 */
#ifndef HS_MPI_POLISH_CURVATURE_H
#define HS_MPI_POLISH_CURVATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "loss/loss.h"

typedef struct hs_curvature {
  hs_loss_t loss;
  int64_t rows;
  int outputs;
  double *values; /* rows x C: the diagonal, for softmax q; owned */
} hs_curvature_t;

hs_status_t hs_curvature_create(hs_curvature_t *curvature, hs_loss_t loss, int64_t rows, int outputs);
void hs_curvature_free(hs_curvature_t *curvature);

/* Take the curvature at the predictions A. */
void hs_curvature_set(hs_curvature_t *curvature, const double *A, const double *Y);

/* out = H v; out may be v. */
void hs_curvature_apply(const hs_curvature_t *curvature, const double *v, double *out);

/* Does it couple the outputs of a row? (softmax) */
bool hs_curvature_couples(const hs_curvature_t *curvature);

/* Element (c, e) of the second derivative of a row. */
double hs_curvature_element(const hs_curvature_t *curvature, int64_t row, int c, int e);

#endif
