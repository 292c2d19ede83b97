/* einsum_test.c: the order of contraction: the best one is the cheapest of all there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>

#include "ops.h"
#include "ops/einsum.h"

static uint64_t state = 1;
static int below(int n) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (int)((state >> 33) % (unsigned)n);
}

/* The cheapest of all paths, by trying them. */
static double cheapest(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, int64_t *path, int step, int left) {
  if (left == 1) return tj__einsum_cost(bits, n, sizes, needed, path);
  double least = INFINITY;
  for (int i = 0; i < left; i++)
    for (int j = i + 1; j < left; j++) {
      path[2 * step] = i;
      path[2 * step + 1] = j;
      const double cost = cheapest(bits, n, sizes, needed, path, step + 1, left - 1);
      if (cost < least) least = cost;
    }
  return least;
}

static void best_order(void **unused) {
  (void)unused;
  int found = 0;
  for (int k = 0; k < 300; k++) {
    const int n = 3 + below(3), dims = 2 + below(6);
    int64_t sizes[8], path[2 * TJ__EINSUM_MOST], all[2 * TJ__EINSUM_MOST];
    for (int d = 0; d < dims; d++) sizes[d] = 2 + below(60);
    uint64_t bits[8], every = 0;
    for (int i = 0; i < n; i++) every |= bits[i] = (uint64_t)below(1 << dims);
    const uint64_t needed = every & (uint64_t)below(1 << dims);
    const double least = cheapest(bits, n, sizes, needed, all, 0, n), plain = tj__einsum_cost(bits, n, sizes, needed, NULL);
    if (!tj__einsum_path(bits, n, sizes, needed, path)) {
      assert_true(plain <= 65536 || plain <= least * (1 + 1e-12));
      continue;
    }
    found++;
    assert_true(fabs(tj__einsum_cost(bits, n, sizes, needed, path) - least) <= 1e-12 * least);
    assert_true(least < plain);
  }
  assert_true(found > 50);
}

static void many_operands(void **unused) {
  (void)unused;
  for (int n = 6; n <= TJ__EINSUM_MOST; n++) {
    int64_t sizes[64], path[2 * TJ__EINSUM_MOST];
    uint64_t bits[64];
    for (int d = 0; d < 64; d++) sizes[d] = d % 2 ? 2 : 50;
    for (int i = 0; i < n; i++) bits[i] = (uint64_t)1 << i | (uint64_t)1 << (i + 1) % 64;
    if (!tj__einsum_path(bits, n, sizes, 1, path)) continue;
    int left = n;
    for (int s = 0; s < n - 1; s++, left--) {
      assert_in_range(path[2 * s], 0, left - 1);
      assert_in_range(path[2 * s + 1], 0, left - 1);
      assert_int_not_equal(path[2 * s], path[2 * s + 1]);
    }
    assert_true(tj__einsum_cost(bits, n, sizes, 1, path) < tj__einsum_cost(bits, n, sizes, 1, NULL));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(best_order), cmocka_unit_test(many_operands)};
  return cmocka_run_group_tests_name("einsum", tests, NULL, NULL);
}
