/* The webgpu device without a driver: addresses, commands, what joins, and what is left when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/core.h"
#include "engine/webgpu/device.h"
#include "engine/webgpu/fusion.h"
#include "ops.h"

static const tj__gpu_limits limits = {.buffer_bytes = 1 << 20, .groups = 65535, .bindings = 8, .invocations = 256, .shared_bytes = 16384};

static int notices, full_ones;
static void notify(void *context, int64_t bytes, bool full) {
  (void)context, (void)bytes;
  notices++;
  full_ones += full;
}

static void start(void) {
  notices = full_ones = 0;
  tj__gpu_set_batch(64);
  assert_true(tj__gpu_start(&limits, notify, NULL));
}

/* How many commands of a kind wait; they are taken. And whose the last launch was. */
static int count[16];
static const char *launched;
static int64_t take(void) {
  memset(count, 0, sizeof count);
  tj_tensor *t = tj__gpu_take();
  assert_non_null(t);
  const uint32_t *w = tj_data(t);
  const int64_t n = tj_numel(t) / 4;
  int64_t at = 0;
  while (at < n) {
    assert_in_range(w[at], TJ__GPU_CREATE, TJ__GPU_READ);
    assert_true(w[at + 1] >= 3);
    count[w[at]]++;
    if (w[at] == TJ__GPU_DISPATCH) launched = tj__gpu_operator_name(w[at + w[at + 1] - 1]);
    at += w[at + 1];
  }
  assert_int_equal(at, n);
  tj_free(t);
  return n;
}

static tj_tensor *on_device(const float *values, int64_t n) {
  tj_tensor *host = tj_from_data(values, TJ_FLOAT32, TJ_INTS(n));
  tj_tensor *t = tj_to_device(host, TJ_WEBGPU(0), TJ_DTYPE_NONE, false, false, NULL);
  tj_free(host);
  return t;
}

static void a_chain_is_one_launch(void **state) {
  (void)state;
  start();
  tj_scope_begin();
  tj_tensor *x = on_device((float[]){1, 2, 3}, 3);
  assert_non_null(x);
  assert_int_equal(tj_device_of(x), TJ_WEBGPU(0));
  assert_null(tj_data(x)); /* nobody follows its address */
  take();
  assert_int_equal(count[TJ__GPU_CREATE], 1);
  assert_int_equal(count[TJ__GPU_WRITE], 1);
  tj_tensor *y = tj_exp(tj_mul(x, x)), *z = tj_relu(y);
  assert_non_null(z);
  assert_true(tj__gpu_fuse_waits());
  take();
  assert_int_equal(count[TJ__GPU_DISPATCH], 1);
  assert_int_equal(count[TJ__GPU_PIPELINE], 1);
  assert_string_equal(launched, "mul, exp, relu");
  tj_relu(tj_exp(tj_mul(x, x)));
  take();
  assert_int_equal(count[TJ__GPU_DISPATCH], 1);
  assert_int_equal(count[TJ__GPU_PIPELINE], 0); /* known by now */
  tj_scope_end();
  take();
  assert_int_equal(count[TJ__GPU_FREE], 7);
  assert_int_equal(tj__gpu_stats_of().live_bytes, 0);
  assert_true(notices > 0);
}

static void what_nobody_sees_is_not_computed(void **state) {
  (void)state;
  start();
  tj_tensor *x = on_device((float[]){1, 2, 3}, 3);
  take();
  tj_scope_begin();
  assert_non_null(tj_exp(x));
  tj_scope_end();
  take();
  assert_int_equal(count[TJ__GPU_DISPATCH], 0);
  /* but what it reads stays until it is read */
  tj_tensor *y = tj_exp(x);
  tj_free(x);
  take();
  assert_int_equal(count[TJ__GPU_DISPATCH], 1);
  tj_free(y);
}

static void errors(void **state) {
  (void)state;
  start();
  tj_scope_begin();
  tj_tensor *x = on_device((float[]){1, 2}, 2), *host = tj_from_data((float[]){1, 2}, TJ_FLOAT32, TJ_INTS(2));
  assert_null(tj_add(x, host, tj_int(1)));
  assert_non_null(strstr(tj_error_message(), "found at least two devices, webgpu:0 and cpu!"));
  tj_error_clear();
  assert_null(tj_bincount(x, NULL, 0));
  assert_int_equal(tj_error_code(), TJ_ERROR_NOT_IMPLEMENTED);
  tj_error_clear();
  assert_int_equal(tj_item(tj_sum(x, TJ_DTYPE_NONE)).kind, TJ_SCALAR_NONE);
  assert_int_equal(tj_error_code(), TJ_ERROR_NOT_IMPLEMENTED);
  tj_error_clear();
  tj_tensor *wide = tj_from_data((int64_t[]){(int64_t)1 << 40}, TJ_INT64, TJ_INTS(1));
  assert_null(tj_to_device(wide, TJ_WEBGPU(0), TJ_DTYPE_NONE, false, false, NULL));
  assert_non_null(strstr(tj_error_message(), "1099511627776 does not fit"));
  tj_error_clear();
  assert_null(tj_zeros(TJ_INTS(1 << 20), TJ_FLOAT32, TJ_WEBGPU(0), false));
  assert_non_null(strstr(tj_error_message(), "maxStorageBufferBindingSize"));
  tj_error_clear();
  take();
  tj__gpu_stop("gone");
  assert_null(tj_exp(x));
  assert_string_equal(tj_error_message(), "gone");
  tj_error_clear();
  start();
  assert_null(tj_exp(x));
  assert_non_null(strstr(tj_error_message(), "lost"));
  tj_error_clear();
  tj_scope_end();
}

/* A little of everything; false where it failed. */
static bool program(void) {
  tj_scope_begin();
  tj_tensor *x = on_device((float[]){1, 2, 3, 4, 5, 6}, 6);
  tj_tensor *m = tj_view(x, TJ_INTS(2, 3)), *p = tj_mm(m, tj_t(m));
  tj_tensor *s = tj_softmax(tj_add(p, p, tj_int(2)), 1, TJ_DTYPE_NONE), *l = tj_sum(tj_cumsum(s, 0, TJ_DTYPE_NONE), TJ_DTYPE_NONE);
  const bool ok = l && tj__gpu_request(l, 1, 1);
  tj_scope_end();
  return ok;
}

static void every_allocation_fails_once(void **state) {
  (void)state;
  start();
  assert_true(program());
  take();
  for (int64_t n = 1; n < 2000; n++) {
    start();
    tj_fail_allocation(n);
    const bool ok = program();
    const bool failed = tj_fail_allocation(0) == 0;
    if (!ok) assert_int_equal(tj_error_code(), TJ_ERROR_MEMORY);
    tj_error_clear();
    if (ok && !failed) return;
    take();
    assert_int_equal(tj__gpu_stats_of().live_bytes, 0);
  }
  fail_msg("the program never came through");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_chain_is_one_launch), cmocka_unit_test(what_nobody_sees_is_not_computed),
                                     cmocka_unit_test(errors), cmocka_unit_test(every_allocation_fails_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
