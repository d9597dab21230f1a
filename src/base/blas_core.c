#include "base/blas_core.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/threads.h"

const char *hs_blas_core(void)
{
  return openblas_get_corename();
}

/* The fastest kernels of OpenBLAS that this CPU can run; NULL if the fallback is the best. */
static const char *better_core(void)
{
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return NULL;
}

void hs_blas_select_core(char **argv)
{
  /* A preset variable is the user's choice, or ours of a moment ago: either way there is no second start. */
  if (getenv("OPENBLAS_CORETYPE") != NULL) return;
  if (strcmp(hs_blas_core(), "Prescott") != 0) return;
  const char *core = better_core();
  if (core == NULL || setenv("OPENBLAS_CORETYPE", core, 1) != 0) return;
  execv("/proc/self/exe", argv);
  /* Only reached when there is no /proc: slow kernels are better than none. */
}

static bool is_set(const char *name)
{
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0';
}

void hs_blas_threads_default(void)
{
  bool asked = is_set("OMP_NUM_THREADS"), blas_asked = is_set("OPENBLAS_NUM_THREADS");
#ifdef _OPENMP
  if (!asked) omp_set_num_threads(1);
  if (openblas_get_parallel() == OPENBLAS_OPENMP)
    openblas_set_num_threads(omp_get_max_threads());
  else if (!blas_asked)
    openblas_set_num_threads(1);
#else
  if (!asked && !blas_asked) openblas_set_num_threads(1);
#endif
}
