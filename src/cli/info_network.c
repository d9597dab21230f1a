#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/info_parts.h"

static void print_start(const hs_start_record_t *start, bool chosen)
{
  char name[48], end[48] = "not searched";
  snprintf(name, sizeof name, "%s", hs_start_name(start->kind));
  if (start->number > 0)
    snprintf(name, sizeof name, "%s %" PRId64, hs_start_name(start->kind), start->number);
  if (isfinite(start->end)) snprintf(end, sizeof end, "-> %.9g", start->end);
  printf("          %-22s %.9g %s, %" PRId64 " neurons, %" PRId64 " iterations, %.4g s%s\n", name,
         start->start, end, start->left, start->iterations, start->seconds, chosen ? "  (chosen)" : "");
}

void hs_info_print_network(const hs_network_record_t *record)
{
  if (record->starts == 0) return;
  printf("network   objective = loss + beta sum |w_k| |a_k| (weight decay of balanced layers); starts and "
         "local methods:\n");
  for (int k = 0; k < record->starts; k++) print_start(&record->start[k], k == record->chosen);
  if (record->rounds == 0) return;
  const hs_round_record_t *last = &record->round[record->rounds - 1];
  printf("          %d rounds of column generation -> %.9g, %" PRId64 " neurons, %.4g s (%s)\n",
         record->rounds, last->objective, last->neurons, last->seconds, record->ended);
}

static void json_start(hs_json_t *json, const hs_start_record_t *start)
{
  hs_json_open(json, NULL, '{');
  hs_json_text(json, "kind", hs_start_name(start->kind));
  hs_json_int(json, "number", start->number);
  hs_json_double(json, "start", start->start);
  hs_json_double(json, "end", start->end);
  hs_json_int(json, "neurons", start->neurons);
  hs_json_int(json, "left", start->left);
  hs_json_int(json, "iterations", start->iterations);
  hs_json_double(json, "seconds", start->seconds);
  hs_json_close(json);
}

static void json_round(hs_json_t *json, const hs_round_record_t *round)
{
  hs_json_open(json, NULL, '{');
  hs_json_int(json, "round", round->round);
  hs_json_int(json, "neurons", round->neurons);
  hs_json_double(json, "objective", round->objective);
  hs_json_double(json, "lower", round->lower);
  hs_json_double(json, "price", round->price);
  hs_json_double(json, "seconds", round->seconds);
  hs_json_close(json);
}

void hs_info_json_network(hs_json_t *json, const hs_network_record_t *record)
{
  if (record->starts == 0) return;
  hs_json_open(json, "network", '{');
  hs_json_int(json, "chosen", record->chosen);
  hs_json_text(json, "ended", record->ended);
  hs_json_open(json, "starts", '[');
  for (int k = 0; k < record->starts; k++) json_start(json, &record->start[k]);
  hs_json_close(json);
  hs_json_open(json, "rounds", '[');
  for (int k = 0; k < record->rounds; k++) json_round(json, &record->round[k]);
  hs_json_close(json);
  hs_json_close(json);
}
