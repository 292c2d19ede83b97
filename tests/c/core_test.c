/* core_test.c: dtypes, promotion, the allocator, scopes and references, errors, geometry, threads, the generator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs the five above */
#include <cmocka.h>
#include <math.h>
#include <pthread.h>

#include "core/core.h"
#include "ops.h"
#include "sweep.h"

static void expect_error(tj_status code, const char *message) {
  assert_int_equal(tj_error_code(), code);
  assert_string_equal(tj_error_message(), message);
  tj_error_clear();
}

static tj_tensor *zeros(tj_ints sizes, tj_dtype dtype) {
  tj_tensor *t = tj__empty(sizes, dtype, TJ_CPU);
  assert_non_null(t);
  if (t->numel) memset(tj__write(t), 0, (size_t)t->numel * tj__itemsize(t));
  return t;
}

static int clear(void **state) {
  (void)state;
  tj_error_clear();
  tj_fail_allocation(0);
  return 0;
}

/* ---- dtypes ---------------------------------------------------------------------------------------------------- */

/* Values of float16 by their definition, in double. */
static double half_value(uint16_t h) {
  int exponent = h >> 10 & 31;
  double fraction = (h & 1023) / 1024.0, sign = h & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
  return sign * (exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14));
}

static void all_halves(void **state) {
  (void)state;
  for (uint32_t h = 0; h < 0x10000; h++) {
    float f = tj__half_to_float((uint16_t)h);
    double expected = half_value((uint16_t)h);
    if (isnan(expected)) {
      assert_true(isnan(f));
      assert_true((tj__float_to_half(f) & 0x7fff) > 0x7c00);
      continue;
    }
    assert_true((double)f == expected && !!signbit(f) == !!(h & 0x8000));
    assert_int_equal(tj__float_to_half(f), h);
  }
  /* between neighbours: half way goes to the even one, a little off goes to the nearer */
  for (uint16_t h = 0; h < 0x7bff; h++) {
    float low = tj__half_to_float(h), high = tj__half_to_float((uint16_t)(h + 1)), middle = (low + high) / 2;
    assert_int_equal(tj__float_to_half(middle), h & 1 ? h + 1 : h);
    assert_int_equal(tj__float_to_half(nextafterf(middle, 0)), h);
    assert_int_equal(tj__float_to_half(nextafterf(middle, INFINITY)), h + 1);
  }
  assert_int_equal(tj__float_to_half(65519.0f), 0x7bff);
  assert_int_equal(tj__float_to_half(65520.0f), 0x7c00);
  assert_int_equal(tj__float_to_half(-1e30f), 0xfc00);
  assert_int_equal(tj__float_to_half(1e-30f), 0);
}

static void all_bfloats(void **state) {
  (void)state;
  for (uint32_t h = 0; h < 0x10000; h++) {
    float f = tj__bfloat16_to_float((uint16_t)h);
    if (isnan(f)) assert_true(isnan(tj__bfloat16_to_float(tj__float_to_bfloat16(f))));
    else assert_int_equal(tj__float_to_bfloat16(f), h);
  }
  for (uint32_t h = 0; h < 0x7f7f; h++) {
    assert_int_equal(tj__float_to_bfloat16(tj__bits_float(h << 16 | 0x8000)), h & 1 ? h + 1 : h);
    assert_int_equal(tj__float_to_bfloat16(tj__bits_float(h << 16 | 0x7fff)), h);
    assert_int_equal(tj__float_to_bfloat16(tj__bits_float(h << 16 | 0x8001)), h + 1);
  }
  assert_int_equal(tj__float_to_bfloat16(3.4e38f), 0x7f80);
}

static void dtype_facts(void **state) {
  (void)state;
  for (int d = 0; d < TJ_DTYPE_COUNT; d++) assert_int_equal(tj_dtype_from_name(tj_dtype_name((tj_dtype)d)), d);
  assert_int_equal(tj_dtype_from_name("float"), TJ_DTYPE_NONE);
  assert_null(tj_dtype_name(TJ_DTYPE_NONE));
  assert_null(tj_dtype_name((tj_dtype)99));
  assert_int_equal(tj_dtype_size(TJ_COMPLEX128), 16);
  assert_true(tj_dtype_is_floating(TJ_BFLOAT16) && !tj_dtype_is_floating(TJ_COMPLEX64) && !tj_dtype_is_floating(TJ_UINT64));
  assert_true(tj_dtype_is_signed(TJ_COMPLEX64) && !tj_dtype_is_signed(TJ_BOOL) && !tj_dtype_is_signed(TJ_UINT32));
  assert_int_equal(tj_set_default_dtype(TJ_INT64), TJ_ERROR_TYPE);
  expect_error(TJ_ERROR_TYPE, "only floating-point types are supported as the default type");
  assert_int_equal(tj_get_default_dtype(), TJ_FLOAT32);
}

