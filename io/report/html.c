#include "io/report/html.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "io/report/style.h"

void hs_html_text(FILE *page, const char *text)
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

/* Pictures are drawn on white. Turned to dark, hues stay what they are (nearly: that is what the turn by
 * half a circle is for), so that text and tables can go on speaking of colours. */
static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#222;--faint:#666;--paper:#fff;--line:#ddd;--box:#f5f5f5}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e4e4e4;--faint:#a0a0a0;--paper:#1a1a1a;--line:#3a3a3a;"
    "--box:#262626}\n"
    ".picture svg{filter:invert(.9) hue-rotate(180deg)}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1240px;"
    "margin:2em auto;padding:0 1em}\n"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:1.8em 0 .4em}p{color:var(--faint)}\n"
    ".picture svg{width:100%;height:auto;display:block}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse}\n"
    "th,td{padding:.35em .8em .35em 0;border-bottom:1px solid "
    "var(--line);text-align:left;vertical-align:top}\n"
    "th{color:var(--faint);font-weight:600}th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;"
    "white-space:nowrap}\n"
    "td{overflow-wrap:break-word;max-width:28em}td.name{white-space:nowrap;max-width:none}\n"
    "pre{background:var(--box);padding:1em;overflow-x:auto}summary{cursor:pointer}details{margin:.5em 0}\n"
    "</style>\n";

void hs_html_begin(FILE *page, const char *title)
{
  fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
        page);
  hs_html_text(page, title);
  fprintf(page, "</title>\n%s</head><body>\n<h1>", style);
  hs_html_text(page, title);
  fputs("</h1>\n", page);
}

/* gnuplot names itself and its curves in titles, which a browser shows wherever the mouse rests: without
 * them. */
static void put_without_titles(FILE *page, const char *line)
{
  const char *title = strstr(line, "<title>"), *end = title != NULL ? strstr(title, "</title>") : NULL;
  if (end == NULL) {
    fputs(line, page);
    return;
  }
  fwrite(line, 1, (size_t)(title - line), page);
  fputs(end + strlen("</title>"), page);
}

bool hs_html_picture(FILE *page, FILE *svg, const char *about)
{
  char line[4096];
  bool inside = false;
  rewind(svg);
  fputs("<div class=\"picture\" role=\"img\" aria-label=\"", page);
  hs_html_text(page, about);
  fputs("\">\n", page);
  while (fgets(line, sizeof line, svg) != NULL) {
    const char *begin = inside ? line : strstr(line, "<svg");
    inside = inside || begin != NULL;
    if (inside) put_without_titles(page, begin);
  }
  fputs("</div>\n", page);
  return inside && !ferror(svg);
}

void hs_html_table(FILE *page, const char *title, int columns, const char *const *names)
{
  if (title != NULL) {
    fputs("<h2>", page);
    hs_html_text(page, title);
    fputs("</h2>\n", page);
  }
  fputs("<div class=\"wide\"><table>\n<thead><tr>", page);
  for (int i = 0; i < columns; i++) {
    bool number = names[i][0] == '>';
    fputs(number ? "<th class=\"n\">" : "<th>", page);
    hs_html_text(page, names[i] + number);
    fputs("</th>", page);
  }
  fputs("</tr></thead>\n<tbody>", page);
}

void hs_html_row(FILE *page)
{
  fputs("\n<tr>", page);
}

void hs_html_cell(FILE *page, const char *text)
{
  fputs("<td>", page);
  hs_html_text(page, text);
  fputs("</td>", page);
}

void hs_html_name(FILE *page, const char *brief, const char *whole)
{
  fputs("<td class=\"name\" title=\"", page);
  hs_html_text(page, whole);
  fputs("\">", page);
  hs_html_text(page, brief);
  fputs("</td>", page);
}

void hs_html_number(FILE *page, double value, int digits)
{
  char text[32];
  hs_text_number(value, digits, text);
  fprintf(page, "<td class=\"n\">%s</td>", text);
}

void hs_html_count(FILE *page, int64_t value)
{
  fputs("<td class=\"n\">", page);
  if (value >= 0) fprintf(page, "%" PRId64, value);
  fputs("</td>", page);
}

void hs_html_bytes(FILE *page, double bytes)
{
  hs_unit_t unit = hs_unit_bytes(bytes);
  fputs("<td class=\"n\">", page);
  if (isfinite(bytes)) fprintf(page, "%.3g %s", bytes * unit.factor, unit.name);
  fputs("</td>", page);
}

void hs_html_row_end(FILE *page)
{
  fputs("</tr>", page);
}

void hs_html_table_end(FILE *page)
{
  fputs("\n</tbody></table></div>\n", page);
}

void hs_html_details(FILE *page, const char *title, const char *about, const char *text)
{
  fputs("<details><summary>", page);
  hs_html_text(page, title);
  fputs("</summary><p>", page);
  hs_html_text(page, about);
  fputs("</p><pre>", page);
  hs_html_text(page, text);
  fputs("</pre></details>\n", page);
}

void hs_html_end(FILE *page)
{
  fputs("</body></html>\n", page);
}
