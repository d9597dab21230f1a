/* memory.h: allocation with checked sizes.
 *
 * Every block is zeroed and aligned to 64 bytes (a cache line, and the widest vector register), so that a
 * half-built structure can always be freed and SIMD code can rely on its start. Not collective.
 */
#ifndef HS_BASE_MEMORY_H
#define HS_BASE_MEMORY_H

#include <stddef.h>

/* count elements of size bytes, zeroed. NULL, with a message recorded that names `what`, when the product
 * overflows or memory is short; the caller then returns HS_NO_MEMORY. A count of 0 gives a valid pointer. */
void *hs_alloc(size_t count, size_t size, const char *what);

/* Accepts NULL. Only for blocks from hs_alloc. */
void hs_free(void *block);

/* Bytes of memory that the processes of this machine share: what is built in, or what the control group of this
 * process may take. */
double hs_machine_bytes(void);

/* Largest resident size of this process so far, in bytes. */
size_t hs_peak_bytes(void);

#endif
