/* export.h: the ReLU network of a run as a file for other programs. Not collective. */
#ifndef HS_IO_EXPORT_EXPORT_H
#define HS_IO_EXPORT_EXPORT_H

#include "io/run/run_file.h"

typedef enum hs_export_kind {
  HS_EXPORT_ONNX, /* io/export/onnx_file.h */
  HS_EXPORT_NPZ   /* io/export/npz_file.h */
} hs_export_kind_t;

/* The kind that the ending of a name asks for; HS_BAD_USAGE, naming those there are, for any other. */
hs_status_t hs_export_kind(const char *path, hs_export_kind_t *kind);

/* Write the network to path, as a whole or not at all (io/files/replace.h); symbolic links are followed.
 *   precision  of the numbers in an ONNX file; an .npz file holds doubles
 *   bytes      receives the size of the file
 * HS_BAD_USAGE, HS_BAD_DATA as the makers of the files have it, HS_IO when the file cannot be written. */
hs_status_t hs_export_write(const char *path, hs_export_kind_t kind, const hs_model_t *model,
                            const hs_run_summary_t *summary, hs_precision_t precision, size_t *bytes);

#endif