static void scalars_through_elements(void **state) {
  (void)state;
  char element[16];
  for (int d = 0; d < TJ_DTYPE_COUNT; d++) {
    tj__store_scalar(element, (tj_dtype)d, tj_int(1));
    tj_scalar one = tj__load_scalar(element, (tj_dtype)d);
    assert_true(tj__scalar_equals(one, 1));
    tj__store_scalar(element, (tj_dtype)d, tj_float(0));
    assert_true(tj__scalar_is_zero(tj__load_scalar(element, (tj_dtype)d)));
  }
  tj__store_scalar(element, TJ_UINT8, tj_int(-1));
  assert_int_equal(tj__load_scalar(element, TJ_UINT8).i, 255);
  tj__store_scalar(element, TJ_INT64, tj_float((double)NAN)); /* no undefined cast */
  assert_true(tj__load_scalar(element, TJ_INT64).i == INT64_MIN);
  tj__store_scalar(element, TJ_UINT64, tj_float(0x1p63));
  assert_true((uint64_t)tj__load_scalar(element, TJ_UINT64).i == (uint64_t)1 << 63);
  tj__store_scalar(element, TJ_BOOL, tj_float((double)NAN));
  assert_int_equal(tj__load_scalar(element, TJ_BOOL).i, 1);
  tj__store_scalar(element, TJ_COMPLEX64, tj_complex_number(1.5, -2));
  assert_true(tj__load_scalar(element, TJ_COMPLEX64).c.im == -2);
  tj__store_scalar(element, TJ_FLOAT32, tj_complex_number(1.5, -2));
  assert_true(tj__load_scalar(element, TJ_FLOAT32).f == 1.5);
}

/* ---- promotion ------------------------------------------------------------------------------------------------- */

static void promote_types(void **state) {
  (void)state;
  /* b u8 i8 i16 i32 i64 f16 bf16 f32 f64 c64 c128: PyTorch's table of the dtypes that all promote */
  static const tj_dtype d[] = {TJ_BOOL,    TJ_UINT8,    TJ_INT8,    TJ_INT16,   TJ_INT32,     TJ_INT64,
                               TJ_FLOAT16, TJ_BFLOAT16, TJ_FLOAT32, TJ_FLOAT64, TJ_COMPLEX64, TJ_COMPLEX128};
  static const char *rows[] = {"0123456789AB",  "113345 6789AB", "232345 6789AB", "333345 6789AB", "444445 6789AB", "555555 6789AB",
                               "6666666 889AB", "77777787 89AB", "888888888 9AB", "9999999999 BB", "AAAAAAAAAB AB", "BBBBBBBBBBBB"};
  for (int i = 0; i < 12; i++)
    for (int j = 0, k = 0; j < 12; j++, k++) {
      if (rows[i][k] == ' ') k++;
      char c = rows[i][k];
      assert_int_equal(tj_promote_types(d[i], d[j]), d[c <= '9' ? c - '0' : c - 'A' + 10]);
    }
  for (tj_dtype u = TJ_UINT16; u <= TJ_UINT64; u++) {
    assert_int_equal(tj_promote_types(u, u), u);
    assert_int_equal(tj_promote_types(TJ_FLOAT16, u), TJ_FLOAT16);
    assert_int_equal(tj_promote_types(u, TJ_INT64), TJ_DTYPE_NONE);
    assert_int_equal(tj_error_code(), TJ_ERROR_RUNTIME);
    tj_error_clear();
  }
  tj_promote_types(TJ_UINT16, TJ_BOOL);
  expect_error(TJ_ERROR_RUNTIME, "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote UInt16 and Bool");
  assert_true(tj_can_cast(TJ_BOOL, TJ_COMPLEX64) && tj_can_cast(TJ_FLOAT64, TJ_FLOAT16) && tj_can_cast(TJ_INT64, TJ_UINT8));
  assert_false(tj_can_cast(TJ_FLOAT16, TJ_INT64) || tj_can_cast(TJ_COMPLEX64, TJ_FLOAT64) || tj_can_cast(TJ_UINT8, TJ_BOOL));
}

