/* data_file.h: reading a data file: features and targets in HDF5, ours or anybody's.
 *
 *   features  [n, d]          any integer or float type
 *   targets   [n] or [n, C]   integers are class labels, floats are regression targets
 *   attributes of the file, all optional: task ("classification" | "regression"), classes (names,
 * in the order of the labels 0..), names (of the features); attribute unit = "common" on the
 * features says that all columns share one unit, as pixels do.
 *
 * Each process opens the file by itself, read-only and without locks, and reads its own rows:
 * measured, a collective read of contiguous row blocks gains nothing. Not collective.
 */
#ifndef HS_IO_HDF5_DATA_FILE_H
#define HS_IO_HDF5_DATA_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct hs_data_file hs_data_file_t;

typedef struct hs_data_info {
  int64_t rows;
  int features;     /* d, without bias column */
  bool common_unit; /* 8-bit integers, or marked so */
  bool has_targets;
  int target_columns; /* 1 for a [n] data set; 0 without targets */
  bool targets_are_classes;
  int class_names_count; /* 0: not known */
  char **class_names;    /* owned by the file */
} hs_data_info_t;

/*   targets  name of the target data set; NULL: targets are not wanted, and need not exist
 * Errors: HS_BAD_DATA, with what the file holds instead. *file is NULL then. */
hs_status_t hs_data_open(hs_data_file_t **file, const char *path, const char *features, const char *targets,
                         hs_data_info_t *info);
void hs_data_close(hs_data_file_t **file);

/* Rows first .. first+count-1 of the features, count x d row-major, converted to double.
 * NaN or infinity is HS_BAD_DATA and names row and column (both counted from 0). */
hs_status_t hs_data_read_features(hs_data_file_t *file, int64_t first, int64_t count, double *X);

/* The same rows of float targets, count x target_columns. */
hs_status_t hs_data_read_targets(hs_data_file_t *file, int64_t first, int64_t count, double *Y);

/* The same rows of integer targets (one column). */
hs_status_t hs_data_read_labels(hs_data_file_t *file, int64_t first, int64_t count, int64_t *labels);

#endif
