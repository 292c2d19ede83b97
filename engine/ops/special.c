/* special.c: special functions that need more than their generated loop, and compositions for derivatives. */
#include <math.h>

#include "impl.h"
#include "iter/convert.h"
#include "pointwise.h"
#include "reduce.h"

tj_tensor *tj__impl_not_implemented(tj_tensor *grad, const char *name) {
  (void)grad;
  return tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "the derivative for '%s' is not implemented.", name);
}

tj_tensor *tj__impl_polygamma(tj_tensor *out, int64_t n, tj_tensor *self) {
  TJ__CHECK(n >= 0, TJ_ERROR_RUNTIME, "polygamma(n, x) does not support negative n.");
  if (n == 0) return tj__impl_digamma(out, self);
  if (n == 1) return tj__impl_trigamma(out, self);
  const tj__params params = {.p = {tj__param_of(tj_int(n))}};
  return tj__pointwise(TJ__PW_polygamma, out, &self, 1, &params, TJ__RULE_FLOAT, "polygamma");
}

/* The sum of lgamma(self - k / 2) over k < p, and a constant. */
tj_tensor *tj__impl_mvlgamma(tj_tensor *self, int64_t p) {
  TJ__CHECK(self->dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "The input tensor may not be a boolean tensor.");
  TJ__CHECK(p >= 1, TJ_ERROR_RUNTIME, "p has to be greater than or equal to 1");
  tj_dtype dtype = tj__floating_of((tj_dtype)self->dtype);
  TJ__CHECK(!tj_dtype_is_complex(dtype), TJ_ERROR_NOT_IMPLEMENTED, "\"mvlgamma_cpu\" not implemented for '%s'", tj__dtype_legacy(dtype));
  tj_tensor *steps =
      tj_arange_start_step(tj_float(-0.5 * (double)p + 0.5), tj_float(0.5), tj_float(0.5), dtype, self->storage->device, false);
  tj_tensor *terms = tj_lgamma(tj_add(tj_unsqueeze(self, -1), steps, TJ__ONE));
  tj_tensor *sum = tj_sum_dim(terms, TJ_INTS(-1), false, TJ_DTYPE_NONE);
  return tj_add(sum, tj__number((double)p * (double)(p - 1) * log(M_PI) / 4), TJ__ONE);
}

/* ---- derivatives ------------------------------------------------------------------------------------------------ */

/* value where self is not 0, else 1/2; nothing infinite reaches the second derivative. */
static tj_tensor *half_at_zero(tj_tensor *zero, tj_tensor *value) { return tj_masked_fill(value, zero, tj_float(0.5)); }

tj_tensor *tj__impl_i1_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *result) {
  tj_tensor *zero = tj_eq(tj_detach(self), tj__number(0)), *safe = tj_masked_fill(self, zero, tj_float(1));
  return tj_mul(grad_output, half_at_zero(zero, tj_sub(tj_i0(safe), tj_div(result, safe), TJ__ONE)));
}

tj_tensor *tj__impl_i1e_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *result) {
  tj_tensor *zero = tj_eq(tj_detach(self), tj__number(0)), *safe = tj_masked_fill(self, zero, tj_float(1));
  tj_tensor *factor = tj_add(tj_sgn(safe), tj_reciprocal(safe), TJ__ONE);
  return tj_mul(grad_output, half_at_zero(zero, tj_sub(tj_i0e(safe), tj_mul(result, factor), TJ__ONE)));
}

tj_tensor *tj__impl_xlog1py_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *other) {
  tj_tensor *none = tj_logical_and(tj_eq(tj_detach(self), tj__number(0)), tj_le(tj_detach(other), tj__number(-1)));
  return tj_masked_fill(tj_mul(grad_output, tj_log1p(other)), none, tj_int(0));
}
