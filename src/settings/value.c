/* value.c: one setting as text and as a member of the structure. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "settings/table.h"

#define MOST_CHOICES 16

/* Choices are stored through int: the enums of the structure must be as wide. */
_Static_assert(sizeof(hs_scaling_t) == sizeof(int) && sizeof(hs_loss_kind_t) == sizeof(int) &&
                   sizeof(hs_precision_t) == sizeof(int),
               "enums are ints");

int hs_setting_find(const char *key)
{
  for (int i = 0; i < hs_setting_count; i++)
    if (strcmp(hs_setting_table[i].key, key) == 0) return i;
  return -1;
}

static const char *last_part(const char *key)
{
  const char *dot = strrchr(key, '.');
  return dot != NULL ? dot + 1 : key;
}

const char *hs_setting_nearest(const char *key)
{
  const char *names[HS_SETTINGS_MOST] = {NULL};
  int count = hs_setting_count;
  for (int i = 0; i < count; i++) names[i] = hs_setting_table[i].key;
  const char *near = hs_nearest(key, names, count);
  if (near != NULL) return near;
  for (int i = 0; i < count; i++) names[i] = last_part(hs_setting_table[i].key);
  near = hs_nearest(last_part(key), names, count);
  for (int i = 0; near != NULL && i < count; i++)
    if (names[i] == near) return hs_setting_table[i].key;
  return NULL;
}

/* Cut "one|two|three" in place of a copy; returns the number of names. */
static int split_choices(const char *choices, char copy[256], const char *names[MOST_CHOICES])
{
  snprintf(copy, 256, "%s", choices);
  int count = 0;
  char *rest = NULL;
  for (char *name = strtok_r(copy, "|", &rest); name != NULL && count < MOST_CHOICES;
       name = strtok_r(NULL, "|", &rest))
    names[count++] = name;
  return count;
}

static void append(char *text, size_t size, const char *more)
{
  size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", more);
}

static void number_range(const hs_setting_t *row, char *text, size_t size)
{
  char low[32], high[32];
  hs_format_double(row->low, low, sizeof low);
  hs_format_double(row->high, high, sizeof high);
  if (row->high >= 2147483647.0)
    snprintf(text, size, "%s %s", row->above_low ? ">" : ">=", low);
  else
    snprintf(text, size, row->above_low ? "> %s, up to %s" : "%s to %s", low, high);
}

void hs_setting_range(const hs_setting_t *row, char *text, size_t size)
{
  char copy[256];
  const char *names[MOST_CHOICES];
  switch (row->type) {
  case HS_SETTING_BOOL:
    snprintf(text, size, "true or false");
    return;
  case HS_SETTING_INTEGER:
  case HS_SETTING_REAL:
    number_range(row, text, size);
    return;
  case HS_SETTING_TEXT:
    snprintf(text, size, "text");
    return;
  case HS_SETTING_CHOICE:
    break;
  }
  text[0] = '\0';
  int count = split_choices(row->choices, copy, names);
  for (int i = 0; i < count; i++) {
    if (i > 0) append(text, size, i + 1 < count ? ", " : " or ");
    append(text, size, names[i]);
  }
}

static bool judge_number(const hs_setting_t *row, double value, char what[HS_SETTING_WHAT])
{
  bool low_kept = row->above_low ? value > row->low : value >= row->low;
  if (isfinite(value) && low_kept && value <= row->high) return true;
  char range[64];
  hs_setting_range(row, range, sizeof range);
  snprintf(what, HS_SETTING_WHAT, "must be %s%s (%s is a good start)", isfinite(value) ? "" : "finite and ",
           range, row->initial);
  return false;
}

static bool judge_text(const hs_setting_t *row, const char *text, char what[HS_SETTING_WHAT])
{
  if ((double)strnlen(text, HS_TEXT) < row->low) {
    snprintf(what, HS_SETTING_WHAT, "must not be empty (the default is %s)", row->initial);
    return false;
  }
  if (strnlen(text, HS_TEXT) < HS_TEXT) return true;
  snprintf(what, HS_SETTING_WHAT, "must be at most %d bytes long", HS_TEXT - 1);
  return false;
}

