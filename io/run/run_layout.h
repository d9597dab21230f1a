/* run_layout.h: what the parts of the run file's writer and reader share. Not for others. */
#ifndef HS_IO_RUN_RUN_LAYOUT_H
#define HS_IO_RUN_RUN_LAYOUT_H

#include <hdf5.h>
#include <stdbool.h>

#include "base/status.h"

static inline bool hs_run_has(hid_t parent, const char *name)
{
  return H5Lexists(parent, name, H5P_DEFAULT) > 0;
}

/* Has the file what every run file has? */
bool hs_run_has_layout(hid_t file);

/* Open the run file at path for reading. HS_BAD_DATA when it is not there or none. */
hs_status_t hs_run_open_to_read(const char *path, hid_t *file);

#endif
