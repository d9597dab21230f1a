#include "mpi/train/x_update_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

/* "0.12 s (35 iterations of 1.1 ms after 0.08 s)" */
static void print_kind(char *line, size_t size, hs_x_kind_t kind, const hs_x_estimate_t *estimate)
{
  if (estimate->possible)
    snprintf(line, size, "%s %.2g s", hs_x_name(kind), estimate->seconds);
  else
    snprintf(line, size, "%s does not fit (%.3g GB)", hs_x_name(kind), estimate->bytes / 1e9);
}

void hs_x_update_print(hs_x_kind_t given, hs_x_kind_t kind, const hs_x_estimate_t *estimates,
                       const hs_partition_t *partition)
{
  char line[512], blocks[96] = "", other[96];
  if (kind == HS_X_BLOCK_KERNEL)
    snprintf(blocks, sizeof blocks, ", %" PRId64 " blocks of about %" PRId64 " rows", partition->blocks,
             partition->rows / partition->blocks);
  const hs_x_estimate_t *own = &estimates[kind];
  int length = snprintf(
      line, sizeof line, "x-update: %s%s (%s; estimate: set-up %.2g s, %.2g ms an iteration)",
      hs_x_name(kind), blocks, given == HS_X_AUTO ? "automatic" : "as set", own->setup, 1e3 * own->iteration);
  hs_log("%s", line);
  length = snprintf(line, sizeof line, "          estimated to 1e-6:");
  for (int k = HS_X_BLOCK_KERNEL; k < HS_X_KINDS; k++) {
    print_kind(other, sizeof other, (hs_x_kind_t)k, &estimates[k]);
    length += snprintf(line + length, sizeof line - (size_t)length, "%s %s", k > HS_X_BLOCK_KERNEL ? "," : "",
                       other);
  }
  hs_log("%s", line);
}
