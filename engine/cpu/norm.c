/* cpu/norm.c: normalisation on the CPU. */
#include "../kernels/norm.h"

#include <math.h>

enum { STRIP = 128, BLOCK = 32 }; /* columns and rows that the gradient of a weight takes at once */

typedef struct job {
  const tj__norm_shape *s;
  const void *x, *grad, *mean, *rstd, *weight, *bias;
  bool training;
  double eps;
  void *out, *means, *rstds;
  double *mean64, *variance64;
} job;

#define T float
#define SUFFIX f32
#include "norm_loops.inc"
#undef T
#undef SUFFIX

#define T double
#define SUFFIX f64
#include "norm_loops.inc"
#undef T
#undef SUFFIX

/* n pieces of work that touch `each` elements apiece */
static void run(const tj__norm_shape *s, tj__range_body f32, tj__range_body f64, int64_t n, int64_t each, job *j) {
  tj__parallel_for(n, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, each)), s->dtype == TJ_FLOAT32 ? f32 : f64, j);
}

static void moments(const tj__norm_shape *s, const void *x, double *mean, double *variance) {
  job j = {.s = s, .x = x, .mean64 = mean, .variance64 = variance};
  run(s, moments_f32, moments_f64, s->groups, 2 * s->outer * s->inner, &j);
}

static void apply(const tj__norm_shape *s, const void *x, const void *mean, const void *rstd, const void *weight, const void *bias,
                  void *out) {
  job j = {.s = s, .x = x, .mean = mean, .rstd = rstd, .weight = weight, .bias = bias, .out = out};
  run(s, apply_f32, apply_f64, s->outer * s->groups, s->inner, &j);
}

static void normalise(const tj__norm_shape *s, const void *x, double eps, const void *weight, const void *bias, void *mean, void *rstd,
                      void *out) {
  job j = {.s = s, .x = x, .eps = eps, .weight = weight, .bias = bias, .means = mean, .rstds = rstd, .out = out};
  run(s, normalise_f32, normalise_f64, s->groups, 3 * s->inner, &j);
}

static void grad_input(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, const void *weight,
                       bool training, void *out) {
  job j = {.s = s, .x = x, .grad = grad, .mean = mean, .rstd = rstd, .weight = weight, .training = training, .out = out};
  run(s, grad_input_f32, grad_input_f64, s->groups, 3 * s->outer * s->inner, &j);
}

static void grad_weight(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, void *out) {
  job j = {.s = s, .x = x, .grad = grad, .mean = mean, .rstd = rstd, .out = out};
  /* columns in whole strips */
  if (!s->weight_step) tj__parallel_chunks(s->n_weights, STRIP, s->dtype == TJ_FLOAT32 ? grad_weight_f32 : grad_weight_f64, &j);
  else run(s, grad_weight_f32, grad_weight_f64, s->n_weights, 2 * s->outer * s->groups * s->inner / TJ__MAX(1, s->n_weights), &j);
}

const tj__norm_kernels TJ__ISA(tj__cpu_norm) = {
    .moments = moments, .apply = apply, .normalise = normalise, .grad_input = grad_input, .grad_weight = grad_weight};
