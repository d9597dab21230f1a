#include "io/importers/scatter.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "io/importers/spill.h"

#define PASSING ((int64_t)8 << 20) /* bytes of a block for rows that keep their order */

/* Positions [first, first + capacity) of one part, on their way to its writer. */
typedef struct {
  hs_table_writer_t *writer; /* borrowed */
  int64_t rows, first, capacity, held;
  char *features, *targets; /* capacity rows, allocated at the first row */
} block_t;

struct hs_scatter {
  const hs_table_form_t *form; /* of the first part; row sizes and types of both agree */
  const hs_order_t *order;
  int64_t feature_bytes, target_bytes;
  block_t blocks[2];
  hs_spill_t *spills[2];
  int64_t at; /* rows taken so far */
};

static int64_t whole_chunks(int64_t rows, int64_t chunk)
{
  return hs_max64(1, rows / chunk) * chunk;
}

/* Half of the memory sorts rows into buckets; after that the other half puts one bucket in order. */
static hs_status_t open_spills(hs_scatter_t *s, const char *scratch, int64_t memory)
{
  int64_t row_bytes = s->feature_bytes + s->target_bytes;
  for (int part = 0; part < 2; part++) {
    block_t *block = &s->blocks[part];
    if (block->rows == 0) continue;
    block->capacity = whole_chunks(memory / 2 / row_bytes, hs_table_chunk_rows(s->form));
    /* share the buffers as the rows are shared */
    double share = (double)block->rows / (double)(s->blocks[0].rows + s->blocks[1].rows);
    hs_status_t status = hs_spill_open(&s->spills[part], scratch, block->rows, block->capacity, row_bytes,
                                       (int64_t)((double)(memory / 2) * share));
    if (status != HS_OK) return status;
  }
  return HS_OK;
}

static hs_status_t plan(hs_scatter_t *s, bool shuffled, double memory, const char *scratch)
{
  int64_t row_bytes = s->feature_bytes + s->target_bytes, chunk = hs_table_chunk_rows(s->form);
  bool fits = (double)(s->blocks[0].rows + s->blocks[1].rows) * (double)row_bytes <= memory;
  if (shuffled && !fits) return open_spills(s, scratch, (int64_t)memory);
  int64_t passing = hs_min64(PASSING, (int64_t)memory / 2);
  for (int part = 0; part < 2; part++)
    s->blocks[part].capacity = shuffled ? s->blocks[part].rows : whole_chunks(passing / row_bytes, chunk);
  return HS_OK;
}

hs_status_t hs_scatter_create(hs_scatter_t **out, hs_table_writer_t *const writers[2],
                              const hs_table_form_t *forms, const hs_order_t *order, bool shuffled,
                              double memory, const char *scratch)
{
  *out = NULL;
  hs_scatter_t *s = hs_alloc(1, sizeof *s, "rows");
  if (s == NULL) return HS_NO_MEMORY;
  s->form = &forms[0];
  s->order = order;
  s->feature_bytes = hs_table_feature_bytes(s->form);
  s->target_bytes = hs_table_target_bytes(s->form);
  for (int part = 0; part < 2; part++)
    s->blocks[part] = (block_t){.writer = writers[part], .rows = order->rows[part]};
  hs_status_t status = plan(s, shuffled, memory, scratch);
  if (status != HS_OK) hs_scatter_free(&s);
  *out = s;
  return status;
}

static void release(block_t *block)
{
  hs_free(block->features);
  hs_free(block->targets);
  block->features = block->targets = NULL;
}

static hs_status_t flush(block_t *block)
{
  if (block->held == 0) return HS_OK;
  hs_status_t status =
      hs_table_write(block->writer, block->first, block->held, block->features, block->targets);
  block->held = 0;
  return status;
}

/* Make the block cover this position. Every position of a block is filled before the next block begins, so
 * that `held` rows from `first` on are complete when it is flushed. */
static hs_status_t turn_to(hs_scatter_t *s, block_t *block, int64_t position)
{
  if (block->features == NULL) {
    int64_t capacity = hs_min64(block->capacity, block->rows);
    block->features = hs_alloc((size_t)capacity, (size_t)s->feature_bytes, "rows");
    block->targets = hs_alloc((size_t)capacity, (size_t)s->target_bytes, "rows");
    if (block->features == NULL || block->targets == NULL) return HS_NO_MEMORY;
  } else if (position >= block->first && position < block->first + block->capacity) {
    return HS_OK;
  }
  hs_status_t status = flush(block);
  block->first = position / block->capacity * block->capacity;
  return status;
}

/* Doubles to the precision of the file. */
static void store_features(const hs_scatter_t *s, const double *features, char *to)
{
  if (s->form->precision == HS_DOUBLE) {
    memcpy(to, features, (size_t)s->feature_bytes);
    return;
  }
  for (int64_t k = 0; k < s->form->features; k++) {
    float value = (float)features[k];
    memcpy(to + (size_t)k * sizeof value, &value, sizeof value);
  }
}

static hs_status_t put_in_block(hs_scatter_t *s, block_t *block, int64_t position, const double *features,
                                const void *targets)
{
  hs_status_t status = turn_to(s, block, position);
  if (status != HS_OK) return status;
  int64_t k = position - block->first;
  store_features(s, features, block->features + k * s->feature_bytes);
  if (s->target_bytes > 0) memcpy(block->targets + k * s->target_bytes, targets, (size_t)s->target_bytes);
  block->held++;
  return HS_OK;
}

hs_status_t hs_scatter_put(hs_scatter_t *s, const double *features, const void *targets)
{
  int64_t row = s->at++, place = s->order->place != NULL ? s->order->place[row] : row;
  int part = place < 0;
  int64_t position = part ? -1 - place : place;
  if (s->spills[part] == NULL) return put_in_block(s, &s->blocks[part], position, features, targets);
  hs_status_t status;
  char *record = hs_spill_put(s->spills[part], position, &status);
  if (record == NULL) return status;
  store_features(s, features, record);
  if (s->target_bytes > 0) memcpy(record + s->feature_bytes, targets, (size_t)s->target_bytes);
  return HS_OK;
}

static hs_status_t take_back(hs_scatter_t *s, int part)
{
  block_t *block = &s->blocks[part];
  hs_status_t status = hs_spill_flush(s->spills[part]);
  for (int64_t row = 0; status == HS_OK && row < block->rows; row++) {
    int64_t position;
    const char *record = hs_spill_get(s->spills[part], &position, &status);
    if (record == NULL) return status;
    if ((status = turn_to(s, block, position)) != HS_OK) return status;
    int64_t k = position - block->first;
    memcpy(block->features + k * s->feature_bytes, record, (size_t)s->feature_bytes);
    memcpy(block->targets + k * s->target_bytes, record + s->feature_bytes, (size_t)s->target_bytes);
    block->held++;
  }
  hs_spill_close(&s->spills[part]);
  return status;
}

hs_status_t hs_scatter_finish(hs_scatter_t *s)
{
  for (int part = 0; part < 2; part++) {
    hs_status_t status = s->spills[part] != NULL ? take_back(s, part) : HS_OK;
    if (status == HS_OK) status = flush(&s->blocks[part]);
    if (status != HS_OK) return status;
    release(&s->blocks[part]);
  }
  return HS_OK;
}

void hs_scatter_free(hs_scatter_t **scatter)
{
  hs_scatter_t *s = *scatter;
  *scatter = NULL;
  if (s == NULL) return;
  for (int part = 0; part < 2; part++) {
    release(&s->blocks[part]);
    hs_spill_close(&s->spills[part]);
  }
  hs_free(s);
}
