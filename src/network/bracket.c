#include "network/bracket.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

hs_bracket_t hs_bracket_none(void)
{
  return (hs_bracket_t){.gates_lower = NAN,
                        .network = NAN,
                        .estimated = NAN,
                        .price = NAN,
                        .proved = NAN,
                        .price_most = NAN,
                        .method = "",
                        .proof_seconds = NAN};
}

double hs_bracket_width(const hs_bracket_t *bracket, double lower)
{
  double width = (bracket->network - lower) / fabs(bracket->network);
  return width < 0 ? 0 : width;
}

void hs_bracket_about_network(const hs_bracket_t *bracket, char *text)
{
  snprintf(text, HS_BRACKET_TEXT,
           "objective of the ReLU network (%" PRId64
           " neurons), evaluated through a real ReLU: loss + beta sum |w_k| |a_k|, that is weight decay",
           bracket->neurons);
}

void hs_bracket_about_estimated(const hs_bracket_t *bracket, char *text)
{
  snprintf(text, HS_BRACKET_TEXT,
           "lower bound on the optimum over all ReLU networks if no neuron has a higher price than the best "
           "of %" PRId64 " searches (%.9g beta)",
           bracket->starts, bracket->price);
}

void hs_bracket_about_proved(const hs_bracket_t *bracket, char *text)
{
  snprintf(text, HS_BRACKET_TEXT,
           "lower bound on the optimum over all ReLU networks: %s, rank %d, price at most %.9g beta, %s",
           bracket->method, bracket->rank, bracket->price_most,
           bracket->finished                       ? "to its accuracy"
           : strcmp(bracket->method, "cones") == 0 ? "stopped before its accuracy"
                                                   : "the sharpest that is known for this rank");
}

static void print_row(const char *name, double value, const char *kind, double width, const char *about)
{
  char gap[32] = "";
  if (isnan(value)) return;
  if (isfinite(width)) snprintf(gap, sizeof gap, "%.2e", width);
  hs_log("  %-24s %16.9g  %-9s  %-9s %s", name, value, kind, gap, about);
}

void hs_bracket_print(const hs_bracket_t *bracket)
{
  char proof[128], searches[96], neurons[64], gates[96];
  bool is_cones = strcmp(bracket->method, "cones") == 0;
  snprintf(neurons, sizeof neurons, "a real network of %" PRId64 " neurons", bracket->neurons);
  snprintf(searches, sizeof searches, "%" PRId64 " searches, highest price %.7g beta", bracket->starts,
           bracket->price);
  snprintf(proof, sizeof proof, "%s%s, rank %d, price <= %.7g beta, %.1f s", bracket->method,
           bracket->finished ? "" : (is_cones ? " (out of time)" : " (nothing sharper for this rank)"),
           bracket->rank, bracket->price_most, bracket->proof_seconds);
  snprintf(gates, sizeof gates, "of the gated problem over %" PRId64 " gates, not of the network",
           bracket->gates);
  hs_log("bracket on the optimum over all ReLU networks (weight decay, any width):");
  hs_log("  %-24s %16s  %-9s  %-9s %s", "", "objective", "kind", "rel. gap", "by");
  print_row("network", bracket->network, "attained", NAN, neurons);
  print_row("global_lower_estimated", bracket->estimated, "estimated",
            hs_bracket_width(bracket, bracket->estimated), searches);
  print_row("global_lower", bracket->proved, "proved", hs_bracket_width(bracket, bracket->proved), proof);
  print_row("gates_lower", bracket->gates_lower, "proved", NAN, gates);
}
