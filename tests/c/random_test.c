/* random_test.c: the streams of random numbers, values from PyTorch 2.6 after manual_seed(42); factories and their errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs the five above */
#include <cmocka.h>
#include <math.h>

#include "core/core.h"
#include "ops.h"

#define DEFAULTS TJ_DTYPE_NONE, TJ_DEVICE_NONE, false

static int begin(void **state) {
  (void)state;
  tj_error_clear();
  tj_manual_seed(42);
  return tj_scope_begin();
}
static int end(void **state) {
  (void)state;
  tj_scope_end();
  return 0;
}

static double at(tj_tensor *t, int64_t i) {
  assert_non_null(t);
  return tj__scalar_to_double(tj__load_scalar((const char *)tj__read(t) + (size_t)i * tj__itemsize(t), (tj_dtype)t->dtype));
}

/* Elements in the order of memory; relative 0 is exact. */
static void check(tj_tensor *t, const double *expected, int64_t n, double relative) {
  if (!t) fail_msg("no tensor: %s", tj_error_message());
  for (int64_t i = 0; i < n; i++)
    if (fabs(at(t, i) - expected[i]) > relative * fabs(expected[i]))
      fail_msg("element %d is %.17g, not %.17g", (int)i, at(t, i), expected[i]);
}
#define CHECK(t, relative, ...) \
  check(t, (const double[]){__VA_ARGS__}, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), relative)

static void expect_error(void *result, const char *message) {
  assert_null(result);
  assert_string_equal(tj_error_message(), message);
  tj_error_clear();
}

static void uniform(void **state) {
  (void)state;
  CHECK(tj_rand(TJ_INTS(4), NULL, DEFAULTS), 0, 0.8822692632675171, 0.9150039553642273, 0.38286375999450684, 0.9593056440353394);
  tj_manual_seed(42);
  CHECK(tj_rand(TJ_INTS(2), NULL, TJ_FLOAT64, TJ_DEVICE_NONE, false), 0, 0.05815448596142969, 0.06291016742457756);
  tj_manual_seed(((uint64_t)1 << 63) + 5);
  CHECK(tj_rand(TJ_INTS(2), NULL, DEFAULTS), 0, 0.8302518725395203, 0.12611091136932373);
  /* drawn in the order of memory, whatever the strides say */
  tj_manual_seed(42);
  tj_tensor *t = tj_t(tj_empty(TJ_INTS(3, 2), DEFAULTS, NULL));
  assert_ptr_equal(tj_uniform_(t, 0, 1, NULL), t);
  CHECK(t, 0, 0.8822692632675171, 0.9150039553642273, 0.38286375999450684, 0.9593056440353394, 0.3904482126235962, 0.600895345211029);
  expect_error(tj_uniform_(t, 2, 1, NULL), "uniform_ expects to return a [from, to) range, but found from=2 > to=1");
  expect_error(tj_rand(TJ_INTS(2), NULL, TJ_INT64, TJ_DEVICE_NONE, false), "\"check_uniform_bounds\" not implemented for 'Long'");
  expect_error(tj_rand(TJ_INTS(2, -1), NULL, DEFAULTS), "Trying to create tensor with negative dimension -1: [2, -1]");
}

static void normal(void **state) {
  (void)state;
  CHECK(tj_randn(TJ_INTS(3), NULL, DEFAULTS), 1e-7, 0.33669036626815796, 0.12880940735340118, 0.23446236550807953);
  tj_manual_seed(42);
  tj_tensor *t = tj_randn(TJ_INTS(17), NULL, DEFAULTS);
  assert_true(fabs(at(t, 0) - 1.9269152879714966) < 2e-6 && fabs(at(t, 8) - 0.3558599054813385) < 2e-6 &&
              fabs(at(t, 16) + 0.3097267746925354) < 2e-6);
  tj_manual_seed(42); /* not contiguous: one by one */
  tj_tensor *wide = tj_zeros(TJ_INTS(12), DEFAULTS);
  tj_normal_(tj__alias(wide, TJ_INTS(6), TJ_INTS(2), 0), 0, 1, NULL);
  CHECK(wide, 1e-6, 0.33669036626815796, 0, 0.12880940735340118, 0, 0.23446236550807953, 0, 0.23033303022384644, 0, -1.1228563785552979, 0,
        -0.18632829189300537, 0);
  /* moments of many, in every dtype */
  for (tj_dtype d = TJ_FLOAT16; d <= TJ_FLOAT64; d++) {
    t = tj_normal_float_float(3, 2, TJ_INTS(20000), NULL, d, TJ_DEVICE_NONE, false);
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; i++) sum += at(t, i), squares += (at(t, i) - 3) * (at(t, i) - 3);
    assert_true(fabs(sum / 20000 - 3) < 0.06 && fabs(squares / 20000 - 4) < 0.2);
  }
  expect_error(tj_normal_(t, 0, -1, NULL), "normal expects std >= 0.0, but found std -1");
  assert_true(tj_requires_grad(tj_randn(TJ_INTS(2), NULL, TJ_DTYPE_NONE, TJ_DEVICE_NONE, true)));
  expect_error(tj_zeros(TJ_INTS(2), TJ_INT64, TJ_DEVICE_NONE, true),
               "only Tensors of floating point and complex dtype can require gradients");
}

