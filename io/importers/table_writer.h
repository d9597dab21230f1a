/* table_writer.h: one data file: /features [n, d], /targets, and their attributes.
 *
 * Serial HDF5. Everything goes to PATH.part; only hs_table_commit gives the file its name, so nothing half
 * written ever replaces something whole. Not collective.
 */
#ifndef HS_IMPORT_TABLE_WRITER_H
#define HS_IMPORT_TABLE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"

typedef struct hs_table_form {
  int64_t rows, features, targets; /* targets: 0 = no data set, 1 = [n], more = [n, targets] */
  bool classes;                    /* targets are int64 class numbers, else doubles */
  hs_precision_t precision;        /* of the features */
  int deflate;
  /* attributes; borrowed, NULL or 0 where there is nothing to say */
  const char *task, *source, *unit;
  char *const *class_texts;
  int64_t class_count;
  char *const *names;        /* [features] */
  char *const *target_names; /* [targets] */
} hs_table_form_t;

typedef struct hs_table_writer hs_table_writer_t;

/* Rows in a chunk of about 1 MiB: never more than `rows`. */
int64_t hs_table_chunk_rows(const hs_table_form_t *form);

/* Bytes of one row of features, and of one row of targets (both kinds have 8 bytes). */
int64_t hs_table_feature_bytes(const hs_table_form_t *form);
int64_t hs_table_target_bytes(const hs_table_form_t *form);

/* HS_IO when PATH.part cannot be written. `form` and `path` are borrowed until the writer is freed. */
hs_status_t hs_table_create(hs_table_writer_t **out, const char *path, const hs_table_form_t *form);

/* Rows [first, first + count): row-major features in the precision of the form, and targets (int64_t or
 * double). Whole chunks are fastest. */
hs_status_t hs_table_write(hs_table_writer_t *writer, int64_t first, int64_t count, const void *features,
                           const void *targets);

/* Close PATH.part and wait until it is on the disk. Nothing can be written after it. */
hs_status_t hs_table_close(hs_table_writer_t *writer);

/* Give a closed file its name. */
hs_status_t hs_table_commit(hs_table_writer_t *writer);

/* Removes PATH.part unless it was committed. Accepts NULL; *writer becomes NULL. */
void hs_table_free(hs_table_writer_t **writer);

#endif
