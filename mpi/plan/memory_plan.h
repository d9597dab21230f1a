/* memory_plan.h: every array that training allocates on a rank, by name. Not collective. */
#ifndef HS_MPI_PLAN_MEMORY_PLAN_H
#define HS_MPI_PLAN_MEMORY_PLAN_H

#include "mpi/plan/problem_size.h"

/* When an array is there. Between loading and the rest, while gates are sampled, less is needed. The matrices of the
 * Gram kinds are made while some of the arrays of the iteration are not there yet. */
enum { HS_WHILE_LOADING = 1, HS_WHILE_SOLVING = 2, HS_WHILE_REDUCING = 4 };

typedef struct hs_memory_part {
  const char *name, *shape;
  int when;
  double bytes;
  bool optional; /* of some kinds of x-update alone */
} hs_memory_part_t;

#define HS_MEMORY_PARTS 32

typedef struct hs_memory_plan {
  int count;
  hs_memory_part_t part[HS_MEMORY_PARTS];
  double loading, reducing,
      solving; /* sums over the parts of a phase; reducing: 0 for kinds that make no Gram matrix */
  double peak; /* the largest one */
} hs_memory_plan_t;

/* Bytes of a process without data: at its start, and what its libraries keep once they have worked. */
typedef struct hs_footprint {
  double start, libraries;
} hs_footprint_t;

/* Memory of a rank with this share. All kinds of x-update have the same parts in the same order; those of other kinds
 * take 0 bytes. */
hs_memory_plan_t hs_memory_plan(const hs_problem_size_t *size, hs_share_t share, hs_footprint_t footprint);

#endif
