/* cpu/conv.c: convolution on the CPU. float32 and float64: from padded planes (conv_direct.inc), or, for images of few positions, as an
 * implicit matrix product (conv_implicit.inc); float32 also by minimal filtering (conv_winograd.inc) and, where strides leave gaps, by columns that
 * overlap (conv_fold.inc). Plain loops for the other dtypes and for small groups. */
#include "../kernels/conv.h"
#include "../kernels/gemm.h"
#include "tile.h"

extern const tj__gemm_kernels TJ__ISA(tj__cpu_gemm);

static inline int64_t volume_of(const int64_t *x) { return x[0] * x[1] * x[2]; }

/* Where the taps of dimension i are: [*low, *high]. */
static void reach_of(const int64_t (*taps)[3], int64_t n_taps, int i, int64_t *low, int64_t *high) {
  *low = *high = taps[0][i];
  for (int64_t t = 1; t < n_taps; t++) *low = TJ__MIN(*low, taps[t][i]), *high = TJ__MAX(*high, taps[t][i]);
}

/* Output positions [lo, hi) along one dimension whose tap `t` lies inside the input; the input position of position 0 in *start. */
static inline void reach(const tj__conv_shape *s, int i, int64_t t, int64_t *start, int64_t *lo, int64_t *hi) {
  int64_t stride = s->stride[i];
  *start = t * s->dilation[i] - s->padding[i];
  *lo = *start >= 0 ? 0 : (-*start + stride - 1) / stride;
  *hi = *start >= s->in[i] ? 0 : TJ__MIN(s->out[i], (s->in[i] - *start + stride - 1) / stride);
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

/* Whether a plane that holds all that `count` positions a dimension read at all taps is of about their own size: with far taps (a dilation may be any
 * number) it would be of any size, for zeros. */
static bool taps_are_near(const int64_t *count, const int64_t *step, const int64_t (*taps)[3], int64_t n_taps) {
  double plane = 1, positions = 1;
  for (int i = 0; i < 3; i++) {
    int64_t low, high;
    reach_of(taps, n_taps, i, &low, &high);
    positions *= (double)count[i] * (double)step[i];
    plane *= (double)count[i] * (double)step[i] + ((double)high - (double)low);
  }
  return plane <= 8 * positions + 65536;
}

#define T float
#define SUFFIX f32
#include "tile_transpose.inc"
#include "conv_implicit.inc"
#include "conv_direct.inc"
#undef T
#undef SUFFIX
#include "conv_winograd.inc"
#include "conv_fold.inc"

#define T double
#define SUFFIX f64
#include "tile_transpose.inc"
#include "conv_implicit.inc"
#include "conv_direct.inc"
#undef T
#undef SUFFIX

/* ---- direct loops ---------------------------------------------------------------------------------------------- */

typedef struct {
  float re, im;
} c64;
typedef struct {
  double re, im;
} c128;

typedef struct direct_job {
  const tj__conv_shape *s;
  const void *a, *b; /* what is read */
  void *out;
  bool started; /* out already holds the bias */
} direct_job;

/* The loops that all three kernels have: BODY sees rows of `n` positions: output row at `o`, input row at `x` with step `xs`. */
#define TAPS(BODY)                                                                                                    \
  for (int64_t kd = 0, tap = 0; kd < s->kernel[0]; kd++)                                                              \
    for (int64_t kh = 0; kh < s->kernel[1]; kh++)                                                                     \
      for (int64_t kw = 0; kw < s->kernel[2]; kw++, tap++) {                                                          \
        int64_t d0, d1, h0, h1, w0, w1, ds, hs, ws;                                                                   \
        reach(s, 0, kd, &ds, &d0, &d1), reach(s, 1, kh, &hs, &h0, &h1), reach(s, 2, kw, &ws, &w0, &w1);               \
        const int64_t n = w1 - w0, xs = s->stride[2];                                                                 \
        if (n <= 0) continue;                                                                                         \
        for (int64_t d = d0; d < d1; d++)                                                                             \
          for (int64_t h = h0; h < h1; h++) {                                                                         \
            const int64_t o = (d * s->out[1] + h) * s->out[2] + w0;                                                   \
            const int64_t x = ((ds + d * s->stride[0]) * s->in[1] + hs + h * s->stride[1]) * s->in[2] + ws + w0 * xs; \
            BODY                                                                                                      \
          }                                                                                                           \
      }

#define DIRECT(SUFFIX, T, SUM, MULTIPLY, ATTRIBUTES)                                                                                  \
  ATTRIBUTES static void forward_##SUFFIX(int64_t begin, int64_t end, void *context) { /* over planes of the output */                \
    const direct_job *j = context;                                                                                                    \
    const tj__conv_shape *s = j->s;                                                                                                   \
    const int64_t volume = volume_of(s->kernel), places = volume_of(s->out), pixels = volume_of(s->in);                               \
    for (int64_t plane = begin; plane < end; plane++) {                                                                               \
      int64_t channel = plane % (s->groups * s->out_channels), image = plane / (s->groups * s->out_channels);                         \
      int64_t group = channel / s->out_channels;                                                                                      \
      T *out = (T *)j->out + plane * places;                                                                                          \
      if (!j->started) memset(out, 0, (size_t)places * sizeof(T));                                                                    \
      for (int64_t c = 0; c < s->in_channels; c++) {                                                                                  \
        const T *in = (const T *)j->a + ((image * s->groups + group) * s->in_channels + c) * pixels;                                  \
        const T *w = (const T *)j->b + (channel * s->in_channels + c) * volume;                                                       \
        TAPS(T *to = out + o; const T *from = in + x; const T weight = w[tap];                                                        \
             if (xs == 1) for (int64_t q = 0; q < n; q++) MULTIPLY(to[q], weight, from[q]);                                           \
             else for (int64_t q = 0; q < n; q++) MULTIPLY(to[q], weight, from[q * xs]);)                                             \
      }                                                                                                                               \
    }                                                                                                                                 \
  }                                                                                                                                   \
  ATTRIBUTES static void grad_input_##SUFFIX(int64_t begin, int64_t end, void *context) { /* over planes of the input */              \
    const direct_job *j = context;                                                                                                    \
    const tj__conv_shape *s = j->s;                                                                                                   \
    const int64_t volume = volume_of(s->kernel), places = volume_of(s->out), pixels = volume_of(s->in);                               \
    for (int64_t plane = begin; plane < end; plane++) {                                                                               \
      int64_t channel = plane % (s->groups * s->in_channels), image = plane / (s->groups * s->in_channels);                           \
      int64_t group = channel / s->in_channels, c = channel % s->in_channels;                                                         \
      T *out = (T *)j->out + plane * pixels;                                                                                          \
      memset(out, 0, (size_t)pixels * sizeof(T));                                                                                     \
      for (int64_t k = 0; k < s->out_channels; k++) {                                                                                 \
        const T *grad = (const T *)j->a + ((image * s->groups + group) * s->out_channels + k) * places;                               \
        const T *w = (const T *)j->b + ((group * s->out_channels + k) * s->in_channels + c) * volume;                                 \
        TAPS(T *to = out + x; const T *from = grad + o; const T weight = w[tap];                                                      \
             if (xs == 1) for (int64_t q = 0; q < n; q++) MULTIPLY(to[q], weight, from[q]);                                           \
             else for (int64_t q = 0; q < n; q++) MULTIPLY(to[q * xs], weight, from[q]);)                                             \
      }                                                                                                                               \
    }                                                                                                                                 \
  }                                                                                                                                   \
  ATTRIBUTES static void grad_weight_##SUFFIX(int64_t begin, int64_t end, void *context) { /* over (output channel, input channel) */ \
    const direct_job *j = context;                                                                                                    \
    const tj__conv_shape *s = j->s;                                                                                                   \
    const int64_t volume = volume_of(s->kernel), places = volume_of(s->out), pixels = volume_of(s->in);                               \
    for (int64_t pair = begin; pair < end; pair++) {                                                                                  \
      int64_t channel = pair / s->in_channels, c = pair % s->in_channels, group = channel / s->out_channels;                          \
      T *out = (T *)j->out + pair * volume;                                                                                           \
      memset(out, 0, (size_t)volume * sizeof(T));                                                                                     \
      for (int64_t image = 0; image < s->batch; image++) {                                                                            \
        const T *grad = (const T *)j->a + (image * s->groups * s->out_channels + channel) * places;                                   \
        const T *in = (const T *)j->b + ((image * s->groups + group) * s->in_channels + c) * pixels;                                  \
        TAPS(const T *u = grad + o; const T *v = in + x; SUM sum; memset(&sum, 0, sizeof sum);                                        \
             for (int64_t q = 0; q < n; q++) MULTIPLY(sum, u[q], v[q * xs]); ADD_##SUFFIX(out[tap], sum);)                            \
      }                                                                                                                               \
    }                                                                                                                                 \
  }

