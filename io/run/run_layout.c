#include "io/run/run_layout.h"

const hs_history_field_t hs_history_fields[HS_HISTORY_FIELDS] = {
    {"iteration", true},
    {"primal", false},
    {"dual", false},
    {"gap", false},
    {"relative_gap", false},
    {"rho", false},
    {"primal_residual", false},
    {"dual_residual", false},
    {"active_groups", true},
    {"seconds", false},
    {"compute_seconds", false},
    {"comm_seconds", false},
    {"comm_bytes", false},
};

hid_t hs_history_column(int64_t rows, int field)
{
  hsize_t extent[2] = {(hsize_t)rows, HS_HISTORY_FIELDS};
  hsize_t start[2] = {0, (hsize_t)field}, count[2] = {(hsize_t)rows, 1};
  hid_t space = H5Screate_simple(2, extent, NULL);
  if (space >= 0 && rows > 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  return space;
}
