#include "mpi/network/cone_map.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "gates/masks.h"
#include "minimise/vectors.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"
#include "mpi/network/rank_one.h"

#define NEGLIGIBLE 1e-14 /* parts below this share of the gate's largest are rounding */
#define EDGE 1e-9        /* |x'e| / |x| below which a row lies on the boundary */

typedef struct cone {
  const hs_model_t *model;
  MPI_Comm comm;
  const hs_shard_t *shard;
  hs_masks_t masks;
  int d, C, gates, parts, most; /* parts of all gates; at most so many of one */
  int *of_gate;                 /* gates: their numbers of parts, which lie in the order of the gates */
  double *sigma, *A, *B;        /* parts, parts x d, parts x C */
  double *E;                    /* gates x d */
  double *worst;                /* reduced by maximum: parts t of a, parts t of -a, gates -(margin of e) */
  double *votes; /* parts: rows where the sign of x'a is the mask, minus those where it is not */
} cone_t;

/* The parts of all gates, by rank 0 alone: those of other ranks might differ in their last bits. */
static hs_status_t split(cone_t *cone)
{
  hs_status_t status = HS_OK;
  cone->parts = 0;
  for (int i = 0; i < cone->gates && status == HS_OK; i++) {
    int64_t at = cone->parts;
    const double *weights = cone->model->weights + (int64_t)i * cone->d * cone->C;
    status = hs_rank_one_split(cone->d, cone->C, weights, NEGLIGIBLE, &cone->of_gate[i], cone->sigma + at,
                               cone->A + at * cone->d, cone->B + at * cone->C);
    cone->parts += cone->of_gate[i];
  }
  return status;
}

static hs_status_t share_parts(cone_t *cone)
{
  hs_status_t status = hs_agree(cone->comm, hs_rank(cone->comm) == 0 ? split(cone) : HS_OK);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(&cone->parts, 1, MPI_INT, 0, cone->comm));
  HS_MPI(MPI_Bcast(cone->of_gate, cone->gates, MPI_INT, 0, cone->comm));
  HS_MPI(MPI_Bcast(cone->sigma, cone->parts, MPI_DOUBLE, 0, cone->comm));
  HS_MPI(MPI_Bcast(cone->A, cone->parts * cone->d, MPI_DOUBLE, 0, cone->comm));
  HS_MPI(MPI_Bcast(cone->B, cone->parts * cone->C, MPI_DOUBLE, 0, cone->comm));
  return HS_OK;
}

static hs_status_t cone_create(cone_t *cone)
{
  cone->most = cone->d < cone->C ? cone->d : cone->C;
  size_t gates = (size_t)cone->gates, most = gates * (size_t)cone->most, d = (size_t)cone->d,
         C = (size_t)cone->C;
  int fits;
  cone->of_gate = hs_alloc(gates, sizeof(int), "gates");
  cone->sigma = hs_alloc(most, sizeof(double), "parts of gates");
  cone->A = hs_alloc(most * d, sizeof(double), "parts of gates");
  cone->B = hs_alloc(most * C, sizeof(double), "parts of gates");
  cone->E = hs_alloc(gates * d, sizeof(double), "directions of gates");
  cone->worst = hs_alloc(2 * most + gates, sizeof(double), "cone map");
  cone->votes = hs_alloc(most, sizeof(double), "votes");
  bool good = cone->of_gate && cone->sigma && cone->A && cone->B && cone->E && cone->worst && cone->votes;
  hs_status_t status =
      good ? hs_to_int((int64_t)(most * (d > C ? d : C)), &fits, "parts of gates") : HS_NO_MEMORY;
  if (status == HS_OK)
    status = hs_masks_create(&cone->masks, cone->shard->precision, cone->shard->rows, cone->d, cone->shard->X,
                             cone->gates, cone->model->G);
  return hs_agree(cone->comm, status);
}

static void cone_free(cone_t *cone)
{
  hs_masks_free(&cone->masks);
  hs_free(cone->of_gate);
  hs_free(cone->sigma);
  hs_free(cone->A);
  hs_free(cone->B);
  hs_free(cone->E);
  hs_free(cone->worst);
  hs_free(cone->votes);
}

