#include "mpi/bounds/relu_proof.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "bounds/circle.h"
#include "mpi/bounds/branch_and_bound.h"
#include "mpi/bounds/quadratic_bound.h"
#include "mpi/bounds/reduce_rank.h"
#include "mpi/bounds/symmetric_eigen.h"
#include "mpi/comm/agree.h"
#include "mpi/data/slab.h"

#define COPY_BYTES 256e6    /* of all rows on a rank */
#define CAP_STEPS 30        /* of the quadratic bound, where cones follow */
#define QUADRATIC_STEPS 400 /* where nothing follows */
#define CAP_SHARE 0.25      /* of the time, for the outputs one by one, where their norm follows */
#define CAP_EPSILON 1e-2    /* ... and how well these are known */
#define LEAST_FLOOR 1e-3    /* of beta: one of several outputs need not be known better */

/* One output (a column of T R) at a time. */
typedef struct proving {
  const hs_relu_problem_t *problem;
  const hs_proof_options_t *options;
  hs_traffic_t *traffic;
  hs_proof_t *proof;
  const double *T; /* rows x C */
  double deadline;
  double epsilon; /* of what is being proved now */
  hs_reduced_t reduced;
  double *rows, *cut; /* X B' (rows x rank) and what is cut off; owned */
  double *theta;      /* rows: the column at hand; owned */
  double *w;          /* d, owned */
} proving_t;

/* ---- values ---- */

/* T'(Xw)_+ (C numbers), by rows. */
static hs_status_t outputs_at(const proving_t *p, const double *w, double *outputs)
{
  const hs_shard_t *shard = p->problem->shard;
  int C = shard->outputs, d = shard->d;
  double *buffer = hs_alloc((size_t)HS_SLAB_ROWS * (size_t)d, sizeof *buffer, "price");
  hs_status_t status = hs_agree(p->problem->comm, buffer != NULL ? HS_OK : HS_NO_MEMORY);
  if (status != HS_OK) return status;
  memset(outputs, 0, (size_t)C * sizeof *outputs);
  for (int64_t row = 0; row < shard->rows; row += HS_SLAB_ROWS) {
    int count = (int)hs_min64(HS_SLAB_ROWS, shard->rows - row);
    const double *x = hs_slab(shard, row, count, buffer);
    for (int k = 0; k < count; k++) {
      double z = cblas_ddot(d, x + (int64_t)k * d, 1, w, 1);
      if (z > 0) cblas_daxpy(C, z, p->T + (row + k) * C, 1, outputs, 1);
    }
  }
  hs_free(buffer);
  hs_sum(p->problem->comm, outputs, C, p->traffic);
  return HS_OK;
}

