#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/status.h"

#define ALIGNMENT ((size_t)64)
#define PAGE ((size_t)4096)
#define LARGE ((size_t)8 << 20) /* bytes from which large pages pay */

/* Large pages, where the system has them: rows that are read in another order miss the address cache less often. Only
 * advice, before the first touch. */
static void advise(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
  uintptr_t first = ((uintptr_t)block + PAGE - 1) / PAGE * PAGE,
            end = ((uintptr_t)block + bytes) / PAGE * PAGE;
  if (bytes >= LARGE) madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
  (void)block;
  (void)bytes;
#endif
}

void *hs_alloc(size_t count, size_t size, const char *what)
{
  if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
    hs_fail(HS_NO_MEMORY, NULL, what, "%zu elements of %zu bytes exceed the address space", count, size);
    return NULL;
  }
  size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (bytes == 0) bytes = ALIGNMENT;
  void *block = aligned_alloc(ALIGNMENT, bytes);
  if (block == NULL) {
    hs_fail(HS_NO_MEMORY, NULL, what, "no memory for %.1f MB on this rank (more ranks or nodes share it)",
            (double)bytes / 1e6);
    return NULL;
  }
  advise(block, bytes);
  memset(block, 0, bytes);
  return block;
}

void hs_free(void *block)
{
  free(block);
}

size_t hs_peak_bytes(void)
{
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return (size_t)usage.ru_maxrss * 1024;
}

/* "max" or a number; INFINITY where there is no such file. */
static double read_limit(const char *path)
{
  double bytes = INFINITY;
  FILE *file = fopen(path, "r");
  if (file == NULL) return INFINITY;
  if (fscanf(file, "%lf", &bytes) != 1) bytes = INFINITY;
  fclose(file);
  return bytes > 0 ? bytes : INFINITY;
}

double hs_machine_bytes(void)
{
  double built_in = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  return fmin(built_in, read_limit("/sys/fs/cgroup/memory.max"));
}
