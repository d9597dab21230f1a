/* record.h: how a ReLU network came about: every start that was tried, every round of column generation, and the bracket
 * on the global optimum that came out. What is printed, and what the run file keeps.
 */
#ifndef HS_NETWORK_RECORD_H
#define HS_NETWORK_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum hs_start_kind {
  HS_START_SIGN_MAP,     /* gated weights, one neuron for each rank-one part (mpi/network/sign_map.h) */
  HS_START_CONES,        /* cone decomposition with the gates' own directions (mpi/network/cone_map.h) */
  HS_START_MARGIN_CONES, /* the same with max-margin directions */
  HS_START_RANDOM_LBFGS, /* random neurons, then L-BFGS */
  HS_START_RANDOM_ADAM   /* random neurons, then Adam */
} hs_start_kind_t;

/* "sign map", ...; a kind that there is. */
const char *hs_start_name(int64_t kind);

/* Both records consist of 8-byte numbers alone: the run file takes an array of them for a matrix. Objectives are those of real networks: loss + beta sum |w_k| |a_k|. */
typedef struct hs_start_record {
  int64_t kind;   /* hs_start_kind_t */
  int64_t number; /* of random starts, from 1; 0 else */
  double start,
      end;         /* objective before and after the local method; end = NAN: it was not run on this start */
  int64_t neurons; /* of the start */
  int64_t left;    /* after the local method, those pruned left out */
  int64_t iterations; /* of the local method */
  double seconds;
} hs_start_record_t;

typedef struct hs_round_record {
  int64_t round, neurons; /* from 1 */
  double objective;       /* of the network */
  double lower;           /* estimated lower bound so far */
  double price;           /* largest price found, relative to beta */
  double seconds;         /* since column generation began */
} hs_round_record_t;

typedef struct hs_network_record {
  int starts, rounds;
  hs_start_record_t *start; /* owned */
  hs_round_record_t *round; /* owned */
  int chosen;               /* the start that column generation went on from; -1: none */
  char ended[64];           /* why column generation ended, "" without it */
} hs_network_record_t;

void hs_network_record_clear(hs_network_record_t *record);

/* Copies the row. HS_NO_MEMORY leaves the record as it was. */
hs_status_t hs_network_record_start(hs_network_record_t *record, const hs_start_record_t *row);
hs_status_t hs_network_record_round(hs_network_record_t *record, const hs_round_record_t *row);

#endif
