/* reduce.c: reductions on the CPU.
 *
 * Sums are accurate and do not depend on threads or instruction set: a piece of at most PIECE elements is added up in LANES accumulators,
 * and the results of pieces are combined pairwise (as a binary counter carries). A reduction that is long and has few outputs is split into
 * parts whose length depends on the sizes only. */
#include <math.h>
#include <stdlib.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "../kernels/reduce.h"
#include "elements.h"

enum { LANES = 64, WIDTH = 512, PIECE = 2048, ROWS = 32, LEVELS = 40, BLOCK_BYTES = 4 * WIDTH };
/* Outputs of a block: as many accumulators as fit in BLOCK_BYTES. Rows often lie a page apart, and the processor foresees what follows in a page only. */
#define WIDTH_OF(size) ((size) > 8 ? WIDTH / 4 : (size) > 4 ? WIDTH / 2 : WIDTH)
#define PART ((int64_t)1 << 16) /* elements of a part of a split reduction */

/* Rare kinds and dtypes exist in the baseline build alone, to keep the library small; the others call that. */
extern const tj__reduce_kernels tj__cpu_reduce_base;

/* One kind of reduction of one dtype. Accumulators are arrays of `size` bytes each. */
typedef struct reducer {
  int size, item; /* bytes of an accumulator; of an input element */
  void (*init)(void *acc, int64_t w);
  /* n elements, `stride` bytes apart, into acc[0] */
  void (*row)(void *acc, const char *x, int64_t n, int64_t stride, const tj__reduce_params *params, int64_t at);
  /* n rows of w <= WIDTH columns into acc[0..w) */
  void (*rows)(void *acc, const char *x, int64_t n, int64_t row, int64_t w, int64_t column, const tj__reduce_params *params, int64_t at);
  void (*combine)(void *acc, const void *other, int64_t w);
  void (*store)(char *out, int64_t at, const void *acc, int64_t w, const tj__reduce_params *params);
} reducer;

