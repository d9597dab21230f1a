#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/status.h"

#define ALIGNMENT ((size_t)64)

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