#define REAL(to, x, y) (to) += (x) * (y)
#define INTEGER(to, x, y) (to) = (__typeof__(to))((uint64_t)(to) + (uint64_t)(x) * (uint64_t)(y))
#define COMPLEX(to, x, y)                     \
  do {                                        \
    __typeof__(x) a_ = (x), b_ = (y);         \
    (to).re += a_.re * b_.re - a_.im * b_.im; \
    (to).im += a_.re * b_.im + a_.im * b_.re; \
  } while (0)
#define PLAIN_ADD(to, sum) (to) = (__typeof__(to))((to) + (sum))
#define ADD_f32 PLAIN_ADD
#define ADD_f64 PLAIN_ADD
#define ADD_u8 PLAIN_ADD
#define ADD_i8 PLAIN_ADD
#define ADD_i16 PLAIN_ADD
#define ADD_i32(to, sum) INTEGER(to, sum, 1)
#define ADD_i64(to, sum) INTEGER(to, sum, 1)
#define ADD_c64(to, sum) ((to).re += (sum).re, (to).im += (sum).im)
#define ADD_c128 ADD_c64

/* compiled for size */
#ifdef __clang__
#define RARE __attribute__((minsize))
#else
#define RARE __attribute__((cold))
#endif
DIRECT(f32, float, float, REAL, )
DIRECT(f64, double, double, REAL, )
DIRECT(u8, uint8_t, uint8_t, INTEGER, RARE)
DIRECT(i8, int8_t, int8_t, INTEGER, RARE)
DIRECT(i16, int16_t, int16_t, INTEGER, RARE)
DIRECT(i32, int32_t, int32_t, INTEGER, RARE)
DIRECT(i64, int64_t, int64_t, INTEGER, RARE)
DIRECT(c64, c64, c64, COMPLEX, RARE)
DIRECT(c128, c128, c128, COMPLEX, RARE)

