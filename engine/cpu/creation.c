/* creation.c: sequences on the CPU. */
#include "../kernels/creation.h"

#include <math.h>

#include "../kernels/backend.h"
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

static void linspace(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end) {
  start = as_element(start, dtype);
  end = as_element(end, dtype);
  size_t size = tj__dtype_sizes[dtype];
  double first = tj__scalar_to_double(start), last = tj__scalar_to_double(end);
  bool narrow = tj__class_of(dtype) == TJ__CLASS_FLOAT && dtype != TJ_FLOAT64;
  double step = (last - first) / (double)(n - 1);
  float narrow_step = ((float)last - (float)first) / (float)(n - 1);
  bool complex_numbers = tj__class_of(dtype) == TJ__CLASS_COMPLEX;
  double step_im = complex_numbers ? (end.c.im - start.c.im) / (double)(n - 1) : 0;
  for (int64_t i = 0; i < n; i++) {
    tj_scalar value = narrow            ? tj_float((double)linear_float((float)first, (float)last, narrow_step, i, n))
                      : complex_numbers ? tj_complex_number(linear(first, last, step, i, n), linear(start.c.im, end.c.im, step_im, i, n))
                                        : tj_float(linear(first, last, step, i, n));
    tj__store_scalar((char *)out + (size_t)i * size, dtype, n == 1 ? start : value);
  }
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
