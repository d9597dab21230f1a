/* picture.h: from a gnuplot script to a file: SVG, PNG, or a page with the SVG inside. Not collective. */
#ifndef HS_IO_REPORT_PICTURE_H
#define HS_IO_REPORT_PICTURE_H

#include <stdio.h>

#include "io/report/report.h"

/* What is drawn: the two functions that tell it and their argument. */
typedef struct hs_picture {
  const void *context;
  /* Write a gnuplot script that makes the file `picture`; kind is SVG or PNG. False when memory is short. */
  bool (*script)(FILE *script, const void *context, hs_report_kind_t kind, const char *picture);
  /* Write a page; svg is the stream of the picture. False when something cannot be read or written. */
  bool (*page)(FILE *page, const void *context, FILE *svg);
} hs_picture_t;

/* Make the output, whole or not at all. HS_IO when gnuplot is missing or fails, or the output cannot be
 * written. */
hs_status_t hs_picture_write(const hs_picture_t *picture, const char *output, hs_report_kind_t kind);

#endif
