/* gated_price.h: gates that lower the gated objective most, by search along great circles.
 *
 *   price(g) = || X' D(g) T ||_*      T = theta (n x C), the residual at the gated optimum; the dual norm of the groups:
 *              Frobenius (joint), largest column (per-output), spectral (nuclear)            PRICING.md 1.2
 *
 * A gate with price > beta lowers the optimum. Along the circle cos t g + sin t p every row changes its side at two known
 * angles; with angle bins of +-x_k theta_k' and a prefix sum the prices of 256 gates of the circle are known after one
 * pass over the rows and ONE Allreduce of 129 d C numbers per search (circle.h); all searches of a round share it, in batches
 * where that would be more than 64 MB. The best of the 256 is priced once more by its mask, and accepted if it is better.
 * The plane of the next circle is g's with, in turn, a Gaussian direction, a row of X, and the direction that would turn over
 * the rows near the boundary of g which lower its price.
 * Gates are real ones: the mask of a gate that is returned has exactly the price that is returned.
 */
#ifndef HS_MPI_PRICING_GATED_PRICE_H
#define HS_MPI_PRICING_GATED_PRICE_H

#include <stdint.h>

#include "group/group.h"
#include "mpi/comm/reduce.h"
#include "mpi/data/shard.h"

/* Largest cosine of the angle between two gates that are kept (18 degrees). Searches end next to each other where the price
 * is highest, and gates that hardly differ do one gate's work: measured (n = 1000, d = 6, 8 rounds of 16 gates), the
 * objective went from 40.5 to 27.1 without a limit, to 25.7, 25.3, 25.3 with 0.99, 0.95, 0.85. */
#define HS_GATES_APART 0.95

typedef struct hs_gate_search {
  int64_t searches;    /* starts, each followed along `circles` circles */
  int circles;         /* 0: 30 */
  int64_t seed, round; /* what directions are made from */
  double above;        /* keep gates with a price above this, beta */
  int keep;            /* at most so many, of different masks and apart, the best first; >= 0 */
} hs_gate_search_t;

typedef struct hs_gate_prices {
  int count, d;
  double *G;       /* count x d, unit rows, prices descending; owned */
  double *price;   /* count; owned */
  double best;     /* largest price seen */
  int64_t circles; /* that were searched, over all searches: each 129 d C numbers of the Allreduce */
} hs_gate_prices_t;

/* theta: rows x C on this rank. The same gates, to rounding, on any number of ranks. *prices is cleared on failure.
 * Collective. */
hs_status_t hs_gated_price(MPI_Comm comm, const hs_shard_t *shard, hs_groups_t groups, const double *theta,
                           const hs_gate_search_t *search, hs_gate_prices_t *prices, hs_traffic_t *traffic);
void hs_gate_prices_free(hs_gate_prices_t *prices);

#endif