typedef struct direct_loops {
  tj__range_body forward, grad_input, grad_weight;
} direct_loops;
#define LOOPS(SUFFIX) \
  { forward_##SUFFIX, grad_input_##SUFFIX, grad_weight_##SUFFIX }
static const direct_loops *direct_of(tj_dtype dtype) {
  static const direct_loops loops[TJ_DTYPE_COUNT] = {[TJ_UINT8] = LOOPS(u8),    [TJ_INT8] = LOOPS(i8),       [TJ_INT16] = LOOPS(i16),
                                                     [TJ_INT32] = LOOPS(i32),   [TJ_INT64] = LOOPS(i64),     [TJ_FLOAT32] = LOOPS(f32),
                                                     [TJ_FLOAT64] = LOOPS(f64), [TJ_COMPLEX64] = LOOPS(c64), [TJ_COMPLEX128] = LOOPS(c128)};
  return &loops[dtype];
}

/* Pieces of about the grain's worth of products. */
static void run(tj__range_body body, int64_t n, int64_t products, direct_job *job) {
  tj__parallel_for(n, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, products)), body, job);
}

/* ---- which way ------------------------------------------------------------------------------------------------- */

/* The packed product pays from a few rows on. */
static bool packed(const tj__conv_shape *s, int64_t rows, int64_t k) {
  return (s->dtype == TJ_FLOAT32 || s->dtype == TJ_FLOAT64) && rows >= (s->groups == 1 ? 2 : 4) && k >= 4;
}

/* Every tap's distance from the place of the output, in a block that the caller frees. */
static int64_t (*all_taps(const tj__conv_shape *s, size_t *bytes))[3] {
  int64_t volume = volume_of(s->kernel);
  *bytes = (size_t)volume * sizeof(int64_t[3]);
  int64_t(*taps)[3] = tj__alloc(*bytes);
  for (int64_t t = 0; taps && t < volume; t++) {
    int64_t at[3] = {t / (s->kernel[1] * s->kernel[2]), t / s->kernel[2] % s->kernel[1], t % s->kernel[2]};
    for (int i = 0; i < 3; i++) taps[t][i] = at[i] * s->dilation[i] - s->padding[i];
  }
  return taps;
}

static void fill_bias(const tj__conv_shape *s, const char *bias, char *output) {
  size_t size = tj__dtype_sizes[s->dtype];
  int64_t places = volume_of(s->out), channels = s->groups * s->out_channels;
  for (int64_t plane = 0; plane < s->batch * channels; plane++) {
    const char *b = bias + (size_t)(plane % channels) * size;
    char *o = output + (size_t)(plane * places) * size;
    if (size == 4) {
      float v;
      memcpy(&v, b, 4);
      for (int64_t p = 0; p < places; p++) ((float *)o)[p] = v;
    } else {
      for (int64_t p = 0; p < places; p++) memcpy(o + (size_t)p * size, b, size);
    }
  }
}

static bool is_float(const tj__conv_shape *s) { return s->dtype == TJ_FLOAT32 || s->dtype == TJ_FLOAT64; }

#define OF_DTYPE(name, ...) (s->dtype == TJ_FLOAT32 ? name##_f32(__VA_ARGS__) : name##_f64(__VA_ARGS__))

