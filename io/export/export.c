#include "io/export/export.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "io/export/npz_file.h"
#include "io/export/onnx_file.h"
#include "io/files/replace.h"
#include "io/files/target.h"

hs_status_t hs_export_kind(const char *path, hs_export_kind_t *kind)
{
  const char *dot = strrchr(path, '.');
  const char *ending = dot != NULL ? dot : "";
  if (strcasecmp(ending, ".onnx") == 0)
    *kind = HS_EXPORT_ONNX;
  else if (strcasecmp(ending, ".npz") == 0)
    *kind = HS_EXPORT_NPZ;
  else
    return hs_fail(HS_BAD_USAGE, path, NULL, "unknown kind of model file (the name ends in .onnx or .npz)");
  return HS_OK;
}

hs_status_t hs_export_write(const char *path, hs_export_kind_t kind, const hs_model_t *model,
                            const hs_run_summary_t *summary, hs_precision_t precision, size_t *bytes)
{
  void *content = NULL;
  char *target = NULL;
  hs_status_t status = kind == HS_EXPORT_ONNX ? hs_onnx_file_make(model, summary, precision, &content, bytes)
                                              : hs_npz_file_make(model, &content, bytes);
  if (status == HS_OK) status = hs_file_target(path, &target);
  if (status == HS_OK) status = hs_file_replace(target, content, *bytes, true);
  hs_free(content);
  hs_free(target);
  return status;
}
