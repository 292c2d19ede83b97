/* scan.c: running sums, products, extremes on the CPU. Lines side by side are taken together, WIDTH at a time. */
#include <math.h>

#include "../kernels/scan.h"
#include "elements.h"

enum { WIDTH = 32 };

typedef struct job {
  const char *in, *b;
  char *out;
  int64_t *indices;
  int64_t n, inner, blocks_a_line;
  bool reverse;
} job;

#define SCAN_FRAME(T)                                                                                 \
  const job *j = context;                                                                             \
  for (int64_t task = begin; task < end; task++) {                                                    \
    const int64_t outer = task / j->blocks_a_line, first = (task - outer * j->blocks_a_line) * WIDTH; \
    const int64_t w = TJ__MIN(WIDTH, j->inner - first), start = outer * j->n * j->inner + first;      \
    const T *x = (const T *)j->in + start;                                                            \
    T *y = (T *)j->out + start;

/* S: the type in which the running value is kept (double for float32, as PyTorch does). */
#define SCAN(name, T, S, LOAD, STORE, INIT, STEP)                    \
  static void name(int64_t begin, int64_t end, void *context) {      \
    SCAN_FRAME(T)                                                    \
    S run[WIDTH];                                                    \
    for (int64_t l = 0; l < WIDTH; l++) run[l] = (S)(INIT);          \
    for (int64_t i = 0; i < j->n; i++, x += j->inner, y += j->inner) \
      for (int64_t l = 0; l < w; l++) {                              \
        const S v = (S)LOAD(x[l]);                                   \
        run[l] = STEP(run[l], v);                                    \
        y[l] = (T)STORE(run[l]);                                     \
      }                                                              \
  }                                                                  \
  }
/* Running sums of a line alone: EIGHT at a time, in three steps, and the sum so far on top. */
enum { EIGHT = 8 };
#define LINE_SUM(tag, T, S, LOAD, STORE)                                    \
  static void line_sum_##tag(int64_t begin, int64_t end, void *context) {   \
    typedef S eight __attribute__((vector_size(EIGHT * sizeof(S))));        \
    const job *j = context;                                                 \
    for (int64_t line = begin; line < end; line++) {                        \
      const T *x = (const T *)j->in + line * j->n;                          \
      T *y = (T *)j->out + line * j->n;                                     \
      eight total = {0};                                                    \
      const eight zero = {0};                                               \
      int64_t i = 0;                                                        \
      for (; i + EIGHT <= j->n; i += EIGHT) {                               \
        S in[EIGHT];                                                        \
        for (int k = 0; k < EIGHT; k++) in[k] = (S)LOAD(x[i + k]);          \
        eight v;                                                            \
        memcpy(&v, in, sizeof v);                                           \
        v += __builtin_shufflevector(zero, v, 0, 8, 9, 10, 11, 12, 13, 14); \
        v += __builtin_shufflevector(zero, v, 0, 0, 8, 9, 10, 11, 12, 13);  \
        v += __builtin_shufflevector(zero, v, 0, 0, 0, 0, 8, 9, 10, 11);    \
        v += total;                                                         \
        total = __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7);      \
        memcpy(in, &v, sizeof v);                                           \
        for (int k = 0; k < EIGHT; k++) y[i + k] = (T)STORE(in[k]);         \
      }                                                                     \
      S sum = total[0];                                                     \
      for (; i < j->n; i++) y[i] = (T)STORE(sum += (S)LOAD(x[i]));          \
    }                                                                       \
  }
LINE_SUM(f32, float, double, TJ__SAME, TJ__SAME)
LINE_SUM(f64, double, double, TJ__SAME, TJ__SAME)
LINE_SUM(f16, uint16_t, float, tj__half_to_float, tj__float_to_half)
LINE_SUM(bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16)
LINE_SUM(i64, int64_t, uint64_t, TJ__SAME, TJ__SAME)

