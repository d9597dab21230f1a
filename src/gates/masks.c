#include "gates/masks.h"

#include <cblas.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

/* Rows of X whose dot products are in hand together. */
#define CHUNK_ROWS 256

static void widen(hs_precision_t precision, const void *X, int64_t first, int64_t count, double *out)
{
  if (precision == HS_DOUBLE) {
    memcpy(out, (const double *)X + first, (size_t)count * sizeof *out);
    return;
  }
  const float *x = (const float *)X + first;
  for (int64_t i = 0; i < count; i++) out[i] = (double)x[i];
}

/* Bits of one row from its dot products; -0.0 >= 0 holds, so both zeros are open. */
static void pack_row(int gates, const double *dots, uint64_t *bits)
{
  for (int first = 0; first < gates; first += 64) {
    int count = gates - first < 64 ? gates - first : 64;
    uint64_t word = 0;
    for (int i = 0; i < count; i++) word |= (uint64_t)(dots[first + i] >= 0) << i;
    *bits++ = word;
  }
}

static void pack_block(hs_masks_t *masks, int64_t first, int rows, int d, const double *X, const double *G,
                       double *dots)
{
  /* dots = X G', rows x gates */
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, masks->gates, d, 1.0, X, d, G, d, 0.0, dots,
              masks->gates);
  for (int row = 0; row < rows; row++)
    pack_row(masks->gates, dots + (size_t)row * (size_t)masks->gates,
             masks->bits + (first + row) * masks->words);
}

hs_status_t hs_masks_create(hs_masks_t *masks, hs_precision_t precision, int64_t rows, int d, const void *X,
                            int gates, const double *G)
{
  *masks = (hs_masks_t){.rows = rows, .gates = gates, .words = (gates + 63) / 64};
  masks->bits = hs_alloc((size_t)rows * (size_t)masks->words, sizeof(uint64_t), "gate masks");
  double *wide = hs_alloc((size_t)CHUNK_ROWS * (size_t)d, sizeof(double), "rows for gate masks");
  double *dots = hs_alloc((size_t)CHUNK_ROWS * (size_t)gates, sizeof(double), "rows for gate masks");
  bool good = masks->bits != NULL && wide != NULL && dots != NULL;
  for (int64_t first = 0; good && gates > 0 && first < rows; first += CHUNK_ROWS) {
    int count = (int)hs_min64(CHUNK_ROWS, rows - first);
    widen(precision, X, first * d, (int64_t)count * d, wide);
    pack_block(masks, first, count, d, wide, G, dots);
  }
  hs_free(dots);
  hs_free(wide);
  if (!good) hs_masks_free(masks);
  return good ? HS_OK : HS_NO_MEMORY;
}

/* Bits keep[first..] of one row, at most 64, as a word. */
static uint64_t gather(const uint64_t *bits, int kept, const int *keep, int first)
{
  uint64_t word = 0;
  for (int i = first; i < kept && i < first + 64; i++)
    word |= (bits[keep[i] / 64] >> (keep[i] % 64) & 1) << (i - first);
  return word;
}

hs_status_t hs_masks_select(hs_masks_t *masks, int kept, const int *keep)
{
  int words = (kept + 63) / 64;
  uint64_t *bits = hs_alloc((size_t)masks->rows * (size_t)words, sizeof(uint64_t), "gate masks");
  if (bits == NULL) return HS_NO_MEMORY;
  for (int64_t row = 0; row < masks->rows; row++)
    for (int word = 0; word < words; word++)
      bits[row * words + word] = gather(masks->bits + row * masks->words, kept, keep, 64 * word);
  hs_free(masks->bits);
  masks->bits = bits;
  masks->gates = kept;
  masks->words = words;
  return HS_OK;
}

void hs_masks_free(hs_masks_t *masks)
{
  hs_free(masks->bits);
  *masks = (hs_masks_t){0};
}
