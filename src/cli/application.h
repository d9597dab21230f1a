/* application.h: the models of a run, applied to a data file that is spread over the ranks. */
#ifndef HS_CLI_APPLICATION_H
#define HS_CLI_APPLICATION_H

#include <mpi.h>

#include "model/model.h"
#include "mpi/data/shard.h"
#include "settings/settings.h"

typedef struct hs_application {
  MPI_Comm comm; /* borrowed */
  hs_model_t model;
  hs_source_t source;
  hs_shard_t *shard; /* this rank's rows, scaled as in training */
} hs_application_t;

/* The models in a run file, in the order in which they are told of. */
typedef enum hs_kind { HS_KIND_GATED, HS_KIND_RELU } hs_kind_t;
#define HS_KINDS 2

/* Read the run, open the data and load this rank's rows.
 *   features, targets  names of data sets; NULL: those that the run was trained with
 *   with_targets       false: targets are neither needed nor read
 * HS_BAD_DATA when the numbers of features or outputs differ from the model's. Collective; on failure nothing
 * is left open. */
hs_status_t hs_application_open(hs_application_t *application, MPI_Comm comm, const char *run_path,
                                const char *data_path, const char *features, const char *targets,
                                bool with_targets);

/* The settings that the run was trained with. Not collective. */
hs_status_t hs_application_settings(const char *run_path, hs_settings_t *settings);
void hs_application_close(hs_application_t *application);

/* "gated", "relu": names in files and in JSON. */
const char *hs_kind_name(hs_kind_t kind);

/* Does the run hold this model? */
bool hs_application_has(const hs_application_t *application, hs_kind_t kind);

/* Scores of this rank's rows, rows x outputs row-major. Not collective. */
hs_status_t hs_application_score(const hs_application_t *application, hs_kind_t kind, double *scores);

/* beta times the norms of this model. Not collective. */
hs_status_t hs_application_penalty(const hs_application_t *application, hs_kind_t kind, double *penalty);

#endif