#define ADD(a, v) ((a) + (v))
#define MUL(a, v) ((a) * (v))
static inline double logaddexp(double a, double b) {
  if (isnan(a) || isnan(b)) return NAN;
  double low = a < b ? a : b, high = a < b ? b : a;
  return low == high && isinf(low) ? low : high + log1p(exp(low - high));
}
static inline tj__c128 logaddexp_complex(tj__c128 a, tj__c128 b) {
  const tj__c128 low = creal(a) < creal(b) ? a : b, high = creal(a) < creal(b) ? b : a;
  if (creal(high) == -INFINITY) return high;
  if (isinf(creal(high)) && creal(high) == creal(low)) return clog(cexp(low) + cexp(high));
  return high + clog(1 + cexp(low - high));
}
#define SCANS(DTYPE, tag, T, A, LOAD, STORE, S) \
  SCAN(sum_##tag, T, S, LOAD, STORE, 0, ADD)    \
  SCAN(prod_##tag, T, S, LOAD, STORE, 1, MUL)
TJ__ELEMENTS_FLOAT(SCANS, double)
TJ__ELEMENTS_HALF(SCANS, float)
TJ__ELEMENTS_COMPLEX(SCANS, tj__c128)
SCANS(TJ_INT64, i64, int64_t, int64_t, TJ__SAME, TJ__SAME, uint64_t)
SCAN(logsumexp_f32, float, double, TJ__SAME, TJ__SAME, -INFINITY, logaddexp)
SCAN(logsumexp_f64, double, double, TJ__SAME, TJ__SAME, -INFINITY, logaddexp)
SCAN(logsumexp_c64, tj__c64, tj__c128, TJ__SAME, TJ__SAME, -INFINITY, logaddexp_complex)
SCAN(logsumexp_c128, tj__c128, tj__c128, TJ__SAME, TJ__SAME, -INFINITY, logaddexp_complex)
SCAN(logsumexp_f16, uint16_t, double, tj__half_to_float, tj__float_to_half, -INFINITY, logaddexp)
SCAN(logsumexp_bf16, uint16_t, double, tj__bfloat16_to_float, tj__float_to_bfloat16, -INFINITY, logaddexp)

static void run(job *j, tj__range_body body, int64_t outer) {
  j->blocks_a_line = (j->inner + WIDTH - 1) / WIDTH;
  int64_t work = TJ__MAX(1, j->n * TJ__MIN(j->inner, WIDTH));
  tj__parallel_for(outer * j->blocks_a_line, TJ__MAX(1, TJ__GRAIN / work), body, j);
}

static bool missing(const tj_tensor *in) {
  return tj__fail(TJ_ERROR_RUNTIME, "this scan is not implemented for '%s'", tj__dtype_legacy((tj_dtype)in->dtype)) != NULL;
}

static bool scan(tj__scan_kind kind, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  tj__range_body body = NULL;
  bool product = kind == TJ__SCAN_PROD, logs = kind == TJ__SCAN_LOGSUMEXP;
  switch (in->dtype) {
#define CASE(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = logs ? logsumexp_##tag : product ? prod_##tag : sum_##tag; break;
    TJ__ELEMENTS_FLOATING(CASE, )
    TJ__ELEMENTS_COMPLEX(CASE, )
#define CASE2(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = logs ? NULL : product ? prod_##tag : sum_##tag; break;
    CASE2(TJ_INT64, i64, , , , , )
    default: break;
  }
  if (!body) return missing(in);
  if (kind == TJ__SCAN_SUM && inner == 1 && !tj_dtype_is_complex((tj_dtype)in->dtype))
    body = in->dtype == TJ_FLOAT32   ? line_sum_f32
           : in->dtype == TJ_FLOAT64 ? line_sum_f64
           : in->dtype == TJ_FLOAT16 ? line_sum_f16
           : in->dtype == TJ_INT64   ? line_sum_i64
                                     : line_sum_bf16;
  job j = {.in = tj__read(in), .out = tj__write(out), .n = n, .inner = inner};
  if (in->numel) run(&j, body, outer);
  return true;
}

/* ---- cummax, cummin --------------------------------------------------------------------------------------------- */

#define NOT_BELOW(v, best) ((v) >= (best))
#define NOT_ABOVE(v, best) ((v) <= (best))
#define EXTREMES(DTYPE, tag, T, A, LOAD, STORE, BEYOND)                              \
  static void BEYOND##_##tag(int64_t begin, int64_t end, void *context) {            \
    SCAN_FRAME(T)                                                                    \
    int64_t *at = j->indices + start, where[WIDTH];                                  \
    T best[WIDTH];                                                                   \
    for (int64_t l = 0; l < w; l++) best[l] = x[l], where[l] = 0;                    \
    for (int64_t i = 0; i < j->n; i++, x += j->inner, y += j->inner, at += j->inner) \
      for (int64_t l = 0; l < w; l++) {                                              \
        const A v = (A)LOAD(x[l]), b = (A)LOAD(best[l]);                             \
        if (v != v || (b == b && BEYOND(v, b))) best[l] = x[l], where[l] = i;        \
        y[l] = best[l];                                                              \
        at[l] = where[l];                                                            \
      }                                                                              \
  }                                                                                  \
  }
