/* creation.c: sequences on the CPU. */
#include "../kernels/creation.h"

#include <math.h>

#include "../kernels/backend.h"
#include "../kernels/copy.h"
#include "elements.h"

/* ---- arange: start + i * step, in int64 or float64 --------------------------------------------------------------- */

#define ARANGE_INT(DTYPE, tag, T, A, LOAD, STORE, EXTRA)                                        \
  case DTYPE: {                                                                                 \
    T *to = out;                                                                                \
    uint64_t from = (uint64_t)tj__scalar_to_int(start), by = (uint64_t)tj__scalar_to_int(step); \
    for (int64_t i = 0; i < n; i++) to[i] = (T)(from + (uint64_t)i * by);                       \
    break;                                                                                      \
  }
#define ARANGE_FLOAT(DTYPE, tag, T, A, LOAD, STORE, EXTRA)                      \
  case DTYPE: {                                                                 \
    T *to = out;                                                                \
    double from = tj__scalar_to_double(start), by = tj__scalar_to_double(step); \
    for (int64_t i = 0; i < n; i++) to[i] = STORE((A)(from + by * (double)i));  \
    break;                                                                      \
  }
static void arange(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar step) {
  switch (dtype) {
    TJ__ELEMENTS_INT(ARANGE_INT, 0)
    TJ__ELEMENTS_FLOATING(ARANGE_FLOAT, 0)
    default: break;
  }
}

/* ---- linspace: from both ends towards the middle, so that both ends are exact ------------------------------------- */

/* One rounding a value, as PyTorch's kernels have it: they are compiled for processors that fuse a product and a sum. */
static inline float step_float(float from, float step, int64_t i) { return fmaf(step, (float)i, from); }
static inline double step_double(double from, double step, int64_t i) { return fma(step, (double)i, from); }

static double linear(double first, double last, double step, int64_t i, int64_t n) {
  return i < n / 2 ? step_double(first, step, i) : step_double(last, -step, n - i - 1);
}

static float linear_float(float first, float last, float step, int64_t i, int64_t n) {
  return i < n / 2 ? step_float(first, step, i) : step_float(last, -step, n - i - 1);
}

/* The end of a sequence as an element of the dtype holds it. */
static tj_scalar as_element(tj_scalar s, tj_dtype dtype) {
  char element[16];
  tj__store_scalar(element, dtype, s);
  return tj__load_scalar(element, dtype);
}

/* Numbers of a block are computed in float32 (float32 and narrower) or float64 (the rest), and converted as any tensor is. */
enum { BLOCK = 512 };

typedef struct line_job {
  char *out;
  size_t size;
  int64_t n;
  double first, last;
  tj__loop convert;
} line_job;

/* T and its fused sum; I: an integer that holds every place. */
#define LINE_BLOCK(name, T, I, STEP)                                                             \
  static void name(T *to, int64_t begin, int64_t n, int64_t all, T first, T last, T step) {      \
    const int64_t rising = TJ__MIN(n, TJ__MAX(all / 2 - begin, 0)); /* counted from the start */ \
    const I from = (I)begin, back = (I)(all - 1 - begin);                                        \
    for (I i = 0; i < (I)rising; i++) to[i] = STEP(step, (T)(from + i), first);                  \
    for (I i = (I)rising; i < (I)n; i++) to[i] = STEP(-step, (T)(back - i), last);               \
  }
LINE_BLOCK(line_f32, float, int32_t, fmaf)
LINE_BLOCK(line_f32_long, float, int64_t, fmaf)
LINE_BLOCK(line_f64, double, int32_t, fma)
LINE_BLOCK(line_f64_long, double, int64_t, fma)

#define LINE_BODY(name, T, SHORT, LONG)                                                                                                   \
  static void name(int64_t begin, int64_t end, void *context) {                                                                           \
    const line_job *j = context;                                                                                                          \
    const T first = (T)j->first, last = (T)j->last, step = (last - first) / (T)(j->n - 1);                                                \
    _Alignas(64) T block[BLOCK];                                                                                                          \
    for (int64_t at = begin; at < end; at += BLOCK) {                                                                                     \
      const int64_t n = TJ__MIN(BLOCK, end - at);                                                                                         \
      T *to = j->convert ? block : (T *)(void *)j->out + at;                                                                              \
      if (j->n <= INT32_MAX) SHORT(to, at, n, j->n, first, last, step);                                                                   \
      else LONG(to, at, n, j->n, first, last, step);                                                                                      \
      if (j->convert)                                                                                                                     \
        j->convert((char *[]){j->out + (size_t)at * j->size, (char *)block}, (int64_t[]){(int64_t)j->size, (int64_t)sizeof(T)}, n, NULL); \
    }                                                                                                                                     \
  }
