#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LONGEST_WORD 63

static int smallest(int a, int b, int c)
{
  int least = a < b ? a : b;
  return least < c ? least : c;
}

/* Edit distance with swaps of neighbours, three rows of the usual table:
 *   D[i][j] = min(D[i-1][j] + 1, D[i][j-1] + 1, D[i-1][j-1] + (a_i != b_j), D[i-2][j-2] + 1 if swapped) */
static int distance(const char *a, const char *b)
{
  int table[3][LONGEST_WORD + 1];
  int length = (int)strlen(b), height = (int)strlen(a);
  for (int j = 0; j <= length; j++) table[0][j] = j;
  for (int i = 1; i <= height; i++) {
    int *row = table[i % 3], *above = table[(i + 2) % 3], *twice = table[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= length; j++) {
      int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
      row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
      bool swapped =
          i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]);
      if (swapped && twice[j - 2] + 1 < row[j]) row[j] = twice[j - 2] + 1;
    }
  }
  return table[height % 3][length];
}

const char *hs_nearest(const char *word, const char *const *names, int count)
{
  size_t length = strlen(word);
  if (length == 0 || length > LONGEST_WORD) return NULL;
  /* One error in three letters is a slip of the finger; more is another word. */
  int allowed = length < 6 ? 1 + (length > 2) : (int)(length / 3);
  const char *best = NULL;
  for (int i = 0; i < count; i++) {
    if (strlen(names[i]) > LONGEST_WORD) continue;
    int errors = distance(word, names[i]);
    if (errors > allowed || (size_t)errors >= length) continue;
    best = names[i];
    allowed = errors - 1;
  }
  return best;
}

/* The "C" locale is a constant of the C library: every call gives the same one, and nothing is to be freed.
 */
static locale_t plain_locale(void)
{
  static locale_t plain;
  if (plain == (locale_t)0) plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return plain;
}

bool hs_parse_double(const char *text, double *value)
{
  unsigned char first = (unsigned char)text[0];
  if (first == '\0' || isspace(first) || strpbrk(text, "xX(") != NULL) return false;
  char *end = NULL;
  errno = 0;
  double parsed = strtod_l(text, &end, plain_locale());
  if (*end != '\0' || end == text) return false;
  if (errno == ERANGE && (parsed > 1 || parsed < -1)) return false;
  *value = parsed;
  return true;
}

bool hs_parse_int64(const char *text, int64_t *value)
{
  if (text[0] == '\0' || isspace((unsigned char)text[0])) return false;
  char *end = NULL;
  errno = 0;
  long long parsed = strtoll(text, &end, 10);
  if (*end != '\0' || end == text || errno == ERANGE) return false;
  *value = (int64_t)parsed;
  return true;
}

void hs_format_double(double value, char *text, size_t size)
{
  locale_t before = uselocale(plain_locale());
  /* Whole numbers without an exponent: 100, not 1e+02. */
  bool whole = value > -1e15 && value < 1e15 && value == (double)(int64_t)value;
  if (whole) snprintf(text, size, "%.0f", value);
  for (int digits = 1; digits <= 17 && !whole; digits++) {
    snprintf(text, size, "%.*g", digits, value);
    double back;
    if (hs_parse_double(text, &back) && (back == value || value != value)) break;
  }
  uselocale(before);
}
