/* sections.h: the parts of the benchmark. Each prints a table or two. Collective unless said otherwise. */
#ifndef HS_MPI_BENCH_SECTIONS_H
#define HS_MPI_BENCH_SECTIONS_H

#include "mpi/bench/bench.h"

/* These three run on rank 0 alone. Not collective. */
hs_status_t hs_bench_products(hs_bench_t *bench);
hs_status_t hs_bench_kernel(hs_bench_t *bench);
hs_status_t hs_bench_gram(hs_bench_t *bench);

hs_status_t hs_bench_gaussian(hs_bench_t *bench);
hs_status_t hs_bench_logistic(hs_bench_t *bench);
hs_status_t hs_bench_b(hs_bench_t *bench);
hs_status_t hs_bench_c(hs_bench_t *bench);
hs_status_t hs_bench_x_updates(hs_bench_t *bench);
hs_status_t hs_bench_x_updates_small(hs_bench_t *bench);
hs_status_t hs_bench_large(hs_bench_t *bench);
hs_status_t hs_bench_scaling(hs_bench_t *bench);
hs_status_t hs_bench_reduce(hs_bench_t *bench);
hs_status_t hs_bench_io(hs_bench_t *bench);
hs_status_t hs_bench_dense(hs_bench_t *bench);

#endif
