#include "io/importers/libsvm_row.h"

#include <string.h>

#include "io/importers/number.h"

#define LONGEST_INDEX 15 /* digits */

hs_libsvm_row_t hs_libsvm_begin(const char *line, size_t length)
{
  const char *comment = memchr(line, '#', length);
  return (hs_libsvm_row_t){line, comment != NULL ? comment : line + length};
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

bool hs_libsvm_word(hs_libsvm_row_t *row, hs_libsvm_word_t *word)
{
  const char *at = row->at;
  while (at < row->end && is_blank(*at)) at++;
  word->text = at;
  while (at < row->end && !is_blank(*at)) at++;
  word->length = (size_t)(at - word->text);
  row->at = at;
  return word->length > 0;
}

bool hs_libsvm_pair(hs_libsvm_word_t word, int64_t *index, double *value)
{
  size_t k = 0;
  *index = 0;
  for (; k < word.length && word.text[k] >= '0' && word.text[k] <= '9'; k++)
    *index = *index * 10 + (word.text[k] - '0');
  if (k == 0 || k > LONGEST_INDEX || k == word.length || word.text[k] != ':') return false;
  return hs_number_parse(word.text + k + 1, word.length - k - 1, value);
}

bool hs_libsvm_accepts(const char *line, size_t length, int64_t *pairs)
{
  hs_libsvm_row_t row = hs_libsvm_begin(line, length);
  hs_libsvm_word_t word;
  int64_t index;
  double value;
  *pairs = 0;
  if (!hs_libsvm_word(&row, &word)) return true;
  if (memchr(word.text, ':', word.length) != NULL) {
    if (!hs_libsvm_pair(word, &index, &value)) return false;
    ++*pairs;
  }
  while (hs_libsvm_word(&row, &word)) {
    if (!hs_libsvm_pair(word, &index, &value)) return false;
    ++*pairs;
  }
  return true;
}
