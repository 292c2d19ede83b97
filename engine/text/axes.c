/* axes.c: reads one side of an einops pattern. Names and messages as einops has them, with the position in the pattern. */
#include "axes.h"

#include "word.h"

#include <stdio.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
/* What a name may hold. Letters beyond ASCII are taken as they come: every byte of their UTF-8. */
static bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

tj__axis_problem tj__axis_name_problem(const char *name, int length) {
  bool word = length > 0 && !is_digit(name[0]);
  for (int i = 0; i < length; i++) word = word && is_word(name[i]);
  if (!word) return TJ__AXIS_NO_IDENTIFIER;
  return name[0] == '_' || name[length - 1] == '_' ? TJ__AXIS_UNDERSCORE : TJ__AXIS_GOOD;
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
    if (axis.size == 0) PROBLEM(TJ__TEXT_einops_zero, (long long)at);
    if (axis.size == 1) {
      if (!open) out->first[++out->dims] = out->n;
      return true;
    }
    out->numbers = true;
  } else {
    const tj__axis_problem bad = tj__axis_name_problem(word, length);
    if (bad == TJ__AXIS_NO_IDENTIFIER) PROBLEM(TJ__TEXT_einops_identifier, tj__word_of(word, length).text, (long long)at);
    if (bad == TJ__AXIS_UNDERSCORE) PROBLEM(TJ__TEXT_einops_underscore, tj__word_of(word, length).text, (long long)at);
  }
  if (!number && tj__axes_find(out, &axis) >= 0) PROBLEM(TJ__TEXT_einops_duplicate, tj__word_of(word, length).text, (long long)at);
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
      if (open) PROBLEM(TJ__TEXT_einops_nested, (long long)i);
      open = true;
      i++;
    } else if (c == ')') {
      if (!open) PROBLEM(TJ__TEXT_einops_unbalanced, (long long)i);
      out->first[++out->dims] = out->n;
      open = false;
      i++;
    } else if (c == '.') {
      int dots = 0;
      while (i + dots < end && pattern[i + dots] == '.') dots++;
      if (dots != 3) PROBLEM(TJ__TEXT_einops_dots, (long long)i);
      if (out->has_ellipsis) PROBLEM(TJ__TEXT_einops_second_ellipsis, (long long)i);
      if ((i > begin && is_word(pattern[i - 1])) || (i + 3 < end && is_word(pattern[i + 3])))
        PROBLEM(TJ__TEXT_einops_ellipsis_in_name, (long long)i);
      if (!add(out, pattern, i, 3, open, problem, size)) return false;
      i += 3;
    } else if (is_word(c)) {
      int n = 1;
      while (i + n < end && is_word(pattern[i + n])) n++;
      if (!add(out, pattern, i, n, open, problem, size)) return false;
      i += n;
    } else {
      PROBLEM(TJ__TEXT_einops_character, tj__word_of(pattern + i, 1).text, (long long)i);
    }
  }
  if (open) PROBLEM(TJ__TEXT_einops_open, tj__word_of(pattern + begin, end - begin).text);
  return true;
}
