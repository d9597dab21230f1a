/* setup.h: what every kind of training begins with: data on all ranks, gates, and the convex problem over them. */
#ifndef HS_MPI_TRAIN_SETUP_H
#define HS_MPI_TRAIN_SETUP_H

#include <mpi.h>

#include "io/run/run_file.h"
#include "mpi/admm/problem.h"
#include "mpi/checkpoint/checkpoint.h"
#include "mpi/data/gate_set.h"
#include "mpi/data/shard.h"
#include "settings/settings.h"

/* May not be moved once it is made: the problem points into it. */
typedef struct hs_setup {
  MPI_Comm comm; /* borrowed */
  int rank;
  const hs_settings_t *settings; /* borrowed */
  hs_source_t source;
  hs_shard_t *shard; /* owned */
  hs_gate_set_t gates;
  int64_t gates_print; /* fingerprint of the gates that it began with */
  hs_problem_t problem;
  double held_out;     /* share of the rows of data.train */
  double load_seconds; /* reading and scaling the data */
} hs_setup_t;

/* Load data.train, or what is left of it when a share of its rows is held out (hold_out.h; 0: none); sample or read the
 * gates; find beta_max and beta. Test data are looked at, but not read. Whatever happened, hs_setup_free is to be called. Collective. */
hs_status_t hs_setup_create(hs_setup_t *setup, MPI_Comm comm, const hs_settings_t *settings, double held_out);
void hs_setup_free(hs_setup_t *setup);

/* Other gates in place of those in hand, and the problem over them, at the same beta. beta_max stays that of the first
 * gates, to which model.beta is relative.
 *   G  count x d, may not lie in setup->gates
 * Errors as of hs_gate_set_given. Collective. */
hs_status_t hs_setup_use_gates(hs_setup_t *setup, int64_t count, const double *G);

/* By what a checkpoint of this training is known again. Not collective. */
hs_identity_t hs_setup_identity(const hs_setup_t *setup);

/* What the run file tells of it before the first iteration. Not collective. */
hs_run_facts_t hs_setup_facts(const hs_setup_t *setup);

/* By what means its result was reached, for the run file.
 *   kind      x-update that was used    polished  was the result improved by mpi/polish?
 * Not collective. */
hs_run_method_t hs_setup_method(const hs_setup_t *setup, hs_x_kind_t kind, bool polished);

/* The lines of the banner before and after the one on the penalty. Rank 0; not collective. */
void hs_setup_print_problem(const hs_setup_t *setup, const hs_provenance_t *provenance);
void hs_setup_print_solver(const hs_setup_t *setup);

#endif
