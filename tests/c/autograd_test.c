/* autograd_test.c: the graph, backward, in-place writes, hooks, custom functions; and that nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>

#include "core/core.h"
#include "ops.h"
#include "sweep.h"

/* ---- helpers --------------------------------------------------------------------------------------------------- */

static tj_tensor *vector(const float *values, int64_t n) { return tj_from_data(values, TJ_FLOAT32, TJ_INTS(n)); }
#define VECTOR(...) vector((const float[]){__VA_ARGS__}, (int64_t)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

static tj_tensor *leaf(tj_tensor *t) {
  assert_non_null(t);
  assert_int_equal(tj_set_requires_grad(t, true), TJ_OK);
  return t;
}

static void check(tj_tensor *t, const float *expected, int64_t n) {
  if (!t) fail_msg("no tensor: %s", tj_error_message());
  float got[64];
  assert_int_equal(tj_numel(t), n);
  assert_int_equal(tj_to_data(t, got, (size_t)n * sizeof *got), TJ_OK);
  for (int64_t i = 0; i < n; i++)
    if (got[i] < expected[i] - 1e-5f || got[i] > expected[i] + 1e-5f) fail_msg("element %d is %g, not %g", (int)i, got[i], expected[i]);
}
#define CHECK(t, ...) check(t, (const float[]){__VA_ARGS__}, (int64_t)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

static void backward_ok(tj_tensor *t) {
  if (tj_backward(TJ_TENSORS(t), (tj_tensors){0}, false, false, (tj_tensors){0})) fail_msg("%s", tj_error_message());
}

static void expect_error(const char *text) {
  if (!strstr(tj_error_message(), text)) fail_msg("the error is \"%s\", not \"%s\"", tj_error_message(), text);
  tj_error_clear();
}

static tj_memory_stats_t at_start;
static int setup(void **state) {
  (void)state;
  tj_error_clear();
  at_start = tj_memory_stats();
  return tj_scope_begin();
}
/* Every test ends where it began. */
static int teardown(void **state) {
  (void)state;
  tj_scope_end();
  tj_memory_stats_t now = tj_memory_stats();
  if (now.live_tensors != at_start.live_tensors || now.live_nodes != at_start.live_nodes || now.live_bytes != at_start.live_bytes) {
    fprintf(stderr, "left behind: %d tensors, %d nodes, %d bytes\n", (int)(now.live_tensors - at_start.live_tensors),
            (int)(now.live_nodes - at_start.live_nodes), (int)(now.live_bytes - at_start.live_bytes));
    return -1;
  }
  return 0;
}

/* ---- backward -------------------------------------------------------------------------------------------------- */

static void accumulates(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2, 3));
  backward_ok(tj_sum(tj_mul(x, x), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 2, 4, 6);
  backward_ok(tj_sum(tj_mul(x, x), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 4, 8, 12);
  assert_int_equal(tj_set_grad(x, NULL), TJ_OK);
  assert_null(tj_grad(x));
}

static void shares_one_gradient(void **state) {
  (void)state;
  tj_tensor *a = leaf(VECTOR(1, 2)), *b = leaf(VECTOR(3, 4));
  backward_ok(tj_sum(tj_add(tj_mul(a, b), tj_add(a, b, tj_int(1)), tj_int(1)), TJ_DTYPE_NONE));
  CHECK(tj_grad(a), 4, 5);
  CHECK(tj_grad(b), 2, 3);
  backward_ok(tj_sum(tj_add(a, b, tj_int(1)), TJ_DTYPE_NONE));
  CHECK(tj_grad(a), 5, 6);
  CHECK(tj_grad(b), 3, 4);
}

static void long_chain(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2));
  tj_tensor *one = tj_scalar_tensor(tj_int(1)), *y = tj_retain(x);
  for (int i = 0; i < 100000; i++) {
    tj_tensor *next = tj_add(y, one, tj_int(1));
    tj_free(y);
    y = next;
  }
  tj_tensor *loss = tj_sum(y, TJ_DTYPE_NONE);
  tj_free(y);
  backward_ok(loss);
  CHECK(tj_grad(x), 1, 1);
  tj_free(loss);
}

