/* lines.h: the lines of a text input, in memory bounded by the longest line.
 *
 * Line ends LF and CRLF, a UTF-8 byte order mark and a last line without an end are all taken. Not
 * collective.
 */
#ifndef HS_IMPORT_LINES_H
#define HS_IMPORT_LINES_H

#include "io/importers/bytes.h"

typedef struct hs_lines hs_lines_t;

/* `path` is borrowed until hs_lines_close. */
hs_status_t hs_lines_open(hs_lines_t **out, const char *path);

/* The next line without its end, closed by a zero and writable; valid until the next call. *text = NULL at
 * the end of the file. Zero bytes and UTF-16 are HS_BAD_DATA. */
hs_status_t hs_lines_next(hs_lines_t *lines, char **text, size_t *length);

/* Number of the line given last, counted from 1. */
int64_t hs_lines_number(const hs_lines_t *lines);

const char *hs_lines_path(const hs_lines_t *lines);

/* "", ", gzip" or ", bzip2" */
const char *hs_lines_packing(const hs_lines_t *lines);

hs_status_t hs_lines_rewind(hs_lines_t *lines);

/* Accepts NULL; *lines becomes NULL. */
void hs_lines_close(hs_lines_t **lines);

#endif
