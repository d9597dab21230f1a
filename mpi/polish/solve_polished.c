#include "mpi/polish/solve_polished.h"

#include <math.h>
#include <string.h>

#include "mpi/comm/agree.h"

/* Between the iteration and the caller's observer. */
typedef struct relay {
  hs_observer_t *observer;
  void *context;
  double handover;
  bool asked; /* the caller has asked to stop, on this rank */
} relay_t;

double hs_polish_handover(double tolerance)
{
  return fmax(tolerance, HS_POLISH_HANDOVER);
}

double hs_polish_goal(double tolerance)
{
  return tolerance < HS_POLISH_AMBITION ? tolerance : HS_POLISH_TOLERANCE;
}

/* Ask for the end, which comes with a checkpoint after the next iteration, when the gap is good enough. */
static int relay(void *context, const hs_history_row_t *row)
{
  relay_t *self = context;
  int request = self->observer != NULL ? self->observer(self->context, row) : HS_GO_ON;
  self->asked = self->asked || (request & HS_STOP) != 0;
  return row->relative_gap <= self->handover ? request | HS_STOP : request;
}

/* The consensus iteration; *handed_over when the polish follows. Collective. */
static hs_status_t iterate(const hs_problem_t *problem, const hs_solve_options_t *options, int64_t met_at,
                           relay_t *self, hs_solution_t *solution, bool *handed_over)
{
  hs_solve_options_t inner = *options;
  inner.tolerance = hs_polish_goal(options->tolerance);
  if (met_at > 0 && met_at + 1 < inner.max_iterations) inner.max_iterations = met_at + 1;
  hs_status_t status = hs_solve(problem, &inner, relay, self, solution);
  int asked = self->asked;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &asked, 1, MPI_INT, MPI_MAX, problem->comm));
  *handed_over =
      status == HS_OK && !asked && (solution->stop == HS_STOP_SIGNAL || solution->stop == HS_STOP_ITERATIONS);
  return status;
}

/* Why a run with a polish is over. */
static hs_stop_t stop_of(const hs_solution_t *solution, const hs_polish_report_t *report,
                         const hs_solve_options_t *options)
{
  if (report->end == HS_POLISH_STOPPED) return HS_STOP_SIGNAL;
  if (solution->last.relative_gap <= options->tolerance) return HS_STOP_CONVERGED;
  if (report->end == HS_POLISH_SECONDS_USED) return HS_STOP_SECONDS;
  return HS_STOP_ITERATIONS;
}

/* Collective. */
static void polish(const hs_problem_t *problem, const hs_solve_options_t *options, relay_t *self,
                   hs_solution_t *solution, hs_polished_t *polished)
{
  hs_history_row_t *last = &solution->last;
  hs_certificate_t certificate = {.primal = last->primal, .loss = solution->loss, .dual = last->dual};
  hs_polish_options_t wanted = {.tolerance = hs_polish_goal(options->tolerance),
                                .max_steps = HS_POLISH_STEPS,
                                .observer = self->observer,
                                .context = self->context,
                                .last = *last};
  if (options->max_seconds > 0) wanted.max_seconds = fmax(1e-9, options->max_seconds - last->seconds);
  HS_MPI(MPI_Bcast(&wanted.max_seconds, 1, MPI_DOUBLE, 0, problem->comm));
  polished->begun = true;
  hs_polish(problem, &wanted, solution->u, &certificate, &polished->report);
  *last = polished->report.last;
  solution->loss = certificate.loss;
  solution->stop = stop_of(solution, &polished->report, options);
  /* Without a step there is no row of the polish: its bounds belong to the last one of the iteration. */
  if (polished->report.steps == 0 && self->observer != NULL) self->observer(self->context, last);
}

hs_status_t hs_solve_polished(const hs_problem_t *problem, const hs_solve_options_t *options, int64_t met_at,
                              hs_observer_t *observer, void *context, hs_solution_t *solution,
                              hs_polished_t *polished)
{
  relay_t self = {
      .observer = observer, .context = context, .handover = hs_polish_handover(options->tolerance)};
  bool handed_over;
  *polished = (hs_polished_t){0};
  hs_status_t status = iterate(problem, options, met_at, &self, solution, &handed_over);
  if (status != HS_OK) return status;
  polished->iterations = solution->last.iteration;
  polished->seconds = solution->last.seconds;
  if (!handed_over) return HS_OK;
  polish(problem, options, &self, solution, polished);
  polished->unfinished =
      solution->stop == HS_STOP_ITERATIONS && polished->iterations < options->max_iterations;
  return HS_OK;
}

bool hs_solution_combine(const hs_problem_t *problem, hs_solution_t *solution, const hs_solution_t *other)
{
  hs_history_row_t *last = &solution->last;
  double before = last->relative_gap;
  if (other->last.primal < last->primal) {
    memcpy(solution->u, other->u, (size_t)problem->weights * sizeof(double));
    solution->loss = other->loss;
    last->primal = other->last.primal;
  }
  last->dual = fmax(last->dual, other->last.dual);
  hs_certificate_t both = {.primal = last->primal, .dual = last->dual};
  last->gap = both.primal - both.dual;
  last->relative_gap = hs_certificate_relative_gap(&both);
  return last->relative_gap < before;
}
