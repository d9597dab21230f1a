/* replace.h: a file gets new contents as a whole or not at all. Not collective.
 *
 * The contents go to PATH.new beside it, which is then renamed to PATH. Whoever opens PATH at any moment sees the old
 * contents or the new ones; a kill leaves at most a PATH.new behind, which the next call removes. One writer at a
 * time (io/files/lock.h).
 */
#ifndef HS_IO_FILES_REPLACE_H
#define HS_IO_FILES_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Replace what is at path, or make it; the permissions of an earlier file stay.
 *   path     no symbolic link (io/files/target.h follows those)
 *   durable  wait until the contents and the name are on the disk, so that they also outlive the machine
 * HS_IO with the reason when that fails: what was at path before is still there. */
hs_status_t hs_file_replace(const char *path, const void *content, size_t bytes, bool durable);

#endif
