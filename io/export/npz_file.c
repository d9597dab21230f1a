#include "io/export/npz_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they are in memory");

#define MOST_ARRAYS 8
#define MOST_BYTES ((size_t)UINT32_MAX)
#define NPY_HEADER 128 /* bytes, a multiple of 64 */
#define LOCAL_HEADER 30
#define CENTRAL_HEADER 46
#define END_RECORD 22
#define VERSION 20           /* of the archive format: 2.0 */
#define FIRST_OF_1980 0x0021 /* date: years since 1980 << 9 | month << 5 | day */

/* An array as it lies in memory, by rows. */
typedef struct array {
  const char *name; /* of the file in the archive */
  char type[24];    /* as numpy calls it */
  int rank;
  int64_t extent[2];
  size_t bytes;
  const void *values; /* borrowed */
  uint32_t offset;    /* of the local header in the archive */
  uint32_t check;     /* CRC-32 of header and values */
} array_t;

typedef struct archive {
  array_t array[MOST_ARRAYS];
  int count;
  unsigned char *bytes;
  size_t used;
} archive_t;

static void add(archive_t *archive, const char *name, const char *type, size_t width, int rank, int64_t rows,
                int64_t columns, const void *values)
{
  array_t *array = &archive->array[archive->count++];
  *array = (array_t){.name = name, .rank = rank, .extent = {rows, columns}, .values = values};
  snprintf(array->type, sizeof array->type, "%s", type);
  array->bytes = width * (size_t)(rank > 0 ? rows : 1) * (size_t)(rank > 1 ? columns : 1);
}

/* ---- bytes ---- */

static void put(archive_t *archive, const void *from, size_t count)
{
  if (count > 0) memcpy(archive->bytes + archive->used, from, count);
  archive->used += count;
}

static void put2(archive_t *archive, size_t number)
{
  uint16_t narrow = (uint16_t)number;
  put(archive, &narrow, sizeof narrow);
}

static void put4(archive_t *archive, size_t number)
{
  uint32_t narrow = (uint32_t)number;
  put(archive, &narrow, sizeof narrow);
}

/* Magic, version, length of the description, the description as a Python dictionary, blanks, a new line. */
static void make_header(const array_t *array, char header[NPY_HEADER])
{
  char shape[64] = "()";
  if (array->rank == 1) snprintf(shape, sizeof shape, "(%" PRId64 ",)", array->extent[0]);
  if (array->rank == 2)
    snprintf(shape, sizeof shape, "(%" PRId64 ", %" PRId64 ")", array->extent[0], array->extent[1]);
  memset(header, ' ', NPY_HEADER);
  memcpy(header, "\x93NUMPY\x01\x00", 8);
  uint16_t length = NPY_HEADER - 10;
  memcpy(header + 8, &length, sizeof length);
  char text[NPY_HEADER];
  int used = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                      array->type, shape);
  memcpy(header + 10, text, (size_t)used);
  header[NPY_HEADER - 1] = '\n';
}

/* What the local and the central header share, from the version that a reader needs to the length of the extra field. */
static void put_entry(archive_t *archive, const array_t *array)
{
  put2(archive, VERSION);
  put2(archive, 0); /* flags */
  put2(archive, 0); /* stored, not compressed */
  put2(archive, 0); /* time */
  put2(archive, FIRST_OF_1980);
  put4(archive, array->check);
  put4(archive, NPY_HEADER + array->bytes);
  put4(archive, NPY_HEADER + array->bytes);
  put2(archive, strlen(array->name));
  put2(archive, 0);
}

static void put_file(archive_t *archive, array_t *array)
{
  char header[NPY_HEADER];
  make_header(array, header);
  array->offset = (uint32_t)archive->used;
  array->check = (uint32_t)crc32_z(0, (const Bytef *)header, NPY_HEADER);
  if (array->bytes > 0) array->check = (uint32_t)crc32_z(array->check, array->values, array->bytes);
  put(archive, "PK\x03\x04", 4);
  put_entry(archive, array);
  put(archive, array->name, strlen(array->name));
  put(archive, header, NPY_HEADER);
  put(archive, array->values, array->bytes);
}

