#include "masked/products.h"

/* Vectors of 16 bytes are in the baseline of every 64-bit processor; elsewhere the compiler splits them. */

#define REAL float
#define VECTOR_BYTES 16
#define TARGET
#define FMA(x, y, z) ((x) * (y) + (z))
#define SPLAT(x) ((vec_single){0} + (x))
#define NAME(stem) stem##_single
#include "masked/body.h"

#define REAL double
#define VECTOR_BYTES 16
#define TARGET
#define FMA(x, y, z) ((x) * (y) + (z))
#define SPLAT(x) ((vec_double){0} + (x))
#define NAME(stem) stem##_double
#include "masked/body.h"

const hs_products_t hs_products_baseline[2] = {{16, forward_single, adjoint_single},
                                               {16, forward_double, adjoint_double}};
