/* print_test.c: the text of tensors, against what PyTorch prints. */
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

static int setup(void **state) {
  (void)state;
  tj_error_clear();
  return tj_scope_begin();
}
static int teardown(void **state) {
  (void)state;
  tj_scope_end();
  return 0;
}

static void prints_with(tj_tensor *t, tj_print_options options, const char *expected) {
  char *text = tj_to_string_with(t, &options);
  if (!text) fail_msg("no text: %s", tj_error_message());
  assert_string_equal(text, expected);
  tj_string_free(text);
}
static void prints(tj_tensor *t, const char *expected) { prints_with(t, TJ_PRINT_OPTIONS, expected); }

#define FLOATS(...) tj_from_data((const float[]){__VA_ARGS__}, TJ_FLOAT32, TJ_INTS(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))
#define DOUBLES(...) tj_from_data((const double[]){__VA_ARGS__}, TJ_FLOAT64, TJ_INTS(sizeof((double[]){__VA_ARGS__}) / sizeof(double)))

static void floats(void **state) {
  (void)state;
  prints(FLOATS(1, 2, 3), "tensor([1., 2., 3.])");
  prints(FLOATS(1.5f, 2.25f, -3.125f), "tensor([ 1.5000,  2.2500, -3.1250])");
  prints(FLOATS(1e-5f, 1), "tensor([1.0000e-05, 1.0000e+00])");
  prints(FLOATS(1e8f, 1), "tensor([1.0000e+08, 1.0000e+00])");
  prints(FLOATS(1000, 2000), "tensor([1000., 2000.])");
  prints(FLOATS(-0.0f, 0), "tensor([-0., 0.])");
  prints(FLOATS(9.99996f, 1), "tensor([10.0000,  1.0000])");
  prints(tj_from_data(&(float){3.14159265f}, TJ_FLOAT32, TJ_NO_DIMS), "tensor(3.1416)");
  prints(DOUBLES(1, 2.5), "tensor([1.0000, 2.5000], dtype=torch.float64)");
}

static void not_finite(void **state) {
  (void)state;
  prints(FLOATS(INFINITY, -INFINITY, NAN), "tensor([inf, -inf, nan])");
  prints(FLOATS(1, INFINITY, 1e-5f), "tensor([1.0000e+00,        inf, 1.0000e-05])");
  prints(FLOATS(-NAN), "tensor([nan])");
}

static void integers(void **state) {
  (void)state;
  prints(tj_from_data((const int64_t[]){1, -20, 300, 4}, TJ_INT64, TJ_INTS(2, 2)), "tensor([[  1, -20],\n        [300,   4]])");
  prints(tj_from_data((const int8_t[]){-128, 127}, TJ_INT8, TJ_INTS(2)), "tensor([-128,  127], dtype=torch.int8)");
  prints(tj_from_data((const uint64_t[]){UINT64_MAX, 0}, TJ_UINT64, TJ_INTS(2)),
         "tensor([18446744073709551615,                    0], dtype=torch.uint64)");
  prints(tj_from_data((const int64_t[]){INT64_MIN}, TJ_INT64, TJ_INTS(1)), "tensor([-9223372036854775808])");
  prints(tj_from_data((const bool[]){true, false}, TJ_BOOL, TJ_INTS(2)), "tensor([ True, False])");
}

static void complex_numbers(void **state) {
  (void)state;
  prints(tj_from_data((const float[]){1, 2}, TJ_COMPLEX64, TJ_NO_DIMS), "tensor(1.+2.j)");
  prints(tj_from_data((const float[]){NAN, 1, 2, INFINITY}, TJ_COMPLEX64, TJ_INTS(2)), "tensor([nan+1.j, 2.+infj])");
  prints(tj_from_data((const double[]){1, -0.0}, TJ_COMPLEX128, TJ_INTS(1)), "tensor([1.-0.j], dtype=torch.complex128)");
}

