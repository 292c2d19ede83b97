/* cpu/gemm.c: matrix products on the CPU. float32 and float64 by packed panels (gemm_tile.inc), complex numbers as pairs of them; float16
 * and bfloat16 through float32; integers and small complex products by a blocked loop. */
#include "../kernels/gemm.h"
#include "gemm_narrow.h"
#include "tile.h"

#define T float
#define SUFFIX f32
#include "tile_transpose.inc"
#include "tile_rows.inc"
#include "gemm_tile.inc"
#undef T
#undef SUFFIX

#define T double
#define SUFFIX f64
#include "tile_transpose.inc"
#include "tile_rows.inc"
#include "gemm_tile.inc"
#undef T
#undef SUFFIX

/* ---- other dtypes ---------------------------------------------------------------------------------------------- */

typedef struct {
  float re, im;
} c64;
typedef struct {
  double re, im;
} c128;

#define LINE 64 /* results whose sums are kept while k runs */

/* NUMBER: stored; SUM: summed in; MULTIPLY(sum, x, y); FINISH(to, sum) with alpha and beta in scope */
#define BLOCKED(name, NUMBER, SUM, ZERO, SETUP, MULTIPLY, FINISH)                 \
  static void name(int64_t begin, int64_t end, void *context) {                   \
    const tj__gemm_args *g = context;                                             \
    SETUP;                                                                        \
    for (int64_t row = begin; row < end; row++) {                                 \
      int64_t batch = row / g->m, i = row % g->m;                                 \
      const NUMBER *a = (const NUMBER *)g->a + batch * g->a_batch + i * g->a_row; \
      const NUMBER *b = (const NUMBER *)g->b + batch * g->b_batch;                \
      NUMBER *c = (NUMBER *)g->c + batch * g->c_batch + i * g->c_row;             \
      for (int64_t j = 0; j < g->n; j += LINE) {                                  \
        int n = (int)TJ__MIN(LINE, g->n - j);                                     \
        SUM sums[LINE];                                                           \
        for (int q = 0; q < LINE; q++) sums[q] = ZERO;                            \
        for (int64_t p = 0; p < g->k; p++) {                                      \
          const NUMBER x = a[p * g->a_col], *y = b + p * g->b_row + j * g->b_col; \
          if (g->b_col == 1)                                                      \
            for (int q = 0; q < n; q++) MULTIPLY(sums[q], x, y[q]);               \
          else                                                                    \
            for (int q = 0; q < n; q++) MULTIPLY(sums[q], x, y[q * g->b_col]);    \
        }                                                                         \
        for (int q = 0; q < n; q++) FINISH((c + (j + q) * g->c_col), sums[q]);    \
      }                                                                           \
    }                                                                             \
  }

/* Integers wrap: sums are unsigned, whatever the sign of the numbers. */
#define INT_SETUP const uint64_t alpha = (uint64_t)tj__scalar_to_int(g->alpha), beta = (uint64_t)tj__scalar_to_int(g->beta)
#define INT_MULTIPLY(sum, x, y) (sum) += (WIDE)(x) * (WIDE)(y)
#define INT_FINISH(to, sum) *(to) = (__typeof__(*(to)))(alpha * (uint64_t)(sum) + (beta ? beta * (uint64_t) * (to) : 0))
#define WIDE uint32_t
BLOCKED(rows_u8, uint8_t, uint32_t, 0, INT_SETUP, INT_MULTIPLY, INT_FINISH)
BLOCKED(rows_i8, int8_t, uint32_t, 0, INT_SETUP, INT_MULTIPLY, INT_FINISH)
BLOCKED(rows_i16, int16_t, uint32_t, 0, INT_SETUP, INT_MULTIPLY, INT_FINISH)
BLOCKED(rows_i32, int32_t, uint32_t, 0, INT_SETUP, INT_MULTIPLY, INT_FINISH)
#undef WIDE
#define WIDE uint64_t
BLOCKED(rows_i64, int64_t, uint64_t, 0, INT_SETUP, INT_MULTIPLY, INT_FINISH)
#undef WIDE

