/* linalg_test.c: factorisations of sizes on both sides of every block against what they are to multiply to, in every dtype; one thread and two give
 * the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "torchjs.h"

static const tj_dtype dtypes[] = {TJ_FLOAT32, TJ_FLOAT64, TJ_COMPLEX64, TJ_COMPLEX128};
static double unit_of(tj_dtype dtype) { return dtype == TJ_FLOAT32 || dtype == TJ_COMPLEX64 ? 6e-8 : 1.2e-16; }

static tj_tensor *noise(int64_t batch, int64_t m, int64_t n, tj_dtype dtype) {
  return tj_randn(batch ? TJ_INTS(batch, m, n) : TJ_INTS(m, n), NULL, dtype, TJ_DEVICE_NONE, false);
}
static tj_tensor *number(double x) { return tj_scalar_tensor(tj_float(x)); }
static tj_tensor *eye(int64_t n, double value, tj_dtype dtype) { return tj_mul(tj_eye(n, dtype, TJ_DEVICE_NONE, false), number(value)); }
static tj_tensor *adjoint(tj_tensor *a) { return tj_linalg_mH(a); }
static double largest(tj_tensor *a) { return tj_item(tj_amax(tj_abs(a), TJ_INTS(-1, -2), false)).f; }
static tj_tensor *flat(tj_tensor *a) { return tj_reshape(a, TJ_INTS(-1, a ? tj_size(a, -1) : 1)); }

static void assert_near(tj_tensor *a, tj_tensor *b, double bound) {
  assert_non_null(a);
  assert_non_null(b);
  const double error = largest(flat(tj_sub(a, b, tj_int(1))));
  if (!(error <= bound)) fail_msg("%g is more than %g", error, bound);
}
/* with one thread first, then with two */
static tj_tensor *kept[16];
static int n_kept;
static void same(int threads, tj_tensor *t) {
  assert_non_null(t);
  if (threads == 1) kept[n_kept] = t;
  else assert_true(tj_equal(kept[n_kept], t).i);
  n_kept++;
}

static void check_lu(tj_dtype dtype, int64_t batch, int64_t m, int64_t n) {
  assert_int_equal(tj_scope_begin(), 0);
  const double unit = unit_of(dtype);
  tj_tensor *a = noise(batch, m, n, dtype), *b = noise(batch, m, 5, dtype);
  for (int threads = 1; threads <= 2; threads++) {
    tj_tensor *p, *l, *u;
    tj_set_num_threads(threads), n_kept = 0;
    assert_int_equal(tj_linalg_lu(a, true, &p, &l, &u), TJ_OK);
    same(threads, p), same(threads, l), same(threads, u);
    assert_near(tj_matmul(p, tj_matmul(l, u)), a, 40 * unit * sqrt((double)n) * largest(flat(a)));
    assert_true(largest(flat(l)) <= 1.4143); /* the pivots are the largest */
    if (m != n) continue;
    tj_tensor *x = tj_linalg_solve(a, b, true);
    same(threads, x);
    assert_near(tj_matmul(a, x), b, 40 * unit * (double)n * (1 + largest(flat(x))));
    for (int kind = 0; kind < 8; kind++) {
      const bool upper = kind & 1, left = kind & 2, one = kind & 4;
      tj_tensor *t = tj_div(upper ? tj_triu(a, 1) : tj_tril(a, -1), number(1 + sqrt((double)n)));
      tj_tensor *full = tj_add(t, eye(n, one ? 1 : 2, dtype), tj_int(1)), *right = left ? b : adjoint(b);
      x = tj_linalg_solve_triangular(one ? tj_add(t, eye(n, 3, dtype), tj_int(1)) : full, right, upper, left, one);
      same(threads, x);
      assert_near(left ? tj_matmul(full, x) : tj_matmul(x, full), right, 40 * unit * sqrt((double)n) * (1 + largest(flat(x))));
    }
  }
  tj_scope_end();
}

