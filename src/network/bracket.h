/* bracket.h: what is known about p*, the global optimum of the ReLU network's training problem, each number with its label.
 *
 *     global_lower <= p* <= network          and, only estimated,      global_lower_estimated <= p*
 *
 * p* is the least value of  loss + beta/2 (|W1|^2 + |W2|^2)  over networks of any width (mpi/network/relu_problem.h).
 * The gated optimum is no bound on it over a sample of gates, hence a line apart.                       DESIGN 5
 */
#ifndef HS_NETWORK_BRACKET_H
#define HS_NETWORK_BRACKET_H

#include <stdbool.h>
#include <stdint.h>

/* NAN: not known. */
typedef struct hs_bracket {
  double gates_lower; /* proved, of the gated problem over the gates in hand */
  int64_t gates;
  double network; /* attained by a real network */
  int64_t neurons;
  double estimated;  /* global_lower_estimated */
  int64_t starts;    /* searches behind it */
  double price;      /* largest price that they found, relative to beta */
  double proved;     /* global_lower */
  double price_most; /* upper bound on the price, relative to beta, behind it */
  const char *method;
  int rank;             /* of X */
  bool finished;        /* the proof reached its accuracy */
  int64_t nodes;        /* of the proof */
  double proof_seconds; /* that it took */
} hs_bracket_t;

/* Nothing known yet. */
hs_bracket_t hs_bracket_none(void);

/* (network - lower) / network; NAN when either is not known, 0 when they meet. */
double hs_bracket_width(const hs_bracket_t *bracket, double lower);

/* The texts that go with the bounds in files and tables, at most HS_BRACKET_TEXT characters. */
#define HS_BRACKET_TEXT 256
void hs_bracket_about_network(const hs_bracket_t *bracket, char *text);
void hs_bracket_about_estimated(const hs_bracket_t *bracket, char *text);
void hs_bracket_about_proved(const hs_bracket_t *bracket, char *text);

/* A readable table on the log. */
void hs_bracket_print(const hs_bracket_t *bracket);

#endif
