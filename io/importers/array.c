#include "io/importers/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "io/importers/array_header.h"
#include "io/importers/element.h"

#define BLOCK ((int64_t)1 << 20) /* bytes of rows read at once */

struct hs_array {
  hs_bytes_t *bytes;
  hs_array_form_t form;
  int64_t rows, width;
  unsigned char *block;  /* C order: rows one after another; Fortran order: for each element, block rows */
  int64_t block_rows;    /* that fit */
  int64_t first, filled; /* rows [first, first + filled) are in the block */
  int64_t at;            /* the row to deliver next */
  FILE *spool;           /* decompressed copy of a file in Fortran order, or NULL; its name is gone */
};

static hs_status_t length_error(const hs_array_t *a, int64_t have)
{
  int64_t want = a->form.offset + a->rows * a->width * (int64_t)hs_element_bytes(a->form.element);
  if (have < want)
    return hs_fail(HS_BAD_DATA, hs_bytes_path(a->bytes), NULL,
                   "truncated: %lld bytes, and the header asks for %lld", (long long)have, (long long)want);
  if (have > want)
    return hs_fail(HS_BAD_DATA, hs_bytes_path(a->bytes), NULL, "longer than the %lld bytes of its header",
                   (long long)want);
  return HS_OK;
}

/* Count the bytes of a compressed file, and keep them when they will be wanted out of order. */
static hs_status_t decompress_once(hs_array_t *a)
{
  int64_t have = 0;
  size_t got;
  hs_status_t status = hs_bytes_rewind(a->bytes);
  do {
    if (status == HS_OK) status = hs_bytes_read(a->bytes, a->block, (size_t)BLOCK, &got);
    if (status != HS_OK) return status;
    have += (int64_t)got;
    if (a->spool != NULL && fwrite(a->block, 1, got, a->spool) != got)
      return hs_fail(HS_IO, hs_bytes_path(a->bytes), NULL, "temporary copy cannot be written: %s",
                     strerror(errno));
  } while (got == (size_t)BLOCK);
  if (a->spool != NULL && fflush(a->spool) != 0)
    return hs_fail(HS_IO, hs_bytes_path(a->bytes), NULL, "temporary copy cannot be written: %s",
                   strerror(errno));
  return length_error(a, have);
}

/* A file without a name in the folder of `scratch`: it goes when it is closed, whatever happens. */
static hs_status_t open_spool(hs_array_t *a, const char *scratch)
{
  char path[4096];
  if (snprintf(path, sizeof path, "%s.XXXXXX", scratch) >= (int)sizeof path)
    return hs_fail(HS_IO, scratch, NULL, "the name is too long");
  int file = mkstemp(path);
  if (file >= 0) unlink(path);
  if (file >= 0) a->spool = fdopen(file, "w+b");
  if (a->spool != NULL) return HS_OK;
  if (file >= 0) close(file);
  return hs_fail(HS_IO, path, NULL, "temporary file cannot be made: %s", strerror(errno));
}

static hs_status_t prepare(hs_array_t *a, const char *scratch)
{
  a->rows = a->form.size[0];
  a->width = 1;
  for (int k = 1; k < a->form.dimensions; k++) a->width *= a->form.size[k];
  /* first of all: a damaged header may ask for any amount of memory */
  int64_t row_bytes = a->width * (int64_t)hs_element_bytes(a->form.element),
          length = hs_bytes_length(a->bytes);
  hs_status_t status = length >= 0 ? length_error(a, length) : HS_OK;
  if (status != HS_OK) return status;
  a->block_rows = hs_max64(1, BLOCK / row_bytes);
  /* Fortran order reads one piece a feature: longer pieces, fewer calls */
  if (a->form.fortran) a->block_rows = hs_min64(a->rows, hs_max64(1, 32 * BLOCK / row_bytes));
  a->block = hs_alloc((size_t)hs_max64(a->block_rows * row_bytes, BLOCK), 1, "array block");
  if (a->block == NULL) return HS_NO_MEMORY;
  if (length >= 0) return HS_OK;
  if (a->form.fortran) status = open_spool(a, scratch);
  return status == HS_OK ? decompress_once(a) : status;
}

