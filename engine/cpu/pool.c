/* cpu/pool.c: pooling on the CPU, plane by plane. */
#include "../kernels/pool.h"

#include <math.h>

typedef struct job {
  const tj__pool_shape *s;
  const void *in;
  void *out;
  int64_t *indices;
} job;

#define SAME(x) (x)
#define NEVER(x) 0
#define IS_NAN(x) ((x) != (x))

#define BLOCK 16 /* windows in whole vectors */

/* Windows of the last dimension that are whole and evenly spaced: most of them, and loops over them are over vectors. */
typedef struct inner {
  int64_t begin, end, stride, taps;
} inner;

/* Of `n` windows from w on, how many a strip works on: up to a whole block where what lies behind the row can be read and is not used. */
static inline int strip_of(const tj__pool_shape *s, const inner *r, int n, int64_t plane, int64_t d, int64_t h, int64_t w) {
  const int whole = (n + BLOCK - 1) / BLOCK * BLOCK;
  const int64_t last = ((plane * s->in[0] + s->end[0][d] - 1) * s->in[1] + s->end[1][h] - 1) * s->in[2] + s->start[2][w] +
                       (whole - 1) * r->stride + (r->taps - 1) * s->step[2];
  return last < s->planes * s->in[0] * s->in[1] * s->in[2] ? whole : n;
}

static inner inner_of(const tj__pool_shape *s) {
  const int64_t *start = s->start[2], *end = s->end[2], *extent = s->extent[2], n = s->out[2], middle = n / 2;
  inner r = {.begin = middle, .end = middle};
  if (s->in[0] * s->in[1] * s->in[2] > INT32_MAX || n < 4) return r;
  const int64_t width = end[middle] - start[middle];
  r.stride = start[middle + 1] - start[middle];
  r.taps = (width + s->step[2] - 1) / s->step[2];
#define LIKE_MIDDLE(w) \
  (start[w] == start[middle] + ((w)-middle) * r.stride && end[w] - start[w] == width && (!extent || extent[w] == extent[middle]))
  while (r.begin > 0 && LIKE_MIDDLE(r.begin - 1)) r.begin--;
  while (r.end < n && LIKE_MIDDLE(r.end)) r.end++;
  return r;
}

#define STRIP 64 /* windows whose results are kept while the taps run */

/* STATEMENT for q < n, with x the element of window q's tap, which is `shift` elements behind the row's. Taps `tap` and the next one are
 * taken together where the stride is 2: every element is read once, in order. */
#define OVER_STRIP(T, GET, V, row, pair, stride, n, STATEMENT)           \
  do {                                                                   \
    const T *from_ = (row);                                              \
    if (pair) {                                                          \
      const int whole_ = (n) / BLOCK * BLOCK;                            \
      if (whole_ == (n)) {                                               \
        for (int q = 0; q < whole_; q++) PAIR_OF_TAPS(GET, V, STATEMENT) \
      } else {                                                           \
        for (int q = 0; q < (n); q++) PAIR_OF_TAPS(GET, V, STATEMENT)    \
      }                                                                  \
      break;                                                             \
    }                                                                    \
    enum { shift = 0 };                                                  \
    if ((stride) == 1) {                                                 \
      for (int q = 0; q < (n); q++) {                                    \
        const V x = GET(from_[q]);                                       \
        STATEMENT;                                                       \
      }                                                                  \
    } else {                                                             \
      for (int q = 0; q < (n); q++) {                                    \
        const V x = GET(from_[q * (stride)]);                            \
        STATEMENT;                                                       \
      }                                                                  \
    }                                                                    \
  } while (0)
#define PAIR_OF_TAPS(GET, V, STATEMENT)  \
  {                                      \
    {                                    \
      enum { shift = 0 };                \
      const V x = GET(from_[2 * q]);     \
      STATEMENT;                         \
    }                                    \
    {                                    \
      enum { shift = 1 };                \
      const V x = GET(from_[2 * q + 1]); \
      STATEMENT;                         \
    }                                    \
  }