static void result_types(void **state) {
  (void)state;
  assert_int_equal(tj_scope_begin(), TJ_OK);
  tj_tensor *u8 = zeros(TJ_INTS(2), TJ_UINT8), *f16 = zeros(TJ_INTS(2), TJ_FLOAT16), *b = zeros(TJ_INTS(2), TJ_BOOL),
            *u16 = zeros(TJ_INTS(2), TJ_UINT16);
  tj_tensor *i64_0 = zeros(TJ_NO_DIMS, TJ_INT64), *f64_0 = zeros(TJ_NO_DIMS, TJ_FLOAT64), *c128_0 = zeros(TJ_NO_DIMS, TJ_COMPLEX128);
  tj_tensor *one = tj_scalar_tensor(tj_int(1)), *half = tj_scalar_tensor(tj_float(0.5)), *yes = tj_scalar_tensor(tj_bool(true));
  assert_int_equal(tj_result_type(u8, i64_0), TJ_UINT8);
  assert_int_equal(tj_result_type(u8, f64_0), TJ_FLOAT64);
  assert_int_equal(tj_result_type(f16, f64_0), TJ_FLOAT16);
  assert_int_equal(tj_result_type(f16, c128_0), TJ_COMPLEX64);
  assert_int_equal(tj_result_type(b, one), TJ_INT64);
  assert_int_equal(tj_result_type(b, half), TJ_FLOAT32);
  assert_int_equal(tj_result_type(b, yes), TJ_BOOL);
  assert_int_equal(tj_result_type(u8, one), TJ_UINT8);
  assert_int_equal(tj_result_type(i64_0, half), TJ_FLOAT32);
  assert_int_equal(tj_result_type(f64_0, half), TJ_FLOAT64);
  assert_int_equal(tj_result_type(u16, one), TJ_UINT16);
  assert_int_equal(tj_result_type(u16, half), TJ_FLOAT32);
  assert_int_equal(tj_result_type(one, half), TJ_FLOAT32);
  assert_int_equal(tj_result_type(u16, u8), TJ_DTYPE_NONE);
  tj_error_clear();
  tj_scope_end();
}

/* ---- the allocator --------------------------------------------------------------------------------------------- */

static void allocator_reuses(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 64, 65, 200, 256, 257, 320, 321, 1000, 4096, 5000, 1 << 20, (1 << 20) + 1, 3000000};
  enum { N = sizeof sizes / sizeof *sizes };
  void *p[N];
  for (int round = 0; round < 3; round++) {
    tj_memory_stats_t before = tj_memory_stats();
    for (int i = 0; i < N; i++) {
      p[i] = tj__alloc(sizes[i]);
      assert_non_null(p[i]);
      assert_int_equal((uintptr_t)p[i] % 64, 0);
      memset(p[i], round, sizes[i]);
    }
    tj_memory_stats_t during = tj_memory_stats();
    for (int i = 0; i < N; i++) tj__free(p[i], sizes[i]);
    tj_memory_stats_t after = tj_memory_stats();
    assert_int_equal(during.allocations - before.allocations, N);
    assert_int_equal(after.frees - before.frees, N);
    assert_int_equal(after.live_bytes, before.live_bytes);
    assert_true(during.live_bytes - before.live_bytes >= 3000000 + (2 << 20));
    assert_true(during.live_bytes - before.live_bytes <= (3000000 + (2 << 20) + 12000) * 5 / 4);
    assert_true(during.peak_bytes >= during.live_bytes && after.peak_bytes >= during.live_bytes);
    if (round) assert_int_equal(after.system_allocations, before.system_allocations); /* warm */
  }
  tj_reset_peak_memory_stats();
  assert_int_equal(tj_memory_stats().peak_bytes, tj_memory_stats().live_bytes);
  tj_memory_stats_t full = tj_memory_stats();
  tj_empty_cache();
  tj_memory_stats_t emptied = tj_memory_stats();
  assert_true(emptied.reserved_bytes < full.reserved_bytes && emptied.system_frees > full.system_frees);
  assert_int_equal(emptied.reserved_bytes, emptied.live_bytes);
}

