#include "io/run/run_layout.h"

#include "io/hdf5/h5.h"

bool hs_run_has_layout(hid_t file)
{
  return hs_run_has(file, "history") && hs_run_has(file, "history/iteration") && hs_run_has(file, "config") &&
         hs_run_has(file, "status");
}

hs_status_t hs_run_open_to_read(const char *path, hid_t *file)
{
  hs_status_t status = hs_h5_open(path, file);
  if (status != HS_OK || hs_run_has_layout(*file)) return status;
  H5Fclose(*file);
  *file = -1;
  return hs_fail(HS_BAD_DATA, path, NULL, "is not a run file of halfspace (halfspace train writes one)");
}
