#include "masked/groups.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"

/* Making a table entry costs about as much as this many look-ups: it is stored, and read back once. */
#define ENTRY_COST 2.0

/* Look-ups slow down as tables outgrow the nearest cache: measured, their cost is about 1 + SPREAD * bits. */
#define SPREAD 0.06

#define CACHE_LINE 8 /* words */

hs_groups_t hs_groups_split(int gates, int64_t rows)
{
  hs_groups_t best = {gates, 0, 0};
  double least = 0;
  for (int bits = 1; bits <= HS_GROUP_BITS && gates > 0; bits++) {
    int count = (gates + bits - 1) / bits;
    int widest = (gates + count - 1) / count;
    double cost = count * ((double)rows * (1 + SPREAD * widest) + ENTRY_COST * (double)(1 << widest));
    if (best.count != 0 && cost >= least) continue;
    best = (hs_groups_t){gates, count, widest};
    least = cost;
  }
  return best;
}

static int most_groups(int room, int64_t rows)
{
  int most = 0;
  for (int gates = 1; gates <= room; gates++) {
    hs_groups_t groups = hs_groups_split(gates, rows);
    if (groups.count > most) most = groups.count;
  }
  return most;
}

size_t hs_groups_entries(int room, int64_t rows)
{
  size_t most = 0;
  for (int gates = 1; gates <= room; gates++) {
    hs_groups_t groups = hs_groups_split(gates, rows);
    size_t entries = (size_t)groups.count << groups.bits;
    if (entries > most) most = entries;
  }
  return most;
}

static int mask_bytes(int gates)
{
  return (gates + 7) / 8;
}

/* Words for one row without the gates not chosen, whole cache lines: each thread has its own. */
static size_t line_words(int words)
{
  return (size_t)(words + 1 + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

hs_status_t hs_patterns_create(hs_patterns_t *patterns, const hs_masks_t *masks, int room, int64_t table_rows,
                               int parts)
{
  *patterns =
      (hs_patterns_t){.masks = masks, .table_rows = hs_min64(table_rows, masks->rows), .parts = parts};
  patterns->row_bytes = most_groups(room, patterns->table_rows);
  patterns->gates = hs_alloc((size_t)masks->gates, sizeof(int), "chosen gates");
  patterns->of_row = hs_alloc((size_t)masks->rows, (size_t)patterns->row_bytes, "mask patterns");
  patterns->squeeze = hs_alloc((size_t)mask_bytes(masks->gates), 256, "mask patterns");
  patterns->kept = hs_alloc((size_t)mask_bytes(masks->gates), 1, "mask patterns");
  patterns->lines = hs_alloc((size_t)parts * line_words(masks->words), sizeof(uint64_t), "mask patterns");
  bool good = patterns->gates != NULL && patterns->of_row != NULL && patterns->squeeze != NULL;
  return good && patterns->kept != NULL && patterns->lines != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_patterns_free(hs_patterns_t *patterns)
{
  hs_free(patterns->gates);
  hs_free(patterns->of_row);
  hs_free(patterns->squeeze);
  hs_free(patterns->kept);
  hs_free(patterns->lines);
  *patterns = (hs_patterns_t){0};
}

size_t hs_patterns_bytes(int64_t rows, int gates, int room, int64_t table_rows, int parts)
{
  size_t row_bytes = (size_t)most_groups(room, hs_min64(table_rows, rows));
  return (size_t)rows * row_bytes + (size_t)mask_bytes(gates) * 257 + (size_t)gates * sizeof(int) +
         (size_t)parts * line_words((gates + 63) / 64) * sizeof(uint64_t);
}

/* squeeze[256 * byte + value]: the bits of value that belong to chosen gates, moved together. */
static void make_squeeze(hs_patterns_t *patterns)
{
  int bytes = mask_bytes(patterns->masks->gates), next = 0;
  for (int byte = 0; byte < bytes; byte++) {
    uint8_t *of_value = patterns->squeeze + 256 * (size_t)byte;
    memset(of_value, 0, 256);
    int place = 0;
    for (; next < patterns->groups.gates && patterns->gates[next] / 8 == byte; place++, next++) {
      int bit = patterns->gates[next] % 8;
      for (int value = 0; value < 256; value++)
        of_value[value] = (uint8_t)(of_value[value] | (value >> bit & 1) << place);
    }
    patterns->kept[byte] = (uint8_t)place;
  }
}

/* The bits of the chosen gates of one row, moved together. */
static void squeeze_row(const hs_patterns_t *patterns, const uint64_t *bits, uint64_t *out)
{
  int bytes = mask_bytes(patterns->masks->gates), filled = 0;
  uint64_t word = 0;
  for (int byte = 0; byte < bytes; byte++) {
    const uint8_t *of_value = patterns->squeeze + 256 * (size_t)byte;
    int added = patterns->kept[byte];
    uint64_t value = of_value[bits[byte / 8] >> (byte % 8 * 8) & 255];
    word |= value << filled;
    filled += added;
    if (filled < 64) continue;
    *out++ = word;
    filled -= 64;
    word = filled > 0 ? value >> (added - filled) : 0;
  }
  *out = word;
}

static void cut_row(const hs_groups_t *groups, const uint64_t *line, uint8_t *of_row)
{
  int first = 0;
  for (int group = 0; group < groups->count; group++) {
    int next = hs_group_first(groups, group + 1);
    uint64_t bits = line[first / 64] >> (first % 64);
    if (first / 64 != (next - 1) / 64) bits |= line[first / 64 + 1] << (64 - first % 64);
    of_row[group] = (uint8_t)(bits & ((1U << (next - first)) - 1));
    first = next;
  }
}

static bool are_chosen(const hs_patterns_t *patterns, int chosen, const int *gates)
{
  return patterns->groups.gates == chosen &&
         memcmp(patterns->gates, gates, (size_t)chosen * sizeof *gates) == 0;
}

static void read_part(hs_patterns_t *patterns, int part)
{
  const hs_masks_t *masks = patterns->masks;
  uint64_t *line = patterns->lines + (size_t)part * line_words(masks->words);
  int64_t end = hs_part_first(masks->rows, patterns->parts, part + 1);
  for (int64_t row = hs_part_first(masks->rows, patterns->parts, part); row < end; row++) {
    squeeze_row(patterns, masks->bits + row * masks->words, line);
    cut_row(&patterns->groups, line, patterns->of_row + row * patterns->groups.count);
  }
}

void hs_patterns_choose(hs_patterns_t *patterns, int chosen, const int *gates)
{
  if (are_chosen(patterns, chosen, gates)) return;
  patterns->groups = hs_groups_split(chosen, patterns->table_rows);
  memcpy(patterns->gates, gates, (size_t)chosen * sizeof *gates);
  make_squeeze(patterns);
#pragma omp parallel for schedule(static, 1) num_threads(patterns->parts)
  for (int part = 0; part < patterns->parts; part++) read_part(patterns, part);
}
