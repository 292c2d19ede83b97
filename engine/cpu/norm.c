/* cpu/norm.c: normalisation on the CPU. */
#include "../kernels/norm.h"
#include "tile.h"

#include <math.h>

enum { STRIP = 128, BLOCK = 32 };      /* columns and rows that the gradient of a weight takes at once */
enum { TASKS = 16, ROWS_LEAST = 128 }; /* into which its columns and rows are divided; rows of a part */
enum { RUN_LEAST = 256 };              /* elements of a run that is worked on by itself, where groups have several */

typedef struct pair {
  double first, second;
} pair;

typedef struct job {
  const tj__norm_shape *s;
  const void *x, *grad, *mean, *rstd, *weight, *bias;
  bool training;
  double eps;
  void *out, *means, *rstds;
  double *variances;
  void *grad_weight, *grad_bias;
  bool own; /* each group has a weight of its own, and its sums are wanted */
  int64_t parts;
  pair *sums; /* of each run; or of each part and column, biases' and weights' */
} job;

/* long loops with several callers */
#ifdef __clang__
#define OUTLINED __attribute__((noinline))
#else
#define OUTLINED __attribute__((noinline, noclone))
#endif

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

/* ---- long runs of float32, one by one ----------------------------------------------------------------------------- */

/* Whether long runs of a group are worked on one by one, in their order: as convolutions and pointwise operators go over the same tensors, so that most of
 * what a thread reads is what it has written. */
static bool by_runs(const tj__norm_shape *s) { return s->dtype == TJ_FLOAT32 && s->outer > 1 && s->inner >= RUN_LEAST; }

/* Run by run: the moments of each, ... */
static void run_moments(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  for (int64_t i = begin; i < end; i++) j->sums[i] = moments_f32((const float *)j->x + i * j->s->inner, 1, 0, j->s->inner);
}

/* ... and those of the groups (T. F. Chan, G. H. Golub and R. J. LeVeque, Algorithms for Computing the Sample Variance, 1983). */
static void combine_moments(const job *j) {
  const tj__norm_shape *s = j->s;
  for (int64_t c = 0; c < s->groups; c++) {
    double mean = 0, squares = 0;
    for (int64_t a = 0; a < s->outer; a++) mean += j->sums[a * s->groups + c].first;
    mean /= (double)s->outer;
    for (int64_t a = 0; a < s->outer; a++) {
      const pair *p = &j->sums[a * s->groups + c];
      squares += p->second + (double)s->inner * (p->first - mean) * (p->first - mean);
    }
    put_statistics_f32(j, c, mean, squares);
  }
}

/* Run by run, where groups have their own weights: the sums, the groups' sums, and the input's gradient. */
static void run_products(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  for (int64_t i = begin; i < end; i++) {
    const int64_t at = i * j->s->inner;
    j->sums[i] =
        products_f32((const float *)j->grad + at, (const float *)j->x + at, 1, 0, j->s->inner, ((const float *)j->mean)[i % j->s->groups]);
  }
}

static void combine_products(const job *j) {
  for (int64_t c = 0; c < j->s->groups; c++) {
    pair *p = &j->sums[c];
    for (int64_t a = 1; a < j->s->outer; a++) p->first += p[a * j->s->groups].first, p->second += p[a * j->s->groups].second;
    put_own_f32(j, c, p->first, p->second);
  }
}

static void run_grads(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  for (int64_t i = begin; i < end; i++) {
    const int64_t c = i % j->s->groups, at = i * j->s->inner;
    const double w = j->weight ? (double)((const float *)j->weight)[c] : 1;
    float shift, slope;
    set_back_f32(j, c, j->sums[c].first * w, j->sums[c].second * w, &shift, &slope);
    grad_run_f32(j, c, (const float *)j->x + at, (const float *)j->grad + at, (float *)j->out + at, shift, slope);
  }
}

/* ---- the kernels -------------------------------------------------------------------------------------------------- */

/* n pieces of work that touch `each` elements apiece */
static void run(const tj__norm_shape *s, tj__range_body f32, tj__range_body f64, int64_t n, int64_t each, job *j) {
  tj__parallel_for(n, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, each)), s->dtype == TJ_FLOAT32 ? f32 : f64, j);
}

static void apply(const tj__norm_shape *s, const void *x, const void *mean, const void *rstd, const void *weight, const void *bias,
                  void *out) {
  job j = {.s = s, .x = x, .mean = mean, .rstd = rstd, .weight = weight, .bias = bias, .out = out};
  run(s, apply_f32, apply_f64, s->outer * s->groups, s->inner, &j);
}

#define OF_DTYPE(name, ...) (s->dtype == TJ_FLOAT32 ? name##_f32(__VA_ARGS__) : name##_f64(__VA_ARGS__))

static bool normalise(const tj__norm_shape *s, const void *x, double eps, const void *weight, const void *bias, void *mean, void *rstd,
                      void *variance, void *out) {
  job j = {.s = s, .x = x, .eps = eps, .weight = weight, .bias = bias, .means = mean, .rstds = rstd, .variances = variance, .out = out};
  if (!by_runs(s)) {
    run(s, normalise_f32, normalise_f64, s->groups, 3 * s->outer * s->inner, &j);
    return true;
  }
  const size_t bytes = (size_t)(s->outer * s->groups) * sizeof *j.sums;
  if (!(j.sums = tj__alloc(bytes))) return false;
  run(s, run_moments, NULL, s->outer * s->groups, 2 * s->inner, &j);
  combine_moments(&j);
  tj__free(j.sums, bytes);
  apply(s, x, mean, rstd, weight, bias, out);
  return true;
}

static bool backward(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, const void *weight,
                     bool training, void *grad_input, void *grad_weight, void *grad_bias) {
  job j = {
      .s = s,
      .x = x,
      .grad = grad,
      .mean = mean,
      .rstd = rstd,
      .weight = weight,
      .training = training,
      .out = grad_input,
      .grad_weight = grad_weight,
      .grad_bias = grad_bias,
      .own = (training || grad_weight || grad_bias) && s->weight_step == 1 && s->n_weights == s->groups && s->weight_groups == s->groups};
  const bool columns = !s->weight_step && (grad_weight || grad_bias), runs = j.own && by_runs(s);
  const int64_t strips = (s->n_weights + STRIP - 1) / STRIP, rows = s->outer * s->groups;
  j.parts = columns ? TJ__MAX(1, TJ__MIN(rows / ROWS_LEAST, TASKS / strips)) : 0;
  const size_t bytes = (size_t)(runs ? rows : j.parts * s->n_weights) * sizeof *j.sums;
  if (bytes && !(j.sums = tj__alloc(bytes))) return false;
  if (runs) {
    run(s, run_products, NULL, rows, 2 * s->inner, &j);
    combine_products(&j);
    if (grad_input) run(s, run_grads, NULL, rows, 2 * s->inner, &j);
  } else if (grad_input || j.own) {
    run(s, backward_f32, backward_f64, s->groups, 3 * s->outer * s->inner, &j);
  }
  if (columns) {
    run(s, grad_columns_f32, grad_columns_f64, j.parts * strips, 2 * rows / j.parts * STRIP, &j);
    OF_DTYPE(combine_columns, &j);
  } else if (!j.own && (grad_weight || grad_bias)) {
    run(s, grad_runs_f32, grad_runs_f64, s->n_weights, 2 * rows * s->inner / TJ__MAX(1, s->n_weights), &j);
  }
  tj__free(j.sums, bytes);
  return true;
}

const tj__norm_kernels TJ__ISA(tj__cpu_norm) = {.apply = apply, .normalise = normalise, .backward = backward};
