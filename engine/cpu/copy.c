/* copy.c: conversion between all dtypes, filling, transposed tiles and selection on the CPU. */
#include "../kernels/copy.h"

#include <complex.h>

#include "../kernels/backend.h"
#include "cpu/halves.h"

/* X(SUFFIX, HOT or RARE, memory type, number type, load, store): a number travels as the C type that its values have. Conversions between
 * two hot dtypes are compiled for every instruction set, the others for the baseline alone. */
#define SAME(x) (x)
#define IS_SET(x) ((uint8_t)((x) != 0))
#define NUMBERS(X, A)                                                                \
  X(A, BOOL, HOT, uint8_t, uint8_t, IS_SET, SAME)                                    \
  X(A, UINT8, HOT, uint8_t, uint8_t, SAME, SAME)                                     \
  X(A, INT8, RARE, int8_t, int8_t, SAME, SAME)                                       \
  X(A, INT16, RARE, int16_t, int16_t, SAME, SAME)                                    \
  X(A, INT32, HOT, int32_t, int32_t, SAME, SAME)                                     \
  X(A, INT64, HOT, int64_t, int64_t, SAME, SAME)                                     \
  X(A, UINT16, RARE, uint16_t, uint16_t, SAME, SAME)                                 \
  X(A, UINT32, RARE, uint32_t, uint32_t, SAME, SAME)                                 \
  X(A, UINT64, RARE, uint64_t, uint64_t, SAME, SAME)                                 \
  X(A, FLOAT16, HOT, uint16_t, float, tj__half_to_float, tj__float_to_half)          \
  X(A, BFLOAT16, HOT, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16) \
  X(A, FLOAT32, HOT, float, float, SAME, SAME)                                       \
  X(A, FLOAT64, HOT, double, double, SAME, SAME)                                     \
  X(A, COMPLEX64, RARE, float _Complex, float _Complex, SAME, SAME)                  \
  X(A, COMPLEX128, RARE, double _Complex, double _Complex, SAME, SAME)

/* Conversions are C casts, but for truth for bool, and for floats to integers: C leaves open what becomes of NaN and of numbers out of
 * range, and the instruction sets differ. PyTorch's numbers are those of the scalar instructions of x86: int32 and what is narrower go by way of int32 (uint8
 * and uint32 by way of int64), which is the least one for all that it cannot hold. */
static inline int32_t whole32(double x) { return x > -0x1p31 - 1 && x < 0x1p31 ? (int32_t)x : INT32_MIN; }
static inline int32_t whole32f(float x) { return x >= -0x1p31f && x < 0x1p31f ? (int32_t)x : INT32_MIN; }
#define whole64 tj__whole64
static inline int64_t whole64f(float x) { return x >= -0x1p63f && x < 0x1p63f ? (int64_t)x : INT64_MIN; }
#define natural64 tj__natural64
#define WHOLE(way, x)                                             \
  _Generic((x), float                                             \
           : way##f((float)(x)), double                           \
           : way((double)(x)), float _Complex                     \
           : way##f(crealf((float _Complex)(x))), double _Complex \
           : way(creal((double _Complex)(x))), default            \
           : (x))
#define natural64f tj__natural64
#define CAST_BOOL(T, x) ((uint8_t)((x) != 0))
#define CAST_UINT8(T, x) ((T)WHOLE(whole64, x))
#define CAST_INT8(T, x) ((T)WHOLE(whole32, x))
#define CAST_INT16(T, x) ((T)WHOLE(whole32, x))
#define CAST_INT32(T, x) ((T)WHOLE(whole32, x))
#define CAST_INT64(T, x) ((T)WHOLE(whole64, x))
#define CAST_UINT16(T, x) ((T)WHOLE(whole32, x))
#define CAST_UINT32(T, x) ((T)WHOLE(whole64, x))
#define CAST_UINT64(T, x) ((T)WHOLE(natural64, x))
#define CAST_FLOAT16(T, x) ((T)(x))
#define CAST_BFLOAT16(T, x) ((T)(x))
#define CAST_FLOAT32(T, x) ((T)(x))
#define CAST_FLOAT64(T, x) ((T)(x))
#define CAST_COMPLEX64(T, x) ((T)(x))
#define CAST_COMPLEX128(T, x) ((T)(x))

