/* html.h: the pieces of a page: one file that loads nothing, readable in light and dark. Not collective. */
#ifndef HS_IO_REPORT_HTML_H
#define HS_IO_REPORT_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Text as HTML shows it literally. */
void hs_html_text(FILE *page, const char *text);

/* Everything down to and with the heading. */
void hs_html_begin(FILE *page, const char *title);

/* The picture in the stream svg, read from its beginning, without what has no place inside a page. about
 * is read out to those who do not see it. False when the stream cannot be read or holds no picture. */
bool hs_html_picture(FILE *page, FILE *svg, const char *about);

/* A table: header cells, then rows, each begun and ended. title NULL: without a heading. A header cell
 * that begins with '>' belongs to a column of numbers. */
void hs_html_table(FILE *page, const char *title, int columns, const char *const *names);
void hs_html_row(FILE *page);
void hs_html_cell(FILE *page, const char *text);                     /* text */
void hs_html_name(FILE *page, const char *brief, const char *whole); /* on one line; the whole on demand */
void hs_html_number(FILE *page, double value, int digits);           /* empty if not finite */
void hs_html_count(FILE *page, int64_t value);                       /* empty if negative */
void hs_html_bytes(FILE *page, double bytes);                        /* empty if not finite */
void hs_html_row_end(FILE *page);
void hs_html_table_end(FILE *page);

/* A line to fold out: to a sentence, and text that is shown as it is. */
void hs_html_details(FILE *page, const char *title, const char *about, const char *text);

void hs_html_end(FILE *page);

#endif