static hs_status_t find_directions(cone_t *cone, hs_cone_direction_t direction, double max_seconds,
                                   hs_cone_report_t *report, hs_traffic_t *traffic)
{
  if (direction == HS_CONE_MARGIN) {
    hs_margin_options_t options = {.max_seconds = max_seconds};
    double *margins = hs_alloc((size_t)cone->gates, sizeof *margins, "margins");
    hs_status_t status = hs_agree(cone->comm, margins != NULL ? HS_OK : HS_NO_MEMORY);
    if (status == HS_OK)
      status = hs_margin_directions(cone->comm, cone->shard, cone->gates, cone->model->G, &options, cone->E,
                                    margins, &report->margin, traffic);
    hs_free(margins);
    return status;
  }
  for (int i = 0; i < cone->gates; i++) {
    const double *g = cone->model->G + (int64_t)i * cone->d;
    double length = sqrt(hs_vector_dot(cone->d, g, g));
    for (int j = 0; j < cone->d && length > 0; j++) cone->E[(int64_t)i * cone->d + j] = g[j] / length;
  }
  return HS_OK;
}

/* (-h)_+ / e of a row, h = s x'a and e = s x'e: how much of e makes up for h. */
static double needed(double h, double e, double edge)
{
  if (h >= 0) return 0;
  if (e > edge) return -h / e;
  return -h <= edge ? 0 : INFINITY;
}

/* One row: products with all parts and all directions. */
static void take_row(cone_t *cone, int64_t row, const double *x, const double *products, const double *along)
{
  double edge = EDGE * sqrt(hs_vector_dot(cone->d, x, x));
  double *plus = cone->worst, *minus = plus + cone->parts, *outside = minus + cone->parts;
  for (int i = 0, r = 0; i < cone->gates; i++) {
    double s = hs_mask_bit(&cone->masks, row, i) ? 1 : -1, e = s * along[i];
    outside[i] = fmax(outside[i], -e - edge);
    for (int end = r + cone->of_gate[i]; r < end; r++) {
      double h = s * products[r];
      plus[r] = fmax(plus[r], needed(h, e, edge));
      minus[r] = fmax(minus[r], needed(-h, e, edge));
      cone->votes[r] += (h > 0) - (h < 0);
    }
  }
}

/* t of all parts. Collective. */
static hs_status_t measure(cone_t *cone, hs_traffic_t *traffic)
{
  int d = cone->d, parts = cone->parts, gates = cone->gates;
  const size_t slab = HS_SLAB_ROWS;
  double *rows = hs_alloc(slab * (size_t)d, sizeof *rows, "rows");
  double *products = hs_alloc(slab * (size_t)parts, sizeof *products, "cone map");
  double *along = hs_alloc(slab * (size_t)gates, sizeof *along, "cone map");
  bool good = rows != NULL && products != NULL && along != NULL;
  hs_status_t status = hs_agree(cone->comm, good ? HS_OK : HS_NO_MEMORY);
  for (int i = 0; i < gates; i++) cone->worst[2 * parts + i] = -INFINITY;
  for (int64_t row = 0; status == HS_OK && row < cone->shard->rows; row += HS_SLAB_ROWS) {
    int count = (int)hs_min64(HS_SLAB_ROWS, cone->shard->rows - row);
    const double *x = hs_slab(cone->shard, row, count, rows);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, gates, d, 1, x, d, cone->E, d, 0, along,
                gates);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, parts, d, 1, x, d, cone->A, d, 0, products,
                parts);
    for (int k = 0; k < count; k++)
      take_row(cone, row + k, x + (int64_t)k * d, products + (int64_t)k * parts, along + (int64_t)k * gates);
  }
  if (status == HS_OK) {
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, cone->worst, 2 * parts + gates, MPI_DOUBLE, MPI_MAX, cone->comm));
    hs_sum(cone->comm, cone->votes, parts, traffic);
  }
  hs_free(rows);
  hs_free(products);
  hs_free(along);
  return status;
}

