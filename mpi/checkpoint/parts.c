#include "mpi/checkpoint/parts.h"

#include "base/size.h"

#define LEAST_PART ((int64_t)1 << 20)

hs_part_t hs_part_of(const hs_stored_array_t *array, const int64_t *first_row, int64_t writers,
                     int64_t writer)
{
  int64_t bytes = hs_stored_bytes(array);
  if (array->kind == HS_STORED_ROWS) {
    int64_t one = array->rows > 0 ? bytes / array->rows : 0;
    return (hs_part_t){first_row[writer] * one, (first_row[writer + 1] - first_row[writer]) * one};
  }
  int64_t sharers = hs_max64(1, hs_min64(writers, bytes / LEAST_PART));
  if (array->kind == HS_STORED_ROOT) sharers = 1;
  if (writer >= sharers) return (hs_part_t){0, 0};
  /* floor(bytes writer / sharers), without the product that could overflow */
  int64_t whole = bytes / sharers, rest = bytes % sharers;
  int64_t first = whole * writer + rest * writer / sharers;
  int64_t next = whole * (writer + 1) + rest * (writer + 1) / sharers;
  return (hs_part_t){first, next - first};
}
