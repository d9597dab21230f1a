/* results.h: measured figures, as tables for a reader or as JSON for a program.
 *
 *   static const hs_column_t columns[] = {{"shape", "shape"}, {"forward", "forward GF/s"}};
 *   hs_results_table(&results, "products", "Masked products", columns, 2);
 *   hs_results_text(&results, "60000 x 784");
 *   hs_results_number(&results, 88.7, 1);
 *   hs_results_end(&results);
 *
 * Cells fill the rows from left to right. A table is printed when it ends. Ranks without a stream take part in
 * nothing: every function returns at once. Not collective.
 */
#ifndef HS_MPI_BENCH_RESULTS_H
#define HS_MPI_BENCH_RESULTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/json.h"
#include "base/status.h"

#define HS_RESULTS_COLUMNS 14
#define HS_RESULTS_CELLS 512
#define HS_RESULTS_TEXT 40

typedef struct hs_column {
  const char *key, *head; /* in JSON, and above the column */
} hs_column_t;

typedef struct hs_cell {
  char text[HS_RESULTS_TEXT];
  double number;
  enum { HS_CELL_TEXT, HS_CELL_NUMBER, HS_CELL_VERDICT } kind;
} hs_cell_t;

typedef struct hs_results {
  FILE *stream; /* borrowed; NULL: this rank is silent */
  bool as_json;
  hs_json_t json;
  const char *name, *title;   /* of the open table */
  const hs_column_t *columns; /* borrowed until the table ends */
  int column_count, cell_count;
  hs_cell_t cells[HS_RESULTS_CELLS];
} hs_results_t;

/*   stream  NULL on ranks that print nothing */
void hs_results_start(hs_results_t *results, FILE *stream, bool as_json);
void hs_results_finish(hs_results_t *results);

/* A line ahead of the tables: "NAME: VALUE". */
void hs_results_fact(hs_results_t *results, const char *name, const char *value);

void hs_results_table(hs_results_t *results, const char *name, const char *title, const hs_column_t *columns,
                      int count);
void hs_results_end(hs_results_t *results);

void hs_results_text(hs_results_t *results, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With so many decimals, or with significant digits where decimals < 0; NaN: "-" and null. */
void hs_results_number(hs_results_t *results, double value, int decimals);

/* Two cells: the goal, and whether the value meets it: "met" or "MISSED", true or false. A goal of NaN: "-". A value
 * of NaN was not reached, and misses every goal.
 *   at_least  the value is to be as large as the goal; else as small */
void hs_results_goal(hs_results_t *results, double value, double goal, int decimals, bool at_least);

#endif
