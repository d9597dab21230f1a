/* contents.h: what any HDF5 file holds. Not collective. */
#ifndef HS_IO_HDF5_CONTENTS_H
#define HS_IO_HDF5_CONTENTS_H

#include <stdint.h>

#include "base/status.h"

typedef struct hs_contents_set {
  char *name; /* "group/set", owned */
  int rank;   /* number of dimensions, 0 for a scalar */
  int64_t extent[32];
  char type[16]; /* "float64", "int8", "text", "other" */
} hs_contents_set_t;

typedef struct hs_contents {
  int count; /* data sets, in alphabetical order */
  hs_contents_set_t *sets;
  char *kind, *run, *data; /* attributes content, run, data of the file; NULL where there are none */
} hs_contents_t;

/* HS_BAD_DATA when the file is not HDF5. */
hs_status_t hs_contents_read(const char *path, hs_contents_t *contents);
void hs_contents_clear(hs_contents_t *contents);

/* The set of this name, NULL if there is none. */
const hs_contents_set_t *hs_contents_find(const hs_contents_t *contents, const char *name);

#endif
