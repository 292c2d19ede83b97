/* softmax.c: softmax and log_softmax on the CPU. A line that is contiguous is taken in LANES accumulators; lines side by side WIDTH at a time. */
#include <math.h>

#include "../kernels/softmax.h"
#include "elements.h"
#include "math.h"
#include "vector16.h"

enum { LANES = 32, WIDTH = 64, PIECE = 512 };

typedef struct job {
  const char *in, *result;
  char *out;
  int64_t n, inner, blocks_a_line;
} job;

static inline float exp_f(float x) { return exp_f32(x); }
static inline double exp_d(double x) { return exp_f64(x); }
static inline float log_f(float x) { return logf(x); }
static inline double log_d(double x) { return log(x); }

/* e[i] = exp(x[i] - shift) for pieces; x may be e */
static inline void exps_float(const float *x, float *e, int64_t n, float shift) {
  int64_t i = 0;
#ifdef __AVX512F__
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(e + i, exp_v16(_mm512_loadu_ps(x + i) - shift));
#endif
  for (; i < n; i++) e[i] = exp_f32(x[i] - shift);
}
static inline void exps_double(const double *x, double *e, int64_t n, double shift) {
  for (int64_t i = 0; i < n; i++) e[i] = exp_f64(x[i] - shift);
}

/* NaN does not count: it makes the sum NaN, and with it the line. */
#define LARGER(a, v) ((v) > (a) ? (v) : (a))

