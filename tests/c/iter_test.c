/* iter_test.c: the iterator: strides of results, broadcasting, collapsing, conversions, errors. Expected strides are PyTorch's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "iter/iter.h"
#include "ops/copy.h"
#include "torchjs.h"

static tj__scope scope;
static int begin(void **state) {
  (void)state;
  tj_error_clear();
  tj__scope_push(&scope);
  return 0;
}
static int end(void **state) {
  (void)state;
  tj__scope_pop(&scope);
  tj_error_clear();
  return 0;
}

static void add_loop(char *const *data, const int64_t *strides, int64_t n, const tj__params *params) {
  (void)params;
  for (int64_t i = 0; i < n; i++)
    *(float *)(data[0] + i * strides[0]) = *(const float *)(data[1] + i * strides[1]) + *(const float *)(data[2] + i * strides[2]);
}

/* 0, 1, 2, ... laid out with these strides */
static tj_tensor *counted(tj_ints sizes, tj_ints strides) {
  tj_tensor *t = tj__empty_strided(sizes, strides, TJ_FLOAT32, TJ_CPU);
  assert_non_null(t);
  int64_t most = 0;
  for (int64_t d = 0; d < sizes.n; d++) most += (sizes.data[d] - 1) * strides.data[d];
  float *p = tj__write(t);
  for (int64_t i = 0; i <= most; i++) p[i] = (float)i;
  return t;
}

static tj_tensor *add(tj__iter *it, tj_tensor *out, tj_tensor *a, tj_tensor *b, bool resize) {
  tj__iter_spec spec = {
      .n_outputs = 1, .n_inputs = 2, .outputs = {out}, .inputs = {a, b}, .compute = TJ_FLOAT32, .result = TJ_FLOAT32, .resize = resize};
  if (tj__iter_init(it, &spec)) return NULL;
  tj__iter_run(it, add_loop, NULL);
  return tj__iter_finish(it, 0);
}

static void expect_strides(const tj_tensor *t, tj_ints strides) {
  assert_non_null(t);
  assert_int_equal(t->ndim, strides.n);
  for (int d = 0; d < t->ndim; d++) assert_int_equal(t->strides[d], strides.data[d]);
}

static void contiguous_operands_become_one_row(void **state) {
  (void)state;
  tj__iter it;
  tj_tensor *a = counted(TJ_INTS(2, 3, 4), TJ_INTS(12, 4, 1));
  tj_tensor *c = add(&it, NULL, a, a, false);
  expect_strides(c, TJ_INTS(12, 4, 1));
  assert_int_equal(it.ndim, 1);
  assert_int_equal(it.shape[0], 24);
  const float *p = tj__read(c);
  for (int i = 0; i < 24; i++) assert_true(p[i] == 2.0f * (float)i);
}

static void results_take_the_layout_of_the_inputs(void **state) {
  (void)state;
  tj__iter it;
  tj_tensor *turned = counted(TJ_INTS(2, 3, 4), TJ_INTS(1, 2, 6));
  expect_strides(add(&it, NULL, turned, turned, false), TJ_INTS(1, 2, 6));
  tj_tensor *plain = counted(TJ_INTS(2, 3, 4), TJ_INTS(12, 4, 1));
  expect_strides(add(&it, NULL, turned, plain, false), TJ_INTS(1, 2, 6)); /* the first operand decides */
  expect_strides(add(&it, NULL, plain, turned, false), TJ_INTS(12, 4, 1));
  tj_tensor *row = counted(TJ_INTS(4), TJ_INTS(1));
  expect_strides(add(&it, NULL, row, turned, false), TJ_INTS(1, 2, 6)); /* a broadcast one has no say */
  tj_tensor *last = counted(TJ_INTS(2, 3, 2, 2), TJ_INTS(12, 1, 6, 3));
  expect_strides(add(&it, NULL, last, last, false), TJ_INTS(12, 1, 6, 3));
}

static void sizes_broadcast(void **state) {
  (void)state;
  tj__iter it;
  tj_tensor *column = counted(TJ_INTS(3, 1), TJ_INTS(1, 1)), *row = counted(TJ_INTS(4), TJ_INTS(1));
  tj_tensor *c = add(&it, NULL, column, row, false);
  expect_strides(c, TJ_INTS(4, 1));
  const float *p = tj__read(c);
  for (int i = 0; i < 12; i++) assert_true(p[i] == (float)(i / 4 + i % 4));
  tj_tensor *none = tj__empty(TJ_INTS(0, 4), TJ_FLOAT32, TJ_CPU);
  c = add(&it, NULL, none, row, false);
  assert_int_equal(c->numel, 0);
}

static void inputs_are_converted(void **state) {
  (void)state;
  tj__iter it;
  const int64_t numbers[] = {1, 2, 3};
  const double half = 0.5;
  tj_tensor *a = tj_from_data(numbers, TJ_INT64, TJ_INTS(3)), *b = tj_from_data(&half, TJ_FLOAT64, TJ_NO_DIMS);
  const float *p = tj__read(add(&it, NULL, a, b, false));
  for (int i = 0; i < 3; i++) assert_true(p[i] == (float)i + 1.5f);
}

