#include "masked/runs.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"

static size_t order_count(hs_groups_t groups, int64_t rows)
{
  return (size_t)(rows * groups.count) + HS_RUNS_AHEAD;
}

static size_t length_count(hs_groups_t groups, int64_t rows, int block)
{
  int64_t blocks = (rows + block - 1) / block;
  return (size_t)(blocks * groups.count) << groups.bits;
}

/* The patterns of the rows first .. first+rows-1 in one group. */
static void read_patterns(const hs_runs_t *runs, const hs_masks_t *masks, int64_t first, int rows, int group,
                          uint8_t *patterns)
{
  int gate = hs_group_first(&runs->groups, group), bits = hs_group_first(&runs->groups, group + 1) - gate;
  for (int bit = 0; bit < bits; bit++) {
    int number = runs->gates[gate + bit];
    const uint64_t *word = masks->bits + first * masks->words + number / 64;
    for (int row = 0; row < rows; row++, word += masks->words) {
      uint8_t open = (uint8_t)((*word >> (number % 64) & 1) << bit);
      patterns[row] = bit == 0 ? open : (uint8_t)(patterns[row] | open);
    }
  }
}

/* Counting sort of the rows first .. first+rows-1 by their pattern in one group. */
static void sort_group(hs_runs_t *runs, const hs_masks_t *masks, int64_t first, int rows, int group)
{
  uint8_t pattern_of[HS_RUNS_MOST];
  uint16_t *length = runs->length + (hs_runs_length(runs, first, group) - runs->length);
  uint16_t *order = runs->order + (hs_runs_order(runs, first, group) - runs->order);
  int start[1 << HS_GROUP_BITS], patterns = 1 << runs->groups.bits;
  read_patterns(runs, masks, first, rows, group, pattern_of);
  memset(length, 0, (size_t)patterns * sizeof *length);
  for (int row = 0; row < rows; row++) length[pattern_of[row]]++;
  for (int pattern = 0, sum = 0; pattern < patterns; pattern++) {
    start[pattern] = sum;
    sum += length[pattern];
  }
  for (int row = 0; row < rows; row++) order[start[pattern_of[row]]++] = (uint16_t)row;
}

/* Blocks first_block .. end_block-1. */
static void sort_blocks(hs_runs_t *runs, const hs_masks_t *masks, int64_t first_block, int64_t end_block)
{
  int64_t end = hs_min64(runs->rows, end_block * runs->block);
  for (int64_t first = first_block * runs->block; first < end; first += runs->block)
    for (int group = 0; group < runs->groups.count; group++)
      sort_group(runs, masks, first, (int)hs_min64(runs->block, runs->rows - first), group);
}

static void sort_all(hs_runs_t *runs, const hs_masks_t *masks, int parts)
{
  int64_t blocks = (runs->rows + runs->block - 1) / runs->block;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    sort_blocks(runs, masks, hs_part_first(blocks, parts, part), hs_part_first(blocks, parts, part + 1));
}

hs_status_t hs_runs_create(hs_runs_t *runs, const hs_masks_t *masks, hs_groups_t groups, int block, int parts)
{
  *runs = (hs_runs_t){.groups = groups, .rows = masks->rows, .block = block};
  runs->gates = hs_alloc((size_t)groups.gates, sizeof(int), "row orders");
  runs->order = hs_alloc(order_count(groups, runs->rows), sizeof(uint16_t), "row orders");
  runs->length = hs_alloc(length_count(groups, runs->rows, block), sizeof(uint16_t), "row orders");
  if (runs->gates == NULL || runs->order == NULL || runs->length == NULL) return HS_NO_MEMORY;
  for (int gate = 0; gate < groups.gates; gate++) runs->gates[gate] = gate;
  sort_all(runs, masks, parts);
  return HS_OK;
}

void hs_runs_regroup(hs_runs_t *runs, const hs_masks_t *masks, const int *gates, int parts)
{
  size_t bytes = (size_t)runs->groups.gates * sizeof *gates;
  if (memcmp(runs->gates, gates, bytes) == 0) return;
  memcpy(runs->gates, gates, bytes);
  sort_all(runs, masks, parts);
}

void hs_runs_free(hs_runs_t *runs)
{
  hs_free(runs->gates);
  hs_free(runs->order);
  hs_free(runs->length);
  *runs = (hs_runs_t){0};
}

size_t hs_runs_bytes(hs_groups_t groups, int64_t rows, int block)
{
  return (order_count(groups, rows) + length_count(groups, rows, block)) * sizeof(uint16_t) +
         (size_t)groups.gates * sizeof(int);
}
