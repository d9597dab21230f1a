#include "cli/export.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/arguments.h"
#include "io/export/export.h"
#include "settings/settings.h"

typedef struct order {
  const char *run, *output;
  hs_export_kind_t kind;
  hs_precision_t precision;
} order_t;

static hs_status_t take_precision(const char *word, order_t *order)
{
  order->precision = HS_SINGLE;
  if (word == NULL) return HS_OK;
  if (order->kind == HS_EXPORT_NPZ)
    return hs_fail(HS_BAD_USAGE, NULL, "precision", "is of .onnx files (an .npz file always holds doubles)");
  if (strcmp(word, "double") == 0)
    order->precision = HS_DOUBLE;
  else if (strcmp(word, "single") != 0)
    return hs_fail(HS_BAD_USAGE, NULL, "precision", "'%s' is unknown (single or double)", word);
  return HS_OK;
}

static hs_status_t take_order(int argc, char **argv, order_t *order)
{
  static const char *const names[] = {"RUN.h5", "MODEL.onnx (or MODEL.npz)"};
  const char *paths[2], *precision = NULL;
  const hs_argument_t known[] = {{"precision", NULL, &precision}};
  int count;
  hs_status_t status = hs_arguments_sort(argc, argv, known, 1, names, 2, 2, paths, &count);
  if (status != HS_OK) return status;
  order->run = paths[0];
  order->output = paths[1];
  status = hs_export_kind(order->output, &order->kind);
  return status == HS_OK ? take_precision(precision, order) : status;
}

static bool same_file(const char *a, const char *b)
{
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/* Was the run to have a ReLU network? Settings of another version may not parse: such a run has neurons or has not. */
static bool wants_relu(const order_t *order, const hs_run_summary_t *summary)
{
  hs_settings_t *settings = hs_alloc(1, sizeof *settings, "settings of the run");
  if (settings == NULL) return false;
  hs_settings_default(settings);
  bool relu = hs_settings_parse(settings, order->run, summary->config) == HS_OK &&
              settings->model.activation == HS_RELU;
  hs_error_clear();
  hs_free(settings);
  return relu;
}

/* A network without neurons is a result, the one that predicts 0, when its objective was told or when the relaxation that
 * it was to be made of came out as 0. */
static bool is_zero_network(const hs_model_t *model, const hs_run_summary_t *summary)
{
  for (int i = 0; i < summary->bounds; i++)
    if (strcmp(summary->bound[i].name, "network") == 0) return true;
  bool ended = strcmp(summary->stop, "signal") != 0 && strcmp(summary->stop, "running") != 0;
  return ended && model->gates == 0;
}

static hs_status_t check_network(const order_t *order, const hs_model_t *model,
                                 const hs_run_summary_t *summary)
{
  if (model->neurons > 0) return HS_OK;
  if (!wants_relu(order, summary))
    return hs_fail(HS_BAD_USAGE, order->run, NULL,
                   "holds the gated network alone, which no other program knows (train with "
                   "model.activation=relu for a ReLU network)");
  if (is_zero_network(model, summary)) return HS_OK;
  return hs_fail(
      HS_BAD_USAGE, order->run, NULL,
      "training stopped (%s) before it made the ReLU network (call halfspace train again: it goes on from "
      "its checkpoint)",
      summary->stop);
}

static hs_status_t export_model(const order_t *order, const hs_model_t *model,
                                const hs_run_summary_t *summary)
{
  hs_status_t status = check_network(order, model, summary);
  if (status != HS_OK) return status;
  if (same_file(order->run, order->output))
    return hs_fail(HS_BAD_USAGE, order->output, NULL,
                   "is an input of this command (give the model a name of its own)");
  size_t bytes;
  status = hs_export_write(order->output, order->kind, model, summary, order->precision, &bytes);
  if (status == HS_OK)
    hs_log("ReLU network of %d neurons, %d features, %d output%s: %s, %zu bytes", model->neurons,
           model->features, model->outputs, model->outputs == 1 ? "" : "s", order->output, bytes);
  return status;
}

hs_status_t hs_command_export(int argc, char **argv)
{
  order_t order;
  hs_status_t status = take_order(argc, argv, &order);
  if (status != HS_OK) return status;
  hs_model_t model;
  hs_run_summary_t summary = {0};
  status = hs_run_read_model(order.run, &model);
  if (status != HS_OK) return status;
  status = hs_run_read_summary(order.run, &summary);
  if (status == HS_OK) status = export_model(&order, &model, &summary);
  hs_run_summary_clear(&summary);
  hs_model_clear(&model);
  return status;
}

void hs_export_help(FILE *stream)
{
  fputs("MODEL.onnx runs in any ONNX runtime. Input: features [N, features], as they are in the data file; "
        "the\n"
        "model scales them. Outputs:\n"
        "  scores         [N, outputs]\n"
        "  classes        [N], int64, labels as in the training file (classification)\n"
        "  probabilities  [N, classes] (logistic and softmax losses)\n"
        "Its metadata tell task, loss, beta, bounds and the names of the classes.\n\n"
        "MODEL.npz is for numpy.load: W1 [d, m], W2 [m, outputs], shift and scale [features], bias,\n"
        "class_values, class_names.\n"
        "  x = (features - shift) / scale, and a column of ones if bias;  scores = max(0, x W1) W2\n\n"
        "  precision=single|double  of an ONNX model, its input and outputs (default: single, which every\n"
        "                           runtime knows; double for features that differ only beyond the 7th "
        "digit)\n",
        stream);
}
