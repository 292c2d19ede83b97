/* optim_test.c: optimizer steps against the formulas written out, layouts, and what goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/core.h"
#include "ops.h"
#include "sweep.h"
#include "optim.h"

static tj_memory_stats_t at_start;
static int setup(void **state) {
  (void)state;
  tj_error_clear();
  at_start = tj_memory_stats();
  return tj_scope_begin();
}
static int teardown(void **state) {
  (void)state;
  tj_scope_end();
  return tj_memory_stats().live_tensors != at_start.live_tensors || tj_memory_stats().live_bytes != at_start.live_bytes;
}

static tj_tensor *doubles(const double *values, int64_t n) { return tj_from_data(values, TJ_FLOAT64, TJ_INTS(n)); }
static void values_of(tj_tensor *t, double *out, int64_t n) { assert_int_equal(tj_to_data(t, out, (size_t)n * sizeof *out), TJ_OK); }
static void near(double a, double b) {
  if (!(fabs(a - b) <= 1e-14 * fmax(1, fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

enum { N = 5 };
static const double start[N] = {1, -2, 0.5, 3, 0};
static double gradient(int step, int i) { return cos(step * 7 + i) * (i + 1); }

static tj_tensor *gradient_tensor(int step) {
  double g[N];
  for (int i = 0; i < N; i++) g[i] = gradient(step, i);
  return doubles(g, N);
}

static void adam_case(tj_adam_options o) {
  double p[N], m[N] = {0}, v[N] = {0}, most[N] = {0}, got[N];
  const double zeros[N] = {0};
  memcpy(p, start, sizeof p);
  tj_tensor *param = doubles(start, N), *avg = doubles(zeros, N), *sq = doubles(zeros, N), *max = doubles(zeros, N);
  tj_set_requires_grad(param, true);
  for (int step = 1; step <= 20; step++) {
    tj_tensor *grad = gradient_tensor(step);
    uint32_t version = tj_version_of(param);
    tj_tensors none = {NULL, 0};
    assert_int_equal(tj_adam_step(TJ_TENSORS(param), TJ_TENSORS(grad), TJ_TENSORS(avg), TJ_TENSORS(sq), o.amsgrad ? TJ_TENSORS(max) : none,
                                  TJ_FLOATS(step), &o),
                     TJ_OK);
    assert_int_equal(tj_version_of(param), version + 1);
    for (int i = 0; i < N; i++) {
      double g = gradient(step, i) * (o.maximize ? -1 : 1);
      if (o.decoupled_weight_decay) p[i] *= 1 - o.lr * o.weight_decay;
      else g += o.weight_decay * p[i];
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
      most[i] = fmax(most[i], v[i]);
      double second = (o.amsgrad ? most[i] : v[i]) / (1 - pow(o.beta2, step));
      p[i] -= o.lr * m[i] / (1 - pow(o.beta1, step)) / (sqrt(second) + o.eps);
    }
  }
  values_of(param, got, N);
  for (int i = 0; i < N; i++) near(got[i], p[i]);
  assert_true(tj_requires_grad(param) && tj_is_leaf(param));
}

static void adam(void **state) {
  (void)state;
  const tj_adam_options o = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  tj_adam_options w = o;
  adam_case(w);
  w.weight_decay = 0.1;
  adam_case(w);
  w.amsgrad = true;
  adam_case(w);
  w.decoupled_weight_decay = true;
  adam_case(w);
  w.maximize = true;
  w.beta1 = 0.3;
  adam_case(w);
}

static void sgd_case(tj_sgd_options o) {
  double p[N], b[N], got[N];
  memcpy(p, start, sizeof p);
  tj_tensor *param = doubles(start, N), *buffers[1] = {NULL};
  for (int step = 1; step <= 20; step++) {
    assert_int_equal(tj_sgd_step(TJ_TENSORS(param), TJ_TENSORS(gradient_tensor(step)), o.momentum != 0 ? buffers : NULL, &o), TJ_OK);
    assert_int_equal(buffers[0] != NULL, o.momentum != 0);
    for (int i = 0; i < N; i++) {
      double g = gradient(step, i) * (o.maximize ? -1 : 1) + o.weight_decay * p[i];
      if (o.momentum != 0) {
        b[i] = step == 1 ? g : o.momentum * b[i] + (1 - o.dampening) * g;
        g = o.nesterov ? g + o.momentum * b[i] : b[i];
      }
      p[i] -= o.lr * g;
    }
  }
  values_of(param, got, N);
  for (int i = 0; i < N; i++) near(got[i], p[i]);
}

static void sgd(void **state) {
  (void)state;
  sgd_case((tj_sgd_options){.lr = 0.1});
  sgd_case((tj_sgd_options){.lr = 0.1, .weight_decay = 0.2, .maximize = true});
  sgd_case((tj_sgd_options){.lr = 0.1, .momentum = 0.9});
  sgd_case((tj_sgd_options){.lr = 0.1, .momentum = 0.9, .dampening = 0.4, .weight_decay = 0.1});
  sgd_case((tj_sgd_options){.lr = 0.1, .momentum = 0.9, .nesterov = true});
}

/* The same numbers whatever the layouts of parameter, gradient and state. */
static void layouts(void **state) {
  (void)state;
  double values[6] = {1, 2, 3, 4, 5, 6}, want[6], got[6];
  const double grads[6] = {6, -5, 4, -3, 2, -1};
  tj_sgd_options o = {.lr = 0.5, .momentum = 0.5};
  tj_tensor *plain = tj_from_data(values, TJ_FLOAT64, TJ_INTS(2, 3)), *g = tj_from_data(grads, TJ_FLOAT64, TJ_INTS(2, 3)),
            *buffer[1] = {NULL};
  assert_int_equal(tj_sgd_step(TJ_TENSORS(plain), TJ_TENSORS(g), buffer, &o), TJ_OK);
  values_of(plain, want, 6);
  /* a transposed parameter over [3, 2] memory, a contiguous gradient */
  double turned[6];
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++) turned[j * 2 + i] = values[i * 3 + j];
  tj_tensor *memory = tj_from_data(turned, TJ_FLOAT64, TJ_INTS(3, 2)), *t = tj__alias(memory, TJ_INTS(2, 3), TJ_INTS(1, 2), 0);
  uint32_t version = tj_version_of(memory);
  buffer[0] = NULL;
  assert_int_equal(tj_sgd_step(TJ_TENSORS(t), TJ_TENSORS(g), buffer, &o), TJ_OK);
  values_of(t, got, 6);
  assert_memory_equal(got, want, sizeof want);
  assert_true(tj_version_of(memory) > version);
  /* a gradient that is one number expanded */
  tj_tensor *ones = tj__alias(doubles((const double[]){1}, 1), TJ_INTS(2, 3), TJ_INTS(0, 0), 0);
  tj_sgd_options simple = {.lr = 1};
  tj_tensor *p = tj_from_data(values, TJ_FLOAT64, TJ_INTS(2, 3));
  assert_int_equal(tj_sgd_step(TJ_TENSORS(p), TJ_TENSORS(ones), NULL, &simple), TJ_OK);
  values_of(p, got, 6);
  for (int i = 0; i < 6; i++) near(got[i], values[i] - 1);
}

