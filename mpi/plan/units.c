#include "mpi/plan/units.h"

#include <math.h>
#include <stdio.h>

/* Three digits: 1.23, 12.3, 123. */
static const char *write(double value, const char *unit, char text[HS_UNIT_TEXT])
{
  int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  snprintf(text, HS_UNIT_TEXT, "%.*f %s", decimals, value, unit);
  return text;
}

static const char *plain(const char *word, char text[HS_UNIT_TEXT])
{
  snprintf(text, HS_UNIT_TEXT, "%s", word);
  return text;
}

/* The first unit in which the value stays below 1000, the last one at most. */
static const char *scale(double value, const char *const *units, int count, char text[HS_UNIT_TEXT])
{
  if (isnan(value)) return plain("-", text);
  if (value == 0) return plain("0", text);
  int i = 0;
  for (; i + 1 < count && value >= 999.5; i++) value /= 1000;
  return write(value, units[i], text);
}

const char *hs_quantity_bytes(double bytes, char text[HS_UNIT_TEXT])
{
  static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  return scale(bytes, units, 6, text);
}

const char *hs_quantity_flops(double flops, char text[HS_UNIT_TEXT])
{
  static const char *const units[] = {"F", "kF", "MF", "GF", "TF", "PF", "EF"};
  return scale(flops, units, 7, text);
}

const char *hs_quantity_seconds(double seconds, char text[HS_UNIT_TEXT])
{
  static const char *const units[] = {"us", "ms", "s"};
  if (isnan(seconds) || seconds < 60) return scale(1e6 * seconds, units, 3, text);
  if (seconds < 3600) return write(seconds / 60, "min", text);
  return seconds < 86400 ? write(seconds / 3600, "h", text) : write(seconds / 86400, "days", text);
}