hs_status_t hs_array_open(hs_array_t **out, const char *path, hs_format_t format, const char *scratch)
{
  *out = NULL;
  hs_array_t *a = hs_alloc(1, sizeof *a, "array");
  if (a == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_bytes_open(&a->bytes, path);
  if (status == HS_OK)
    status = format == HS_FORMAT_IDX ? hs_array_read_idx(&a->form, a->bytes)
                                     : hs_array_read_npy(&a->form, a->bytes);
  if (status == HS_OK) status = prepare(a, scratch);
  if (status == HS_OK) status = hs_array_rewind(a);
  if (status != HS_OK) hs_array_close(&a);
  *out = a;
  return status;
}

hs_status_t hs_array_rewind(hs_array_t *a)
{
  a->at = a->first = a->filled = 0;
  hs_status_t status = hs_bytes_rewind(a->bytes);
  for (int64_t left = a->form.offset; status == HS_OK && left > 0;) {
    size_t got, want = (size_t)hs_min64(left, BLOCK);
    status = hs_bytes_read(a->bytes, a->block, want, &got);
    if (status == HS_OK && got < want)
      status = hs_fail(HS_BAD_DATA, hs_bytes_path(a->bytes), NULL, "changed while it was read");
    left -= (int64_t)want;
  }
  return status;
}

static hs_status_t read_piece(hs_array_t *a, unsigned char *to, int64_t length, int64_t offset)
{
  if (a->spool == NULL) return hs_bytes_read_at(a->bytes, to, (size_t)length, offset);
  if (fseeko(a->spool, (off_t)offset, SEEK_SET) != 0 ||
      fread(to, 1, (size_t)length, a->spool) != (size_t)length)
    return hs_fail(HS_IO, hs_bytes_path(a->bytes), NULL, "temporary copy cannot be read");
  return HS_OK;
}

/* Fortran order with more than two dimensions: element e of a row, counted as C order does, lies at the
 * position of its indices with the first of them running fastest. */
static int64_t fortran_position(const hs_array_form_t *form, int64_t element)
{
  int64_t index[HS_ARRAY_DIMENSIONS] = {0};
  for (int k = form->dimensions - 1; k >= 1; k--) {
    index[k] = element % form->size[k];
    element /= form->size[k];
  }
  int64_t position = 0;
  for (int k = form->dimensions - 1; k >= 1; k--) position = position * form->size[k] + index[k];
  return position;
}

static hs_status_t fill(hs_array_t *a)
{
  int64_t bytes = (int64_t)hs_element_bytes(a->form.element);
  a->first = a->at;
  a->filled = hs_min64(a->block_rows, a->rows - a->at);
  if (a->form.fortran) {
    hs_status_t status = HS_OK;
    for (int64_t e = 0; status == HS_OK && e < a->width; e++) {
      int64_t from = fortran_position(&a->form, e) * a->rows + a->first;
      status =
          read_piece(a, a->block + e * a->filled * bytes, a->filled * bytes, a->form.offset + from * bytes);
    }
    return status;
  }
  size_t got, want = (size_t)(a->filled * a->width * bytes);
  hs_status_t status = hs_bytes_read(a->bytes, a->block, want, &got);
  if (status == HS_OK && got < want)
    return hs_fail(HS_BAD_DATA, hs_bytes_path(a->bytes), NULL, "changed while it was read");
  return status;
}

hs_status_t hs_array_next(hs_array_t *a, double *row)
{
  if (a->at == a->first + a->filled) {
    hs_status_t status = fill(a);
    if (status != HS_OK) return status;
  }
  int64_t k = a->at++ - a->first, stride = a->form.fortran ? a->filled : 1;
  int64_t start = a->form.fortran ? k : k * a->width;
  hs_element_convert(a->form.element, a->form.big_endian,
                     a->block + (size_t)start * hs_element_bytes(a->form.element), stride, a->width, row);
  return HS_OK;
}

const hs_array_form_t *hs_array_form(const hs_array_t *array)
{
  return &array->form;
}

int64_t hs_array_rows(const hs_array_t *array)
{
  return array->rows;
}

int64_t hs_array_width(const hs_array_t *array)
{
  return array->width;
}

void hs_array_describe(const hs_array_t *a, char *text, size_t size)
{
  int used = snprintf(text, size, "%s", hs_element_name(a->form.element));
  for (int k = 0; k < a->form.dimensions && used < (int)size; k++)
    used +=
        snprintf(text + used, size - (size_t)used, k == 0 ? " %lld" : " x %lld", (long long)a->form.size[k]);
  if (used < (int)size)
    snprintf(text + used, size - (size_t)used, "%s%s", a->form.fortran ? ", Fortran order" : "",
             hs_bytes_packing(a->bytes));
}

void hs_array_close(hs_array_t **array)
{
  hs_array_t *a = *array;
  *array = NULL;
  if (a == NULL) return;
  if (a->spool != NULL) fclose(a->spool);
  hs_bytes_close(&a->bytes);
  hs_free(a->block);
  hs_free(a);
}
