/* labels.h: the distinct labels of an input, and the classes that they become.
 *
 * A label is kept as its text. Labels that are all numbers are one class when they are one number ("1",
 * "+1", "1.0"); the first text seen then names the class. Classes are sorted by value when all labels are
 * numbers, else by the bytes of their texts. Memory grows with the number of distinct labels, which is
 * capped, not with the rows. Not collective.
 */
#ifndef HS_IMPORT_LABELS_H
#define HS_IMPORT_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define HS_LABELS_LIMIT 10000 /* distinct labels kept; more are no classes */

/* One label or target as it stands in the input. */
typedef struct hs_cell {
  const char *text; /* borrowed from the reader until its next row */
  size_t length;
  bool is_number;
  double number;
} hs_cell_t;

typedef struct hs_label {
  char *text; /* owned by the collection */
  double number;
  bool is_number;
  int64_t count;
  int64_t place;       /* line or row where it was first seen */
  int64_t class_index; /* set by hs_labels_match */
} hs_label_t;

typedef struct hs_labels {
  hs_label_t *entries; /* in the order of first sight */
  int64_t count, capacity;
  int64_t *slots; /* hash table of entry numbers + 1; 0 = free */
  int64_t slot_count;
  bool overflow; /* more than HS_LABELS_LIMIT: counting has stopped */
  bool all_numbers, all_integers;
} hs_labels_t;

typedef struct hs_class_list {
  char **texts;    /* owned */
  double *numbers; /* meaningful when numeric */
  int64_t count;
  bool numeric;
} hs_class_list_t;

void hs_labels_begin(hs_labels_t *labels);

/* Count one label seen at `place`. After an overflow only all_numbers and all_integers are kept up. */
hs_status_t hs_labels_add(hs_labels_t *labels, const hs_cell_t *cell, int64_t place);

/* NULL when the label was never added. */
const hs_label_t *hs_labels_find(const hs_labels_t *labels, const char *text, size_t length);

void hs_labels_free(hs_labels_t *labels);

/* The classes of these labels, sorted. */
hs_status_t hs_class_list_from_labels(hs_class_list_t *classes, const hs_labels_t *labels);

/* The classes with these texts in this order, as read from a data file; the texts are copied. */
hs_status_t hs_class_list_from_texts(hs_class_list_t *classes, char **texts, int64_t count);

/* Set class_index of every label: by text, then by number. Returns the first label without a class, or
 * NULL when all have one. */
const hs_label_t *hs_labels_match(hs_labels_t *labels, const hs_class_list_t *classes);

void hs_class_list_free(hs_class_list_t *classes);

#endif
