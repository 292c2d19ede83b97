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

/* A panel of B (kc x tile) stays in the first cache, or with 64-byte vectors beside a block of A (mc x kc) in the second: there two lines a step
 * are as quick to come, and C is gone over less often. */
#if GEMM_VECTOR_BYTES == 64
#define GEMM_KC 512
#define GEMM_MC 180
#else
#define GEMM_KC 384
#define GEMM_MC 240
#endif
#define GEMM_NC 3072

/* acc += x * v for a number x and vectors. Compilers fuse that by themselves, but for relaxed SIMD, where a fused operation may also round twice. */
#ifdef __wasm_relaxed_simd__
typedef float tile_f32x4 __attribute__((vector_size(16)));
typedef double tile_f64x2 __attribute__((vector_size(16)));
#define TILE_FUSED(OP, V, acc, x, v) (__typeof__(acc))OP((V)((x) - (__typeof__(acc)){0}), (V)(v), (V)(acc))
#define TILE_ADD_PRODUCT(acc, x, v)                                                             \
  (acc) = sizeof(x) == 4 ? TILE_FUSED(__builtin_wasm_relaxed_madd_f32x4, tile_f32x4, acc, x, v) \
                         : TILE_FUSED(__builtin_wasm_relaxed_madd_f64x2, tile_f64x2, acc, x, v)
#else
#define TILE_ADD_PRODUCT(acc, x, v) ((acc) += (x) * (v))
#endif

/* Stores a vector to an aligned place past the caches, without reading the line first: of results larger than the caches that nothing reads soon. Other
 * threads see it from TILE_STREAMED on. */
typedef float tile_streamed __attribute__((vector_size(GEMM_VECTOR_BYTES), may_alias));
#if defined(__clang__)
#define TILE_STREAM(to, v) __builtin_nontemporal_store((tile_streamed)(v), (tile_streamed *)(to))
#elif defined(__AVX512F__)
#define TILE_STREAM(to, v) __builtin_ia32_movntps512((float *)(to), (tile_streamed)(v))
#elif defined(__AVX2__)
#define TILE_STREAM(to, v) __builtin_ia32_movntps256((float *)(to), (tile_streamed)(v))
#elif defined(__SSE__)
#define TILE_STREAM(to, v) __builtin_ia32_movntps((float *)(to), (tile_streamed)(v))
#else
#define TILE_STREAM(to, v) (*(tile_streamed *)(to) = (tile_streamed)(v))
#endif
#if defined(__SSE__)
#define TILE_STREAMED() __builtin_ia32_sfence()
#else
#define TILE_STREAMED() atomic_thread_fence(memory_order_release)
#endif

#define TILE_INLINE static inline __attribute__((always_inline))

/* KERNEL(rows) with the smallest compiled number of rows that holds `rows`: a cut-off tile does not pay for a full one. */
#if TILE_ROWS == 12
#define TILE_BY_ROWS(rows, KERNEL)   \
  do {                               \
    if ((rows) > 8) KERNEL(12);      \
    else if ((rows) > 4) KERNEL(8);  \
    else if ((rows) > 2) KERNEL(4);  \
    else if ((rows) == 2) KERNEL(2); \
    else KERNEL(1);                  \
  } while (0)
#elif TILE_ROWS == 6
#define TILE_BY_ROWS(rows, KERNEL)   \
  do {                               \
    if ((rows) > 4) KERNEL(6);       \
    else if ((rows) > 2) KERNEL(4);  \
    else if ((rows) == 2) KERNEL(2); \
    else KERNEL(1);                  \
  } while (0)
#else
#define TILE_BY_ROWS(rows, KERNEL)   \
  do {                               \
    if ((rows) > 2) KERNEL(4);       \
    else if ((rows) == 2) KERNEL(2); \
    else KERNEL(1);                  \
  } while (0)
#endif

/* ---- transposition of a square of vectors (tile_transpose.inc) ---- */

