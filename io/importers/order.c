#include "io/importers/order.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/random.h"

/* The first `count` steps of a Fisher-Yates shuffle: items[0..count) is then a random choice in random
 * order. The remainder favours no index by more than n / 2^64. */
static void draw(int64_t *items, int64_t n, int64_t count, uint64_t seed, hs_stream_t stream)
{
  for (int64_t k = 0; k < n; k++) items[k] = k;
  for (int64_t k = 0; k < count; k++) {
    uint64_t bits = hs_random_bits(seed, (uint32_t)stream, (uint64_t)k);
    int64_t other = k + (int64_t)(bits % (uint64_t)(n - k)), item = items[k];
    items[k] = items[other];
    items[other] = item;
  }
}

static bool in_test(const unsigned char *marks, int64_t row)
{
  return (marks[row / 8] >> row % 8 & 1) != 0;
}

hs_status_t hs_order_make(hs_order_t *order, int64_t n, int64_t test, uint64_t seed)
{
  *order = (hs_order_t){.rows = {n - test, test}};
  if (seed == 0 && test == 0) return HS_OK;
  int64_t *items = hs_alloc((size_t)n, sizeof *items, "shuffle");
  unsigned char *marks = hs_alloc((size_t)n / 8 + 1, 1, "split");
  order->place = hs_alloc((size_t)n, sizeof *order->place, "shuffle");
  hs_status_t status = items != NULL && marks != NULL && order->place != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) {
    draw(items, n, test, seed != 0 ? seed : 1, HS_STREAM_SPLIT);
    for (int64_t k = 0; k < test; k++)
      marks[items[k] / 8] = (unsigned char)(marks[items[k] / 8] | 1u << items[k] % 8);
    draw(items, n, seed != 0 ? n : 0, seed, HS_STREAM_SHUFFLE);
    int64_t next[2] = {0, 0};
    for (int64_t k = 0; k < n; k++)
      order->place[items[k]] = in_test(marks, items[k]) ? -1 - next[1]++ : next[0]++;
  }
  hs_free(items);
  hs_free(marks);
  if (status != HS_OK) hs_order_free(order);
  return status;
}

void hs_order_free(hs_order_t *order)
{
  hs_free(order->place);
  order->place = NULL;
}
