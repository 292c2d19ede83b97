/* compare.c: comparisons up to a tolerance. */
#include "copy.h"
#include "ops/arithmetic.h"
#include "impl.h"

tj_tensor *tj__impl_isclose(tj_tensor *self, tj_tensor *other, double rtol, double atol, bool equal_nan) {
  TJ__CHECK(self->dtype == other->dtype, TJ_ERROR_RUNTIME, "%s did not match %s", tj__dtype_legacy((tj_dtype)self->dtype),
            tj__dtype_legacy((tj_dtype)other->dtype));
  TJ__CHECK(rtol >= 0, TJ_ERROR_RUNTIME, "rtol must be greater than or equal to zero, but got %g", rtol);
  TJ__CHECK(atol >= 0, TJ_ERROR_RUNTIME, "atol must be greater than or equal to zero, but got %g", atol);
  tj_tensor *close = tj_eq(self, other);
  tj__dtype_class class = tj__class_of((tj_dtype)self->dtype);
  bool floating = class == TJ__CLASS_FLOAT || class == TJ__CLASS_COMPLEX;
  if (equal_nan && floating) close = tj_logical_or(close, tj_logical_and(tj_isnan(self), tj_isnan(other)));
  if (rtol == 0 && atol == 0) return close;
  if (!floating) { /* exact differences of integers are measured in floating point */
    self = tj_to_dtype(self, tj_get_default_dtype(), false, false, NULL);
    other = tj_to_dtype(other, tj_get_default_dtype(), false, false, NULL);
  }
  tj_tensor *allowed = tj_add(tj_abs(tj_mul(other, tj__number(rtol))), tj__number(atol), tj_int(1));
  tj_tensor *actual = tj_abs(tj_sub(self, other, tj_int(1)));
  return tj_logical_or(close, tj_logical_and(tj_isfinite(actual), tj_le(actual, allowed)));
}

tj_scalar tj__impl_allclose(tj_tensor *self, tj_tensor *other, double rtol, double atol, bool equal_nan) {
  return tj_item(tj_all(tj_isclose(self, other, rtol, atol, equal_nan)));
}

tj_scalar tj__impl_equal(tj_tensor *self, tj_tensor *other) {
  if (!tj__same_sizes(self, other)) return tj_bool(false);
  return self->numel == 0 ? tj_bool(true) : tj_item(tj_all(tj_eq(self, other)));
}