/* T: stored; V: computed in; I: integer of V's size; LOWEST: below everything; NAN_OF(v): v is NaN */
#define LARGEST(SUFFIX, T, V, I, GET, PUT, LOWEST, NAN_OF)                                                                            \
  static inline void window_##SUFFIX(const tj__pool_shape *s, const T *in, int64_t d, int64_t h, int64_t w, T *out, int64_t *index) { \
    int64_t best = (s->start[0][d] * s->in[1] + s->start[1][h]) * s->in[2] + s->start[2][w];                                          \
    V top = LOWEST;                                                                                                                   \
    for (int64_t z = s->start[0][d]; z < s->end[0][d]; z += s->step[0])                                                               \
      for (int64_t y = s->start[1][h]; y < s->end[1][h]; y += s->step[1])                                                             \
        for (int64_t x = s->start[2][w]; x < s->end[2][w]; x += s->step[2]) {                                                         \
          int64_t at = (z * s->in[1] + y) * s->in[2] + x;                                                                             \
          V v = GET(in[at]);                                                                                                          \
          if (v > top || NAN_OF(v)) top = v, best = at;                                                                               \
        }                                                                                                                             \
    *out = PUT(top);                                                                                                                  \
    *index = best;                                                                                                                    \
  }                                                                                                                                   \
  static void largest_##SUFFIX(int64_t begin, int64_t end, void *context) {                                                           \
    const job *j = context;                                                                                                           \
    const tj__pool_shape *s = j->s;                                                                                                   \
    const int64_t n_in = s->in[0] * s->in[1] * s->in[2], n_out = s->out[0] * s->out[1] * s->out[2];                                   \
    const inner r = inner_of(s);                                                                                                      \
    for (int64_t plane = begin; plane < end; plane++) {                                                                               \
      const T *in = (const T *)j->in + plane * n_in;                                                                                  \
      T *out = (T *)j->out + plane * n_out;                                                                                           \
      int64_t *indices = j->indices + plane * n_out;                                                                                  \
      for (int64_t d = 0; d < s->out[0]; d++)                                                                                         \
        for (int64_t h = 0; h < s->out[1]; h++, out += s->out[2], indices += s->out[2]) {                                             \
          for (int64_t w = 0; w < r.begin; w++) window_##SUFFIX(s, in, d, h, w, out + w, indices + w);                                \
          for (int64_t w = r.end; w < s->out[2]; w++) window_##SUFFIX(s, in, d, h, w, out + w, indices + w);                          \
          for (int64_t w = r.begin; w < r.end; w += STRIP) {                                                                          \
            const int wanted = (int)TJ__MIN(STRIP, r.end - w), n = strip_of(s, &r, wanted, plane, d, h, w);                           \
            V top[STRIP];                                                                                                             \
            I best[STRIP]; /* the tap's distance from the first window's start */                                                     \
            const int64_t first = (s->start[0][d] * s->in[1] + s->start[1][h]) * s->in[2] + s->start[2][w];                           \
            for (int q = 0; q < n; q++) top[q] = LOWEST, best[q] = 0;                                                                 \
            for (int64_t z = s->start[0][d]; z < s->end[0][d]; z += s->step[0])                                                       \
              for (int64_t y = s->start[1][h]; y < s->end[1][h]; y += s->step[1])                                                     \
                for (int64_t tap = 0, pair; tap < r.taps; tap += 1 + pair) {                                                          \
                  pair = r.stride == 2 && s->step[2] == 1 && tap + 1 < r.taps;                                                        \
                  const int64_t at = (z * s->in[1] + y) * s->in[2] + s->start[2][w] + tap * s->step[2];                               \
                  const I distance = (I)(at - first);                                                                                 \
                  OVER_STRIP(T, GET, V, in + at, pair, r.stride, n, {                                                                 \
                    const bool more = (x > top[q]) | NAN_OF(x);                                                                       \
                    top[q] = more ? x : top[q];                                                                                       \
                    best[q] = more ? (I)(distance + shift) : best[q];                                                                 \
                  });                                                                                                                 \
                }                                                                                                                     \
            for (int q = 0; q < wanted; q++) out[w + q] = PUT(top[q]);                                                                \
            for (int q = 0; q < wanted; q++) indices[w + q] = first + q * r.stride + best[q];                                         \
          }                                                                                                                           \
        }                                                                                                                             \
    }                                                                                                                                 \
  }

