#include "mpi/path/kept_weights.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"

static const char what[] = "weights of the path";

static bool is_zero(const double *values, int64_t count)
{
  for (int64_t e = 0; e < count; e++)
    if (values[e] != 0) return false;
  return true;
}

/* *array in a larger block, with what it held. */
static bool grow(void **array, size_t size, int64_t used, int64_t room)
{
  void *larger = hs_alloc((size_t)room, size, what);
  if (larger == NULL) return false;
  if (used > 0) memcpy(larger, *array, (size_t)used * size);
  hs_free(*array);
  *array = larger;
  return true;
}

static hs_status_t reserve(hs_kept_weights_t *kept, int64_t count, int64_t blocks)
{
  if (count > kept->room || kept->point == NULL) {
    int64_t room = hs_max64(count, 2 * kept->room), used = kept->point != NULL ? kept->count : 0;
    if (!grow((void **)&kept->point, sizeof(int64_t), used, room)) return HS_NO_MEMORY;
    if (!grow((void **)&kept->first, sizeof(int64_t), kept->first != NULL ? kept->count + 1 : 0, room + 1))
      return HS_NO_MEMORY;
    kept->room = room;
  }
  if (blocks > kept->blocks_room || kept->gate == NULL) {
    int64_t room = hs_max64(blocks, 2 * kept->blocks_room);
    if (!grow((void **)&kept->gate, sizeof(int64_t), kept->blocks, room)) return HS_NO_MEMORY;
    if (!grow((void **)&kept->weights, (size_t)kept->size * sizeof(double), kept->blocks, room))
      return HS_NO_MEMORY;
    kept->blocks_room = room;
  }
  return HS_OK;
}

hs_status_t hs_kept_weights_resize(hs_kept_weights_t *kept, int64_t count, int64_t blocks)
{
  hs_status_t status = reserve(kept, count, blocks);
  if (status != HS_OK) return status;
  kept->count = count;
  kept->blocks = blocks;
  return HS_OK;
}

hs_status_t hs_kept_weights_add(hs_kept_weights_t *kept, int64_t point, const double *u)
{
  int64_t size = kept->size, active = 0;
  for (int64_t i = 0; i < kept->gates; i++) active += !is_zero(u + i * size, size);
  hs_status_t status = reserve(kept, kept->count + 1, kept->blocks + active);
  if (status != HS_OK) return status;
  for (int64_t i = 0; i < kept->gates; i++) {
    if (is_zero(u + i * size, size)) continue;
    kept->gate[kept->blocks] = i;
    memcpy(kept->weights + kept->blocks * size, u + i * size, (size_t)size * sizeof(double));
    kept->blocks += 1;
  }
  kept->point[kept->count++] = point;
  kept->first[kept->count] = kept->blocks;
  return HS_OK;
}

void hs_kept_weights_clear(hs_kept_weights_t *kept)
{
  kept->count = kept->blocks = 0;
}

bool hs_kept_weights_get(const hs_kept_weights_t *kept, int64_t point, double *u)
{
  int64_t size = kept->size;
  for (int64_t k = 0; k < kept->count; k++) {
    if (kept->point[k] != point) continue;
    memset(u, 0, (size_t)(kept->gates * size) * sizeof(double));
    for (int64_t b = kept->first[k]; b < kept->first[k + 1]; b++)
      memcpy(u + kept->gate[b] * size, kept->weights + b * size, (size_t)size * sizeof(double));
    return true;
  }
  return false;
}

void hs_kept_weights_free(hs_kept_weights_t *kept)
{
  hs_free(kept->point);
  hs_free(kept->first);
  hs_free(kept->gate);
  hs_free(kept->weights);
  *kept = (hs_kept_weights_t){0};
}