/* Everything that is drawn on several threads, one after the other in one stream, and where the stream is then. */
enum { DRAWN = 9 };
static void draw_all(tj_tensor **t) {
  const int64_t n = 100003;
  tj_manual_seed(1);
  int k = 0;
  t[k++] = tj_randn(TJ_INTS(n), NULL, DEFAULTS);
  t[k++] = tj_randn(TJ_INTS(n), NULL, TJ_FLOAT64, TJ_DEVICE_NONE, false);
  t[k++] = tj_rand(TJ_INTS(n), NULL, TJ_BFLOAT16, TJ_DEVICE_NONE, false);
  t[k++] = tj_randint(1000, TJ_INTS(n), NULL, DEFAULTS);
  t[k++] = tj_randint((int64_t)1 << 40, TJ_INTS(n), NULL, DEFAULTS);
  t[k++] = tj_bernoulli(tj_rand(TJ_INTS(n), NULL, DEFAULTS), NULL);
  t[k++] = tj_exponential_(tj_empty(TJ_INTS(n), DEFAULTS, NULL), 2, NULL);
  t[k++] = tj_dropout(tj_ones(TJ_INTS(n), DEFAULTS), 0.3, true, false);
  t[k++] = tj_generator_get_state(NULL);
  assert_int_equal(k, DRAWN);
}

static void threads_do_not_matter(void **state) {
  (void)state;
  int before = tj_get_num_threads();
  tj_tensor *one[DRAWN], *three[DRAWN];
  tj_set_num_threads(1);
  draw_all(one);
  tj_set_num_threads(3);
  draw_all(three);
  tj_set_num_threads(before);
  for (int k = 0; k < DRAWN; k++) {
    assert_non_null(one[k]);
    assert_memory_equal(tj_data(one[k]), tj_data(three[k]), (size_t)tj_numel(one[k]) * tj__itemsize(one[k]));
  }
}

static void integers(void **state) {
  (void)state;
  CHECK(tj_randint_low(0, (int64_t)1 << 40, TJ_INTS(3), NULL, DEFAULTS), 0, 441507790259, 395924837646, 458615280711);
  tj_manual_seed(42);
  CHECK(tj_randperm(6, NULL, DEFAULTS), 0, 0, 3, 2, 4, 1, 5);
  assert_int_equal(tj_dtype_of(tj_randint(5, TJ_INTS(2), NULL, DEFAULTS)), TJ_INT64);
  assert_int_equal(tj_numel(tj_randperm(0, NULL, DEFAULTS)), 0);
  for (tj_dtype d = TJ_BOOL; d <= TJ_FLOAT64; d++) { /* all values, and none outside */
    tj_tensor *t = tj_randint_low(0, 2, TJ_INTS(200), NULL, d, TJ_DEVICE_NONE, false);
    int ones = 0;
    for (int i = 0; i < 200; i++) {
      assert_true(at(t, i) == 0 || at(t, i) == 1);
      ones += at(t, i) == 1;
    }
    assert_true(ones > 50 && ones < 150);
  }
  expect_error(tj_randint_low(5, 5, TJ_INTS(2), NULL, DEFAULTS), "random_ expects 'from' to be less than 'to', but got from=5 >= to=5");
  expect_error(tj_randint(300, TJ_INTS(2), NULL, TJ_UINT8, TJ_DEVICE_NONE, false), "to - 1 is out of bounds for unsigned char");
  expect_error(tj_randperm(300, NULL, TJ_UINT8, TJ_DEVICE_NONE, false), "value cannot be converted to type uint8_t without overflow");
}

static void dropout(void **state) {
  (void)state;
  const double s = 1.4285714626312256;
  tj_tensor *x = tj_ones(TJ_INTS(10), TJ_DTYPE_NONE, TJ_DEVICE_NONE, true), *y = tj_dropout(x, 0.3, true, false);
  CHECK(y, 0, s, s, s, s, s, s, 0, 0, s, s);
  assert_int_equal(tj_backward(TJ_TENSORS(tj_sum(y, TJ_DTYPE_NONE)), (tj_tensors){NULL, 0}, false, false, (tj_tensors){NULL, 0}), TJ_OK);
  CHECK(tj_grad(x), 1e-7, s, s, s, s, s, s, 0, 0, s, s);
  assert_ptr_equal(tj_dropout(x, 0.3, false, false), x);
  tj_tensor *z = tj_ones(TJ_INTS(2, 3, 4), DEFAULTS);
  assert_ptr_equal(tj_dropout2d(z, 0.5, true, true), z);
  for (int i = 0; i < 24; i++) assert_true(at(z, i) == at(z, i / 4 * 4)); /* whole channels */
  CHECK(tj_dropout(tj_ones(TJ_INTS(2), DEFAULTS), 1, true, false), 0, 0, 0);
  expect_error(tj_dropout(z, 2, true, false), "dropout probability has to be between 0 and 1, but got 2.0");
}

