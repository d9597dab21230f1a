/* synthetic.h: data made from a seed, row by row, for benchmarks, scaling studies and tests.
 *
 * Row k is a function of the seed and k alone: every partition over ranks sees the same matrix.
 *
 *   gaussian    x ~ N(0, I_d); y = teacher(x) + noise * N(0, 1), the teacher a ReLU network of 10 units whose
 *               output has root mean square 1
 *   prototypes  square images of about d pixels, non-negative, about 27 % of them on: one of 10 prototypes
 * (sums of smooth bumps) plus 30 smooth factors, clipped at zero; y = +1 for odd prototypes, -1 for even ones
 */
#ifndef HS_SYNTHETIC_SYNTHETIC_H
#define HS_SYNTHETIC_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum hs_synthetic_kind { HS_GAUSSIAN, HS_PROTOTYPES } hs_synthetic_kind_t;

typedef struct hs_synthetic hs_synthetic_t;

/*   d      1 to 8192 features; for prototypes the square of an integer is best (784 = 28 x 28)
 *   noise  of the gaussian targets, relative to the teacher's root mean square */
hs_status_t hs_synthetic_create(hs_synthetic_t **synthetic, hs_synthetic_kind_t kind, int d, double noise,
                                uint64_t seed);
void hs_synthetic_free(hs_synthetic_t **synthetic);

int hs_synthetic_features(const hs_synthetic_t *synthetic);

/* Rows first .. first+count-1: X count x d row-major, y count numbers; either may be NULL. Not collective. */
void hs_synthetic_rows(const hs_synthetic_t *synthetic, int64_t first, int64_t count, double *X, double *y);

#endif
