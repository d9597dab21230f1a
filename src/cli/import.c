#include "cli/import.h"

#include "io/importers/import.h"
#include "io/importers/options.h"

hs_status_t hs_command_import(int argc, char **argv)
{
  hs_import_options_t options;
  hs_status_t status = hs_import_options_parse(&options, argc, argv);
  return status == HS_OK ? hs_import_run(&options) : status;
}

void hs_import_help(FILE *stream)
{
  hs_import_options_help(stream);
}
