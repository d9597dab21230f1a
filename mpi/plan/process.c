#include "mpi/plan/process.h"

#include <stdio.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/memory.h"

double hs_process_bytes(void)
{
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  long all = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  int found = file != NULL ? fscanf(file, "%ld %ld", &all, &resident) : 0;
  if (file != NULL) fclose(file);
  if (found != 2) return (double)hs_peak_bytes();
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}