LARGEST(f32, float, float, int32_t, SAME, SAME, -INFINITY, IS_NAN)
LARGEST(f64, double, double, int64_t, SAME, SAME, -INFINITY, IS_NAN)
LARGEST(f16, uint16_t, float, int32_t, tj__half_to_float, tj__float_to_half, -INFINITY, IS_NAN)
LARGEST(bf16, uint16_t, float, int32_t, tj__bfloat16_to_float, tj__float_to_bfloat16, -INFINITY, IS_NAN)
LARGEST(u8, uint8_t, uint8_t, int32_t, SAME, SAME, 0, NEVER)
LARGEST(i8, int8_t, int8_t, int32_t, SAME, SAME, INT8_MIN, NEVER)
LARGEST(i16, int16_t, int16_t, int32_t, SAME, SAME, INT16_MIN, NEVER)
LARGEST(i32, int32_t, int32_t, int32_t, SAME, SAME, INT32_MIN, NEVER)
LARGEST(i64, int64_t, int64_t, int64_t, SAME, SAME, INT64_MIN, NEVER)

/* What the sum of a window is divided by. */
static inline int64_t divisor_of(const tj__pool_shape *s, int64_t d, int64_t h, int64_t w) {
  return s->divisor ? s->divisor : s->extent[0][d] * s->extent[1][h] * s->extent[2][w];
}

#define AVERAGE(SUFFIX, T, V, GET, PUT)                                                                                                \
  static __attribute__((noinline)) void mean_##SUFFIX(const tj__pool_shape *s, const T *in, int64_t d, int64_t h, int64_t w, T *out) { \
    V sum = 0, lanes[BLOCK] = {0};                                                                                                     \
    for (int64_t z = s->start[0][d]; z < s->end[0][d]; z++)                                                                            \
      for (int64_t y = s->start[1][h]; y < s->end[1][h]; y++) {                                                                        \
        const T *row = in + (z * s->in[1] + y) * s->in[2];                                                                             \
        int64_t x = s->start[2][w];                                                                                                    \
        const int64_t stop = s->end[2][w];                                                                                             \
        for (; x + BLOCK <= stop; x += BLOCK)                                                                                          \
          for (int l = 0; l < BLOCK; l++) lanes[l] += GET(row[x + l]);                                                                 \
        for (; x < stop; x++) sum += GET(row[x]);                                                                                      \
      }                                                                                                                                \
    for (int half = BLOCK / 2; half > 0; half /= 2)                                                                                    \
      for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];                                                                      \
    sum += lanes[0];                                                                                                                   \
    bool empty = s->start[0][d] >= s->end[0][d] || s->start[1][h] >= s->end[1][h] || s->start[2][w] >= s->end[2][w];                   \
    *out = PUT((empty ? (V)0 : (V)(sum / (V)divisor_of(s, d, h, w))));                                                                 \
  }                                                                                                                                    \
  static void average_##SUFFIX(int64_t begin, int64_t end, void *context) {                                                            \
    const job *j = context;                                                                                                            \
    const tj__pool_shape *s = j->s;                                                                                                    \
    const int64_t n_in = s->in[0] * s->in[1] * s->in[2], n_out = s->out[0] * s->out[1] * s->out[2];                                    \
    inner r = inner_of(s);                                                                                                             \
    if (r.taps >= BLOCK) r.end = r.begin; /* a wide window is vectors of its own */                                                    \
    for (int64_t plane = begin; plane < end; plane++) {                                                                                \
      const T *in = (const T *)j->in + plane * n_in;                                                                                   \
      T *out = (T *)j->out + plane * n_out;                                                                                            \
      for (int64_t d = 0; d < s->out[0]; d++)                                                                                          \
        for (int64_t h = 0; h < s->out[1]; h++, out += s->out[2]) {                                                                    \
          const bool empty = s->start[0][d] >= s->end[0][d] || s->start[1][h] >= s->end[1][h] || r.taps <= 0;                          \
          for (int64_t w = 0; w < (empty ? r.end : r.begin); w++) mean_##SUFFIX(s, in, d, h, w, out + w);                              \
          for (int64_t w = r.end; w < s->out[2]; w++) mean_##SUFFIX(s, in, d, h, w, out + w);                                          \
          for (int64_t w = r.begin; w < (empty ? 0 : r.end); w += STRIP) {                                                             \
            const int wanted = (int)TJ__MIN(STRIP, r.end - w), n = strip_of(s, &r, wanted, plane, d, h, w);                            \
            V sums[STRIP];                                                                                                             \
            for (int q = 0; q < n; q++) sums[q] = 0;                                                                                   \
            for (int64_t z = s->start[0][d]; z < s->end[0][d]; z++)                                                                    \
              for (int64_t y = s->start[1][h]; y < s->end[1][h]; y++)                                                                  \
                for (int64_t tap = 0, pair; tap < r.taps; tap += 1 + pair) {                                                           \
                  pair = r.stride == 2 && tap + 1 < r.taps;                                                                            \
                  OVER_STRIP(T, GET, V, in + (z * s->in[1] + y) * s->in[2] + s->start[2][w] + tap, pair, r.stride, n, sums[q] += x);   \
                }                                                                                                                      \
            const V divisor = (V)divisor_of(s, d, h, w);                                                                               \
            for (int q = 0; q < wanted; q++) out[w + q] = PUT((V)(sums[q] / divisor));                                                 \
          }                                                                                                                            \
        }                                                                                                                              \
    }                                                                                                                                  \
  }                                                                                                                                    \
  static void spread_##SUFFIX(int64_t begin, int64_t end, void *context) {                                                             \
    const job *j = context;                                                                                                            \
    const tj__pool_shape *s = j->s;                                                                                                    \
    const int64_t n_in = s->in[0] * s->in[1] * s->in[2], n_out = s->out[0] * s->out[1] * s->out[2];                                    \
    for (int64_t plane = begin; plane < end; plane++) {                                                                                \
      const T *grad = (const T *)j->in + plane * n_out;                                                                                \
      T *out = (T *)j->out + plane * n_in;                                                                                             \
      memset(out, 0, (size_t)n_in * sizeof(T));                                                                                        \
      for (int64_t d = 0; d < s->out[0]; d++)                                                                                          \
        for (int64_t h = 0; h < s->out[1]; h++)                                                                                        \
          for (int64_t w = 0; w < s->out[2]; w++, grad++) {                                                                            \
            V share = GET(*grad) / (V)TJ__MAX(1, divisor_of(s, d, h, w));                                                              \
            if (s->divisor < 0) share = GET(*grad) / (V)s->divisor;                                                                    \
            for (int64_t z = s->start[0][d]; z < s->end[0][d]; z++)                                                                    \
              for (int64_t y = s->start[1][h]; y < s->end[1][h]; y++) {                                                                \
                T *row = out + (z * s->in[1] + y) * s->in[2];                                                                          \
                for (int64_t x = s->start[2][w]; x < s->end[2][w]; x++) row[x] = PUT(GET(row[x]) + share);                             \
              }                                                                                                                        \
          }                                                                                                                            \
    }                                                                                                                                  \
  }