LINE_BODY(line_body_f32, float, line_f32, line_f32_long)
LINE_BODY(line_body_f64, double, line_f64, line_f64_long)

static void linspace(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end) {
  start = as_element(start, dtype);
  end = as_element(end, dtype);
  size_t size = tj__dtype_sizes[dtype];
  double first = tj__scalar_to_double(start), last = tj__scalar_to_double(end);
  if (n == 1) {
    tj__store_scalar(out, dtype, start);
    return;
  }
  if (tj__class_of(dtype) == TJ__CLASS_COMPLEX) {
    const double step = (last - first) / (double)(n - 1), step_im = (end.c.im - start.c.im) / (double)(n - 1);
    for (int64_t i = 0; i < n; i++)
      tj__store_scalar((char *)out + (size_t)i * size, dtype,
                       tj_complex_number(linear(first, last, step, i, n), linear(start.c.im, end.c.im, step_im, i, n)));
    return;
  }
  const bool narrow = tj__class_of(dtype) == TJ__CLASS_FLOAT && dtype != TJ_FLOAT64;
  const tj_dtype computed = narrow ? TJ_FLOAT32 : TJ_FLOAT64;
  line_job j = {out, size, n, first, last, NULL};
  if (dtype != computed) j.convert = tj__backend_of(TJ_CPU)->copy->convert[dtype][computed];
  tj__parallel_for(n, TJ__GRAIN, narrow ? line_body_f32 : line_body_f64, &j);
}

static void logspace(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end, double base) {
  size_t size = tj__dtype_sizes[dtype];
  tj__dtype_class class = tj__class_of(dtype);
  if (class == TJ__CLASS_COMPLEX) {
    for (int64_t i = 0; i < n; i++) {
      double t = n == 1 ? 0 : (double)i / (double)(n - 1);
      double a_re = tj__scalar_to_double(start), b_re = tj__scalar_to_double(end);
      double a_im = start.kind == TJ_SCALAR_COMPLEX ? start.c.im : 0, b_im = end.kind == TJ_SCALAR_COMPLEX ? end.c.im : 0;
      double _Complex exponent = __builtin_complex(a_re + (b_re - a_re) * t, a_im + (b_im - a_im) * t);
      double _Complex value = cpow(__builtin_complex(base, 0.0), exponent);
      tj__store_scalar((char *)out + (size_t)i * size, dtype, tj_complex_number(creal(value), cimag(value)));
    }
    return;
  }
  start = as_element(start, dtype);
  end = as_element(end, dtype);
  double first = tj__scalar_to_double(start), last = tj__scalar_to_double(end);
  double step = (last - first) / (double)(n - 1);
  float narrow_step = (float)(last - first) / (float)(n - 1);
  for (int64_t i = 0; i < n; i++) {
    double exponent = n == 1                ? first
                      : dtype == TJ_FLOAT64 ? linear(first, last, step, i, n)
                                            : (double)linear_float((float)first, (float)last, narrow_step, i, n);
    double value = class == TJ__CLASS_FLOAT && dtype != TJ_FLOAT64 ? (double)powf((float)base, (float)exponent) : pow(base, exponent);
    tj__store_scalar((char *)out + (size_t)i * size, dtype, tj_float(value));
  }
}

/* ---- triangles ---------------------------------------------------------------------------------------------------- */

#define TRIANGLE(DTYPE, tag, T, A, LOAD, STORE, EXTRA)                                                        \
  case DTYPE: {                                                                                               \
    T *r = out, *c = r + n;                                                                                   \
    for (int64_t i = first; i < last; i++) {                                                                  \
      int64_t diagonal = i + offset;                                                                          \
      int64_t from = lower ? 0 : TJ__MAX(diagonal, 0), to = lower ? TJ__MIN(diagonal + 1, columns) : columns; \
      for (int64_t j = from; j < to; j++) {                                                                   \
        *r++ = (T)i;                                                                                          \
        *c++ = (T)j;                                                                                          \
      }                                                                                                       \
    }                                                                                                         \
    break;                                                                                                    \
  }
static void triangle(void *out, tj_dtype dtype, int64_t n, int64_t rows, int64_t columns, int64_t offset, bool lower) {
  /* only the rows that hold any */
  const int64_t first = lower ? TJ__MAX(0, -offset) : 0, last = lower ? rows : TJ__MIN(rows, columns - offset);
  switch (dtype) {
    TJ__ELEMENTS_INT(TRIANGLE, 0)
    default: break;
  }
}

const tj__creation_kernels TJ__ISA(tj__cpu_creation) = {
    .arange = arange,
    .linspace = linspace,
    .logspace = logspace,
    .triangle = triangle,
};