TJ__ELEMENTS_REAL(EXTREMES, NOT_BELOW)
TJ__ELEMENTS_REAL(EXTREMES, NOT_ABOVE)

static bool extremes(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  tj__range_body body = NULL;
  switch (in->dtype) {
#define CASE3(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = largest ? NOT_BELOW_##tag : NOT_ABOVE_##tag; break;
    TJ__ELEMENTS_REAL(CASE3, )
    default: return missing(in);
  }
  job j = {.in = tj__read(in), .out = tj__write(values), .indices = tj__write(indices), .n = n, .inner = inner};
  if (in->numel) run(&j, body, outer);
  return true;
}

/* ---- recurrence ------------------------------------------------------------------------------------------------- */

#define RECURRENCE(DTYPE, tag, T, A, LOAD, STORE, E)                                               \
  static void recurrence_##tag(int64_t begin, int64_t end, void *context) {                        \
    SCAN_FRAME(T)                                                                                  \
    const T *b = (const T *)j->b + start;                                                          \
    int64_t step = j->reverse ? -j->inner : j->inner, at = j->reverse ? (j->n - 1) * j->inner : 0; \
    A last[WIDTH];                                                                                 \
    for (int64_t l = 0; l < WIDTH; l++) last[l] = 0;                                               \
    for (int64_t i = 0; i < j->n; i++, at += step)                                                 \
      for (int64_t l = 0; l < w; l++) {                                                            \
        last[l] = (A)LOAD(x[at + l]) + (i ? (A)LOAD(b[at + l]) * last[l] : (A)0);                  \
        y[at + l] = (T)STORE(last[l]);                                                             \
      }                                                                                            \
  }                                                                                                \
  }
TJ__ELEMENTS_FLOATING(RECURRENCE, )
TJ__ELEMENTS_COMPLEX(RECURRENCE, )

static bool recurrence(bool reverse, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t outer, int64_t n, int64_t inner) {
  tj__range_body body = NULL;
  switch (a->dtype) {
#define CASE4(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = recurrence_##tag; break;
    TJ__ELEMENTS_FLOATING(CASE4, )
    TJ__ELEMENTS_COMPLEX(CASE4, )
    default: return missing(a);
  }
  job j = {.in = tj__read(a), .b = tj__read(b), .out = tj__write(out), .n = n, .inner = inner, .reverse = reverse};
  if (a->numel) run(&j, body, outer);
  return true;
}

const tj__scan_kernels TJ__ISA(tj__cpu_scan) = {scan, extremes, recurrence};