static void wide_fan(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1)), *parts[300];
  for (int i = 0; i < 300; i++) parts[i] = tj_mul(x, tj_scalar_tensor(tj_int(2)));
  backward_ok(tj_sum(tj_cat((tj_tensors){parts, 300}, 0), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 600);
}

static void broadcasts(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *m = tj_reshape(VECTOR(1, 2, 3, 4), TJ_INTS(2, 2));
  backward_ok(tj_sum(tj_mul(m, x), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 4, 6);
}

static void second_order(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *g, *h;
  tj_tensor *y = tj_sum(tj_mul(tj_mul(x, x), x), TJ_DTYPE_NONE);
  assert_int_equal(tj_grad_of(TJ_TENSORS(y), TJ_TENSORS(x), (tj_tensors){0}, true, true, false, &g), TJ_OK);
  CHECK(g, 3, 12);
  assert_true(tj_requires_grad(g));
  assert_int_equal(tj_grad_of(TJ_TENSORS(tj_sum(g, TJ_DTYPE_NONE)), TJ_TENSORS(x), (tj_tensors){0}, false, false, false, &h), TJ_OK);
  CHECK(h, 6, 12);
  assert_null(tj_grad(x));
}

static void outputs_saved(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(0, 0)), *g, *h;
  tj_tensor *y = tj_sum(tj_sigmoid(x), TJ_DTYPE_NONE);
  assert_int_equal(tj_grad_of(TJ_TENSORS(y), TJ_TENSORS(x), (tj_tensors){0}, true, true, false, &g), TJ_OK);
  CHECK(g, 0.25f, 0.25f);
  assert_int_equal(tj_grad_of(TJ_TENSORS(tj_sum(g, TJ_DTYPE_NONE)), TJ_TENSORS(x), (tj_tensors){0}, false, false, false, &h), TJ_OK);
  CHECK(h, 0, 0);
}

