/* expression_test.c: expressions from C: trees, values, messages, and texts that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>

#include "core/core.h"
#include "torchjs.h"

static void assert_tree(const char *text, const char *tree) {
  tj_expression *e = tj_expression_parse(text);
  if (!e) fail_msg("%s", tj_error_message());
  char *json = tj_expression_tree(e);
  assert_non_null(json);
  assert_string_equal(json, tree);
  tj_string_free(json);
  tj_expression_free(e);
}

static void trees(void **state) {
  (void)state;
#define V(x) "{\"var\":\"" x "\"}"
#define OP(op, l, r) "{\"op\":\"" op "\",\"left\":" l ",\"right\":" r "}"
#define PRE(op, a) "{\"op\":\"" op "\",\"arg\":" a "}"
  assert_tree("a + b * c", OP("+", V("a"), OP("*", V("b"), V("c"))));
  assert_tree("a*b+c", OP("+", OP("*", V("a"), V("b")), V("c")));
  assert_tree("a - b - c", OP("-", OP("-", V("a"), V("b")), V("c")));
  assert_tree("a ** b ** c", OP("**", V("a"), OP("**", V("b"), V("c"))));
  assert_tree("-a ** b", PRE("neg", OP("**", V("a"), V("b"))));
  assert_tree("a ** -b", OP("**", V("a"), PRE("neg", V("b"))));
  assert_tree("a ** -b ** c", OP("**", V("a"), PRE("neg", OP("**", V("b"), V("c")))));
  assert_tree("~a & b", OP("&", PRE("~", V("a")), V("b")));
  assert_tree("a | b ^ c & d == e", OP("|", V("a"), OP("^", V("b"), OP("&", V("c"), OP("==", V("d"), V("e"))))));
  assert_tree("a < b & c", OP("&", OP("<", V("a"), V("b")), V("c")));
  assert_tree("a ? b : c ? d : e", "{\"op\":\"?:\",\"cond\":" V("a") ",\"then\":" V("b") ",\"else\":{\"op\":\"?:\",\"cond\":" V(
                                       "c") ",\"then\":" V("d") ",\"else\":" V("e") "}}");
  assert_tree("f(x, 1, n=[true, null]).g[2]", "{\"index\":{\"literal\":2},\"arg\":{\"field\":\"g\",\"arg\":{\"fn\":\"f\",\"args\":[" V(
                                                  "x") ",{\"literal\":1}],\"named\":{\"n\":{\"list\":[{"
                                                       "\"literal\":true},{\"literal\":null}]}}}}}");
  assert_tree("linalg.norm(x, 'fro')", "{\"fn\":\"linalg.norm\",\"args\":[" V("x") ",{\"string\":\"fro\"}]}");
  assert_tree("1.5e-3 + .5 - inf", OP("-", OP("+", "{\"literal\":0.0015}", "{\"literal\":0.5}"), "{\"literal\":\"inf\"}"));
}

static double number_of(const char *text) {
  tj_expression *e = tj_expression_parse(text);
  if (!e) fail_msg("%s", tj_error_message());
  tj_tensor *t = tj_expression_evaluate(e, (tj_tensors){NULL, 0});
  if (!t) fail_msg("%s: %s", text, tj_error_message());
  assert_int_equal(tj_ndim(t), 0);
  const double v = tj__scalar_to_double(tj_item(t));
  tj_free(t);
  tj_expression_free(e);
  return v;
}

static void numbers(void **state) {
  (void)state;
  const struct {
    const char *text;
    double value;
  } rows[] = {
      {"1 + 2 * 3", 7},     {"-7 // 2", -4},
      {"7 // -2", -4},      {"-7 % 3", 2},
      {"7 % -3", -2},       {"-7.5 % 2", 0.5},
      {"7 / 2", 3.5},       {"2 ** 10", 1024},
      {"2 ** -1", 0.5},     {"-2 ** 2", -4},
      {"(-2) ** 2", 4},     {"2 ** 3 ** 2", 512},
      {"5 & 3 | 8", 9},     {"5 ^ 1", 4},
      {"~5", -6},           {"3 > 2 ? 1 : 0", 1},
      {"1 == 1.0", 1},      {"true + true", 2},
      {"-(-3)", 3},         {"1 - -1", 2},
      {"10 - 4 - 3", 3},    {"1e3", 1000},
      {"7.5 // 2", 3},      {"3 <= 2 ? 1 : 2", 2},
      {"[4, 5, 6][-1]", 6}, {"4611686018427387904 * 4", 18446744073709551616.0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_true(number_of(rows[i].text) == rows[i].value);
}

static void tensors(void **state) {
  (void)state;
  tj_scope_begin();
  tj_tensor *x = tj_from_data((float[]){1, -2, 3, -4, 5, -6}, TJ_FLOAT32, TJ_INTS(2, 3));
  tj_tensor *w = tj_from_data((float[]){1, 2, 3, 4, 5, 6}, TJ_FLOAT32, TJ_INTS(3, 2));
  tj_set_requires_grad(w, true);
  tj_expression *e = tj_expression_parse("sum(x @ w > 0 ? x @ w : n * (x @ w), dim=1)");
  assert_int_equal(tj_expression_variable_count(e), 3);
  assert_string_equal(tj_expression_variable(e, 2), "n");
  assert_null(tj_expression_variable(e, 3));
  tj_tensor *y = tj_expression_evaluate(e, TJ_TENSORS(x, w, tj_scalar_tensor(tj_float(0.5))));
  tj_tensor *m = tj_matmul(x, w);
  tj_tensor *expected = tj_sum_dim(tj_leaky_relu(m, tj_float(0.5)), TJ_INTS(1), false, TJ_DTYPE_NONE);
  assert_non_null(y);
  assert_int_equal(tj_equal(y, expected).i, 1);
  assert_true(tj_requires_grad(y));
  tj_expression_free(e);
  /* a variable as it is, and what a function hands back as it is: still the caller's */
  e = tj_expression_parse("contiguous(x)");
  assert_ptr_equal(tj_expression_evaluate(e, TJ_TENSORS(x)), x);
  tj_expression_free(e);
  e = tj_expression_parse(
      "contiguous(contiguous(x)) + contiguous(x) + split(x, 1)[1] + max(x, 1, keepdim=true).values + cat([x, x], 0)[0]");
  for (int i = 0; i < 3; i++) assert_non_null(tj_expression_evaluate(e, TJ_TENSORS(x)));
  assert_int_equal(tj_equal(x, tj_from_data((float[]){1, -2, 3, -4, 5, -6}, TJ_FLOAT32, TJ_INTS(2, 3))).i, 1);
  tj_expression_free(e);
  tj_scope_end();
}

