#include "mpi/pricing/sweep.h"

#include <cblas.h>

#include "base/size.h"
#include "base/threads.h"
#include "mpi/data/slab.h"

/* Of one thread: a slab of rows, and what the work wants. */
static size_t numbers_of_thread(const hs_sweep_t *sweep, int each)
{
  return HS_SLAB_ROWS * ((size_t)sweep->shard->d + (size_t)each * HS_SWEEP_WIDTH);
}

size_t hs_sweep_scratch(const hs_sweep_t *sweep, int each)
{
  return (size_t)hs_threads() * numbers_of_thread(sweep, each);
}

static void run_piece(const hs_sweep_t *sweep, int64_t first, int width, double *buffer,
                      hs_sweep_work_t *work, void *context)
{
  const hs_shard_t *shard = sweep->shard;
  hs_sweep_tile_t tile = {.first = first,
                          .width = width,
                          .d = shard->d,
                          .outputs = shard->outputs,
                          .scratch = buffer + (size_t)HS_SLAB_ROWS * (size_t)shard->d};
  for (int64_t row = 0; row < shard->rows; row += HS_SLAB_ROWS) {
    tile.rows = (int)hs_min64(HS_SLAB_ROWS, shard->rows - row);
    tile.x = hs_slab(shard, row, tile.rows, buffer);
    tile.theta = sweep->theta + row * shard->outputs;
    work(context, &tile);
  }
}

void hs_sweep_run(const hs_sweep_t *sweep, int64_t directions, int each, double *scratch,
                  hs_sweep_work_t *work, void *context)
{
  int parts = hs_parts(directions, 1, hs_threads());
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; part++) {
    double *buffer = scratch + (size_t)part * numbers_of_thread(sweep, each);
    int64_t end = hs_part_first(directions, parts, part + 1);
    for (int64_t s = hs_part_first(directions, parts, part); s < end; s += HS_SWEEP_WIDTH)
      run_piece(sweep, s, (int)hs_min64(HS_SWEEP_WIDTH, end - s), buffer, work, context);
  }
}

void hs_sweep_dots(const hs_sweep_tile_t *tile, const double *D, double *dots)
{
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, tile->rows, tile->width, tile->d, 1, tile->x, tile->d,
              D + tile->first * tile->d, tile->d, 0, dots, tile->width);
}
