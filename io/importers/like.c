#include "io/importers/like.h"

#include <string.h>

#include "base/memory.h"
#include "io/hdf5/h5.h"
#include "io/importers/row_source.h"

static bool read_dimension(hid_t file, int64_t *features)
{
  hsize_t size[2] = {0, 0};
  hid_t set = H5Dopen2(file, "features", H5P_DEFAULT);
  hid_t space = set >= 0 ? H5Dget_space(set) : -1;
  bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == 2 &&
              H5Sget_simple_extent_dims(space, size, NULL) == 2;
  *features = (int64_t)size[1];
  if (space >= 0) H5Sclose(space);
  if (set >= 0) H5Dclose(set);
  return good;
}

static void read_task(hs_like_t *like, hid_t file)
{
  char *text = NULL;
  if (!hs_h5_read_text(file, "task", &text)) return;
  if (strcmp(text, "classification") == 0) like->task = HS_TASK_CLASSIFICATION;
  if (strcmp(text, "regression") == 0) like->task = HS_TASK_REGRESSION;
  hs_free(text);
}

static hs_status_t read_open_file(hs_like_t *like, hid_t file)
{
  if (!read_dimension(file, &like->features))
    return hs_fail(HS_BAD_DATA, like->path, "like", "has no data set /features [rows, features]");
  read_task(like, file);
  char **texts = NULL;
  int count = 0;
  if (hs_h5_read_texts(file, "names", &count, &texts)) {
    if (count == like->features)
      like->names = texts;
    else
      hs_h5_free_texts(count, texts);
  }
  if (!hs_h5_read_texts(file, "classes", &count, &texts)) return HS_OK;
  hs_status_t status = hs_class_list_from_texts(&like->classes, texts, count);
  hs_h5_free_texts(count, texts);
  return status;
}

hs_status_t hs_like_read(hs_like_t *like, const char *path)
{
  *like = (hs_like_t){.path = path, .task = HS_TASK_AUTO};
  hid_t file;
  hs_status_t status = hs_h5_open(path, &file);
  if (status != HS_OK) return status;
  status = read_open_file(like, file);
  H5Fclose(file);
  if (status != HS_OK) hs_like_free(like);
  return status;
}

void hs_like_free(hs_like_t *like)
{
  hs_class_list_free(&like->classes);
  hs_names_free(&like->names, like->features);
}
