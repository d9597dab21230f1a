#include "masked/gram_plan.h"

#include "base/memory.h"
#include "base/size.h"

/* Measured, in sums of one row into a bucket: copying a row, and sorting it for a pair of groups. */
#define COPY_COST 0.5
#define SORT_COST 0.15

/* Units for each thread, so that none waits long for the last one. */
#define UNITS_PER_THREAD 6

static size_t most_units(int gates, int threads)
{
  return (size_t)gates + (size_t)UNITS_PER_THREAD * (size_t)threads;
}

hs_status_t hs_gram_plan_create(hs_gram_plan_t *plan, int gates, int threads)
{
  *plan = (hs_gram_plan_t){0};
  plan->groups = hs_alloc((size_t)gates, sizeof *plan->groups, "groups of gates");
  plan->units = hs_alloc(most_units(gates, threads), sizeof *plan->units, "groups of gates");
  return plan->groups != NULL && plan->units != NULL ? HS_OK : HS_NO_MEMORY;
}

void hs_gram_plan_free(hs_gram_plan_t *plan)
{
  hs_free(plan->groups);
  hs_free(plan->units);
  *plan = (hs_gram_plan_t){0};
}

size_t hs_gram_plan_bytes(int gates, int threads)
{
  return (size_t)gates * sizeof(hs_gram_group_t) + most_units(gates, threads) * sizeof(hs_gram_unit_t);
}

/* The gates first .. end-1 in groups of at most `bits`, of equal length or one less. */
static void split(hs_gram_plan_t *plan, hs_gram_range_t range, int first, int end, int bits)
{
  bool in_rows = first >= range.row && end <= range.row_end;
  bool in_columns = first >= range.column && end <= range.column_end;
  if (first >= end || (!in_rows && !in_columns)) return;
  int gates = end - first, count = (gates + bits - 1) / bits;
  for (int group = 0; group < count; group++)
    plan->groups[plan->count++] = (hs_gram_group_t){first + gates * group / count,
                                                    first + gates * (group + 1) / count, in_rows, in_columns};
}

/* No group is half inside of the rows, or of the columns. */
static void split_all(hs_gram_plan_t *plan, hs_gram_range_t range, int bits)
{
  int cuts[4] = {range.row, range.row_end, range.column, range.column_end};
  for (int i = 1; i < 4; i++)
    for (int j = i; j > 0 && cuts[j] < cuts[j - 1]; j--) {
      int moved = cuts[j];
      cuts[j] = cuts[j - 1];
      cuts[j - 1] = moved;
    }
  plan->count = 0;
  for (int i = 0; i < 3; i++) split(plan, range, cuts[i], cuts[i + 1], bits);
}

static double cost(const hs_gram_plan_t *plan, const hs_gram_costs_t *costs, int bits)
{
  double patterns = (double)((int64_t)1 << bits), pairs = 0, alone = 0;
  int units = 0, partners = 0;
  for (int group = 0; group < plan->count; group++) {
    if (plan->groups[group].in_rows) {
      pairs += partners;
      units++;
      if (partners == 0 && plan->groups[group].in_columns) alone++;
    }
    partners += plan->groups[group].in_columns;
  }
  double chunks = (double)((costs->rows + costs->chunk - 1) / costs->chunk);
  double rows = (double)costs->rows, classes = chunks * (double)hs_min64((int64_t)patterns, costs->chunk);
  double of_class = patterns * costs->fold + (double)(bits * bits) / 2 * costs->flush;
  return rows * (units * COPY_COST + pairs * (1 + SORT_COST) + alone) +
         classes * (pairs * of_class + alone * (double)(bits * bits) / 8 * costs->flush);
}

static void make_units(hs_gram_plan_t *plan, int threads)
{
  int pairs = 0, columns = 0;
  for (int group = 0; group < plan->count; group++) {
    columns += plan->groups[group].in_columns;
    if (plan->groups[group].in_rows) pairs += columns;
  }
  int most =
      threads == 1 ? plan->count : (pairs + UNITS_PER_THREAD * threads - 1) / (UNITS_PER_THREAD * threads);
  plan->units_count = 0;
  for (int group = plan->count - 1; group >= 0; group--) {
    if (!plan->groups[group].in_rows) continue;
    int first = 0, end = group + 1;
    while (end > 0 && !plan->groups[end - 1].in_columns) end--;
    while (first < end && !plan->groups[first].in_columns) first++;
    for (; first < end; first += most)
      plan->units[plan->units_count++] = (hs_gram_unit_t){group, first, (int)hs_min64(end, first + most)};
  }
}

void hs_gram_plan_make(hs_gram_plan_t *plan, hs_gram_range_t range, const hs_gram_costs_t *costs, int threads)
{
  double least = 0;
  int best = 0;
  for (int bits = 1; bits <= costs->most_bits; bits++) {
    split_all(plan, range, bits);
    double now = cost(plan, costs, bits);
    if (best != 0 && now >= least) continue;
    best = bits;
    least = now;
  }
  split_all(plan, range, best);
  make_units(plan, threads);
}
