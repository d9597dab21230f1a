#include "io/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/report/gnuplot.h"
#include "io/report/page.h"
#include "io/report/plot.h"
#include "settings/settings.h"

bool hs_report_kind(const char *path, hs_report_kind_t *kind)
{
  static const char *const endings[] = {".svg", ".png", ".html"};
  size_t length = strlen(path);
  for (int i = 0; i < 3; i++) {
    size_t ending = strlen(endings[i]);
    if (length <= ending || strcmp(path + length - ending, endings[i]) != 0) continue;
    *kind = (hs_report_kind_t)i;
    return true;
  }
  return false;
}

/* The goal of a run, from its settings; those of another version may not parse. */
static double tolerance_of(const char *path, const char *config)
{
  hs_settings_t *settings = hs_alloc(1, sizeof *settings, "settings of the run");
  if (settings == NULL) return NAN;
  hs_settings_default(settings);
  bool told_before = hs_error_message()[0] != '\0';
  double tolerance = hs_settings_parse(settings, path, config) == HS_OK ? settings->solver.tolerance : NAN;
  if (!told_before) hs_error_clear();
  hs_free(settings);
  return tolerance;
}

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static hs_status_t read_run(const char *path, hs_report_run_t *run)
{
  hs_status_t status = hs_run_read_summary(path, &run->summary);
  if (status == HS_OK) status = hs_run_read_history(path, &run->rows, &run->history);
  if (status == HS_OK && run->rows == 0)
    status = hs_fail(HS_BAD_DATA, path, NULL, "has no iteration yet: there is nothing to draw");
  if (status == HS_OK) run->tolerance = tolerance_of(path, run->summary.config);
  return status;
}

/* File names, or whole paths where two names are alike. */
static void label_runs(int count, const char *const *paths, hs_report_run_t *runs)
{
  bool alike = false;
  for (int i = 0; i < count; i++)
    for (int k = 0; k < i; k++) alike = alike || strcmp(last_part(paths[i]), last_part(paths[k])) == 0;
  for (int i = 0; i < count; i++) runs[i].label = alike ? paths[i] : last_part(paths[i]);
}

static hs_status_t draw(int count, const hs_report_run_t *runs, hs_report_kind_t kind, const char *picture,
                        const char *output)
{
  FILE *script = tmpfile();
  if (script == NULL)
    return hs_fail(HS_IO, output, NULL, "no room for a temporary file: %s", strerror(errno));
  hs_plot_write(script, count, runs, kind, picture);
  hs_status_t status = ferror(script) ? hs_fail(HS_IO, output, NULL, "no room for a temporary file")
                                      : hs_gnuplot_run(script, output);
  fclose(script);
  return status;
}

/* gnuplot does not look whether its picture arrived on the disk: a whole one has its closing mark. */
static bool is_whole(const char *picture, hs_report_kind_t kind)
{
  char end[33] = "";
  size_t count = 0;
  FILE *file = fopen(picture, "rb");
  if (file == NULL) return false;
  if (fseek(file, -32, SEEK_END) == 0) count = fread(end, 1, 32, file);
  fclose(file);
  const char *mark = kind == HS_REPORT_PNG ? "IEND" : "</svg>";
  return memmem(end, count, mark, strlen(mark)) != NULL;
}

/* Replace the SVG picture in the file `part` by a page that contains it. */
static bool wrap(int count, const hs_report_run_t *runs, const char *part)
{
  FILE *svg = fopen(part, "r");
  if (svg == NULL || unlink(part) != 0) {
    if (svg != NULL) fclose(svg);
    return false;
  }
  FILE *page = fopen(part, "w");
  bool good = page != NULL && hs_page_write(page, count, runs, svg);
  if (page != NULL) good = fclose(page) == 0 && good;
  fclose(svg);
  return good;
}

static hs_status_t write_output(int count, const hs_report_run_t *runs, hs_report_kind_t kind,
                                const char *part, const char *output)
{
  /* gnuplot says little about a file that cannot be made. */
  int probe = open(part, O_CREAT | O_WRONLY | O_TRUNC, 0666);
  if (probe < 0) return hs_fail(HS_IO, output, NULL, "cannot be written: %s", strerror(errno));
  close(probe);
  hs_report_kind_t drawn = kind == HS_REPORT_PNG ? HS_REPORT_PNG : HS_REPORT_SVG;
  hs_status_t status = draw(count, runs, drawn, part, output);
  if (status == HS_OK && !is_whole(part, drawn))
    status = hs_fail(HS_IO, output, NULL, "the picture did not arrive whole (disk full?)");
  bool good =
      status == HS_OK && (kind != HS_REPORT_HTML || wrap(count, runs, part)) && rename(part, output) == 0;
  if (good) return HS_OK;
  status = hs_fail(HS_IO, output, NULL, "cannot be written: %s", strerror(errno));
  unlink(part);
  return status;
}

hs_status_t hs_report_write(int count, const char *const *paths, const char *output, hs_report_kind_t kind)
{
  size_t size = strlen(output) + 32;
  hs_report_run_t *runs = hs_alloc((size_t)count, sizeof *runs, "runs");
  char *part = hs_alloc(size, 1, "file name");
  hs_status_t status = runs != NULL && part != NULL ? HS_OK : HS_NO_MEMORY;
  for (int i = 0; i < count && status == HS_OK; i++) status = read_run(paths[i], &runs[i]);
  if (status == HS_OK) {
    label_runs(count, paths, runs);
    snprintf(part, size, "%s.new.%ld", output, (long)getpid());
    status = write_output(count, runs, kind, part, output);
  }
  for (int i = 0; runs != NULL && i < count; i++) {
    hs_run_summary_clear(&runs[i].summary);
    hs_free(runs[i].history);
  }
  hs_free(runs);
  hs_free(part);
  return status;
}
