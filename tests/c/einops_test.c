/* einops_test.c: patterns from C: what they are read as, results, and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>

#include "ops.h"
#include "text/axes.h"

static tj_tensor *iota(tj_ints sizes) {
  int64_t n = 1;
  for (int64_t i = 0; i < sizes.n; i++) n *= sizes.data[i];
  return tj_reshape(tj_arange(tj_int(n), TJ_INT64, TJ_DEVICE_NONE, false), sizes);
}

static void assert_equal(tj_tensor *a, tj_tensor *b) {
  if (!a || !b) fail_msg("%s", tj_error_message());
  assert_string_equal(tj__sizes_text(a), tj__ints_text(b->sizes, b->ndim));
  tj_scalar same = tj_equal(a, b);
  assert_int_equal(same.i, 1);
}

static void sides(void **state) {
  (void)state;
  tj__axes axes;
  char problem[256];
  const char *pattern = "b (h  p1)() 1 ... 12";
  assert_true(tj__axes_parse(pattern, 0, (int)strlen(pattern), &axes, problem, sizeof problem));
  assert_int_equal(axes.dims, 6);
  assert_int_equal(axes.n, 5);
  const int first[] = {0, 1, 3, 3, 3, 4, 5};
  assert_memory_equal(axes.first, first, sizeof first);
  assert_int_equal(axes.ellipsis, 4);
  assert_true(axes.numbers);
  assert_int_equal(axes.items[4].size, 12);
  assert_int_equal(axes.items[2].length, 2);
  assert_false(tj__axes_parse("a b a", 0, 5, &axes, problem, sizeof problem));
  assert_string_equal(problem, "Indexing expression contains duplicate dimension \"a\" at position 4");
}

static void operators(void **state) {
  (void)state;
  tj_scope_begin();
  tj_tensor *x = iota(TJ_INTS(2, 6, 4));
  assert_equal(tj_einops_rearrange(x, "a (b c) d -> d (c a) b", "c", TJ_INTS(3)),
               tj_reshape(tj_permute(tj_reshape(x, TJ_INTS(2, 2, 3, 4)), TJ_INTS(3, 2, 0, 1)), TJ_INTS(4, 6, 2)));
  assert_equal(tj_einops_reduce(x, "a b c -> c", "sum", "", TJ_NO_DIMS), tj_sum_dim(x, TJ_INTS(0, 1), false, TJ_DTYPE_NONE));
  assert_equal(tj_einops_repeat(x, "... -> n ...", "n", TJ_INTS(3)), tj_expand(x, TJ_INTS(3, 2, 6, 4), false));
  tj_tensor *view = tj_einops_rearrange(x, "a b c -> c (a b) 1", "", TJ_NO_DIMS);
  assert_ptr_equal(view->storage, x->storage);
  tj_tensor *packed = tj_einops_pack(TJ_TENSORS(x, iota(TJ_INTS(2, 4))), "a * c");
  tj_list *parts = tj_einops_unpack(packed, TJ_INTS(6), TJ_INTS(1, 0), "a * c");
  assert_equal(tj_list_at(parts, 0), x);
  assert_equal(tj_list_at(parts, 1), iota(TJ_INTS(2, 4)));
  tj_scope_end();
}

static void messages(void **state) {
  (void)state;
  tj_scope_begin();
  tj_tensor *x = iota(TJ_INTS(2, 3));
  assert_null(tj_einops_rearrange(x, "a b -> a", "b", TJ_INTS(3)));
  assert_string_equal(tj_error_message(), " Error while processing rearrange-reduction pattern \"a b -> a\".\n"
                                          " Input tensor shape: torch.Size([2, 3]). Additional info: {'b': 3}.\n"
                                          " Identifiers only on one side of expression (should be on both): {'b'}");
  tj_error_clear();
  const struct {
    const char *pattern, *axes;
    tj_ints sizes;
  } bad[] = {
      {"a b -> b a", "a", TJ_NO_DIMS},
      {"a b -> b a", "", TJ_INTS(2)},
      {"a b -> b a", "a b", TJ_INTS(2, -3)},
      {"a b -> b a", "a b c", TJ_INTS(2, 3)},
      {"", "", TJ_NO_DIMS},
      {"->", "", TJ_NO_DIMS},
      {"(a", "", TJ_NO_DIMS},
      {"a b ->", "", TJ_NO_DIMS},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_null(tj_einops_rearrange(x, bad[i].pattern, bad[i].axes, bad[i].sizes));
    assert_int_equal(tj_error_code(), TJ_ERROR_RUNTIME);
    tj_error_clear();
  }
  /* more axes than a tensor can have dimensions, and sizes whose product is too large */
  char many[2048] = "... ->";
  for (int i = 0; i < 200; i++) strcat(many, " 1");
  assert_null(tj_einops_rearrange(x, many, "", TJ_NO_DIMS));
  assert_int_equal(tj_error_code(), TJ_ERROR_RUNTIME);
  tj_error_clear();
  assert_null(tj_einops_repeat(x, "a b -> (a c d) b", "c d", TJ_INTS(INT64_MAX / 2, 3)));
  assert_int_equal(tj_error_code(), TJ_ERROR_RUNTIME);
  tj_error_clear();
  tj_scope_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sides), cmocka_unit_test(operators), cmocka_unit_test(messages)};
  return cmocka_run_group_tests_name("einops", tests, NULL, NULL);
}
