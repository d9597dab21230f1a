/* csv_dialect.h: which separator a delimited text uses, and whether its first record holds names.
 *
 * Judged from the first records. Not collective.
 */
#ifndef HS_IMPORT_CSV_DIALECT_H
#define HS_IMPORT_CSV_DIALECT_H

#include <stdbool.h>

#include "base/status.h"
#include "io/importers/csv_reader.h"
#include "io/importers/options.h"

typedef struct hs_csv_dialect {
  char separator; /* as in hs_csv_reader_t */
  bool header;
} hs_csv_dialect_t;

/* Separator: of comma, tab and semicolon the one that splits most first records alike and leaves most
 * numbers; blanks when none splits. Header: no field of the first record is a number or missing (numbers
 * that count the columns may be names), and a column has a name on top of a number.
 * `header` other than auto is taken as it is. */
hs_status_t hs_csv_detect(hs_csv_dialect_t *dialect, const char *path, hs_header_t header);

/* Is this a number with a comma for its point, "1,5"? Such numbers are not read, but they are recognised. */
bool hs_csv_has_decimal_comma(hs_field_t field);

/* "comma", "tab", "semicolon", "blanks" */
const char *hs_csv_separator_name(char separator);

#endif
