/* calls_test.c: the JavaScript side of the engine without JavaScript: handles, arguments, results, callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>

/* With a table of calls of its own in the place of the generated one. */
#include "bindings/common/builtins.c"
#include "bindings/common/host.c"
#include "ops.h"

/* ---- calls that read one argument of each kind ---------------------------------------------------------------- */

static struct {
  int64_t i;
  tj_scalar s;
  tj_ints ints;
  int64_t copy[8];
  char text[64];
  bool no_text;
} seen;

static double call_read(tj__host *h) {
  seen.i = tj__read_int(h);
  seen.s = tj__read_scalar(h);
  seen.ints = tj__read_ints(h);
  for (int64_t k = 0; k < seen.ints.n && k < 8; k++) seen.copy[k] = seen.ints.data[k];
  const char *text = tj__read_string(h);
  seen.no_text = !text;
  strncpy(seen.text, text ? text : "", sizeof seen.text - 1);
  return h->failed ? 0 : 1;
}
static double call_mul(tj__host *h) {
  tj_tensor *self = tj__read_tensor(h), *other = tj__read_tensor(h);
  return h->failed ? 0 : tj__return_tensor(h, tj_mul(self, other));
}
static double call_many(tj__host *h) {
  int64_t n = tj__read_int(h);
  tj_list *list = tj__list_new(n);
  for (int64_t i = 0; i < n; i++) {
    tj_tensor *t = tj_scalar_tensor(tj_int(i));
    tj__list_set(list, i, t);
    tj_free(t);
  }
  return tj__return_list(h, list);
}
static double call_free_argument(tj__host *h) { /* what JavaScript may do from a callback */
  double handle = tj__peek_slot(h);
  tj_tensor *t = tj__read_tensor(h);
  tj__handle_free(h, handle);
  return tj__return_int(h, tj_numel(t));
}
enum { READ, MUL, MANY, FREE_ARGUMENT, GENERATED };
const tj__call tj__generated_calls[] = {call_read, call_mul, call_many, call_free_argument};
const int tj__generated_call_count = GENERATED;

#define X(name) BUILTIN_##name,
enum {
  BEFORE_BUILTINS = GENERATED - 1,
#include "bindings/common/builtins.def"
};
#undef X

/* ---- helpers --------------------------------------------------------------------------------------------------- */

static double buffer[128];
static tj__host *host;
static tj_memory_stats_t at_start;

static int setup(void **state) {
  (void)state;
  tj_error_clear();
  at_start = tj_memory_stats();
  host = tj__host_new();
  tj__host_set_buffer(host, buffer, 128);
  return host ? 0 : -1;
}
static int teardown(void **state) {
  (void)state;
  tj__host_free(host);
  tj_error_clear();
  tj_memory_stats_t now = tj_memory_stats();
  return now.live_tensors != at_start.live_tensors || now.live_bytes != at_start.live_bytes;
}

static double new_tensor(const float *values, int64_t n) {
  buffer[0] = 1;
  buffer[1] = (double)n;
  double handle = tj__host_from_bytes(host, TJ_FLOAT32, values, (size_t)n * sizeof *values);
  if (handle <= 0) fail_msg("%s", tj_error_message());
  return handle;
}
#define TENSOR(...) new_tensor((const float[]){__VA_ARGS__}, (int64_t)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

static double call1(int64_t op, double a) {
  buffer[0] = a;
  return tj__host_call(host, op);
}
static double call2(int64_t op, double a, double b) {
  buffer[1] = b;
  return call1(op, a);
}
static double bits(int64_t v) {
  double d;
  memcpy(&d, &v, sizeof d);
  return d;
}
static void has(double handle, const float *expected, int64_t n) {
  float got[16];
  if (tj__host_read_bytes(host, handle, got, (size_t)n * sizeof *got) != 1) fail_msg("%s", tj_error_message());
  assert_memory_equal(got, expected, (size_t)n * sizeof *got);
}
#define HAS(handle, ...) has(handle, (const float[]){__VA_ARGS__}, (int64_t)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void handles(void **state) {
  (void)state;
  double a = TENSOR(1, 2), b = TENSOR(3, 4);
  assert_true(a != b);
  assert_int_equal(host->live, 2);
  double c = call2(MUL, a, b);
  HAS(c, 3, 8);
  tj__handle_free(host, a);
  tj__handle_free(host, a);
  assert_int_equal(host->live, 2);
  assert_true(call2(MUL, a, b) == 0);
  assert_int_equal(tj_error_code(), TJ_ERROR_DISPOSED);
  assert_string_equal(tj_error_message(), "a tensor was used after its disposal");
  double d = TENSOR(5, 6); /* the index of a, with another generation */
  assert_true(d != a && ((int64_t)d & (TJ__HANDLE_INDICES - 1)) == ((int64_t)a & (TJ__HANDLE_INDICES - 1)));
  assert_true(call2(MUL, a, b) == 0);
  assert_true(call2(MUL, d, b) > 0);
}

