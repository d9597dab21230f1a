#include "settings/yaml.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define DEEPEST 8

typedef struct reader {
  hs_yaml_visit_t visit;
  void *context;
  char key[HS_YAML_KEY];
  size_t length[DEEPEST + 1]; /* length[k]: of the dotted key of the k-th open mapping */
  int depth;                  /* open mappings */
  bool have_key;              /* the next event is the value of key */
  int skip;                   /* open collections inside one that was refused */
  int documents;
  bool stop;
} reader_t;

static void problem(reader_t *reader, int line, const char *what)
{
  reader->visit(reader->context, HS_YAML_PROBLEM, line, reader->key, what);
}

/* The value of a key has been dealt with: cut the key back to that of the open mapping. */
static void end_value(reader_t *reader)
{
  reader->have_key = false;
  reader->key[reader->depth > 0 ? reader->length[reader->depth] : 0] = '\0';
}

static void begin_mapping(reader_t *reader, int line)
{
  if (reader->depth > 0 && !reader->have_key) {
    problem(reader, line, "a mapping stands where a key belongs (write  key: value)");
    reader->stop = true;
    return;
  }
  if (reader->depth == DEEPEST) {
    problem(reader, line, "is nested too deeply (two levels, section and name)");
    reader->stop = true;
    return;
  }
  reader->length[++reader->depth] = strlen(reader->key);
  reader->have_key = false;
}

static void end_mapping(reader_t *reader)
{
  reader->depth--;
  end_value(reader);
}

static void read_key(reader_t *reader, int line, const char *text, size_t length)
{
  size_t base = reader->length[reader->depth];
  int written = snprintf(reader->key + base, sizeof reader->key - base, "%s%s", base > 0 ? "." : "", text);
  reader->have_key = true;
  if (strlen(text) != length || length == 0)
    problem(reader, line, "the key is empty or holds a zero byte (write  key: value)");
  if (written < 0 || (size_t)written >= sizeof reader->key - base) {
    reader->key[base] = '\0';
    problem(reader, line, "the key is too long to be one of ours");
    reader->stop = true;
  }
}

static void read_scalar(reader_t *reader, int line, const yaml_event_t *event)
{
  const char *text = (const char *)event->data.scalar.value;
  size_t length = event->data.scalar.length;
  bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  if (reader->depth == 0) {
    if (length > 0 || quoted) problem(reader, line, "there is a bare value (write  key: value)");
    return;
  }
  if (!reader->have_key) {
    read_key(reader, line, text, length);
    return;
  }
  bool none = !quoted && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
  if (strlen(text) != length)
    problem(reader, line, "holds a zero byte (give plain text)");
  else
    reader->visit(reader->context, HS_YAML_VALUE, line, reader->key, none ? "" : text);
  end_value(reader);
}

/* Lists and aliases have no meaning here. A refused list is skipped whole, so that later faults are found
 * too. */
static void refuse(reader_t *reader, int line, const char *what, bool collection)
{
  problem(reader, line, what);
  if (collection) reader->skip = 1;
  if (reader->depth > 0 && !reader->have_key) reader->stop = true;
  if (!collection) end_value(reader);
}

static void skip_event(reader_t *reader, yaml_event_type_t type)
{
  if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) reader->skip++;
  if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT) reader->skip--;
  if (reader->skip == 0) end_value(reader);
}

static void handle(reader_t *reader, const yaml_event_t *event)
{
  int line = (int)event->start_mark.line + 1;
  if (reader->skip > 0) {
    skip_event(reader, event->type);
    return;
  }
  switch (event->type) {
  case YAML_DOCUMENT_START_EVENT:
    if (++reader->documents == 1) return;
    problem(reader, line, "a second document begins (one per file)");
    reader->stop = true;
    return;
  case YAML_MAPPING_START_EVENT:
    begin_mapping(reader, line);
    return;
  case YAML_MAPPING_END_EVENT:
    end_mapping(reader);
    return;
  case YAML_SCALAR_EVENT:
    read_scalar(reader, line, event);
    return;
  case YAML_SEQUENCE_START_EVENT:
    refuse(reader, line, "a list stands where one value belongs (write  key: value)", true);
    return;
  case YAML_ALIAS_EVENT:
    refuse(reader, line, "an alias stands where a value belongs (write the value itself)", false);
    return;
  default:
    return;
  }
}

static void report_syntax(reader_t *reader, const yaml_parser_t *parser)
{
  char what[160];
  size_t line = parser->problem_mark.line > 0 ? parser->problem_mark.line : parser->mark.line;
  snprintf(what, sizeof what, "not YAML: %s", parser->problem != NULL ? parser->problem : "cannot be read");
  reader->key[0] = '\0';
  problem(reader, (int)line + 1, what);
}

hs_status_t hs_yaml_read(const char *text, hs_yaml_visit_t visit, void *context)
{
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) return hs_fail(HS_NO_MEMORY, NULL, "YAML parser", "no memory");
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
  reader_t reader = {.visit = visit, .context = context};
  hs_status_t status = HS_OK;
  bool end = false;
  while (!end && !reader.stop) {
    yaml_event_t event;
    if (yaml_parser_parse(&parser, &event) == 0) {
      if (parser.error == YAML_MEMORY_ERROR)
        status = hs_fail(HS_NO_MEMORY, NULL, "YAML parser", "no memory");
      else
        report_syntax(&reader, &parser);
      break;
    }
    end = event.type == YAML_STREAM_END_EVENT;
    handle(&reader, &event);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return status;
}
