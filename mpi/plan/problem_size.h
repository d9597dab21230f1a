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

typedef struct hs_share {
  int64_t rows, blocks;
} hs_share_t;

/* The largest share of any of `ranks` ranks, 1 <= ranks <= rows. */
hs_share_t hs_problem_share(const hs_problem_size_t *size, int ranks);

/* The share that an average rank has, rounded up. */
hs_share_t hs_problem_mean_share(const hs_problem_size_t *size, int ranks);

#endif