static void foreign_handles(void **state) {
  (void)state;
  double a = TENSOR(1);
  const double wrong[] = {0.5, NAN, INFINITY, 0x1p53, 0x1p60, 1, 12345678, (double)TJ__HANDLE_INDICES * 7};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_true(call2(MUL, wrong[i], a) == 0);
    assert_int_equal(tj_error_code(), TJ_ERROR_DISPOSED);
    tj__handle_free(host, wrong[i]);
  }
  assert_true(call2(MUL, 0, a) == 0);
  assert_int_equal(tj_error_code(), TJ_ERROR_TYPE);
  double g = tj__host_call(host, BUILTIN_generator_new);
  assert_true(g > 0 && call2(MUL, g, a) == 0);
  assert_int_equal(tj_error_code(), TJ_ERROR_TYPE);
  assert_true(call2(BUILTIN_generator_manual_seed, a, 1) == 0);
}

static void collected_handles(void **state) {
  (void)state;
  double a = TENSOR(1, 2), b = TENSOR(3, 4);
  tj__handle_free_later(host, a); /* a collection between writing the argument and the call */
  double c = call2(MUL, a, b);
  HAS(c, 3, 8);
  assert_true(call2(MUL, a, b) == 0);
  assert_int_equal(host->live, 2);
  /* disposed while a call uses it */
  double d = TENSOR(1, 2, 3);
  assert_true(call1(FREE_ARGUMENT, d) == TJ_SCALAR_INT && buffer[0] == 3);
  assert_true(call1(BUILTIN_numel, d) == 0);
}

static void arguments(void **state) {
  (void)state;
  const double written[] = {NAN, bits(INT64_MAX), TJ_SCALAR_COMPLEX, 1.5, -2, 3, 7, NAN, bits(INT64_MIN), -1, 5, 0};
  memcpy(buffer, written, sizeof written);
  memcpy(&buffer[11], "h\xc3\xa9llo", 6);
  buffer[10] = 6;
  assert_true(tj__host_call(host, READ) == 1);
  assert_true(seen.i == INT64_MAX && seen.s.kind == TJ_SCALAR_COMPLEX && seen.s.c.re == 1.5 && seen.s.c.im == -2);
  assert_true(seen.ints.n == 3 && seen.copy[0] == 7 && seen.copy[1] == INT64_MIN && seen.copy[2] == -1);
  assert_string_equal(seen.text, "h\xc3\xa9llo");
  const double none[] = {NAN, bits(INT64_MIN), TJ_SCALAR_NONE, -1, -1};
  memcpy(buffer, none, sizeof none);
  assert_true(tj__host_call(host, READ) == 1);
  assert_true(seen.i == TJ_NO_INT && seen.s.kind == TJ_SCALAR_NONE && seen.ints.n == -1 && seen.no_text);
}

