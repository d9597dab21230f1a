#include "network/record.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

const char *hs_start_name(int64_t kind)
{
  static const char *const names[] = {"sign map", "cones", "max-margin cones", "random L-BFGS",
                                      "random Adam"};
  return names[kind];
}

void hs_network_record_clear(hs_network_record_t *record)
{
  hs_free(record->start);
  hs_free(record->round);
  *record = (hs_network_record_t){.chosen = -1};
}

/* Rows come one by one, after seconds of work each: a copy of the earlier ones costs nothing. */
static hs_status_t append(void **rows, int *count, size_t size, const void *row)
{
  char *longer = hs_alloc((size_t)*count + 1, size, "record of the network");
  if (longer == NULL) return HS_NO_MEMORY;
  if (*count > 0) memcpy(longer, *rows, (size_t)*count * size);
  memcpy(longer + (size_t)*count * size, row, size);
  hs_free(*rows);
  *rows = longer;
  *count += 1;
  return HS_OK;
}

hs_status_t hs_network_record_start(hs_network_record_t *record, const hs_start_record_t *row)
{
  void *rows = record->start;
  hs_status_t status = append(&rows, &record->starts, sizeof *row, row);
  record->start = rows;
  return status;
}

hs_status_t hs_network_record_round(hs_network_record_t *record, const hs_round_record_t *row)
{
  void *rows = record->round;
  hs_status_t status = append(&rows, &record->rounds, sizeof *row, row);
  record->round = rows;
  return status;
}
