/* shard.h: the rows of one rank, scaled and ready for products.
 *
 * A shard holds rows row0 .. row0+rows-1 of the n global rows: features X (rows x d, row-major, of the chosen
 * precision, scaled, with a last column of ones when bias is set) and targets Y (rows x C, row-major,
 * double).
 *
 * Targets of a classification problem with K classes:
 *   K = 2  squared, logistic, squared-hinge, huber: C = 1, y = -1 for class 0 and +1 for class 1
 *   K > 2  squared, huber: C = K, one-hot 0/1;   logistic, squared-hinge: C = K, one against all, -1/+1
 *   softmax: C = K, one-hot 0/1
 */
#ifndef HS_MPI_DATA_SHARD_H
#define HS_MPI_DATA_SHARD_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"
#include "io/hdf5/data_file.h"
#include "mpi/data/classes.h"
#include "mpi/data/partition.h"
#include "path/hold_out.h"
#include "settings/settings.h"
#include "synthetic/synthetic.h"

typedef enum hs_source_rows { HS_ROWS_ALL, HS_ROWS_TRAINING, HS_ROWS_HELD_OUT } hs_source_rows_t;

/* Where rows come from: a data file open on every rank, or a generator. */
typedef struct hs_source {
  MPI_Comm comm; /* borrowed */
  const char *path;
  hs_data_file_t *file;            /* owned; NULL for a generator */
  const hs_synthetic_t *synthetic; /* borrowed; NULL for a file */
  bool sign;                       /* of a generator: targets are the classes sign(y) */
  hs_data_info_t info;
  hs_source_rows_t chosen; /* of a file: which of its rows this is a source of; info.rows counts them */
  hs_hold_out_t hold_out;
} hs_source_t;

/* Collective. targets may be NULL when they are not wanted. */
hs_status_t hs_source_open(hs_source_t *source, MPI_Comm comm, const char *path, const char *features,
                           const char *targets);

/* From now on a source of some of the rows of its file, numbered from 0: those that are left for training, or those
 * that are held out. HS_BAD_DATA when there are none. Not collective. */
hs_status_t hs_source_choose(hs_source_t *source, double share, int64_t seed, hs_source_rows_t rows);

/* n rows of a generator, as regression targets or, with sign, as two classes. Not collective. */
void hs_source_generate(hs_source_t *source, MPI_Comm comm, const hs_synthetic_t *synthetic, int64_t n,
                        bool sign);

/* Not collective. */
void hs_source_close(hs_source_t *source);

typedef struct hs_shard {
  hs_partition_t partition;
  int64_t row0, rows;
  int features, d; /* d = features + bias */
  bool bias;
  hs_precision_t precision;
  void *X;               /* rows x d, owned */
  double *shift, *scale; /* features each, owned */
  hs_classes_t classes;  /* owned; count 0 for regression */
  int64_t *labels;       /* rows, class indices, owned; NULL for regression or without targets */
  int outputs;           /* C */
  double *Y;             /* rows x C, owned; NULL without targets */
  uint64_t features_print, targets_print; /* fingerprints of the raw data of all ranks, see fingerprint.h */
} hs_shard_t;

typedef struct hs_shard_options {
  bool bias;
  hs_precision_t precision;
  hs_loss_kind_t loss;
  hs_scaling_t scaling;        /* used when shift is NULL; AUTO is resolved from the file */
  const double *shift, *scale; /* of a trained model, features each; NULL: computed from the data */
  const hs_classes_t *classes; /* of a trained model; NULL: found in the data */
  bool classification;         /* of a trained model; used when classes is given */
} hs_shard_options_t;

/* Number of outputs C and the targets for a loss, see above. */
int hs_shard_outputs(hs_loss_kind_t loss, int classes, int target_columns);

/* Scaling that AUTO stands for: common where all features share a unit, else zscore. */
hs_scaling_t hs_shard_scaling(hs_scaling_t scaling, const hs_data_info_t *info);

/* Read the rows that the partition gives to this rank. Collective. *shard is NULL on failure. */
hs_status_t hs_shard_load(hs_shard_t **shard, const hs_source_t *source, const hs_partition_t *partition,
                          const hs_shard_options_t *options);

void hs_shard_free(hs_shard_t **shard);

#endif