static void only_inputs(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *w = leaf(VECTOR(3, 4)), *h = tj_mul(x, w), *y = tj_sum(tj_mul(h, h), TJ_DTYPE_NONE), *g;
  assert_int_equal(tj_grad_of(TJ_TENSORS(y), TJ_TENSORS(h), (tj_tensors){0}, true, false, false, &g), TJ_OK);
  CHECK(g, 6, 16);
  assert_int_equal(tj_backward(TJ_TENSORS(y), (tj_tensors){0}, true, false, TJ_TENSORS(w)), TJ_OK);
  assert_null(tj_grad(x));
  CHECK(tj_grad(w), 6, 32);
  assert_int_equal(tj_backward(TJ_TENSORS(y), (tj_tensors){0}, false, false, TJ_TENSORS(h)), TJ_OK);
  CHECK(tj_grad(h), 6, 16);
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

static void argument_errors(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *z = leaf(VECTOR(1)), *plain = VECTOR(1), *y = tj_mul(x, x), *g;
  tj_tensors none = {0};
  assert_true(tj_backward(TJ_TENSORS(y), none, false, false, none) < 0);
  expect_error("grad can be implicitly created only for scalar outputs");
  assert_true(tj_backward(TJ_TENSORS(plain), none, false, false, none) < 0);
  expect_error("element 0 of tensors does not require grad and does not have a grad_fn");
  assert_true(tj_backward(TJ_TENSORS(y), TJ_TENSORS(plain), false, false, none) < 0);
  expect_error("Mismatch in shape: grad_output[0] has a shape of torch.Size([1]) and output[0] has a shape of torch.Size([2]).");
  tj_tensor *loss = tj_sum(y, TJ_DTYPE_NONE);
  assert_true(tj_grad_of(TJ_TENSORS(loss), TJ_TENSORS(z), none, true, false, false, &g) < 0);
  expect_error("One of the differentiated Tensors appears to not have been used in the graph.");
  assert_int_equal(tj_grad_of(TJ_TENSORS(loss), TJ_TENSORS(z), none, true, false, true, &g), TJ_OK);
  assert_null(g);
  assert_true(tj_grad_of(TJ_TENSORS(loss), TJ_TENSORS(plain), none, true, false, false, &g) < 0);
  expect_error("One of the differentiated Tensors does not require grad");
  backward_ok(loss);
  assert_true(tj_backward(TJ_TENSORS(loss), none, false, false, none) < 0);
  expect_error("Trying to backward through the graph a second time");
  assert_true(tj_set_requires_grad(y, false) < 0);
  expect_error("you can only change requires_grad flags of leaf variables.");
  assert_true(tj_set_grad(x, plain) < 0);
  expect_error("attempting to assign a gradient of size '[1]' to a tensor of size '[2]'.");
  assert_true(tj_retain_grad(plain) < 0);
  expect_error("can't retain_grad on Tensor that has requires_grad=False");
}

static void in_place_errors(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 1)), *one = tj_scalar_tensor(tj_int(1)), *y;
  assert_null(tj_add_(x, one, tj_int(1)));
  expect_error("a leaf Variable that requires grad is being used in an in-place operation.");
  assert_null(tj_add_(tj_select(x, 0, 0), one, tj_int(1)));
  expect_error("a view of a leaf Variable that requires grad is being used in an in-place operation.");
  y = tj_sigmoid(x);
  assert_non_null(tj_add_(y, one, tj_int(1)));
  assert_true(tj_backward(TJ_TENSORS(tj_sum(y, TJ_DTYPE_NONE)), (tj_tensors){0}, false, false, (tj_tensors){0}) < 0);
  expect_error(
      "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2]], which is "
      "output 0 of SigmoidBackward0, is at version 1; expected version 0 instead. Hint: enable anomaly detection");
  y = tj_mul(tj_reshape(x, TJ_INTS(2, 1)), one);
  assert_null(tj_add_(tj_list_at(tj_unbind(y, 0), 0), one, tj_int(1)));
  expect_error(
      "Output 0 of UnbindBackward0 is a view and is being modified inplace. This view is the output of a function that returns multiple "
      "views.");
  tj_set_grad_enabled(false);
  tj_tensor *view = tj_select(y, 0, 0);
  tj_set_grad_enabled(true);
  assert_null(tj_mul_(view, one));
  expect_error("A view was created in no_grad mode and is being modified inplace with grad mode enabled.");
}

static void inference(void **state) {
  (void)state;
  bool before = tj_set_inference_mode(true);
  tj_tensor *x = VECTOR(1, 2), *one = tj_scalar_tensor(tj_int(1));
  assert_false(tj_is_grad_enabled());
  assert_non_null(tj_add_(x, one, tj_int(1)));
  tj_set_inference_mode(before);
  assert_null(tj_add_(x, one, tj_int(1)));
  expect_error("Inplace update to inference tensor outside InferenceMode is not allowed.");
  assert_null(tj_mul(x, leaf(VECTOR(1, 2))));
  expect_error("Inference tensors cannot be saved for backward.");
  assert_true(tj_set_requires_grad(x, true) < 0);
  expect_error("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
}

static void anomaly(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(0, 0)), *y = tj_sum(tj_mul(tj_sqrt(x), tj_scalar_tensor(tj_int(0))), TJ_DTYPE_NONE);
  tj_set_anomaly_enabled(true, true);
  assert_true(tj_backward(TJ_TENSORS(y), (tj_tensors){0}, false, false, (tj_tensors){0}) < 0);
  tj_set_anomaly_enabled(false, true);
  expect_error("Function 'SqrtBackward0' returned nan values in its 0th output.");
}

/* ---- in place -------------------------------------------------------------------------------------------------- */

