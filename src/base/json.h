/* json.h: a small JSON writer for the machine-readable output of commands.
 *
 *   hs_json_t json = hs_json_start(stdout);
 *   hs_json_open(&json, NULL, '{');
 *   hs_json_double(&json, "gap", gap);
 *   hs_json_open(&json, "bounds", '[');  ...  hs_json_close(&json);
 *   hs_json_close(&json);
 *
 * The result is always JSON: texts are escaped, bytes that are not UTF-8 become U+FFFD, and NaN and infinity,
 * which JSON does not know, become null. key is NULL inside an array and at the top. Not collective.
 */
#ifndef HS_BASE_JSON_H
#define HS_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HS_JSON_DEPTH 16

typedef struct hs_json {
  FILE *stream; /* borrowed */
  int depth;
  char closing[HS_JSON_DEPTH]; /* '}' or ']' for each open level */
  bool filled[HS_JSON_DEPTH];  /* has the level an element yet? */
} hs_json_t;

hs_json_t hs_json_start(FILE *stream);

/* kind is '{' or '['. At most HS_JSON_DEPTH levels. */
void hs_json_open(hs_json_t *json, const char *key, char kind);

/* Ends the innermost level; the last one ends with a new line. */
void hs_json_close(hs_json_t *json);

void hs_json_text(hs_json_t *json, const char *key, const char *value); /* NULL: null */
void hs_json_double(hs_json_t *json, const char *key, double value);    /* reads back as the same double */
void hs_json_int(hs_json_t *json, const char *key, int64_t value);
void hs_json_bool(hs_json_t *json, const char *key, bool value);

#endif
