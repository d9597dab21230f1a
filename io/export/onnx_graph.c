#include "io/export/onnx_graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/probabilities.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they are in memory");

#define MOST_NODES 24
#define MOST_TENSORS 12
#define MOST_VALUES 4
#define MOST_INPUTS 3
#define MOST_ATTRIBUTES 2

typedef struct node {
  Onnx__NodeProto message;
  char *inputs[MOST_INPUTS], *output;
  Onnx__AttributeProto attribute[MOST_ATTRIBUTES], *attributes[MOST_ATTRIBUTES];
} node_t;

typedef struct tensor {
  Onnx__TensorProto message;
  int64_t extents[2];
} tensor_t;

typedef struct value {
  Onnx__ValueInfoProto message;
  Onnx__TypeProto type;
  Onnx__TypeProto__Tensor tensor;
  Onnx__TensorShapeProto shape;
  Onnx__TensorShapeProto__Dimension dimension[2], *dimensions[2];
} value_t;

/* Messages of protobuf-c point to each other; here they lie beside each other, so that one block holds all but the
 * numbers of the tensors. Names are literals, which are never written to. */
struct hs_onnx_graph {
  Onnx__GraphProto message;
  const hs_model_t *model; /* during the creation only */
  hs_precision_t precision;
  hs_status_t status; /* the first failure; what is added after it is dropped */
  node_t node[MOST_NODES];
  tensor_t tensor[MOST_TENSORS];
  value_t value[MOST_VALUES];
  Onnx__NodeProto *nodes[MOST_NODES];
  Onnx__TensorProto *tensors[MOST_TENSORS];
  Onnx__ValueInfoProto *input, *outputs[MOST_VALUES];
};

/* ---- parts ---- */

/* Adds  output = op(first, second, third); NULL: no such input. The name of the node is that of its output. */
static node_t *add_node(hs_onnx_graph_t *graph, const char *op, const char *output, const char *first,
                        const char *second, const char *third)
{
  node_t *node = &graph->node[graph->message.n_node];
  const char *inputs[MOST_INPUTS] = {first, second, third};
  onnx__node_proto__init(&node->message);
  node->message.op_type = (char *)op;
  node->message.name = node->output = (char *)output;
  for (int i = 0; i < MOST_INPUTS && inputs[i] != NULL; i++)
    node->inputs[node->message.n_input++] = (char *)inputs[i];
  node->message.input = node->inputs;
  node->message.n_output = 1;
  node->message.output = &node->output;
  node->message.attribute = node->attributes;
  graph->nodes[graph->message.n_node++] = &node->message;
  return node;
}

static void add_attribute(node_t *node, const char *name, int64_t number)
{
  Onnx__AttributeProto *attribute = &node->attribute[node->message.n_attribute];
  onnx__attribute_proto__init(attribute);
  attribute->name = (char *)name;
  attribute->has_i = attribute->has_type = 1;
  attribute->i = number;
  attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  node->attributes[node->message.n_attribute++] = attribute;
}

/* A constant of rank 1 (columns = 0) or 2 with room for its numbers, zeroed; NULL when memory is short. */
static void *add_tensor(hs_onnx_graph_t *graph, const char *name, int type, int64_t rows, int64_t columns)
{
  if (graph->status != HS_OK) return NULL;
  tensor_t *tensor = &graph->tensor[graph->message.n_initializer];
  size_t numbers = (size_t)rows * (size_t)(columns > 0 ? columns : 1);
  size_t width = type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? sizeof(float) : 8;
  onnx__tensor_proto__init(&tensor->message);
  tensor->message.name = (char *)name;
  tensor->message.has_data_type = tensor->message.has_raw_data = 1;
  tensor->message.data_type = type;
  tensor->extents[0] = rows;
  tensor->extents[1] = columns;
  tensor->message.n_dims = columns > 0 ? 2 : 1;
  tensor->message.dims = tensor->extents;
  tensor->message.raw_data =
      (ProtobufCBinaryData){numbers * width, hs_alloc(numbers, width, "exported weights")};
  graph->tensors[graph->message.n_initializer++] = &tensor->message;
  if (tensor->message.raw_data.data == NULL) graph->status = HS_NO_MEMORY;
  return tensor->message.raw_data.data;
}

