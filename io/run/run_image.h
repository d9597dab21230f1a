/* run_image.h: an HDF5 file that is made in memory and put on the disk as a whole. For the run file's writer only.
 *
 * HDF5 writes a file in many pieces, and between the first and the last of them nobody can read it. In memory that
 * harms nobody, and a full disk cannot leave it half changed. */
#ifndef HS_IO_RUN_RUN_IMAGE_H
#define HS_IO_RUN_RUN_IMAGE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct hs_run_image {
  hid_t file;   /* for all calls of HDF5; -1: not open */
  char *target; /* where it goes on the disk, symbolic links followed */
  void *bytes;  /* room for a copy of the file */
  size_t room;
} hs_run_image_t;

/* Begin an empty file that is to go to path, or load the run file that is there. Nothing is written. To be closed
 * also on failure.
 *   properties  of HDF5 for the creation of the file; borrowed */
hs_status_t hs_run_image_create(hs_run_image_t *image, const char *path, hid_t properties);
hs_status_t hs_run_image_load(hs_run_image_t *image, const char *path);

/* Put the file as it is now in the place of what is on the disk (io/files/replace.h). HS_IO when the disk does not
 * take it: then the version before stays there, and the one in memory can be saved later. */
hs_status_t hs_run_image_save(hs_run_image_t *image, bool durable);

/* All objects in it must be closed before. */
void hs_run_image_close(hs_run_image_t *image);

#endif
