/* classes.h: the classes of a classification problem, alike on all ranks. */
#ifndef HS_MPI_DATA_CLASSES_H
#define HS_MPI_DATA_CLASSES_H

#include <mpi.h>
#include <stdint.h>

#include "base/status.h"
#include "io/hdf5/data_file.h"

/* count == 0: a regression problem. values ascend; names are their texts (the number when the file has none).
 */
typedef struct hs_classes {
  int count;
  int64_t *values; /* labels as stored in the training file, owned */
  char **names;    /* owned */
} hs_classes_t;

/* The classes of a training file: 0..K-1 if it names K classes, else the distinct labels found on all ranks.
 *   path, name  for messages
 *   labels      of the local rows
 * HS_BAD_DATA: a label outside the named classes, fewer than 2 classes, or more than 10000. Collective. */
hs_status_t hs_classes_find(hs_classes_t *classes, MPI_Comm comm, const char *path,
                            const hs_data_info_t *info, int64_t first_row, int64_t rows,
                            const int64_t *labels);

/* labels[k] becomes the index of its class. A file that names its classes is matched by name, any other by
 * value; a label the classes do not have is HS_BAD_DATA. Not collective. */
hs_status_t hs_classes_index(const hs_classes_t *classes, const char *path, const hs_data_info_t *info,
                             int64_t first_row, int64_t rows, int64_t *labels);

/* Not collective. */
hs_status_t hs_classes_copy(hs_classes_t *copy, const hs_classes_t *classes);
void hs_classes_free(hs_classes_t *classes);

#endif
