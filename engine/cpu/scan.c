/* scan.c: running sums, products, extremes on the CPU. Lines side by side are taken together, WIDTH at a time. */
#include <math.h>

#include "../kernels/scan.h"
#include "cpu/halves.h"
#include "cpu/math.h"
#include "elements.h"

enum { WIDTH = 32 };

typedef struct job {
  const char *in, *b;
  char *out;
  int64_t *indices;
  int64_t n, inner, blocks_a_line, lines;
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
#define ADD(a, v) ((a) + (v))
#define MUL(a, v) ((a) * (v))
/* Running sums and products of a line alone: EIGHT at a time, in three steps, and what there is so far on top. S holds every product of eight. */
enum { EIGHT = 8 };
#define LINE_SCAN(name, T, S, LOAD, STORE, STEP, ONE)                              \
  static void name(int64_t begin, int64_t end, void *context) {                    \
    typedef S eight __attribute__((vector_size(EIGHT * sizeof(S))));               \
    const job *j = context;                                                        \
    const eight one = {ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE};                    \
    for (int64_t line = begin; line < end; line++) {                               \
      const T *x = (const T *)j->in + line * j->n;                                 \
      T *y = (T *)j->out + line * j->n;                                            \
      eight total = one;                                                           \
      int64_t i = 0;                                                               \
      for (; i + EIGHT <= j->n; i += EIGHT) {                                      \
        S in[EIGHT];                                                               \
        for (int k = 0; k < EIGHT; k++) in[k] = (S)LOAD(x[i + k]);                 \
        eight v;                                                                   \
        memcpy(&v, in, sizeof v);                                                  \
        v = STEP(v, __builtin_shufflevector(one, v, 0, 8, 9, 10, 11, 12, 13, 14)); \
        v = STEP(v, __builtin_shufflevector(one, v, 0, 0, 8, 9, 10, 11, 12, 13));  \
        v = STEP(v, __builtin_shufflevector(one, v, 0, 0, 0, 0, 8, 9, 10, 11));    \
        v = STEP(v, total);                                                        \
        total = __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7);             \
        memcpy(in, &v, sizeof v);                                                  \
        for (int k = 0; k < EIGHT; k++) y[i + k] = (T)STORE(in[k]);                \
      }                                                                            \
      S run = total[0];                                                            \
      for (; i < j->n; i++) {                                                      \
        run = STEP(run, (S)LOAD(x[i]));                                            \
        y[i] = (T)STORE(run);                                                      \
      }                                                                            \
    }                                                                              \
  }
LINE_SCAN(line_sum_f32, float, double, TJ__SAME, TJ__SAME, ADD, 0)
LINE_SCAN(line_sum_f64, double, double, TJ__SAME, TJ__SAME, ADD, 0)
LINE_SCAN(line_sum_f16, uint16_t, float, tj__half_to_float, tj__float_to_half, ADD, 0)
LINE_SCAN(line_sum_bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, ADD, 0)
LINE_SCAN(line_sum_i64, int64_t, uint64_t, TJ__SAME, TJ__SAME, ADD, 0)
LINE_SCAN(line_prod_f32, float, double, TJ__SAME, TJ__SAME, MUL, 1)
LINE_SCAN(line_prod_i64, int64_t, uint64_t, TJ__SAME, TJ__SAME, MUL, 1)

