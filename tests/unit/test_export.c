/* The bytes of exported networks.
 *
 * The problem: networks of a few neurons whose every number is known. The answer: an .npz file that a reader written from
 * the descriptions of zip and .npy finds those numbers in; an ONNX file whose messages, parsed again, hold the tensors
 * that the mathematics asks for. That runtimes accept it is the matter of tests/end/test_export.sh. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "io/export/export.h"
#include "io/export/npz_file.h"
#include "io/export/onnx.pb-c.h"
#include "io/export/onnx_file.h"

enum { FEATURES = 2, D = 3, M = 3, C = 2 };

/* Arrays that a test may change before it exports. */
typedef struct network {
  double shift[FEATURES], scale[FEATURES], W1[M * D], W2[M * C];
  int64_t values[C];
  char *names[C];
  hs_model_t model;
  hs_run_bound_t bound;
  hs_run_summary_t summary;
} network_t;

static void make_network(network_t *net)
{
  *net = (network_t){
      .shift = {1e6 + 1.0 / 3, -0.1},
      .scale = {3, 0.7},
      .W1 = {1, 2, 3, -4, 5, -6, 0.1, 0.2, 0.3}, /* neuron by neuron, the bias last */
      .W2 = {1, -1, 2, -2, 3, -3.5},
      .values = {-7, 70000000000},
      .names = {(char *)"no", (char *)"\xc3\xa9t\xc3\xa9"},
  };
  net->model = (hs_model_t){.features = FEATURES,
                            .d = D,
                            .outputs = C,
                            .bias = true,
                            .neurons = M,
                            .shift = net->shift,
                            .scale = net->scale,
                            .W1 = net->W1,
                            .W2 = net->W2,
                            .loss = {HS_SOFTMAX, 0},
                            .beta = 0.25,
                            .classes = C,
                            .class_values = net->values,
                            .class_names = net->names};
  net->bound = (hs_run_bound_t){(char *)"network", (char *)"attained", (char *)"", 12.5};
  net->summary = (hs_run_summary_t){
      .stop = (char *)"converged", .facts = {.rows = 40}, .bounds = 1, .bound = &net->bound};
}

/* ---- zip and npy ---- */

static uint32_t number(const unsigned char *at, int bytes)
{
  uint32_t value = 0;
  for (int i = bytes - 1; i >= 0; i--) value = value << 8 | at[i];
  return value;
}

/* The file of this name in the archive, by its directory; *length receives its size. */
static const unsigned char *member(const unsigned char *zip, size_t size, const char *name, size_t *length)
{
  const unsigned char *end = zip + size - 22;
  assert_int_equal(number(end, 4), 0x06054b50);
  const unsigned char *entry = zip + number(end + 16, 4);
  assert_ptr_equal(entry + number(end + 12, 4), end);
  for (uint32_t i = 0; i < number(end + 10, 2); i++) {
    assert_int_equal(number(entry, 4), 0x02014b50);
    const unsigned char *local = zip + number(entry + 42, 4);
    assert_int_equal(number(local, 4), 0x04034b50);
    assert_memory_equal(local + 4, entry + 6, 26); /* all that the two headers have in common */
    uint32_t letters = number(entry + 28, 2);
    assert_memory_equal(local + 30, entry + 46, letters);
    if (letters == strlen(name) && memcmp(entry + 46, name, letters) == 0) {
      *length = number(entry + 20, 4);
      assert_int_equal(number(entry + 10, 2), 0); /* stored */
      assert_int_equal(number(entry + 24, 4), *length);
      const unsigned char *file = local + 30 + letters;
      assert_int_equal(crc32(0, file, (uInt)*length), number(entry + 16, 4));
      return file;
    }
    entry += 46 + letters;
  }
  return NULL;
}

