/* row_source.h: one input seen as rows, whatever its format.
 *
 * An input is read twice. scan() counts rows, features and labels and checks the form of everything;
 * then rewind() and next() deliver row after row. Not collective.
 */
#ifndef HS_IMPORT_ROW_SOURCE_H
#define HS_IMPORT_ROW_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "io/importers/labels.h"
#include "io/importers/like.h"
#include "io/importers/options.h"

typedef struct hs_row_source hs_row_source_t;

typedef struct hs_row_source_kind {
  hs_status_t (*scan)(hs_row_source_t *source);
  hs_status_t (*rewind)(hs_row_source_t *source);
  /* features[source->features] and targets[source->targets]; *end = true after the last row, with nothing
   * set. Texts of targets live until the next call. */
  hs_status_t (*next)(hs_row_source_t *source, double *features, hs_cell_t *targets, bool *end);
  /* "line 7, column 3 (width)" of the row read last: feature 0, 1, ..., or target -1, -2, ... */
  void (*locate)(const hs_row_source_t *source, int64_t feature, char *where, size_t size);
  void (*free)(hs_row_source_t *source);
} hs_row_source_kind_t;

struct hs_row_source {
  const hs_row_source_kind_t *kind;
  const char *path;                   /* borrowed */
  const hs_import_options_t *options; /* borrowed */
  const hs_like_t *like;              /* borrowed, or NULL */
  const hs_row_source_t *model;       /* of a test input, the scanned train input; borrowed, or NULL */
  int64_t rows, features, targets;    /* set by scan */
  char **names;                       /* [features], owned, or NULL */
  char **target_names;                /* [targets], owned, or NULL */
  bool common_unit;                   /* features are pixels of one scale */
  bool numbers_only;                  /* targets must be numbers: regression */
  hs_labels_t labels;                 /* of the only target; empty when there are several */
  char about[160], label_about[160];  /* what was found, for the log */
  void *state;                        /* of the kind */
};

/* Openers: the kinds of source. `second` is the file with labels or targets, or NULL. Nothing is scanned. */
hs_status_t hs_row_source_open_csv(hs_row_source_t *source);
hs_status_t hs_row_source_open_libsvm(hs_row_source_t *source);
hs_status_t hs_row_source_open_arrays(hs_row_source_t *source, hs_format_t format, const char *second);

/* Judge the targets of a scanned row and count the label; `place` is its line or row. */
hs_status_t hs_row_source_count_targets(hs_row_source_t *source, const hs_cell_t *targets, int64_t place);

/* The cell of this text. */
hs_cell_t hs_cell_of_text(const char *text, size_t length);

/* A list of `count` names, each NULL; and its end. */
char **hs_names_new(int64_t count);
void hs_names_free(char ***names, int64_t count);
bool hs_names_set(char **names, int64_t k, const char *text, size_t length);

/* Text of the input made fit for a message: at most 40 bytes, control characters as '?'. size >= 48. */
void hs_row_source_quote(const char *text, size_t length, char *quoted, size_t size);

/* Accepts a zeroed source. */
void hs_row_source_close(hs_row_source_t *source);

#endif
