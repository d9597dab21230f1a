/* superblock.h: the first bytes of an HDF5 file in memory, put right. For run_image.c only.
 *
 * H5Fget_file_image clears the mark "open for writing" in the copy that it gives, but many versions leave the
 * checksum over the mark as it was, and nobody can open the copy. */
#ifndef HS_IO_RUN_SUPERBLOCK_H
#define HS_IO_RUN_SUPERBLOCK_H

#include <stddef.h>

/* Clear the mark and compute the checksum. Formats without a checksum stay as they are. */
void hs_superblock_seal(void *file, size_t bytes);

#endif
