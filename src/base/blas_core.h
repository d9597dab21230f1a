/* blas_core.h: the right OpenBLAS kernels and number of threads. Not collective.
 *
 * OpenBLAS picks its kernels by the model number of the CPU. It does not know CPUs younger than itself and
 * then falls back to SSE3 kernels ("Prescott"), about five times slower than the CPU can do. The choice is
 * made when the library loads, and can only be changed by the environment of a new process image.
 */
#ifndef HS_BASE_BLAS_CORE_H
#define HS_BASE_BLAS_CORE_H

/* If OpenBLAS has fallen back and the CPU can do better, set OPENBLAS_CORETYPE and start this program anew
 * with the same argv; returns otherwise. Never when the variable is set already. Call before MPI_Init. */
void hs_blas_select_core(char **argv);

/* Name of the kernels in use, "SkylakeX" for instance. */
const char *hs_blas_core(void);

/* One thread per rank, for BLAS and for our own loops (base/threads.h), unless OMP_NUM_THREADS asks for another
 * number. Call before the first parallel loop.
 * An OpenBLAS that does not share threads with OpenMP would start its own inside of our loops: it gets one,
 * unless OPENBLAS_NUM_THREADS asks for more. */
void hs_blas_threads_default(void);

#endif