#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

/* Elements from the last to the first: `from` is the last one's address, that is the first one read. */
#define REVERSE(T)                                                                                       \
  static __attribute__((noinline)) void reverse_##T(T *restrict to, const T *restrict from, int64_t n) { \
    INDEPENDENT                                                                                          \
    for (int64_t i = 0; i < n; i++) to[i] = from[-i];                                                    \
  }
REVERSE(uint8_t)
REVERSE(uint16_t)
REVERSE(uint32_t)
REVERSE(uint64_t)
static inline bool reversed(void *to, const void *from, int64_t n, size_t size) {
  switch (size) {
    case 1: return reverse_uint8_t(to, from, n), true;
    case 2: return reverse_uint16_t(to, from, n), true;
    case 4: return reverse_uint32_t(to, from, n), true;
    case 8: return reverse_uint64_t(to, from, n), true;
    default: return false;
  }
}

/* Rows of moderate length, in lines of 64 bytes: the library's function copies those by an instruction that is slow where they are not aligned. */
static __attribute__((noinline)) void copy_row(char *to, const char *from, size_t n) {
  const uintptr_t a = (uintptr_t)to, b = (uintptr_t)from;
  if (n < 64 || n > 1 << 14 || a - b < n || b - a < n) {
    memmove(to, from, n);
    return;
  }
  char line[64];
  for (size_t i = 0; i + sizeof line <= n; i += sizeof line) {
    memcpy(line, from + i, sizeof line);
    memcpy(to + i, line, sizeof line);
  }
  memcpy(line, from + n - sizeof line, sizeof line);
  memcpy(to + n - sizeof line, line, sizeof line);
}

/* NUMBERS goes through two lists at once by way of a second copy of itself, since a macro does not expand inside itself. */
#define EXPAND_FROM(SUFFIX, H, M, N, LOAD, STORE) FROMS(CONVERT, (SUFFIX, H, M, N, LOAD, STORE))
#define FROMS(X, A)                                                                  \
  X(A, BOOL, HOT, uint8_t, uint8_t, IS_SET, SAME)                                    \
  X(A, UINT8, HOT, uint8_t, uint8_t, SAME, SAME)                                     \
  X(A, INT8, RARE, int8_t, int8_t, SAME, SAME)                                       \
  X(A, INT16, RARE, int16_t, int16_t, SAME, SAME)                                    \
  X(A, INT32, HOT, int32_t, int32_t, SAME, SAME)                                     \
  X(A, INT64, HOT, int64_t, int64_t, SAME, SAME)                                     \
  X(A, UINT16, RARE, uint16_t, uint16_t, SAME, SAME)                                 \
  X(A, UINT32, RARE, uint32_t, uint32_t, SAME, SAME)                                 \
  X(A, UINT64, RARE, uint64_t, uint64_t, SAME, SAME)                                 \
  X(A, FLOAT16, HOT, uint16_t, float, tj__half_to_float, tj__float_to_half)          \
  X(A, BFLOAT16, HOT, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16) \
  X(A, FLOAT32, HOT, float, float, SAME, SAME)                                       \
  X(A, FLOAT64, HOT, double, double, SAME, SAME)                                     \
  X(A, COMPLEX64, RARE, float _Complex, float _Complex, SAME, SAME)                  \
  X(A, COMPLEX128, RARE, double _Complex, double _Complex, SAME, SAME)

