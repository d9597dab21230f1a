/* problem_size.h: how large a training problem is, and the part of it that one of many ranks gets.
 *
 * Numbers alone: nothing of the length n is held, so that problems can be planned that fit no machine at hand.
 */
#ifndef HS_MPI_PLAN_PROBLEM_SIZE_H
#define HS_MPI_PLAN_PROBLEM_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "group/group.h"
#include "loss/loss.h"
#include "mpi/data/shard.h"
#include "mpi/x_update/choose.h"

typedef struct hs_problem_size {
  int64_t rows, blocks; /* over all ranks */
  int features, d;      /* d = features + bias */
  int outputs, gates;   /* C and P */
  int memory;           /* of the acceleration, in steps */
  bool labels;          /* integer class labels are kept beside the targets */
  bool statistics;      /* scaling wants them: the features are read twice */
  hs_precision_t precision;
  hs_loss_t loss;
  hs_groups_t groups;
  hs_x_kind_t x_update; /* as set */
  bool blocks_given;    /* the rows of a block are set: automatic means block-kernel then */
  double
      machine_bytes; /* that the ranks of a node share; 0: an automatic choice leaves them no room but for blocks */
  int node_ranks; /* most ranks on a node */
} hs_problem_size_t;

/* Numbers given on the command line; 0: the data file tells. */
typedef struct hs_given_size {
  int64_t rows, features, outputs;
} hs_given_size_t;

/* The problem that training would solve with these settings.
 *   source  the open data file; NULL when there is none: rows and features are then given
 * HS_BAD_USAGE where numbers exceed what training can do. Collective over comm, for model.gates_from is read. */
hs_status_t hs_problem_size_find(hs_problem_size_t *size, MPI_Comm comm, const hs_settings_t *settings,
                                 const hs_source_t *source, const hs_given_size_t *given);

/* P d C. */
int64_t hs_problem_weights(const hs_problem_size_t *size);

/* The x-update of a solve on so many ranks, as hs_solve_choose takes it (mpi/admm/solve.h). */
hs_x_kind_t hs_problem_kind(const hs_problem_size_t *size, int ranks);

/* Is a squared loss reduced to P d rows (mpi/gram/reduction.h)? */
bool hs_problem_is_reduced(const hs_problem_size_t *size, hs_x_kind_t kind);

/* The shape that the cost of an x-update is modelled for. */
hs_x_shape_t hs_problem_shape(const hs_problem_size_t *size);

typedef struct hs_share {
  int64_t rows, blocks;
  int ranks;        /* that share the problem */
  hs_x_kind_t kind; /* of the x-update on them */
  int64_t reduced;  /* rows that are iterated on where the problem is reduced, else 0 */
} hs_share_t;

/* The largest share of any of `ranks` ranks, 1 <= ranks <= rows: that of the rank with most rows of data, and of the
 * one with most reduced rows. */
hs_share_t hs_problem_share(const hs_problem_size_t *size, int ranks);

/* The share that an average rank has, rounded up. */
hs_share_t hs_problem_mean_share(const hs_problem_size_t *size, int ranks);

#endif
