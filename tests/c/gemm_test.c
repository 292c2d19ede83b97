/* gemm_test.c: matrix products against a plain double loop: every layout, sizes around the edges of tiles and blocks, batches, alpha and
 * beta; one thread and two give the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/gemm.h"
#include "torchjs.h"

static uint32_t state = 1;
static double noise(void) {
  state = state * 1664525u + 1013904223u;
  return (double)(state >> 8) / (1 << 24) - 0.5;
}

typedef struct layout {
  int64_t row, col;
} layout;
/* by rows, by columns, with gaps */
static layout layout_of(int which, int64_t rows, int64_t cols) {
  switch (which) {
    case 0: return (layout){cols, 1};
    case 1: return (layout){1, rows};
    default: return (layout){2 * cols + 3, 2};
  }
}
static int64_t extent(layout l, int64_t rows, int64_t cols) { return (rows - 1) * l.row + (cols - 1) * l.col + 1; }

static double get(const void *p, tj_dtype dtype, int64_t i) {
  return dtype == TJ_FLOAT32 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}
static void put(void *p, tj_dtype dtype, int64_t i, double v) {
  if (dtype == TJ_FLOAT32) ((float *)p)[i] = (float)v;
  else ((double *)p)[i] = v;
}
static void *random_numbers(tj_dtype dtype, int64_t n) {
  void *p = malloc((size_t)n * 8);
  for (int64_t i = 0; i < n; i++) put(p, dtype, i, noise());
  return p;
}

/* alpha A B + beta C of batches that follow each other, of these layouts. */
static tj__gemm_args args_of(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *pa, layout a, const void *pb,
                             layout b, void *pc, layout c) {
  return (tj__gemm_args){.dtype = dtype,
                         .batches = batches,
                         .m = m,
                         .n = n,
                         .k = k,
                         .a = pa,
                         .a_row = a.row,
                         .a_col = a.col,
                         .a_batch = extent(a, m, k),
                         .b = pb,
                         .b_row = b.row,
                         .b_col = b.col,
                         .b_batch = extent(b, k, n),
                         .c = pc,
                         .c_row = c.row,
                         .c_col = c.col,
                         .c_batch = extent(c, m, n)};
}

static void check(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, int la, int lb, int lc, double alpha, double beta) {
  const tj__gemm_kernels *gemm = tj__backend_of(TJ_CPU)->gemm;
  layout a = layout_of(la, m, k), b = layout_of(lb, k, n), c = layout_of(lc, m, n);
  int64_t na = extent(a, m, k), nb = extent(b, k, n), nc = extent(c, m, n);
  void *pa = random_numbers(dtype, na * batches), *pb = random_numbers(dtype, nb * batches), *start = random_numbers(dtype, nc * batches);
  size_t bytes = (size_t)(nc * batches) * (dtype == TJ_FLOAT32 ? 4 : 8);
  void *one = malloc(bytes), *two = malloc(bytes);
  memcpy(one, start, bytes), memcpy(two, start, bytes);
  tj__gemm_args g = args_of(dtype, batches, m, n, k, pa, a, pb, b, one, c);
  g.alpha = tj_float(alpha), g.beta = tj_float(beta);
  int threads = tj_get_num_threads();
  tj_set_num_threads(1);
  assert_true(gemm->gemm(&g));
  g.c = two;
  tj_set_num_threads(2);
  assert_true(gemm->gemm(&g));
  tj_set_num_threads(threads);
  assert_memory_equal(one, two, bytes);
  double tolerance = dtype == TJ_FLOAT32 ? 2e-6 : 4e-15;
  for (int64_t q = 0; q < batches; q++)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        double sum = 0, size = 1;
        for (int64_t p = 0; p < k; p++) {
          double t = get(pa, dtype, q * na + i * a.row + p * a.col) * get(pb, dtype, q * nb + p * b.row + j * b.col);
          sum += t, size += fabs(t);
        }
        int64_t at = q * nc + i * c.row + j * c.col;
        double expected = alpha * sum + (beta != 0 ? beta * get(start, dtype, at) : 0), got = get(one, dtype, at);
        if (!(fabs(expected - got) <= tolerance * size))
          fail_msg("%dx%dx%d layouts %d %d %d at (%d, %d): %.9g, not %.9g", (int)m, (int)n, (int)k, la, lb, lc, (int)i, (int)j, got,
                   expected);
      }
  free(pa), free(pb), free(start), free(one), free(two);
}

