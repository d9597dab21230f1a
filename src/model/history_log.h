/* history_log.h: all rows of a run's history in memory. Not collective. */
#ifndef HS_MODEL_HISTORY_LOG_H
#define HS_MODEL_HISTORY_LOG_H

#include <stdint.h>

#include "base/status.h"
#include "model/history.h"

/* All zero is an empty log. */
typedef struct hs_history_log {
  hs_history_row_t *rows; /* owned */
  int64_t count, room;
} hs_history_log_t;

/* Add a row; one of the same iteration as the last takes its place. */
hs_status_t hs_history_log_add(hs_history_log_t *log, const hs_history_row_t *row);
void hs_history_log_free(hs_history_log_t *log);

/* A row as numbers in the order of its fields, and back. Counts are exact up to 2^53. */
#define HS_HISTORY_NUMBERS 13
void hs_history_to_numbers(const hs_history_row_t *row, double numbers[HS_HISTORY_NUMBERS]);
void hs_history_from_numbers(const double numbers[HS_HISTORY_NUMBERS], hs_history_row_t *row);

#endif
