/* model.h: a trained model, as the run file holds it and as prediction needs it.
 *
 * Features are scaled and completed first:  x = ((raw - shift) / scale, 1)      (the 1 only with bias)
 *   gated   f(x) = sum_i 1[x . g_i >= 0] u_i' x        u_i is d x C
 *   relu    f(x) = max(0, x' W1) W2                    W1 is d x m, W2 is m x C
 */
#ifndef HS_MODEL_MODEL_H
#define HS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"
#include "group/group.h"
#include "loss/loss.h"

typedef struct hs_model {
  int features, d, outputs; /* d = features + bias */
  bool bias;
  hs_precision_t precision; /* of the scaled features in training: prediction rounds them alike */
  double *shift, *scale;    /* features each, owned */
  hs_loss_t loss;
  hs_groups_t groups;
  double beta, beta_max; /* beta is absolute */
  double objective;      /* of the gated network on the training data */

  int classes;           /* K, 0 for regression */
  int64_t *class_values; /* labels in the training file, ascending, owned */
  char **class_names;    /* owned */

  int gates;       /* gates with non-zero weights */
  double *G;       /* gates x d, row-major, owned */
  double *weights; /* gates x C x d: block i is column-major d x C (group/group.h), owned */

  int neurons; /* m; 0: no ReLU network */
  double *W1;  /* m x d: row k is the first layer of neuron k, owned (the file holds the transpose, [d, m]) */
  double *W2;  /* m x C row-major, owned */
} hs_model_t;

/* Frees everything inside and clears the structure. */
void hs_model_clear(hs_model_t *model);

/* Scores of the ReLU network, rows x C row-major.
 *   X  rows x d, row-major, of model->precision: scaled, with the bias column
 * All sums in double. HS_NO_MEMORY is the only failure. Not collective. */
hs_status_t hs_model_relu_scores(const hs_model_t *model, int64_t rows, const void *X, double *scores);

/* Scores of the gated network. Masks are taken from X as given. Not collective. */
hs_status_t hs_model_gated_scores(const hs_model_t *model, int64_t rows, const void *X, double *scores);

/* Class index from the scores of one row: C = 1: score >= 0 is class 1; else the largest score, the first one
 * of equals. */
int64_t hs_model_class(int outputs, const double *scores);

/* beta (sum over neurons of |W1_k| |W2_k|), the penalty of the ReLU network that corresponds to weight decay
 * beta/2 (|W1|^2 + |W2|^2) after balancing the layers. */
double hs_model_relu_penalty(const hs_model_t *model);

/* beta sum of the group norms of the gated network. */
hs_status_t hs_model_gated_penalty(const hs_model_t *model, double *penalty);

#endif