/* The largest element and the sum of exponentials below it, of one contiguous line. In A, the type of the arithmetic. */
#define LINES(tag, T, A, LOAD, STORE, EXP, LOG)                                                                                            \
  static A top_##tag(const T *x, int64_t n) {                                                                                              \
    A lanes[LANES], top = -INFINITY;                                                                                                       \
    int64_t i = 0;                                                                                                                         \
    for (int l = 0; l < LANES; l++) lanes[l] = -INFINITY;                                                                                  \
    for (; i + LANES <= n; i += LANES)                                                                                                     \
      for (int l = 0; l < LANES; l++) {                                                                                                    \
        const A v = LOAD(x[i + l]);                                                                                                        \
        lanes[l] = LARGER(lanes[l], v);                                                                                                    \
      }                                                                                                                                    \
    for (; i < n; i++) {                                                                                                                   \
      const A v = LOAD(x[i]);                                                                                                              \
      top = LARGER(top, v);                                                                                                                \
    }                                                                                                                                      \
    for (int l = 0; l < LANES; l++) top = LARGER(top, lanes[l]);                                                                           \
    return top;                                                                                                                            \
  }                                                                                                                                        \
  /* Exponentials in pieces, kept in y where it is of the right type; the sums of pieces are added up in double: rows of 50 000 elements \
   * still sum to 1 within 1e-6. */ \
  static double sum_##tag(const T *x, int64_t n, A top, A *keep) {                                                                         \
    double total = 0;                                                                                                                      \
    for (int64_t from = 0; from < n; from += PIECE) {                                                                                      \
      const int64_t m = TJ__MIN(n - from, PIECE);                                                                                          \
      A buffer[PIECE], *e = keep ? keep + from : buffer, lanes[LANES];                                                                     \
      if (sizeof(T) == sizeof(A)) exps_##A((const A *)(const void *)x + from, e, m, top);                                                  \
      else {                                                                                                                               \
        for (int64_t i = 0; i < m; i++) e[i] = LOAD(x[from + i]);                                                                          \
        exps_##A(e, e, m, top);                                                                                                            \
      }                                                                                                                                    \
      int64_t k = 0;                                                                                                                       \
      for (int l = 0; l < LANES; l++) lanes[l] = 0;                                                                                        \
      for (; k + LANES <= m; k += LANES)                                                                                                   \
        for (int l = 0; l < LANES; l++) lanes[l] += e[k + l];                                                                              \
      for (int l = 0; k + l < m; l++) lanes[l] += e[k + l];                                                                                \
      for (int half = LANES / 2; half; half /= 2)                                                                                          \
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];                                                                        \
      total += lanes[0];                                                                                                                   \
    }                                                                                                                                      \
    return total;                                                                                                                          \
  }                                                                                                                                        \
  static void forward_line_##tag(T *y, const T *x, int64_t n, bool log_form) {                                                             \
    const bool same = sizeof(T) == sizeof(A);                                                                                              \
    const A top = top_##tag(x, n);                                                                                                         \
    const double sum = sum_##tag(x, n, top, same && !log_form ? (A *)(void *)y : NULL);                                                    \
    if (log_form) {                                                                                                                        \
      const A shift = (A)log(sum);                                                                                                         \
      for (int64_t i = 0; i < n; i++) y[i] = STORE(LOAD(x[i]) - top - shift);                                                              \
    } else {                                                                                                                               \
      const A scale = (A)(1 / sum);                                                                                                        \
      if (same)                                                                                                                            \
        for (int64_t i = 0; i < n; i++) y[i] = STORE(LOAD(y[i]) * scale);                                                                  \
      else                                                                                                                                 \
        for (int64_t i = 0; i < n; i++) y[i] = STORE(EXP(LOAD(x[i]) - top) * scale);                                                       \
    }                                                                                                                                      \
  }                                                                                                                                        \
  /* w lines side by side, `inner` elements between neighbours of a line */                                                                \
  static void forward_block_##tag(T *y, const T *x, int64_t n, int64_t inner, int64_t w, bool log_form) {                                  \
    A top[WIDTH], sum[WIDTH];                                                                                                              \
    for (int64_t l = 0; l < w; l++) top[l] = -INFINITY, sum[l] = 0;                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                                                        \
      for (int64_t l = 0; l < w; l++) {                                                                                                    \
        const A v = LOAD(x[i * inner + l]);                                                                                                \
        top[l] = LARGER(top[l], v);                                                                                                        \
      }                                                                                                                                    \
    for (int64_t i = 0; i < n; i++)                                                                                                        \
      for (int64_t l = 0; l < w; l++) sum[l] += EXP(LOAD(x[i * inner + l]) - top[l]);                                                      \
    for (int64_t l = 0; l < w; l++) sum[l] = log_form ? LOG(sum[l]) : 1 / sum[l];                                                          \
    for (int64_t i = 0; i < n; i++)                                                                                                        \
      for (int64_t l = 0; l < w; l++) {                                                                                                    \
        const A v = LOAD(x[i * inner + l]) - top[l];                                                                                       \
        y[i * inner + l] = STORE(log_form ? v - sum[l] : EXP(v) * sum[l]);                                                                 \
      }                                                                                                                                    \
  }                                                                                                                                        \
  static void backward_line_##tag(T *y, const T *g, const T *r, int64_t n, bool log_form) {                                                \
    double total = 0;                                                                                                                      \
    for (int64_t from = 0; from < n; from += 1024) {                                                                                       \
      const int64_t end = TJ__MIN(n, from + 1024);                                                                                         \
      A lanes[LANES], rest = 0;                                                                                                            \
      int64_t i = from;                                                                                                                    \
      for (int l = 0; l < LANES; l++) lanes[l] = 0;                                                                                        \
      if (log_form) {                                                                                                                      \
        for (; i + LANES <= end; i += LANES)                                                                                               \
          for (int l = 0; l < LANES; l++) lanes[l] += LOAD(g[i + l]);                                                                      \
        for (; i < end; i++) rest += LOAD(g[i]);                                                                                           \
      } else {                                                                                                                             \
        for (; i + LANES <= end; i += LANES)                                                                                               \
          for (int l = 0; l < LANES; l++) lanes[l] += LOAD(g[i + l]) * LOAD(r[i + l]);                                                     \
        for (; i < end; i++) rest += LOAD(g[i]) * LOAD(r[i]);                                                                              \
      }                                                                                                                                    \
      for (int half = LANES / 2; half; half /= 2)                                                                                          \
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];                                                                        \
      total += lanes[0] + rest;                                                                                                            \
    }                                                                                                                                      \
    const A sum = (A)total;                                                                                                                \
    if (log_form)                                                                                                                          \
      for (int64_t from = 0; from < n; from += PIECE) {                                                                                    \
        A e[PIECE];                                                                                                                        \
        const int64_t m = TJ__MIN(n - from, PIECE);                                                                                        \
        for (int64_t i = 0; i < m; i++) e[i] = LOAD(r[from + i]);                                                                          \
        exps_##A(e, e, m, 0);                                                                                                              \
        for (int64_t i = 0; i < m; i++) y[from + i] = STORE(LOAD(g[from + i]) - e[i] * sum);                                               \
      }                                                                                                                                    \
    else                                                                                                                                   \
      for (int64_t i = 0; i < n; i++) y[i] = STORE(LOAD(r[i]) * (LOAD(g[i]) - sum));                                                       \
  }                                                                                                                                        \
  static void backward_block_##tag(T *y, const T *g, const T *r, int64_t n, int64_t inner, int64_t w, bool log_form) {                     \
    A sum[WIDTH];                                                                                                                          \
    for (int64_t l = 0; l < w; l++) sum[l] = 0;                                                                                            \
    for (int64_t i = 0; i < n; i++)                                                                                                        \
      for (int64_t l = 0; l < w; l++) {                                                                                                    \
        const A v = LOAD(g[i * inner + l]);                                                                                                \
        sum[l] += log_form ? v : v * LOAD(r[i * inner + l]);                                                                               \
      }                                                                                                                                    \
    for (int64_t i = 0; i < n; i++)                                                                                                        \
      for (int64_t l = 0; l < w; l++) {                                                                                                    \
        const A v = LOAD(g[i * inner + l]), q = LOAD(r[i * inner + l]);                                                                    \
        y[i * inner + l] = STORE(log_form ? v - EXP(q) * sum[l] : q * (v - sum[l]));                                                       \
      }                                                                                                                                    \
  }

