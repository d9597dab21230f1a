/* onnx_file.h: the bytes of an ONNX file: the graph of the network (io/export/onnx_graph.h) and what is to be known of it.
 *
 * Operators of version 13, format of version 8: what runtimes have known since 2021. Beside producer and version the file
 * tells in its metadata, as texts:
 *   task               classification | regression
 *   loss, beta, beta_max   as in the run file; beta is absolute
 *   neurons            m; 0 where the graph has a neuron of weights 0 in their place
 *   rows               samples of training, where the run file tells
 *   stop               why training ended
 *   commit             of the halfspace that exported
 *   bound.NAME         "VALUE KIND", for each bound of the run file: KIND is proved, estimated or attained
 *   class_names        JSON array of the names of the classes, labels ascending (classification)
 */
#ifndef HS_IO_EXPORT_ONNX_FILE_H
#define HS_IO_EXPORT_ONNX_FILE_H

#include <stddef.h>

#include "io/run/run_file.h"

/* *bytes receives the file, *size its length; owned by the caller (hs_free), NULL on failure.
 *   precision  of the graph, its input and its outputs
 * HS_BAD_DATA when the weights are beyond the range of the precision, HS_BAD_USAGE when the file would be larger than the
 * 2 GiB that the format allows. Not collective. */
hs_status_t hs_onnx_file_make(const hs_model_t *model, const hs_run_summary_t *summary,
                              hs_precision_t precision, void **bytes, size_t *size);

#endif
