/* rehearsal.h: training on a few made-up rows of the real shape, timed part by part.
 *
 * Every rank rehearses by itself on rows of its own, all at the same moments, so that what they share (memory
 * bandwidth, caches, clock rates) shows; the slowest rank counts. The solver itself is run, so that whatever it does
 * in an iteration is in its time.
 */
#ifndef HS_MPI_PLAN_REHEARSAL_H
#define HS_MPI_PLAN_REHEARSAL_H

#include <mpi.h>

#include "mpi/plan/problem_size.h"

/* Seconds, on all rows of the rehearsal. */
typedef enum hs_stage {
  HS_STAGE_ADJOINT,   /* A' w */
  HS_STAGE_FORWARD,   /* A u, all gates on */
  HS_STAGE_SOLVES,    /* the inverses of all blocks applied */
  HS_STAGE_ITERATION, /* an iteration, without acceleration */
  HS_STAGE_ANDERSON,  /* acceleration of the rows, memory full */
  HS_STAGE_PREPARE,   /* gates, masks, tables, beta_max */
  HS_STAGE_FACTOR,    /* kernels and inverses of all blocks */
  HS_STAGE_KERNEL,    /* the kernel of one block, measured for rho */
  HS_STAGE_EXACT,     /* bounds recomputed in double; 0 in double precision */
  HS_STAGES
} hs_stage_t;

typedef struct hs_rehearsal {
  int64_t rows, blocks;
  double block_rows; /* that the seconds stand for */
  double seconds[HS_STAGES];
  double elapsed;     /* of the whole rehearsal, but for repeats */
  double repeats;     /* spent on more rounds than large numbers of rows would get */
  double small_bytes; /* payload of an iteration's reductions besides the gradient, without acceleration */
} hs_rehearsal_t;

/* Rehearse with `rows` rows a rank in blocks of about block_rows. Where that is more than there are rows, one block
 * stands for them, and what depends on its length is scaled. HS_NO_MEMORY, or a fault of the solver. Collective. */
hs_status_t hs_rehearse(hs_rehearsal_t *rehearsal, MPI_Comm comm, const hs_problem_size_t *size, int64_t rows,
                        int64_t block_rows);

#endif
