/* axes.c: reads one side of an einops pattern. Names and messages as einops has them, with the position in the pattern. */
#include "axes.h"

#include <stdio.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
/* What a name may hold. Letters beyond ASCII are taken as they come: every byte of their UTF-8. */
static bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

const char *tj__axis_name_problem(const char *name, int length) {
  bool word = length > 0 && !is_digit(name[0]);
  for (int i = 0; i < length; i++) word = word && is_word(name[i]);
  if (!word) return "not a valid identifier";
  if (name[0] == '_' || name[length - 1] == '_') return "axis name should not start or end with underscore";
  return NULL;
}

int tj__axes_find(const tj__axes *axes, const tj__axis *axis) {
  for (int i = 0; i < axes->n; i++)
    if (tj__axis_same(&axes->items[i], axis)) return i;
  return -1;
}

#define PROBLEM(...) return snprintf(problem, size, __VA_ARGS__), false

/* One word: a name, a number or the ellipsis; `open`: inside parentheses. */
static bool add(tj__axes *out, const char *pattern, int at, int length, bool open, char *problem, size_t size) {
  const char *word = pattern + at;
  tj__axis axis = {word, length, TJ__AXES_NAMED};
  bool number = true;
  for (int i = 0; i < length; i++) number = number && is_digit(word[i]);
  if (length == 3 && !memcmp(word, "...", 3)) {
    axis.size = TJ__AXES_ELLIPSIS;
    number = false;
    out->has_ellipsis = true;
    out->enclosed = open;
    if (!open) out->ellipsis = out->dims;
  } else if (number) {
    axis.size = 0;
    for (int i = 0; i < length; i++) {
      if (axis.size > (INT64_MAX - 9) / 10) PROBLEM("Anonymous axis %.*s at position %d is too long", length, word, at);
      axis.size = axis.size * 10 + (word[i] - '0');
    }
    if (axis.size == 0) PROBLEM("Anonymous axis should have positive length, not 0 (position %d)", at);
    if (axis.size == 1) {
      if (!open) out->first[++out->dims] = out->n;
      return true;
    }
    out->numbers = true;
  } else {
    const char *reason = tj__axis_name_problem(word, length);
    if (reason) PROBLEM("Invalid axis identifier: %.*s at position %d\n%s", length, word, at, reason);
  }
  if (!number && tj__axes_find(out, &axis) >= 0)
    PROBLEM("Indexing expression contains duplicate dimension \"%.*s\" at position %d", length, word, at);
  out->items[out->n++] = axis;
  if (!open) out->first[++out->dims] = out->n;
  return true;
}

bool tj__axes_parse(const char *pattern, int begin, int end, tj__axes *out, char *problem, size_t size) {
  *out = (tj__axes){.text = pattern + begin, .length = end - begin, .ellipsis = -1};
  bool open = false;
  for (int i = begin; i < end;) {
    const char c = pattern[i];
    if (out->n == TJ__AXES_MAX || out->dims == TJ__AXES_MAX) PROBLEM("The pattern has more than %d axes", TJ__AXES_MAX - 1);
    if (c == ' ') {
      i++;
    } else if (c == '(') {
      if (open) PROBLEM("Axis composition is one-level (brackets inside brackets not allowed), position %d", i);
      open = true;
      i++;
    } else if (c == ')') {
      if (!open) PROBLEM("Brackets are not balanced, position %d", i);
      out->first[++out->dims] = out->n;
      open = false;
      i++;
    } else if (c == '.') {
      int dots = 0;
      while (i + dots < end && pattern[i + dots] == '.') dots++;
      if (dots != 3) PROBLEM("Expression may contain dots only inside ellipsis (...), position %d", i);
      if (out->has_ellipsis)
        PROBLEM("Expression may contain dots only inside ellipsis (...); only one ellipsis for tensor, position %d", i);
      if ((i > begin && is_word(pattern[i - 1])) || (i + 3 < end && is_word(pattern[i + 3])))
        PROBLEM("Invalid axis identifier: an ellipsis (...) is no part of a name, position %d", i);
      if (!add(out, pattern, i, 3, open, problem, size)) return false;
      i += 3;
    } else if (is_word(c)) {
      int n = 1;
      while (i + n < end && is_word(pattern[i + n])) n++;
      if (!add(out, pattern, i, n, open, problem, size)) return false;
      i += n;
    } else {
      PROBLEM("Unknown character '%c' at position %d", c, i);
    }
  }
  if (open) PROBLEM("Imbalanced parentheses in expression: \"%.*s\"", end - begin, pattern + begin);
  return true;
}
