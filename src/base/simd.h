/* simd.h: vector code without asking the user for compiler flags.
 *
 * A function marked HS_SIMD_CLONES is compiled for several instruction sets, and the loader picks the one the
 * processor has. The program built on one machine then runs well on every other. The sets are named by feature:
 * "arch=haswell" would be refused by every processor of another maker.
 */
#ifndef HS_BASE_SIMD_H
#define HS_BASE_SIMD_H

/* Sanitizers and clang do without: resolvers run before the sanitizer's runtime is ready, and clang 14
 * knows clones only in part. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define HS_SIMD_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HS_SIMD_CLONES
#endif

#endif
