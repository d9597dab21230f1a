/* gate_round.h: what is told of one round of search for gates, on the screen and in the run file. */
#ifndef HS_MODEL_GATE_ROUND_H
#define HS_MODEL_GATE_ROUND_H

#include <stdint.h>

/* Numbers of 8 bytes alone: the run file takes an array of rounds for a matrix. */
typedef struct hs_gate_round {
  int64_t round;     /* from 0: the gates that were given */
  int64_t gates;     /* of the problem that was solved */
  int64_t active;    /* of them with weights that are not zero */
  int64_t added;     /* new gates that were found after it */
  int64_t iteration; /* the last one of it in the history */
  double best_price; /* of any gate found, relative to beta; NAN: none was searched for */
  double objective;  /* after this round; never above that of the round before */
  double dual;       /* lower bound over the gates of this round */
  double seconds;    /* solve and search */
} hs_gate_round_t;

#define HS_GATE_ROUND_FIELDS 9

#endif
