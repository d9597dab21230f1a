#include "io/report/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/report/gnuplot.h"

static hs_status_t draw(const hs_picture_t *picture, hs_report_kind_t kind, const char *part,
                        const char *output)
{
  FILE *script = tmpfile();
  if (script == NULL)
    return hs_fail(HS_IO, output, NULL, "no room for a temporary file: %s", strerror(errno));
  hs_status_t status = picture->script(script, picture->context, kind, part) ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK && (fflush(script) != 0 || ferror(script)))
    status = hs_fail(HS_IO, output, NULL, "no room for a temporary file");
  if (status == HS_OK) status = hs_gnuplot_run(script, output);
  fclose(script);
  return status;
}

/* gnuplot does not look whether its picture arrived on the disk: a whole one has its closing mark. */
static bool is_whole(const char *file_name, hs_report_kind_t kind)
{
  char end[33] = "";
  size_t count = 0;
  FILE *file = fopen(file_name, "rb");
  if (file == NULL) return false;
  if (fseek(file, -32, SEEK_END) == 0) count = fread(end, 1, 32, file);
  fclose(file);
  const char *mark = kind == HS_REPORT_PNG ? "IEND" : "</svg>";
  return memmem(end, count, mark, strlen(mark)) != NULL;
}

/* Replace the SVG picture in the file `part` by a page that contains it. */
static bool wrap(const hs_picture_t *picture, const char *part)
{
  FILE *svg = fopen(part, "r");
  if (svg == NULL || unlink(part) != 0) {
    if (svg != NULL) fclose(svg);
    return false;
  }
  FILE *page = fopen(part, "w");
  bool good = page != NULL && picture->page(page, picture->context, svg);
  if (page != NULL) good = fclose(page) == 0 && good;
  fclose(svg);
  return good;
}

static hs_status_t write_part(const hs_picture_t *picture, const char *part, const char *output,
                              hs_report_kind_t kind)
{
  /* gnuplot says little about a file that cannot be made. */
  int probe = open(part, O_CREAT | O_WRONLY | O_TRUNC, 0666);
  if (probe < 0) return hs_fail(HS_IO, output, NULL, "cannot be written: %s", strerror(errno));
  close(probe);
  hs_report_kind_t drawn = kind == HS_REPORT_PNG ? HS_REPORT_PNG : HS_REPORT_SVG;
  hs_status_t status = draw(picture, drawn, part, output);
  if (status == HS_OK && !is_whole(part, drawn))
    status = hs_fail(HS_IO, output, NULL, "the picture did not arrive whole (disk full?)");
  bool good = status == HS_OK && (kind != HS_REPORT_HTML || wrap(picture, part)) && rename(part, output) == 0;
  if (good) return HS_OK;
  if (status == HS_OK) status = hs_fail(HS_IO, output, NULL, "cannot be written: %s", strerror(errno));
  unlink(part);
  return status;
}

hs_status_t hs_picture_write(const hs_picture_t *picture, const char *output, hs_report_kind_t kind)
{
  size_t size = strlen(output) + 32;
  char *part = hs_alloc(size, 1, "file name");
  if (part == NULL) return HS_NO_MEMORY;
  snprintf(part, size, "%s.new.%ld", output, (long)getpid());
  hs_status_t status = write_part(picture, part, output, kind);
  hs_free(part);
  return status;
}