/* Lines alone whose steps are long: WIDTH of them side by side, a few elements of each at a time turned in a buffer. */
enum { TURNED = 16 };
#define LINES_SCAN(name, T, S, LOAD, STORE, INIT, STEP)                                       \
  static void name(int64_t begin, int64_t end, void *context) {                               \
    const job *j = context;                                                                   \
    for (int64_t block = begin; block < end; block++) {                                       \
      const int64_t first = block * WIDTH, w = TJ__MIN(WIDTH, j->lines - first);              \
      const T *x = (const T *)j->in + first * j->n;                                           \
      T *y = (T *)j->out + first * j->n;                                                      \
      S run[WIDTH], turned[TURNED][WIDTH];                                                    \
      for (int64_t l = 0; l < WIDTH; l++) run[l] = (S)(INIT);                                 \
      for (int64_t i = 0; i < j->n; i += TURNED) {                                            \
        const int64_t m = TJ__MIN(TURNED, j->n - i);                                          \
        for (int64_t l = 0; l < w; l++)                                                       \
          for (int64_t k = 0; k < m; k++) turned[k][l] = (S)LOAD(x[l * j->n + i + k]);        \
        for (int64_t k = 0; k < m; k++)                                                       \
          for (int64_t l = 0; l < w; l++) turned[k][l] = run[l] = STEP(run[l], turned[k][l]); \
        for (int64_t l = 0; l < w; l++)                                                       \
          for (int64_t k = 0; k < m; k++) y[l * j->n + i + k] = (T)STORE(turned[k][l]);       \
      }                                                                                       \
    }                                                                                         \
  }

