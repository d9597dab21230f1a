/* probabilities.h: class probabilities from the scores of a probabilistic loss. */
#ifndef HS_MODEL_PROBABILITIES_H
#define HS_MODEL_PROBABILITIES_H

#include "model/model.h"

/* Does the loss give probabilities? Logistic and softmax do; then a row has model->classes of them. */
bool hs_model_has_probabilities(const hs_model_t *model);

/*   softmax              p_c = exp(a_c) / sum_l exp(a_l)
 *   logistic, 2 classes  p_1 = 1 / (1 + exp(-a)),  p_0 = 1 - p_1
 *   logistic, K classes  one against all: p_c = s(a_c) / sum_l s(a_l),  s(a) = 1 / (1 + exp(-a))
 *   scores  rows x C        probabilities  rows x K, overwritten; every row adds up to 1
 * Not collective. */
void hs_model_probabilities(const hs_model_t *model, int64_t rows, const double *scores,
                            double *probabilities);

#endif