/* Lane l of the pair's first and second vector after the exchange of blocks of s lanes, n lanes a vector. */
#define TRANSPOSE_LOW(s, n, l) ((l) & (s) ? (n) + (l) - (s) : (l))
#define TRANSPOSE_HIGH(s, n, l) ((l) & (s) ? (n) + (l) : (l) + (s))
#define TRANSPOSE_PAIR_2(v, i, s)                                                                       \
  do {                                                                                                  \
    __typeof__((v)[0]) a_ = (v)[i], b_ = (v)[(i) + (s)];                                                \
    (v)[i] = __builtin_shufflevector(a_, b_, TRANSPOSE_LOW(s, 2, 0), TRANSPOSE_LOW(s, 2, 1));           \
    (v)[(i) + (s)] = __builtin_shufflevector(a_, b_, TRANSPOSE_HIGH(s, 2, 0), TRANSPOSE_HIGH(s, 2, 1)); \
  } while (0)
#define TRANSPOSE_PAIR_4(v, i, s)                                                                                                        \
  do {                                                                                                                                   \
    __typeof__((v)[0]) a_ = (v)[i], b_ = (v)[(i) + (s)];                                                                                 \
    (v)[i] =                                                                                                                             \
        __builtin_shufflevector(a_, b_, TRANSPOSE_LOW(s, 4, 0), TRANSPOSE_LOW(s, 4, 1), TRANSPOSE_LOW(s, 4, 2), TRANSPOSE_LOW(s, 4, 3)); \
    (v)[(i) + (s)] = __builtin_shufflevector(a_, b_, TRANSPOSE_HIGH(s, 4, 0), TRANSPOSE_HIGH(s, 4, 1), TRANSPOSE_HIGH(s, 4, 2),          \
                                             TRANSPOSE_HIGH(s, 4, 3));                                                                   \
  } while (0)
#define TRANSPOSE_PAIR_8(v, i, s)                                                                                                       \
  do {                                                                                                                                  \
    __typeof__((v)[0]) a_ = (v)[i], b_ = (v)[(i) + (s)];                                                                                \
    (v)[i] =                                                                                                                            \
        __builtin_shufflevector(a_, b_, TRANSPOSE_LOW(s, 8, 0), TRANSPOSE_LOW(s, 8, 1), TRANSPOSE_LOW(s, 8, 2), TRANSPOSE_LOW(s, 8, 3), \
                                TRANSPOSE_LOW(s, 8, 4), TRANSPOSE_LOW(s, 8, 5), TRANSPOSE_LOW(s, 8, 6), TRANSPOSE_LOW(s, 8, 7));        \
    (v)[(i) + (s)] = __builtin_shufflevector(a_, b_, TRANSPOSE_HIGH(s, 8, 0), TRANSPOSE_HIGH(s, 8, 1), TRANSPOSE_HIGH(s, 8, 2),         \
                                             TRANSPOSE_HIGH(s, 8, 3), TRANSPOSE_HIGH(s, 8, 4), TRANSPOSE_HIGH(s, 8, 5),                 \
                                             TRANSPOSE_HIGH(s, 8, 6), TRANSPOSE_HIGH(s, 8, 7));                                         \
  } while (0)
