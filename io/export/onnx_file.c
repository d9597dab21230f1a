#include "io/export/onnx_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "io/export/onnx_graph.h"

#define IR_VERSION 8
#define OPERATORS 13
#define MOST_BYTES ((size_t)INT32_MAX) /* of a protocol buffer */
#define FIXED_ENTRIES 9                /* entries of the metadata besides the bounds */
#define NAME 128
#define NUMBER 32

typedef struct entry {
  Onnx__StringStringEntryProto message;
  char key[NAME];
  char *value; /* owned, from the C library */
} entry_t;

typedef struct metadata {
  int count;
  entry_t *entry;                      /* owned */
  Onnx__StringStringEntryProto **list; /* owned */
  bool failed;                         /* memory was short */
} metadata_t;

/* Takes the value over. */
static void add_owned(metadata_t *metadata, const char *key, char *value)
{
  entry_t *entry = &metadata->entry[metadata->count];
  onnx__string_string_entry_proto__init(&entry->message);
  snprintf(entry->key, sizeof entry->key, "%s", key);
  entry->value = value;
  entry->message.key = entry->key;
  entry->message.value = value;
  metadata->list[metadata->count++] = &entry->message;
  if (value == NULL) metadata->failed = true;
}

static void add_text(metadata_t *metadata, const char *key, const char *value)
{
  add_owned(metadata, key, strdup(value != NULL ? value : ""));
}

static void add_real(metadata_t *metadata, const char *key, double value)
{
  char text[NUMBER];
  hs_format_double(value, text, sizeof text);
  add_text(metadata, key, text);
}

static void add_count(metadata_t *metadata, const char *key, int64_t value)
{
  char text[NUMBER];
  snprintf(text, sizeof text, "%" PRId64, value);
  add_text(metadata, key, text);
}

static void add_bound(metadata_t *metadata, const hs_run_bound_t *bound)
{
  char key[NAME], value[NUMBER], text[NAME];
  hs_format_double(bound->value, value, sizeof value);
  snprintf(key, sizeof key, "bound.%s", bound->name);
  snprintf(text, sizeof text, "%s %s", value, bound->kind);
  add_text(metadata, key, text);
}

static void add_class_names(metadata_t *metadata, const hs_model_t *model)
{
  char *text = NULL;
  size_t length;
  FILE *stream = open_memstream(&text, &length);
  if (stream == NULL) {
    metadata->failed = true;
    return;
  }
  hs_json_t json = hs_json_start(stream);
  hs_json_open(&json, NULL, '[');
  for (int k = 0; k < model->classes; k++) hs_json_text(&json, NULL, model->class_names[k]);
  hs_json_close(&json);
  if (fclose(stream) != 0) metadata->failed = true;
  add_owned(metadata, "class_names", text);
}

static hs_status_t fill_metadata(metadata_t *metadata, const hs_model_t *model,
                                 const hs_run_summary_t *summary)
{
  size_t room = (size_t)(FIXED_ENTRIES + summary->bounds);
  metadata->entry = hs_alloc(room, sizeof *metadata->entry, "metadata");
  metadata->list = hs_alloc(room, sizeof *metadata->list, "metadata");
  if (metadata->entry == NULL || metadata->list == NULL) return HS_NO_MEMORY;
  add_text(metadata, "task", model->classes > 0 ? "classification" : "regression");
  add_text(metadata, "loss", hs_loss_name(model->loss.kind));
  add_real(metadata, "beta", model->beta);
  add_real(metadata, "beta_max", model->beta_max);
  add_count(metadata, "neurons", model->neurons);
  if (summary->facts.rows >= 0) add_count(metadata, "rows", summary->facts.rows);
  add_text(metadata, "stop", summary->stop);
  add_text(metadata, "commit", hs_commit());
  for (int i = 0; i < summary->bounds; i++) add_bound(metadata, &summary->bound[i]);
  if (model->classes > 0) add_class_names(metadata, model);
  return metadata->failed ? HS_NO_MEMORY : HS_OK;
}

static void clear_metadata(metadata_t *metadata)
{
  for (int i = 0; i < metadata->count; i++) free(metadata->entry[i].value);
  hs_free(metadata->entry);
  hs_free(metadata->list);
}

static hs_status_t pack(const Onnx__ModelProto *message, void **bytes, size_t *size)
{
  *size = onnx__model_proto__get_packed_size(message);
  if (*size > MOST_BYTES)
    return hs_fail(
        HS_BAD_USAGE, NULL, NULL,
        "the network takes %zu bytes, an ONNX file holds at most %zu (export to a name that ends in .npz)",
        *size, MOST_BYTES);
  *bytes = hs_alloc(*size, 1, "ONNX file");
  if (*bytes == NULL) return HS_NO_MEMORY;
  onnx__model_proto__pack(message, *bytes);
  return HS_OK;
}

hs_status_t hs_onnx_file_make(const hs_model_t *model, const hs_run_summary_t *summary,
                              hs_precision_t precision, void **bytes, size_t *size)
{
  Onnx__OperatorSetIdProto operators = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets[1] = {&operators};
  operators.domain = (char *)"";
  operators.has_version = 1;
  operators.version = OPERATORS;
  Onnx__ModelProto message = ONNX__MODEL_PROTO__INIT;
  message.has_ir_version = 1;
  message.ir_version = IR_VERSION;
  message.producer_name = (char *)"halfspace";
  message.producer_version = (char *)HS_VERSION;
  message.doc_string = (char *)"scores = max(0, (((features - shift) / scale), 1) W1) W2";
  message.opset_import = sets;
  message.n_opset_import = 1;

  *bytes = NULL;
  metadata_t metadata = {0};
  hs_onnx_graph_t *graph = NULL;
  hs_status_t status = fill_metadata(&metadata, model, summary);
  message.metadata_props = metadata.list;
  message.n_metadata_props = (size_t)metadata.count;
  if (status == HS_OK) status = hs_onnx_graph_create(&graph, model, precision);
  if (status == HS_OK) message.graph = hs_onnx_graph_message(graph);
  if (status == HS_OK) status = pack(&message, bytes, size);
  hs_onnx_graph_free(&graph);
  clear_metadata(&metadata);
  return status;
}