static void every_class_fits(void **state) {
  (void)state;
  /* a block that is reused has to be as large as it was asked for: write to the last byte around each power of two */
  for (size_t base = 64; base <= (size_t)1 << 22; base *= 2)
    for (int step = -1; step <= 4; step++)
      for (int edge = -1; edge <= 1; edge++) {
        size_t bytes = base + base / 4 * (size_t)(step < 0 ? 0 : step) + (size_t)edge;
        unsigned char *p = tj__alloc(bytes);
        assert_non_null(p);
        p[bytes - 1] = 1;
        tj__free(p, bytes);
      }
}

static void from_data(void *context) {
  (void)context;
  tj_from_data((float[]){1, 2, 3, 4, 5, 6}, TJ_FLOAT32, TJ_INTS(1, 1, 1, 1, 1, 6));
  if (tj_error_code() == TJ_ERROR_MEMORY) assert_string_equal(tj_error_name(), "OutOfMemoryError");
}

static void failing_allocations(void **state) {
  (void)state;
  assert_null(tj__alloc((size_t)1 << 62));
  expect_error(TJ_ERROR_MEMORY, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4611686018427387904 bytes.");
  int failures = 0;
  const char *what = sweep(from_data, NULL, &failures);
  if (what) fail_msg("%s", what);
  assert_int_equal(failures, 3); /* storage with its few bytes, tensor, room for six dimensions */
}

static void *thread_that_frees(void *tensor) {
  tj_free(tensor);
  for (int i = 0; i < 100; i++) tj__free(tj__alloc(1000), 1000);
  return NULL;
}

static void threads_give_back(void **state) {
  (void)state;
  tj_memory_stats_t before = tj_memory_stats();
  tj_tensor *t = zeros(TJ_INTS(1000, 100), TJ_FLOAT32);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, thread_that_frees, t), 0);
  pthread_join(thread, NULL);
  tj_memory_stats_t after = tj_memory_stats();
  assert_int_equal(after.live_bytes, before.live_bytes);
  assert_int_equal(after.live_tensors, before.live_tensors);
  assert_true(after.allocations - before.allocations >= 100);
  assert_true(after.reserved_bytes <= before.reserved_bytes + 400000); /* what the thread cached went with it */
}

/* ---- references and scopes ------------------------------------------------------------------------------------- */

static void scopes(void **state) {
  (void)state;
  int64_t live = tj_memory_stats().live_tensors;
#define LIVE() (tj_memory_stats().live_tensors - live)
  tj_scope_end(); /* no scope is open: nothing happens */
  tj_scope_begin();
  for (int i = 0; i < 100; i++) zeros(TJ_INTS(2), TJ_INT8); /* more than fit in place */
  tj_tensor *kept = tj_keep(zeros(TJ_INTS(2), TJ_INT8));
  tj_scope_begin();
  tj_tensor *outer = tj_keep(zeros(TJ_INTS(3), TJ_INT8));
  tj_tensor *retained = tj_retain(zeros(TJ_INTS(4), TJ_INT8));
  zeros(TJ_INTS(5), TJ_INT8);
  assert_int_equal(LIVE(), 104);
  tj_scope_end();
  assert_int_equal(LIVE(), 103);
  assert_int_equal(tj_size(outer, 0), 3);
  tj_scope_end();
  assert_int_equal(LIVE(), 2);
  assert_int_equal(tj_size(kept, 0), 2);
  assert_int_equal(tj_size(retained, 0), 4);
  tj_free(kept);
  tj_free(retained);
  assert_int_equal(LIVE(), 0);

  tj_scope_begin();
  tj_tensor *t = zeros(TJ_INTS(2), TJ_INT8);
  tj_free(t); /* early */
  assert_int_equal(LIVE(), 0);
  t = zeros(TJ_INTS(2), TJ_INT8);
  tj_retain(t);
  tj_free(t); /* gives back what was retained: the scope's reference stays */
  assert_int_equal(LIVE(), 1);
  tj_tensor *held = tj__hold(zeros(TJ_INTS(7), TJ_INT8)); /* as a graph holds it */
  tj_free(held);                                          /* the scope's, early */
  assert_int_equal(LIVE(), 2);
  for (int i = 0; i < 100000; i++) tj_free(zeros(TJ_INTS(1), TJ_INT8)); /* the scope does not grow */
  tj_scope_end();
  assert_int_equal(LIVE(), 1);
  assert_int_equal(tj_size(held, 0), 7);
  tj__release(held);
  assert_int_equal(LIVE(), 0);

  /* an operator that returns its argument: one more reference, wherever the argument lives */
  t = zeros(TJ_INTS(2), TJ_FLOAT32);
  tj_tensor *same = tj_contiguous(t, NULL);
  assert_ptr_equal(same, t);
  tj_free(same);
  assert_int_equal(LIVE(), 1);
  tj_scope_begin();
  same = tj_contiguous(t, NULL);
  assert_ptr_equal(same, t);
  tj_scope_end();
  assert_int_equal(LIVE(), 1);
  tj_scope_begin();
  tj_contiguous(t, NULL);
  tj_free(t); /* the caller's own: the scope keeps its reference */
  assert_int_equal(LIVE(), 1);
  tj_scope_end();
  assert_int_equal(LIVE(), 0);

  tj_free(NULL);
  tj_list_free(NULL);
  assert_null(tj_retain(NULL));
  assert_null(tj_keep(NULL));
}

