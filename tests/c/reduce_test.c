/* reduce_test.c: reductions, scans, softmax, sorting and indexing where it is easy to be wrong: empty, 0-dimensional, NaN, ties, repeated
 * dimensions, strided inputs, derivatives at zeros; and sums that are accurate and the same for any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>

#include <math.h>

#include "core/core.h"
#include "iter/convert.h"
#include "ops.h"

static tj_tensor *floats(const float *values, tj_ints sizes) { return tj_from_data(values, TJ_FLOAT32, sizes); }
static tj_tensor *longs(const int64_t *values, tj_ints sizes) { return tj_from_data(values, TJ_INT64, sizes); }
#define COUNT(type, ...) ((int64_t)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)))
#define F(...) floats((const float[]){__VA_ARGS__}, TJ_INTS(COUNT(float, __VA_ARGS__)))
#define L(...) longs((const int64_t[]){__VA_ARGS__}, TJ_INTS(COUNT(int64_t, __VA_ARGS__)))
#define SIZES(...) TJ_INTS(__VA_ARGS__)

static void check(tj_tensor *t, const double *expected, int64_t n) {
  if (!t) fail_msg("no tensor: %s", tj_error_message());
  assert_int_equal(tj_numel(t), n);
  tj_tensor *wide = tj__to_dtype(t, TJ_FLOAT64);
  double got[64];
  assert_non_null(wide);
  assert_int_equal(tj_to_data(wide, got, (size_t)n * sizeof *got), TJ_OK);
  for (int64_t i = 0; i < n; i++) {
    bool same = isnan(expected[i]) ? isnan(got[i]) : got[i] == expected[i] || fabs(got[i] - expected[i]) <= 1e-6 * (1 + fabs(expected[i]));
    if (!same) fail_msg("element %d is %.9g, not %.9g", (int)i, got[i], expected[i]);
  }
}
#define CHECK(t, ...) check(t, (const double[]){__VA_ARGS__}, COUNT(double, __VA_ARGS__))

static void fails(const void *result, const char *text) {
  assert_null(result);
  if (strcmp(tj_error_message(), text) != 0) fail_msg("the error is \"%s\", not \"%s\"", tj_error_message(), text);
  tj_error_clear();
}

static tj_tensor *gradient(tj_tensor *output, tj_tensor *input, tj_tensor *cotangent) {
  tj_tensor *g = NULL;
  if (tj_grad_of(TJ_TENSORS(output), TJ_TENSORS(input), TJ_TENSORS(cotangent), false, false, false, &g)) fail_msg("%s", tj_error_message());
  return g;
}
static tj_tensor *leaf(tj_tensor *t) {
  assert_int_equal(tj_set_requires_grad(t, true), TJ_OK);
  return t;
}

static int setup(void **state) {
  (void)state;
  tj_error_clear();
  return tj_scope_begin();
}
static int teardown(void **state) {
  (void)state;
  tj_scope_end();
  return tj_error_code() ? -1 : 0;
}

static void sums(void **state) {
  (void)state;
  tj_tensor *x = tj_reshape(F(1, 2, 3, 4, 5, 6), SIZES(2, 3));
  CHECK(tj_sum(x, TJ_DTYPE_NONE), 21);
  CHECK(tj_sum_dim(x, SIZES(0), false, TJ_DTYPE_NONE), 5, 7, 9);
  CHECK(tj_sum_dim(x, SIZES(-1), true, TJ_DTYPE_NONE), 6, 15);
  CHECK(tj_sum_dim(tj_transpose(x, 0, 1), SIZES(0), false, TJ_DTYPE_NONE), 6, 15);
  CHECK(tj_sum_dim(x, TJ_NO_DIMS, false, TJ_DTYPE_NONE), 21);
  fails(tj_sum_dim(x, SIZES(0, -2), false, TJ_DTYPE_NONE), "dim 0 appears multiple times in the list of dims");
  fails(tj_sum_dim(x, SIZES(2), false, TJ_DTYPE_NONE), "Dimension out of range (expected to be in range of [-2, 1], but got 2)");
  tj_tensor *empty = tj_reshape(tj_narrow(F(1), 0, 0, 0), SIZES(0, 3));
  CHECK(tj_sum_dim(empty, SIZES(0), false, TJ_DTYPE_NONE), 0, 0, 0);
  CHECK(tj_prod(empty, TJ_DTYPE_NONE), 1);
  CHECK(tj_mean(empty, TJ_DTYPE_NONE), NAN);
  tj_tensor *bools = tj_gt(x, F(2));
  CHECK(tj_sum(bools, TJ_DTYPE_NONE), 4);
  assert_int_equal(tj_dtype_of(tj_sum(bools, TJ_DTYPE_NONE)), TJ_INT64);
  fails(tj_mean(L(1, 2), TJ_DTYPE_NONE),
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long");
  CHECK(tj_var(F(1, 2, 4), true), 7.0 / 3);
  CHECK(tj_var_correction(F(1, 2, 4), TJ_NO_INTS, tj_int(0), false), 14.0 / 9);
  CHECK(tj_logsumexp(F(1e4f, 1e4f), SIZES(0), false), 1e4 + log(2));
  CHECK(tj_logsumexp(F(-INFINITY, -INFINITY), SIZES(0), false), -INFINITY);
}

static void accurate_sums(void **state) {
  (void)state;
  enum { N = 3000017 };
  float *values = malloc(N * sizeof *values);
  double exact = 0;
  uint32_t seed = 1;
  assert_non_null(values);
  for (int i = 0; i < N; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)(seed >> 8) * 0x1p-24f;
    exact += values[i];
  }
  tj_tensor *x = floats(values, SIZES(N));
  free(values);
  int threads = tj_get_num_threads();
  float sum[3];
  for (int k = 0; k < 3; k++) {
    tj_set_num_threads(k + 1);
    assert_int_equal(tj_to_data(tj_sum(x, TJ_DTYPE_NONE), &sum[k], sizeof sum[k]), TJ_OK);
  }
  tj_set_num_threads(threads);
  assert_true(sum[0] == sum[1] && sum[0] == sum[2]);
  assert_true(fabs(sum[0] - exact) <= exact * 2e-7);
}

static void extremes(void **state) {
  (void)state;
  tj_tensor *values, *indices, *x = tj_reshape(F(1, NAN, 3, 3, 2, 3), SIZES(2, 3));
  assert_int_equal(tj_max_dim(x, 1, false, &values, &indices), TJ_OK);
  CHECK(values, NAN, 3);
  CHECK(indices, 1, 0);
  assert_int_equal(tj_min_dim(x, 0, true, &values, &indices), TJ_OK);
  CHECK(values, 1, NAN, 3);
  CHECK(indices, 0, 0, 0);
  CHECK(tj_amax(x, SIZES(1), false), NAN, 3);
  CHECK(tj_argmax(x, TJ_NO_INT, false), 1);
  tj_tensor *empty = tj_reshape(tj_narrow(F(1), 0, 0, 0), SIZES(0, 3));
  fails(tj_max(empty),
        "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  fails(tj_argmax(empty, 0, false), "argmax(): Expected reduction dim 0 to have non-zero size.");
  tj_tensor *t = leaf(F(2, 5, 5, 1));
  CHECK(gradient(tj_amax(t, TJ_NO_DIMS, false), t, tj_reshape(F(1), TJ_NO_DIMS)), 0, 0.5, 0.5, 0);
  assert_int_equal(tj_max_dim(t, 0, false, &values, &indices), TJ_OK);
  CHECK(gradient(values, t, tj_reshape(F(1), TJ_NO_DIMS)), 0, 1, 0, 0);
}

static void products_and_scans(void **state) {
  (void)state;
  tj_tensor *one = tj_reshape(F(1), TJ_NO_DIMS), *values, *indices;
  tj_tensor *t = leaf(F(2, 0, 3));
  CHECK(gradient(tj_prod(t, TJ_DTYPE_NONE), t, one), 0, 6, 0);
  t = leaf(F(0, 0, 3));
  CHECK(gradient(tj_prod(t, TJ_DTYPE_NONE), t, one), 0, 0, 0);
  t = leaf(F(2, 0, 3, 4));
  CHECK(tj_cumprod(t, 0, TJ_DTYPE_NONE), 2, 0, 0, 0);
  CHECK(gradient(tj_cumprod(t, 0, TJ_DTYPE_NONE), t, F(1, 1, 1, 1)), 1, 2 + 6 + 24, 0, 0);
  CHECK(gradient(tj_cumsum(t, 0, TJ_DTYPE_NONE), t, F(1, 2, 3, 4)), 10, 9, 7, 4);
  assert_int_equal(tj_cummax(F(1, 3, 3, NAN, 5), 0, &values, &indices), TJ_OK);
  CHECK(values, 1, 3, 3, NAN, NAN);
  CHECK(indices, 0, 1, 2, 3, 3);
  CHECK(tj_logcumsumexp(F(-INFINITY, 1e4f, 1e4f), 0), -INFINITY, 1e4, 1e4 + log(2));
}

static void softmaxes(void **state) {
  (void)state;
  tj_tensor *x = tj_reshape(F(1e4f, -1e4f, 0, -INFINITY, -INFINITY, -INFINITY, 1, NAN, 2), SIZES(3, 3));
  CHECK(tj_softmax(x, 1, TJ_DTYPE_NONE), 1, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN);
  CHECK(tj_transpose(tj_softmax(tj_transpose(x, 0, 1), 0, TJ_DTYPE_NONE), 0, 1), 1, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN);
  CHECK(tj_log_softmax(F(1e4f, -1e4f), 0, TJ_DTYPE_NONE), 0, -2e4);
  tj_tensor *wide = tj_sin(tj_reshape(tj_cumsum(tj_expand(F(1), SIZES(100000), false), 0, TJ_DTYPE_NONE), SIZES(2, 50000)));
  CHECK(tj_sum_dim(tj_softmax(tj_mul(wide, F(20)), 1, TJ_DTYPE_NONE), SIZES(1), false, TJ_DTYPE_NONE), 1, 1);
  fails(tj_softmax(F(1), 1, TJ_DTYPE_NONE), "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
}

static void sorting(void **state) {
  (void)state;
  tj_tensor *values, *indices, *x = F(3, NAN, -0.0f, 0, -INFINITY, 3);
  assert_int_equal(tj_sort(x, -1, false, &values, &indices), TJ_OK);
  CHECK(values, -INFINITY, 0, 0, 3, 3, NAN);
  CHECK(indices, 4, 2, 3, 0, 5, 1);
  assert_int_equal(tj_sort(x, 0, true, &values, &indices), TJ_OK);
  CHECK(indices, 1, 0, 5, 2, 3, 4);
  assert_int_equal(tj_topk(F(1, 4, 4, 2), 2, 0, true, true, &values, &indices), TJ_OK);
  CHECK(indices, 1, 2);
  assert_true(tj_topk(F(1), 2, 0, true, true, &values, &indices) < 0);
  fails(NULL, "selected index k out of range");
  CHECK(tj_median(F(1, 2, 3, 4)), 2);
  CHECK(tj_median(F(1, NAN, 3)), NAN);
  CHECK(tj_nanmedian(F(1, NAN, 3)), 1);
  assert_int_equal(tj_mode(F(2, 1, 2, 1, 3), 0, false, &values, &indices), TJ_OK);
  CHECK(values, 1);
  CHECK(indices, 3);
}

static void indexing(void **state) {
  (void)state;
  tj_tensor *x = tj_reshape(F(0, 1, 2, 3, 4, 5), SIZES(2, 3));
  CHECK(tj_index(x, TJ_TENSORS(L(1, -2))), 3, 4, 5, 0, 1, 2);
  CHECK(tj_index(x, TJ_TENSORS(NULL, L(2, 0))), 2, 0, 5, 3);
  CHECK(tj_index(x, TJ_TENSORS(L(0, 1), L(1, 2))), 1, 5);
  CHECK(tj_index(x, TJ_TENSORS(tj_gt(x, F(3)))), 4, 5);
  fails(tj_index(x, TJ_TENSORS(L(5))), "index 5 is out of bounds for dimension 0 with size 2");
  fails(tj_index(x, TJ_TENSORS(L(0, 1), L(0, 1, 2))),
        "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]");
  fails(tj_index(x, TJ_TENSORS(F(1))), "tensors used as indices must be long, int, byte or bool tensors");
  CHECK(tj_index_put(x, TJ_TENSORS(L(0, 0)), F(1, 2, 3), true), 2, 5, 8, 3, 4, 5);
  CHECK(tj_gather(x, 1, tj_reshape(L(2, 0), SIZES(2, 1)), false), 2, 3);
  fails(tj_gather(x, 1, tj_reshape(L(3, 0), SIZES(2, 1)), false), "index 3 is out of bounds for dimension 1 with size 3");
  tj_tensor *w = leaf(tj_clone(x, NULL));
  tj_tensor *rows = tj_embedding(L(1, 0, 1), w, 0, TJ_NO_SCALAR, 2, false, false);
  CHECK(gradient(rows, w, tj_expand(F(1), SIZES(3, 3), false)), 0, 0, 0, 2, 2, 2);
  fails(tj_embedding(L(2), w, TJ_NO_INT, TJ_NO_SCALAR, 2, false, false), "index out of range in self");
  CHECK(tj_scatter_reduce(F(10, 20), 0, L(0, 0, 1), F(1, 3, 5), "mean", false), 2, 5);
  CHECK(tj_masked_select(x, tj_lt(x, F(2))), 0, 1);
  CHECK(tj_nonzero(tj_reshape(F(0, 1, 1, 0), SIZES(2, 2))), 0, 1, 1, 0);
  CHECK(tj_tril(x, 0), 0, 0, 0, 3, 4, 0);
  CHECK(tj_one_hot(L(2, 0), -1), 0, 0, 1, 1, 0, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {TEST(sums),      TEST(accurate_sums), TEST(extremes), TEST(products_and_scans),
                                     TEST(softmaxes), TEST(sorting),       TEST(indexing)};
  return cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
}