bool hs_setting_judge(const hs_setting_t *row, const hs_settings_t *settings, char what[HS_SETTING_WHAT])
{
  const char *place = (const char *)settings + row->offset;
  int64_t integer;
  double real;
  switch (row->type) {
  case HS_SETTING_INTEGER:
    memcpy(&integer, place, sizeof integer);
    return judge_number(row, (double)integer, what);
  case HS_SETTING_REAL:
    memcpy(&real, place, sizeof real);
    return judge_number(row, real, what);
  case HS_SETTING_TEXT:
    return judge_text(row, place, what);
  case HS_SETTING_BOOL:
  case HS_SETTING_CHOICE:
    return true;
  }
  return false;
}

static bool read_bool(const char *text, void *place, char what[HS_SETTING_WHAT])
{
  bool yes = strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0;
  bool no = strcasecmp(text, "false") == 0 || strcasecmp(text, "no") == 0;
  if (yes || no) memcpy(place, &yes, sizeof yes);
  if (!yes && !no) snprintf(what, HS_SETTING_WHAT, "must be true or false");
  return yes || no;
}

static bool read_choice(const hs_setting_t *row, const char *text, void *place, char what[HS_SETTING_WHAT])
{
  char copy[256], range[200];
  const char *names[MOST_CHOICES];
  int count = split_choices(row->choices, copy, names);
  for (int i = 0; i < count; i++) {
    if (strcmp(text, names[i]) != 0) continue;
    memcpy(place, &i, sizeof i);
    return true;
  }
  const char *near = hs_nearest(text, names, count);
  hs_setting_range(row, range, sizeof range);
  snprintf(what, HS_SETTING_WHAT, "must be %s", range);
  if (near == NULL) return false;
  append(what, HS_SETTING_WHAT, " (did you mean ");
  append(what, HS_SETTING_WHAT, near);
  append(what, HS_SETTING_WHAT, "?)");
  return false;
}

static bool read_integer(const hs_setting_t *row, const char *text, void *place, char what[HS_SETTING_WHAT])
{
  int64_t value;
  if (!hs_parse_int64(text, &value)) {
    snprintf(what, HS_SETTING_WHAT, "must be a whole number (%s is a good start)", row->initial);
    return false;
  }
  memcpy(place, &value, sizeof value);
  return true;
}

static bool read_real(const hs_setting_t *row, const char *text, void *place, char what[HS_SETTING_WHAT])
{
  double value;
  if (!hs_parse_double(text, &value)) {
    snprintf(what, HS_SETTING_WHAT, "must be a number (%s is a good start)", row->initial);
    return false;
  }
  memcpy(place, &value, sizeof value);
  return true;
}

bool hs_setting_read(const hs_setting_t *row, const char *text, hs_settings_t *settings,
                     char what[HS_SETTING_WHAT])
{
  char *place = (char *)settings + row->offset;
  bool good = false;
  switch (row->type) {
  case HS_SETTING_BOOL:
    good = read_bool(text, place, what);
    break;
  case HS_SETTING_CHOICE:
    good = read_choice(row, text, place, what);
    break;
  case HS_SETTING_INTEGER:
    good = read_integer(row, text, place, what);
    break;
  case HS_SETTING_REAL:
    good = read_real(row, text, place, what);
    break;
  case HS_SETTING_TEXT:
    good = judge_text(row, text, what);
    if (good) snprintf(place, HS_TEXT, "%s", text);
    break;
  }
  return good && hs_setting_judge(row, settings, what);
}

void hs_setting_write(const hs_setting_t *row, const hs_settings_t *settings, char text[HS_TEXT])
{
  const char *place = (const char *)settings + row->offset;
  char copy[256];
  const char *names[MOST_CHOICES];
  bool yes;
  int choice;
  int64_t integer;
  double real;
  switch (row->type) {
  case HS_SETTING_BOOL:
    memcpy(&yes, place, sizeof yes);
    snprintf(text, HS_TEXT, "%s", yes ? "true" : "false");
    return;
  case HS_SETTING_CHOICE:
    memcpy(&choice, place, sizeof choice);
    bool known = choice >= 0 && choice < split_choices(row->choices, copy, names);
    snprintf(text, HS_TEXT, "%s", known ? names[choice] : "?");
    return;
  case HS_SETTING_INTEGER:
    memcpy(&integer, place, sizeof integer);
    snprintf(text, HS_TEXT, "%lld", (long long)integer);
    return;
  case HS_SETTING_REAL:
    memcpy(&real, place, sizeof real);
    hs_format_double(real, text, HS_TEXT);
    return;
  case HS_SETTING_TEXT:
    snprintf(text, HS_TEXT, "%s", place);
    return;
  }
}
