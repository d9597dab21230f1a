#include "io/hdf5/synthetic_file.h"

#include "base/memory.h"
#include "base/size.h"
#include "io/importers/table_writer.h"

#define SLAB_BYTES ((int64_t)8 << 20) /* of generated doubles */

/* Room for the rows on their way to the file. */
typedef struct slab {
  int64_t rows; /* room, whole chunks of the file */
  double *X, *y;
  float *single;   /* X rounded; NULL for double precision */
  int64_t *labels; /* NULL for regression */
} slab_t;

static hs_status_t slab_create(slab_t *slab, const hs_table_form_t *form)
{
  int64_t chunk = hs_table_chunk_rows(form), row_bytes = form->features * (int64_t)sizeof(double);
  slab->rows = chunk * hs_max64(1, SLAB_BYTES / (chunk * row_bytes));
  size_t rows = (size_t)slab->rows, entries = rows * (size_t)form->features;
  slab->X = hs_alloc(entries, sizeof(double), "generated rows");
  slab->y = hs_alloc(rows, sizeof(double), "generated targets");
  if (form->precision == HS_SINGLE) slab->single = hs_alloc(entries, sizeof(float), "generated rows");
  if (form->classes) slab->labels = hs_alloc(rows, sizeof(int64_t), "generated targets");
  bool whole = slab->X != NULL && slab->y != NULL && (slab->single != NULL || form->precision != HS_SINGLE) &&
               (slab->labels != NULL || !form->classes);
  return whole ? HS_OK : HS_NO_MEMORY;
}

static void slab_free(slab_t *slab)
{
  hs_free(slab->X);
  hs_free(slab->y);
  hs_free(slab->single);
  hs_free(slab->labels);
}

static hs_status_t write_slab(hs_table_writer_t *writer, const hs_table_form_t *form,
                              const hs_synthetic_t *synthetic, slab_t *slab, int64_t first, int64_t count)
{
  hs_synthetic_rows(synthetic, first, count, slab->X, slab->y);
  if (form->precision == HS_SINGLE)
    for (int64_t e = 0; e < count * form->features; e++) slab->single[e] = (float)slab->X[e];
  if (form->classes)
    for (int64_t k = 0; k < count; k++) slab->labels[k] = slab->y[k] >= 0 ? 1 : 0;
  return hs_table_write(writer, first, count, slab->single != NULL ? (void *)slab->single : slab->X,
                        slab->labels != NULL ? (void *)slab->labels : slab->y);
}

hs_status_t hs_synthetic_file_write(const char *path, const hs_synthetic_t *synthetic,
                                    const hs_synthetic_file_t *file)
{
  static char *const classes[] = {"-1", "+1"};
  hs_table_form_t form = {.rows = file->rows,
                          .features = hs_synthetic_features(synthetic),
                          .targets = 1,
                          .classes = file->classification,
                          .precision = file->precision,
                          .task = file->classification ? "classification" : "regression",
                          .source = file->source,
                          .unit = file->common_unit ? "common" : NULL,
                          .class_texts = classes,
                          .class_count = file->classification ? 2 : 0};
  slab_t slab = {0};
  hs_table_writer_t *writer = NULL;
  hs_status_t status = slab_create(&slab, &form);
  if (status == HS_OK) status = hs_table_create(&writer, path, &form);
  for (int64_t first = 0; status == HS_OK && first < file->rows; first += slab.rows)
    status = write_slab(writer, &form, synthetic, &slab, first, hs_min64(slab.rows, file->rows - first));
  if (status == HS_OK) status = hs_table_close(writer);
  if (status == HS_OK) status = hs_table_commit(writer);
  hs_table_free(&writer);
  slab_free(&slab);
  return status;
}
