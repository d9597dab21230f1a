/* libsvm_row.h: one line "label index:value index:value ... # comment", taken apart. Not collective. */
#ifndef HS_IMPORT_LIBSVM_ROW_H
#define HS_IMPORT_LIBSVM_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hs_libsvm_row {
  const char *at, *end; /* what is not yet read */
} hs_libsvm_row_t;

/* A word between blanks. */
typedef struct hs_libsvm_word {
  const char *text;
  size_t length;
} hs_libsvm_word_t;

hs_libsvm_row_t hs_libsvm_begin(const char *line, size_t length);

/* false at the end of the row. */
bool hs_libsvm_word(hs_libsvm_row_t *row, hs_libsvm_word_t *word);

/* "index:value"; false when the word has another form. The index may be 0 or out of order: the caller
 * judges. The value may be infinite. */
bool hs_libsvm_pair(hs_libsvm_word_t word, int64_t *index, double *value);

/* Could the line be a row of this format? *pairs counts its pairs. Blank lines and comments can. */
bool hs_libsvm_accepts(const char *line, size_t length, int64_t *pairs);

#endif
