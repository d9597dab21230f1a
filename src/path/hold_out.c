#include "path/hold_out.h"

#include "base/random.h"
#include "base/size.h"

/* First row of a group; exact for fewer than 2^53 rows. */
static int64_t start_of(const hs_hold_out_t *hold_out, int64_t group)
{
  return (int64_t)((double)group / hold_out->share);
}

static int64_t picked(const hs_hold_out_t *hold_out, int64_t group)
{
  int64_t start = start_of(hold_out, group), length = start_of(hold_out, group + 1) - start;
  uint64_t bits = hs_random_bits((uint64_t)hold_out->seed, HS_STREAM_HOLD_OUT, (uint64_t)group);
  return start + (int64_t)(bits % (uint64_t)length);
}

int64_t hs_hold_out_count(const hs_hold_out_t *hold_out)
{
  int64_t groups = (int64_t)((double)hold_out->rows * hold_out->share);
  while (start_of(hold_out, groups + 1) <= hold_out->rows) groups++;
  while (groups > 0 && start_of(hold_out, groups) > hold_out->rows) groups--;
  return groups;
}

int64_t hs_hold_out_row(const hs_hold_out_t *hold_out, int64_t k)
{
  return picked(hold_out, k);
}

/* start - group rows for training come before a group. */
int64_t hs_hold_out_training_row(const hs_hold_out_t *hold_out, int64_t k)
{
  int64_t groups = hs_hold_out_count(hold_out);
  int64_t group = hs_min64(groups, (int64_t)((double)k * hold_out->share / (1 - hold_out->share)));
  while (group < groups && start_of(hold_out, group + 1) - (group + 1) <= k) group++;
  while (group > 0 && start_of(hold_out, group) - group > k) group--;
  int64_t row = k + group;
  return group < groups && row >= picked(hold_out, group) ? row + 1 : row;
}

bool hs_hold_out_has(const hs_hold_out_t *hold_out, int64_t row)
{
  int64_t group = (int64_t)((double)row * hold_out->share);
  while (start_of(hold_out, group + 1) <= row) group++;
  while (group > 0 && start_of(hold_out, group) > row) group--;
  return group < hs_hold_out_count(hold_out) && picked(hold_out, group) == row;
}
