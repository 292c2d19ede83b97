/* sort_test.c: sorting and selecting, long and short, on one thread and on several: by definition there is one result. */
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
  tj_manual_seed(7);
  return tj_scope_begin();
}
static int end(void **state) {
  (void)state;
  tj_scope_end();
  return 0;
}

static double at(const tj_tensor *t, int64_t i) {
  return tj__scalar_to_double(tj__load_scalar((const char *)tj__read(t) + (size_t)i * tj__itemsize(t), (tj_dtype)t->dtype));
}

/* a before b: NaN is larger than any number */
static bool before(double a, double b, bool descending) {
  if (descending) return a != a ? b == b : a > b;
  return b != b ? a == a : a < b;
}

/* Numbers with repetitions, of which some are NaN and some -0, in the dtype. */
static tj_tensor *numbers(int64_t n, tj_dtype dtype) {
  tj_tensor *t = tj_randint_low(-90, 90, TJ_INTS(n), NULL, TJ_FLOAT64, TJ_DEVICE_NONE, false);
  double *v = tj__write(t);
  for (int64_t i = 0; i < n; i++) {
    if (tj_dtype_is_floating(dtype)) v[i] = v[i] == 17 ? NAN : v[i] == 0 && i % 2 ? -0.0 : v[i] * (i % 3 ? 1 : 1e-3);
    else if (!tj_dtype_is_signed(dtype)) v[i] = fabs(v[i]);
  }
  return tj_to_dtype(t, dtype, false, false, NULL);
}

static void check(tj_tensor *in, int64_t k, bool descending) {
  const int64_t n = in->numel;
  tj_tensor *values, *indices;
  assert_int_equal(k < n ? tj_topk(in, k, 0, descending, true, &values, &indices) : tj_sort(in, 0, descending, &values, &indices), TJ_OK);
  const int64_t *place = tj__read(indices);
  const size_t size = tj__itemsize(in);
  bool *taken = calloc((size_t)n, sizeof *taken);
  for (int64_t i = 0; i < k; i++) {
    assert_true(place[i] >= 0 && place[i] < n && !taken[place[i]]);
    taken[place[i]] = true;
    assert_memory_equal((const char *)tj__read(values) + (size_t)i * size, (const char *)tj__read(in) + (size_t)place[i] * size, size);
    if (i == 0) continue;
    assert_false(before(at(values, i), at(values, i - 1), descending));
    if (!before(at(values, i - 1), at(values, i), descending)) assert_true(place[i] > place[i - 1]);
  }
  for (int64_t i = 0; k > 0 && i < n; i++)
    if (!taken[i]) {
      assert_false(before(at(in, i), at(values, k - 1), descending));
      if (!before(at(values, k - 1), at(in, i), descending)) assert_true(i > place[k - 1]);
    }
  free(taken);
}

static void orders(void **state) {
  (void)state;
  const int threads = tj_get_num_threads();
  const tj_dtype dtypes[] = {TJ_UINT8, TJ_INT8, TJ_INT16, TJ_INT32, TJ_INT64, TJ_UINT64, TJ_FLOAT16, TJ_BFLOAT16, TJ_FLOAT32, TJ_FLOAT64};
  const int64_t sizes[] = {1, 7, 48, 49, 256, 1000, 66000, 100003};
  for (int t = 1; t <= 3; t += 2) {
    tj_set_num_threads(t);
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
      for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        tj_tensor *in = numbers(sizes[s], dtypes[d]);
        const int64_t picks[] = {1, 16, 17, 33, 200, sizes[s]};
        for (size_t k = 0; k < sizeof picks / sizeof *picks; k++)
          if (picks[k] <= sizes[s])
            for (int descending = 0; descending < 2; descending++) check(in, picks[k], descending);
      }
  }
  tj_set_num_threads(threads);
}

/* Few long lines with a stride, each sorted on all threads. */
static void strided(void **state) {
  (void)state;
  const int threads = tj_get_num_threads();
  tj_tensor *in = tj_randn(TJ_INTS(2, 70000, 3), NULL, DEFAULTS), *values[2], *indices[2];
  for (int t = 0; t < 2; t++) {
    tj_set_num_threads(1 + 2 * t);
    assert_int_equal(tj_sort(in, 1, false, &values[t], &indices[t]), TJ_OK);
  }
  tj_set_num_threads(threads);
  assert_memory_equal(tj_data(indices[0]), tj_data(indices[1]), (size_t)in->numel * sizeof(int64_t));
  assert_memory_equal(tj_data(values[0]), tj_data(values[1]), (size_t)in->numel * sizeof(float));
  for (int64_t line = 0; line < 6; line++)
    for (int64_t i = 1; i < 70000; i++) {
      const int64_t here = line / 3 * 210000 + line % 3 + i * 3;
      assert_true(at(values[0], here - 3) <= at(values[0], here));
    }
}

/* Masks of every density: what is selected, and where it was. */
static void masks(void **state) {
  (void)state;
  const tj_dtype dtypes[] = {TJ_UINT8, TJ_BFLOAT16, TJ_FLOAT32, TJ_FLOAT64, TJ_COMPLEX128};
  const int64_t sizes[] = {1, 15, 16, 17, 16384, 16385, 100003};
  for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      for (double p = 0; p <= 1; p += 0.25) {
        const int64_t n = sizes[s];
        tj_tensor *in = tj_to_dtype(tj_arange(tj_int(n), DEFAULTS), dtypes[d], false, false, NULL);
        tj_tensor *mask = tj_lt(tj_rand(TJ_INTS(n), NULL, DEFAULTS), tj_scalar_tensor(tj_float(p)));
        tj_tensor *out = tj_masked_select(in, mask), *places = tj_nonzero(mask);
        const size_t size = tj__itemsize(in);
        const bool *m = tj__read(mask);
        int64_t k = 0;
        for (int64_t i = 0; i < n; i++)
          if (m[i]) {
            assert_true(k < out->numel && k < places->numel && ((const int64_t *)tj__read(places))[k] == i);
            assert_memory_equal((const char *)tj__read(out) + (size_t)k++ * size, (const char *)tj__read(in) + (size_t)i * size, size);
          }
        assert_int_equal(k, out->numel);
        assert_int_equal(k, places->numel);
      }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
  const struct CMUnitTest tests[] = {TEST(orders), TEST(strided), TEST(masks)};
  return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