static void test_layouts(void **unused) {
  (void)unused;
  for (int dtype = TJ_FLOAT32; dtype <= TJ_FLOAT64; dtype++)
    for (int la = 0; la < 3; la++)
      for (int lb = 0; lb < 3; lb++)
        for (int lc = 0; lc < 3; lc++) check((tj_dtype)dtype, 2, 37, 45, 29, la, lb, lc, 1, 0);
}

static void test_edges(void **unused) {
  (void)unused;
  static const int64_t sizes[] = {1, 2, 3, 5, 6, 7, 11, 12, 13, 15, 16, 17, 31, 32, 33, 48, 65};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
      check(TJ_FLOAT32, 1, sizes[i], sizes[j], 23, (int)(i % 2), (int)(j % 2), 0, 1.5, (double)((i + j) % 2));
      check(TJ_FLOAT64, 1, sizes[i], sizes[j], 9, (int)(j % 2), (int)(i % 2), 1, 1, (double)(i % 2));
    }
}

/* across the blocks along k, and enough rows and columns for several tasks */
static void test_blocks(void **unused) {
  (void)unused;
  static const int64_t depths[] = {1, 383, 384, 385, 800};
  for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
    check(TJ_FLOAT32, 1, 70, 90, depths[i], 0, 1, 0, 1, 0.5);
    check(TJ_FLOAT64, 1, 40, 50, depths[i], 1, 0, 0, 1, 0);
  }
  check(TJ_FLOAT32, 1, 300, 270, 100, 0, 0, 0, 1, 0);
  check(TJ_FLOAT32, 1, 5, 700, 300, 0, 0, 0, 1, 0);
  check(TJ_FLOAT32, 1, 700, 5, 300, 0, 0, 0, 1, 0);
  check(TJ_FLOAT32, 9, 33, 34, 35, 0, 1, 0, 1, 1);
}

static void test_vectors(void **unused) {
  (void)unused;
  for (int layout = 0; layout < 3; layout++) {
    check(TJ_FLOAT32, 1, 1, 600, 700, 0, layout, 0, 1, 0.5);
    check(TJ_FLOAT32, 1, 600, 1, 700, layout, 0, 0, 2, 0);
    check(TJ_FLOAT64, 3, 1, 1, 1000, layout, 0, 0, 1, 0);
  }
}

/* What beta is of may lie elsewhere, by any strides, zero among them: the bits are those of C that holds it, and what C held is not read. */
static void test_start(void **unused) {
  (void)unused;
  const tj__gemm_kernels *gemm = tj__backend_of(TJ_CPU)->gemm;
  static const int64_t sizes[][3] = {{3, 5, 7},     {1, 70, 40},    {70, 1, 40},    {37, 45, 29},
                                     {24, 64, 900}, {20, 300, 100}, {300, 20, 100}, {13, 33, 0}};
  static const double betas[] = {1, 0.5, 0};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int dtype = TJ_FLOAT32; dtype <= TJ_FLOAT64; dtype++)
      for (int kind = 0; kind < 5; kind++)
        for (int lb = 0; lb < 2; lb++)
          for (int lc = 0; lc < 3; lc++) {
            assert_true(gemm->starts >> dtype & 1);
            const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
            /* a row, a column, one number, transposed, with gaps */
            const layout from = kind == 0   ? (layout){0, 1}
                                : kind == 1 ? (layout){1, 0}
                                : kind == 2 ? (layout){0, 0}
                                            : layout_of(kind - 2, m, n);
            const layout b = layout_of(lb, k, n), c = layout_of(lc, m, n);
            const int64_t nc = extent(c, m, n), ns = extent(from, m, n), batches = 2;
            void *pa = random_numbers((tj_dtype)dtype, m * k * batches), *pb = random_numbers((tj_dtype)dtype, n * k * batches);
            void *start = random_numbers((tj_dtype)dtype, ns * batches), *there = malloc((size_t)(nc * batches) * 8);
            void *here = malloc((size_t)(nc * batches) * 8);
            for (int64_t q = 0; q < batches; q++)
              for (int64_t i = 0; i < m; i++)
                for (int64_t j = 0; j < n; j++) {
                  const int64_t at = q * nc + i * c.row + j * c.col;
                  put(here, (tj_dtype)dtype, at, get(start, (tj_dtype)dtype, q * ns + i * from.row + j * from.col));
                  put(there, (tj_dtype)dtype, at, NAN);
                }
            tj__gemm_args g = args_of((tj_dtype)dtype, batches, m, n, k, pa, layout_of(0, m, k), pb, b, here, c);
            g.alpha = tj_float(1.5), g.beta = tj_float(betas[(s + (size_t)kind) % 3]);
            assert_true(gemm->gemm(&g));
            g.c = there, g.start = start, g.start_row = from.row, g.start_col = from.col, g.start_batch = ns;
            assert_true(gemm->gemm(&g));
            for (int64_t q = 0; q < batches; q++)
              for (int64_t i = 0; i < m; i++)
                for (int64_t j = 0; j < n; j++) {
                  const int64_t at = q * nc + i * c.row + j * c.col;
                  const double expected = get(here, (tj_dtype)dtype, at), got = get(there, (tj_dtype)dtype, at);
                  if (!(expected == got))
                    fail_msg("%dx%dx%d layout %d, start %d at (%d, %d): %.9g, not %.9g", (int)m, (int)n, (int)k, lc, kind, (int)i, (int)j,
                             got, expected);
                }
            free(pa), free(pb), free(start), free(here), free(there);
          }
}

