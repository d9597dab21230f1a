/* target.h: the file behind a name that may be a symbolic link. Not collective.
 *
 * A file that is replaced by rename is replaced at the end of its links, not in the place of the first one; and two
 * jobs that reach one file by different links shall meet at one lock.
 */
#ifndef HS_IO_FILES_TARGET_H
#define HS_IO_FILES_TARGET_H

#include "base/status.h"

/* *target = path with the symbolic links of its last part followed; the file at the end need not exist, and links
 * of the folders above are left to the system. Owned by the caller (hs_free), NULL on failure. HS_IO when the links
 * go round in a circle or cannot be read. */
hs_status_t hs_file_target(const char *path, char **target);

/* Folder of a file, "." without one. Owned by the caller; NULL when memory is short. */
char *hs_file_folder(const char *path);

#endif
