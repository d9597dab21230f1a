#include "mpi/data/classes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

#define MOST_CLASSES 10000

/* Index of value in the ascending list, or where it would stand; *found says which. */
static int position(const int64_t *values, int count, int64_t value, bool *found)
{
  int low = 0, high = count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (values[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  *found = low < count && values[low] == value;
  return low;
}

static hs_status_t too_many(const char *path)
{
  return hs_fail(HS_BAD_DATA, path, NULL,
                 "integer targets with more than %d different values are no classes (store them as float for "
                 "regression, or set the attribute task = \"regression\")",
                 MOST_CLASSES);
}

/* Insert the distinct labels into an ascending list with room for MOST_CLASSES + 1. */
static hs_status_t collect(const char *path, int64_t rows, const int64_t *labels, int64_t *values, int *count)
{
  for (int64_t k = 0; k < rows; k++) {
    bool found;
    int at = position(values, *count, labels[k], &found);
    if (found) continue;
    if (*count == MOST_CLASSES) return too_many(path);
    memmove(values + at + 1, values + at, (size_t)(*count - at) * sizeof *values);
    values[at] = labels[k];
    *count += 1;
  }
  return HS_OK;
}

/* Union of the lists of all ranks, in place. Collective. */
static hs_status_t unite(MPI_Comm comm, const char *path, int64_t *values, int *count)
{
  int ranks = hs_ranks(comm);
  int *counts = hs_alloc((size_t)ranks, sizeof(int), "class counts");
  int *offsets = hs_alloc((size_t)ranks + 1, sizeof(int), "class offsets");
  hs_status_t status = hs_agree(comm, counts != NULL && offsets != NULL ? HS_OK : HS_NO_MEMORY);
  int64_t *all = NULL;
  if (status == HS_OK) {
    HS_MPI(MPI_Allgather(count, 1, MPI_INT, counts, 1, MPI_INT, comm));
    for (int r = 0; r < ranks; r++) offsets[r + 1] = offsets[r] + counts[r];
    all = hs_alloc((size_t)offsets[ranks], sizeof *all, "class labels");
    status = hs_agree(comm, all != NULL ? HS_OK : HS_NO_MEMORY);
  }
  if (status == HS_OK) {
    HS_MPI(MPI_Allgatherv(values, *count, MPI_INT64_T, all, counts, offsets, MPI_INT64_T, comm));
    *count = 0;
    status = collect(path, offsets[ranks], all, values, count);
  }
  hs_free(all);
  hs_free(counts);
  hs_free(offsets);
  return status;
}

static hs_status_t name_classes(hs_classes_t *classes, const hs_data_info_t *info)
{
  classes->names = hs_alloc((size_t)classes->count, sizeof *classes->names, "class names");
  if (classes->names == NULL) return HS_NO_MEMORY;
  for (int c = 0; c < classes->count; c++) {
    char number[32];
    snprintf(number, sizeof number, "%" PRId64, classes->values[c]);
    const char *name = info->class_names_count > 0 ? info->class_names[c] : number;
    classes->names[c] = hs_alloc(strlen(name) + 1, 1, "class name");
    if (classes->names[c] == NULL) return HS_NO_MEMORY;
    memcpy(classes->names[c], name, strlen(name) + 1);
  }
  return HS_OK;
}

hs_status_t hs_classes_find(hs_classes_t *classes, MPI_Comm comm, const char *path,
                            const hs_data_info_t *info, int64_t first_row, int64_t rows,
                            const int64_t *labels)
{
  *classes = (hs_classes_t){0};
  classes->values = hs_alloc(MOST_CLASSES + 1, sizeof(int64_t), "class labels");
  hs_status_t status = hs_agree(comm, classes->values != NULL ? HS_OK : HS_NO_MEMORY);
  if (status != HS_OK) return status;
  int named = info->class_names_count;
  if (named > 0) {
    if (named > MOST_CLASSES) status = too_many(path);
    for (int c = 0; c < named && status == HS_OK; c++) classes->values[c] = c;
    classes->count = status == HS_OK ? named : 0;
    for (int64_t k = 0; k < rows && status == HS_OK; k++)
      if (labels[k] < 0 || labels[k] >= named)
        status = hs_fail(HS_BAD_DATA, path, NULL,
                         "row %" PRId64 " (from 0) has label %" PRId64 " (the file names classes 0 to %d)",
                         first_row + k, labels[k], named - 1);
  } else {
    status = collect(path, rows, labels, classes->values, &classes->count);
  }
  status = hs_agree(comm, status);
  if (status == HS_OK && named == 0) status = unite(comm, path, classes->values, &classes->count);
  if (status == HS_OK && classes->count < 2)
    status = hs_fail(HS_BAD_DATA, path, NULL, "all rows have one label, %" PRId64 " (at least 2 classes)",
                     classes->values[0]);
  if (status == HS_OK) status = name_classes(classes, info);
  return hs_agree(comm, status);
}

/* Class index for a label of a file, -1 if there is none. */
static int index_of(const hs_classes_t *classes, const hs_data_info_t *info, int64_t label)
{
  if (info->class_names_count == 0) {
    bool found;
    int at = position(classes->values, classes->count, label, &found);
    return found ? at : -1;
  }
  if (label < 0 || label >= info->class_names_count) return -1;
  for (int c = 0; c < classes->count; c++)
    if (strcmp(classes->names[c], info->class_names[label]) == 0) return c;
  return -1;
}

hs_status_t hs_classes_index(const hs_classes_t *classes, const char *path, const hs_data_info_t *info,
                             int64_t first_row, int64_t rows, int64_t *labels)
{
  int64_t last = 0;
  int last_index = -1; /* runs of equal labels are common */
  for (int64_t k = 0; k < rows; k++) {
    if (last_index < 0 || labels[k] != last) last_index = index_of(classes, info, labels[k]);
    last = labels[k];
    if (last_index < 0)
      return hs_fail(HS_BAD_DATA, path, NULL,
                     "row %" PRId64 " (from 0) has label %" PRId64
                     ", which is none of the %d classes of the model",
                     first_row + k, labels[k], classes->count);
    labels[k] = last_index;
  }
  return HS_OK;
}

hs_status_t hs_classes_copy(hs_classes_t *copy, const hs_classes_t *classes)
{
  *copy = (hs_classes_t){0};
  if (classes->count == 0) return HS_OK;
  copy->values = hs_alloc((size_t)classes->count, sizeof(int64_t), "class labels");
  copy->names = hs_alloc((size_t)classes->count, sizeof(char *), "class names");
  if (copy->values == NULL || copy->names == NULL) return HS_NO_MEMORY;
  copy->count = classes->count;
  for (int c = 0; c < classes->count; c++) {
    copy->values[c] = classes->values[c];
    copy->names[c] = hs_alloc(strlen(classes->names[c]) + 1, 1, "class name");
    if (copy->names[c] == NULL) return HS_NO_MEMORY;
    memcpy(copy->names[c], classes->names[c], strlen(classes->names[c]) + 1);
  }
  return HS_OK;
}

void hs_classes_free(hs_classes_t *classes)
{
  for (int c = 0; classes->names != NULL && c < classes->count; c++) hs_free(classes->names[c]);
  hs_free(classes->names);
  hs_free(classes->values);
  *classes = (hs_classes_t){0};
}
