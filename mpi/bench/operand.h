/* operand.h: a masked operator on generated rows, on this process alone: what kernels are timed on. */
#ifndef HS_MPI_BENCH_OPERAND_H
#define HS_MPI_BENCH_OPERAND_H

#include "masked/masked.h"
#include "mpi/data/gate_set.h"
#include "mpi/data/shard.h"

typedef struct hs_operand {
  hs_synthetic_t *synthetic;
  hs_shard_t *shard; /* gaussian features, no targets */
  hs_gate_set_t gates;
  hs_masked_t *op;
} hs_operand_t;

/* Not collective. */
hs_status_t hs_operand_create(hs_operand_t *operand, int64_t rows, int d, int gates, int outputs,
                              hs_precision_t precision);
void hs_operand_free(hs_operand_t *operand);

/* count uniform numbers in (-1, 1), the same at every call. */
void hs_operand_fill(double *values, int64_t count);

#endif