#define CONVERT(TO, FROM, FH, FM, FN, FLOAD, FSTORE) CONVERT_I(UNPACK TO, FROM, FH, FM, FN, FLOAD)
#define UNPACK(...) __VA_ARGS__
#define CONVERT_I(...) CONVERT_II(__VA_ARGS__)
#define CONVERT_II(TO, TH, TM, TN, TLOAD, TSTORE, FROM, FH, FM, FN, FLOAD) CONVERT_##TH##_##FH(TO, TM, TN, TSTORE, FROM, FM, FN, FLOAD)
#define NAME_OF(TO, FROM, ISA) tj__convert_##TO##_from_##FROM##_##ISA
#define NAME_IN(TO, FROM, ISA) NAME_OF(TO, FROM, ISA)
#define NAME_HOT_HOT(TO, FROM) NAME_IN(TO, FROM, TJ__ISA_NAME)
#define NAME_HOT_RARE(TO, FROM) NAME_OF(TO, FROM, base)
#define NAME_RARE_HOT(TO, FROM) NAME_OF(TO, FROM, base)
#define NAME_RARE_RARE(TO, FROM) NAME_OF(TO, FROM, base)
#define LOOP_ARGUMENTS char *const *data, const int64_t *strides, int64_t n, const tj__params *params
#define CONVERT_HOT_HOT CONVERSION
#if TJ__BASELINE
#define CONVERT_RARE CONVERSION
#else
#define CONVERT_RARE(TO, TM, TN, TSTORE, FROM, FM, FN, FLOAD) void NAME_OF(TO, FROM, base)(LOOP_ARGUMENTS);
#endif
#define CONVERT_HOT_RARE CONVERT_RARE
#define CONVERT_RARE_HOT CONVERT_RARE
#define CONVERT_RARE_RARE CONVERT_RARE
#define CONVERSION(TO, TM, TN, TSTORE, FROM, FM, FN, FLOAD)                                         \
  void NAME_IN(TO, FROM, TJ__ISA_NAME)(LOOP_ARGUMENTS);                                             \
  void NAME_IN(TO, FROM, TJ__ISA_NAME)(LOOP_ARGUMENTS) {                                            \
    (void)params;                                                                                   \
    char *to = data[0];                                                                             \
    const char *from = data[1];                                                                     \
    int64_t ts = strides[0], fs = strides[1];                                                       \
    if (ts == (int64_t)sizeof(TM) && fs == (int64_t)sizeof(FM)) {                                   \
      if (TJ_##TO == TJ_##FROM) {                                                                   \
        copy_row(to, from, (size_t)n * sizeof(TM));                                                 \
        return;                                                                                     \
      }                                                                                             \
      if (TJ_##TO == TJ_FLOAT16 && TJ_##FROM == TJ_FLOAT32) {                                       \
        tj__halves_of_floats((uint16_t *)(void *)to, (const float *)(const void *)from, n);         \
        return;                                                                                     \
      }                                                                                             \
      if (TJ_##TO == TJ_FLOAT32 && TJ_##FROM == TJ_FLOAT16) {                                       \
        tj__floats_of_halves((float *)(void *)to, (const uint16_t *)(const void *)from, n);         \
        return;                                                                                     \
      }                                                                                             \
      INDEPENDENT                                                                                   \
      for (int64_t i = 0; i < n; i++) {                                                             \
        FN v = FLOAD(((const FM *)from)[i]);                                                        \
        ((TM *)to)[i] = (TM)TSTORE(CAST_##TO(TN, v));                                               \
      }                                                                                             \
      return;                                                                                       \
    }                                                                                               \
    if (TJ_##TO == TJ_##FROM && fs == 0 && ts == (int64_t)sizeof(TM)) { /* one element broadcast */ \
      const TM v = *(const TM *)from;                                                               \
      for (int64_t i = 0; i < n; i++) ((TM *)to)[i] = v;                                            \
      return;                                                                                       \
    }                                                                                               \
    if (TJ_##TO == TJ_##FROM) {                                                                     \
      if (ts == (int64_t)sizeof(TM) && fs == -ts && reversed(to, from, n, sizeof(TM))) return;      \
      for (int64_t i = 0; i < n; i++) *(TM *)(to + i * ts) = *(const TM *)(from + i * fs);          \
      return;                                                                                       \
    }                                                                                               \
    for (int64_t i = 0; i < n; i++) {                                                               \
      FN v = FLOAD(*(const FM *)(from + i * fs));                                                   \
      *(TM *)(to + i * ts) = (TM)TSTORE(CAST_##TO(TN, v));                                          \
    }                                                                                               \
  }

#define EACH_TO(A, SUFFIX, H, M, N, LOAD, STORE) EXPAND_FROM(SUFFIX, H, M, N, LOAD, STORE)
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wpass-failed"
#endif
NUMBERS(EACH_TO, _)

/* ---- filling -------------------------------------------------------------------------------------------------- */

#define FILL_LOOP(SUFFIX, M, VALUE)                                                                           \
  static void fill_##SUFFIX(char *const *data, const int64_t *strides, int64_t n, const tj__params *params) { \
    const tj__param p = params->p[0];                                                                         \
    (void)p;                                                                                                  \
    const M v = VALUE;                                                                                        \
    if (strides[0] == (int64_t)sizeof(M))                                                                     \
      for (int64_t i = 0; i < n; i++) ((M *)data[0])[i] = v;                                                  \
    else                                                                                                      \
      for (int64_t i = 0; i < n; i++) *(M *)(data[0] + i * strides[0]) = v;                                   \
  }
FILL_LOOP(BOOL, uint8_t, (uint8_t)(p.i != 0))
FILL_LOOP(UINT8, uint8_t, (uint8_t)p.i)
FILL_LOOP(INT8, int8_t, (int8_t)p.i)
FILL_LOOP(INT16, int16_t, (int16_t)p.i)
FILL_LOOP(INT32, int32_t, (int32_t)p.i)
FILL_LOOP(INT64, int64_t, p.i)
FILL_LOOP(UINT16, uint16_t, (uint16_t)p.i)
FILL_LOOP(UINT32, uint32_t, (uint32_t)p.i)
FILL_LOOP(UINT64, uint64_t, p.f >= 0x1p63 ? (uint64_t)p.f : (uint64_t)p.i)
FILL_LOOP(FLOAT16, uint16_t, tj__float_to_half((float)p.f))
FILL_LOOP(BFLOAT16, uint16_t, tj__float_to_bfloat16((float)p.f))
FILL_LOOP(FLOAT32, float, (float)p.f)
FILL_LOOP(FLOAT64, double, p.f)
typedef struct pair32 {
  float re, im;
} pair32;
typedef struct pair64 {
  double re, im;
} pair64;
#define PAIR32 \
  { (float)p.f, (float)p.im }
#define PAIR64 \
  { p.f, p.im }
FILL_LOOP(COMPLEX64, pair32, PAIR32)
FILL_LOOP(COMPLEX128, pair64, PAIR64)

/* ---- by element size ------------------------------------------------------------------------------------------ */

#define SIZED(X) X(0, uint8_t) X(1, uint16_t) X(2, uint32_t) X(3, uint64_t) X(4, pair64)

/* Squares in registers: rows of pairs, then of quarters, then of halves are interleaved. */
typedef uint32_t row8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint64_t row4 __attribute__((vector_size(32), aligned(8), may_alias));
#define SQUARE_NONE(T, to, to_row, from, from_row)                    \
  for (int c = 0; c < 8; c++) /* each line of `from` is read whole */ \
    for (int k = 0; k < 8; k++) ((T *)((to) + k * (to_row)))[c] = ((const T *)((from) + c * (from_row)))[k];
#define SQUARE_8(T, to, to_row, from, from_row)                                                                     \
  {                                                                                                                 \
    row8 in[8], x[8];                                                                                               \
    for (int k = 0; k < 8; k++) in[k] = *(const row8 *)((from) + k * (from_row));                                   \
    for (int k = 0; k < 8; k += 2) {                                                                                \
      x[k] = __builtin_shufflevector(in[k], in[k + 1], 0, 8, 1, 9, 4, 12, 5, 13);                                   \
      x[k + 1] = __builtin_shufflevector(in[k], in[k + 1], 2, 10, 3, 11, 6, 14, 7, 15);                             \
    }                                                                                                               \
    for (int k = 0; k < 8; k += 4) {                                                                                \
      in[k] = __builtin_shufflevector(x[k], x[k + 2], 0, 1, 8, 9, 4, 5, 12, 13);                                    \
      in[k + 1] = __builtin_shufflevector(x[k], x[k + 2], 2, 3, 10, 11, 6, 7, 14, 15);                              \
      in[k + 2] = __builtin_shufflevector(x[k + 1], x[k + 3], 0, 1, 8, 9, 4, 5, 12, 13);                            \
      in[k + 3] = __builtin_shufflevector(x[k + 1], x[k + 3], 2, 3, 10, 11, 6, 7, 14, 15);                          \
    }                                                                                                               \
    for (int k = 0; k < 4; k++) {                                                                                   \
      *(row8 *)((to) + k * (to_row)) = __builtin_shufflevector(in[k], in[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);         \
      *(row8 *)((to) + (k + 4) * (to_row)) = __builtin_shufflevector(in[k], in[k + 4], 4, 5, 6, 7, 12, 13, 14, 15); \
    }                                                                                                               \
  }
#define SQUARE_4(T, to, to_row, from, from_row)                                                                        \
  for (int half = 0; half < 8; half += 4)                                                                              \
    for (int other = 0; other < 8; other += 4) {                                                                       \
      row4 in[4], x[4];                                                                                                \
      for (int k = 0; k < 4; k++) in[k] = *(const row4 *)((from) + (half + k) * (from_row) + other * 8);               \
      for (int k = 0; k < 4; k += 2) {                                                                                 \
        x[k] = __builtin_shufflevector(in[k], in[k + 1], 0, 4, 2, 6);                                                  \
        x[k + 1] = __builtin_shufflevector(in[k], in[k + 1], 1, 5, 3, 7);                                              \
      }                                                                                                                \
      for (int k = 0; k < 2; k++) {                                                                                    \
        *(row4 *)((to) + (other + k) * (to_row) + half * 8) = __builtin_shufflevector(x[k], x[k + 2], 0, 1, 4, 5);     \
        *(row4 *)((to) + (other + k + 2) * (to_row) + half * 8) = __builtin_shufflevector(x[k], x[k + 2], 2, 3, 6, 7); \
      }                                                                                                                \
    }

#define TRANSPOSE(K, T, SQUARE)                                                                                            \
  static void transpose_##K(char *to, int64_t to_row, const char *from, int64_t from_row, int64_t columns, int64_t rows) { \
    int64_t r = 0;                                                                                                         \
    for (; r + 8 <= rows; r += 8) {                                                                                        \
      int64_t c = 0;                                                                                                       \
      for (; c + 8 <= columns; c += 8) {                                                                                   \
        char *square_to = to + r * to_row + c * (int64_t)sizeof(T);                                                        \
        const char *square_from = from + c * from_row + r * (int64_t)sizeof(T);                                            \
        SQUARE(T, square_to, to_row, square_from, from_row)                                                                \
      }                                                                                                                    \
      for (; c < columns; c++)                                                                                             \
        for (int64_t k = 0; k < 8; k++) ((T *)(to + (r + k) * to_row))[c] = ((const T *)(from + c * from_row))[r + k];     \
    }                                                                                                                      \
    for (; r < rows; r++)                                                                                                  \
      for (int64_t c = 0; c < columns; c++) ((T *)(to + r * to_row))[c] = ((const T *)(from + c * from_row))[r];           \
  }
TRANSPOSE(0, uint8_t, SQUARE_NONE)
TRANSPOSE(1, uint16_t, SQUARE_NONE)
TRANSPOSE(2, uint32_t, SQUARE_8)
TRANSPOSE(3, uint64_t, SQUARE_4)
TRANSPOSE(4, pair64, SQUARE_NONE)

/* Both are read and one is taken by a mask of bits: a branch on a condition that is hard to foresee costs more. U: an unsigned type. */
#define WHERE_LOOP(U, YES, NO)                                                \
  {                                                                           \
    INDEPENDENT                                                               \
    for (int64_t i = 0; i < n; i++) {                                         \
      const U yes = ((const U *)data[2])[YES], no = ((const U *)data[3])[NO]; \
      const U mask = (U)(0 - (U)(((const uint8_t *)data[1])[i] != 0));        \
      ((U *)data[0])[i] = (U)((yes & mask) | (no & (U)~mask));                \
    }                                                                         \
    return;                                                                   \
  }
#define WHERE(K, T, U)                                                                                    \
  static void where_##K(char *const *data, const int64_t *strides, int64_t n, const tj__params *params) { \
    (void)params;                                                                                         \
    const int64_t size = (int64_t)sizeof(T);                                                              \
    if (strides[0] == size && strides[1] == 1) {                                                          \
      if (strides[2] == size && strides[3] == size) WHERE_LOOP(U, i, i)                                   \
      if (strides[2] == 0 && strides[3] == size) WHERE_LOOP(U, 0, i)                                      \
      if (strides[2] == size && strides[3] == 0) WHERE_LOOP(U, i, 0)                                      \
    }                                                                                                     \
    for (int64_t i = 0; i < n; i++) {                                                                     \
      const U yes = *(const U *)(data[2] + i * strides[2]), no = *(const U *)(data[3] + i * strides[3]);  \
      const U mask = (U)(0 - (U)(data[1][i * strides[1]] != 0));                                          \
      *(U *)(data[0] + i * strides[0]) = (U)((yes & mask) | (no & (U)~mask));                             \
    }                                                                                                     \
  }
