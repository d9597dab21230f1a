#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "base/text.h"

/* Number of bytes of the UTF-8 character at text, 0 if it is none. Overlong forms, surrogates and numbers
 * past U+10FFFF are none: readers refuse them. */
static int character_bytes(const unsigned char *text)
{
  unsigned char lead = text[0];
  if (lead < 0x80) return 1;
  int bytes = lead >= 0xc2 && lead < 0xe0   ? 2
              : lead >= 0xe0 && lead < 0xf0 ? 3
              : lead >= 0xf0 && lead < 0xf5 ? 4
                                            : 0;
  for (int i = 1; i < bytes; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  bool overlong = (lead == 0xe0 && text[1] < 0xa0) || (lead == 0xf0 && text[1] < 0x90);
  bool forbidden = (lead == 0xed && text[1] >= 0xa0) || (lead == 0xf4 && text[1] >= 0x90);
  return overlong || forbidden ? 0 : bytes;
}

static void write_character(FILE *stream, const unsigned char *text, int bytes)
{
  if (bytes == 0)
    fputs("\xef\xbf\xbd", stream);
  else if (text[0] == '"' || text[0] == '\\')
    fprintf(stream, "\\%c", text[0]);
  else if (text[0] < 0x20 || text[0] == 0x7f)
    fprintf(stream, "\\u%04x", text[0]);
  else
    fwrite(text, 1, (size_t)bytes, stream);
}

static void write_text(FILE *stream, const char *value)
{
  const unsigned char *text = (const unsigned char *)value;
  fputc('"', stream);
  while (*text != '\0') {
    int bytes = character_bytes(text);
    write_character(stream, text, bytes);
    text += bytes > 0 ? bytes : 1;
  }
  fputc('"', stream);
}

/* What stands between the last element and the value of the next one. */
static void begin_element(hs_json_t *json, const char *key)
{
  if (json->depth > 0) {
    bool *filled = &json->filled[json->depth - 1];
    fprintf(json->stream, "%s\n%*s", *filled ? "," : "", 2 * json->depth, "");
    *filled = true;
  }
  if (key == NULL) return;
  write_text(json->stream, key);
  fputs(": ", json->stream);
}

hs_json_t hs_json_start(FILE *stream)
{
  return (hs_json_t){.stream = stream};
}

void hs_json_open(hs_json_t *json, const char *key, char kind)
{
  assert(json->depth < HS_JSON_DEPTH);
  begin_element(json, key);
  fputc(kind, json->stream);
  json->closing[json->depth] = kind == '{' ? '}' : ']';
  json->filled[json->depth++] = false;
}

void hs_json_close(hs_json_t *json)
{
  assert(json->depth > 0);
  json->depth--;
  if (json->filled[json->depth]) fprintf(json->stream, "\n%*s", 2 * json->depth, "");
  fputc(json->closing[json->depth], json->stream);
  if (json->depth == 0) fputc('\n', json->stream);
}

void hs_json_text(hs_json_t *json, const char *key, const char *value)
{
  begin_element(json, key);
  if (value != NULL)
    write_text(json->stream, value);
  else
    fputs("null", json->stream);
}

void hs_json_double(hs_json_t *json, const char *key, double value)
{
  char number[32] = "null";
  if (isfinite(value)) hs_format_double(value, number, sizeof number);
  begin_element(json, key);
  fputs(number, json->stream);
}

void hs_json_int(hs_json_t *json, const char *key, int64_t value)
{
  begin_element(json, key);
  fprintf(json->stream, "%" PRId64, value);
}

void hs_json_bool(hs_json_t *json, const char *key, bool value)
{
  begin_element(json, key);
  fputs(value ? "true" : "false", json->stream);
}