static void lists(void **state) {
  (void)state;
  int64_t live = tj_memory_stats().live_tensors, bytes = tj_memory_stats().live_bytes;
  tj_list *list = tj__list_new(2);
  tj_tensor *t = zeros(TJ_INTS(2), TJ_INT8);
  tj__list_set(list, 0, t);
  tj__list_set(list, 1, t);
  tj_free(t);
  assert_int_equal(tj_list_size(list), 2);
  assert_ptr_equal(tj_list_at(list, 1), t);
  assert_null(tj_list_at(list, 2));
  expect_error(TJ_ERROR_INDEX, "list index 2 is out of range: the list has 2 items");
  tj_list_free(list);
  assert_int_equal(LIVE(), 0);
  assert_int_equal(tj_memory_stats().live_bytes, bytes);
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

static void errors(void **state) {
  (void)state;
  assert_int_equal(tj_error_code(), TJ_OK);
  assert_string_equal(tj_error_name(), "");
  tj_set_error(TJ_ERROR_VALUE, "first");
  tj_set_error(TJ_ERROR_TYPE, "second");
  assert_string_equal(tj_error_name(), "ValueError");
  expect_error(TJ_ERROR_VALUE, "first");
  tj_set_error(TJ_ERROR_KEY, NULL);
  expect_error(TJ_ERROR_KEY, "a name is not there");
  tj_set_error(TJ_OK, "no code");
  expect_error(TJ_ERROR_INTERNAL, "no code");
  assert_string_equal(tj__ints_text((int64_t[]){2, -3}, 2), "[2, -3]");
  assert_string_equal(tj__ints_text(NULL, 0), "[]");
  int64_t many[64];
  for (int i = 0; i < 64; i++) many[i] = INT64_MIN + 1;
  assert_true(strlen(tj__ints_text(many, 64)) < 256); /* cut, and closed */
  assert_string_equal(tj__ints_text(many, 64) + strlen(tj__ints_text(many, 64)) - 5, " ...]");
}

/* ---- tensors --------------------------------------------------------------------------------------------------- */

static void bad_sizes(void **state) {
  (void)state;
  int64_t live = tj_memory_stats().live_bytes;
  int64_t ones[65];
  for (int i = 0; i < 65; i++) ones[i] = 1;
  assert_null(tj__empty(TJ_INTS(2, -1), TJ_FLOAT32, TJ_CPU));
  expect_error(TJ_ERROR_RUNTIME, "Trying to create tensor with negative dimension -1: [2, -1]");
  assert_null(tj__empty(TJ_INTS((int64_t)1 << 62, 4), TJ_FLOAT32, TJ_CPU));
  expect_error(TJ_ERROR_RUNTIME, "Storage size calculation overflowed with sizes=[4611686018427387904, 4]");
  assert_null(tj__empty(TJ_INTS((int64_t)1 << 62), TJ_FLOAT32, TJ_CPU));
  expect_error(TJ_ERROR_RUNTIME, "Storage size calculation overflowed with sizes=[4611686018427387904]");
  assert_null(tj__empty(TJ_INTS((int64_t)1 << 60), TJ_FLOAT32, TJ_CPU));
  expect_error(TJ_ERROR_MEMORY, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4611686018427387904 bytes.");
  assert_null(tj__empty((tj_ints){ones, 65}, TJ_FLOAT32, TJ_CPU));
  expect_error(TJ_ERROR_RUNTIME, "only tensors with up to 64 dims are supported, but got 65 sizes");
  assert_null(tj__empty(TJ_INTS(1), TJ_FLOAT32, TJ_WEBGPU(0)));
  assert_int_equal(tj_error_code(), TJ_ERROR_DEVICE);
  tj_error_clear();
  assert_null(tj__empty_strided(TJ_INTS(2, 2), TJ_INTS(1), TJ_FLOAT32, TJ_CPU));
  expect_error(TJ_ERROR_RUNTIME, "dimensionality of sizes (2) must match dimensionality of strides (1)");
  assert_int_equal(tj_memory_stats().live_bytes, live);
  tj_tensor *most = tj__empty((tj_ints){ones, 64}, TJ_FLOAT32, TJ_CPU);
  assert_int_equal(tj_ndim(most), 64);
  assert_int_equal(tj_size(most, -64), 1);
  assert_int_equal(tj_size(most, 64), -1);
  expect_error(TJ_ERROR_INDEX, "Dimension out of range (expected to be in range of [-64, 63], but got 64)");
  tj_free(most);
  tj_tensor *none = tj__empty(TJ_INTS((int64_t)1 << 62, 0, 4), TJ_FLOAT32, TJ_CPU);
  assert_int_equal(tj_numel(none), 0);
  assert_null(tj_data(none));
  tj_free(none);
}

static void geometry(void **state) {
  (void)state;
  tj_scope_begin();
  tj_tensor *t = zeros(TJ_INTS(2, 3, 4), TJ_INT16);
  int16_t *data = tj_mutable_data(t), out[24];
  assert_int_equal(tj_version_of(t), 1);
  for (int i = 0; i < 24; i++) data[i] = (int16_t)i;
  tj_tensor *turned = tj__alias(t, TJ_INTS(4, 3, 2), TJ_INTS(1, 4, 12), 0);
  assert_true(tj__is_dense(turned) && !tj_is_contiguous(turned));
  assert_int_equal(tj_to_data(turned, out, sizeof out), TJ_OK);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 2; k++) assert_int_equal(out[(i * 3 + j) * 2 + k], k * 12 + j * 4 + i);
  tj__bump_version(turned);
  assert_int_equal(tj_version_of(t), 2); /* views share the counter */
  tj_tensor *part = tj__alias(t, TJ_INTS(2, 2), TJ_INTS(12, 2), 1);
  assert_int_equal(tj_storage_offset(part), 1);
  assert_false(tj__is_dense(part) || tj__has_internal_overlap(part));
  assert_int_equal(tj_to_data(part, out, 8), TJ_OK);
  assert_true(out[0] == 1 && out[1] == 3 && out[2] == 13 && out[3] == 15);
  assert_int_equal(tj_to_data(part, out, 7), TJ_ERROR_VALUE);
  expect_error(TJ_ERROR_VALUE, "to_data: the tensor has 8 bytes, but there is room for 7");
  tj_tensor *wide = tj__alias(t, TJ_INTS(5, 2), TJ_INTS(0, 1), 3);
  assert_true(tj__has_internal_overlap(wide));
  tj_tensor *like = tj__empty_like(turned, TJ_FLOAT64);
  assert_int_equal(tj_stride(like, 0), 1);
  assert_int_equal(tj_stride(like, 2), 12);
  like = tj__empty_like(part, TJ_FLOAT64);
  assert_true(tj_is_contiguous(like));
  assert_true(tj__resize(t, TJ_INTS(6, 6))); /* grows; what was there stays */
  assert_int_equal(((const int16_t *)tj_data(t))[23], 23);
  assert_int_equal(tj_numel(t), 36);
  assert_true(tj__resize(t, TJ_INTS(1, 1, 1, 1, 1, 1, 2)));
  assert_int_equal(tj_ndim(t), 7);
  assert_false(tj__resize(t, TJ_INTS(-1)));
  assert_int_equal(tj_numel(t), 2);
  tj_error_clear();
  assert_int_equal(tj_item(t).kind, TJ_SCALAR_NONE);
  expect_error(TJ_ERROR_RUNTIME, "a Tensor with 2 elements cannot be converted to Scalar");
  int64_t sizes[TJ_MAX_DIMS];
  assert_int_equal(tj__broadcast_sizes(TJ_INTS(3, 1), TJ_INTS(2, 1, 4), sizes), 3);
  assert_true(sizes[0] == 2 && sizes[1] == 3 && sizes[2] == 4);
  assert_int_equal(tj__broadcast_sizes(TJ_INTS(2, 3), TJ_INTS(2, 4), sizes), -1);
  expect_error(TJ_ERROR_RUNTIME, "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1");
  assert_true(tj__can_expand(TJ_INTS(1, 3), TJ_INTS(5, 2, 3)) && !tj__can_expand(TJ_INTS(2, 3), TJ_INTS(3)));
  assert_null(tj_from_data(NULL, TJ_FLOAT32, TJ_INTS(2)));
  assert_int_equal(tj_error_code(), TJ_ERROR_VALUE);
  tj_error_clear();
  tj_scope_end();
}

/* ---- threads --------------------------------------------------------------------------------------------------- */

typedef struct marks {
  _Atomic int count[100000];
  _Atomic int64_t pieces;
  int64_t chunk;
} marks;

static void mark(int64_t begin, int64_t end, void *context) {
  marks *m = context;
  if (m->chunk && (begin % m->chunk || (end - begin != m->chunk && end != 100000))) abort();
  for (int64_t i = begin; i < end; i++) m->count[i]++;
  m->pieces++;
}

static void note_first(int64_t begin, int64_t end, void *context) {
  int64_t *firsts = context;
  (void)end;
  firsts[++firsts[0]] = begin;
}

static void nested(int64_t begin, int64_t end, void *context) {
  (void)begin;
  (void)end;
  tj__parallel_for(100000, 1, mark, context); /* inside a piece: on this thread alone */
}

static void parallel_loops(void **state) {
  (void)state;
  static marks m;
  int before = tj_get_num_threads();
  assert_true(before >= 1);
  for (int threads = 1; threads <= 4; threads++) {
    assert_int_equal(tj_set_num_threads(threads), TJ_OK);
    memset(&m, 0, sizeof m);
    tj__parallel_for(100000, 1000, mark, &m);
    for (int i = 0; i < 100000; i++) assert_int_equal(m.count[i], 1);
    assert_true(m.pieces <= (threads == 1 ? 1 : 4 * threads)); /* several a thread, so that a late one finds some */
    m.chunk = 777;
    tj__parallel_chunks(100000, 777, mark, &m);
    for (int i = 0; i < 100000; i++) assert_int_equal(m.count[i], 2);
    memset(&m, 0, sizeof m);
    tj__parallel_for(2, 1, nested, &m);
    for (int i = 0; i < 100000; i++) assert_int_equal(m.count[i], threads == 1 ? 1 : 2);
    tj__parallel_for(0, 1, mark, &m);
  }
  /* long loops go the other way each time, a grain at a time */
  assert_int_equal(tj_set_num_threads(1), TJ_OK);
  int64_t one[22] = {0}, two[22] = {0};
  tj__parallel_for(20500, 1000, note_first, one);
  tj__parallel_for(20500, 1000, note_first, two);
  assert_int_equal(one[0], two[0]);
  for (int64_t i = 1; i <= one[0]; i++) assert_int_equal(one[i], two[one[0] + 1 - i]);
  assert_true(llabs(one[1] - two[1]) > 19000);
  assert_int_equal(tj_set_num_threads(0), TJ_ERROR_VALUE);
  tj_error_clear();
  assert_int_equal(tj_set_num_threads(1025), TJ_ERROR_VALUE);
  tj_error_clear();
  tj_set_num_threads(before);
}

/* ---- the generator --------------------------------------------------------------------------------------------- */

static void generator_stream(void **state) {
  (void)state;
  tj_generator *g = tj_generator_new();
  assert_non_null(g);
  assert_true(tj_generator_initial_seed(g) == 67280421310721u);
  tj_generator_manual_seed(g, 42);
  assert_true(tj__random32(g) == 0x5fe1dc66 && tj__random32(g) == 0xcbea3db3 && tj__random32(g) == 0xf362035c);
  tj_generator_manual_seed(g, 42);
  assert_true(tj__random64(g) == 0x5fe1dc66cbea3db3u);
  /* only the low half of a seed counts for the stream */
  tj_generator_manual_seed(g, 42 + ((uint64_t)7 << 32));
  assert_true(tj__random32(g) == 0x5fe1dc66 && tj_generator_initial_seed(g) == 42 + ((uint64_t)7 << 32));
  /* many at once are the same as one by one, from any place */
  static uint32_t many[5000];
  tj_generator *one = tj_generator_new();
  for (int skip = 0; skip < 1300; skip += 13) {
    tj_generator_manual_seed(g, 5);
    tj_generator_manual_seed(one, 5);
    for (int i = 0; i < skip; i++) assert_true(tj__random32(g) == tj__random32(one));
    tj__random_fill32(g, many, 1500);
    for (int i = 0; i < 1500; i++) assert_true(many[i] == tj__random32(one));
    assert_true(tj__random32(g) == tj__random32(one));
    assert_true(g->left == one->left && g->next == one->next);
  }
  assert_true(tj_generator_seed(g) == tj_generator_initial_seed(g));
  tj_generator_free(g);
  tj_generator_free(one);
  tj_generator_free(NULL);
}

static void generator_state(void **state) {
  (void)state;
  tj_scope_begin();
  tj_manual_seed(42);
  tj_randn(TJ_INTS(17), NULL, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  tj_tensor *saved = tj_generator_get_state(NULL);
  uint8_t bytes[5056];
  assert_int_equal(tj_to_data(saved, bytes, sizeof bytes), TJ_OK);
  int64_t sum = 0;
  for (int i = 0; i < 5056; i++) sum += (int64_t)bytes[i] * (i % 251 + 1);
  assert_int_equal(sum, 40538076); /* the same sum over PyTorch's get_rng_state */
  tj_generator *g = tj_generator_new();
  assert_int_equal(tj_generator_set_state(g, saved), TJ_OK);
  for (int i = 0; i < 1000; i++) assert_true(tj__random32(g) == tj__random32(tj__generator(NULL)));
  /* a cached normal number is part of it */
  tj_tensor *x = tj_randn(TJ_INTS(1), g, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  saved = tj_generator_get_state(g);
  tj_tensor *y = tj_randn(TJ_INTS(1), g, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  assert_int_equal(tj_generator_set_state(g, saved), TJ_OK);
  tj_tensor *z = tj_randn(TJ_INTS(1), g, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  assert_true(tj_item(y).f == tj_item(z).f && tj_item(x).f != tj_item(y).f);
  assert_int_equal(tj_generator_set_state(g, x), TJ_ERROR_TYPE);
  expect_error(TJ_ERROR_TYPE, "RNG state must be a torch.ByteTensor");
  assert_int_equal(tj_generator_set_state(g, zeros(TJ_INTS(5056), TJ_UINT8)), TJ_ERROR_RUNTIME);
  expect_error(TJ_ERROR_RUNTIME, "Invalid mt19937 state");
  assert_int_equal(tj_generator_set_state(g, zeros(TJ_INTS(3), TJ_UINT8)), TJ_ERROR_RUNTIME);
  tj_error_clear();
  tj_generator_free(g);
  tj_scope_end();
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup(f, clear)
  const struct CMUnitTest tests[] = {
      TEST(all_halves),
      TEST(all_bfloats),
      TEST(dtype_facts),
      TEST(scalars_through_elements),
      TEST(promote_types),
      TEST(result_types),
      TEST(allocator_reuses),
      TEST(every_class_fits),
      TEST(failing_allocations),
      TEST(threads_give_back),
      TEST(scopes),
      TEST(lists),
      TEST(errors),
      TEST(bad_sizes),
      TEST(geometry),
      TEST(parallel_loops),
      TEST(generator_stream),
      TEST(generator_state),
  };
  return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
