#include "dense/factor_columns.h"

#include <cblas.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/threads.h"

#define PANEL 64   /* columns */
#define STRIPE 256 /* rows of a sum that are worth a thread */

struct hs_factor_columns {
  int order, first, count, panels;
  size_t *start; /* of every panel in values; panels + 1 */
  double *values;
  int parts; /* threads */
};

/* A panel: `width` columns from row `row` = its first column on; `rows` rows, which is its leading dimension. */
typedef struct panel {
  int column, width, row, rows; /* column: counted from `first` */
  const double *L;
} panel_t;

static int panel_count(int count)
{
  return (count + PANEL - 1) / PANEL;
}

static panel_t get_panel(const hs_factor_columns_t *columns, int k)
{
  int column = k * PANEL, left = columns->count - column;
  return (panel_t){.column = column,
                   .width = left < PANEL ? left : PANEL,
                   .row = columns->first + column,
                   .rows = columns->order - columns->first - column,
                   .L = columns->values + columns->start[k]};
}

static size_t panel_size(int order, int first, int count, int k)
{
  int column = k * PANEL, left = count - column;
  return (size_t)(order - first - column) * (size_t)(left < PANEL ? left : PANEL);
}

/* With several threads at least two: in a loop of one part BLAS would use them, and round otherwise than alone. */
static int part_count(int order)
{
  int threads = hs_threads(), parts = hs_parts(order, STRIPE, threads);
  return threads > 1 && parts == 1 ? 2 : parts;
}

hs_status_t hs_factor_columns_create(hs_factor_columns_t **out, int order, int first, int count)
{
  hs_factor_columns_t *columns = *out = hs_alloc(1, sizeof *columns, "triangular factor");
  if (columns == NULL) return HS_NO_MEMORY;
  *columns = (hs_factor_columns_t){.order = order, .first = first, .count = count};
  columns->panels = panel_count(count);
  columns->parts = part_count(order);
  columns->start = hs_alloc((size_t)columns->panels + 1, sizeof *columns->start, "triangular factor");
  if (columns->start != NULL) {
    for (int k = 0; k < columns->panels; k++)
      columns->start[k + 1] = columns->start[k] + panel_size(order, first, count, k);
    columns->values = hs_alloc(columns->start[columns->panels], sizeof(double), "triangular factor");
  }
  if (columns->values != NULL) return HS_OK;
  hs_factor_columns_free(out);
  return HS_NO_MEMORY;
}

void hs_factor_columns_free(hs_factor_columns_t **out)
{
  hs_factor_columns_t *columns = *out;
  *out = NULL;
  if (columns == NULL) return;
  hs_free(columns->start);
  hs_free(columns->values);
  hs_free(columns);
}

size_t hs_factor_columns_bytes(int order, int first, int count)
{
  size_t values = 0;
  for (int k = 0; k < panel_count(count); k++) values += panel_size(order, first, count, k);
  return values * sizeof(double) + ((size_t)panel_count(count) + 1) * sizeof(size_t) +
         sizeof(hs_factor_columns_t);
}

double *hs_factor_column(hs_factor_columns_t *columns, int j)
{
  int k = j / PANEL, within = j % PANEL;
  size_t rows = (size_t)(columns->order - columns->first - k * PANEL);
  return columns->values + columns->start[k] + (size_t)within * (rows + 1);
}

/* out (width x outputs, row-major) = L' U of one panel. */
static void panel_forward(const hs_factor_columns_t *columns, int k, int outputs, const double *U, double *a)
{
  panel_t panel = get_panel(columns, k);
  double *out = a + (size_t)panel.column * (size_t)outputs;
  const double *from = U + panel.row;
  if (outputs == 1)
    cblas_dgemv(CblasColMajor, CblasTrans, panel.rows, panel.width, 1, panel.L, panel.rows, from, 1, 0, out,
                1);
  else
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, outputs, panel.width, panel.rows, 1, from,
                columns->order, panel.L, panel.rows, 0, out, outputs);
}

void hs_factor_columns_forward(const hs_factor_columns_t *columns, int outputs, const double *U, double *a)
{
  int parts = columns->parts;
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    for (int k = part; k < columns->panels; k += parts) panel_forward(columns, k, outputs, U, a);
}

/* S += L w of one panel, in the rows low .. high-1 of S. */
static void panel_adjoint(const hs_factor_columns_t *columns, int k, int low, int high, int outputs,
                          const double *w, double *S)
{
  panel_t panel = get_panel(columns, k);
  if (low < panel.row) low = panel.row;
  int rows = high - low;
  if (rows <= 0) return;
  const double *L = panel.L + (low - panel.row), *from = w + (size_t)panel.column * (size_t)outputs;
  if (outputs == 1)
    cblas_dgemv(CblasColMajor, CblasNoTrans, rows, panel.width, 1, L, panel.rows, from, 1, 1, S + low, 1);
  else
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows, outputs, panel.width, 1, L, panel.rows, from,
                outputs, 1, S + low, columns->order);
}

/* Stripes of fixed height, whatever the threads: a product's rounding may depend on its shape. */
void hs_factor_columns_adjoint(const hs_factor_columns_t *columns, int outputs, const double *w, double *S)
{
  int parts = columns->parts, order = columns->order, stripes = (order + STRIPE - 1) / STRIPE;
  memset(S, 0, (size_t)order * (size_t)outputs * sizeof *S);
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++)
    for (int stripe = part; stripe < stripes; stripe += parts) {
      int low = stripe * STRIPE, high = (int)hs_min64(order, low + STRIPE);
      for (int k = 0; k < columns->panels; k++) panel_adjoint(columns, k, low, high, outputs, w, S);
    }
}

void hs_factor_columns_solve(const hs_factor_columns_t *columns, int outputs, double *rest, double *y)
{
  int n = columns->order;
  for (int k = 0; k < columns->panels; k++) {
    panel_t panel = get_panel(columns, k);
    int below = panel.rows - panel.width;
    double *own = rest + panel.row, *out = y + (size_t)panel.column * (size_t)outputs;
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, panel.width, outputs, 1,
                panel.L, panel.rows, own, n);
    if (below > 0)
      cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, below, outputs, panel.width, -1,
                  panel.L + panel.width, panel.rows, own, n, 1, own + panel.width, n);
    for (int c = 0; c < outputs; c++)
      for (int j = 0; j < panel.width; j++)
        out[(size_t)j * (size_t)outputs + (size_t)c] = own[(size_t)c * (size_t)n + (size_t)j];
  }
}

void hs_factor_columns_solve_transposed(const hs_factor_columns_t *columns, int outputs, const double *p,
                                        double *q)
{
  int n = columns->order;
  for (int k = columns->panels - 1; k >= 0; k--) {
    panel_t panel = get_panel(columns, k);
    int below = panel.rows - panel.width;
    double *own = q + panel.row;
    const double *in = p + (size_t)panel.column * (size_t)outputs;
    for (int c = 0; c < outputs; c++)
      for (int j = 0; j < panel.width; j++)
        own[(size_t)c * (size_t)n + (size_t)j] = in[(size_t)j * (size_t)outputs + (size_t)c];
    if (below > 0)
      cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, panel.width, outputs, below, -1,
                  panel.L + panel.width, panel.rows, own + panel.width, n, 1, own, n);
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, panel.width, outputs, 1,
                panel.L, panel.rows, own, n);
  }
}
