/* csv_reader.h: the records of a delimited text file.
 *
 * Fields may stand in double quotes, "" is then one quote and separators and line ends inside are text.
 * Blanks around unquoted fields and blank lines are passed over. Not collective.
 */
#ifndef HS_IMPORT_CSV_READER_H
#define HS_IMPORT_CSV_READER_H

#include "io/importers/lines.h"

typedef struct hs_field {
  char *text; /* not closed by a zero */
  size_t length;
} hs_field_t;

typedef struct hs_csv_reader {
  hs_lines_t *lines;  /* owned */
  char separator;     /* ',' '\t' ';', or ' ' for any run of blanks and tabs */
  hs_field_t *fields; /* of the record read last, valid until the next; owned */
  int64_t count;      /* 0 at the end of the file */
  int64_t line;       /* where the record begins */
  int64_t capacity;
  char *joined; /* a record of several lines; owned, or NULL */
  size_t joined_capacity;
} hs_csv_reader_t;

/* `path` is borrowed until hs_csv_close. */
hs_status_t hs_csv_open(hs_csv_reader_t *reader, const char *path, char separator);

/* HS_BAD_DATA: a quote that is never closed, text behind a closing quote. */
hs_status_t hs_csv_next(hs_csv_reader_t *reader);

hs_status_t hs_csv_rewind(hs_csv_reader_t *reader);

/* Accepts a zeroed structure. */
void hs_csv_close(hs_csv_reader_t *reader);

#endif
