#include "io/run/run_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/files/replace.h"
#include "io/files/target.h"
#include "io/hdf5/h5.h"
#include "io/run/run_layout.h"
#include "io/run/superblock.h"

#define GROWTH ((size_t)1 << 20) /* bytes by which the file in memory grows; saved is what is used of them */

/* In memory only. The oldest format that holds attributes over 64 kB (names of many classes): newer ones are not for
 * every reader, and mark a file as open for writing. No locks: shared file systems often lack them. */
static hid_t access_properties(void)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, GROWTH, false);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_file_locking(access, false, true);
  return access;
}

static hs_status_t begin(hs_run_image_t *image, const char *path)
{
  hs_h5_quiet();
  *image = (hs_run_image_t){.file = -1};
  return hs_file_target(path, &image->target);
}

static hs_status_t no_memory(const char *path)
{
  return hs_fail(HS_NO_MEMORY, path, NULL, "HDF5 cannot hold it in memory");
}

hs_status_t hs_run_image_create(hs_run_image_t *image, const char *path, hid_t properties)
{
  static int made;
  hs_status_t status = begin(image, path);
  if (status != HS_OK) return status;
  char name[64]; /* of no file: HDF5 would read an existing one first */
  snprintf(name, sizeof name, "halfspace run file %d in memory", made++);
  hid_t access = access_properties();
  image->file = H5Fcreate(name, H5F_ACC_TRUNC, properties, access);
  H5Pclose(access);
  return image->file >= 0 ? HS_OK : no_memory(path);
}

hs_status_t hs_run_image_load(hs_run_image_t *image, const char *path)
{
  hid_t reader;
  hs_status_t status = begin(image, path);
  if (status == HS_OK) status = hs_run_open_to_read(path, &reader);
  if (status != HS_OK) return status;
  H5Fclose(reader);
  if (access(path, W_OK) != 0) return hs_fail(HS_IO, path, NULL, "cannot be changed: %s", strerror(errno));
  hid_t access_list = access_properties();
  image->file = H5Fopen(path, H5F_ACC_RDWR, access_list);
  H5Pclose(access_list);
  return image->file >= 0 ? HS_OK : no_memory(path);
}

/* A copy of the file as it would be on a disk. */
static hs_status_t copy(hs_run_image_t *image, size_t *bytes)
{
  ssize_t length =
      H5Fflush(image->file, H5F_SCOPE_GLOBAL) >= 0 ? H5Fget_file_image(image->file, NULL, 0) : -1;
  if (length <= 0) return no_memory(image->target);
  *bytes = (size_t)length;
  if (*bytes > image->room) {
    hs_free(image->bytes);
    image->room = *bytes + *bytes / 4 + GROWTH;
    image->bytes = hs_alloc(image->room, 1, "copy of the run file");
    if (image->bytes == NULL) image->room = 0;
  }
  if (image->bytes == NULL) return HS_NO_MEMORY;
  if (H5Fget_file_image(image->file, image->bytes, *bytes) != length) return no_memory(image->target);
  hs_superblock_seal(image->bytes, *bytes);
  return HS_OK;
}

hs_status_t hs_run_image_save(hs_run_image_t *image, bool durable)
{
  size_t bytes = 0;
  hs_status_t status = copy(image, &bytes);
  return status == HS_OK ? hs_file_replace(image->target, image->bytes, bytes, durable) : status;
}

void hs_run_image_close(hs_run_image_t *image)
{
  if (image->file >= 0) H5Fclose(image->file);
  hs_free(image->bytes);
  hs_free(image->target);
  *image = (hs_run_image_t){.file = -1};
}