/* Without branches, so that lines side by side are vectors: equal infinities are their own result, NaN goes through the sum. */
static inline double logaddexp(double a, double b) {
  const double low = a < b ? a : b, high = a < b ? b : a;
  const double near = high + log1p_f64(exp_f64(low - high));
  const double far = ((low == high) & (fabs(high) == INFINITY)) ? high : near;
  return ((a != a) | (b != b)) ? (double)NAN : far;
}
#if TJ__BASELINE
static inline tj__c128 logaddexp_complex(tj__c128 a, tj__c128 b) {
  const tj__c128 low = creal(a) < creal(b) ? a : b, high = creal(a) < creal(b) ? b : a;
  if (creal(high) == -INFINITY) return high;
  if (isinf(creal(high)) && creal(high) == creal(low)) return clog(cexp(low) + cexp(high));
  return high + clog(1 + cexp(low - high));
}
#endif
/* What is rare is compiled for the baseline alone. */
extern const tj__scan_kernels tj__cpu_scan_base;
#define SUM_AND_PROD(DTYPE, tag, T, A, LOAD, STORE, S) \
  SCAN(sum_##tag, T, S, LOAD, STORE, 0, ADD)           \
  SCAN(prod_##tag, T, S, LOAD, STORE, 1, MUL)
TJ__ELEMENTS_FLOAT(SUM_AND_PROD, double)
SUM_AND_PROD(TJ_INT64, i64, int64_t, int64_t, TJ__SAME, TJ__SAME, uint64_t)
SCAN(sum_f16, uint16_t, float, tj__half_to_float, tj__float_to_half, 0, ADD)
SCAN(sum_bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, 0, ADD)
SCAN(logsumexp_f32, float, double, TJ__SAME, TJ__SAME, -INFINITY, logaddexp)
SCAN(logsumexp_f64, double, double, TJ__SAME, TJ__SAME, -INFINITY, logaddexp)
LINES_SCAN(lines_logsumexp_f32, float, double, TJ__SAME, TJ__SAME, -INFINITY, logaddexp)
LINES_SCAN(lines_logsumexp_f64, double, double, TJ__SAME, TJ__SAME, -INFINITY, logaddexp)

/* Products of float64 keep their order: FOUR lines at once, so that one multiplication need not wait for the last. */
enum { FOUR = 4 };
static void lines_prod_f64(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  const int64_t n = j->n;
  for (int64_t block = begin; block < end; block++) {
    const int64_t first = block * FOUR, w = TJ__MIN(FOUR, j->lines - first);
    const double *x = (const double *)(const void *)j->in + first * n;
    double *y = (double *)(void *)j->out + first * n, run[FOUR] = {1, 1, 1, 1};
    if (w == FOUR) {
      for (int64_t i = 0; i < n; i++)
        for (int l = 0; l < FOUR; l++) y[l * n + i] = run[l] *= x[l * n + i];
    } else {
      for (int64_t l = 0; l < w; l++)
        for (int64_t i = 0; i < n; i++) y[l * n + i] = run[l] *= x[l * n + i];
    }
  }
}

/* Halves: converted a block at a time; every product is rounded to float32 in turn. */
enum { BLOCK = 512 };
#define HALF_LINE(name, LOAD_ROW, STORE_ROW)                                 \
  static void name(int64_t begin, int64_t end, void *context) {              \
    const job *j = context;                                                  \
    for (int64_t line = begin; line < end; line++) {                         \
      float run = 1, block[BLOCK];                                           \
      for (int64_t i = line * j->n, stop = i + j->n; i < stop; i += BLOCK) { \
        const int64_t n = TJ__MIN(BLOCK, stop - i);                          \
        LOAD_ROW(block, (const uint16_t *)(const void *)j->in + i, n);       \
        for (int64_t k = 0; k < n; k++) block[k] = run *= block[k];          \
        STORE_ROW((uint16_t *)(void *)j->out + i, block, n);                 \
      }                                                                      \
    }                                                                        \
  }
HALF_LINE(line_prod_f16, tj__floats_of_halves, tj__halves_of_floats)
HALF_LINE(line_prod_bf16, tj__floats_of_brains, tj__brains_of_floats)
#if TJ__BASELINE
TJ__ELEMENTS_COMPLEX(SUM_AND_PROD, tj__c128)
#endif
SCAN(prod_f16, uint16_t, float, tj__half_to_float, tj__float_to_half, 1, MUL)
SCAN(prod_bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, 1, MUL)
#if TJ__BASELINE
SCAN(logsumexp_f16, uint16_t, double, tj__half_to_float, tj__float_to_half, -INFINITY, logaddexp)
SCAN(logsumexp_bf16, uint16_t, double, tj__bfloat16_to_float, tj__float_to_bfloat16, -INFINITY, logaddexp)
SCAN(logsumexp_c64, tj__c64, tj__c128, TJ__SAME, TJ__SAME, -INFINITY, logaddexp_complex)
SCAN(logsumexp_c128, tj__c128, tj__c128, TJ__SAME, TJ__SAME, -INFINITY, logaddexp_complex)
#endif

static void run(job *j, tj__range_body body, int64_t outer) {
  j->blocks_a_line = (j->inner + WIDTH - 1) / WIDTH;
  int64_t work = TJ__MAX(1, j->n * TJ__MIN(j->inner, WIDTH));
  tj__parallel_for(outer * j->blocks_a_line, TJ__MAX(1, TJ__GRAIN / work), body, j);
}

static bool missing(const tj_tensor *in) {
  return tj__fail(TJ_ERROR_RUNTIME, "this scan is not implemented for '%s'", tj__dtype_legacy((tj_dtype)in->dtype)) != NULL;
}

/* By kind and dtype: for lines side by side; for one line alone; for FOUR (products) or WIDTH lines alone. */
static const tj__range_body side_by_side[][TJ_DTYPE_COUNT] = {
    [TJ__SCAN_SUM] = {[TJ_FLOAT32] = sum_f32,
                      [TJ_FLOAT64] = sum_f64,
                      [TJ_INT64] = sum_i64,
                      [TJ_FLOAT16] = sum_f16,
                      [TJ_BFLOAT16] = sum_bf16,
#if TJ__BASELINE
                      [TJ_COMPLEX64] = sum_c64,
                      [TJ_COMPLEX128] = sum_c128
#endif
    },
    [TJ__SCAN_PROD] = {[TJ_FLOAT32] = prod_f32,
                       [TJ_FLOAT64] = prod_f64,
                       [TJ_INT64] = prod_i64,
                       [TJ_FLOAT16] = prod_f16,
                       [TJ_BFLOAT16] = prod_bf16,
#if TJ__BASELINE
                       [TJ_COMPLEX64] = prod_c64,
                       [TJ_COMPLEX128] = prod_c128
#endif
    },
    [TJ__SCAN_LOGSUMEXP] = {[TJ_FLOAT32] = logsumexp_f32,
                            [TJ_FLOAT64] = logsumexp_f64,
#if TJ__BASELINE
                            [TJ_FLOAT16] = logsumexp_f16,
                            [TJ_BFLOAT16] = logsumexp_bf16,
                            [TJ_COMPLEX64] = logsumexp_c64,
                            [TJ_COMPLEX128] = logsumexp_c128
#endif
    },
};
static const tj__range_body one_line[][TJ_DTYPE_COUNT] = {
    [TJ__SCAN_SUM] = {[TJ_FLOAT32] = line_sum_f32,
                      [TJ_FLOAT64] = line_sum_f64,
                      [TJ_FLOAT16] = line_sum_f16,
                      [TJ_BFLOAT16] = line_sum_bf16,
                      [TJ_INT64] = line_sum_i64},
    [TJ__SCAN_PROD] =
        {[TJ_FLOAT32] = line_prod_f32, [TJ_FLOAT16] = line_prod_f16, [TJ_BFLOAT16] = line_prod_bf16, [TJ_INT64] = line_prod_i64},
    [TJ__SCAN_LOGSUMEXP] = {NULL},
};
static const tj__range_body several_lines[][TJ_DTYPE_COUNT] = {
    [TJ__SCAN_SUM] = {NULL},
    [TJ__SCAN_PROD] = {[TJ_FLOAT64] = lines_prod_f64},
    [TJ__SCAN_LOGSUMEXP] = {[TJ_FLOAT32] = lines_logsumexp_f32, [TJ_FLOAT64] = lines_logsumexp_f64},
};

static bool scan(tj__scan_kind kind, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  const tj__range_body body = side_by_side[kind][in->dtype], line = one_line[kind][in->dtype], lines = several_lines[kind][in->dtype];
  if (!body && !TJ__BASELINE) return tj__cpu_scan_base.scan(kind, out, in, outer, n, inner);
  if (!body) return missing(in);
  job j = {.in = tj__read(in), .out = tj__write(out), .n = n, .inner = inner, .lines = outer};
  if (in->numel == 0) return true;
  const int64_t side = kind == TJ__SCAN_PROD ? FOUR : WIDTH;
  if (inner == 1 && lines) tj__parallel_for((outer + side - 1) / side, TJ__MAX(1, TJ__GRAIN / (n * side)), lines, &j);
  else run(&j, inner == 1 && line ? line : body, outer);
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
#if TJ__BASELINE
#define EACH_EXTREME TJ__ELEMENTS_REAL
#define EACH_RECURRENCE(X, E) TJ__ELEMENTS_FLOATING(X, E) TJ__ELEMENTS_COMPLEX(X, E)
#else
#define EACH_EXTREME(X, E) TJ__ELEMENTS_FLOAT(X, E) X(TJ_INT64, i64, int64_t, int64_t, TJ__SAME, TJ__SAME, E)
#define EACH_RECURRENCE TJ__ELEMENTS_FLOAT
#endif
EACH_EXTREME(EXTREMES, NOT_BELOW)
EACH_EXTREME(EXTREMES, NOT_ABOVE)

static bool extremes(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner) {
  tj__range_body body = NULL;
  switch (in->dtype) {
#define CASE3(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = largest ? NOT_BELOW_##tag : NOT_ABOVE_##tag; break;
    EACH_EXTREME(CASE3, )
    default:
      if (!TJ__BASELINE) return tj__cpu_scan_base.extremes(largest, values, indices, in, outer, n, inner);
      return missing(in);
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
EACH_RECURRENCE(RECURRENCE, )

static bool recurrence(bool reverse, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t outer, int64_t n, int64_t inner) {
  tj__range_body body = NULL;
  switch (a->dtype) {
#define CASE4(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: body = recurrence_##tag; break;
    EACH_RECURRENCE(CASE4, )
    default:
      if (!TJ__BASELINE) return tj__cpu_scan_base.recurrence(reverse, out, a, b, outer, n, inner);
      return missing(a);
  }
  job j = {.in = tj__read(a), .b = tj__read(b), .out = tj__write(out), .n = n, .inner = inner, .reverse = reverse};
  if (a->numel) run(&j, body, outer);
  return true;
}

const tj__scan_kernels TJ__ISA(tj__cpu_scan) = {scan, extremes, recurrence};