static int real_type(const hs_onnx_graph_t *graph)
{
  return graph->precision == HS_SINGLE ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
                                       : ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

static hs_status_t too_wide(const char *name, double number)
{
  return hs_fail(HS_BAD_DATA, NULL, name,
                 "holds %g, which is beyond the range of single precision (export with precision=double)",
                 number);
}

static void set_real(hs_onnx_graph_t *graph, const char *name, void *to, int64_t index, double number)
{
  if (graph->status != HS_OK) return;
  if (!isfinite(number))
    graph->status = hs_fail(HS_BAD_DATA, NULL, name, "holds %g (train again)", number);
  else if (graph->precision == HS_DOUBLE)
    ((double *)to)[index] = number;
  else if (fabs(number) > (double)FLT_MAX)
    graph->status = too_wide(name, number);
  else
    ((float *)to)[index] = (float)number;
}

/* A constant of the graph's precision, rows x columns: number (i, j) is from[i down + j across]. */
static void add_matrix(hs_onnx_graph_t *graph, const char *name, int64_t rows, int64_t columns, int64_t down,
                       int64_t across, const double *from)
{
  void *to = add_tensor(graph, name, real_type(graph), rows, columns);
  for (int64_t i = 0; to != NULL && i < rows; i++)
    for (int64_t j = 0; j < columns; j++)
      set_real(graph, name, to, i * columns + j, from[i * down + j * across]);
}

/* The same of rank 1. */
static void add_vector(hs_onnx_graph_t *graph, const char *name, int64_t count, const double *from)
{
  void *to = add_tensor(graph, name, real_type(graph), count, 0);
  for (int64_t i = 0; to != NULL && i < count; i++) set_real(graph, name, to, i, from[i]);
}

/* An input or output [N] (columns = 0) or [N, columns]. */
static Onnx__ValueInfoProto *fill_value(value_t *value, const char *name, int type, int64_t columns,
                                        const char *about)
{
  onnx__value_info_proto__init(&value->message);
  onnx__type_proto__init(&value->type);
  onnx__type_proto__tensor__init(&value->tensor);
  onnx__tensor_shape_proto__init(&value->shape);
  for (int i = 0; i < 2; i++) {
    onnx__tensor_shape_proto__dimension__init(&value->dimension[i]);
    value->dimensions[i] = &value->dimension[i];
  }
  value->dimension[0].dim_param = (char *)"N";
  value->dimension[1].has_dim_value = 1;
  value->dimension[1].dim_value = columns;
  value->shape.n_dim = columns > 0 ? 2 : 1;
  value->shape.dim = value->dimensions;
  value->tensor.has_elem_type = 1;
  value->tensor.elem_type = type;
  value->tensor.shape = &value->shape;
  value->type.tensor_type = &value->tensor;
  value->message.name = (char *)name;
  value->message.type = &value->type;
  value->message.doc_string = (char *)about;
  return &value->message;
}

static void add_output(hs_onnx_graph_t *graph, const char *name, int type, int64_t columns, const char *about)
{
  value_t *value = &graph->value[1 + graph->message.n_output];
  graph->outputs[graph->message.n_output++] = fill_value(value, name, type, columns, about);
}

/* ---- the network ---- */

/* b_k = W1_k,bias - sum_j W1_kj (shift_j - rounded shift_j) / scale_j; overwrites b. */
static void first_bias(const hs_onnx_graph_t *graph, double *b)
{
  const hs_model_t *model = graph->model;
  int64_t d = model->d;
  for (int64_t k = 0; k < model->neurons; k++) {
    const double *w = model->W1 + k * d;
    b[k] = model->bias ? w[model->features] : 0;
    for (int j = 0; j < model->features && graph->precision == HS_SINGLE; j++)
      b[k] -= w[j] * (model->shift[j] - (double)(float)model->shift[j]) / model->scale[j];
  }
}

static void add_scaling(hs_onnx_graph_t *graph)
{
  const hs_model_t *model = graph->model;
  add_vector(graph, "shift", model->features, model->shift);
  add_vector(graph, "scale", model->features, model->scale);
  for (int j = 0; j < model->features && graph->status == HS_OK; j++) /* a divisor must not become 0 */
    if (graph->precision == HS_SINGLE && model->scale[j] < (double)FLT_MIN)
      graph->status = too_wide("scale", model->scale[j]);
  add_node(graph, "Sub", "shifted", "features", "shift", NULL);
  add_node(graph, "Div", "scaled", "shifted", "scale", NULL);
}

static void add_network(hs_onnx_graph_t *graph)
{
  const hs_model_t *model = graph->model;
  int64_t m = model->neurons > 0 ? model->neurons : 1;
  double *b = graph->status == HS_OK ? hs_alloc((size_t)m, sizeof *b, "exported bias") : NULL;
  if (b == NULL) {
    if (graph->status == HS_OK) graph->status = HS_NO_MEMORY;
    return;
  }
  first_bias(graph, b);
  if (model->neurons > 0) {
    add_matrix(graph, "W1", m, model->features, model->d, 1, model->W1);
    add_vector(graph, "b1", m, b);
    add_matrix(graph, "W2", model->outputs, m, 1, model->outputs, model->W2);
  } else {
    add_tensor(graph, "W1", real_type(graph), m, model->features);
    add_tensor(graph, "b1", real_type(graph), m, 0);
    add_tensor(graph, "W2", real_type(graph), model->outputs, m);
  }
  hs_free(b);
  add_attribute(add_node(graph, "Gemm", "hidden", "scaled", "W1", "b1"), "transB", 1);
  add_node(graph, "Relu", "active", "hidden", NULL, NULL);
  add_attribute(add_node(graph, "Gemm", "scores", "active", "W2", NULL), "transB", 1);
}

static void add_integers(hs_onnx_graph_t *graph, const char *name, int64_t count, const int64_t *numbers)
{
  int64_t *to = add_tensor(graph, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, count, 0);
  if (to != NULL) memcpy(to, numbers, (size_t)count * sizeof *to);
}

static void add_number(hs_onnx_graph_t *graph, const char *name, double number)
{
  add_vector(graph, name, 1, &number);
}

/* hs_model_class: score < 0 is class 0, else 1; of several scores the first of the largest. */
static void add_classes(hs_onnx_graph_t *graph)
{
  const hs_model_t *model = graph->model;
  if (model->outputs == 1) {
    int64_t every = -1;
    add_number(graph, "zero", 0);
    add_integers(graph, "below", 1, &model->class_values[0]);
    add_integers(graph, "above", 1, &model->class_values[1]);
    add_integers(graph, "list", 1, &every);
    add_node(graph, "Less", "negative", "scores", "zero", NULL);
    add_node(graph, "Where", "labels", "negative", "below", "above");
    add_node(graph, "Reshape", "classes", "labels", "list", NULL);
  } else {
    add_integers(graph, "labels", model->classes, model->class_values);
    node_t *largest = add_node(graph, "ArgMax", "index", "scores", NULL, NULL);
    add_attribute(largest, "axis", 1);
    add_attribute(largest, "keepdims", 0);
    add_node(graph, "Gather", "classes", "labels", "index", NULL);
  }
  add_output(graph, "classes", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 0, "label in the training file");
}

/* log s(a) = -(max(0, -a) + log(1 + exp(-|a|))) with s(a) = 1 / (1 + exp(-a)): neither overflows nor becomes log 0.
 * Softplus would say it in one word, but not every runtime knows it in double precision. */
static void add_log_sigmoid(hs_onnx_graph_t *graph)
{
  add_number(graph, "one", 1);
  add_node(graph, "Neg", "opposite", "scores", NULL, NULL);
  add_node(graph, "Relu", "excess", "opposite", NULL, NULL);
  add_node(graph, "Abs", "size", "scores", NULL, NULL);
  add_node(graph, "Neg", "decay", "size", NULL, NULL);
  add_node(graph, "Exp", "tail", "decay", NULL, NULL);
  add_node(graph, "Add", "partition", "tail", "one", NULL);
  add_node(graph, "Log", "rest", "partition", NULL, NULL);
  add_node(graph, "Add", "cost", "excess", "rest", NULL);
  add_node(graph, "Neg", "log_sigmoid", "cost", NULL, NULL);
}

/* One score a: (s(-a), s(a)). Several: softmax of the scores, or of log s(a_c), which is s(a_c) / sum_l s(a_l). */
static void add_probabilities(hs_onnx_graph_t *graph)
{
  const hs_model_t *model = graph->model;
  if (model->outputs == 1) {
    add_node(graph, "Neg", "opposite", "scores", NULL, NULL);
    add_attribute(add_node(graph, "Concat", "both", "opposite", "scores", NULL), "axis", 1);
    add_node(graph, "Sigmoid", "probabilities", "both", NULL, NULL);
  } else {
    bool softmax = model->loss.kind == HS_SOFTMAX;
    if (!softmax) add_log_sigmoid(graph);
    add_attribute(add_node(graph, "Softmax", "probabilities", softmax ? "scores" : "log_sigmoid", NULL, NULL),
                  "axis", 1);
  }
  add_output(graph, "probabilities", real_type(graph), model->classes, "of the classes, labels ascending");
}

/* ---- the whole ---- */

static void fill(hs_onnx_graph_t *graph)
{
  const hs_model_t *model = graph->model;
  onnx__graph_proto__init(&graph->message);
  graph->message.name = (char *)"relu_network";
  graph->message.node = graph->nodes;
  graph->message.initializer = graph->tensors;
  graph->message.input = &graph->input;
  graph->message.output = graph->outputs;
  graph->message.n_input = 1;
  graph->input = fill_value(&graph->value[0], "features", real_type(graph), model->features,
                            "as in the training file: the graph scales them");
  add_scaling(graph);
  add_network(graph);
  add_output(graph, "scores", real_type(graph), model->outputs, "predictions of the network");
  if (model->classes > 0) add_classes(graph);
  if (hs_model_has_probabilities(model)) add_probabilities(graph);
}

hs_status_t hs_onnx_graph_create(hs_onnx_graph_t **graph, const hs_model_t *model, hs_precision_t precision)
{
  *graph = hs_alloc(1, sizeof **graph, "graph of the network");
  if (*graph == NULL) return HS_NO_MEMORY;
  (*graph)->model = model;
  (*graph)->precision = precision;
  fill(*graph);
  (*graph)->model = NULL;
  hs_status_t status = (*graph)->status;
  if (status != HS_OK) hs_onnx_graph_free(graph);
  return status;
}

void hs_onnx_graph_free(hs_onnx_graph_t **graph)
{
  if (*graph == NULL) return;
  for (size_t i = 0; i < (*graph)->message.n_initializer; i++)
    hs_free((*graph)->tensor[i].message.raw_data.data);
  hs_free(*graph);
  *graph = NULL;
}

Onnx__GraphProto *hs_onnx_graph_message(hs_onnx_graph_t *graph)
{
  return &graph->message;
}