static void test_lu(void **unused) {
  (void)unused;
  static const int64_t sizes[][2] = {{1, 1},    {2, 3},    {7, 7},   {8, 8},   {9, 9},   {15, 17},  {16, 16},   {31, 31},
                                     {32, 32},  {33, 33},  {40, 40}, {64, 64}, {65, 63}, {100, 37}, {37, 100},  {129, 129},
                                     {300, 20}, {20, 300}, {5, 33},  {33, 5},  {70, 70}, {97, 97},  {131, 128}, {260, 260}};
  for (int d = 0; d < 4; d++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      check_lu(dtypes[d], 0, sizes[i][0], sizes[i][1]);
      if (sizes[i][0] < 100) check_lu(dtypes[d], 3, sizes[i][0], sizes[i][1]);
    }
}

/* columns of zeros have no pivot, and the first one is told; what is not finite goes through */
static void test_odd_values(void **unused) {
  (void)unused;
  for (int d = 0; d < 4; d++)
    for (int64_t n = 3; n < 80; n += 19) {
      assert_int_equal(tj_scope_begin(), 0);
      tj_tensor *a = noise(0, n, n, dtypes[d]), *lu, *pivots, *info;
      for (int64_t column = 0; column < n; column += n - 2) {
        tj_tensor *holed = tj_index_fill(a, 1, tj_full(TJ_INTS(1), tj_int(column), TJ_INT64, TJ_DEVICE_NONE, false), tj_float(0));
        assert_int_equal(tj_linalg_lu_factor_ex(holed, true, false, &lu, &pivots, &info), TJ_OK);
        assert_int_equal(tj_item(info).i, column + 1);
        holed = tj_index_fill(a, 1, tj_full(TJ_INTS(1), tj_int(column), TJ_INT64, TJ_DEVICE_NONE, false), tj_float(NAN));
        assert_int_equal(tj_linalg_lu_factor_ex(holed, true, false, &lu, &pivots, &info), TJ_OK);
        assert_true(isnan(tj_item(tj_sum(tj_abs(lu), TJ_DTYPE_NONE)).f));
      }
      tj_scope_end();
    }
}

static void test_spectra(void **unused) {
  (void)unused;
  static const int64_t sizes[][2] = {{1, 1}, {3, 2}, {5, 5}, {17, 9}, {33, 33}, {37, 100}, {65, 63}, {128, 128}, {129, 129}, {150, 140}};
  for (int d = 0; d < 4; d++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      const int64_t m = sizes[i][0], n = sizes[i][1], k = m < n ? m : n;
      const tj_dtype dtype = dtypes[d];
      const double bound = 40 * unit_of(dtype) * sqrt((double)(m + n));
      assert_int_equal(tj_scope_begin(), 0);
      tj_tensor *a = noise(0, m, n, dtype), *s = noise(0, m, m, dtype), *h = tj_add(s, adjoint(s), tj_int(1));
      for (int threads = 1; threads <= 2; threads++) {
        tj_tensor *u, *values, *vh, *w, *v;
        tj_set_num_threads(threads), n_kept = 0;
        assert_int_equal(tj_linalg_svd(a, false, NULL, &u, &values, &vh), TJ_OK);
        same(threads, u), same(threads, values), same(threads, vh);
        assert_near(tj_matmul(tj_mul(u, values), vh), a, bound * largest(flat(values)));
        assert_near(tj_matmul(adjoint(u), u), eye(k, 1, dtype), bound);
        assert_near(tj_matmul(vh, adjoint(vh)), eye(k, 1, dtype), bound);
        assert_int_equal(tj_linalg_eigh(h, "L", &w, &v), TJ_OK);
        same(threads, w), same(threads, v);
        assert_near(tj_matmul(h, v), tj_mul(v, w), bound * largest(flat(w)));
        assert_near(tj_matmul(adjoint(v), v), eye(m, 1, dtype), bound);
      }
      tj_scope_end();
    }
}

int main(void) {
  tj_manual_seed(1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_lu), cmocka_unit_test(test_odd_values), cmocka_unit_test(test_spectra)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
