/* distance.c: distances between rows on the CPU, a row of the first matrix a task. */
#include "../kernels/distance.h"

#include <math.h>

#include "elements.h"

enum { LANES = 16 };

typedef struct job {
  double p;
  const void *a, *b, *grad, *distances;
  void *out;
  int64_t n, m, width;
} job;

/* Sums (or the largest) of STEP over a row, in LANES sums at a time so that they vectorise; JOIN puts two together. */
#define FOLD(T, STEP, JOIN)                                                      \
  {                                                                              \
    T lanes[LANES] = {0};                                                        \
    int64_t k = 0;                                                               \
    for (; k + LANES <= width; k += LANES)                                       \
      for (int l = 0; l < LANES; l++) {                                          \
        const T d = x[k + l] - y[k + l];                                         \
        lanes[l] = JOIN(lanes[l], STEP);                                         \
      }                                                                          \
    for (; k < width; k++) {                                                     \
      const T d = x[k] - y[k];                                                   \
      lanes[0] = JOIN(lanes[0], STEP);                                           \
    }                                                                            \
    for (int half = LANES / 2; half > 0; half /= 2)                              \
      for (int l = 0; l < half; l++) lanes[l] = JOIN(lanes[l], lanes[l + half]); \
    sum = lanes[0];                                                              \
  }
#define ADD(a, v) ((a) + (v))
#define LARGER(a, v) ((v) > (a) || (v) != (v) ? (v) : (a)) /* a NaN wins and stays */
#define SIGN(d) (((d) > 0) - ((d) < 0))

#define DISTANCE(DTYPE, tag, T, A, LOAD, STORE, F)                                                        \
  static T between_##tag(double p, const T *x, const T *y, int64_t width) {                               \
    T sum;                                                                                                \
    if (p == 2.0) {                                                                                       \
      FOLD(T, d *d, ADD)                                                                                  \
      return sqrt##F(sum);                                                                                \
    }                                                                                                     \
    if (p == 1.0) FOLD(T, fabs##F(d), ADD)                                                                \
    else if (p == 0.0) FOLD(T, (T)(d != 0), ADD)                                                          \
    else if (isinf(p)) FOLD(T, fabs##F(d), LARGER)                                                        \
    else {                                                                                                \
      FOLD(T, pow##F(fabs##F(d), (T)p), ADD)                                                              \
      return pow##F(sum, (T)(1.0 / p));                                                                   \
    }                                                                                                     \
    return sum;                                                                                           \
  }                                                                                                       \
  static void distances_##tag(int64_t begin, int64_t end, void *context) {                                \
    const job *j = context;                                                                               \
    for (int64_t row = begin; row < end; row++) {                                                         \
      const T *x = (const T *)j->a + row * j->width, *y = (const T *)j->b + row / j->n * j->m * j->width; \
      T *out = (T *)j->out + row * j->m;                                                                  \
      for (int64_t i = 0; i < j->m; i++, y += j->width) out[i] = between_##tag(j->p, x, y, j->width);     \
    }                                                                                                     \
  }                                                                                                       \
  static void gradient_##tag(int64_t begin, int64_t end, void *context) {                                 \
    const job *j = context;                                                                               \
    const T p = (T)j->p;                                                                                  \
    for (int64_t row = begin; row < end; row++) {                                                         \
      const T *x = (const T *)j->a + row * j->width, *y = (const T *)j->b + row / j->n * j->m * j->width; \
      const T *grad = (const T *)j->grad + row * j->m, *distance = (const T *)j->distances + row * j->m;  \
      T *out = (T *)j->out + row * j->width;                                                              \
      for (int64_t k = 0; k < j->width; k++) out[k] = 0;                                                  \
      for (int64_t i = 0; i < j->m; i++, y += j->width) {                                                 \
        const T g = grad[i], r = distance[i];                                                             \
        if (j->p == 1.0) {                                                                                \
          for (int64_t k = 0; k < j->width; k++) out[k] += g * (T)SIGN(x[k] - y[k]);                      \
        } else if (r == 0) {                                                                              \
        } else if (j->p == 2.0) {                                                                         \
          const T s = g / r;                                                                              \
          for (int64_t k = 0; k < j->width; k++) out[k] += s * (x[k] - y[k]);                             \
        } else if (isinf(j->p)) {                                                                         \
          for (int64_t k = 0; k < j->width; k++) {                                                        \
            const T d = x[k] - y[k];                                                                      \
            if (fabs##F(d) == r) out[k] += g * (T)SIGN(d);                                                \
          }                                                                                               \
        } else {                                                                                          \
          for (int64_t k = 0; k < j->width; k++) {                                                        \
            const T d = x[k] - y[k];                                                                      \
            if (d != 0) out[k] += g * (T)SIGN(d) * pow##F(fabs##F(d) / r, p - 1);                         \
          }                                                                                               \
        }                                                                                                 \
      }                                                                                                   \
    }                                                                                                     \
  }
DISTANCE(TJ_FLOAT32, f32, float, float, , , f)
DISTANCE(TJ_FLOAT64, f64, double, double, , , )

static void run(job *j, tj_dtype dtype, int64_t batch, tj__range_body f32, tj__range_body f64) {
  const int64_t work = TJ__MAX(1, j->m * j->width);
  tj__parallel_for(batch * j->n, TJ__MAX(1, TJ__GRAIN / work), dtype == TJ_FLOAT64 ? f64 : f32, j);
}

static void distances(double p, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t batch, int64_t n, int64_t m,
                      int64_t width) {
  job j = {.p = p, .a = tj__read(a), .b = tj__read(b), .out = tj__write(out), .n = n, .m = m, .width = width};
  if (out->numel) run(&j, (tj_dtype)out->dtype, batch, distances_f32, distances_f64);
}

static void gradient(double p, tj_tensor *out, const tj_tensor *grad, const tj_tensor *dist, const tj_tensor *a, const tj_tensor *b,
                     int64_t batch, int64_t n, int64_t m, int64_t width) {
  job j = {.p = p,
           .a = tj__read(a),
           .b = tj__read(b),
           .grad = tj__read(grad),
           .distances = tj__read(dist),
           .out = tj__write(out),
           .n = n,
           .m = m,
           .width = width};
  if (out->numel) run(&j, (tj_dtype)out->dtype, batch, gradient_f32, gradient_f64);
}

const tj__distance_kernels TJ__ISA(tj__cpu_distance) = {distances, gradient};
