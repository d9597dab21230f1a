/* options.h: the command line of `import`: inputs, output, key=value.
 *
 * One table drives parsing, defaults, checks and help. Not collective.
 */
#ifndef HS_IMPORT_OPTIONS_H
#define HS_IMPORT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/precision.h"
#include "base/status.h"

#define HS_IMPORT_MAX_INPUTS 4

typedef enum hs_format {
  HS_FORMAT_AUTO,
  HS_FORMAT_CSV,
  HS_FORMAT_LIBSVM,
  HS_FORMAT_IDX,
  HS_FORMAT_NPY
} hs_format_t;

typedef enum hs_header { HS_HEADER_AUTO, HS_HEADER_YES, HS_HEADER_NO } hs_header_t;

typedef enum hs_task { HS_TASK_AUTO, HS_TASK_CLASSIFICATION, HS_TASK_REGRESSION } hs_task_t;

/* All texts are borrowed from argv. NULL: not given. */
typedef struct hs_import_options {
  const char *inputs[HS_IMPORT_MAX_INPUTS];
  int input_count;
  const char *output;
  hs_format_t format;
  hs_header_t header;
  const char *label;
  hs_task_t task;
  const char *drop, *onehot;
  double split;     /* 0: one output */
  uint64_t shuffle; /* 0: keep the order */
  const char *names, *like;
  int64_t features; /* 0: as found */
  hs_precision_t precision;
  bool precision_given;
  int deflate;
  double memory; /* megabytes for rows on their way */
} hs_import_options_t;

/* argv[0] is the first word after "import". Unknown keys name the nearest known one. */
hs_status_t hs_import_options_parse(hs_import_options_t *options, int argc, char **argv);

/* HS_BAD_USAGE for a key that means nothing to this format. */
hs_status_t hs_import_options_check_format(const hs_import_options_t *options, hs_format_t format);

/* "CSV", "LIBSVM", "IDX", "NPY" */
const char *hs_format_name(hs_format_t format);

/* The table of keys, as a page of help. */
void hs_import_options_help(FILE *stream);

#endif
