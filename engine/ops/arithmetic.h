/* arithmetic.h: shorthands of compositions. NULL in, NULL out; differentiable. */
#ifndef TJ__OPS_ARITHMETIC_H
#define TJ__OPS_ARITHMETIC_H

#include "ops.h"

#define TJ__ONE tj_int(1)
/* false and a RuntimeError with this text where an element of `bad` is true: at once, or on a device whose numbers cannot be looked at with the next
 * read. NULL is false. */
bool tj__refuse(tj_tensor *bad, const char *text);

static inline tj_tensor *tj__number(double v) { return tj_scalar_tensor(tj_float(v)); }
static inline tj_tensor *tj__integer(int64_t v) { return tj_scalar_tensor(tj_int(v)); }
static inline tj_tensor *tj__plus(tj_tensor *a, tj_tensor *b) { return tj_add(a, b, TJ__ONE); }
/* total + term, and the term alone where there is no total yet. */
static inline tj_tensor *tj__total(tj_tensor *total, tj_tensor *term) { return total ? tj__plus(total, term) : term; }
static inline tj_tensor *tj__minus(tj_tensor *a, tj_tensor *b) { return tj_sub(a, b, TJ__ONE); }

#endif