static void messages(void **state) {
  (void)state;
  tj_scope_begin();
  const struct {
    const char *text, *message;
  } rows[] = {
      {"x +", "expected an operand, but the expression ends, at position 3 of the expression \"x +\""},
      {"x y", "expected an operator or the end, but got \"y\", at position 2 of the expression \"x y\""},
      {"(x", "expected \")\", but the expression ends, at position 2 of the expression \"(x\""},
      {"x ? 1", "expected \":\", but the expression ends, at position 5 of the expression \"x ? 1\""},
      {"f(x,)", "expected an operand, but got \")\", at position 4 of the expression \"f(x,)\""},
      {"f(a=1, 2)", "an argument without a name follows one with a name, at position 7 of the expression \"f(a=1, 2)\""},
      {"f(a=1, a=2)", "the argument \"a\" is there twice, at position 7 of the expression \"f(a=1, a=2)\""},
      {"1x", "\"1x\" is no number, at position 0 of the expression \"1x\""},
      {"'a", "a text has no closing ', at position 0 of the expression \"'a\""},
      {"x # y", "expected an operator or the end, but got \"#\", at position 2 of the expression \"x # y\""},
      {"", "expected an operand, but the expression ends, at position 0 of the expression \"\""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_null(tj_expression_parse(rows[i].text));
    assert_string_equal(tj_error_message(), rows[i].message);
    tj_error_clear();
  }
  tj_tensor *x = tj_ones(TJ_INTS(2, 3), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false);
  const struct {
    const char *text, *message;
  } values[] = {
      {"1 + x @ x", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3), at position 6 of the expression \"1 + x @ x\""},
      {"max(x, 1)", "the function has 2 results: choose one by its name, .values, at position 0 of the expression \"max(x, 1)\""},
      {"max(x, 1).value", "there is no result \"value\": the first one is \"values\", at position 9 of the expression \"max(x, 1).value\""},
      {"split(x, 1)", "the function has a list of results: choose one by its number, [0], at position 0 of the expression \"split(x, 1)\""},
      {"split(x, 1)[2]", "index 2 is out of range for 2 items, at position 11 of the expression \"split(x, 1)[2]\""},
      {"x + 'a'", "unsupported operand type(s) for +: 'Tensor' and 'str', at position 2 of the expression \"x + 'a'\""},
      {"x + 1 // 0", "division of 1 by zero, at position 6 of the expression \"x + 1 // 0\""},
      {"nothing(x)", "there is no function \"nothing\", at position 0 of the expression \"nothing(x)\""},
      {"linalg.relu(x)", "there is no function \"linalg.relu\", at position 0 of the expression \"linalg.relu(x)\""},
      {"relu(x, 1)", "relu() received an invalid combination of arguments - got (Tensor, int), but expected (Tensor self), at position 0 "
                     "of the expression \"relu(x, 1)\""},
      {"[x]", "the value of an expression is a tensor, not 'list', at position 0 of the expression \"[x]\""},
  };
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    tj_expression *e = tj_expression_parse(values[i].text);
    assert_non_null(e);
    tj_tensor *t = tj_expression_evaluate(e, (tj_tensors){&x, tj_expression_variable_count(e)});
    assert_null(t);
    assert_string_equal(tj_error_message(), values[i].message);
    tj_error_clear();
    tj_expression_free(e);
  }
  tj_expression *e = tj_expression_parse("x + y");
  assert_null(tj_expression_evaluate(e, TJ_TENSORS(x)));
  assert_string_equal(tj_error_message(), "the expression \"x + y\" has 2 variables, but 1 values are given");
  tj_error_clear();
  tj_expression_free(e);
  /* deep and long ones end in an error, not in a crash */
  static char text[1 << 17];
  const char *const deep[] = {"(", "-", "f(", "[", "a?", "a**"};
  for (size_t k = 0; k < sizeof deep / sizeof *deep; k++) {
    text[0] = 0;
    size_t used = 0;
    for (int i = 0; i < 5000; i++) used += (size_t)snprintf(text + used, sizeof text - used, "%s", deep[k]);
    assert_null(tj_expression_parse(text));
    assert_non_null(strstr(tj_error_message(), "100 deep"));
    tj_error_clear();
  }
  memset(text, '1', sizeof text - 1);
  assert_null(tj_expression_parse(text));
  tj_error_clear();
  size_t used = 0;
  for (int i = 0; i < 3000; i++) used += (size_t)snprintf(text + used, sizeof text - used, "%s1", i ? "+" : "");
  assert_null(tj_expression_parse(text));
  assert_non_null(strstr(tj_error_message(), "more than 2000 parts"));
  tj_error_clear();
  tj_scope_end();
}

