#include "io/report/page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Text as HTML shows it literally. */
static void put_text(FILE *page, const char *text)
{
  for (; *text != '\0'; text++) switch (*text) {
    case '<':
      fputs("&lt;", page);
      break;
    case '>':
      fputs("&gt;", page);
      break;
    case '&':
      fputs("&amp;", page);
      break;
    case '"':
      fputs("&quot;", page);
      break;
    default:
      fputc(*text, page);
    }
}

static void put_number(FILE *page, int digits, double value)
{
  fputs("<td class=\"n\">", page);
  if (isfinite(value)) fprintf(page, "%.*g", digits, value);
  fputs("</td>", page);
}

static void put_count(FILE *page, int64_t value)
{
  fputs("<td class=\"n\">", page);
  if (value >= 0) fprintf(page, "%" PRId64, value);
  fputs("</td>", page);
}

static void put_row(FILE *page, const hs_report_run_t *run)
{
  const hs_run_summary_t *summary = &run->summary;
  const hs_history_row_t *last = &run->history[run->rows - 1];
  const hs_run_facts_t *facts = &summary->facts;
  fputs("<tr><td>", page);
  put_text(page, run->label);
  fputs("</td><td>", page);
  put_text(page, summary->stop);
  fputs("</td>", page);
  put_count(page, last->iteration);
  put_number(page, 4, last->seconds);
  put_number(page, 9, last->primal);
  put_number(page, 9, last->dual);
  put_number(page, 3, last->relative_gap);
  put_count(page, last->active_groups);
  put_count(page, facts->gates);
  put_number(page, 4, facts->beta);
  put_number(page, 4, facts->beta / facts->beta_max);
  put_number(page, 6, facts->rows > 0 ? summary->loss / (double)facts->rows : NAN);
  put_count(page, summary->provenance.ranks);
  fputs("</tr>\n", page);
}

static void put_bounds(FILE *page, int count, const hs_report_run_t *runs)
{
  int total = 0;
  for (int i = 0; i < count; i++) total += runs[i].summary.bounds;
  if (total == 0) return;
  fputs("<h2>Bounds</h2>\n<table><tr><th>run</th><th>bound</th><th>value</th><th>kind</th><th>of "
        "what</th></tr>\n",
        page);
  for (int i = 0; i < count; i++)
    for (int b = 0; b < runs[i].summary.bounds; b++) {
      const hs_run_bound_t *bound = &runs[i].summary.bound[b];
      const char *texts[] = {runs[i].label, bound->name, NULL, bound->kind, bound->about};
      fputs("<tr>", page);
      for (int t = 0; t < 5; t++) {
        if (texts[t] == NULL) {
          put_number(page, 9, bound->value);
          continue;
        }
        fputs("<td>", page);
        put_text(page, texts[t]);
        fputs("</td>", page);
      }
      fputs("</tr>\n", page);
    }
  fputs("</table>\n", page);
}

static void put_settings(FILE *page, int count, const hs_report_run_t *runs)
{
  for (int i = 0; i < count; i++) {
    fputs("<details><summary>Settings of ", page);
    put_text(page, runs[i].label);
    fputs("</summary><pre>", page);
    put_text(page, runs[i].summary.config);
    fputs("</pre></details>\n", page);
  }
}

/* The picture without what precedes its <svg> element, which has no place inside a page. */
static bool put_picture(FILE *page, FILE *svg)
{
  char line[4096];
  bool inside = false;
  rewind(svg);
  while (fgets(line, sizeof line, svg) != NULL) {
    const char *begin = inside ? line : strstr(line, "<svg");
    inside = inside || begin != NULL;
    if (inside) fputs(begin, page);
  }
  return inside && !ferror(svg);
}

bool hs_page_write(FILE *page, int count, const hs_report_run_t *runs, FILE *svg)
{
  fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>halfspace: ", page);
  put_text(page, runs[0].label);
  fputs("</title>\n<style>body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1240px;margin:2em "
        "auto;padding:0 1em}"
        "svg{width:100%;height:auto}table{border-collapse:collapse;margin:1em 0}"
        "th,td{padding:.35em .7em;border-bottom:1px solid #ddd;text-align:left}"
        "td.n{text-align:right;font-variant-numeric:tabular-nums}pre{background:#f6f6f6;padding:1em}"
        ".wide{overflow-x:auto}</style></head><body>\n<h1>halfspace report</h1>\n",
        page);
  bool good = put_picture(page, svg);
  fputs("\n<div class=\"wide\"><table><tr><th>run</th><th>stop</th><th>iterations</th><th>seconds</th>"
        "<th>primal</th><th>dual</th><th>relative gap</th><th>active groups</th><th>gates</th><th>beta</th>"
        "<th>beta / beta_max</th><th>mean loss</th><th>ranks</th></tr>\n",
        page);
  for (int i = 0; i < count; i++) put_row(page, &runs[i]);
  fputs("</table></div>\n", page);
  put_bounds(page, count, runs);
  put_settings(page, count, runs);
  fputs("</body></html>\n", page);
  return good && !ferror(page);
}
