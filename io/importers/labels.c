#include "io/importers/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/importers/number.h"

void hs_labels_begin(hs_labels_t *labels)
{
  *labels = (hs_labels_t){.all_numbers = true, .all_integers = true};
}

/* FNV-1a */
static uint64_t hash_text(const char *text, size_t length)
{
  uint64_t hash = 14695981039346656037u;
  for (size_t k = 0; k < length; k++) hash = (hash ^ (unsigned char)text[k]) * 1099511628211u;
  return hash ^ hash >> 32;
}

/* The slot of this text, or the free slot where it belongs. */
static int64_t find_slot(const hs_labels_t *labels, const char *text, size_t length)
{
  int64_t mask = labels->slot_count - 1, slot = (int64_t)(hash_text(text, length) & (uint64_t)mask);
  for (; labels->slots[slot] != 0; slot = (slot + 1) & mask) {
    const char *known = labels->entries[labels->slots[slot] - 1].text;
    if (strncmp(known, text, length) == 0 && known[length] == '\0') break;
  }
  return slot;
}

/* Twice the entries, and four slots for each of them. */
static hs_status_t grow(hs_labels_t *labels)
{
  int64_t capacity = labels->capacity == 0 ? 64 : 2 * labels->capacity, slot_count = 4 * capacity;
  hs_label_t *entries = hs_alloc((size_t)capacity, sizeof *entries, "labels");
  int64_t *slots = hs_alloc((size_t)slot_count, sizeof *slots, "labels");
  if (entries == NULL || slots == NULL) {
    hs_free(entries);
    hs_free(slots);
    return HS_NO_MEMORY;
  }
  if (labels->count > 0) memcpy(entries, labels->entries, (size_t)labels->count * sizeof *entries);
  hs_free(labels->entries);
  hs_free(labels->slots);
  labels->entries = entries;
  labels->slots = slots;
  labels->capacity = capacity;
  labels->slot_count = slot_count;
  for (int64_t k = 0; k < labels->count; k++)
    slots[find_slot(labels, entries[k].text, strlen(entries[k].text))] = k + 1;
  return HS_OK;
}

static char *copy_text(const char *text, size_t length)
{
  char *copy = hs_alloc(length + 1, 1, "label");
  if (copy != NULL) memcpy(copy, text, length);
  return copy;
}

hs_status_t hs_labels_add(hs_labels_t *labels, const hs_cell_t *cell, int64_t place)
{
  if (!cell->is_number) labels->all_numbers = false;
  if (!cell->is_number || cell->number != trunc(cell->number)) labels->all_integers = false;
  if (labels->overflow) return HS_OK;
  if (labels->count == labels->capacity) {
    hs_status_t status = grow(labels);
    if (status != HS_OK) return status;
  }
  int64_t slot = find_slot(labels, cell->text, cell->length);
  if (labels->slots[slot] != 0) {
    labels->entries[labels->slots[slot] - 1].count++;
    return HS_OK;
  }
  if (labels->count == HS_LABELS_LIMIT) {
    labels->overflow = true;
    return HS_OK;
  }
  char *text = copy_text(cell->text, cell->length);
  if (text == NULL) return HS_NO_MEMORY;
  labels->entries[labels->count++] = (hs_label_t){text, cell->number, cell->is_number, 1, place, -1};
  labels->slots[slot] = labels->count;
  return HS_OK;
}

const hs_label_t *hs_labels_find(const hs_labels_t *labels, const char *text, size_t length)
{
  if (labels->slot_count == 0) return NULL;
  int64_t entry = labels->slots[find_slot(labels, text, length)];
  return entry == 0 ? NULL : &labels->entries[entry - 1];
}

void hs_labels_free(hs_labels_t *labels)
{
  for (int64_t k = 0; k < labels->count; k++) hs_free(labels->entries[k].text);
  hs_free(labels->entries);
  hs_free(labels->slots);
  *labels = (hs_labels_t){0};
}

static int by_number(const void *left, const void *right)
{
  const hs_label_t *a = *(hs_label_t *const *)left, *b = *(hs_label_t *const *)right;
  if (a->number != b->number) return a->number < b->number ? -1 : 1;
  return a < b ? -1 : a > b; /* entries lie in the order of first sight */
}

static int by_text(const void *left, const void *right)
{
  return strcmp((*(hs_label_t *const *)left)->text, (*(hs_label_t *const *)right)->text);
}

static hs_status_t allocate_classes(hs_class_list_t *classes, int64_t count)
{
  *classes = (hs_class_list_t){0};
  classes->texts = hs_alloc((size_t)count, sizeof *classes->texts, "classes");
  classes->numbers = hs_alloc((size_t)count, sizeof *classes->numbers, "classes");
  return classes->texts == NULL || classes->numbers == NULL ? HS_NO_MEMORY : HS_OK;
}

static hs_status_t append_class(hs_class_list_t *classes, const char *text, double number)
{
  char *copy = copy_text(text, strlen(text));
  if (copy == NULL) return HS_NO_MEMORY;
  classes->texts[classes->count] = copy;
  classes->numbers[classes->count++] = number;
  return HS_OK;
}

hs_status_t hs_class_list_from_labels(hs_class_list_t *classes, const hs_labels_t *labels)
{
  hs_status_t status = allocate_classes(classes, labels->count);
  hs_label_t **order = hs_alloc((size_t)labels->count, sizeof *order, "classes");
  if (order == NULL) status = HS_NO_MEMORY;
  classes->numeric = labels->all_numbers;
  if (status == HS_OK) {
    for (int64_t k = 0; k < labels->count; k++) order[k] = &labels->entries[k];
    qsort(order, (size_t)labels->count, sizeof *order, classes->numeric ? by_number : by_text);
  }
  for (int64_t k = 0; status == HS_OK && k < labels->count; k++)
    if (k == 0 || !classes->numeric || order[k]->number != order[k - 1]->number)
      status = append_class(classes, order[k]->text, order[k]->number);
  hs_free(order);
  return status;
}

hs_status_t hs_class_list_from_texts(hs_class_list_t *classes, char **texts, int64_t count)
{
  hs_status_t status = allocate_classes(classes, count);
  bool numeric = true;
  for (int64_t k = 0; status == HS_OK && k < count; k++) {
    double number = 0.0;
    numeric = hs_number_parse(texts[k], strlen(texts[k]), &number) && numeric;
    status = append_class(classes, texts[k], number);
  }
  classes->numeric = numeric;
  return status;
}

static int64_t find_class(const hs_class_list_t *classes, const hs_label_t *label)
{
  for (int64_t c = 0; c < classes->count; c++)
    if (strcmp(classes->texts[c], label->text) == 0) return c;
  if (!classes->numeric || !label->is_number) return -1;
  for (int64_t c = 0; c < classes->count; c++)
    if (classes->numbers[c] == label->number) return c;
  return -1;
}

const hs_label_t *hs_labels_match(hs_labels_t *labels, const hs_class_list_t *classes)
{
  const hs_label_t *stranger = NULL;
  for (int64_t k = 0; k < labels->count; k++) {
    hs_label_t *label = &labels->entries[k];
    label->class_index = find_class(classes, label);
    if (label->class_index < 0 && stranger == NULL) stranger = label;
  }
  return stranger;
}

void hs_class_list_free(hs_class_list_t *classes)
{
  for (int64_t c = 0; c < classes->count; c++) hs_free(classes->texts[c]);
  hs_free(classes->texts);
  hs_free(classes->numbers);
  *classes = (hs_class_list_t){0};
}
