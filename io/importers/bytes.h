/* bytes.h: the bytes of an input file, decompressed on the way.
 *
 * gzip and bzip2 are recognised by their first bytes, not by the name; files of several members (pbzip2,
 * cat a.gz b.gz) read as one. Only regular files: imports read their input twice. Not collective.
 */
#ifndef HS_IMPORT_BYTES_H
#define HS_IMPORT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct hs_bytes hs_bytes_t;

/* HS_BAD_DATA when the file is missing, a folder or a pipe. `path` is borrowed until hs_bytes_close. */
hs_status_t hs_bytes_open(hs_bytes_t **out, const char *path);

/* Up to `want` bytes into `to`; *got < want only at the end. A compressed file that ends early or is
 * damaged is HS_BAD_DATA. */
hs_status_t hs_bytes_read(hs_bytes_t *bytes, void *to, size_t want, size_t *got);

/* Start again from the first byte. */
hs_status_t hs_bytes_rewind(hs_bytes_t *bytes);

/* Length in bytes of a plain file; -1 for a compressed one, whose length is not known. */
int64_t hs_bytes_length(const hs_bytes_t *bytes);

const char *hs_bytes_path(const hs_bytes_t *bytes);

/* "", ", gzip" or ", bzip2" */
const char *hs_bytes_packing(const hs_bytes_t *bytes);

/* A plain file by position, for data that is not stored in the order of reading. Sets nothing but `to`.
 * A plain file that ends before offset + length is HS_BAD_DATA. */
hs_status_t hs_bytes_read_at(const hs_bytes_t *bytes, void *to, size_t length, int64_t offset);

/* Accepts NULL; *bytes becomes NULL. */
void hs_bytes_close(hs_bytes_t **bytes);

#endif
