/* table.h: the one table of settings. Parsing, defaults, checks, help and the YAML copy are loops over it. */
#ifndef HS_SETTINGS_TABLE_H
#define HS_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "settings/settings.h"

typedef enum hs_setting_type {
  HS_SETTING_BOOL,
  HS_SETTING_INTEGER, /* int64_t */
  HS_SETTING_REAL,    /* double */
  HS_SETTING_CHOICE,  /* an enum that counts 0, 1, .. in the order of the choices */
  HS_SETTING_TEXT     /* char[HS_TEXT] */
} hs_setting_type_t;

typedef struct hs_setting {
  const char *key; /* "section.name", or a bare name */
  hs_setting_type_t type;
  size_t offset;       /* in hs_settings_t */
  const char *initial; /* the default, as text */
  double low, high;    /* legal numbers; for text low is the least number of bytes */
  bool above_low;      /* low itself is not legal */
  const char *choices; /* "one|two|three", NULL where free */
  const char *meaning; /* one line for the help */
} hs_setting_t;

extern const hs_setting_t hs_setting_table[];
extern const int hs_setting_count; /* at most HS_SETTINGS_MOST */

#define HS_SETTINGS_MOST 128

/* The row of a key, -1 if there is none. */
int hs_setting_find(const char *key);

/* Is the setting accepted, so that files for later versions can be read, but without effect in this one? */
bool hs_setting_is_idle(const hs_setting_t *row);

/* The known key that was probably meant (a slip, or the right name in a wrong section), NULL if none is
 * close. */
const char *hs_setting_nearest(const char *key);

/* Longest explanation of the two functions below, with the closing zero. */
#define HS_SETTING_WHAT 320

/* Parse the text into the setting. False, with `what` = "must be ... (...)", when it is not legal. */
bool hs_setting_read(const hs_setting_t *row, const char *text, hs_settings_t *settings,
                     char what[HS_SETTING_WHAT]);

/* Is the value in the structure legal? False fills `what` as above. */
bool hs_setting_judge(const hs_setting_t *row, const hs_settings_t *settings, char what[HS_SETTING_WHAT]);

/* The value as text that hs_setting_read accepts; text[HS_TEXT]. */
void hs_setting_write(const hs_setting_t *row, const hs_settings_t *settings, char text[HS_TEXT]);

/* "> 0", "1 to 100", "true or false", "one, two or three": what is legal. */
void hs_setting_range(const hs_setting_t *row, char *text, size_t size);

#endif
