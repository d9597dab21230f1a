/* info_rounds.c: what `halfspace info` says of the rounds that searched for gates. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/info_parts.h"

void hs_info_print_rounds(const hs_run_rounds_t *rounds)
{
  if (rounds->count == 0) return;
  const hs_gate_round_t *first = &rounds->round[0], *last = &rounds->round[rounds->count - 1];
  int64_t added = 0;
  double price = NAN;
  for (int64_t k = 0; k < rounds->count; k++) {
    added += rounds->round[k].added;
    if (isfinite(rounds->round[k].best_price)) price = rounds->round[k].best_price;
  }
  printf("rounds    %" PRId64 ", gates searched by the %s price: %" PRId64 " added to %" PRId64 ", %" PRId64
         " of %" PRId64 " on at the end\n",
         rounds->count, rounds->price, added, first->gates, last->active, last->gates);
  printf("          objective %.9g -> %.9g", first->objective, last->objective);
  if (isfinite(price)) printf("; best price at the last search %.4g beta", price);
  printf("\n");
}

void hs_info_json_rounds(hs_json_t *json, const hs_run_rounds_t *rounds)
{
  if (rounds->count == 0) return;
  hs_json_open(json, "gate_rounds", '{');
  hs_json_text(json, "price", rounds->price);
  hs_json_open(json, "rounds", '[');
  for (int64_t k = 0; k < rounds->count; k++) {
    const hs_gate_round_t *round = &rounds->round[k];
    hs_json_open(json, NULL, '{');
    hs_json_int(json, "round", round->round);
    hs_json_int(json, "gates", round->gates);
    hs_json_int(json, "active", round->active);
    hs_json_int(json, "added", round->added);
    hs_json_int(json, "iteration", round->iteration);
    hs_json_double(json, "best_price", round->best_price);
    hs_json_double(json, "objective", round->objective);
    hs_json_double(json, "dual", round->dual);
    hs_json_double(json, "seconds", round->seconds);
    hs_json_close(json);
  }
  hs_json_close(json);
  hs_json_close(json);
}