#define COMPLEX_SETUP                                                                                            \
  const double ar = tj__scalar_to_double(g->alpha), ai = g->alpha.kind == TJ_SCALAR_COMPLEX ? g->alpha.c.im : 0; \
  const double br = tj__scalar_to_double(g->beta), bi = g->beta.kind == TJ_SCALAR_COMPLEX ? g->beta.c.im : 0;    \
  const bool load = br != 0 || bi != 0, plain = ar == 1 && ai == 0
#define COMPLEX_MULTIPLY(sum, x, y)                \
  do {                                             \
    (sum).re += (x).re * (y).re - (x).im * (y).im; \
    (sum).im += (x).re * (y).im + (x).im * (y).re; \
  } while (0)
#define COMPLEX_FINISH(to, sum)                                                                                          \
  do {                                                                                                                   \
    double re = plain ? (sum).re : ar * (sum).re - ai * (sum).im, im = plain ? (sum).im : ar * (sum).im + ai * (sum).re; \
    if (load) {                                                                                                          \
      double r = (to)->re, s = (to)->im;                                                                                 \
      re += br * r - bi * s;                                                                                             \
      im += br * s + bi * r;                                                                                             \
    }                                                                                                                    \
    (to)->re = (__typeof__((to)->re))re;                                                                                 \
    (to)->im = (__typeof__((to)->im))im;                                                                                 \
  } while (0)
BLOCKED(rows_c64, c64, c64, ((c64){0, 0}), COMPLEX_SETUP, COMPLEX_MULTIPLY, COMPLEX_FINISH)
BLOCKED(rows_c128, c128, c128, ((c128){0, 0}), COMPLEX_SETUP, COMPLEX_MULTIPLY, COMPLEX_FINISH)

static bool blocked(const tj__gemm_args *g, tj__range_body body) {
  tj__parallel_for(g->batches * g->m, TJ__MAX(1, TJ__GRAIN / (g->n * g->k + 1)), body, (void *)g);
  return true;
}

/* ---- float16 and bfloat16 -------------------------------------------------------------------------------------- */

/* rows x cols of halves to contiguous floats */
static void widen(tj_dtype dtype, const uint16_t *from, int64_t rows, int64_t cols, int64_t row, int64_t col, float *to) {
  for (int64_t i = 0; i < rows; i++, from += row, to += cols) {
    if (dtype == TJ_FLOAT16)
      for (int64_t j = 0; j < cols; j++) to[j] = tj__half_to_float(from[j * col]);
    else
      for (int64_t j = 0; j < cols; j++) to[j] = tj__bfloat16_to_float(from[j * col]);
  }
}

/* bfloat16 with its own instructions, rounded once at the end. */
static bool brain(const tj__gemm_args *g) {
  const float alpha = (float)tj__scalar_to_double(g->alpha), beta = (float)tj__scalar_to_double(g->beta);
  const size_t bytes = (size_t)(g->m * g->n) * sizeof(float);
  float *c = tj__alloc(bytes);
  bool ok = c != NULL;
  for (int64_t batch = 0; ok && batch < g->batches; batch++) {
    uint16_t *to = (uint16_t *)g->c + batch * g->c_batch;
    ok = TJ__ISA(tj__gemm_bfloat16)(g->m, g->n, g->k, (const uint16_t *)g->a + batch * g->a_batch, g->a_row, g->a_col,
                                    (const uint16_t *)g->b + batch * g->b_batch, g->b_row, g->b_col, c);
    for (int64_t i = 0; ok && i < g->m; i++)
      for (int64_t j = 0; j < g->n; j++) {
        uint16_t *element = to + i * g->c_row + j * g->c_col;
        *element =
            tj__float_to_bfloat16(beta != 0 ? alpha * c[i * g->n + j] + beta * tj__bfloat16_to_float(*element) : alpha * c[i * g->n + j]);
      }
  }
  tj__free(c, bytes);
  return ok;
}

static bool int8(int64_t m, int64_t n, int64_t k, const int8_t *a, int64_t a_row, int64_t a_col, const int8_t *b, int64_t b_row,
                 int64_t b_col, int32_t *c) {
  if (k == 0) memset(c, 0, (size_t)(m * n) * sizeof *c);
  return m == 0 || n == 0 || k == 0 || TJ__ISA(tj__gemm_int8)(m, n, k, a, a_row, a_col, b, b_row, b_col, c);
}