AVERAGE(f32, float, float, SAME, SAME)
AVERAGE(f64, double, double, SAME, SAME)
AVERAGE(f16, uint16_t, float, tj__half_to_float, tj__float_to_half)
AVERAGE(bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16)
AVERAGE(i64, int64_t, int64_t, SAME, SAME)

static void over_planes(const tj__pool_shape *s, tj__range_body body, job *j) {
  int64_t work = TJ__MAX(s->in[0] * s->in[1] * s->in[2], s->out[0] * s->out[1] * s->out[2]) * 2;
  if (body) tj__parallel_for(s->planes, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, work)), body, j);
}

static void largest(const tj__pool_shape *s, const void *in, void *out, int64_t *indices) {
  static const tj__range_body bodies[TJ_DTYPE_COUNT] = {
      [TJ_UINT8] = largest_u8,      [TJ_INT8] = largest_i8,     [TJ_INT16] = largest_i16,
      [TJ_INT32] = largest_i32,     [TJ_INT64] = largest_i64,   [TJ_FLOAT16] = largest_f16,
      [TJ_BFLOAT16] = largest_bf16, [TJ_FLOAT32] = largest_f32, [TJ_FLOAT64] = largest_f64};
  job j = {s, in, out, indices};
  over_planes(s, bodies[s->dtype], &j);
}

static void average(const tj__pool_shape *s, const void *in, void *out) {
  static const tj__range_body bodies[TJ_DTYPE_COUNT] = {[TJ_INT64] = average_i64,
                                                        [TJ_FLOAT16] = average_f16,
                                                        [TJ_BFLOAT16] = average_bf16,
                                                        [TJ_FLOAT32] = average_f32,
                                                        [TJ_FLOAT64] = average_f64};
  job j = {s, in, out, NULL};
  over_planes(s, bodies[s->dtype], &j);
}