/* If |T'(Xw)_+| is the largest so far, it is what is attained. w is scaled to a unit vector. */
static hs_status_t offer(const proving_t *p, double *w)
{
  int d = p->problem->shard->d, C = p->problem->shard->outputs;
  double length = cblas_dnrm2(d, w, 1);
  if (!(length > 0)) return HS_OK;
  cblas_dscal(d, 1 / length, w, 1);
  double *outputs = hs_alloc((size_t)C, sizeof *outputs, "price");
  hs_status_t status = hs_agree(p->problem->comm, outputs != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = outputs_at(p, w, outputs);
  double value = status == HS_OK ? cblas_dnrm2(C, outputs, 1) : 0;
  if (value > p->proof->attained) {
    p->proof->attained = value;
    memcpy(p->proof->w, w, (size_t)d * sizeof *w);
  }
  hs_free(outputs);
  return status;
}

/* v in the reduced coordinates back in those of X. */
static hs_status_t offer_reduced(proving_t *p, const double *v)
{
  int d = p->reduced.d;
  cblas_dgemv(CblasRowMajor, CblasTrans, p->reduced.rank, d, 1, p->reduced.basis, d, v, 1, 0, p->w, 1);
  return offer(p, p->w);
}

/* ---- one output ---- */

/* What f can differ by from the price that was bounded: what is cut off of the rows, and rounding. The sums of an evaluation
 * are over positive terms, so that each errs by `additions` roundings of at most the whole sum; there are a few of them in
 * a bound. */
static double allowance(const proving_t *p, double additions)
{
  const hs_shard_t *shard = p->problem->shard;
  int r = p->reduced.rank;
  double sums[2] = {0, 0};
  for (int64_t k = 0; k < shard->rows; k++) {
    sums[0] += fabs(p->theta[k]) * p->cut[k];
    sums[1] += fabs(p->theta[k]) * cblas_dnrm2(r, p->rows + k * r, 1);
  }
  hs_sum(p->problem->comm, sums, 2, p->traffic);
  return sums[0] + fmax(1e-12, 16 * DBL_EPSILON * additions) * (sums[0] + sums[1]);
}

typedef struct one {
  double upper;
  bool finished;
} one_t;

/* Rank 1: w = +-1. */
static hs_status_t prove_line(proving_t *p, hs_shared_rows_t *rows, one_t *one)
{
  double points[2] = {1, -1}, g[4];
  hs_shared_rows_evaluate(rows, 2, points, g);
  double f[2] = {fabs(g[0] - g[1]), fabs(g[2] - g[3])};
  int best = f[1] > f[0];
  *one = (one_t){.upper = f[best], .finished = true};
  return offer_reduced(p, points + best);
}

/* Rank 2. The first rank does it: angles may differ in their last bits on another processor. */
static hs_status_t prove_circle(proving_t *p, const hs_shared_rows_t *rows, one_t *one)
{
  double found[3] = {0, 0, 0};
  MPI_Comm comm = p->problem->comm;
  hs_status_t status = HS_OK;
  if (hs_rank(comm) == 0) status = hs_circle(rows->held, rows->theta, rows->X, found, found + 1);
  status = hs_agree(comm, status);
  if (status != HS_OK) return status;
  HS_MPI(MPI_Bcast(found, 3, MPI_DOUBLE, 0, comm));
  *one = (one_t){.upper = found[0], .finished = true};
  return offer_reduced(p, found + 1);
}

/* What is attained by now, in reduced coordinates (rank numbers): where the search may start. False if it is nothing. The
 * ranks must begin alike to the bit. */
static bool reduce_start(const proving_t *p, double *v)
{
  int d = p->reduced.d, r = p->reduced.rank;
  cblas_dgemv(CblasRowMajor, CblasNoTrans, r, d, 1, p->reduced.basis, d, p->proof->w, 1, 0, v, 1);
  double length = cblas_dnrm2(r, v, 1);
  for (int i = 0; i < r; i++) v[i] = p->proof->attained > 0 && length > 1e-6 ? v[i] / length : 0;
  HS_MPI(MPI_Bcast(v, r, MPI_DOUBLE, 0, p->problem->comm));
  for (int i = 0; i < r; i++)
    if (v[i] != 0) return true;
  return false;
}

static hs_status_t prove_cones(proving_t *p, hs_shared_rows_t *rows, double floor, double cap,
                               double deadline, one_t *one)
{
  double start[HS_CONE_MOST];
  hs_branch_t branch;
  hs_branch_options_t options = {.floor = floor, .epsilon = p->epsilon, .cap = cap, .deadline = deadline};
  if (reduce_start(p, start)) options.start = start;
  hs_status_t status = hs_branch_and_bound(rows, &options, &branch);
  if (status != HS_OK) return status;
  *one = (one_t){.upper = branch.upper, .finished = branch.finished};
  p->proof->nodes += branch.nodes;
  return offer_reduced(p, branch.w);
}

/* Rank 1 .. HS_CONE_MOST. */
static hs_status_t prove_sharply(proving_t *p, double floor, double cap, double deadline, one_t *one)
{
  hs_shared_rows_t rows;
  const hs_shard_t *shard = p->problem->shard;
  hs_status_t status = hs_shared_rows_make(&rows, p->problem->comm, p->reduced.rank, 1, shard->rows, p->theta,
                                           p->rows, COPY_BYTES, p->traffic);
  if (status != HS_OK) return status;
  if (p->reduced.rank == 1)
    status = prove_line(p, &rows, one);
  else if (p->reduced.rank == 2 && rows.copied)
    status = prove_circle(p, &rows, one);
  else
    status = prove_cones(p, &rows, floor, cap, deadline, one);
  if (status == HS_OK) {
    one->upper = fmin(cap, one->upper + allowance(p, hs_shared_rows_additions(&rows)));
  }
  hs_shared_rows_free(&rows);
  return status;
}

/* The column in p->theta. */
static hs_status_t prove_one(proving_t *p, double floor, double deadline, one_t *one)
{
  MPI_Comm comm = p->problem->comm;
  bool sharp = p->reduced.rank <= HS_CONE_MOST;
  double cap, now = MPI_Wtime();
  hs_status_t status =
      hs_quadratic_bound(comm, p->problem->shard, p->theta, sharp ? CAP_STEPS : QUADRATIC_STEPS,
                         sharp ? now + 0.1 * (deadline - now) : deadline, &cap, p->traffic);
  *one = (one_t){.upper = cap};
  if (status == HS_OK && sharp) status = prove_sharply(p, floor, cap, deadline, one);
  return status;
}

/* ---- all outputs ---- */

/* R (C x C, row c is a column of R): right singular vectors of T; values: the squares of its singular values. */
static hs_status_t rotation(const proving_t *p, double *R, double *values)
{
  const hs_shard_t *shard = p->problem->shard;
  int C = shard->outputs;
  double *gram = hs_alloc((size_t)C * (size_t)C, sizeof *gram, "outputs");
  hs_status_t status = hs_agree(p->problem->comm, gram != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    for (int64_t k = 0; k < shard->rows; k++)
      for (int a = 0; a < C; a++)
        for (int b = 0; b < C; b++) gram[a * C + b] += p->T[k * C + a] * p->T[k * C + b];
    hs_sum(p->problem->comm, gram, (int64_t)C * C, p->traffic);
    status = hs_symmetric_eigen(p->problem->comm, C, gram, values, R);
  }
  hs_free(gram);
  return status;
}

static void take_column(proving_t *p, const double *direction)
{
  int C = p->problem->shard->outputs;
  for (int64_t k = 0; k < p->problem->shard->rows; k++)
    p->theta[k] = C == 1 ? p->T[k] : cblas_ddot(C, p->T + k * C, 1, direction, 1);
}

/* |theta| |X| >= Z, of one column; rounding included. */
static double crude(const proving_t *p)
{
  double square = 0;
  for (int64_t k = 0; k < p->problem->shard->rows; k++) square += p->theta[k] * p->theta[k];
  hs_sum(p->problem->comm, &square, 1, p->traffic);
  return sqrt(square * p->reduced.largest) * (1 + 1e-9);
}

/* |T'(Xw)_+|^2 <= sum over the outputs of Z_c^2; exact for one. */
static hs_status_t prove_each(proving_t *p, const double *R, double deadline)
{
  int C = p->problem->shard->outputs;
  double squares = 0;
  hs_status_t status = HS_OK;
  p->proof->finished = true;
  for (int c = C - 1; c >= 0 && status == HS_OK; c--) {
    double now = MPI_Wtime();
    one_t one;
    take_column(p, R + (int64_t)c * C);
    double most = crude(p), floor = C == 1 ? p->options->floor : LEAST_FLOOR * p->options->floor / C;
    if (C > 1 && most <= floor)
      one = (one_t){.upper = most, .finished = true};
    else
      status = prove_one(p, floor, now + (deadline - now) / (c + 1), &one);
    if (status != HS_OK) break;
    squares += one.upper * one.upper;
    p->proof->finished = p->proof->finished && one.finished;
  }
  p->proof->upper = C == 1 ? sqrt(squares) : sqrt(squares) * (1 + 1e-12);
  return status;
}

/* ---- the norm over all outputs ---- */

/* w = +-1, both of which are attained. */
static hs_status_t prove_line_norm(proving_t *p, one_t *all)
{
  double points[2] = {1, -1};
  hs_status_t status = HS_OK;
  for (int i = 0; i < 2 && status == HS_OK; i++) status = offer_reduced(p, points + i);
  *all = (one_t){.upper = p->proof->attained, .finished = true};
  return status;
}

/* Several outputs and rank 1 .. HS_CONE_MOST, copied rows, below a cap that is known: proof->upper. */
static hs_status_t prove_norm(proving_t *p, hs_shared_rows_t *rows)
{
  const hs_shard_t *shard = p->problem->shard;
  int C = shard->outputs;
  one_t all;
  hs_status_t status = p->reduced.rank == 1
                           ? prove_line_norm(p, &all)
                           : prove_cones(p, rows, p->options->floor, p->proof->upper, p->deadline, &all);
  if (status != HS_OK) return status;
  for (int64_t k = 0; k < shard->rows; k++) p->theta[k] = cblas_dnrm2(C, p->T + k * C, 1);
  double upper = all.upper + allowance(p, hs_shared_rows_additions(rows));
  p->proof->upper = fmin(p->proof->upper, upper);
  p->proof->finished = all.finished;
  return HS_OK;
}

static double default_epsilon(int rank, int outputs)
{
  return rank <= 6 && outputs == 1 ? 1e-6 : 1e-4;
}

/* Several outputs and rank 1 .. HS_CONE_MOST: one by one, but where all rows fit on every rank only for a cap. */
static hs_status_t prove_several(proving_t *p, const double *R)
{
  const hs_shard_t *shard = p->problem->shard;
  double now = MPI_Wtime(), epsilon = p->epsilon, deadline = p->deadline;
  hs_shared_rows_t rows;
  hs_status_t status = hs_shared_rows_make(&rows, p->problem->comm, p->reduced.rank, shard->outputs,
                                           shard->rows, p->T, p->rows, COPY_BYTES, p->traffic);
  if (status != HS_OK) return status;
  if (rows.copied) {
    p->epsilon = fmax(epsilon, CAP_EPSILON);
    deadline = now + CAP_SHARE * (deadline - now);
  }
  status = prove_each(p, R, deadline);
  p->epsilon = epsilon;
  if (status == HS_OK && rows.copied) status = prove_norm(p, &rows);
  p->proof->finished = p->proof->finished && rows.copied;
  hs_shared_rows_free(&rows);
  return status;
}

static hs_status_t prove_all(proving_t *p, const double *R)
{
  int C = p->problem->shard->outputs, rank = p->reduced.rank;
  p->epsilon = p->options->epsilon > 0 ? p->options->epsilon : default_epsilon(rank, C);
  return C > 1 && rank <= HS_CONE_MOST ? prove_several(p, R) : prove_each(p, R, p->deadline);
}

static const char *method_for(int rank, int outputs)
{
  return rank <= (outputs == 1 ? 2 : 1) ? "enumeration" : rank <= HS_CONE_MOST ? "cones" : "quadratic";
}

static hs_status_t prepare(proving_t *p)
{
  const hs_shard_t *shard = p->problem->shard;
  size_t d = (size_t)shard->d;
  hs_status_t status = hs_reduce_rank(&p->reduced, p->problem->comm, shard, p->traffic);
  if (status != HS_OK) return status;
  bool sharp = p->reduced.rank <= HS_CONE_MOST;
  p->theta = hs_alloc((size_t)shard->rows, sizeof *p->theta, "proof");
  p->w = hs_alloc(d, sizeof *p->w, "proof");
  p->proof->w = hs_alloc(d, sizeof *p->w, "proof");
  p->rows = hs_alloc(sharp ? (size_t)shard->rows * (size_t)p->reduced.rank : 0, sizeof *p->rows, "proof");
  p->cut = hs_alloc(sharp ? (size_t)shard->rows : 0, sizeof *p->cut, "proof");
  if (p->theta == NULL || p->w == NULL || p->proof->w == NULL || p->rows == NULL || p->cut == NULL)
    status = HS_NO_MEMORY;
  if (status == HS_OK && sharp) status = hs_reduced_rows(&p->reduced, shard, p->rows, p->cut);
  status = hs_agree(p->problem->comm, status);
  if (status != HS_OK) return status;
  p->proof->rank = p->reduced.rank;
  p->proof->method = method_for(p->reduced.rank, shard->outputs);
  p->w[0] = p->proof->w[0] = 1;
  if (p->options->start != NULL) memcpy(p->w, p->options->start, d * sizeof *p->w);
  return offer(p, p->w);
}

static hs_status_t prove(proving_t *p)
{
  size_t C = (size_t)p->problem->shard->outputs;
  double *R = hs_alloc(C * C + C, sizeof *R, "outputs");
  hs_status_t status = hs_agree(p->problem->comm, R != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) status = rotation(p, R, R + C * C);
  if (status == HS_OK) status = prepare(p);
  if (status == HS_OK && p->reduced.rank == 0) p->proof->finished = true;
  if (status == HS_OK && p->reduced.rank > 0) status = prove_all(p, R);
  hs_free(R);
  return status;
}

hs_status_t hs_relu_prove(const hs_relu_problem_t *problem, const double *theta,
                          const hs_proof_options_t *options, hs_proof_t *proof, hs_traffic_t *traffic)
{
  double begin = MPI_Wtime();
  proving_t p = {.problem = problem,
                 .options = options,
                 .traffic = traffic,
                 .proof = proof,
                 .T = theta,
                 .deadline = begin + options->max_seconds};
  *proof = (hs_proof_t){0};
  hs_status_t status = prove(&p);
  proof->seconds = MPI_Wtime() - begin;
  hs_reduced_free(&p.reduced);
  hs_free(p.rows);
  hs_free(p.cut);
  hs_free(p.theta);
  hs_free(p.w);
  if (status != HS_OK) hs_proof_free(proof);
  return status;
}

void hs_proof_free(hs_proof_t *proof)
{
  hs_free(proof->w);
  *proof = (hs_proof_t){0};
}
