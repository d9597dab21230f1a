#include "masked/runs.h"

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

/* Counting sort of the rows first .. first+rows-1 by their pattern in one group. */
static void sort_group(hs_runs_t *runs, const hs_patterns_t *patterns, int64_t first, int rows, int group)
{
  int count = runs->groups.count;
  const uint8_t *of_row = patterns->of_row + first * count + group;
  uint16_t *length = runs->length + (hs_runs_length(runs, first, group) - runs->length);
  uint16_t *order = runs->order + (hs_runs_order(runs, first, group) - runs->order);
  int start[1 << HS_GROUP_BITS];
  for (int row = 0; row < rows; row++) length[of_row[(size_t)row * (size_t)count]]++;
  for (int pattern = 0, sum = 0; pattern < 1 << runs->groups.bits; pattern++) {
    start[pattern] = sum;
    sum += length[pattern];
  }
  for (int row = 0; row < rows; row++) order[start[of_row[(size_t)row * (size_t)count]]++] = (uint16_t)row;
}

/* Blocks first_block .. end_block-1. */
static void sort_blocks(hs_runs_t *runs, const hs_patterns_t *patterns, int64_t first_block,
                        int64_t end_block)
{
  int64_t end = hs_min64(runs->rows, end_block * runs->block);
  for (int64_t first = first_block * runs->block; first < end; first += runs->block)
    for (int group = 0; group < runs->groups.count; group++)
      sort_group(runs, patterns, first, (int)hs_min64(runs->block, runs->rows - first), group);
}

hs_status_t hs_runs_create(hs_runs_t *runs, const hs_patterns_t *patterns, int block, int parts)
{
  *runs = (hs_runs_t){.groups = patterns->groups, .rows = patterns->masks->rows, .block = block};
  runs->order = hs_alloc(order_count(runs->groups, runs->rows), sizeof(uint16_t), "row orders");
  runs->length =
      hs_alloc(length_count(runs->groups, runs->rows, runs->block), sizeof(uint16_t), "row orders");
  if (runs->order == NULL || runs->length == NULL) return HS_NO_MEMORY;
  int64_t blocks = (runs->rows + block - 1) / block;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    sort_blocks(runs, patterns, hs_part_first(blocks, parts, part), hs_part_first(blocks, parts, part + 1));
  return HS_OK;
}

void hs_runs_free(hs_runs_t *runs)
{
  hs_free(runs->order);
  hs_free(runs->length);
  *runs = (hs_runs_t){0};
}

size_t hs_runs_bytes(hs_groups_t groups, int64_t rows, int block)
{
  return (order_count(groups, rows) + length_count(groups, rows, block)) * sizeof(uint16_t);
}
