#include "io/report/path_plot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "io/report/style.h"

typedef struct plot {
  FILE *script;
  hs_canvas_t canvas;
  const hs_run_path_t *path;
  double tolerance;
  double rows; /* of the training; NAN: not known */
} plot_t;

/* Columns: beta / beta_max, score, its error, objective, bound, groups, gap, iterations, mean losses of training and
 * validation. */
static void put_data(const plot_t *plot)
{
  FILE *script = plot->script;
  fputs("$path << END_OF_PATH\n", script);
  for (int64_t k = 0; k < plot->path->count; k++) {
    const hs_path_point_t *point = &plot->path->point[k];
    fprintf(script, "%.9g", point->beta_relative);
    hs_put_value(script, point->validation_score, false);
    hs_put_value(script, point->validation_error, false);
    hs_put_value(script, point->primal, false);
    hs_put_value(script, point->dual, false);
    fprintf(script, " %" PRId64, point->active_groups);
    hs_put_value(script, point->relative_gap, true);
    fprintf(script, " %" PRId64, point->iterations);
    hs_put_value(script, point->train_loss / plot->rows, false);
    hs_put_value(script, point->validation_loss / (double)plot->path->validation_rows, false);
    fputc('\n', script);
  }
  fputs("END_OF_PATH\n", script);
}

/* Over beta, with a line where the chosen point is. */
static void begin_panel(const plot_t *plot, int column, int row, const char *title)
{
  const hs_run_path_t *path = plot->path;
  hs_range_t range = {path->point[path->count - 1].beta_relative, path->point[0].beta_relative};
  hs_canvas_panel(&plot->canvas, column, row, title);
  hs_put_decades(plot->script, "x", range);
  double room = pow(range.high / range.low, 0.02);
  fprintf(plot->script, "set xrange [%.9g:%.9g] \nset xlabel 'beta / beta_max' noenhanced\n",
          range.low / room, range.high * room);
  if (path->chosen >= 0)
    fprintf(plot->script,
            "set arrow 1 from %.9g, graph 0 to %.9g, graph 1 nohead back linewidth 1.5 " HS_DOTTED
            " linecolor rgb '" HS_FAINT "'\n",
            path->point[path->chosen].beta_relative, path->point[path->chosen].beta_relative);
}

static void end_panel(const plot_t *plot)
{
  fputs("unset arrow 1\n", plot->script);
}

static void score_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  const hs_run_path_t *path = plot->path;
  bool accuracy = strcmp(path->score, "accuracy") == 0;
  hs_range_t range = hs_range_nothing;
  for (int64_t k = path->count > 1; k < path->count; k++) { /* the zero model would flatten the others */
    hs_range_include(&range, path->point[k].validation_score + path->point[k].validation_error);
    hs_range_include(&range, path->point[k].validation_score - path->point[k].validation_error);
  }
  begin_panel(plot, 0, 0, accuracy ? "Accuracy on the validation rows" : "R2 on the validation rows");
  hs_put_range(script, "y", range);
  fputs("set key bottom left\n", script);
  fprintf(script,
          "plot $path using 1:($2-$3):($2+$3) with filledcurves fillcolor rgb '%s' fillstyle transparent "
          "solid 0.15 "
          "noborder title 'standard error', $path using 1:2 with linespoints pointtype 7 pointsize 0.5 "
          "linewidth 2 "
          "linecolor rgb '%s' title '%s'",
          hs_colours[0], hs_colours[0], accuracy ? "accuracy" : "R2");
  if (path->chosen >= 0)
    fprintf(script,
            ", '+' using (%.9g):(%.9g) every ::0::0 with points pointtype 6 pointsize 1.6 linewidth 2 "
            "linecolor rgb "
            "'%s' title 'chosen'",
            path->point[path->chosen].beta_relative, path->point[path->chosen].validation_score,
            hs_colours[1]);
  fputc('\n', script);
  end_panel(plot);
}

static void loss_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  hs_range_t range = hs_range_nothing;
  for (int64_t k = 0; k < plot->path->count; k++) {
    hs_range_include(&range, plot->path->point[k].train_loss / plot->rows);
    hs_range_include(&range, plot->path->point[k].validation_loss / (double)plot->path->validation_rows);
  }
  begin_panel(plot, 1, 0, "Mean loss of a row");
  hs_put_range(script, "y", range);
  fprintf(script,
          "set key top right\nplot $path using 1:9 with lines linewidth 2 linecolor rgb '%s' title "
          "'training', $path "
          "using 1:10 with lines linewidth 2 linecolor rgb '%s' title 'validation'\n",
          hs_colours[0], hs_colours[1]);
  end_panel(plot);
}