#define BODIES(tag, T, name, log_form)                                                                                               \
  static void forward_##name##_##tag(int64_t begin, int64_t end, void *context) {                                                    \
    const job *j = context;                                                                                                          \
    for (int64_t task = begin; task < end; task++) {                                                                                 \
      const int64_t outer = task / j->blocks_a_line, first = (task - outer * j->blocks_a_line) * WIDTH;                              \
      const int64_t at = outer * j->n * j->inner + first;                                                                            \
      if (j->inner == 1) forward_line_##tag((T *)j->out + at, (const T *)j->in + at, j->n, log_form);                                \
      else forward_block_##tag((T *)j->out + at, (const T *)j->in + at, j->n, j->inner, TJ__MIN(WIDTH, j->inner - first), log_form); \
    }                                                                                                                                \
  }                                                                                                                                  \
  static void backward_##name##_##tag(int64_t begin, int64_t end, void *context) {                                                   \
    const job *j = context;                                                                                                          \
    for (int64_t task = begin; task < end; task++) {                                                                                 \
      const int64_t outer = task / j->blocks_a_line, first = (task - outer * j->blocks_a_line) * WIDTH;                              \
      const int64_t at = outer * j->n * j->inner + first;                                                                            \
      if (j->inner == 1) backward_line_##tag((T *)j->out + at, (const T *)j->in + at, (const T *)j->result + at, j->n, log_form);    \
      else                                                                                                                           \
        backward_block_##tag((T *)j->out + at, (const T *)j->in + at, (const T *)j->result + at, j->n, j->inner,                     \
                             TJ__MIN(WIDTH, j->inner - first), log_form);                                                            \
    }                                                                                                                                \
  }
#define KIND(tag, T, A, LOAD, STORE, EXP, LOG) \
  LINES(tag, T, A, LOAD, STORE, EXP, LOG)      \
  BODIES(tag, T, softmax, false)               \
  BODIES(tag, T, log_softmax, true)
KIND(f32, float, float, TJ__SAME, TJ__SAME, exp_f, log_f)
KIND(f64, double, double, TJ__SAME, TJ__SAME, exp_d, log_d)
KIND(f16, uint16_t, float, tj__half_to_float, tj__float_to_half, exp_f, log_f)
KIND(bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, exp_f, log_f)

