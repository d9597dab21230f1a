/* make_model.h: a model, as the run file holds it, from weights of the convex problem. */
#ifndef HS_MPI_TRAIN_MAKE_MODEL_H
#define HS_MPI_TRAIN_MAKE_MODEL_H

#include "model/model.h"
#include "mpi/train/setup.h"

/* The gates that are on, their weights, and what prediction needs besides.
 *   u          P x C x d, as in solve.h
 *   objective  of u
 * The caller clears *model, also on failure. Not collective: replicated. */
hs_status_t hs_make_model(hs_model_t *model, const hs_setup_t *setup, const double *u, double objective);

#endif
