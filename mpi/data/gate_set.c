#include "mpi/data/gate_set.h"

#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/size.h"
#include "mpi/comm/agree.h"

/* The fingerprint of a mask: its number of rows, and two sums of random words of the rows that are on. The
 * sums wrap around, commute, and so do not depend on how rows are spread over ranks. */
typedef struct fingerprint {
  uint64_t rows, sum[2];
} fingerprint_t;

#define FINGERPRINT_SEED 0x68616c6673706163u

static void add_rows(const hs_shard_t *shard, const hs_masks_t *masks, fingerprint_t *prints)
{
  for (int64_t k = 0; k < masks->rows; k++) {
    uint64_t row = (uint64_t)(shard->row0 + k);
    uint64_t word[2] = {hs_random_bits(FINGERPRINT_SEED, 0, row), hs_random_bits(FINGERPRINT_SEED, 1, row)};
    for (int w = 0; w < masks->words; w++)
      for (uint64_t bits = masks->bits[k * masks->words + w]; bits != 0; bits &= bits - 1) {
        fingerprint_t *print = &prints[w * 64 + __builtin_ctzll(bits)];
        print->rows += 1;
        print->sum[0] += word[0];
        print->sum[1] += word[1];
      }
  }
}

/* Indices of the gates to keep, in order; returns how many. */
static int choose(hs_gate_set_t *set, const fingerprint_t *prints, int *keep)
{
  int kept = 0;
  for (int i = 0; i < set->count; i++) {
    bool repeated = false;
    for (int k = 0; k < kept && !repeated; k++)
      repeated = memcmp(&prints[keep[k]], &prints[i], sizeof *prints) == 0;
    if (prints[i].rows == 0)
      set->empty += 1;
    else if (repeated)
      set->duplicates += 1;
    else
      keep[kept++] = i;
  }
  return kept;
}

/* Collective. */
static hs_status_t drop_useless(hs_gate_set_t *set, MPI_Comm comm, const hs_shard_t *shard)
{
  fingerprint_t *prints = hs_alloc((size_t)set->masks.words * 64, sizeof *prints, "mask fingerprints");
  int *keep = hs_alloc((size_t)set->count, sizeof *keep, "gates");
  hs_status_t status = hs_agree(comm, prints != NULL && keep != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    add_rows(shard, &set->masks, prints);
    HS_MPI(MPI_Allreduce(MPI_IN_PLACE, prints, 3 * set->count, MPI_UINT64_T, MPI_SUM, comm));
    int kept = choose(set, prints, keep);
    if (kept == 0)
      status = hs_fail(HS_BAD_DATA, NULL, "model.gates", "all gates are off on every row (give more gates)");
    if (status == HS_OK && kept < set->count) status = hs_masks_select(&set->masks, kept, keep);
    for (int k = 0; k < kept; k++)
      memmove(set->G + (size_t)k * (size_t)set->d, set->G + (size_t)keep[k] * (size_t)set->d,
              (size_t)set->d * sizeof(double));
    set->count = kept;
    status = hs_agree(comm, status);
  }
  hs_free(prints);
  hs_free(keep);
  return status;
}

/* G is in place: masks, then the useless gates go. Collective. */
static hs_status_t finish(hs_gate_set_t *set, MPI_Comm comm, const hs_shard_t *shard, hs_status_t status)
{
  if (status == HS_OK)
    status =
        hs_masks_create(&set->masks, shard->precision, shard->rows, shard->d, shard->X, set->count, set->G);
  status = hs_agree(comm, status);
  if (status == HS_OK) status = drop_useless(set, comm, shard);
  if (status != HS_OK) hs_gate_set_free(set);
  return status;
}

static hs_status_t allocate(hs_gate_set_t *set, const hs_shard_t *shard, int64_t count)
{
  *set = (hs_gate_set_t){.d = shard->d};
  if (count < 1 || count > INT_MAX / 64 / 3)
    return hs_fail(HS_BAD_USAGE, NULL, "model.gates", "%lld gates (1 to %d)", (long long)count,
                   INT_MAX / 64 / 3);
  set->count = (int)count;
  set->G = hs_alloc((size_t)count * (size_t)shard->d, sizeof(double), "gates");
  return set->G != NULL ? HS_OK : HS_NO_MEMORY;
}

hs_status_t hs_gate_set_sample(hs_gate_set_t *set, MPI_Comm comm, const hs_shard_t *shard, int64_t wanted,
                               int64_t seed)
{
  hs_status_t status = allocate(set, shard, wanted);
  if (status == HS_OK)
    for (int64_t e = 0; e < wanted * shard->d; e++)
      set->G[e] = hs_random_normal((uint64_t)seed, HS_STREAM_GATES, (uint64_t)e);
  return finish(set, comm, shard, status);
}

hs_status_t hs_gate_set_given(hs_gate_set_t *set, MPI_Comm comm, const hs_shard_t *shard, int64_t count,
                              const double *G)
{
  hs_status_t status = allocate(set, shard, count);
  if (status == HS_OK) memcpy(set->G, G, (size_t)count * (size_t)shard->d * sizeof(double));
  return finish(set, comm, shard, status);
}

void hs_gate_set_free(hs_gate_set_t *set)
{
  hs_free(set->G);
  hs_masks_free(&set->masks);
  *set = (hs_gate_set_t){0};
}
