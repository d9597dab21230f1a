#include "settings/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "settings/table.h"
#include "settings/yaml.h"

void hs_settings_default(hs_settings_t *settings)
{
  char what[HS_SETTING_WHAT];
  memset(settings, 0, sizeof *settings);
  for (int i = 0; i < hs_setting_count; i++)
    hs_setting_read(&hs_setting_table[i], hs_setting_table[i].initial, settings, what);
}

/* All faults of one file, a line each, told together. */
typedef struct parse {
  hs_settings_t *settings;
  const char *file;
  int first_line[HS_SETTINGS_MOST]; /* where a key was given, 0: not yet */
  char faults[HS_ERROR_LENGTH];
  int fault_count, untold;
} parse_t;

static void fault(parse_t *parse, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void fault(parse_t *parse, int line, const char *format, ...)
{
  char what[HS_SETTING_WHAT + HS_YAML_KEY];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  const size_t reserve = 32; /* for "and N more" */
  size_t used = strlen(parse->faults), room = sizeof parse->faults - used;
  int wanted = snprintf(NULL, 0, "\n%.300s: line %d: %s", parse->file, line, what);
  bool first = parse->fault_count++ == 0;
  if (!first && (size_t)wanted + reserve >= room) {
    parse->untold++;
    return;
  }
  snprintf(parse->faults + used, room, "%s%.300s: line %d: %s", first ? "" : "\n", parse->file, line, what);
}

/* "solver:" with nothing under it is an empty section, not a value. */
static bool is_section(const char *key)
{
  size_t length = strlen(key);
  for (int i = 0; i < hs_setting_count; i++)
    if (strncmp(hs_setting_table[i].key, key, length) == 0 && hs_setting_table[i].key[length] == '.')
      return true;
  return false;
}

static void describe_unknown(const char *key, char *what, size_t size)
{
  const char *near = hs_setting_nearest(key);
  if (near != NULL)
    snprintf(what, size, "unknown key '%s' (did you mean '%s'?)", key, near);
  else
    snprintf(what, size, "unknown key '%s' (halfspace train --help lists all keys)", key);
}

static void take_value(parse_t *parse, int line, const char *key, const char *text)
{
  char what[HS_SETTING_WHAT + HS_YAML_KEY];
  int row = hs_setting_find(key);
  if (row < 0 && is_section(key)) {
    if (text[0] != '\0')
      fault(parse, line, "%s = %.60s: is a section (write  %s: {name: value})", key, text, key);
    return;
  }
  if (row < 0) {
    describe_unknown(key, what, sizeof what);
    fault(parse, line, "%s", what);
    return;
  }
  if (parse->first_line[row] > 0) {
    fault(parse, line, "%s: is given twice (first on line %d)", key, parse->first_line[row]);
    return;
  }
  parse->first_line[row] = line;
  if (!hs_setting_read(&hs_setting_table[row], text, parse->settings, what))
    fault(parse, line, "%s = %.60s: %s", key, text, what);
}

static void visit(void *context, hs_yaml_event_t event, int line, const char *key, const char *text)
{
  parse_t *parse = context;
  if (event == HS_YAML_VALUE)
    take_value(parse, line, key, text);
  else
    fault(parse, line, "%s%s%s", key, key[0] != '\0' ? ": " : "", text);
}

hs_status_t hs_settings_parse(hs_settings_t *settings, const char *file, const char *text)
{
  /* Into a copy: faulty text leaves the settings as they were. */
  hs_settings_t copy = *settings;
  parse_t parse = {.settings = &copy, .file = file};
  hs_status_t status = hs_yaml_read(text, visit, &parse);
  if (status != HS_OK) return status;
  if (parse.fault_count == 0) {
    *settings = copy;
    return HS_OK;
  }
  size_t used = strlen(parse.faults);
  if (parse.untold > 0)
    snprintf(parse.faults + used, sizeof parse.faults - used, "\nand %d more", parse.untold);
  /* Longer than hs_fail would keep, so it is set whole; an earlier message stays, as it would there. */
  if (hs_error_message()[0] == '\0') hs_error_set(parse.faults);
  return HS_BAD_USAGE;
}

hs_status_t hs_settings_override(hs_settings_t *settings, const char *assignment)
{
  static const char *place = "command line";
  const char *equals = strchr(assignment, '=');
  char key[HS_YAML_KEY], what[HS_SETTING_WHAT + HS_YAML_KEY];
  size_t length = equals != NULL ? (size_t)(equals - assignment) : 0;
  if (length == 0 || length >= sizeof key)
    return hs_fail(HS_BAD_USAGE, place, NULL, "'%.100s': must be key=value (seed=2, for instance)",
                   assignment);
  memcpy(key, assignment, length);
  key[length] = '\0';
  int row = hs_setting_find(key);
  if (row < 0) {
    describe_unknown(key, what, sizeof what);
    return hs_fail(HS_BAD_USAGE, place, NULL, "%s", what);
  }
  hs_settings_t copy = *settings;
  if (!hs_setting_read(&hs_setting_table[row], equals + 1, &copy, what))
    return hs_fail(HS_BAD_USAGE, place, NULL, "%s = %.60s: %s", key, equals + 1, what);
  *settings = copy;
  return HS_OK;
}

/* A double-quoted YAML scalar. */
static void write_quoted(FILE *stream, const char *text)
{
  fputc('"', stream);
  for (const char *c = text; *c != '\0'; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte == '"' || byte == '\\')
      fprintf(stream, "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
      fprintf(stream, "\\x%02x", byte);
    else
      fputc(byte, stream);
  }
  fputc('"', stream);
}

static void write_yaml(FILE *stream, const hs_settings_t *settings)
{
  const char *section = "";
  size_t section_length = 0;
  for (int i = 0; i < hs_setting_count; i++) {
    const hs_setting_t *row = &hs_setting_table[i];
    const char *dot = strchr(row->key, '.');
    size_t length = dot != NULL ? (size_t)(dot - row->key) : 0;
    if (length != section_length || strncmp(row->key, section, length) != 0) {
      section = row->key;
      section_length = length;
      if (length > 0) fprintf(stream, "%.*s:\n", (int)length, section);
    }
    char text[HS_TEXT];
    hs_setting_write(row, settings, text);
    fprintf(stream, "%s%s: ", length > 0 ? "  " : "", dot != NULL ? dot + 1 : row->key);
    if (row->type == HS_SETTING_TEXT)
      write_quoted(stream, text);
    else
      fputs(text, stream);
    fputc('\n', stream);
  }
}

hs_status_t hs_settings_to_yaml(const hs_settings_t *settings, char **text)
{
  *text = NULL;
  char *buffer = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&buffer, &size);
  if (stream == NULL) return hs_fail(HS_NO_MEMORY, NULL, "settings as YAML", "no memory");
  write_yaml(stream, settings);
  bool good = ferror(stream) == 0;
  good = fclose(stream) == 0 && good;
  *text = good ? hs_alloc(size + 1, 1, "settings as YAML") : NULL;
  if (*text != NULL) memcpy(*text, buffer, size);
  free(buffer);
  return *text != NULL ? HS_OK : hs_fail(HS_NO_MEMORY, NULL, "settings as YAML", "no memory");
}

void hs_settings_help(FILE *stream)
{
  for (int i = 0; i < hs_setting_count; i++) {
    const hs_setting_t *row = &hs_setting_table[i];
    char range[256];
    hs_setting_range(row, range, sizeof range);
    fprintf(stream, "  %-26s %-9s %s", row->key, row->initial[0] != '\0' ? row->initial : "-", row->meaning);
    if (hs_setting_is_idle(row)) fputs(" (no effect in this version)", stream);
    if (row->type != HS_SETTING_TEXT && row->type != HS_SETTING_BOOL)
      fprintf(stream, "\n  %-26s %-9s   %s", "", "", range);
    fputc('\n', stream);
  }
}
