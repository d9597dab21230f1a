/* fingerprint.h: 64 bits by which data are known again, whatever the ranks.
 *
 *   sum over rows k of  XXH3( bytes of row k, seed k )   modulo 2^64
 *
 * so that the order of the rows counts and their distribution does not. Not collective but where stated.
 */
#ifndef HS_MPI_DATA_FINGERPRINT_H
#define HS_MPI_DATA_FINGERPRINT_H

#include <mpi.h>
#include <stdint.h>

/* Sum over `count` rows of `bytes` each, the first of which has the global number row0. */
uint64_t hs_fingerprint_rows(const void *rows, int64_t count, int64_t bytes, int64_t row0);

/* Of one piece that all ranks have. */
uint64_t hs_fingerprint(const void *data, int64_t bytes);

/* *print = sum over ranks. Collective. */
void hs_fingerprint_sum(MPI_Comm comm, uint64_t *print);

#endif
