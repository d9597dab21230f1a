#include "mpi/plan/rates.h"

#include <math.h>

#include "base/log.h"
#include "base/size.h"
#include "mpi/comm/agree.h"
#include "mpi/plan/memory_plan.h"
#include "mpi/plan/reading.h"
#include "mpi/plan/vectors.h"

#define BYTES 4e8       /* that the largest rehearsal may hold on a rank */
#define MOST_FLOPS 1e10 /* of the products of an iteration in a rehearsal that is as small as may be */
#define FIRST_ROWS 1024 /* of the smallest rehearsal, at most */
#define GROWTH 8.0      /* from one to the next, at most */
#define LEAST_GROWTH 1.5
#define SOME_WEIGHTS (1 << 20)

/* Largest number of rows whose arrays take so many bytes. */
static int64_t rows_in(const hs_problem_size_t *size, double bytes)
{
  int64_t rows = 65536;
  int64_t blocks = (int64_t)((double)rows * (double)size->blocks / (double)size->rows);
  hs_footprint_t none = {0};
  hs_share_t share = {.rows = rows, .blocks = hs_max64(1, blocks), .ranks = 1, .kind = HS_X_BLOCK_KERNEL};
  hs_memory_plan_t plan = hs_memory_plan(size, share, none);
  hs_share_t half = share;
  half.rows = rows / 2;
  half.blocks = hs_max64(1, blocks / 2);
  double row = (plan.solving - hs_memory_plan(size, half, none).solving) / (double)(rows - half.rows);
  return (int64_t)(bytes / row);
}

/* Collective. */
static hs_status_t rehearse(hs_rates_t *rates, MPI_Comm comm, const hs_problem_size_t *size, int64_t rows,
                            int64_t block_rows)
{
  hs_log_live("measuring on %lld rows ...", (long long)rows);
  return hs_rehearse(&rates->rehearsal[rates->count++], comm, size, rows, block_rows);
}

/* Ever more rows until one takes its time: what a rehearsal took tells how large the next one may be. The largest
 * holds at least a block, or as much of it as is affordable. Collective. */
static hs_status_t rehearse_all(hs_rates_t *rates, MPI_Comm comm, const hs_problem_size_t *size,
                                const hs_rates_request_t *request)
{
  int64_t least = request->least, most = request->most;
  int64_t block = (size->rows + size->blocks - 1) / size->blocks;
  int64_t affordable = hs_max64(1, (int64_t)(MOST_FLOPS / (4.0 * (double)hs_problem_weights(size))));
  int64_t enough = hs_min64(hs_min64(block, most), affordable);
  int64_t room = hs_min64(hs_max64(rows_in(size, BYTES), enough), most);
  int64_t rows = hs_min64(hs_max64(hs_min64(least, FIRST_ROWS), 1), room);
  for (;;) {
    int64_t shortest = rows >= enough ? hs_min64(block, most) : hs_min64(block, hs_max64(rows, least));
    hs_status_t status = rehearse(rates, comm, size, rows, shortest);
    double left = request->seconds / rates->rehearsal[rates->count - 1].elapsed;
    int64_t next = (int64_t)((double)rows * fmin(GROWTH, left));
    if ((double)next < LEAST_GROWTH * (double)rows) next = rows;
    if (next < enough && (rates->count == HS_REHEARSALS - 1 || next == rows)) next = enough;
    next = hs_min64(next, room);
    if (status != HS_OK || next <= rows || rates->count == HS_REHEARSALS) return status;
    rows = next;
  }
}

#define X_SECONDS 3.0 /* times as long as the largest rehearsal of blocks: it has several parts */

/* The other kinds. Collective. */
static hs_status_t rehearse_kinds(hs_rates_t *rates, MPI_Comm comm, const hs_problem_size_t *size,
                                  const hs_rates_request_t *request)
{
  hs_status_t status = HS_OK;
  for (int kind = HS_X_BLOCK_KERNEL + 1; kind < HS_X_KINDS && status == HS_OK; kind++) {
    if (!request->kinds[kind]) continue;
    hs_log_live("measuring %s ...", hs_x_name((hs_x_kind_t)kind));
    status = hs_x_rehearse(&rates->x[kind], comm, size, (hs_x_kind_t)kind, X_SECONDS * request->seconds);
  }
  return status;
}

/* Work on weights alone, the same on every rank; the acceleration on some of them where there are very many.
 * Collective. */
static hs_status_t time_weights(hs_rates_t *rates, MPI_Comm comm, const hs_problem_size_t *size)
{
  int64_t weights = hs_problem_weights(size), some = hs_min64(weights, SOME_WEIGHTS);
  double seconds[2] = {0};
  hs_status_t status = hs_time_weights(size, &seconds[0]);
  if (status == HS_OK) status = hs_time_anderson(size->memory, some, 0, NULL, NULL, &seconds[1]);
  status = hs_agree(comm, status);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, seconds, 2, MPI_DOUBLE, MPI_MAX, comm));
  rates->weights = seconds[0];
  rates->anderson_weights = seconds[1] * (double)weights / (double)some;
  return status;
}

hs_status_t hs_rates_measure(hs_rates_t *rates, MPI_Comm comm, const hs_problem_size_t *size,
                             const hs_rates_request_t *request)
{
  *rates = (hs_rates_t){.ranks = hs_ranks(comm), .on_node = hs_ranks_on_node(comm), .read_row = NAN};
  hs_status_t status = rehearse_all(rates, comm, size, request);
  if (status == HS_OK) status = rehearse_kinds(rates, comm, size, request);
  if (status == HS_OK) status = time_weights(rates, comm, size);
  if (status == HS_OK && request->source != NULL)
    status = hs_reading_measure(request->source, size, request->scaling, &rates->read_row);
  int64_t large = hs_problem_weights(size) + 2;
  int64_t small = (int64_t)hs_rates_small_bytes(rates, size->memory) / (int64_t)sizeof(double);
  if (status == HS_OK)
    status = hs_network_find(&rates->network, comm, request->latency, request->bandwidth, large, small);
  hs_log_live(NULL);
  return status;
}

double hs_rates_seconds(const hs_rates_t *rates, hs_stage_t stage, double fixed, int64_t rows)
{
  const hs_rehearsal_t *at = rates->rehearsal;
  int right = 0;
  while (right + 1 < rates->count && at[right].rows < rows) right++;
  int left = right > 0 ? right - 1 : 0;
  /* What does not depend on the rows may have been measured a little long. */
  double high = fmax(0, at[right].seconds[stage] - fixed), low = fmax(0, at[left].seconds[stage] - fixed);
  if (left == right || rows >= at[right].rows) return fixed + high * (double)rows / (double)at[right].rows;
  double part = (double)(rows - at[left].rows) / (double)(at[right].rows - at[left].rows);
  return fixed + low + part * (high - low);
}

double hs_rates_small_bytes(const hs_rates_t *rates, int memory)
{
  /* Two inner products for every step that is remembered. */
  return rates->rehearsal[0].small_bytes + 2 * memory * (double)sizeof(double);
}