/* The neuron  max(0, x'(sign a + t e)) size b */
static hs_status_t add_part(const cone_t *cone, int gate, int r, double sign, double t, hs_neurons_t *neurons)
{
  hs_status_t status =
      hs_neurons_add(neurons, cone->A + (int64_t)r * cone->d, cone->B + (int64_t)r * cone->C);
  if (status != HS_OK) return status;
  double *w = neurons->W1 + (int64_t)(neurons->count - 1) * cone->d;
  double *a = neurons->W2 + (int64_t)(neurons->count - 1) * cone->C;
  for (int j = 0; j < cone->d; j++) w[j] = sign * w[j] + t * cone->E[(int64_t)gate * cone->d + j];
  for (int c = 0; c < cone->C; c++) a[c] *= sign * cone->sigma[r];
  return HS_OK;
}

/* The smaller t of part r, and the sign of a that it belongs to. */
static double best_shift(const cone_t *cone, int r, double *sign)
{
  double plus = cone->worst[r], minus = cone->worst[cone->parts + r];
  *sign = plus <= minus ? 1 : -1;
  return fmin(plus, minus);
}

/* Can all parts of the gate (first .. end-1) be decomposed? */
static bool decomposes(const cone_t *cone, int gate, int first, int end)
{
  bool inside = !(cone->worst[2 * cone->parts + gate] > 0);
  for (int r = first; r < end; r++) {
    double sign, t = best_shift(cone, r, &sign);
    if (isinf(t) || (t > 0 && !inside)) return false;
  }
  return true;
}

static hs_status_t map_gate(const cone_t *cone, int gate, int first, int end, hs_neurons_t *neurons,
                            hs_cone_report_t *report)
{
  bool exact = decomposes(cone, gate, first, end), any = false;
  hs_status_t status = hs_neurons_add(neurons, cone->E + (int64_t)gate * cone->d, NULL);
  int shared = neurons->count - 1; /* the shares of e */
  for (int r = first; r < end && status == HS_OK; r++) {
    double sign, t = best_shift(cone, r, &sign);
    if (!exact) {
      sign = cone->votes[r] >= 0 ? 1 : -1;
      t = 0;
    }
    status = add_part(cone, gate, r, sign, t, neurons);
    report->before += cone->sigma[r];
    report->shift += cone->sigma[r] * t;
    if (status == HS_OK && t > 0) {
      any = true;
      hs_vector_add(cone->C, -sign * t * cone->sigma[r], cone->B + (int64_t)r * cone->C,
                    neurons->W2 + (int64_t)shared * cone->C);
    }
  }
  report->left_out += !exact;
  if (!any && status == HS_OK)
    memset(neurons->W1 + (int64_t)shared * cone->d, 0, (size_t)cone->d * sizeof(double));
  return status;
}

static hs_status_t map_gates(const cone_t *cone, hs_neurons_t *neurons, hs_cone_report_t *report)
{
  hs_status_t status = hs_neurons_reserve(neurons, cone->gates + cone->parts);
  for (int i = 0, r = 0; i < cone->gates && status == HS_OK; r += cone->of_gate[i++])
    status = map_gate(cone, i, r, r + cone->of_gate[i], neurons, report);
  hs_neurons_balance(neurons);
  hs_neurons_prune(neurons, 0);
  report->after = hs_neurons_norm(neurons);
  return hs_agree(cone->comm, status);
}

hs_status_t hs_cone_map(const hs_model_t *model, MPI_Comm comm, const hs_shard_t *shard,
                        hs_cone_direction_t direction, double max_seconds, hs_neurons_t *neurons,
                        hs_cone_report_t *report, hs_traffic_t *traffic)
{
  cone_t cone = {.model = model,
                 .comm = comm,
                 .shard = shard,
                 .d = model->d,
                 .C = model->outputs,
                 .gates = model->gates};
  *report = (hs_cone_report_t){0};
  hs_neurons_clear(neurons);
  hs_neurons_init(neurons, model->d, model->outputs);
  if (model->gates == 0) return HS_OK;
  hs_status_t status = cone_create(&cone);
  if (status == HS_OK) status = share_parts(&cone);
  if (status == HS_OK) status = find_directions(&cone, direction, max_seconds, report, traffic);
  if (status == HS_OK) status = measure(&cone, traffic);
  if (status == HS_OK) status = map_gates(&cone, neurons, report);
  cone_free(&cone);
  return status;
}