static bool run(job *j, int dtype, int64_t outer, bool backward, bool log_form) {
  tj__range_body body = NULL;
  switch (dtype) {
#define CASE(DTYPE, tag, T, A, LOAD, STORE, E)                                         \
  case DTYPE:                                                                          \
    body = backward ? (log_form ? backward_log_softmax_##tag : backward_softmax_##tag) \
                    : (log_form ? forward_log_softmax_##tag : forward_softmax_##tag);  \
    break;
    TJ__ELEMENTS_FLOATING(CASE, )
    default:
      return tj__fail(TJ_ERROR_RUNTIME, "\"softmax_kernel_impl\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)dtype)) != NULL;
  }
  if (outer * j->n * j->inner == 0) return true;
  j->blocks_a_line = (j->inner + WIDTH - 1) / WIDTH;
  tj__parallel_for(outer * j->blocks_a_line, TJ__MAX(1, TJ__GRAIN / 4 / (j->n * TJ__MIN(j->inner, WIDTH))), body, j);
  return true;
}

static bool softmax(bool log_form, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  job j = {.in = tj__read(in), .out = tj__write(out), .n = n, .inner = inner};
  return run(&j, in->dtype, outer, false, log_form);
}

static bool backward(bool log_form, tj_tensor *out, const tj_tensor *grad, const tj_tensor *result, int64_t outer, int64_t n,
                     int64_t inner) {
  job j = {.in = tj__read(grad), .result = tj__read(result), .out = tj__write(out), .n = n, .inner = inner};
  return run(&j, grad->dtype, outer, true, log_form);
}

/* ---- cross entropy with classes, row by row, without a tensor of log probabilities ------------------------------- */

typedef struct entropy_job {
  const void *in, *grad;
  void *out, *shift;
  const int64_t *target;
  int64_t n;
} entropy_job;

/* Log probabilities are rounded as those of log_softmax are. */
#define ENTROPY(DTYPE, tag, T, A, LOAD, STORE, E)                                               \
  static void entropy_##tag(int64_t begin, int64_t end, void *context) {                        \
    const entropy_job *j = context;                                                             \
    for (int64_t row = begin; row < end; row++) {                                               \
      const T *x = (const T *)j->in + row * j->n;                                               \
      const A top = top_##tag(x, j->n), shift = (A)log(sum_##tag(x, j->n, top, NULL));          \
      ((T *)j->out)[row] = STORE(-LOAD(STORE(LOAD(x[j->target[row]]) - top - shift)));          \
      ((A *)j->shift)[2 * row] = top;                                                           \
      ((A *)j->shift)[2 * row + 1] = shift;                                                     \
    }                                                                                           \
  }                                                                                             \
  static void entropy_backward_##tag(int64_t begin, int64_t end, void *context) {               \
    const entropy_job *j = context;                                                             \
    for (int64_t row = begin; row < end; row++) {                                               \
      const T *x = (const T *)j->in + row * j->n;                                               \
      T *y = (T *)j->out + row * j->n;                                                          \
      const A top = ((const A *)j->shift)[2 * row], shift = ((const A *)j->shift)[2 * row + 1]; \
      const A grad = LOAD(((const T *)j->grad)[row]);                                           \
      const int64_t at = j->target[row];                                                        \
      A hit = 0;                                                                                \
      for (int64_t from = 0; from < j->n; from += PIECE) {                                      \
        A e[PIECE];                                                                             \
        const int64_t m = TJ__MIN(j->n - from, PIECE);                                          \
        for (int64_t i = 0; i < m; i++) e[i] = LOAD(STORE(LOAD(x[from + i]) - top - shift));    \
        exps_##A(e, e, m, 0);                                                                   \
        for (int64_t i = 0; i < m; i++) y[from + i] = STORE(e[i] * grad);                       \
        if (at >= from && at < from + m) hit = e[at - from];                                    \
      }                                                                                         \
      y[at] = STORE(hit * grad - grad);                                                         \
    }                                                                                           \
  }
TJ__ELEMENTS_FLOATING(ENTROPY, )

static bool entropy_rows(entropy_job *j, const tj_tensor *in, bool with_grad) {
  tj__range_body body = NULL;
  switch (in->dtype) {
#define ENTROPY_CASE(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = with_grad ? entropy_backward_##tag : entropy_##tag; break;
    TJ__ELEMENTS_FLOATING(ENTROPY_CASE, )
    default:
      return tj__fail(TJ_ERROR_RUNTIME, "\"softmax_kernel_impl\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)in->dtype)) != NULL;
  }
  j->in = tj__read(in);
  j->n = in->sizes[1];
  if (in->numel) tj__parallel_for(in->sizes[0], TJ__MAX(1, TJ__GRAIN / 4 / j->n), body, j);
  return true;
}

static bool cross_entropy(tj_tensor *losses, tj_tensor *shift, const tj_tensor *in, const int64_t *target) {
  entropy_job j = {.out = tj__write(losses), .shift = tj__write(shift), .target = target};
  return entropy_rows(&j, in, false);
}

static bool cross_entropy_backward(tj_tensor *out, const tj_tensor *grad, const tj_tensor *in, const tj_tensor *shift,
                                   const int64_t *target) {
  entropy_job j = {.out = tj__write(out), .grad = tj__read(grad), .shift = (void *)(uintptr_t)tj__read(shift), .target = target};
  return entropy_rows(&j, in, true);
}

const tj__softmax_kernels TJ__ISA(tj__cpu_softmax) = {softmax, backward, cross_entropy, cross_entropy_backward};