static void average_backward(const tj__pool_shape *s, const void *grad, void *grad_in) {
  static const tj__range_body bodies[TJ_DTYPE_COUNT] = {[TJ_INT64] = spread_i64,
                                                        [TJ_FLOAT16] = spread_f16,
                                                        [TJ_BFLOAT16] = spread_bf16,
                                                        [TJ_FLOAT32] = spread_f32,
                                                        [TJ_FLOAT64] = spread_f64};
  job j = {s, grad, grad_in, NULL};
  over_planes(s, bodies[s->dtype], &j);
}

/* ---- by indices ------------------------------------------------------------------------------------------------ */

typedef struct index_job {
  int64_t n_in, n_out;
  const void *from;
  const int64_t *indices;
  void *to;
  _Atomic bool bad;
} index_job;

#define BY_INDEX(SUFFIX, T, GET, PUT)                                       \
  static void scatter_##SUFFIX(int64_t begin, int64_t end, void *context) { \
    index_job *j = context;                                                 \
    for (int64_t plane = begin; plane < end; plane++) {                     \
      const T *from = (const T *)j->from + plane * j->n_out;                \
      const int64_t *at = j->indices + plane * j->n_out;                    \
      T *to = (T *)j->to + plane * j->n_in;                                 \
      memset(to, 0, (size_t)j->n_in * sizeof(T));                           \
      for (int64_t i = 0; i < j->n_out; i++) {                              \
        if (at[i] < 0 || at[i] >= j->n_in) {                                \
          j->bad = true;                                                    \
          continue;                                                         \
        }                                                                   \
        to[at[i]] = PUT(GET(to[at[i]]) + GET(from[i]));                     \
      }                                                                     \
    }                                                                       \
  }                                                                         \
  static void gather_##SUFFIX(int64_t begin, int64_t end, void *context) {  \
    index_job *j = context;                                                 \
    for (int64_t plane = begin; plane < end; plane++) {                     \
      const T *from = (const T *)j->from + plane * j->n_in;                 \
      const int64_t *at = j->indices + plane * j->n_out;                    \
      T *to = (T *)j->to + plane * j->n_out;                                \
      for (int64_t i = 0; i < j->n_out; i++) {                              \
        if (at[i] < 0 || at[i] >= j->n_in) {                                \
          j->bad = true;                                                    \
          continue;                                                         \
        }                                                                   \
        to[i] = from[at[i]];                                                \
      }                                                                     \
    }                                                                       \
  }

BY_INDEX(f32, float, SAME, SAME)
BY_INDEX(f64, double, SAME, SAME)
BY_INDEX(f16, uint16_t, tj__half_to_float, tj__float_to_half)
BY_INDEX(bf16, uint16_t, tj__bfloat16_to_float, tj__float_to_bfloat16)

static bool by_index(tj__range_body body, int64_t planes, int64_t n_in, int64_t n_out, const void *from, const int64_t *indices, void *to) {
  index_job j = {.n_in = n_in, .n_out = n_out, .from = from, .indices = indices, .to = to};
  if (body) tj__parallel_for(planes, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, n_in + n_out)), body, &j);
  return body && !j.bad;
}

static bool scatter(tj_dtype dtype, int64_t planes, int64_t n_in, int64_t n_out, const void *grad, const int64_t *indices, void *grad_in) {
  static const tj__range_body bodies[TJ_DTYPE_COUNT] = {
      [TJ_FLOAT16] = scatter_f16, [TJ_BFLOAT16] = scatter_bf16, [TJ_FLOAT32] = scatter_f32, [TJ_FLOAT64] = scatter_f64};
  return by_index(bodies[dtype], planes, n_in, n_out, grad, indices, grad_in);
}

static bool gather(tj_dtype dtype, int64_t planes, int64_t n_in, int64_t n_out, const void *in, const int64_t *indices, void *out) {
  static const tj__range_body bodies[TJ_DTYPE_COUNT] = {
      [TJ_FLOAT16] = gather_f16, [TJ_BFLOAT16] = gather_bf16, [TJ_FLOAT32] = gather_f32, [TJ_FLOAT64] = gather_f64};
  return by_index(bodies[dtype], planes, n_in, n_out, in, indices, out);
}

const tj__pool_kernels TJ__ISA(tj__cpu_pool) = {
    .largest = largest, .average = average, .average_backward = average_backward, .scatter = scatter, .gather = gather};
