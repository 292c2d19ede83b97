/* tile.h: the vectors and the register tile of this instruction set, for the kernels of products and convolutions. */
#ifndef TJ__CPU_TILE_H
#define TJ__CPU_TILE_H

#if defined(__AVX512F__)
#define GEMM_VECTOR_BYTES 64
#define TILE_ROWS 12 /* 24 of 32 registers accumulate */
#elif defined(__AVX2__)
#define GEMM_VECTOR_BYTES 32
#define TILE_ROWS 6 /* 12 of 16 */
#else
#define GEMM_VECTOR_BYTES 16
#define TILE_ROWS 4
#endif

/* The tile's loops have to vanish for the accumulators to live in registers. */
#if defined(__clang__)
#define GEMM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GEMM_UNROLL _Pragma("GCC unroll 16")
#endif

/* A panel of B (kc x tile) stays in the first cache, a block of A (mc x kc) in the second. */
#define GEMM_KC 384
#define GEMM_MC 240
#define GEMM_NC 3072

#define TILE_INLINE static inline __attribute__((always_inline))

/* KERNEL(rows) with the smallest compiled number of rows that holds `rows`: a cut-off tile does not pay for a full one. */
#if TILE_ROWS == 12
#define TILE_BY_ROWS(rows, KERNEL) \
  do {                             \
    if ((rows) > 8) KERNEL(12);    \
    else if ((rows) > 4) KERNEL(8); \
    else if ((rows) > 2) KERNEL(4); \
    else if ((rows) == 2) KERNEL(2); \
    else KERNEL(1);                \
  } while (0)
#elif TILE_ROWS == 6
#define TILE_BY_ROWS(rows, KERNEL) \
  do {                             \
    if ((rows) > 4) KERNEL(6);     \
    else if ((rows) > 2) KERNEL(4); \
    else if ((rows) == 2) KERNEL(2); \
    else KERNEL(1);                \
  } while (0)
#else
#define TILE_BY_ROWS(rows, KERNEL) \
  do {                             \
    if ((rows) > 2) KERNEL(4);     \
    else if ((rows) == 2) KERNEL(2); \
    else KERNEL(1);                \
  } while (0)
#endif

#endif