static void out_is_converted_and_resized(void **state) {
  (void)state;
  tj__iter it;
  tj_tensor *a = counted(TJ_INTS(2, 2), TJ_INTS(1, 2));
  tj_tensor *out = tj__empty(TJ_INTS(1), TJ_FLOAT64, TJ_CPU);
  assert_ptr_equal(add(&it, out, a, a, true), out);
  expect_strides(out, TJ_INTS(1, 2));
  assert_true(((const double *)tj__read(out))[3] == 6.0);
}

static void fails_with(const char *message, tj_tensor *result) {
  assert_null(result);
  assert_string_equal(tj_error_message(), message);
  tj_error_clear();
}

static void mistakes_are_told(void **state) {
  (void)state;
  tj__iter it;
  tj_tensor *two = counted(TJ_INTS(2), TJ_INTS(1)), *three = counted(TJ_INTS(3), TJ_INTS(1)), *four = counted(TJ_INTS(4), TJ_INTS(1));
  tj_tensor *wide = counted(TJ_INTS(3, 2), TJ_INTS(2, 1));
  fails_with("The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0",
             add(&it, NULL, three, four, false));
  fails_with("output with shape [2] doesn't match the broadcast shape [3, 2]", add(&it, two, two, wide, false));
  tj_tensor *whole = tj__empty(TJ_INTS(2), TJ_INT64, TJ_CPU);
  fails_with("result type Float can't be cast to the desired output type Long", add(&it, whole, two, two, true));
  tj_tensor *spread = tj__alias(two, TJ_INTS(2), TJ_INTS(0), 0);
  fails_with("unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the "
             "tensor before performing the operation.",
             add(&it, spread, two, two, false));
  tj_tensor *head = tj__alias(four, TJ_INTS(3), TJ_INTS(1), 0), *tail = tj__alias(four, TJ_INTS(3), TJ_INTS(1), 1);
  fails_with("unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please "
             "clone() the tensor before performing the operation.",
             add(&it, head, head, tail, false));
}

static void big_ones_are_split_over_threads(void **state) {
  (void)state;
  tj__iter it;
  const int64_t n = 1009, m = 517;
  tj_tensor *a = counted(TJ_INTS(n, m), TJ_INTS(1, n)), *b = counted(TJ_INTS(n, m), TJ_INTS(m, 1));
  int before = tj_get_num_threads();
  tj_set_num_threads(3);
  tj_tensor *c = add(&it, NULL, a, b, false);
  tj_set_num_threads(before);
  expect_strides(c, TJ_INTS(1, n));
  const float *p = tj__read(c);
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < m; k++) assert_true(p[i + k * n] == (float)(i + k * n) + (float)(i * m + k));
}

static void transposed_operands_of_planes(void **state) {
  (void)state;
  tj__iter it;
  const int64_t planes = 3, n = 70, m = 261;
  tj_tensor *a = counted(TJ_INTS(planes, n, m), TJ_INTS(n * m, m, 1)), *b = counted(TJ_INTS(planes, n, m), TJ_INTS(n * m, 1, n));
  for (int both = 0; both < 2; both++) { /* the second time into a, so that two inputs and not the output are turned */
    tj_tensor *c = both ? add(&it, a, b, b, false) : add(&it, NULL, a, b, false);
    expect_strides(c, TJ_INTS(n * m, m, 1));
    const float *p = tj__read(c);
    for (int64_t h = 0; h < planes; h++)
      for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < m; k++) {
          int64_t at = (h * n + i) * m + k, turned = h * n * m + i + k * n;
          assert_true(p[at] == (float)(both ? turned : at) + (float)turned);
        }
  }
}

static void transposed_copies(void **state) {
  (void)state;
  tj_tensor *a = counted(TJ_INTS(3, 65, 70), TJ_INTS(65 * 70, 1, 65));
  tj_tensor *same = tj__contiguous(a);
  tj_tensor *other = tj__copy_into(tj__empty(TJ_INTS(3, 65, 70), TJ_INT32, TJ_CPU), a);
  const float *p = tj__read(same);
  const int32_t *q = tj__read(other);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 65; j++)
      for (int k = 0; k < 70; k++) {
        int expected = i * 65 * 70 + j + k * 65, at = (i * 65 + j) * 70 + k;
        assert_int_equal((int)p[at], expected);
        assert_int_equal(q[at], expected);
      }
}

static void numbers_have_to_fit(void **state) {
  (void)state;
  tj_tensor *t = tj__empty(TJ_INTS(2), TJ_INT8, TJ_CPU);
  assert_non_null(tj__fill(t, tj_float(-127.5)));
  fails_with("value cannot be converted to type int8_t without overflow", tj__fill(t, tj_int(128)));
  fails_with("value cannot be converted to type int8_t without overflow", tj__fill(t, tj_float(127.5)));
  tj_tensor *f = tj__empty(TJ_INTS(2), TJ_FLOAT16, TJ_CPU);
  assert_non_null(tj__fill(f, tj_float(INFINITY)));
  fails_with("value cannot be converted to type at::Half without overflow", tj__fill(f, tj_float(1e6)));
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {T(contiguous_operands_become_one_row),
                                     T(results_take_the_layout_of_the_inputs),
                                     T(sizes_broadcast),
                                     T(inputs_are_converted),
                                     T(out_is_converted_and_resized),
                                     T(mistakes_are_told),
                                     T(big_ones_are_split_over_threads),
                                     T(transposed_operands_of_planes),
                                     T(transposed_copies),
                                     T(numbers_have_to_fit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
