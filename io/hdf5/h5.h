/* h5.h: small things that every use of HDF5 in this program shares. Not collective. */
#ifndef HS_IO_HDF5_H5_H
#define HS_IO_HDF5_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Messages are ours: HDF5's own error stack is not printed. Call before the first use of the
 * library. */
void hs_h5_quiet(void);

/* Open an existing file read-only, without locks; HS_BAD_DATA with the reason when it cannot be. */
hs_status_t hs_h5_open(const char *path, hid_t *file);

/* Attributes on an object (file, group or data set). The write functions replace an existing
 * attribute. */
hs_status_t hs_h5_write_text(hid_t object, const char *name, const char *value);
hs_status_t hs_h5_write_texts(hid_t object, const char *name, int count, char *const *values);
hs_status_t hs_h5_write_int(hid_t object, const char *name, int64_t value);
hs_status_t hs_h5_write_double(hid_t object, const char *name, double value);

/* False when the attribute is missing or of another kind. Texts are allocated with hs_alloc: the
 * caller frees each, and the array, with hs_free. */
bool hs_h5_read_text(hid_t object, const char *name, char **value);
bool hs_h5_read_texts(hid_t object, const char *name, int *count, char ***values);
bool hs_h5_read_int(hid_t object, const char *name, int64_t *value);
bool hs_h5_read_double(hid_t object, const char *name, double *value);
void hs_h5_free_texts(int count, char **values);

/* A whole data set of doubles: written with the given shape (rank 1 to 3), or read into a block
 * that the caller owns (hs_free); shape receives up to 3 extents, the others are 1. */
hs_status_t hs_h5_write_array(hid_t parent, const char *name, int rank, const int64_t *shape,
                              const double *values);
hs_status_t hs_h5_write_array_int(hid_t parent, const char *name, int rank, const int64_t *shape,
                                  const int64_t *values);
hs_status_t hs_h5_read_array(hid_t parent, const char *path, const char *name, int64_t shape[3],
                             double **values);

#endif