/* Without a gradient nothing moves; several parameters of several dtypes in one call. */
static void groups(void **state) {
  (void)state;
  tj_tensor *a = doubles(start, N), *b = tj_from_data((const float[]){1, 2}, TJ_FLOAT32, TJ_INTS(2)), *c = doubles(start, N);
  tj_tensor *none = tj_from_data(NULL, TJ_FLOAT32, TJ_INTS(0));
  tj_tensor *gb = tj_from_data((const float[]){1, 1}, TJ_FLOAT32, TJ_INTS(2)), *gc = gradient_tensor(1);
  tj_tensor *buffers[4] = {NULL};
  tj_tensor *grads[4] = {NULL, gb, none, gc};
  tj_sgd_options o = {.lr = 1, .momentum = 0.9};
  uint32_t version = tj_version_of(a);
  assert_int_equal(tj_sgd_step(TJ_TENSORS(a, b, none, c), (tj_tensors){grads, 4}, buffers, &o), TJ_OK);
  assert_null(buffers[0]);
  assert_non_null(buffers[1]);
  assert_int_equal(tj_version_of(a), version);
  float got[2];
  assert_int_equal(tj_to_data(b, got, sizeof got), TJ_OK);
  assert_true(got[0] == 0 && got[1] == 1);
  double p[N];
  values_of(c, p, N);
  for (int i = 0; i < N; i++) near(p[i], start[i] - gradient(1, i));
}

