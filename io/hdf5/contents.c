#include "io/hdf5/contents.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"

static void describe_type(hid_t set, char *text, size_t size)
{
  hid_t type = H5Dget_type(set);
  unsigned bits = (unsigned)(8 * H5Tget_size(type));
  switch (H5Tget_class(type)) {
  case H5T_FLOAT:
    snprintf(text, size, "float%u", bits);
    break;
  case H5T_INTEGER:
    snprintf(text, size, "%sint%u", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    break;
  case H5T_STRING:
    snprintf(text, size, "text");
    break;
  default:
    snprintf(text, size, "other");
  }
  H5Tclose(type);
}

static void describe_set(hid_t set, hs_contents_set_t *entry)
{
  hid_t space = H5Dget_space(set);
  hsize_t extent[H5S_MAX_RANK] = {0};
  entry->rank = H5Sget_simple_extent_dims(space, extent, NULL);
  for (int i = 0; i < entry->rank && i < 32; i++) entry->extent[i] = (int64_t)extent[i];
  H5Sclose(space);
  describe_type(set, entry->type, sizeof entry->type);
}

static herr_t count_set(hid_t root, const char *name, const H5O_info_t *info, void *contents)
{
  (void)root;
  (void)name;
  if (info->type == H5O_TYPE_DATASET) ((hs_contents_t *)contents)->count++;
  return 0;
}

static herr_t add_set(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
  if (info->type != H5O_TYPE_DATASET) return 0;
  hs_contents_t *contents = context;
  hs_contents_set_t *entry = &contents->sets[contents->count];
  entry->name = hs_alloc(strlen(name) + 1, 1, "name of a data set");
  if (entry->name == NULL) return -1;
  memcpy(entry->name, name, strlen(name) + 1);
  hid_t set = H5Dopen2(root, name, H5P_DEFAULT);
  if (set >= 0) {
    describe_set(set, entry);
    H5Dclose(set);
  }
  contents->count++;
  return 0;
}

hs_status_t hs_contents_read(const char *path, hs_contents_t *contents)
{
  *contents = (hs_contents_t){0};
  hid_t file;
  hs_status_t status = hs_h5_open(path, &file);
  if (status != HS_OK) return status;
  herr_t visited = H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, count_set, contents, H5O_INFO_BASIC);
  contents->sets = hs_alloc((size_t)contents->count, sizeof *contents->sets, "list of data sets");
  if (contents->sets == NULL) status = HS_NO_MEMORY;
  contents->count = 0;
  if (status == HS_OK && visited >= 0)
    visited = H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, add_set, contents, H5O_INFO_BASIC);
  if (status == HS_OK && visited < 0)
    status = hs_fail(HS_BAD_DATA, path, NULL, "cannot be read to its end (the file is damaged)");
  hs_h5_read_text(file, "content", &contents->kind);
  hs_h5_read_text(file, "run", &contents->run);
  hs_h5_read_text(file, "data", &contents->data);
  H5Fclose(file);
  if (status != HS_OK) hs_contents_clear(contents);
  return status;
}

void hs_contents_clear(hs_contents_t *contents)
{
  for (int i = 0; i < contents->count; i++) hs_free(contents->sets[i].name);
  hs_free(contents->sets);
  hs_free(contents->kind);
  hs_free(contents->run);
  hs_free(contents->data);
  *contents = (hs_contents_t){0};
}

const hs_contents_set_t *hs_contents_find(const hs_contents_t *contents, const char *name)
{
  for (int i = 0; i < contents->count; i++)
    if (strcmp(contents->sets[i].name, name) == 0) return &contents->sets[i];
  return NULL;
}
