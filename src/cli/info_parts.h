/* info_parts.h: what `halfspace info` says of each kind of file, for people or as JSON on standard output. For
 * info.c only. */
#ifndef HS_CLI_INFO_PARTS_H
#define HS_CLI_INFO_PARTS_H

#include <stdbool.h>

#include "base/json.h"
#include "base/status.h"
#include "io/hdf5/contents.h"
#include "io/run/run_rounds.h"
#include "network/record.h"

hs_status_t hs_info_run(const char *path, bool json);

/* How the ReLU network of a run came about; nothing where the run does not tell. */
void hs_info_print_network(const hs_network_record_t *record);
void hs_info_json_network(hs_json_t *json, const hs_network_record_t *record);

/* Rounds of search for gates; nothing where there were none. */
void hs_info_print_rounds(const hs_run_rounds_t *rounds);
void hs_info_json_rounds(hs_json_t *json, const hs_run_rounds_t *rounds);

hs_status_t hs_info_checkpoint(const char *path, bool json);

/* features, targets: names of the data sets; targets NULL: the file has none. */
hs_status_t hs_info_data(const char *path, const char *features, const char *targets, bool json);

/* Predictions, or a file that is none of ours. */
hs_status_t hs_info_contents(const char *path, const hs_contents_t *contents, bool json);

#endif
