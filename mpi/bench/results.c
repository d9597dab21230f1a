#include "mpi/bench/results.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

void hs_results_start(hs_results_t *results, FILE *stream, bool as_json)
{
  *results = (hs_results_t){.stream = stream, .as_json = as_json};
  if (stream == NULL || !as_json) return;
  results->json = hs_json_start(stream);
  hs_json_open(&results->json, NULL, '{');
}

void hs_results_finish(hs_results_t *results)
{
  if (results->stream != NULL && results->as_json) hs_json_close(&results->json);
}

void hs_results_fact(hs_results_t *results, const char *name, const char *value)
{
  if (results->stream == NULL) return;
  if (results->as_json)
    hs_json_text(&results->json, name, value);
  else
    fprintf(results->stream, "%-8s: %s\n", name, value);
}

void hs_results_table(hs_results_t *results, const char *name, const char *title, const hs_column_t *columns,
                      int count)
{
  assert(count <= HS_RESULTS_COLUMNS);
  results->name = name;
  results->title = title;
  results->columns = columns;
  results->column_count = count;
  results->cell_count = 0;
}

static hs_cell_t *next_cell(hs_results_t *results)
{
  assert(results->cell_count < HS_RESULTS_CELLS);
  return &results->cells[results->cell_count++];
}

void hs_results_text(hs_results_t *results, const char *format, ...)
{
  if (results->stream == NULL) return;
  hs_cell_t *cell = next_cell(results);
  cell->kind = HS_CELL_TEXT;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(cell->text, sizeof cell->text, format, arguments);
  va_end(arguments);
}

void hs_results_number(hs_results_t *results, double value, int decimals)
{
  if (results->stream == NULL) return;
  hs_cell_t *cell = next_cell(results);
  cell->kind = HS_CELL_NUMBER;
  cell->number = value;
  if (isnan(value))
    snprintf(cell->text, sizeof cell->text, "-");
  else if (decimals < 0)
    snprintf(cell->text, sizeof cell->text, "%.*g", -decimals, value);
  else
    snprintf(cell->text, sizeof cell->text, "%.*f", decimals, value);
}

void hs_results_goal(hs_results_t *results, double value, double goal, int decimals, bool at_least)
{
  hs_results_number(results, goal, decimals);
  if (results->stream == NULL) return;
  hs_cell_t *cell = next_cell(results);
  bool met = at_least ? value >= goal : value <= goal;
  cell->kind = HS_CELL_VERDICT;
  cell->number = isnan(goal) ? NAN : met;
  snprintf(cell->text, sizeof cell->text, "%s", isnan(goal) ? "-" : met ? "met" : "MISSED");
}

static void end_json(hs_results_t *results)
{
  hs_json_t *json = &results->json;
  hs_json_open(json, results->name, '[');
  for (int c = 0; c < results->cell_count; c++) {
    int column = c % results->column_count;
    const char *key = results->columns[column].key;
    const hs_cell_t *cell = &results->cells[c];
    if (column == 0) hs_json_open(json, NULL, '{');
    if (cell->kind == HS_CELL_TEXT)
      hs_json_text(json, key, cell->text);
    else if (cell->kind == HS_CELL_VERDICT && !isnan(cell->number))
      hs_json_bool(json, key, cell->number > 0);
    else
      hs_json_double(json, key, cell->number);
    if (column == results->column_count - 1) hs_json_close(json);
  }
  hs_json_close(json);
}

/* Texts to the left, numbers to the right; no blanks at the end of a line. */
static void print_row(const hs_results_t *results, const int *width, const hs_cell_t *cells)
{
  int gap = 0;
  for (int c = 0; c < results->column_count; c++) {
    const char *text = cells != NULL ? cells[c].text : results->columns[c].head;
    int length = (int)strlen(text), spare = width[c] - length;
    bool left = results->cells[c].kind != HS_CELL_NUMBER;
    gap += 2 + (left ? 0 : spare);
    if (length > 0) {
      fprintf(results->stream, "%*s%s", gap, "", text);
      gap = 0;
    }
    if (left) gap += spare;
  }
  fputc('\n', results->stream);
}

static void end_text(const hs_results_t *results)
{
  int width[HS_RESULTS_COLUMNS];
  for (int c = 0; c < results->column_count; c++) width[c] = (int)strlen(results->columns[c].head);
  for (int c = 0; c < results->cell_count; c++) {
    int length = (int)strlen(results->cells[c].text), *widest = &width[c % results->column_count];
    if (length > *widest) *widest = length;
  }
  fprintf(results->stream, "\n%s: %s\n", results->name, results->title);
  print_row(results, width, NULL);
  for (int c = 0; c < results->cell_count; c += results->column_count)
    print_row(results, width, results->cells + c);
}

void hs_results_end(hs_results_t *results)
{
  if (results->stream == NULL) return;
  assert(results->cell_count % results->column_count == 0);
  if (results->as_json)
    end_json(results);
  else
    end_text(results);
  fflush(results->stream);
}
