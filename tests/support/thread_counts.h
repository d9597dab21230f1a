/* thread_counts.h: tests that go through several numbers of threads. */
#ifndef HS_TESTS_THREAD_COUNTS_H
#define HS_TESTS_THREAD_COUNTS_H

#include <stdbool.h>

#include "base/threads.h"

#define MOST_THREADS 4

/* Parallel loops use so many threads from now on; false where there is no OpenMP and thus no more than one. */
static inline bool set_threads(int threads)
{
#ifdef _OPENMP
  omp_set_num_threads(threads);
#endif
  return hs_threads() == threads;
}

#endif