/* The whole product in float32, rounded once at its end. */
static bool halves(const tj__gemm_args *g) {
  size_t na = (size_t)(g->m * g->k), nb = (size_t)(g->k * g->n), nc = (size_t)(g->m * g->n);
  na = (na + 15) & ~(size_t)15, nb = (nb + 15) & ~(size_t)15;
  size_t bytes = (na + nb + nc) * sizeof(float);
  float *a = tj__alloc(bytes), *b = a + na, *c = b + nb;
  if (!a) return false;
  bool load = !tj__scalar_is_zero(g->beta), ok = true;
  for (int64_t batch = 0; ok && batch < g->batches; batch++) {
    uint16_t *to = (uint16_t *)g->c + batch * g->c_batch;
    widen(g->dtype, (const uint16_t *)g->a + batch * g->a_batch, g->m, g->k, g->a_row, g->a_col, a);
    widen(g->dtype, (const uint16_t *)g->b + batch * g->b_batch, g->k, g->n, g->b_row, g->b_col, b);
    if (load) widen(g->dtype, to, g->m, g->n, g->c_row, g->c_col, c);
    tj__gemm_args x = {.dtype = TJ_FLOAT32,
                       .batches = 1,
                       .m = g->m,
                       .n = g->n,
                       .k = g->k,
                       .a = a,
                       .a_row = g->k,
                       .a_col = 1,
                       .b = b,
                       .b_row = g->n,
                       .b_col = 1,
                       .c = c,
                       .c_row = g->n,
                       .c_col = 1,
                       .alpha = g->alpha,
                       .beta = g->beta,
                       .start = c,
                       .start_row = g->n,
                       .start_col = 1};
    if (!(ok = gemm_f32(&x))) break;
    for (int64_t i = 0; i < g->m; i++)
      for (int64_t j = 0; j < g->n; j++) {
        float v = c[i * g->n + j];
        to[i * g->c_row + j * g->c_col] = g->dtype == TJ_FLOAT16 ? tj__float_to_half(v) : tj__float_to_bfloat16(v);
      }
  }
  tj__free(a, bytes);
  return ok;
}

/* k = 0: only what beta is of is left. */
static void scale_only(const tj__gemm_args *g) {
  size_t size = tj__dtype_sizes[g->dtype];
  bool clear = tj__scalar_is_zero(g->beta);
  double br = tj__scalar_to_double(g->beta), bi = g->beta.kind == TJ_SCALAR_COMPLEX ? g->beta.c.im : 0;
  for (int64_t batch = 0; batch < g->batches; batch++)
    for (int64_t i = 0; i < g->m; i++)
      for (int64_t j = 0; j < g->n; j++) {
        char *c = (char *)g->c + (batch * g->c_batch + i * g->c_row + j * g->c_col) * (int64_t)size;
        const char *from = (const char *)g->start + (batch * g->start_batch + i * g->start_row + j * g->start_col) * (int64_t)size;
        if (clear) {
          memset(c, 0, size);
          continue;
        }
        tj_scalar v = tj__load_scalar(from, g->dtype);
        switch (v.kind) {
          case TJ_SCALAR_COMPLEX: v = tj_complex_number(br * v.c.re - bi * v.c.im, br * v.c.im + bi * v.c.re); break;
          case TJ_SCALAR_FLOAT: v.f *= br; break;
          default: v.i = (int64_t)((uint64_t)v.i * (uint64_t)tj__scalar_to_int(g->beta));
        }
        tj__store_scalar(c, g->dtype, v);
      }
}

/* Whether a product of complex numbers is worth packing. */
static bool as_pairs(const tj__gemm_args *g) {
  bool real_beta = g->beta.kind != TJ_SCALAR_COMPLEX || g->beta.c.im == 0;
  return real_beta && g->m >= 4 && g->n >= 4 && (double)g->m * (double)g->n * (double)g->k >= 4096;
}