static void choices(void **state) {
  (void)state;
  tj_tensor *p = tj_from_data((float[]){0, 1, 0, 3}, TJ_FLOAT32, TJ_INTS(4)), *t = tj_multinomial(p, 4000, true, NULL);
  int threes = 0;
  for (int i = 0; i < 4000; i++) {
    assert_true(at(t, i) == 1 || at(t, i) == 3);
    threes += at(t, i) == 3;
  }
  assert_true(threes > 2850 && threes < 3150);
  t = tj_multinomial(p, 2, false, NULL);
  assert_true(at(t, 0) + at(t, 1) == 4);
  expect_error(tj_multinomial(p, 5, false, NULL), "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  double mean = 0;
  t = tj_poisson(tj_full(TJ_INTS(5000), tj_float(20), DEFAULTS), NULL);
  for (int i = 0; i < 5000; i++) mean += at(t, i) / 5000;
  assert_true(fabs(mean - 20) < 0.3);
}

static void sequences(void **state) {
  (void)state;
  CHECK(tj_arange(tj_int(3), DEFAULTS), 0, 0, 1, 2);
  assert_int_equal(tj_dtype_of(tj_arange(tj_int(3), DEFAULTS)), TJ_INT64);
  assert_int_equal(tj_dtype_of(tj_arange(tj_float(3), DEFAULTS)), TJ_FLOAT32);
  CHECK(tj_arange_start_step(tj_int(5), tj_int(0), tj_int(-2), DEFAULTS), 0, 5, 3, 1);
  CHECK(tj_arange_start_step(tj_float(0), tj_float(1), tj_float(0.25), DEFAULTS), 0, 0, 0.25, 0.5, 0.75);
  CHECK(tj_linspace(tj_int(0), tj_int(10), 7, TJ_INT32, TJ_DEVICE_NONE, false), 0, 0, 1, 3, 5, 6, 8, 10);
  CHECK(tj_logspace(tj_int(0), tj_int(3), 4, 2, DEFAULTS), 1e-7, 1, 2, 4, 8);
  CHECK(tj_eye_m(2, 3, DEFAULTS), 0, 1, 0, 0, 0, 1, 0);
  CHECK(tj_tril_indices(3, 2, 0, DEFAULTS), 0, 0, 1, 1, 2, 2, 0, 0, 1, 0, 1);
  CHECK(tj_triu_indices(2, 3, 1, DEFAULTS), 0, 0, 0, 1, 1, 2, 2);
  for (int64_t rows = 0; rows < 5; rows++)
    for (int64_t columns = 0; columns < 5; columns++)
      for (int64_t offset = -7; offset < 8; offset++) { /* each element is in exactly one of the two */
        tj_tensor *below = tj_tril_indices(rows, columns, offset, DEFAULTS), *above = tj_triu_indices(rows, columns, offset + 1, DEFAULTS);
        assert_int_equal(tj_size(below, 1) + tj_size(above, 1), rows * columns);
        for (int64_t i = 0, n = tj_size(below, 1); i < n; i++) assert_true(at(below, n + i) - at(below, i) <= (double)offset);
        for (int64_t i = 0, n = tj_size(above, 1); i < n; i++) assert_true(at(above, n + i) - at(above, i) > (double)offset);
      }
  assert_int_equal(tj_dtype_of(tj_full(TJ_INTS(2), tj_int(1), DEFAULTS)), TJ_INT64);
  assert_int_equal(tj_dtype_of(tj_full(TJ_INTS(2), tj_complex_number(0, 1), DEFAULTS)), TJ_COMPLEX64);
  expect_error(tj_arange_start_step(tj_int(0), tj_int(5), tj_int(0), DEFAULTS), "step must be nonzero");
  expect_error(tj_arange(tj_float(INFINITY), DEFAULTS), "unsupported range: 0 -> inf");
  expect_error(tj_linspace(tj_int(0), tj_int(1), -1, DEFAULTS), "number of steps must be non-negative");
  expect_error(tj_eye(-1, DEFAULTS), "n must be greater or equal to 0, got -1");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
  const struct CMUnitTest tests[] = {TEST(uniform), TEST(normal),   TEST(threads_do_not_matter), TEST(integers), TEST(dropout),
                                     TEST(choices), TEST(sequences)};
  return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
