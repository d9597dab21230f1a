/* predictions.h: writing a file of predictions.
 *
 *   /MODEL/scores         [n, C]
 *   /MODEL/classes        [n]      label values of the training file; attribute names; classification only
 *   /MODEL/probabilities  [n, K]   where the loss gives them
 *   attributes of the file: content = "predictions", run, data
 *
 * Everything goes to PATH.part, which is renamed when it is whole. One process writes; not collective.
 */
#ifndef HS_IO_HDF5_PREDICTIONS_H
#define HS_IO_HDF5_PREDICTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct hs_predictions hs_predictions_t;

/* run, data: names of the files that went in. HS_IO with the reason. */
hs_status_t hs_predictions_create(hs_predictions_t **file, const char *path, const char *run,
                                  const char *data);

/* Begin the predictions of a model: the sets of the model before are complete.
 *   classes        K, 0 for regression; names has K entries
 *   probabilities  K, or 0 for none */
hs_status_t hs_predictions_begin(hs_predictions_t *file, const char *model, int64_t rows, int outputs,
                                 int classes, char *const *names, int probabilities);

/* Rows first .. first+count-1. labels and probabilities are NULL where there are none. */
hs_status_t hs_predictions_write(hs_predictions_t *file, int64_t first, int64_t count, const double *scores,
                                 const int64_t *labels, const double *probabilities);

/* Close; keep: and give the file its name, else remove it. NULL is fine. */
hs_status_t hs_predictions_close(hs_predictions_t **file, bool keep);

#endif
