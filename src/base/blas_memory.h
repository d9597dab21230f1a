/* blas_memory.h: the work memory of OpenBLAS, taken while there is still somebody to tell. Not collective. */
#ifndef HS_BASE_BLAS_MEMORY_H
#define HS_BASE_BLAS_MEMORY_H

#include "base/status.h"

/* OpenBLAS takes a buffer of about 128 MB of address space in its first large product, keeps it, and tries for ever
 * when it cannot get it: under a limit of memory a rank would hang, and all others with it. Ask for the room first,
 * then let it take the buffer. HS_NO_MEMORY when there is no room. */
hs_status_t hs_blas_take_memory(void);

#endif
