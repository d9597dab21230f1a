#include "mpi/train/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/comm/agree.h"

#define LONGEST_FILE ((size_t)1 << 20)

/* Whole file as text; rank 0 only. */
static hs_status_t read_file(const char *path, char *text, size_t *length)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return hs_fail(HS_BAD_USAGE, path, NULL, "cannot be read: %s (give a YAML file of settings)",
                   strerror(errno));
  *length = fread(text, 1, LONGEST_FILE, file);
  bool failed = ferror(file) != 0, longer = *length == LONGEST_FILE;
  fclose(file);
  if (failed) return hs_fail(HS_BAD_USAGE, path, NULL, "cannot be read: %s", strerror(errno));
  if (longer)
    return hs_fail(HS_BAD_USAGE, path, NULL, "is longer than 1 MB (a YAML file of settings is short)");
  if (memchr(text, '\0', *length) != NULL)
    return hs_fail(HS_BAD_USAGE, path, NULL,
                   "is not text (a YAML file of settings; or a data file ending in .h5)");
  return HS_OK;
}

/* Collective. */
static hs_status_t parse_file(hs_settings_t *settings, MPI_Comm comm, const char *path)
{
  char *text = hs_alloc(LONGEST_FILE + 1, 1, "configuration");
  size_t length = 0;
  hs_status_t status = text != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK && hs_rank(comm) == 0) status = read_file(path, text, &length);
  status = hs_agree(comm, status);
  if (status == HS_OK) {
    HS_MPI(MPI_Bcast(text, (int)LONGEST_FILE, MPI_CHAR, 0, comm));
    status = hs_settings_parse(settings, path, text);
  }
  hs_free(text);
  return status;
}

static bool ends_with(const char *text, const char *end)
{
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_data_file(const char *path)
{
  return ends_with(path, ".h5") || ends_with(path, ".hdf5");
}

hs_status_t hs_config_load(hs_settings_t *settings, MPI_Comm comm, int argc, char **argv)
{
  hs_settings_default(settings);
  hs_status_t status = HS_OK;
  int next = 0;
  if (argc > 0 && strchr(argv[0], '=') == NULL) {
    next = 1;
    if (!is_data_file(argv[0]))
      status = parse_file(settings, comm, argv[0]);
    else if (strlen(argv[0]) >= HS_TEXT)
      status = hs_fail(HS_BAD_USAGE, NULL, "data.train", "path is too long");
    else
      snprintf(settings->data.train, HS_TEXT, "%s", argv[0]);
  }
  for (; status == HS_OK && next < argc; next++) status = hs_settings_override(settings, argv[next]);
  if (status == HS_OK) status = hs_settings_check(settings);
  return hs_agree(comm, status);
}