static bool gemm(const tj__gemm_args *args) {
  tj__gemm_args whole = *args;
  const tj__gemm_args *g = &whole;
  if (!g->start) whole.start = g->c, whole.start_row = g->c_row, whole.start_col = g->c_col, whole.start_batch = g->c_batch;
  if (!g->batches || !g->m || !g->n) return true;
  if (!g->k || tj__scalar_is_zero(g->alpha)) {
    scale_only(g);
    return true;
  }
  switch (g->dtype) {
    case TJ_FLOAT32: return gemm_f32(g);
    case TJ_FLOAT64: return gemm_f64(g);
    case TJ_FLOAT16: return halves(g);
    case TJ_BFLOAT16:
      /* packing pays from some size on */
      return g->m >= 8 && g->n >= 16 && g->k >= 16 && TJ__ISA(tj__has_bfloat16_dots)() ? brain(g) : halves(g);
    case TJ_UINT8: return blocked(g, rows_u8);
    case TJ_INT8: return blocked(g, rows_i8);
    case TJ_INT16: return blocked(g, rows_i16);
    case TJ_INT32: return blocked(g, rows_i32);
    case TJ_INT64: return blocked(g, rows_i64);
    case TJ_COMPLEX64: return as_pairs(g) ? complex_gemm_f32(g) : blocked(g, rows_c64);
    case TJ_COMPLEX128: return as_pairs(g) ? complex_gemm_f64(g) : blocked(g, rows_c128);
    default: tj__fail(TJ_ERROR_INTERNAL, "gemm: no product of %s", tj_dtype_name(g->dtype)); return false;
  }
}

static bool implicit(const tj__gemm_implicit *g) {
  if (!g->m || !g->n || !g->k) return true;
  return g->dtype == TJ_FLOAT64 ? implicit_f64(g) : implicit_f32(g);
}

/* ---- dot products ---------------------------------------------------------------------------------------------- */

static void dot(tj_dtype dtype, int64_t n, const void *a, int64_t as, const void *b, int64_t bs, bool conj, void *out) {
#define INT_DOT(T, U)                                                                             \
  {                                                                                               \
    U sum = 0;                                                                                    \
    for (int64_t i = 0; i < n; i++) sum += (U)((const T *)a)[i * as] * (U)((const T *)b)[i * bs]; \
    *(T *)out = (T)sum;                                                                           \
  }                                                                                               \
  break
#define HALF_DOT(TO_FLOAT, FROM_FLOAT)                                                                                        \
  {                                                                                                                           \
    float sum = 0;                                                                                                            \
    for (int64_t i = 0; i < n; i++) sum += TO_FLOAT(((const uint16_t *)a)[i * as]) * TO_FLOAT(((const uint16_t *)b)[i * bs]); \
    *(uint16_t *)out = FROM_FLOAT(sum);                                                                                       \
  }                                                                                                                           \
  break
#define COMPLEX_DOT(C)                                          \
  {                                                             \
    C sum = {0, 0};                                             \
    for (int64_t i = 0; i < n; i++) {                           \
      C x = ((const C *)a)[i * as], y = ((const C *)b)[i * bs]; \
      if (conj) x.im = -x.im;                                   \
      COMPLEX_MULTIPLY(sum, x, y);                              \
    }                                                           \
    *(C *)out = sum;                                            \
  }                                                             \
  break
  switch (dtype) {
    case TJ_FLOAT32: *(float *)out = dot_f32(n, a, as, b, bs); break;
    case TJ_FLOAT64: *(double *)out = dot_f64(n, a, as, b, bs); break;
    case TJ_FLOAT16: HALF_DOT(tj__half_to_float, tj__float_to_half);
    case TJ_BFLOAT16: HALF_DOT(tj__bfloat16_to_float, tj__float_to_bfloat16);
    case TJ_UINT8: INT_DOT(uint8_t, uint32_t);
    case TJ_INT8: INT_DOT(int8_t, uint32_t);
    case TJ_INT16: INT_DOT(int16_t, uint32_t);
    case TJ_INT32: INT_DOT(int32_t, uint32_t);
    case TJ_INT64: INT_DOT(int64_t, uint64_t);
    case TJ_COMPLEX64: COMPLEX_DOT(c64);
    case TJ_COMPLEX128: COMPLEX_DOT(c128);
    default: break;
  }
}

const tj__gemm_kernels TJ__ISA(tj__cpu_gemm) = {
    .starts = 1u << TJ_FLOAT32 | 1u << TJ_FLOAT64, .gemm = gemm, .implicit = implicit, .dot = dot, .int8 = int8};
