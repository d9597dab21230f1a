#include "mpi/bench/operand.h"

#include "base/random.h"

hs_status_t hs_operand_create(hs_operand_t *operand, int64_t rows, int d, int gates, int outputs,
                              hs_precision_t precision)
{
  *operand = (hs_operand_t){0};
  hs_status_t status = hs_synthetic_create(&operand->synthetic, HS_GAUSSIAN, d, 0, 1);
  if (status == HS_OK) {
    hs_source_t source;
    hs_source_generate(&source, MPI_COMM_SELF, operand->synthetic, rows, false);
    source.info.has_targets = false;
    hs_partition_t partition = hs_partition_make(rows, 1, 0, 1);
    hs_shard_options_t options = {.precision = precision, .scaling = HS_SCALING_NONE};
    status = hs_shard_load(&operand->shard, &source, &partition, &options);
    hs_source_close(&source);
  }
  if (status == HS_OK) status = hs_gate_set_sample(&operand->gates, MPI_COMM_SELF, operand->shard, gates, 1);
  if (status == HS_OK)
    status =
        hs_masked_create(&operand->op, precision, rows, d, outputs, operand->shard->X, &operand->gates.masks);
  if (status != HS_OK) hs_operand_free(operand);
  return status;
}

void hs_operand_free(hs_operand_t *operand)
{
  hs_masked_free(&operand->op);
  hs_gate_set_free(&operand->gates);
  hs_shard_free(&operand->shard);
  hs_synthetic_free(&operand->synthetic);
}

void hs_operand_fill(double *values, int64_t count)
{
  for (int64_t e = 0; e < count; e++)
    values[e] = 2 * hs_random_uniform(7, HS_STREAM_SYNTHETIC, (uint64_t)e) - 1;
}