/* Texts out of words of the language: every one is parsed to a tree and evaluated, or refused with a position. */
static void random_texts(void **state) {
  (void)state;
  static const char *const words[] = {"x",      "y",      "1",       "2.5",  "(",    ")",     "[",    "]",     ",",
                                      "?",      ":",      ".values", "+",    "-",    "*",     "/",    "//",    "%",
                                      "@",      "**",     "==",      "<",    "&",    "|",     "^",    "~",     "sum(",
                                      "max(",   "=",      "dim",     "dim=", "'a'",  "true",  "null", "cat([", "linalg.norm(",
                                      "split(", "zeros(", "1e400",   " ",    "x[0]", "where("};
  static const char *const operands[] = {"x",      "y",           "1",         "2.5",  "(x)",     "-", "~", "sum(x, dim=1)",
                                         "[x, y]", "split(x, 1)", "max(x, 1)", "x[0]", "x ? y :", "("};
  static const char *const operators[] = {"+", "-", "*", "/", "//", "%", "@", "**", "<", "&", "|", "^", "[1]", ".values", ")", "?"};
#define PICK(list) list[next % (sizeof list / sizeof *list)]
  uint64_t seed = 7;
  int good = 0, values = 0;
  tj_scope_begin();
  tj_tensor *x = tj_ones(TJ_INTS(2, 2), TJ_DTYPE_NONE, TJ_DEVICE_NONE, false), *both[] = {x, x};
  for (int k = 0; k < 60000; k++) {
    char text[512];
    size_t used = 0;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    for (int n = 1 + (int)(seed >> 60), i = 0; i < n; i++) { /* operands and operators in turn, mostly */
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      const unsigned next = (unsigned)(seed >> 40);
      used += (size_t)snprintf(text + used, sizeof text - used, "%s ",
                               seed >> 33 & 15 ? i % 2 ? PICK(operators) : PICK(operands) : PICK(words));
    }
    tj_expression *e = tj_expression_parse(text);
    if (!e) {
      assert_int_equal(tj_error_code(), TJ_ERROR_RUNTIME);
      assert_non_null(strstr(tj_error_message(), ", at position "));
      tj_error_clear();
      continue;
    }
    good++;
    char *tree = tj_expression_tree(e);
    assert_non_null(tree);
    tj_string_free(tree);
    tj_scope_begin();
    if (tj_expression_evaluate(e, (tj_tensors){both, tj_expression_variable_count(e) > 2 ? 0 : tj_expression_variable_count(e)})) values++;
    tj_error_clear();
    tj_scope_end();
    tj_expression_free(e);
  }
  assert_true(good > 2000);
  assert_true(values > 500);
  tj_scope_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(trees), cmocka_unit_test(numbers), cmocka_unit_test(tensors),
                                     cmocka_unit_test(messages), cmocka_unit_test(random_texts)};
  return cmocka_run_group_tests_name("expression", tests, NULL, NULL);
}
