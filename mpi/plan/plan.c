#include "mpi/plan/plan.h"

#include <math.h>

#include "mpi/comm/agree.h"
#include "mpi/plan/print.h"
#include "mpi/plan/process.h"
#include "mpi/plan/rank_list.h"

/* Measure, forecast, print. Collective. */
static hs_status_t make(hs_plan_t *plan, MPI_Comm comm, const hs_source_t *source,
                        const hs_settings_t *settings, const hs_plan_options_t *options)
{
  hs_rank_list_t list;
  hs_status_t status = hs_rank_list_parse(&list, options->ranks, plan->size.rows);
  if (status != HS_OK) return status;
  hs_rates_request_t request = {.source = source,
                                .scaling = settings->data.scaling,
                                .least = hs_problem_share(&plan->size, list.ranks[list.count - 1]).rows,
                                .most = hs_problem_share(&plan->size, list.ranks[0]).rows,
                                .seconds = options->seconds,
                                .latency = options->latency,
                                .bandwidth = options->bandwidth};
  for (int i = 0; i < list.count; i++) request.kinds[hs_problem_kind(&plan->size, list.ranks[i])] = true;
  status = hs_rates_measure(&plan->rates, comm, &plan->size, &request);
  plan->footprint.libraries = fmax(0, hs_process_bytes() - plan->footprint.start);
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &plan->footprint, 2, MPI_DOUBLE, MPI_MAX, comm));
  if (status != HS_OK || hs_rank(comm) != 0) return status;
  hs_forecast_t forecasts[HS_RANK_LIST_MOST];
  for (int i = 0; i < list.count; i++)
    forecasts[i] = hs_forecast(&plan->size, &plan->rates, list.ranks[i], plan->footprint, options->reading);
  plan->count = list.count;
  plan->forecasts = forecasts;
  hs_plan_print(stdout, plan, options->json);
  return HS_OK;
}

hs_status_t hs_plan_run(MPI_Comm comm, const hs_settings_t *settings, const hs_plan_options_t *options)
{
  hs_plan_t plan = {.footprint.start = hs_process_bytes()};
  hs_source_t source = {0};
  bool opened = options->given.rows == 0 || options->given.features == 0;
  hs_status_t status = HS_OK;
  if (opened) {
    status =
        hs_source_open(&source, comm, settings->data.train, settings->data.features, settings->data.targets);
    plan.data = settings->data.train;
  }
  if (status == HS_OK)
    status = hs_problem_size_find(&plan.size, comm, settings, opened ? &source : NULL, &options->given);
  if (status == HS_OK) status = make(&plan, comm, opened ? &source : NULL, settings, options);
  if (opened) hs_source_close(&source);
  return hs_agree(comm, status);
}