/* integers wrap, halves round once, k = 0 leaves beta C, and beta = 0 does not read C */
/* Complex products: every layout of B and C, a complex alpha, a real beta, against the definition. */
static void test_complex(void **unused) {
  (void)unused;
  const tj__gemm_kernels *gemm = tj__backend_of(TJ_CPU)->gemm;
  const int64_t m = 37, n = 29, k = 211;
  for (int lb = 0; lb < 3; lb++)
    for (int lc = 0; lc < 3; lc++) {
      layout a = layout_of(lb, m, k), b = layout_of(lb, k, n), c = layout_of(lc, m, n);
      double *pa = random_numbers(TJ_FLOAT64, 2 * extent(a, m, k)), *pb = random_numbers(TJ_FLOAT64, 2 * extent(b, k, n));
      double *pc = random_numbers(TJ_FLOAT64, 2 * extent(c, m, n)), *start = malloc((size_t)extent(c, m, n) * 16);
      memcpy(start, pc, (size_t)extent(c, m, n) * 16);
      tj__gemm_args g = args_of(TJ_COMPLEX128, 1, m, n, k, pa, a, pb, b, pc, c);
      g.alpha = tj_complex_number(0.5, -2);
      g.beta = lc ? tj_float(0.25) : tj_int(0);
      assert_true(gemm->gemm(&g));
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
          double re = 0, im = 0;
          for (int64_t p = 0; p < k; p++) {
            const double *x = pa + 2 * (i * a.row + p * a.col), *y = pb + 2 * (p * b.row + j * b.col);
            re += x[0] * y[0] - x[1] * y[1], im += x[0] * y[1] + x[1] * y[0];
          }
          const int64_t at = 2 * (i * c.row + j * c.col);
          const double beta = lc ? 0.25 : 0;
          assert_true(fabs(pc[at] - (0.5 * re + 2 * im + beta * start[at])) < 1e-11);
          assert_true(fabs(pc[at + 1] - (0.5 * im - 2 * re + beta * start[at + 1])) < 1e-11);
        }
      free(pa), free(pb), free(pc), free(start);
    }
}