static void put_directory(archive_t *archive)
{
  size_t start = archive->used;
  for (int i = 0; i < archive->count; i++) {
    const array_t *array = &archive->array[i];
    put(archive, "PK\x01\x02", 4);
    put2(archive, VERSION);
    put_entry(archive, array);
    put2(archive, 0); /* comment */
    put2(archive, 0); /* disk */
    put2(archive, 0); /* internal attributes */
    put4(archive, 0); /* external attributes */
    put4(archive, array->offset);
    put(archive, array->name, strlen(array->name));
  }
  size_t length = archive->used - start;
  put(archive, "PK\x05\x06", 4);
  put4(archive, 0); /* disks */
  put2(archive, (size_t)archive->count);
  put2(archive, (size_t)archive->count);
  put4(archive, length);
  put4(archive, start);
  put2(archive, 0); /* comment */
}

static size_t archive_bytes(const archive_t *archive)
{
  size_t bytes = END_RECORD;
  for (int i = 0; i < archive->count; i++)
    bytes += LOCAL_HEADER + CENTRAL_HEADER + 2 * strlen(archive->array[i].name) + NPY_HEADER +
             archive->array[i].bytes;
  return bytes;
}

static hs_status_t write_archive(archive_t *archive, void **bytes, size_t *size)
{
  *size = archive_bytes(archive);
  if (*size > MOST_BYTES)
    return hs_fail(
        HS_BAD_USAGE, NULL, NULL,
        "the network takes %zu bytes, an .npz file holds at most %zu (h5py reads the run file itself)", *size,
        MOST_BYTES);
  *bytes = archive->bytes = hs_alloc(*size, 1, ".npz file");
  if (*bytes == NULL) return HS_NO_MEMORY;
  for (int i = 0; i < archive->count; i++) put_file(archive, &archive->array[i]);
  put_directory(archive);
  return HS_OK;
}

/* ---- the network ---- */

/* d x m, as in the run file; in memory it is the transpose. */
static double *transposed_W1(const hs_model_t *model)
{
  int64_t m = model->neurons, d = model->d;
  double *W1 = hs_alloc((size_t)m * (size_t)d, sizeof *W1, "first layer");
  for (int64_t k = 0; W1 != NULL && k < m; k++)
    for (int64_t j = 0; j < d; j++) W1[j * m + k] = model->W1[k * d + j];
  return W1;
}

/* Texts of one length, padded by zeros; *width receives the length. */
static char *equal_names(const hs_model_t *model, size_t *width)
{
  *width = 1;
  for (int k = 0; k < model->classes; k++)
    if (strlen(model->class_names[k]) > *width) *width = strlen(model->class_names[k]);
  char *names = hs_alloc((size_t)model->classes, *width, "class names");
  for (int k = 0; names != NULL && k < model->classes; k++)
    memcpy(names + (size_t)k * *width, model->class_names[k], strlen(model->class_names[k]));
  return names;
}

hs_status_t hs_npz_file_make(const hs_model_t *model, void **bytes, size_t *size)
{
  *bytes = NULL;
  archive_t archive = {0};
  size_t width;
  char names_type[24];
  double *W1 = transposed_W1(model);
  char *names = equal_names(model, &width);
  unsigned char bias = model->bias;
  hs_status_t status = HS_NO_MEMORY;
  if (W1 != NULL && names != NULL) {
    add(&archive, "W1.npy", "<f8", 8, 2, model->d, model->neurons, W1);
    add(&archive, "W2.npy", "<f8", 8, 2, model->neurons, model->outputs, model->W2);
    add(&archive, "shift.npy", "<f8", 8, 1, model->features, 0, model->shift);
    add(&archive, "scale.npy", "<f8", 8, 1, model->features, 0, model->scale);
    add(&archive, "bias.npy", "|b1", 1, 0, 0, 0, &bias);
    snprintf(names_type, sizeof names_type, "|S%zu", width);
    if (model->classes > 0) {
      add(&archive, "class_values.npy", "<i8", 8, 1, model->classes, 0, model->class_values);
      add(&archive, "class_names.npy", names_type, width, 1, model->classes, 0, names);
    }
    status = write_archive(&archive, bytes, size);
  }
  hs_free(W1);
  hs_free(names);
  return status;
}
