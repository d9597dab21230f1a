#include "io/run/run_bracket.h"

#include <math.h>

hs_status_t hs_run_write_bracket(hs_run_t *run, const hs_bracket_t *bracket)
{
  char network[HS_BRACKET_TEXT], estimated[HS_BRACKET_TEXT], proved[HS_BRACKET_TEXT];
  hs_bracket_about_network(bracket, network);
  hs_bracket_about_estimated(bracket, estimated);
  hs_bracket_about_proved(bracket, proved);
  const struct {
    const char *name;
    double value;
    const char *kind, *about;
  } bounds[] = {{"gates_lower", bracket->gates_lower, "proved",
                 "lower bound on the gated training problem over the gates in hand"},
                {"network", bracket->network, "attained", network},
                {"global_lower_estimated", bracket->estimated, "estimated", estimated},
                {"global_lower", bracket->proved, "proved", proved}};
  hs_status_t status = HS_OK;
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds && status == HS_OK; i++)
    if (isfinite(bounds[i].value))
      status = hs_run_write_bound(run, bounds[i].name, bounds[i].value, bounds[i].kind, bounds[i].about);
  return status;
}
