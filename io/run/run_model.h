/* run_model.h: the model between memory and its group in the run file, both ways. For the run file's writer
 * and reader only. */
#ifndef HS_IO_RUN_RUN_MODEL_H
#define HS_IO_RUN_RUN_MODEL_H

#include <hdf5.h>

#include "model/model.h"

/* Fill an empty group. */
hs_status_t hs_run_put_model(hid_t group, const hs_model_t *model);

/* Read a group; path is for messages. The caller clears *model on failure too. */
hs_status_t hs_run_get_model(hid_t group, const char *path, hs_model_t *model);

#endif