static void writes_to_views(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2, 3)), *two = tj_scalar_tensor(tj_int(2));
  tj_tensor *y = tj_mul(x, two), *first = tj_select(y, 0, 0), *rest = tj_narrow(y, 0, 1, 2);
  assert_ptr_equal(tj_base_of(rest), y);
  assert_non_null(tj_mul_(first, tj_scalar_tensor(tj_int(10))));
  assert_string_equal(tj_grad_fn_name(y), "CopySlices");
  assert_string_equal(tj_grad_fn_name(first), "AsStridedBackward0");
  CHECK(y, 20, 4, 6);
  backward_ok(tj_sum(tj_add(tj_sum(y, TJ_DTYPE_NONE), tj_sum(tj_mul(rest, rest), TJ_DTYPE_NONE), tj_int(1)), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 20, 18, 26);
}

static void copies_into_a_plain_tensor(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *whole = VECTOR(0, 0, 0, 0), *view = tj_narrow(whole, 0, 1, 2);
  assert_false(tj_requires_grad(whole));
  assert_non_null(tj_copy_(tj_narrow(whole, 0, 1, 2), x, false));
  assert_true(tj_requires_grad(whole));
  assert_true(tj_requires_grad(view));
  assert_string_equal(tj_grad_fn_name(view), "AsStridedBackward0");
  backward_ok(tj_sum(tj_mul(view, view), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 2, 4);
}

static void restricted_run_through_copy_slices(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *y = tj_mul(x, x), *g;
  assert_non_null(tj_mul_(tj_select(y, 0, 1), tj_scalar_tensor(tj_int(3))));
  assert_int_equal(tj_grad_of(TJ_TENSORS(tj_sum(y, TJ_DTYPE_NONE)), TJ_TENSORS(x), (tj_tensors){0}, true, true, false, &g), TJ_OK);
  CHECK(g, 2, 12);
  tj_tensor *h;
  assert_int_equal(tj_grad_of(TJ_TENSORS(tj_sum(g, TJ_DTYPE_NONE)), TJ_TENSORS(x), (tj_tensors){0}, false, false, false, &h), TJ_OK);
  CHECK(h, 2, 6);
}

static void changes_shape_in_place(void **state) {
  (void)state;
  tj_tensor *x = leaf(tj_reshape(VECTOR(1, 2, 3, 4, 5, 6), TJ_INTS(2, 3)));
  tj_tensor *y = tj_mul(x, tj_scalar_tensor(tj_int(2)));
  assert_ptr_equal(tj_t_(y), y);
  assert_int_equal(tj_size(y, 0), 3);
  assert_non_null(tj_unsqueeze_(y, 0));
  backward_ok(tj_sum(tj_mul(y, y), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 8, 16, 24, 32, 40, 48);
  tj_tensor *row = tj_select(tj_mul(x, x), 0, 1);
  assert_non_null(tj_unsqueeze_(row, 0));
  assert_int_equal(tj_set_grad(x, NULL), TJ_OK);
  backward_ok(tj_sum(row, TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 0, 0, 0, 8, 10, 12);
}

static void detaches(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *y = tj_mul(x, x), *d = tj_detach(y);
  assert_false(tj_requires_grad(d));
  assert_non_null(tj_add_(d, tj_scalar_tensor(tj_int(1)), tj_int(1)));
  assert_int_equal(tj_version_of(y), 1);
  assert_non_null(tj_detach_(y));
  assert_true(tj_is_leaf(y));
  assert_null(tj_grad_fn_name(y));
}

/* ---- hooks ----------------------------------------------------------------------------------------------------- */

static int dropped;
static void drop_hook(void *data) {
  (void)data;
  dropped++;
}
static tj_tensor *doubling(tj_tensor *grad, void *data) {
  ++*(int *)data;
  return tj_mul(grad, tj_scalar_tensor(tj_int(2)));
}
static tj_tensor *failing(tj_tensor *grad, void *data) {
  (void)grad, (void)data;
  tj_set_error(TJ_ERROR_VALUE, "no more");
  return NULL;
}
static tj_tensor *counting(tj_tensor *leaf_tensor, void *data) {
  *(float *)data = (float)tj_item(tj_sum(tj_grad(leaf_tensor), TJ_DTYPE_NONE)).f;
  return NULL;
}

static void hooks(void **state) {
  (void)state;
  int on_leaf = 0, on_inner = 0;
  float seen = 0;
  dropped = 0;
  tj_tensor *x = leaf(VECTOR(1, 2)), *h = tj_mul(x, x);
  assert_true(tj_register_hook(x, doubling, &on_leaf, drop_hook, false) > 0);
  int64_t id = tj_register_hook(h, doubling, &on_inner, drop_hook, false);
  assert_true(id > 0);
  assert_true(tj_register_hook(x, counting, &seen, drop_hook, true) > 0);
  assert_int_equal(tj_retain_grad(h), TJ_OK);
  tj_tensor *loss = tj_sum(h, TJ_DTYPE_NONE);
  assert_int_equal(tj_backward(TJ_TENSORS(loss), (tj_tensors){0}, true, false, (tj_tensors){0}), TJ_OK);
  CHECK(tj_grad(h), 2, 2);
  CHECK(tj_grad(x), 8, 16);
  assert_int_equal((int)seen, 24);
  tj_remove_hook(h, id);
  assert_int_equal(dropped, 0); /* the node still has it */
  backward_ok(loss);
  CHECK(tj_grad(x), 12, 24);
  assert_int_equal(on_inner, 1);
  assert_int_equal(on_leaf, 2);
  assert_true(tj_register_hook(VECTOR(1), doubling, NULL, NULL, false) < 0);
  expect_error("cannot register a hook on a tensor that doesn't require gradient");
  assert_true(tj_register_hook(h, counting, NULL, NULL, true) < 0);
  expect_error("post accumulate grad hooks cannot be registered on non-leaf tensors");
}

static void failing_hook(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *h = tj_mul(x, x);
  assert_true(tj_register_hook(h, failing, NULL, NULL, false) > 0);
  assert_int_equal(tj_backward(TJ_TENSORS(tj_sum(h, TJ_DTYPE_NONE)), (tj_tensors){0}, false, false, (tj_tensors){0}), TJ_ERROR_VALUE);
  expect_error("no more");
  assert_null(tj_grad(x));
}

/* ---- custom functions ------------------------------------------------------------------------------------------ */

static int cube_backward(tj_tensor *const *grads, int64_t n_outputs, tj_tensor **inputs, int64_t n_inputs, void *data) {
  assert_int_equal(n_outputs, 1);
  assert_int_equal(n_inputs, 1);
  ++*(int *)data;
  tj_tensor *x = tj_function_saved(0);
  if (!x) return tj_error_code();
  inputs[0] = tj_mul(tj_mul(tj_mul(x, x), tj_scalar_tensor(tj_int(3))), grads[0]);
  return inputs[0] ? 0 : tj_error_code();
}

static tj_tensor *cube(tj_tensor *x, int *calls) {
  bool before = tj_set_grad_enabled(false);
  tj_tensor *y = tj_mul(tj_mul(x, x), x);
  tj_set_grad_enabled(before);
  tj_function f = {.name = "CubeBackward", .backward = cube_backward, .data = calls, .drop = drop_hook, .saved = TJ_TENSORS(x)};
  assert_int_equal(tj_function_record(&f, TJ_TENSORS(x), &y, 1, NULL, (tj_tensors){0}), TJ_OK);
  return y;
}

static void custom_function(void **state) {
  (void)state;
  int calls = 0;
  dropped = 0;
  tj_tensor *x = leaf(VECTOR(1, 2)), *y = cube(tj_mul(x, tj_scalar_tensor(tj_int(2))), &calls), *g, *h;
  assert_string_equal(tj_grad_fn_name(y), "CubeBackward");
  tj_tensor *loss = tj_sum(y, TJ_DTYPE_NONE);
  assert_int_equal(tj_grad_of(TJ_TENSORS(loss), TJ_TENSORS(x), (tj_tensors){0}, true, true, false, &g), TJ_OK);
  CHECK(g, 24, 96);
  assert_int_equal(tj_grad_of(TJ_TENSORS(tj_sum(g, TJ_DTYPE_NONE)), TJ_TENSORS(x), (tj_tensors){0}, true, false, false, &h), TJ_OK);
  CHECK(h, 48, 96);
  backward_ok(loss);
  assert_true(tj_backward(TJ_TENSORS(loss), (tj_tensors){0}, false, false, (tj_tensors){0}) < 0);
  expect_error("Trying to backward through the graph a second time");
  tj_free(loss);
  tj_free(g);
  tj_free(y);
  assert_int_equal(dropped, 1);
}

/* A backward that runs a backward of its own. */
static int nested_backward(tj_tensor *const *grads, int64_t n_outputs, tj_tensor **inputs, int64_t n_inputs, void *data) {
  (void)n_outputs, (void)n_inputs, (void)data;
  bool before = tj_set_grad_enabled(true);
  tj_tensor *x = tj_detach(tj_function_saved(0));
  int status = tj_set_requires_grad(x, true);
  if (!status) status = tj_backward(TJ_TENSORS(tj_mul(x, x)), TJ_TENSORS(grads[0]), false, false, (tj_tensors){0});
  tj_set_grad_enabled(before);
  if (!status) inputs[0] = tj_retain(tj_grad(x));
  return status;
}

static void nested(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *y = VECTOR(1, 4);
  tj_function f = {.name = "NestedBackward", .backward = nested_backward, .saved = TJ_TENSORS(x)};
  assert_int_equal(tj_function_record(&f, TJ_TENSORS(x), &y, 1, NULL, (tj_tensors){0}), TJ_OK);
  backward_ok(tj_sum(tj_mul(y, tj_scalar_tensor(tj_int(3))), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 6, 12);
}

static int wrong_backward(tj_tensor *const *grads, int64_t n_outputs, tj_tensor **inputs, int64_t n_inputs, void *data) {
  (void)grads, (void)n_outputs, (void)n_inputs, (void)data;
  inputs[0] = VECTOR(1, 2, 3);
  return 0;
}

static void custom_function_rules(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2)), *y = VECTOR(1, 2), *same = x;
  tj_function f = {.name = "FBackward", .backward = wrong_backward};
  assert_int_equal(tj_function_record(&f, TJ_TENSORS(x), &y, 1, NULL, (tj_tensors){0}), TJ_OK);
  assert_true(tj_backward(TJ_TENSORS(tj_sum(y, TJ_DTYPE_NONE)), (tj_tensors){0}, false, false, (tj_tensors){0}) < 0);
  expect_error("Function FBackward returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]");
  assert_int_equal(tj_function_record(&f, TJ_TENSORS(x), &same, 1, NULL, (tj_tensors){0}), TJ_OK);
  assert_ptr_not_equal(same, x);
  assert_ptr_equal(tj_base_of(same), x);
  assert_null(tj_add_(same, tj_scalar_tensor(tj_int(1)), tj_int(1)));
  expect_error("Output 0 of FBackward is a view and is being modified inplace. This view was created inside a custom Function");
  same = x;
  assert_true(tj_function_record(&f, TJ_TENSORS(x), &same, 1, NULL, TJ_TENSORS(x)) < 0);
  expect_error("a leaf Variable that requires grad has been used in an in-place operation.");
}

/* ---- views and joins ------------------------------------------------------------------------------------------- */

static void view_gradients(void **state) {
  (void)state;
  tj_tensor *x = leaf(VECTOR(1, 2, 3, 4));
  tj_tensor *w = VECTOR(1, 2, 3, 4, 5, 6);
  backward_ok(tj_sum(tj_mul(tj_reshape(tj_unfold(x, 0, 2, 1), TJ_INTS(6)), w), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 1, 5, 9, 6);
  tj_set_grad(x, NULL);
  backward_ok(tj_sum(tj_mul(tj_reshape(tj_as_strided(x, TJ_INTS(3, 2), TJ_INTS(1, 1), 0), TJ_INTS(6)), w), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 1, 5, 9, 6);
  tj_set_grad(x, NULL);
  tj_list *parts = tj_split(x, 3, 0);
  backward_ok(tj_sum(tj_list_at(parts, 1), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 0, 0, 0, 1);
  tj_set_grad(x, NULL);
  backward_ok(tj_sum(tj_mul(tj_cat(TJ_TENSORS(x, tj_narrow(x, 0, 1, 2)), 0), w), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 1, 7, 9, 4);
  tj_set_grad(x, NULL);
  tj_tensor *m = tj_reshape(x, TJ_INTS(2, 2));
  backward_ok(tj_sum(tj_diagonal(tj_flip(m, TJ_INTS(1)), 0, 0, 1), TJ_DTYPE_NONE));
  CHECK(tj_grad(x), 0, 1, 1, 0);
  CHECK(tj_flip(VECTOR(1, 2, 3), TJ_INTS(0)), 3, 2, 1);
  CHECK(tj_roll(VECTOR(1, 2, 3), TJ_INTS(1), (tj_ints){NULL, 0}), 3, 1, 2);
  CHECK(tj_repeat(VECTOR(1, 2), TJ_INTS(2, 2)), 1, 2, 1, 2, 1, 2, 1, 2);
  CHECK(tj_rot90(tj_reshape(VECTOR(1, 2, 3, 4), TJ_INTS(2, 2)), 1, TJ_INTS(0, 1)), 2, 4, 1, 3);
}

/* ---- memory that cannot be had --------------------------------------------------------------------------------- */

/* Forward, writes to views, a hook, a custom function and two backwards. NULL anywhere is passed on. */
static void everything(void *context) {
  (void)context;
  int calls = 0;
  tj_tensor *x = VECTOR(1, 2, 3), *two = tj_scalar_tensor(tj_int(2)), *g = NULL, *y = tj_mul(x, two);
  if (!y || tj_set_requires_grad(x, true)) return;
  y = tj_mul(x, two);
  tj_mul_(tj_select(y, 0, 1), two);
  tj_tensor *joined = tj_cat(TJ_TENSORS(y, tj_narrow(y, 0, 0, 2)), 0);
  if (!joined || tj_register_hook(joined, doubling, &calls, NULL, false) < 0 || tj_retain_grad(joined)) return;
  tj_function f = {.name = "CubeBackward", .backward = cube_backward, .data = &calls, .saved = TJ_TENSORS(joined)};
  tj_tensor *out = tj_detach(joined);
  if (!out || tj_function_record(&f, TJ_TENSORS(joined), &out, 1, NULL, (tj_tensors){0})) return;
  tj_tensor *loss = tj_sum(out, TJ_DTYPE_NONE);
  if (!loss || tj_grad_of(TJ_TENSORS(loss), TJ_TENSORS(x), (tj_tensors){0}, true, true, false, &g)) return;
  if (tj_backward(TJ_TENSORS(loss), (tj_tensors){0}, false, false, (tj_tensors){0})) return;
  tj_list *parts = tj_split(tj_grad(x), 2, 0);
  (void)parts;
}

static void failing_allocations(void **state) {
  (void)state;
  const char *what = sweep(everything, NULL, NULL);
  if (what) fail_msg("%s", what);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(accumulates),
      TEST(shares_one_gradient),
      TEST(long_chain),
      TEST(wide_fan),
      TEST(broadcasts),
      TEST(second_order),
      TEST(outputs_saved),
      TEST(only_inputs),
      TEST(argument_errors),
      TEST(in_place_errors),
      TEST(inference),
      TEST(anomaly),
      TEST(writes_to_views),
      TEST(copies_into_a_plain_tensor),
      TEST(restricted_run_through_copy_slices),
      TEST(changes_shape_in_place),
      TEST(detaches),
      TEST(hooks),
      TEST(failing_hook),
      TEST(custom_function),
      TEST(nested),
      TEST(custom_function_rules),
      TEST(view_gradients),
      TEST(failing_allocations),
  };
  return cmocka_run_group_tests_name("autograd", tests, NULL, NULL);
}