static bool forward(const tj__conv_shape *s, const void *input, const void *weight, const void *bias, void *output) {
  int64_t k = s->in_channels * volume_of(s->kernel), places = volume_of(s->out);
  if (!s->batch || !places) return true;
  const winograd_result r = winograd_forward(s, input, weight, bias, output);
  if (r != WINOGRAD_REFUSED) return r == WINOGRAD_DONE;
  if (is_float(s) && k) {
    size_t bytes;
    int64_t(*table)[3] = all_taps(s, &bytes);
    if (!table) return false;
    const int64_t(*taps)[3] = (const int64_t(*)[3])table;
    bool ok = true, done = true;
    if (OF_DTYPE(direct_pays, s->out, s->stride, taps, volume_of(s->kernel), s->out_channels, s->in_channels)) {
      ok = OF_DTYPE(direct_forward, s, input, weight, taps, bias, output);
    } else if (packed(s, s->out_channels, k)) {
      if (bias) fill_bias(s, bias, output);
      ok = OF_DTYPE(implicit_forward, s, input, weight, taps, bias != NULL, output);
    } else {
      done = false;
    }
    tj__free(table, bytes);
    if (done) return ok;
  }
  if (bias) fill_bias(s, bias, output);
  direct_job job = {s, input, weight, output, bias != NULL};
  run(direct_of(s->dtype)->forward, s->batch * s->groups * s->out_channels, k * places, &job);
  return true;
}

/* Whether every input position meets a tap. */
static bool all_met(const tj__conv_shape *s) {
  for (int i = 0; i < 3; i++)
    for (int64_t phase = 0; phase < TJ__MIN(s->stride[i], s->in[i]); phase++) {
      bool met = false;
      for (int64_t t = 0; t < s->kernel[i]; t++) met = met || (phase + s->padding[i] - t * s->dilation[i]) % s->stride[i] == 0;
      if (!met) return false;
    }
  return true;
}

static bool grad_input(const tj__conv_shape *s, const void *grad, const void *weight, void *out) {
  int64_t volume = volume_of(s->kernel), pixels = volume_of(s->in);
  if (!s->batch || !pixels) return true;
  const winograd_result r = winograd_grad_input(s, grad, weight, out);
  if (r != WINOGRAD_REFUSED) return r == WINOGRAD_DONE;
  bool whole = s->in_channels == 1 && s->out_channels == 1;
  if (!is_float(s) || (!whole && !packed(s, s->in_channels, s->out_channels * volume))) {
    direct_job job = {s, grad, weight, out, false};
    run(direct_of(s->dtype)->grad_input, s->batch * s->groups * s->in_channels, s->out_channels * volume * pixels, &job);
    return true;
  }
  fold_job fold;
  if (fold_plan(s, &fold)) return fold_grad_input(&fold, grad, weight, out);
  if (!all_met(s)) memset(out, 0, (size_t)(s->batch * s->groups * s->in_channels * pixels) * tj__dtype_sizes[s->dtype]);
  size_t bytes = (size_t)(volume * 4 + pixels) * sizeof(int64_t);
  int64_t *memory = tj__alloc(bytes), *chosen = memory + 3 * volume, *columns = chosen + volume;
  if (!memory) return false;
  bool ok = OF_DTYPE(implicit_grad_input, s, grad, weight, (int64_t(*)[3])memory, chosen, columns, out);
  tj__free(memory, bytes);
  return ok;
}

static bool grad_weight(const tj__conv_shape *s, const void *grad, const void *input, void *out) {
  int64_t volume = volume_of(s->kernel), places = volume_of(s->out);
  if (!packed(s, s->out_channels, s->in_channels * volume) || !s->batch || !places) {
    direct_job job = {s, grad, input, out, false};
    run(direct_of(s->dtype)->grad_weight, s->groups * s->out_channels * s->in_channels, s->batch * volume * places, &job);
    return true;
  }
  const winograd_result r = winograd_grad_weight(s, grad, input, out);
  if (r != WINOGRAD_REFUSED) return r == WINOGRAD_DONE;
  size_t bytes;
  int64_t(*taps)[3] = all_taps(s, &bytes);
  if (!taps) return false;
  bool direct = 2 * s->out_channels * tj__dtype_sizes[s->dtype] >= 2 * GEMM_VECTOR_BYTES &&
                taps_are_near(s->out, s->stride, (const int64_t(*)[3])taps, volume);
  bool ok = direct ? OF_DTYPE(direct_grad_weight, s, grad, input, (const int64_t(*)[3])taps, out)
                   : OF_DTYPE(implicit_grad_weight, s, grad, input, (const int64_t(*)[3])taps, out);
  tj__free(taps, bytes);
  return ok;
}

const tj__conv_kernels TJ__ISA(tj__cpu_conv) = {.forward = forward, .grad_input = grad_input, .grad_weight = grad_weight};