WHERE(0, uint8_t, uint8_t)
WHERE(1, uint16_t, uint16_t)
WHERE(2, uint32_t, uint32_t)
WHERE(3, uint64_t, uint64_t)
WHERE(4, pair64, unsigned __int128)

#define ENTRY(TO, FROM, FH, FM, FN, FLOAD, FSTORE) ENTRY_I(UNPACK TO, FROM, FH)
#define ENTRY_I(...) ENTRY_II(__VA_ARGS__)
#define ENTRY_II(TO, TH, TM, TN, TLOAD, TSTORE, FROM, FH) [TJ_##FROM] = NAME_##TH##_##FH(TO, FROM),
#define ROW(A, SUFFIX, H, M, N, LOAD, STORE) [TJ_##SUFFIX] = {FROMS(ENTRY, (SUFFIX, H, M, N, LOAD, STORE))},
#define FILL_ENTRY(A, SUFFIX, H, M, N, LOAD, STORE) [TJ_##SUFFIX] = fill_##SUFFIX,
#define TRANSPOSE_ENTRY(K, T) transpose_##K,
#define WHERE_ENTRY(K, T) where_##K,

extern const tj__copy_kernels TJ__ISA(tj__cpu_copy);
const tj__copy_kernels TJ__ISA(tj__cpu_copy) = {
    .convert = {NUMBERS(ROW, _)},
    .fill = {NUMBERS(FILL_ENTRY, _)},
    .transpose = {SIZED(TRANSPOSE_ENTRY)},
    .where = {SIZED(WHERE_ENTRY)},
};
