#include "base/blas_memory.h"

#include <cblas.h>
#include <stdlib.h>

#include "base/memory.h"

#define BUFFER ((size_t)144 << 20) /* what OpenBLAS asks for, and some room */
#define ORDER 96                   /* of a product that needs the buffer */

hs_status_t hs_blas_take_memory(void)
{
  /* Untouched, it costs address space alone. Through a volatile pointer, or a compiler may leave it out. */
  void *volatile room = malloc(BUFFER);
  double *A = hs_alloc(3 * ORDER * ORDER, sizeof *A, "a product of matrices");
  if (room == NULL)
    hs_fail(HS_NO_MEMORY, NULL, "OpenBLAS",
            "no room for its work memory of %zu MB (a higher limit of memory)", BUFFER >> 20);
  hs_status_t status = room != NULL && A != NULL ? HS_OK : HS_NO_MEMORY;
  free(room);
  if (status == HS_OK)
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, ORDER, ORDER, ORDER, 1, A, ORDER,
                A + ORDER * ORDER, ORDER, 0, A + 2 * ORDER * ORDER, ORDER);
  hs_free(A);
  return status;
}