static void groups_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  hs_range_t groups = {0, 1}, objective = hs_range_nothing;
  for (int64_t k = 0; k < plot->path->count; k++) {
    hs_range_include(&groups, (double)plot->path->point[k].active_groups);
    hs_range_include(&objective, plot->path->point[k].primal);
    hs_range_include(&objective, plot->path->point[k].dual);
  }
  begin_panel(plot, 0, 1, "Active groups and objective");
  hs_put_from_zero(script, "y", groups.high, 0.24);
  fputs("set ylabel 'active groups'\nset border 11\n", script);
  objective.high += 0.3 * (objective.high - objective.low);
  hs_put_range(script, "y2", objective);
  fputs("set y2tics " HS_TICS "\n", script);
  fprintf(script,
          "set key top right\nplot $path using 1:6 with steps linewidth 2 linecolor rgb '%s' title 'active "
          "groups', "
          "$path using 1:4 axes x1y2 with lines linewidth 2 " HS_DASHED
          " linecolor rgb '%s' title 'objective (right)'\n",
          hs_colours[0], hs_colours[1]);
  end_panel(plot);
}

static void gap_panel(const plot_t *plot)
{
  FILE *script = plot->script;
  hs_range_t gaps = hs_range_nothing;
  double most = 1;
  hs_range_include(&gaps, plot->tolerance);
  for (int64_t k = 0; k < plot->path->count; k++) {
    if (plot->path->point[k].relative_gap > 0) hs_range_include(&gaps, plot->path->point[k].relative_gap);
    most = fmax(most, (double)plot->path->point[k].iterations);
  }
  gaps = hs_range_decades(gaps);
  begin_panel(plot, 1, 1, "Certified gap and iterations of each point");
  hs_put_decades(script, "y", (hs_range_t){gaps.low / 10, 10 * gaps.high});
  fputs("set ylabel 'relative gap'\nset border 11\nset y2label 'iterations'\n", script);
  hs_put_from_zero(script, "y2", 2 * most, 0);
  fputs("set y2tics " HS_TICS "\n", script);
  fprintf(
      script,
      "set key top left\nplot $path using 1:8 axes x1y2 with impulses linewidth 3 linecolor rgb '#CCCCCC' "
      "title "
      "'iterations (right)', $path using 1:7 with points pointtype 7 pointsize 0.6 linecolor rgb '%s' title "
      "'gap'",
      hs_colours[0]);
  if (isfinite(plot->tolerance))
    fprintf(script,
            ", %.9g with lines linewidth 1.5 " HS_DOTTED " linecolor rgb '" HS_FAINT "' title 'goal %g'",
            plot->tolerance, plot->tolerance);
  fputc('\n', script);
  end_panel(plot);
}

static void heading(const plot_t *plot, const char *label, char *text, size_t size)
{
  const hs_run_path_t *path = plot->path;
  char beta[32] = "", score[32] = "";
  if (path->chosen < 0) {
    snprintf(text, size, "%s: %" PRId64 " of %" PRId64 " points of a path", label, path->count, path->wanted);
    return;
  }
  hs_text_number(path->point[path->chosen].beta_relative, 3, beta);
  hs_text_number(path->point[path->chosen].validation_score, 4, score);
  snprintf(text, size, "%s: %" PRId64 " of %" PRId64 " points; chosen: beta %s of beta_max, %s %s", label,
           path->count, path->wanted, beta, strcmp(path->score, "accuracy") == 0 ? "accuracy" : "R2", score);
}

void hs_path_plot_write(FILE *script, const hs_run_path_t *path, const char *label, double tolerance,
                        int64_t rows, hs_report_kind_t kind, const char *output)
{
  plot_t plot = {
      .script = script, .path = path, .tolerance = tolerance, .rows = rows > 0 ? (double)rows : NAN};
  char text[512];
  heading(&plot, label, text, sizeof text);
  put_data(&plot);
  plot.canvas = hs_canvas_begin(script, kind, output, 0, text);
  score_panel(&plot);
  loss_panel(&plot);
  groups_panel(&plot);
  gap_panel(&plot);
  hs_canvas_end(&plot.canvas);
}
