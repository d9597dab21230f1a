/* memory_plan.h: every array that training allocates on a rank, by name. Not collective. */
#ifndef HS_MPI_PLAN_MEMORY_PLAN_H
#define HS_MPI_PLAN_MEMORY_PLAN_H

#include "mpi/plan/problem_size.h"

/* When an array is there. Between the two, while gates are sampled, less is needed than while solving. */
enum { HS_WHILE_LOADING = 1, HS_WHILE_SOLVING = 2 };

typedef struct hs_memory_part {
  const char *name, *shape;
  int when;
  double bytes;
} hs_memory_part_t;

#define HS_MEMORY_PARTS 16

typedef struct hs_memory_plan {
  int count;
  hs_memory_part_t part[HS_MEMORY_PARTS];
  double loading, solving, peak; /* sums over the parts of a phase; the larger one */
} hs_memory_plan_t;

/* Bytes of a process without data: at its start, and what its libraries keep once they have worked. */
typedef struct hs_footprint {
  double start, libraries;
} hs_footprint_t;

/* Memory of a rank with this share. */
hs_memory_plan_t hs_memory_plan(const hs_problem_size_t *size, hs_share_t share, hs_footprint_t footprint);

#endif