static void numbers(void **state) {
  (void)state;
  double a = TENSOR(1, 2);
  const int64_t live = tj_memory_stats().live_tensors;
  const double behind[] = {a, -5, 0, 0, 0, TJ_SCALAR_FLOAT, 1.5}, next[] = {-1, TJ_SCALAR_INT, NAN, bits(3), a};
  memcpy(buffer, behind, sizeof behind);
  double y = tj__host_call(host, MUL);
  HAS(y, 1.5, 3);
  memcpy(buffer, next, sizeof next);
  double z = tj__host_call(host, MUL);
  HAS(z, 3, 6);
  const double of_bool[] = {a, -2, TJ_SCALAR_BOOL, 1}; /* the dtype stays a's */
  memcpy(buffer, of_bool, sizeof of_bool);
  double w = tj__host_call(host, MUL);
  HAS(w, 1, 2);
  const double bad[][4] = {{a, -1000}, {a, -INFINITY}, {a, -0.5}, {a, -1}, {a, -2, 9, 1}, {a, -2, TJ_SCALAR_NONE, 1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    memcpy(buffer, bad[i], sizeof bad[i]);
    assert_true(tj__host_call(host, MUL) == 0);
    assert_true(tj_error_code() != TJ_OK);
  }
  const double of_many[] = {4, a, y, z, w};
  memcpy(buffer, of_many, sizeof of_many);
  assert_true(tj__host_call(host, BUILTIN_free) == 1);
  assert_true(host->live == 0 && tj_memory_stats().live_tensors == live - 1);
  assert_true(tj__host_call(host, BUILTIN_free) == 1); /* once more: nothing */
  buffer[0] = 1000;                                    /* more than there are slots */
  assert_true(tj__host_call(host, BUILTIN_free) == 0);
}

static void bad_arguments(void **state) {
  (void)state;
  const double bad[][5] = {{1.5, 0, -1, -1}, {INFINITY, 0, -1, -1}, {1, 9, -1, -1},    {1, 0, 1000, -1},
                           {1, 0, -2, -1},   {1, 0, -1, 1e9},       {1, 0, 1, 0.5, -1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    memcpy(buffer, bad[i], sizeof bad[i]);
    assert_true(tj__host_call(host, READ) == 0);
    assert_true(tj_error_code() != TJ_OK);
  }
  assert_true(tj__host_call(host, -1) == 0);
  assert_int_equal(tj_error_code(), TJ_ERROR_INTERNAL);
  assert_true(tj__host_call(host, 1 << 20) == 0);
}

static void results(void **state) {
  (void)state;
  double t = TENSOR(1, 2, 3, 4);
  assert_true(call1(BUILTIN_sizes, t) == 1 && buffer[0] == 4);
  assert_true(call1(BUILTIN_dtype, t) == TJ_SCALAR_INT && buffer[0] == TJ_FLOAT32);
  assert_true(call1(BUILTIN_grad, t) == 0 && tj_error_code() == TJ_OK);
  assert_true(call1(BUILTIN_describe, t) == 9 && buffer[8] == 4);
  const double options[] = {t, 4, 1000, 3, 80, -1};
  memcpy(buffer, options, sizeof options);
  assert_true(tj__host_call(host, BUILTIN_to_string) == 1);
  assert_string_equal(host->string, "tensor([1., 2., 3., 4.])");
  const double seed[] = {0, NAN, bits(INT64_MIN + 5)};
  memcpy(buffer, seed, sizeof seed);
  assert_true(tj__host_call(host, BUILTIN_generator_manual_seed) == 1);
  assert_true(call1(BUILTIN_generator_initial_seed, 0) == TJ_SCALAR_INT);
  int64_t value;
  memcpy(&value, &buffer[1], sizeof value);
  assert_true(isnan(buffer[0]) && value == INT64_MIN + 5);
  /* more results than the buffer holds wait until it grows */
  assert_true(call1(MANY, 200) == 200);
  static double larger[256];
  tj__host_set_buffer(host, larger, 256);
  for (int i = 0; i < 200; i++) assert_true(larger[i] > 0);
  assert_int_equal(host->live, 201);
}

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

static int dropped, called;
static double answer(tj__host *h, tj__callback_kind kind, double id, int64_t count) {
  if (kind == TJ__CALLBACK_DROP) {
    dropped += (int)id;
    return 0;
  }
  called++;
  assert_int_equal(count, 1);
  double grad = h->slots[0];
  if (id == 3) return -1;
  double twice = call2(MUL, grad, grad); /* a call inside the call */
  tj__handle_free(h, grad);
  return twice;
}

static double backward(double output) {
  const double arguments_[] = {1, output, 0, 0, 0, 0};
  memcpy(buffer, arguments_, sizeof arguments_);
  return tj__host_call(host, BUILTIN_backward);
}

static void hooks(void **state) {
  (void)state;
  dropped = called = 0;
  host->callback = answer;
  double x = TENSOR(3), two = TENSOR(2);
  call2(BUILTIN_set_requires_grad, x, 1);
  double y = call2(MUL, x, two);
  const double hook[] = {x, 5, 0};
  memcpy(buffer, hook, sizeof hook);
  assert_true(tj__host_call(host, BUILTIN_register_hook) == TJ_SCALAR_INT);
  if (backward(y) != 1) fail_msg("%s", tj_error_message());
  assert_int_equal(called, 1);
  double grad = call1(BUILTIN_grad, x);
  HAS(grad, 4);
  /* a hook that fails ends the backward */
  double z = call2(MUL, x, two);
  const double failing[] = {z, 3, 0};
  memcpy(buffer, failing, sizeof failing);
  assert_true(tj__host_call(host, BUILTIN_register_hook) == TJ_SCALAR_INT);
  assert_true(backward(z) == 0);
  assert_int_equal(tj_error_code(), TJ_ERROR_RUNTIME);
  assert_int_equal(dropped, 0);
  tj__handle_free(host, z);
  tj__handle_free(host, x);
  tj__handle_free(host, y);
  tj__handle_free(host, two);
  call1(BUILTIN_numel, grad);
  assert_int_equal(dropped, 8);
  assert_int_equal(host->live, 3); /* grad, and what the callback was given or made: those belong to JavaScript */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(handles, setup, teardown),
      cmocka_unit_test_setup_teardown(foreign_handles, setup, teardown),
      cmocka_unit_test_setup_teardown(collected_handles, setup, teardown),
      cmocka_unit_test_setup_teardown(arguments, setup, teardown),
      cmocka_unit_test_setup_teardown(numbers, setup, teardown),
      cmocka_unit_test_setup_teardown(bad_arguments, setup, teardown),
      cmocka_unit_test_setup_teardown(results, setup, teardown),
      cmocka_unit_test_setup_teardown(hooks, setup, teardown),
  };
  return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
