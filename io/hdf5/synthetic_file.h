/* synthetic_file.h: a data file of generated rows, written slab by slab in bounded memory. Not collective. */
#ifndef HS_IO_HDF5_SYNTHETIC_FILE_H
#define HS_IO_HDF5_SYNTHETIC_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"
#include "synthetic/synthetic.h"

typedef struct hs_synthetic_file {
  int64_t rows;
  hs_precision_t precision; /* of the features */
  bool classification;      /* targets are the classes "-1" and "+1", the sign of y; else y itself */
  bool common_unit;         /* all features are of one unit, as pixels are */
  const char *source;       /* borrowed: how the rows were made; kept as an attribute */
} hs_synthetic_file_t;

/* HS_IO when the file cannot be written; an older file of this name is then left as it was. */
hs_status_t hs_synthetic_file_write(const char *path, const hs_synthetic_t *synthetic,
                                    const hs_synthetic_file_t *file);

#endif
