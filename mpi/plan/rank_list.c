#include "mpi/plan/rank_list.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define MOST_RANKS 1000000 /* shares are found by looking at every rank */
#define DEFAULT_MOST 4096

static hs_status_t wrong(const char *text, const char *what)
{
  return hs_fail(HS_BAD_USAGE, NULL, "--ranks",
                 "'%.60s' %s (64,128,256 for instance, or 64:4096 for doubling from 64 to 4096)", text, what);
}

/* A whole number of ranks from the first `length` characters. */
static bool read_ranks(const char *text, size_t length, int64_t *ranks)
{
  char word[24] = "";
  if (length == 0 || length >= sizeof word) return false;
  memcpy(word, text, length);
  return hs_parse_int64(word, ranks) && *ranks >= 1 && *ranks <= MOST_RANKS;
}

/* Insert in order; false when the list is full. */
static bool insert(hs_rank_list_t *list, int ranks)
{
  int at = 0;
  while (at < list->count && list->ranks[at] < ranks) at++;
  if (at < list->count && list->ranks[at] == ranks) return true;
  if (list->count == HS_RANK_LIST_MOST) return false;
  memmove(list->ranks + at + 1, list->ranks + at, (size_t)(list->count - at) * sizeof *list->ranks);
  list->ranks[at] = ranks;
  list->count += 1;
  return true;
}

/* "64" or "64:4096", `length` characters of text. */
static hs_status_t take_item(hs_rank_list_t *list, const char *text, const char *item, size_t length)
{
  const char *colon = memchr(item, ':', length);
  size_t head = colon != NULL ? (size_t)(colon - item) : length;
  int64_t low, high;
  if (!read_ranks(item, head, &low)) return wrong(text, "is no list of rank counts");
  high = low;
  if (colon != NULL && !read_ranks(colon + 1, length - head - 1, &high))
    return wrong(text, "is no list of rank counts");
  if (high < low) return wrong(text, "counts down");
  for (int64_t ranks = low; ranks <= high; ranks *= 2)
    if (!insert(list, (int)ranks)) return wrong(text, "has too many entries");
  return HS_OK;
}

hs_status_t hs_rank_list_parse(hs_rank_list_t *list, const char *text, int64_t rows)
{
  *list = (hs_rank_list_t){0};
  for (int ranks = 1; text == NULL && ranks <= DEFAULT_MOST && ranks <= rows; ranks *= 2) insert(list, ranks);
  hs_status_t status = HS_OK;
  for (const char *item = text; item != NULL && status == HS_OK;) {
    size_t length = strcspn(item, ",");
    status = take_item(list, text, item, length);
    item = item[length] == ',' ? item + length + 1 : NULL;
  }
  if (status == HS_OK && list->ranks[list->count - 1] > rows)
    status = hs_fail(HS_BAD_USAGE, NULL, "--ranks", "%d ranks for %" PRId64 " rows (at most one rank a row)",
                     list->ranks[list->count - 1], rows);
  return status;
}