static void shapes(void **state) {
  (void)state;
  prints(tj_from_data(NULL, TJ_FLOAT32, TJ_INTS(0)), "tensor([])");
  prints(tj_from_data(NULL, TJ_FLOAT32, TJ_INTS(0, 3)), "tensor([], size=(0, 3))");
  prints(tj_from_data(NULL, TJ_FLOAT64, TJ_INTS(2, 0, 3)), "tensor([], size=(2, 0, 3), dtype=torch.float64)");
  prints(tj_from_data(NULL, TJ_INT64, TJ_INTS(0)), "tensor([], dtype=torch.int64)");
  int64_t values[16];
  for (int64_t i = 0; i < 16; i++) values[i] = i;
  prints(tj_from_data(values, TJ_INT64, TJ_INTS(2, 2, 2, 2)),
         "tensor([[[[ 0,  1],\n          [ 2,  3]],\n\n         [[ 4,  5],\n          [ 6,  7]]],\n\n\n"
         "        [[[ 8,  9],\n          [10, 11]],\n\n         [[12, 13],\n          [14, 15]]]])");
  tj_tensor *t = tj_from_data(values, TJ_INT64, TJ_INTS(2, 3));
  prints(tj__alias(t, TJ_INTS(3, 2), TJ_INTS(1, 3), 0), "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])");
}

static void summaries(void **state) {
  (void)state;
  int64_t values[1001];
  for (int64_t i = 0; i < 1001; i++) values[i] = i;
  prints(tj_from_data(values, TJ_INT64, TJ_INTS(1001)), "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
  tj_print_options o = TJ_PRINT_OPTIONS;
  o.threshold = 5;
  prints_with(tj_from_data(values, TJ_INT64, TJ_INTS(10)), o, "tensor([0, 1, 2,  ..., 7, 8, 9])");
  o.edgeitems = 1;
  prints_with(tj_from_data(values, TJ_INT64, TJ_INTS(4, 5)), o, "tensor([[ 0,  ...,  4],\n        ...,\n        [15,  ..., 19]])");
  o.edgeitems = 0;
  prints_with(tj_from_data(values, TJ_INT64, TJ_INTS(4, 5)), o, "tensor([...], size=(4, 5))");
}

/* A summary looks at its corners only: a view of 2^40 elements prints at once. */
static void huge_view(void **state) {
  (void)state;
  tj_tensor *one = FLOATS(1);
  prints(tj__alias(one, TJ_INTS((int64_t)1 << 20, (int64_t)1 << 20), TJ_INTS(0, 0), 0),
         "tensor([[1., 1., 1.,  ..., 1., 1., 1.],\n        [1., 1., 1.,  ..., 1., 1., 1.],\n        [1., 1., 1.,  ..., 1., 1., 1.],\n      "
         "  ...,\n"
         "        [1., 1., 1.,  ..., 1., 1., 1.],\n        [1., 1., 1.,  ..., 1., 1., 1.],\n        [1., 1., 1.,  ..., 1., 1., 1.]])");
}

static void options(void **state) {
  (void)state;
  tj_print_options o = TJ_PRINT_OPTIONS;
  o.precision = 8;
  prints_with(DOUBLES(1.0 / 3, 2.0 / 3), o, "tensor([0.33333333, 0.66666667], dtype=torch.float64)");
  o = TJ_PRINT_OPTIONS;
  o.sci_mode = 0;
  prints_with(FLOATS(1e-8f, 1e5f), o, "tensor([     0.0000, 100000.0000])");
  o.sci_mode = 1;
  prints_with(FLOATS(1, 20), o, "tensor([1.0000e+00, 2.0000e+01])");
  o = TJ_PRINT_OPTIONS;
  o.linewidth = 20;
  prints_with(FLOATS(1, 2, 3, 4), o, "tensor([1., 2., 3.,\n        4.])");
  o.precision = -1;
  assert_null(tj_to_string_with(FLOATS(1), &o));
  assert_int_equal(tj_error_code(), TJ_ERROR_VALUE);
  tj_error_clear();
}

static void autograd(void **state) {
  (void)state;
  tj_tensor *x = FLOATS(1, 2);
  tj_set_requires_grad(x, true);
  prints(x, "tensor([1., 2.], requires_grad=True)");
  prints(tj_mul(x, x), "tensor([1., 4.], grad_fn=<MulBackward0>)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(floats, setup, teardown),    cmocka_unit_test_setup_teardown(not_finite, setup, teardown),
      cmocka_unit_test_setup_teardown(integers, setup, teardown),  cmocka_unit_test_setup_teardown(complex_numbers, setup, teardown),
      cmocka_unit_test_setup_teardown(shapes, setup, teardown),    cmocka_unit_test_setup_teardown(summaries, setup, teardown),
      cmocka_unit_test_setup_teardown(huge_view, setup, teardown), cmocka_unit_test_setup_teardown(options, setup, teardown),
      cmocka_unit_test_setup_teardown(autograd, setup, teardown),
  };
  return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
