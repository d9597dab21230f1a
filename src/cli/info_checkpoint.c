#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/info_parts.h"
#include "io/checkpoint/checkpoint_file.h"

static int64_t state_bytes(const hs_checkpoint_frame_t *frame)
{
  int64_t bytes = 0;
  for (int i = 0; i < frame->count; i++) bytes += hs_stored_bytes(&frame->array[i]);
  return bytes;
}

static void print_json(const hs_checkpoint_facts_t *facts, const hs_checkpoint_frame_t *frame)
{
  hs_json_t json = hs_json_start(stdout);
  hs_json_open(&json, NULL, '{');
  hs_json_text(&json, "kind", "checkpoint");
  hs_json_text(&json, "stop", facts->stop);
  hs_json_int(&json, "iteration", facts->iteration);
  hs_json_double(&json, "relative_gap", facts->relative_gap);
  hs_json_int(&json, "rows", facts->rows);
  hs_json_int(&json, "blocks", facts->blocks);
  hs_json_int(&json, "ranks", facts->writers);
  hs_json_int(&json, "bytes", frame->bytes);
  hs_json_int(&json, "state_bytes", state_bytes(frame));
  hs_json_text(&json, "version", facts->version);
  hs_json_text(&json, "commit", facts->commit);
  hs_json_text(&json, "config", facts->settings);
  hs_json_close(&json);
}

static void print_text(const char *path, const hs_checkpoint_facts_t *facts,
                       const hs_checkpoint_frame_t *frame)
{
  printf("%s: a checkpoint of halfspace %s (%s)\n", path, facts->version, facts->commit);
  printf("state     after iteration %" PRId64 ", relative gap %.3g (stop: %s)\n", facts->iteration,
         facts->relative_gap, facts->stop);
  printf("data      %" PRId64 " rows in %" PRId64 " blocks; written by %" PRId64 " rank%s\n", facts->rows,
         facts->blocks, facts->writers, facts->writers == 1 ? "" : "s");
  printf("size      %.3f MB, of these %.3f MB state in %d arrays\n", (double)frame->bytes / 1e6,
         (double)state_bytes(frame) / 1e6, frame->count);
  printf("settings\n%s", facts->settings);
}

hs_status_t hs_info_checkpoint(const char *path, bool json)
{
  hs_checkpoint_facts_t facts;
  hs_checkpoint_frame_t *frame = hs_alloc(1, sizeof *frame, "checkpoint");
  if (frame == NULL) return HS_NO_MEMORY;
  hs_status_t status = hs_checkpoint_frame_read(path, &facts, frame);
  if (status == HS_OK) {
    if (json)
      print_json(&facts, frame);
    else
      print_text(path, &facts, frame);
    hs_checkpoint_facts_clear(&facts);
  }
  hs_free(frame);
  return status;
}