/* The values of an array, which has to be of this type and shape and to hold this many bytes. */
static const void *array(const void *zip, size_t size, const char *name, const char *type, const char *shape,
                         size_t bytes)
{
  size_t length;
  const unsigned char *file = member(zip, size, name, &length);
  assert_non_null(file);
  assert_memory_equal(file, "\x93NUMPY\x01\x00", 8);
  uint32_t header = 10 + number(file + 8, 2);
  assert_int_equal(header % 64, 0);
  assert_int_equal(file[header - 1], '\n');
  char wanted[200];
  int letters =
      snprintf(wanted, sizeof wanted, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
  assert_memory_equal(file + 10, wanted, (size_t)letters);
  assert_int_equal(length - header, bytes);
  return file + header;
}

static void test_npz(void **state)
{
  (void)state;
  network_t net;
  make_network(&net);
  void *zip;
  size_t size;
  assert_int_equal(hs_npz_file_make(&net.model, &zip, &size), HS_OK);
  double W1[D][M], first[M * D];
  memcpy(W1, array(zip, size, "W1.npy", "<f8", "(3, 3)", sizeof W1), sizeof W1);
  for (int k = 0; k < M; k++)
    for (int j = 0; j < D; j++) first[k * D + j] = W1[j][k];
  assert_memory_equal(first, net.W1, sizeof first);
  assert_memory_equal(array(zip, size, "W2.npy", "<f8", "(3, 2)", sizeof net.W2), net.W2, sizeof net.W2);
  assert_memory_equal(array(zip, size, "shift.npy", "<f8", "(2,)", 16), net.shift, 16);
  assert_memory_equal(array(zip, size, "scale.npy", "<f8", "(2,)", 16), net.scale, 16);
  assert_memory_equal(array(zip, size, "bias.npy", "|b1", "()", 1), "\x01", 1);
  assert_memory_equal(array(zip, size, "class_values.npy", "<i8", "(2,)", 16), net.values, 16);
  assert_memory_equal(array(zip, size, "class_names.npy", "|S5", "(2,)", 10), "no\0\0\0\xc3\xa9t\xc3\xa9",
                      10);
  hs_free(zip);
}

static void test_npz_without_neurons_bias_and_classes(void **state)
{
  (void)state;
  network_t net;
  make_network(&net);
  net.model.neurons = net.model.classes = 0;
  net.model.bias = false;
  net.model.d = FEATURES;
  net.model.W1 = net.model.W2 = NULL;
  void *zip;
  size_t size, length;
  assert_int_equal(hs_npz_file_make(&net.model, &zip, &size), HS_OK);
  array(zip, size, "W1.npy", "<f8", "(2, 0)", 0);
  array(zip, size, "W2.npy", "<f8", "(0, 2)", 0);
  assert_memory_equal(array(zip, size, "bias.npy", "|b1", "()", 1), "\x00", 1);
  assert_null(member(zip, size, "class_values.npy", &length));
  assert_null(member(zip, size, "class_names.npy", &length));
  hs_free(zip);
}

/* ---- ONNX ---- */

static Onnx__ModelProto *onnx(const network_t *net, hs_precision_t precision)
{
  void *bytes;
  size_t size;
  assert_int_equal(hs_onnx_file_make(&net->model, &net->summary, precision, &bytes, &size), HS_OK);
  Onnx__ModelProto *message = onnx__model_proto__unpack(NULL, size, bytes);
  hs_free(bytes);
  assert_non_null(message);
  assert_int_equal(message->ir_version, 8);
  assert_int_equal(message->n_opset_import, 1);
  assert_int_equal(message->opset_import[0]->version, 13);
  assert_string_equal(message->producer_name, "halfspace");
  return message;
}

static const Onnx__TensorProto *tensor(const Onnx__ModelProto *message, const char *name, int64_t rows,
                                       int64_t columns)
{
  for (size_t i = 0; i < message->graph->n_initializer; i++) {
    const Onnx__TensorProto *found = message->graph->initializer[i];
    if (strcmp(found->name, name) != 0) continue;
    assert_int_equal(found->n_dims, columns > 0 ? 2 : 1);
    assert_int_equal(found->dims[0], rows);
    if (columns > 0) assert_int_equal(found->dims[1], columns);
    return found;
  }
  fail_msg("no tensor %s", name);
  return NULL;
}

static double real(const Onnx__TensorProto *from, int64_t index)
{
  float narrow;
  double wide;
  if (from->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE) {
    memcpy(&wide, from->raw_data.data + 8 * index, 8);
    return wide;
  }
  assert_int_equal(from->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  memcpy(&narrow, from->raw_data.data + 4 * index, 4);
  return (double)narrow;
}

static const char *metadata(const Onnx__ModelProto *message, const char *key)
{
  for (size_t i = 0; i < message->n_metadata_props; i++)
    if (strcmp(message->metadata_props[i]->key, key) == 0) return message->metadata_props[i]->value;
  fail_msg("no metadata %s", key);
  return NULL;
}

static void test_onnx_tensors(void **state)
{
  (void)state;
  network_t net;
  make_network(&net);
  for (int precision = HS_SINGLE; precision <= HS_DOUBLE; precision++) {
    Onnx__ModelProto *message = onnx(&net, (hs_precision_t)precision);
    double accuracy = precision == HS_SINGLE ? 1e-7 : 0;
    const Onnx__TensorProto *W1 = tensor(message, "W1", M, FEATURES), *W2 = tensor(message, "W2", C, M);
    for (int k = 0; k < M; k++) {
      for (int j = 0; j < FEATURES; j++)
        assert_true(fabs(real(W1, k * FEATURES + j) - net.W1[k * D + j]) <= accuracy * 10);
      for (int c = 0; c < C; c++) assert_true(fabs(real(W2, c * M + k) - net.W2[k * C + c]) <= accuracy * 10);
    }
    int64_t values[C];
    memcpy(values, tensor(message, "labels", C, 0)->raw_data.data, sizeof values);
    assert_memory_equal(values, net.values, sizeof values);
    onnx__model_proto__free_unpacked(message, NULL);
  }
}

/* At features that float32 holds, next to the mean, the float32 constants give  W1 (x - shift) / scale + bias  to float32
 * accuracy, though rounding the mean of 10^6 moves it by a tenth of the least step between two such features. */
static void test_onnx_rounded_shift(void **state)
{
  (void)state;
  network_t net;
  make_network(&net);
  Onnx__ModelProto *message = onnx(&net, HS_SINGLE);
  const Onnx__TensorProto *W1 = tensor(message, "W1", M, FEATURES), *b1 = tensor(message, "b1", M, 0);
  const Onnx__TensorProto *shift = tensor(message, "shift", FEATURES, 0),
                          *scale = tensor(message, "scale", FEATURES, 0);
  assert_true(fabs(real(shift, 0) - net.shift[0]) > 0.01);
  double x[FEATURES] = {1e6 + 0.375, 0.5};
  for (int k = 0; k < M; k++) {
    double exact = net.W1[k * D + FEATURES], found = real(b1, k);
    for (int j = 0; j < FEATURES; j++) {
      exact += net.W1[k * D + j] * (x[j] - net.shift[j]) / net.scale[j];
      found += real(W1, k * FEATURES + j) * (x[j] - real(shift, j)) / real(scale, j);
    }
    assert_true(fabs(found - exact) <= 1e-6 * (1 + fabs(exact)));
  }
  onnx__model_proto__free_unpacked(message, NULL);
}

static void test_onnx_without_neurons(void **state)
{
  (void)state;
  network_t net;
  make_network(&net);
  net.model.neurons = 0;
  net.model.W1 = net.model.W2 = NULL;
  Onnx__ModelProto *message = onnx(&net, HS_SINGLE);
  const Onnx__TensorProto *W1 = tensor(message, "W1", 1, FEATURES), *W2 = tensor(message, "W2", C, 1);
  for (int j = 0; j < FEATURES; j++) assert_true(real(W1, j) == 0);
  for (int c = 0; c < C; c++) assert_true(real(W2, c) == 0);
  assert_true(real(tensor(message, "b1", 1, 0), 0) == 0);
  assert_string_equal(metadata(message, "neurons"), "0");
  onnx__model_proto__free_unpacked(message, NULL);
}

static void test_onnx_metadata(void **state)
{
  (void)state;
  network_t net;
  make_network(&net);
  Onnx__ModelProto *message = onnx(&net, HS_SINGLE);
  assert_string_equal(metadata(message, "task"), "classification");
  assert_string_equal(metadata(message, "loss"), "softmax");
  assert_string_equal(metadata(message, "beta"), "0.25");
  assert_string_equal(metadata(message, "rows"), "40");
  assert_string_equal(metadata(message, "bound.network"), "12.5 attained");
  assert_non_null(strstr(metadata(message, "class_names"), "\"\xc3\xa9t\xc3\xa9\""));
  const Onnx__GraphProto *graph = message->graph;
  const char *outputs[] = {"scores", "classes", "probabilities"};
  assert_int_equal(graph->n_input, 1);
  assert_string_equal(graph->input[0]->name, "features");
  assert_string_equal(graph->input[0]->type->tensor_type->shape->dim[0]->dim_param, "N");
  assert_int_equal(graph->input[0]->type->tensor_type->shape->dim[1]->dim_value, FEATURES);
  assert_int_equal(graph->n_output, 3);
  for (size_t i = 0; i < 3; i++) assert_string_equal(graph->output[i]->name, outputs[i]);
  onnx__model_proto__free_unpacked(message, NULL);
}

/* Numbers that float32 has no room for; double has. */
static void test_onnx_range(void **state)
{
  (void)state;
  void *bytes;
  size_t size;
  for (int i = 0; i < 4; i++) {
    network_t net;
    make_network(&net);
    double *number[] = {&net.shift[0], &net.scale[1], &net.W1[2], &net.W2[5]};
    const char *where[] = {"shift: ", "scale: ", "b1: ", "W2: "};
    *number[i] = i == 1 ? 1e-40 : 1e39;
    hs_error_clear();
    assert_int_equal(hs_onnx_file_make(&net.model, &net.summary, HS_SINGLE, &bytes, &size), HS_BAD_DATA);
    assert_null(bytes);
    assert_ptr_equal(strstr(hs_error_message(), where[i]), hs_error_message());
    assert_non_null(strstr(hs_error_message(), "precision=double"));
    assert_int_equal(hs_onnx_file_make(&net.model, &net.summary, HS_DOUBLE, &bytes, &size), HS_OK);
    hs_free(bytes);
  }
  hs_error_clear();
}

/* ---- files ---- */

static void test_kinds(void **state)
{
  (void)state;
  hs_export_kind_t kind;
  assert_int_equal(hs_export_kind("a.npz/model.onnx", &kind), HS_OK);
  assert_int_equal(kind, HS_EXPORT_ONNX);
  assert_int_equal(hs_export_kind("model.NPZ", &kind), HS_OK);
  assert_int_equal(kind, HS_EXPORT_NPZ);
  assert_int_equal(hs_export_kind("folder.npz/model", &kind), HS_BAD_USAGE);
  assert_int_equal(hs_export_kind("npz", &kind), HS_BAD_USAGE);
  hs_error_clear();
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_npz),
      cmocka_unit_test(test_npz_without_neurons_bias_and_classes),
      cmocka_unit_test(test_onnx_tensors),
      cmocka_unit_test(test_onnx_rounded_shift),
      cmocka_unit_test(test_onnx_without_neurons),
      cmocka_unit_test(test_onnx_metadata),
      cmocka_unit_test(test_onnx_range),
      cmocka_unit_test(test_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
