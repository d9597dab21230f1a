/* number.h: decimal text to double, correctly rounded and blind to the locale.
 *
 * Accepted is [+-]digits[.digits][e[+-]digits] with a digit before or after the point; no hexadecimal, no
 * "nan", no "inf", no surrounding blanks. Not collective.
 */
#ifndef HS_IMPORT_NUMBER_H
#define HS_IMPORT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* false when text[0..length) is not a number of this form. Beyond the range of double *value is infinite:
 * the caller judges with isfinite. */
bool hs_number_parse(const char *text, size_t length, double *value);

/* Is this one of the usual ways to write "no value": nothing, ?, NA, N/A, nan, null, inf (any case)? */
bool hs_number_is_missing(const char *text, size_t length);

#endif
