/* axes.h: one side of an einops pattern, "b (h p) ... 3", as dimensions made of axes. */
#ifndef TJ__TEXT_AXES_H
#define TJ__TEXT_AXES_H

#include "../core/core.h"

enum { TJ__AXES_MAX = 2 * TJ_MAX_DIMS, TJ__AXES_ELLIPSIS = -2, TJ__AXES_NAMED = -1 };

typedef struct tj__axis {
  const char *name; /* into the pattern */
  int length;
  int64_t size; /* of a number; TJ__AXES_NAMED: it has a name; TJ__AXES_ELLIPSIS: it is "..." */
} tj__axis;

typedef struct tj__axes {
  const char *text; /* the side as it is written */
  int length;
  int n; /* axes */
  int dims;
  tj__axis items[TJ__AXES_MAX];
  int first[TJ__AXES_MAX + 1]; /* dimension d is made of the axes first[d] .. first[d + 1] - 1: of none for 1 and () */
  int ellipsis;                /* the dimension of an ellipsis that stands alone, or -1 */
  bool has_ellipsis, enclosed; /* enclosed: the ellipsis stands in parentheses */
  bool numbers;                /* there is a number beside 1 */
} tj__axes;

/* Reads pattern[begin .. end). false, and what is wrong in `problem`. */
bool tj__axes_parse(const char *pattern, int begin, int end, tj__axes *out, char *problem, size_t size);
typedef enum tj__axis_problem { TJ__AXIS_GOOD, TJ__AXIS_NO_IDENTIFIER, TJ__AXIS_UNDERSCORE } tj__axis_problem;
/* What is wrong with the name of an axis. */
tj__axis_problem tj__axis_name_problem(const char *name, int length);
static inline bool tj__axis_same(const tj__axis *a, const tj__axis *b) {
  if (a->size != b->size || a->size >= 0) return false; /* numbers are axes of their own */
  return a->size == TJ__AXES_ELLIPSIS || (a->length == b->length && !memcmp(a->name, b->name, (size_t)a->length));
}
/* The place of an axis among those of a side, or -1. */
int tj__axes_find(const tj__axes *axes, const tj__axis *axis);

#endif
