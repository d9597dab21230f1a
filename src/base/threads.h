/* threads.h: the threads of one process.
 *
 * OMP_NUM_THREADS decides how many there are. A loop is cut into as many parts as there are threads, each part
 * a fixed range, sums within a part in order and sums of parts in their order: the same number of threads
 * gives the same bits, whichever thread does which part. The pattern is
 *
 *     #pragma omp parallel for schedule(static, 1) num_threads(parts)
 *     for (int part = 0; part < parts; part++)
 *       work(hs_part_first(count, parts, part), hs_part_first(count, parts, part + 1));
 *
 * BLAS runs on the same threads, and on a single one where it is called inside of such a loop. MPI and hs_fail
 * belong to the thread that started the program. Built without OpenMP there is one thread. Not collective.
 */
#ifndef HS_BASE_THREADS_H
#define HS_BASE_THREADS_H

#include <stdint.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* How many threads a loop that starts here may use: 1 inside of a parallel loop. */
static inline int hs_threads(void)
{
#ifdef _OPENMP
  return omp_in_parallel() ? 1 : omp_get_max_threads();
#else
  return 1;
#endif
}

/* The number of this thread in its parallel loop, below hs_threads() where that started; 0 outside. */
static inline int hs_thread(void)
{
#ifdef _OPENMP
  return omp_get_thread_num();
#else
  return 0;
#endif
}

/* Parts for `count` things of which a part should have at least `least`: one for each thread, or fewer. */
static inline int hs_parts(int64_t count, int64_t least, int threads)
{
  int64_t most = count / least;
  return most >= threads ? threads : most > 1 ? (int)most : 1;
}

/* First of the things of a part; that of the part after the last is their number. */
static inline int64_t hs_part_first(int64_t count, int parts, int part)
{
  return count * part / parts;
}

#endif