/* MAP(v, c) has v in the accumulator's type, and the center c of its output. */
#define REDUCER(name, T, A, LOAD, INIT, MAP, COMBINE, OUT, FINISH)                                                                        \
  static void name##_init(void *acc_, int64_t w) {                                                                                        \
    A *acc = acc_;                                                                                                                        \
    for (int64_t i = 0; i < w; i++) acc[i] = (A)(INIT);                                                                                   \
  }                                                                                                                                       \
  static void name##_row(void *acc_, const char *x_, int64_t n, int64_t stride, const tj__reduce_params *params, int64_t at) {            \
    const double c = params->centers ? ((const double *)params->centers)[at] : params->p;                                                 \
    (void)c;                                                                                                                              \
    A acc = (A)(INIT);                                                                                                                    \
    if (stride == (int64_t)sizeof(T) && n >= 16) {                                                                                        \
      const T *x = (const T *)x_;                                                                                                         \
      A lanes[LANES];                                                                                                                     \
      int64_t i = 0;                                                                                                                      \
      for (int l = 0; l < LANES; l++) lanes[l] = (A)(INIT);                                                                               \
      for (; i + LANES <= n; i += LANES)                                                                                                  \
        for (int l = 0; l < LANES; l++) {                                                                                                 \
          const A v = (A)LOAD(x[i + l]);                                                                                                  \
          lanes[l] = COMBINE(lanes[l], MAP(v, c), A);                                                                                     \
        }                                                                                                                                 \
      for (int l = 0; i < n; i++, l++) {                                                                                                  \
        const A v = (A)LOAD(x[i]);                                                                                                        \
        lanes[l] = COMBINE(lanes[l], MAP(v, c), A);                                                                                       \
      }                                                                                                                                   \
      for (int half = LANES / 2; half >= 16; half /= 2)                                                                                   \
        for (int l = 0; l < half; l++) lanes[l] = COMBINE(lanes[l], lanes[l + half], A);                                                  \
      for (int l = 0; l < 8; l++) lanes[l] = COMBINE(lanes[l], lanes[l + 8], A);                                                          \
      for (int l = 0; l < 4; l++) lanes[l] = COMBINE(lanes[l], lanes[l + 4], A);                                                          \
      for (int l = 0; l < 2; l++) lanes[l] = COMBINE(lanes[l], lanes[l + 2], A);                                                          \
      acc = COMBINE(lanes[0], lanes[1], A);                                                                                               \
    } else {                                                                                                                              \
      A more[4] = {(A)(INIT), (A)(INIT), (A)(INIT), (A)(INIT)};                                                                           \
      int64_t i = 0;                                                                                                                      \
      for (; i + 4 <= n; i += 4)                                                                                                          \
        for (int l = 0; l < 4; l++) {                                                                                                     \
          const A v = (A)LOAD(*(const T *)(x_ + (i + l) * stride));                                                                       \
          more[l] = COMBINE(more[l], MAP(v, c), A);                                                                                       \
        }                                                                                                                                 \
      for (; i < n; i++) {                                                                                                                \
        const A v = (A)LOAD(*(const T *)(x_ + i * stride));                                                                               \
        acc = COMBINE(acc, MAP(v, c), A);                                                                                                 \
      }                                                                                                                                   \
      if (n >= 4) {                                                                                                                       \
        A low = COMBINE(more[0], more[2], A), high = COMBINE(more[1], more[3], A);                                                        \
        low = COMBINE(low, high, A);                                                                                                      \
        acc = COMBINE(low, acc, A);                                                                                                       \
      }                                                                                                                                   \
    }                                                                                                                                     \
    *(A *)acc_ = acc;                                                                                                                     \
  }                                                                                                                                       \
  static void name##_rows(void *acc_, const char *x_, int64_t n, int64_t row, int64_t w, int64_t column, const tj__reduce_params *params, \
                          int64_t at) {                                                                                                   \
    A *acc = acc_;                                                                                                                        \
    double c[WIDTH_OF(sizeof(A))];                                                                                                        \
    for (int64_t l = 0; l < w; l++) c[l] = params->centers ? ((const double *)params->centers)[at + l] : params->p;                       \
    (void)c;                                                                                                                              \
    A sums[WIDTH_OF(sizeof(A))];                                                                                                          \
    for (int64_t l = 0; l < w; l++) sums[l] = (A)(INIT);                                                                                  \
    if (column == (int64_t)sizeof(T)) {                                                                                                   \
      int64_t i = 0;                                                                                                                      \
      for (; i + 4 <= n; i += 4) { /* four rows at a time, in their order: the sums are in memory */                                      \
        const T *x0 = (const T *)(x_ + i * row), *x1 = (const T *)(x_ + (i + 1) * row);                                                   \
        const T *x2 = (const T *)(x_ + (i + 2) * row), *x3 = (const T *)(x_ + (i + 3) * row);                                             \
        for (int64_t l = 0; l < w; l++) {                                                                                                 \
          const A v0 = (A)LOAD(x0[l]), v1 = (A)LOAD(x1[l]), v2 = (A)LOAD(x2[l]), v3 = (A)LOAD(x3[l]);                                     \
          A sum = sums[l];                                                                                                                \
          sum = COMBINE(sum, MAP(v0, c[l]), A);                                                                                           \
          sum = COMBINE(sum, MAP(v1, c[l]), A);                                                                                           \
          sum = COMBINE(sum, MAP(v2, c[l]), A);                                                                                           \
          sums[l] = COMBINE(sum, MAP(v3, c[l]), A);                                                                                       \
        }                                                                                                                                 \
      }                                                                                                                                   \
      for (; i < n; i++) {                                                                                                                \
        const T *x = (const T *)(x_ + i * row);                                                                                           \
        for (int64_t l = 0; l < w; l++) {                                                                                                 \
          const A v = (A)LOAD(x[l]);                                                                                                      \
          sums[l] = COMBINE(sums[l], MAP(v, c[l]), A);                                                                                    \
        }                                                                                                                                 \
      }                                                                                                                                   \
    } else {                                                                                                                              \
      for (int64_t l = 0; l < w; l++)                                                                                                     \
        for (int64_t i = 0; i < n; i++) {                                                                                                 \
          const A v = (A)LOAD(*(const T *)(x_ + i * row + l * column));                                                                   \
          sums[l] = COMBINE(sums[l], MAP(v, c[l]), A);                                                                                    \
        }                                                                                                                                 \
    }                                                                                                                                     \
    for (int64_t l = 0; l < w; l++) acc[l] = sums[l];                                                                                     \
  }                                                                                                                                       \
  static void name##_combine(void *acc_, const void *other_, int64_t w) {                                                                 \
    A *acc = acc_;                                                                                                                        \
    const A *other = other_;                                                                                                              \
    for (int64_t i = 0; i < w; i++) acc[i] = COMBINE(acc[i], other[i], A);                                                                \
  }                                                                                                                                       \
  static void name##_store(char *out_, int64_t at, const void *acc_, int64_t w, const tj__reduce_params *params) {                        \
    OUT *out = (OUT *)out_ + at;                                                                                                          \
    const A *acc = acc_;                                                                                                                  \
    (void)params;                                                                                                                         \
    for (int64_t i = 0; i < w; i++) out[i] = (OUT)FINISH(acc[i]);                                                                         \
  }                                                                                                                                       \
  static const reducer name = {sizeof(A), sizeof(T), name##_init, name##_row, name##_rows, name##_combine, name##_store};

#define ADD(a, b, A) ((A)((a) + (b)))
#define MUL(a, b, A) ((A)((a) * (b)))
/* NaN-propagating where the type has NaNs; a != a is false for integers. */
#define LARGER(a, b, A) ((((b) > (a)) | ((b) != (b))) ? (A)(b) : (a))
#define SMALLER(a, b, A) ((((b) < (a)) | ((b) != (b))) ? (A)(b) : (a))
#define AS_IS(v, c) (v)
#define NO_NAN(v, c) ((v) != (v) ? 0 : (v))
#define SQUARE(v, c) ((v) * (v))
#define DEVIATION(v, c) (((v) - (c)) * ((v) - (c)))
#define ABS_F(v, c) fabsf(v)
#define ABS_D(v, c) fabs(v)
#define POW_F(v, c) powf(fabsf(v), (float)(c))
#define POW_D(v, c) pow(fabs(v), (c))
#define TO_HALF(v) tj__float_to_half(v)
#define SQRT_HALF(v) tj__float_to_half(sqrtf(v))
#define ROOT_HALF(v) tj__float_to_half(powf(v, (float)(1.0 / params->p)))
#define SQRT_BF(v) tj__float_to_bfloat16(sqrtf(v))
#define ROOT_BF(v) tj__float_to_bfloat16(powf(v, (float)(1.0 / params->p)))
#define ROOT_F(v) powf(v, (float)(1.0 / params->p))
#define ROOT_D(v) pow(v, 1.0 / params->p)

REDUCER(sum_b8, uint8_t, int64_t, TJ__SAME, 0, AS_IS, ADD, int64_t, TJ__SAME)
#define HOT(tag, T, A, LOAD, STORE, SQRT, ROOT, ABS, POW)                \
  REDUCER(sum_##tag, T, A, LOAD, 0, AS_IS, ADD, T, STORE)                \
  REDUCER(max_##tag, T, A, LOAD, -INFINITY, AS_IS, LARGER, T, STORE)     \
  REDUCER(min_##tag, T, A, LOAD, INFINITY, AS_IS, SMALLER, T, STORE)     \
  REDUCER(norm2_##tag, T, A, LOAD, 0, SQUARE, ADD, T, SQRT)              \
  REDUCER(sum64_##tag, T, double, LOAD, 0, AS_IS, ADD, double, TJ__SAME) \
  REDUCER(sqdev64_##tag, T, double, LOAD, 0, DEVIATION, ADD, double, TJ__SAME)
#define COLD_FLOATING(tag, T, A, LOAD, STORE, SQRT, ROOT, ABS, POW) \
  REDUCER(nansum_##tag, T, A, LOAD, 0, NO_NAN, ADD, T, STORE)       \
  REDUCER(prod_##tag, T, A, LOAD, 1, AS_IS, MUL, T, STORE)          \
  REDUCER(norm1_##tag, T, A, LOAD, 0, ABS, ADD, T, STORE)           \
  REDUCER(normp_##tag, T, A, LOAD, 0, POW, ADD, T, ROOT)            \
  REDUCER(norminf_##tag, T, A, LOAD, 0, ABS, LARGER, T, STORE)      \
  REDUCER(normneginf_##tag, T, A, LOAD, INFINITY, ABS, SMALLER, T, STORE)
#define EACH_FLOATING(X)                                                                  \
  X(f32, float, float, TJ__SAME, TJ__SAME, sqrtf, ROOT_F, ABS_F, POW_F)                   \
  X(f64, double, double, TJ__SAME, TJ__SAME, sqrt, ROOT_D, ABS_D, POW_D)                  \
  X(f16, uint16_t, float, tj__half_to_float, TO_HALF, SQRT_HALF, ROOT_HALF, ABS_F, POW_F) \
  X(bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, SQRT_BF, ROOT_BF, ABS_F, POW_F)
EACH_FLOATING(HOT)
#if TJ__BASELINE
EACH_FLOATING(COLD_FLOATING)
#else
REDUCER(prod_f32, float, float, TJ__SAME, 1, AS_IS, MUL, float, TJ__SAME)
#endif

/* float32's extremes along a row: the processor's maximum passes NaN over, which are looked for on the side; rows that hold one are rare. */
#if defined(__AVX512F__)
#define EXTREME_ROW(name, PICK, REDUCE, SLOW)                                                                                 \
  static void name##_row(void *acc, const char *x_, int64_t n, int64_t stride, const tj__reduce_params *params, int64_t at) { \
    const float *x = (const float *)(const void *)x_;                                                                         \
    __m512 best[4];                                                                                                           \
    __mmask16 nan = 0;                                                                                                        \
    int64_t i = 64;                                                                                                           \
    if (stride == (int64_t)sizeof(float) && n >= 128) {                                                                       \
      for (int k = 0; k < 4; k++) best[k] = _mm512_loadu_ps(x + 16 * k);                                                      \
      nan = _mm512_cmp_ps_mask(best[0], best[1], _CMP_UNORD_Q) | _mm512_cmp_ps_mask(best[2], best[3], _CMP_UNORD_Q);          \
      for (; i + 64 <= n; i += 64) {                                                                                          \
        __m512 v[4];                                                                                                          \
        for (int k = 0; k < 4; k++) v[k] = _mm512_loadu_ps(x + i + 16 * k), best[k] = PICK(v[k], best[k]);                    \
        nan |= _mm512_cmp_ps_mask(v[0], v[1], _CMP_UNORD_Q) | _mm512_cmp_ps_mask(v[2], v[3], _CMP_UNORD_Q);                   \
      }                                                                                                                       \
      if (!nan) {                                                                                                             \
        const float most = REDUCE(PICK(PICK(best[0], best[1]), PICK(best[2], best[3])));                                      \
        *(float *)acc = most;                                                                                                 \
        if (i < n) {                                                                                                          \
          float rest;                                                                                                         \
          SLOW.row(&rest, (const char *)(x + i), n - i, stride, params, at);                                                  \
          SLOW.combine(acc, &rest, 1);                                                                                        \
        }                                                                                                                     \
        return;                                                                                                               \
      }                                                                                                                       \
    }                                                                                                                         \
    SLOW.row(acc, x_, n, stride, params, at);                                                                                 \
  }                                                                                                                           \
  static const reducer name = {sizeof(float), sizeof(float), SLOW##_init, name##_row, SLOW##_rows, SLOW##_combine, SLOW##_store};
EXTREME_ROW(largest_f32, _mm512_max_ps, _mm512_reduce_max_ps, max_f32)
EXTREME_ROW(smallest_f32, _mm512_min_ps, _mm512_reduce_min_ps, min_f32)
#endif

#define INTEGER(tag, T, LOWEST, HIGHEST)                                 \
  REDUCER(max_##tag, T, T, TJ__SAME, LOWEST, AS_IS, LARGER, T, TJ__SAME) \
  REDUCER(min_##tag, T, T, TJ__SAME, HIGHEST, AS_IS, SMALLER, T, TJ__SAME)
REDUCER(sum_i64, int64_t, uint64_t, TJ__SAME, 0, AS_IS, ADD, int64_t, TJ__SAME) /* unsigned: wraps */
INTEGER(i64, int64_t, INT64_MIN, INT64_MAX)
INTEGER(u8, uint8_t, 0, UINT8_MAX)
#if TJ__BASELINE
REDUCER(prod_i64, int64_t, uint64_t, TJ__SAME, 1, AS_IS, MUL, int64_t, TJ__SAME)
REDUCER(sum_c64, tj__c64, tj__c64, TJ__SAME, 0, AS_IS, ADD, tj__c64, TJ__SAME)
REDUCER(prod_c64, tj__c64, tj__c64, TJ__SAME, 1, AS_IS, MUL, tj__c64, TJ__SAME)
REDUCER(sum_c128, tj__c128, tj__c128, TJ__SAME, 0, AS_IS, ADD, tj__c128, TJ__SAME)
REDUCER(prod_c128, tj__c128, tj__c128, TJ__SAME, 1, AS_IS, MUL, tj__c128, TJ__SAME)
INTEGER(i8, int8_t, INT8_MIN, INT8_MAX)
INTEGER(i16, int16_t, INT16_MIN, INT16_MAX)
INTEGER(i32, int32_t, INT32_MIN, INT32_MAX)
INTEGER(u16, uint16_t, 0, UINT16_MAX)
INTEGER(u32, uint32_t, 0, UINT32_MAX)
INTEGER(u64, uint64_t, 0, UINT64_MAX)
#endif

static const reducer *find(tj__reduce_kind kind, int dtype) {
#define OF_FLOATING(name)                  \
  switch (dtype) {                         \
    case TJ_FLOAT32: return &name##_f32;   \
    case TJ_FLOAT64: return &name##_f64;   \
    case TJ_FLOAT16: return &name##_f16;   \
    case TJ_BFLOAT16: return &name##_bf16; \
    default: return NULL;                  \
  }
#if TJ__BASELINE
#define OF_REAL(name)                   \
  switch (dtype) {                      \
    case TJ_BOOL:                       \
    case TJ_UINT8: return &name##_u8;   \
    case TJ_INT8: return &name##_i8;    \
    case TJ_INT16: return &name##_i16;  \
    case TJ_INT32: return &name##_i32;  \
    case TJ_INT64: return &name##_i64;  \
    case TJ_UINT16: return &name##_u16; \
    case TJ_UINT32: return &name##_u32; \
    case TJ_UINT64: return &name##_u64; \
    default: break;                     \
  }                                     \
  OF_FLOATING(name)
#else
#define OF_REAL(name)                                           \
  if (dtype == TJ_INT64) return &name##_i64;                    \
  if (dtype == TJ_UINT8 || dtype == TJ_BOOL) return &name##_u8; \
  OF_FLOATING(name)
#endif
  switch (kind) {
    case TJ__REDUCE_SUM:
      if (dtype == TJ_BOOL || dtype == TJ_UINT8) return &sum_b8;
      if (dtype == TJ_INT64) return &sum_i64;
#if TJ__BASELINE
      if (dtype == TJ_COMPLEX64) return &sum_c64;
      if (dtype == TJ_COMPLEX128) return &sum_c128;
#endif
      OF_FLOATING(sum)
#if defined(__AVX512F__)
    case TJ__REDUCE_MAX:
      if (dtype == TJ_FLOAT32) return &largest_f32;
      OF_REAL(max)
    case TJ__REDUCE_MIN:
      if (dtype == TJ_FLOAT32) return &smallest_f32;
      OF_REAL(min)
#else
    case TJ__REDUCE_MAX: OF_REAL(max)
    case TJ__REDUCE_MIN: OF_REAL(min)
#endif
#if !TJ__BASELINE
    case TJ__REDUCE_PROD: return dtype == TJ_FLOAT32 ? &prod_f32 : NULL;
#endif
    case TJ__REDUCE_NORM2: OF_FLOATING(norm2)
    case TJ__REDUCE_SUM64: OF_FLOATING(sum64)
    case TJ__REDUCE_SQDEV64: OF_FLOATING(sqdev64)
#if TJ__BASELINE
    case TJ__REDUCE_PROD:
      if (dtype == TJ_INT64) return &prod_i64;
      if (dtype == TJ_COMPLEX64) return &prod_c64;
      if (dtype == TJ_COMPLEX128) return &prod_c128;
      OF_FLOATING(prod)
    case TJ__REDUCE_NANSUM: OF_FLOATING(nansum)
    case TJ__REDUCE_NORM1: OF_FLOATING(norm1)
    case TJ__REDUCE_NORMP: OF_FLOATING(normp)
    case TJ__REDUCE_NORMINF: OF_FLOATING(norminf)
    case TJ__REDUCE_NORMNEGINF: OF_FLOATING(normneginf)
#endif
    default: break;
  }
  return NULL;
}

/* ---- pairwise combination --------------------------------------------------------------------------------------- */

/* Level k holds the combination of 2^k pieces when bit k of count is set. */
typedef struct cascade {
  const reducer *r;
  int64_t w;
  uint64_t count;
  char *levels; /* LEVELS * w accumulators */
} cascade;

static void cascade_add(cascade *c, void *piece) {
  size_t bytes = (size_t)c->w * (size_t)c->r->size;
  int level = 0;
  for (uint64_t bits = c->count; bits & 1; bits >>= 1, level++) c->r->combine(piece, c->levels + (size_t)level * bytes, c->w);
  memcpy(c->levels + (size_t)level * bytes, piece, bytes);
  c->count++;
}

static void cascade_take(const cascade *c, void *acc) {
  size_t bytes = (size_t)c->w * (size_t)c->r->size;
  bool first = true;
  int level = 0;
  for (uint64_t bits = c->count; bits; bits >>= 1, level++) {
    if (!(bits & 1)) continue;
    if (first) memcpy(acc, c->levels + (size_t)level * bytes, bytes);
    else c->r->combine(acc, c->levels + (size_t)level * bytes, c->w);
    first = false;
  }
  if (first) c->r->init(acc, c->w);
}

/* ---- the walk --------------------------------------------------------------------------------------------------- */

typedef struct job {
  const reducer *r;
  const tj__reduce_geometry *g;
  const tj__reduce_params *params;
  const char *in;
  char *out;
  int64_t width;         /* outputs of a block: neighbours along the last kept dimension */
  int64_t blocks_a_line; /* blocks along that dimension */
  int64_t n_parts, part; /* the reduced elements are taken in n_parts parts of `part` */
  char *partial;         /* [block][part][width], when n_parts > 1 */
} job;

static int64_t kept_inner(const tj__reduce_geometry *g) { return g->n_kept ? g->kept[g->n_kept - 1] : 1; }

/* Reduced elements [begin, end) (numbered over all reduced dimensions) of a block of w outputs at p. */
static void reduce_range(const job *j, void *acc, const char *p, int64_t w, int64_t column, int64_t begin, int64_t end, int64_t at) {
  const tj__reduce_geometry *g = j->g;
  const reducer *r = j->r;
  _Alignas(64) char levels[LEVELS * BLOCK_BYTES], piece[BLOCK_BYTES];
  cascade c = {r, w, 0, levels};
  int last = g->n_reduced - 1;
  int64_t inner = last >= 0 ? g->reduced[last] : 1, step = last >= 0 ? g->reduced_strides[last] * r->item : 0;
  int64_t limit = w > 1 ? ROWS : PIECE;
  while (begin < end) {
    int64_t line = begin / inner, from = begin - line * inner;
    int64_t n = TJ__MIN(TJ__MIN(inner - from, end - begin), limit);
    const char *q = p + from * step;
    for (int d = last - 1; d >= 0; d--) {
      int64_t quotient = line / g->reduced[d];
      q += (line - quotient * g->reduced[d]) * g->reduced_strides[d] * r->item;
      line = quotient;
    }
    if (w == 1) r->row(piece, q, n, step, j->params, at);
    else r->rows(piece, q, n, step, w, column, j->params, at);
    if (begin + n == end && c.count == 0) {
      memcpy(acc, piece, (size_t)w * (size_t)r->size);
      return;
    }
    cascade_add(&c, piece);
    begin += n;
  }
  cascade_take(&c, acc);
}

static void run_tasks(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  const tj__reduce_geometry *g = j->g;
  int64_t inner = kept_inner(g), stride = g->n_kept ? g->kept_strides[g->n_kept - 1] * j->r->item : 0;
  _Alignas(64) char acc[BLOCK_BYTES];
  for (int64_t task = begin; task < end; task++) {
    int64_t block = task / j->n_parts, part = task - block * j->n_parts;
    int64_t line = block / j->blocks_a_line, first = (block - line * j->blocks_a_line) * j->width;
    int64_t w = TJ__MIN(j->width, inner - first), at = line * inner + first;
    const char *p = j->in + first * stride;
    for (int d = g->n_kept - 2; d >= 0; d--) {
      int64_t quotient = line / g->kept[d];
      p += (line - quotient * g->kept[d]) * g->kept_strides[d] * j->r->item;
      line = quotient;
    }
    if (j->n_parts == 1) {
      reduce_range(j, acc, p, w, stride, 0, g->n_in, at);
      j->r->store(j->out, at, acc, w, j->params);
    } else {
      reduce_range(j, j->partial + (size_t)(task * j->width) * (size_t)j->r->size, p, w, stride, part * j->part,
                   TJ__MIN(g->n_in, (part + 1) * j->part), at);
    }
  }
}

static void join_parts(const job *j, int64_t n_blocks) {
  int64_t inner = kept_inner(j->g);
  size_t size = (size_t)j->r->size;
  _Alignas(64) char levels[LEVELS * BLOCK_BYTES], acc[BLOCK_BYTES];
  for (int64_t block = 0; block < n_blocks; block++) {
    int64_t line = block / j->blocks_a_line, first = (block - line * j->blocks_a_line) * j->width;
    int64_t w = TJ__MIN(j->width, inner - first);
    cascade c = {j->r, w, 0, levels};
    for (int64_t part = 0; part < j->n_parts; part++) cascade_add(&c, j->partial + (size_t)((block * j->n_parts + part) * j->width) * size);
    cascade_take(&c, acc);
    j->r->store(j->out, line * inner + first, acc, w, j->params);
  }
}

static bool reduce(tj__reduce_kind kind, tj_tensor *out, const tj_tensor *in, const tj__reduce_geometry *g,
                   const tj__reduce_params *params) {
  static const tj__reduce_params none = {0, NULL};
  const reducer *r = find(kind, in->dtype);
  if (!r && !TJ__BASELINE) return tj__cpu_reduce_base.reduce(kind, out, in, g, params);
  if (!r) return tj__fail(TJ_ERROR_RUNTIME, "this reduction is not implemented for '%s'", tj__dtype_legacy((tj_dtype)in->dtype)) != NULL;
  if (g->n_out == 0) return true;
  job j = {.r = r,
           .g = g,
           .params = params ? params : &none,
           .in = tj__read(in),
           .out = tj__write(out),
           .width = 1,
           .n_parts = 1,
           .part = g->n_in};
  int64_t inner = kept_inner(g);
  if (g->n_kept && inner > 1) {
    /* Several outputs side by side: when they are neighbours in memory, or when each has so few elements that a call for it alone would be most of the work. */
    int64_t kept_stride = llabs((long long)g->kept_strides[g->n_kept - 1]);
    int64_t last = g->n_reduced ? g->reduced[g->n_reduced - 1] : 1,
            last_stride = g->n_reduced ? llabs((long long)g->reduced_strides[g->n_reduced - 1]) : 0;
    if (kept_stride < last_stride || last < 24) j.width = TJ__MIN(inner, WIDTH_OF(r->size));
  }
  j.blocks_a_line = (inner + j.width - 1) / j.width;
  int64_t n_blocks = g->n_out / inner * j.blocks_a_line, block_work = g->n_in * j.width;
  if (n_blocks < 32 && block_work >= 2 * PART) {
    j.part = TJ__MAX(PART / j.width, (g->n_in + 255) / 256);
    j.n_parts = (g->n_in + j.part - 1) / j.part;
  }
  if (j.n_parts == 1) {
    tj__parallel_for(n_blocks, TJ__MAX(1, TJ__GRAIN / TJ__MAX(block_work, 1)), run_tasks, &j);
    return true;
  }
  size_t bytes = (size_t)(n_blocks * j.n_parts * j.width) * (size_t)r->size;
  j.partial = tj__alloc(bytes);
  if (!j.partial) return false;
  tj__parallel_for(n_blocks * j.n_parts, 1, run_tasks, &j);
  join_parts(&j, n_blocks);
  tj__free(j.partial, bytes);
  return true;
}

/* ---- largest and smallest, and where ------------------------------------------------------------------------------ */

enum { LINES = 64 }; /* results of a block, which has a place of each as well */

typedef struct extremes_job {
  const char *in;
  char *values;
  int64_t *indices;
  int64_t n, inner, blocks_a_line;
  const reducer *alone; /* the extreme of a line */
} extremes_job;

#define BEYOND_MAX(a, b) ((a) > (b))
#define BEYOND_MIN(a, b) ((a) < (b))
/* A line alone: the extreme first, then the first place where it is. Lines side by side: both at once. */
#define EXTREMES(DTYPE, tag, T, A, LOAD, STORE, BEYOND)                                           \
  static int64_t first_##BEYOND##_##tag(const T *x, int64_t n, A best) {                          \
    int64_t i = 0;                                                                                \
    if (best != best) {                                                                           \
      while ((A)LOAD(x[i]) == (A)LOAD(x[i])) i++;                                                 \
      return i;                                                                                   \
    }                                                                                             \
    for (; i + LANES <= n; i += LANES) {                                                          \
      int hit = 0;                                                                                \
      for (int l = 0; l < LANES; l++) hit |= (A)LOAD(x[i + l]) == best;                           \
      if (!hit) continue;                                                                         \
      int at = LANES;                                                                             \
      for (int l = 0; l < LANES; l++) at = TJ__MIN(at, (A)LOAD(x[i + l]) == best ? l : LANES);    \
      return i + at;                                                                              \
    }                                                                                             \
    while (i < n - 1 && (A)LOAD(x[i]) != best) i++;                                               \
    return i;                                                                                     \
  }                                                                                               \
  static void extremes_##BEYOND##_##tag(int64_t begin, int64_t end, void *context) {              \
    const extremes_job *j = context;                                                              \
    for (int64_t task = begin; task < end; task++) {                                              \
      int64_t outer = task / j->blocks_a_line, first = (task - outer * j->blocks_a_line) * LINES; \
      const T *x = (const T *)j->in + outer * j->n * j->inner + first;                            \
      int64_t w = TJ__MIN(LINES, j->inner - first), at = outer * j->inner + first;                \
      if (j->inner == 1) {                                                                        \
        const tj__reduce_params none = {0, NULL};                                                 \
        A most;                                                                                   \
        j->alone->row(&most, (const char *)x, j->n, sizeof(T), &none, 0);                         \
        const int64_t place = first_##BEYOND##_##tag(x, j->n, most);                              \
        if (j->values) ((T *)j->values)[at] = x[place];                                           \
        if (j->indices) j->indices[at] = place;                                                   \
        continue;                                                                                 \
      }                                                                                           \
      T best[LINES];                                                                              \
      int64_t where[LINES];                                                                       \
      for (int64_t l = 0; l < w; l++) best[l] = x[l], where[l] = 0;                               \
      for (int64_t i = 1; i < j->n; i++) {                                                        \
        const T *row = x + i * j->inner;                                                          \
        for (int64_t l = 0; l < w; l++) {                                                         \
          const A v = (A)LOAD(row[l]), b = (A)LOAD(best[l]);                                      \
          const bool better = BEYOND(v, b) || (v != v && b == b);                                 \
          best[l] = better && b == b ? row[l] : best[l];                                          \
          where[l] = better && b == b ? i : where[l];                                             \
        }                                                                                         \
      }                                                                                           \
      for (int64_t l = 0; l < w; l++) {                                                           \
        if (j->values) ((T *)j->values)[at + l] = best[l];                                        \
        if (j->indices) j->indices[at + l] = where[l];                                            \
      }                                                                                           \
    }                                                                                             \
  }
#if TJ__BASELINE
#define EACH_REAL TJ__ELEMENTS_REAL
#else
#define EACH_REAL(X, E) TJ__ELEMENTS_FLOATING(X, E) X(TJ_INT64, i64, int64_t, int64_t, TJ__SAME, TJ__SAME, E)
#endif
EACH_REAL(EXTREMES, BEYOND_MAX)
EACH_REAL(EXTREMES, BEYOND_MIN)

static bool extremes(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  if (outer * inner == 0) return true;
  extremes_job j = {tj__read(in),
                    values ? tj__write(values) : NULL,
                    indices ? tj__write(indices) : NULL,
                    n,
                    inner,
                    (inner + LINES - 1) / LINES,
                    find(largest ? TJ__REDUCE_MAX : TJ__REDUCE_MIN, in->dtype)};
  tj__range_body body = NULL;
  switch (in->dtype) {
#define CASE(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = largest ? extremes_BEYOND_MAX_##tag : extremes_BEYOND_MIN_##tag; break;
    EACH_REAL(CASE, )
    default:
      if (!TJ__BASELINE) return tj__cpu_reduce_base.extremes(largest, values, indices, in, outer, n, inner);
      return tj__fail(TJ_ERROR_RUNTIME, "this reduction is not implemented for '%s'", tj__dtype_legacy((tj_dtype)in->dtype)) != NULL;
  }
  tj__parallel_for(outer * j.blocks_a_line, TJ__MAX(1, TJ__GRAIN / (n * TJ__MIN(inner, LINES))), body, &j);
  return true;
}

/* ---- sums of what a pointwise loop gives ------------------------------------------------------------------------ */

enum { TOTAL_PART = 32 * PIECE };

typedef struct total_job {
  tj__loop loop;
  const tj__params *params;
  const float *inputs[2];
  int n_inputs;
  double *parts; /* one for each TOTAL_PART elements */
} total_job;

static void total_body(int64_t begin, int64_t end, void *context) {
  const total_job *j = context;
  _Alignas(64) float block[PIECE];
  const tj__reduce_params none = {0, NULL};
  double sum = 0;
  for (int64_t i = begin; i < end; i += PIECE) {
    const int64_t n = TJ__MIN(PIECE, end - i);
    char *data[] = {(char *)block, (char *)(uintptr_t)(j->inputs[0] + i), j->n_inputs > 1 ? (char *)(uintptr_t)(j->inputs[1] + i) : NULL};
    j->loop(data, (int64_t[]){sizeof(float), sizeof(float), sizeof(float)}, n, j->params);
    float piece;
    sum_f32_row(&piece, (const char *)block, n, sizeof(float), &none, 0);
    sum += (double)piece;
  }
  j->parts[begin / TOTAL_PART] = sum;
}

static bool total(double *sum, tj__loop loop, const tj__params *params, tj_tensor *const *inputs, int n_inputs) {
  const int64_t n = inputs[0]->numel, n_parts = (n + TOTAL_PART - 1) / TOTAL_PART;
  const size_t bytes = (size_t)n_parts * sizeof(double);
  total_job j = {.loop = loop, .params = params, .n_inputs = n_inputs, .parts = tj__alloc(bytes)};
  if (!j.parts) return false;
  for (int k = 0; k < n_inputs; k++) j.inputs[k] = tj__read(inputs[k]);
  tj__parallel_chunks(n, TOTAL_PART, total_body, &j);
  *sum = 0;
  for (int64_t k = 0; k < n_parts; k++) *sum += j.parts[k];
  tj__free(j.parts, bytes);
  return true;
}

const tj__reduce_kernels TJ__ISA(tj__cpu_reduce) = {reduce, extremes, total};