#define TRANSPOSE_PAIR_16(v, i, s)                                                                                                        \
  do {                                                                                                                                    \
    __typeof__((v)[0]) a_ = (v)[i], b_ = (v)[(i) + (s)];                                                                                  \
    (v)[i] = __builtin_shufflevector(a_, b_, TRANSPOSE_LOW(s, 16, 0), TRANSPOSE_LOW(s, 16, 1), TRANSPOSE_LOW(s, 16, 2),                   \
                                     TRANSPOSE_LOW(s, 16, 3), TRANSPOSE_LOW(s, 16, 4), TRANSPOSE_LOW(s, 16, 5), TRANSPOSE_LOW(s, 16, 6),  \
                                     TRANSPOSE_LOW(s, 16, 7), TRANSPOSE_LOW(s, 16, 8), TRANSPOSE_LOW(s, 16, 9), TRANSPOSE_LOW(s, 16, 10), \
                                     TRANSPOSE_LOW(s, 16, 11), TRANSPOSE_LOW(s, 16, 12), TRANSPOSE_LOW(s, 16, 13),                        \
                                     TRANSPOSE_LOW(s, 16, 14), TRANSPOSE_LOW(s, 16, 15));                                                 \
    (v)[(i) + (s)] = __builtin_shufflevector(                                                                                             \
        a_, b_, TRANSPOSE_HIGH(s, 16, 0), TRANSPOSE_HIGH(s, 16, 1), TRANSPOSE_HIGH(s, 16, 2), TRANSPOSE_HIGH(s, 16, 3),                   \
        TRANSPOSE_HIGH(s, 16, 4), TRANSPOSE_HIGH(s, 16, 5), TRANSPOSE_HIGH(s, 16, 6), TRANSPOSE_HIGH(s, 16, 7), TRANSPOSE_HIGH(s, 16, 8), \
        TRANSPOSE_HIGH(s, 16, 9), TRANSPOSE_HIGH(s, 16, 10), TRANSPOSE_HIGH(s, 16, 11), TRANSPOSE_HIGH(s, 16, 12),                        \
        TRANSPOSE_HIGH(s, 16, 13), TRANSPOSE_HIGH(s, 16, 14), TRANSPOSE_HIGH(s, 16, 15));                                                 \
  } while (0)
#define TRANSPOSE_STAGE(v, n, s)   \
  GEMM_UNROLL                      \
  for (int i_ = 0; i_ < (n); i_++) \
    if (!(i_ & (s))) TRANSPOSE_PAIR_##n(v, i_, s)
#define TRANSPOSE_2(v) \
  do { TRANSPOSE_STAGE(v, 2, 1); } while (0)
#define TRANSPOSE_4(v)        \
  do {                        \
    TRANSPOSE_STAGE(v, 4, 1); \
    TRANSPOSE_STAGE(v, 4, 2); \
  } while (0)
#define TRANSPOSE_8(v)        \
  do {                        \
    TRANSPOSE_STAGE(v, 8, 1); \
    TRANSPOSE_STAGE(v, 8, 2); \
    TRANSPOSE_STAGE(v, 8, 4); \
  } while (0)
#define TRANSPOSE_16(v)        \
  do {                         \
    TRANSPOSE_STAGE(v, 16, 1); \
    TRANSPOSE_STAGE(v, 16, 2); \
    TRANSPOSE_STAGE(v, 16, 4); \
    TRANSPOSE_STAGE(v, 16, 8); \
  } while (0)
/* Every other lane of two vectors of which the second begins with the last lane of the first. */
#define EVENS_2(a, b) __builtin_shufflevector(a, b, 0, 3)
#define EVENS_4(a, b) __builtin_shufflevector(a, b, 0, 2, 5, 7)
#define EVENS_8(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15)
#define EVENS_16(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31)
/* Lanes of two vectors in turn: those of their lower and of their upper halves. */
#define ZIP_LOW_4(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define ZIP_HIGH_4(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define ZIP_LOW_8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define ZIP_HIGH_8(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define ZIP_LOW_16(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH_16(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#if GEMM_VECTOR_BYTES == 64
#define TRANSPOSE_f32 TRANSPOSE_16
#define TRANSPOSE_f64 TRANSPOSE_8
#define EVENS_f32 EVENS_16
#define EVENS_f64 EVENS_8
#define ZIP_LOW_f32 ZIP_LOW_16
#define ZIP_HIGH_f32 ZIP_HIGH_16
#elif GEMM_VECTOR_BYTES == 32
#define TRANSPOSE_f32 TRANSPOSE_8
#define TRANSPOSE_f64 TRANSPOSE_4
#define EVENS_f32 EVENS_8
#define EVENS_f64 EVENS_4
#define ZIP_LOW_f32 ZIP_LOW_8
#define ZIP_HIGH_f32 ZIP_HIGH_8
#else
#define TRANSPOSE_f32 TRANSPOSE_4
#define TRANSPOSE_f64 TRANSPOSE_2
#define EVENS_f32 EVENS_4
#define EVENS_f64 EVENS_2
#define ZIP_LOW_f32 ZIP_LOW_4
#define ZIP_HIGH_f32 ZIP_HIGH_4
#endif

#endif
