#include "model/history_log.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"

static hs_status_t grow(hs_history_log_t *log)
{
  int64_t room = hs_max64(256, 2 * log->room);
  hs_history_row_t *rows = hs_alloc((size_t)room, sizeof *rows, "history");
  if (rows == NULL) return HS_NO_MEMORY;
  if (log->count > 0) memcpy(rows, log->rows, (size_t)log->count * sizeof *rows);
  hs_free(log->rows);
  log->rows = rows;
  log->room = room;
  return HS_OK;
}

hs_status_t hs_history_log_add(hs_history_log_t *log, const hs_history_row_t *row)
{
  if (log->count > 0 && log->rows[log->count - 1].iteration == row->iteration) log->count -= 1;
  if (log->count == log->room) {
    hs_status_t status = grow(log);
    if (status != HS_OK) return status;
  }
  log->rows[log->count++] = *row;
  return HS_OK;
}

void hs_history_log_free(hs_history_log_t *log)
{
  hs_free(log->rows);
  *log = (hs_history_log_t){0};
}

void hs_history_to_numbers(const hs_history_row_t *row, double numbers[HS_HISTORY_NUMBERS])
{
  const double values[HS_HISTORY_NUMBERS] = {(double)row->iteration,
                                             row->primal,
                                             row->dual,
                                             row->gap,
                                             row->relative_gap,
                                             row->rho,
                                             row->primal_residual,
                                             row->dual_residual,
                                             (double)row->active_groups,
                                             row->seconds,
                                             row->compute_seconds,
                                             row->comm_seconds,
                                             row->comm_bytes};
  memcpy(numbers, values, sizeof values);
}

void hs_history_from_numbers(const double numbers[HS_HISTORY_NUMBERS], hs_history_row_t *row)
{
  *row = (hs_history_row_t){(int64_t)numbers[0], numbers[1],  numbers[2], numbers[3],          numbers[4],
                            numbers[5],          numbers[6],  numbers[7], (int64_t)numbers[8], numbers[9],
                            numbers[10],         numbers[11], numbers[12]};
}
