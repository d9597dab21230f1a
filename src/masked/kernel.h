/* kernel.h: size of the pieces in which the kernel is made; its scratch depends on it. */
#ifndef HS_MASKED_KERNEL_H
#define HS_MASKED_KERNEL_H

/* A tile of K is 256 KB and stays in the L2 cache between its product and its mask counts. */
#define HS_KERNEL_TILE 256

#endif
