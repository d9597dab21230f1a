/* text.h: words and numbers in text, the same under every locale. Not collective. */
#ifndef HS_BASE_TEXT_H
#define HS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the names, the one with the fewest typing errors between it and the word (insertion, deletion, exchange,
 * swap of neighbours; upper case counts as lower case); NULL if none is close. The first of equals wins. */
const char *hs_nearest(const char *word, const char *const *names, int count);

/* The whole text is one decimal number: no blanks, nothing after it, '.' as decimal point. "nan" and "inf"
 * are numbers here, so callers test isfinite. False, and *value untouched, otherwise and on overflow. */
bool hs_parse_double(const char *text, double *value);

/* The whole text is one decimal integer that fits. False, and *value untouched, otherwise. */
bool hs_parse_int64(const char *text, int64_t *value);

/* The shortest decimal text that hs_parse_double reads back as the same double. size >= 32. */
void hs_format_double(double value, char *text, size_t size);

#endif
