/* onnx_graph.h: the ReLU network as a graph of ONNX operators. Not collective.
 *
 *   features [N, features]  raw, of the given precision; N is free
 *   scores   [N, C]         of the same precision
 *   classes  [N]            int64, labels of the training file; classification only
 *   probabilities [N, K]    as src/model/probabilities.h defines them; logistic and softmax losses only
 *
 *   Sub     z = features - shift
 *   Div     x = z / scale
 *   Gemm    h = x W' + b         W, called W1, is m x features; b is called b1
 *   Relu    a = max(0, h)
 *   Gemm    scores = a V'        V, called W2, is C x m: both matrices lie as most exporters lay them
 *
 * In single precision the shift that is subtracted is the nearest float32 number, and what was rounded away is in b,
 *   b_k = W1_k,bias - sum_j W1_kj (shift_j - float(shift_j)) / scale_j
 * so that features whose mean is huge beside their spread lose nothing to the rounding of that mean. Subtracting comes
 * first for the same reason: neighbouring float32 numbers have an exact difference.
 *
 * A network without neurons becomes one neuron of weights 0, because runtimes differ in what they make of matrices
 * without rows.
 */
#ifndef HS_IO_EXPORT_ONNX_GRAPH_H
#define HS_IO_EXPORT_ONNX_GRAPH_H

#include "base/precision.h"
#include "io/export/onnx.pb-c.h"
#include "model/model.h"

typedef struct hs_onnx_graph hs_onnx_graph_t;

/* HS_BAD_DATA when a number of the model is beyond the range of the precision. *graph is NULL on failure. The model is
 * not needed afterwards. */
hs_status_t hs_onnx_graph_create(hs_onnx_graph_t **graph, const hs_model_t *model, hs_precision_t precision);

/* NULL is fine. */
void hs_onnx_graph_free(hs_onnx_graph_t **graph);

/* The graph as a message, owned by the graph. */
Onnx__GraphProto *hs_onnx_graph_message(hs_onnx_graph_t *graph);

#endif
