/* The profiler's recorder: operators, what they call, ranges, and launches; and that nothing is recorded while it is off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs some of those */
#include <cmocka.h>

#include "engine/core/profile.h"
#include "ops.h"

static char *recorded(void (*run)(void)) {
  tj__profile_start();
  assert_true(tj__watched());
  tj_scope_begin();
  run();
  tj_scope_end();
  char *text = tj__profile_stop();
  assert_non_null(text);
  assert_false(tj__watched());
  return text;
}

/* Fields of line n: kind and parent; the name. */
static const char *line_of(const char *text, int n, int *kind, int *parent) {
  for (; n > 0; n--) text = strchr(text, '\n') + 1;
  static char name[64];
  long long begin, end;
  assert_int_equal(sscanf(text, "%d\t%d\t%lld\t%lld\t%63[^\n]", kind, parent, &begin, &end, name), 5);
  assert_true(begin >= 0 && end >= begin);
  return name;
}

static void linear(void) {
  tj_tensor *x = tj_ones(TJ_INTS(2, 3), TJ_FLOAT32, TJ_CPU, false), *w = tj_ones(TJ_INTS(4, 3), TJ_FLOAT32, TJ_CPU, false);
  assert_non_null(tj_linear(x, w, NULL));
}
static void operators_and_what_they_call(void **state) {
  (void)state;
  char *text = recorded(linear);
  int kind, parent, found = 0;
  int lines = 0;
  for (const char *p = text; *p; p++) lines += *p == '\n';
  int at = -1;
  for (int i = 0; i < lines; i++) {
    const char *name = line_of(text, i, &kind, &parent);
    assert_int_equal(kind, TJ__PROFILE_OPERATOR);
    if (strcmp(name, "linear") == 0) at = i, assert_int_equal(parent, -1);
    else if (parent == at && at >= 0) found++;
  }
  assert_true(at >= 0 && found > 0);
  free(text);
}

static void in_ranges(void) {
  const int64_t outer = tj__profile_begin(NULL, TJ__PROFILE_RANGE, "outer\n"), inner = tj__profile_begin(NULL, TJ__PROFILE_RANGE, "inner");
  assert_int_equal(tj__profile_current(), inner);
  tj__profile_launch(inner);
  tj__profile_leave(outer); /* ends what is inside too */
  assert_int_equal(tj__profile_current(), -1);
  tj__profile_leave(inner);
  tj__profile_begin(NULL, TJ__PROFILE_RANGE, "open");
}
static void ranges_and_launches(void **state) {
  (void)state;
  char *text = recorded(in_ranges);
  int kind, parent;
  assert_string_equal(line_of(text, 0, &kind, &parent), "outer ");
  assert_int_equal(kind, TJ__PROFILE_RANGE);
  assert_string_equal(line_of(text, 1, &kind, &parent), "inner");
  assert_int_equal(parent, 0);
  assert_string_equal(line_of(text, 2, &kind, &parent), "open");
  assert_non_null(strstr(text, "L\t1\n"));
  free(text);
}

static void nothing_while_it_is_off(void **state) {
  (void)state;
  tj_scope_begin();
  linear();
  assert_int_equal(tj__profile_begin(NULL, TJ__PROFILE_RANGE, "range"), -1);
  tj_scope_end();
  char *text = tj__profile_stop();
  assert_string_equal(text, "");
  free(text);
}

static void failures_end(void) {
  tj_tensor *x = tj_ones(TJ_INTS(2, 3), TJ_FLOAT32, TJ_CPU, false);
  assert_null(tj_mm(x, x));
  tj_error_clear();
  assert_int_equal(tj__profile_current(), -1);
}
static void operators_that_fail_end(void **state) {
  (void)state;
  free(recorded(failures_end));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operators_and_what_they_call),
      cmocka_unit_test(ranges_and_launches),
      cmocka_unit_test(nothing_while_it_is_off),
      cmocka_unit_test(operators_that_fail_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
