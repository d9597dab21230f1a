#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char recorded[HS_ERROR_LENGTH];

hs_status_t hs_fail(hs_status_t code, const char *file, const char *where, const char *format, ...)
{
  if (recorded[0] != '\0') return code;
  char what[HS_ERROR_LENGTH];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  snprintf(recorded, sizeof recorded, "%.400s%s%.200s%s%.400s", file != NULL ? file : "",
           file != NULL ? ": " : "", where != NULL ? where : "", where != NULL ? ": " : "", what);
  return code;
}

const char *hs_error_message(void)
{
  return recorded;
}

void hs_error_set(const char *message)
{
  snprintf(recorded, sizeof recorded, "%s", message);
}

void hs_error_clear(void)
{
  recorded[0] = '\0';
}

const char *hs_status_text(hs_status_t code)
{
  switch (code) {
  case HS_OK:
    return "success";
  case HS_BAD_USAGE:
    return "bad command line or settings";
  case HS_BAD_DATA:
    return "bad data or file";
  case HS_BUDGET:
    return "stopped at a budget, results saved";
  case HS_NUMERICAL:
    return "numerical failure";
  case HS_IO:
    return "input or output failed";
  case HS_NO_MEMORY:
    return "out of memory";
  case HS_STALLED:
    return "a rank or the network does not answer";
  case HS_INTERRUPTED:
    return "interrupted by a signal, checkpoint saved";
  }
  return "unknown status";
}