static void errors(void **state) {
  (void)state;
  tj_tensor *p = doubles(start, N), *good = gradient_tensor(1), *small = doubles(start, 2),
            *ints = tj_from_data((const int64_t[]){1}, TJ_INT64, TJ_INTS(1));
  tj_tensor *single = tj_from_data((const float[]){1, 2, 3, 4, 5}, TJ_FLOAT32, TJ_INTS(5)), *buffers[2] = {NULL};
  tj_sgd_options o = {.lr = 1, .momentum = 0.9};
  tj_tensors bad[] = {TJ_TENSORS(good, small), TJ_TENSORS(good, single)};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(tj_sgd_step(TJ_TENSORS(p, p), bad[i], buffers, &o), TJ_ERROR_RUNTIME);
    tj_error_clear();
    double got[N];
    values_of(p, got, N);
    assert_memory_equal(got, start, sizeof got);
    assert_null(buffers[0]);
  }
  assert_int_equal(tj_sgd_step(TJ_TENSORS(ints), TJ_TENSORS(ints), buffers, &o), TJ_ERROR_RUNTIME);
  tj_error_clear();
  assert_int_equal(tj_sgd_step(TJ_TENSORS(p), TJ_TENSORS(good, good), buffers, &o), TJ_ERROR_VALUE);
  tj_error_clear();
  o.nesterov = true;
  o.dampening = 0.1;
  assert_int_equal(tj_sgd_step(TJ_TENSORS(p), TJ_TENSORS(good), buffers, &o), TJ_ERROR_VALUE);
  tj_error_clear();
  tj_adam_options a = {.lr = 1, .beta1 = 0.9, .beta2 = 0.9};
  assert_int_equal(
      tj_adam_step(TJ_TENSORS(p), TJ_TENSORS(good), TJ_TENSORS(good), TJ_TENSORS(good), (tj_tensors){NULL, 0}, TJ_FLOATS(0), &a),
      TJ_ERROR_VALUE);
  tj_error_clear();
}

/* Whichever allocation fails, the call says so and leaves nothing behind. */
static void one_step(void *context) {
  (void)context;
  tj_sgd_options o = {.lr = 1, .momentum = 0.9};
  tj_tensor *memory = tj_from_data(start, TJ_FLOAT64, TJ_INTS(2, 2)), *g = tj_from_data(start, TJ_FLOAT64, TJ_INTS(2, 2)),
            *buffers[1] = {NULL};
  tj_tensor *p = memory ? tj__alias(memory, TJ_INTS(2, 2), TJ_INTS(1, 2), 0) : NULL;
  if (p && g) tj_sgd_step(TJ_TENSORS(p), TJ_TENSORS(g), buffers, &o);
}
static void allocation_failures(void **state) {
  (void)state;
  const char *what = sweep(one_step, NULL, NULL);
  if (what) fail_msg("%s", what);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(adam, setup, teardown),    cmocka_unit_test_setup_teardown(sgd, setup, teardown),
      cmocka_unit_test_setup_teardown(layouts, setup, teardown), cmocka_unit_test_setup_teardown(groups, setup, teardown),
      cmocka_unit_test_setup_teardown(errors, setup, teardown),  cmocka_unit_test_setup_teardown(allocation_failures, setup, teardown),
  };
  return cmocka_run_group_tests_name("optim", tests, NULL, NULL);
}
