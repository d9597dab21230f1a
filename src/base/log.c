#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int this_rank;
static bool silent;
static bool line_open; /* a live line stands on the terminal and must be erased first */

void hs_log_open(int rank, bool quiet)
{
  this_rank = rank;
  silent = quiet;
}

static void erase_live_line(void)
{
  if (line_open) fputs("\r\033[K", stderr);
  line_open = false;
}

void hs_log(const char *format, ...)
{
  if (this_rank != 0 || silent) return;
  erase_live_line();
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  fflush(stderr);
}

void hs_warn(const char *format, ...)
{
  if (this_rank != 0) return;
  erase_live_line();
  fputs("halfspace: warning: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  fflush(stderr);
}

bool hs_log_is_live(void)
{
  return this_rank == 0 && !silent && isatty(STDERR_FILENO) == 1;
}

void hs_log_live(const char *format, ...)
{
  if (!hs_log_is_live()) return;
  erase_live_line();
  if (format == NULL) return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fflush(stderr);
  line_open = true;
}