static void test_other(void **unused) {
  (void)unused;
  const tj__gemm_kernels *gemm = tj__backend_of(TJ_CPU)->gemm;
  int8_t a8[] = {100, 50}, b8[] = {3, 2}, c8 = 7;
  tj__gemm_args g = {.dtype = TJ_INT8,
                     .batches = 1,
                     .m = 1,
                     .n = 1,
                     .k = 2,
                     .a = a8,
                     .a_row = 2,
                     .a_col = 1,
                     .b = b8,
                     .b_row = 1,
                     .b_col = 1,
                     .c = &c8,
                     .c_row = 1,
                     .c_col = 1,
                     .alpha = tj_int(1),
                     .beta = tj_int(1)};
  assert_true(gemm->gemm(&g));
  assert_int_equal(c8, (int8_t)(400 + 7));
  uint16_t a16[2048], b16[2048], c16 = 0x7e00;
  for (int i = 0; i < 2048; i++) a16[i] = b16[i] = 0x3c00; /* 1 */
  g = (tj__gemm_args){.dtype = TJ_FLOAT16,
                      .batches = 1,
                      .m = 1,
                      .n = 1,
                      .k = 2048,
                      .a = a16,
                      .a_row = 1,
                      .a_col = 1,
                      .b = b16,
                      .b_row = 1,
                      .b_col = 1,
                      .c = &c16,
                      .c_row = 1,
                      .c_col = 1,
                      .alpha = tj_int(1),
                      .beta = tj_int(0)};
  assert_true(gemm->gemm(&g));
  assert_int_equal(c16, 0x6800); /* 2048: a sum in float16 would stall, and the NaN that was there is gone */
  float c32 = 3;
  g = (tj__gemm_args){
      .dtype = TJ_FLOAT32, .batches = 1, .m = 1, .n = 1, .k = 0, .c = &c32, .c_row = 1, .c_col = 1, .alpha = tj_int(1), .beta = tj_int(2)};
  assert_true(gemm->gemm(&g));
  assert_float_equal(c32, 6, 0);
}

/* int8 into int32 is exact, in every layout; bfloat16 is a float32 sum, rounded once. */
static void test_narrow(void **unused) {
  (void)unused;
  const tj__gemm_kernels *gemm = tj__backend_of(TJ_CPU)->gemm;
  static const int64_t sizes[][3] = {{1, 1, 1},       {5, 4, 7},    {12, 32, 4},      {13, 33, 1030},
                                     {100, 300, 257}, {300, 5, 70}, {200, 520, 1500}, {4000, 17, 33}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int layout = 0; layout < 4; layout++) {
      const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
      const int64_t a_row = layout & 1 ? 1 : k, a_col = layout & 1 ? m : 1, b_row = layout & 2 ? 1 : n, b_col = layout & 2 ? k : 1;
      int8_t *a = malloc((size_t)(m * k)), *b = malloc((size_t)(k * n));
      uint16_t *x = malloc((size_t)(m * k) * 2), *y = malloc((size_t)(k * n) * 2), *z = malloc((size_t)(m * n) * 2);
      int32_t *c = malloc((size_t)(m * n) * sizeof *c);
      for (int64_t i = 0; i < m * k; i++) a[i] = (int8_t)rand(), x[i] = tj__float_to_bfloat16((float)(rand() % 2000 - 1000) / 512);
      for (int64_t i = 0; i < k * n; i++) b[i] = (int8_t)rand(), y[i] = tj__float_to_bfloat16((float)(rand() % 2000 - 1000) / 512);
      assert_true(gemm->int8(m, n, k, a, a_row, a_col, b, b_row, b_col, c));
      tj__gemm_args g = {.dtype = TJ_BFLOAT16,
                         .batches = 1,
                         .m = m,
                         .n = n,
                         .k = k,
                         .a = x,
                         .a_row = a_row,
                         .a_col = a_col,
                         .b = y,
                         .b_row = b_row,
                         .b_col = b_col,
                         .c = z,
                         .c_row = n,
                         .c_col = 1,
                         .alpha = tj_float(1),
                         .beta = tj_float(0)};
      assert_true(gemm->gemm(&g));
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
          uint32_t sum = 0;
          double real = 0, size = 0;
          for (int64_t p = 0; p < k; p++) {
            const int64_t at = i * a_row + p * a_col, bt = p * b_row + j * b_col;
            sum += (uint32_t)(a[at] * b[bt]);
            const double t = (double)tj__bfloat16_to_float(x[at]) * (double)tj__bfloat16_to_float(y[bt]);
            real += t, size += fabs(t);
          }
          assert_int_equal(c[i * n + j], (int32_t)sum);
          const double got = (double)tj__bfloat16_to_float(z[i * n + j]);
          if (!(fabs(got - real) <= fabs(real) * 0x1p-8 + size * 2e-6)) fail_msg("%.9g, not %.9g", got, real);
        }
      free(a), free(b), free(c), free(x), free(y), free(z);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layouts), cmocka_unit_test(test_edges),   cmocka_unit_test(test_blocks), cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_start),   cmocka_unit_test(test_complex), cmocka_unit_test(test_other),  cmocka_unit_test(test_narrow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
