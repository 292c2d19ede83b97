/* activation.c: activation functions that need more than their generated loop, and second derivatives. */
#include <math.h>

#include "copy.h"
#include "ops/arithmetic.h"
#include "impl.h"
#include "pointwise.h"

static tj_tensor *plus(tj_tensor *a, double b) { return tj_add(a, tj__number(b), tj_int(1)); }
static tj_tensor *times(tj_tensor *a, double b) { return tj_mul(a, tj__number(b)); }

tj_tensor *tj__impl_relu(tj_tensor *out, tj_tensor *self) {
  TJ__CHECK(self->dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "Boolean inputs not supported for relu");
  TJ__CHECK(!tj_dtype_is_complex((tj_dtype)self->dtype), TJ_ERROR_RUNTIME, "clamp is not supported for complex types");
  return tj__pointwise(TJ__PW_relu, out, &self, 1, NULL, TJ__RULE_PROMOTE, "clamp_min_scalar_cpu");
}

/* Limits that hardtanh cannot work with are refused before the loop. */
static bool hardtanh_suits(const tj_tensor *self, double low) {
  if (self->dtype == TJ_BOOL) tj__fail(TJ_ERROR_RUNTIME, "Bool inputs not supported for hardtanh");
  else if (tj_dtype_is_complex((tj_dtype)self->dtype)) tj__fail(TJ_ERROR_RUNTIME, "clamp is not supported for complex types");
  else if (low < 0 && (self->dtype == TJ_UINT8 || (self->dtype >= TJ_UINT16 && self->dtype <= TJ_UINT64)))
    tj__fail(TJ_ERROR_RUNTIME, "cannot do hardtanh on an unsigned type with negative limits");
  else return true;
  return false;
}

tj_tensor *tj__impl_hardtanh(tj_tensor *out, tj_tensor *self, tj_scalar min_val, tj_scalar max_val) {
  /* in place, PyTorch does not ask */
  TJ__CHECK(out || tj__scalar_to_double(min_val) <= tj__scalar_to_double(max_val), TJ_ERROR_VALUE,
            "min_val cannot be greater than max_val");
  if (!hardtanh_suits(self, tj__scalar_to_double(min_val))) return NULL;
  tj__params params = {.p = {tj__param_of(min_val), tj__param_of(max_val)}};
  return tj__pointwise(TJ__PW_hardtanh, out, &self, 1, &params, TJ__RULE_PROMOTE, "hardtanh_cpu");
}

tj_tensor *tj__impl_relu6(tj_tensor *out, tj_tensor *self) {
  if (!hardtanh_suits(self, 0)) return NULL;
  return tj__pointwise(TJ__PW_relu6, out, &self, 1, NULL, TJ__RULE_PROMOTE, "hardtanh_cpu");
}

tj_tensor *tj__impl_softshrink(tj_tensor *out, tj_tensor *self, tj_scalar lambd) {
  TJ__CHECK(tj__scalar_to_double(lambd) >= 0, TJ_ERROR_RUNTIME, "lambda must be greater or equal to 0, but found to be %g.",
            tj__scalar_to_double(lambd));
  tj__params params = {.p = {tj__param_of(lambd)}};
  return tj__pointwise(TJ__PW_softshrink, out, &self, 1, &params, TJ__RULE_PROMOTE, "softshrink_cpu");
}

tj_tensor *tj__impl_selu(tj_tensor *self) {
  return tj__impl_elu(NULL, self, tj_float(1.6732632423543772848), tj_float(1.0507009873554804934), tj_int(1));
}

tj_tensor *tj__impl_celu(tj_tensor *self, tj_scalar alpha) {
  TJ__CHECK(!tj__scalar_is_zero(alpha), TJ_ERROR_RUNTIME, "ZeroDivisionError: alpha cannot be 0 for CELU");
  return tj__impl_elu(NULL, self, alpha, tj_int(1), tj_float(1.0 / tj__scalar_to_double(alpha)));
}
tj_tensor *tj__impl_celu_backward(tj_tensor *grad_output, tj_tensor *self, tj_scalar alpha) {
  return tj_elu_backward(grad_output, self, alpha, tj_int(1), tj_float(1.0 / tj__scalar_to_double(alpha)));
}

/* ---- gelu ----------------------------------------------------------------------------------------------------- */

/* 1: by tanh; 0: by erf; -1 and an error. */
static int approximation(const char *approximate) {
  if (strcmp(approximate, "none") == 0) return 0;
  if (strcmp(approximate, "tanh") == 0) return 1;
  tj__fail(TJ_ERROR_RUNTIME, "approximate argument must be either none or tanh.");
  return -1;
}

tj_tensor *tj__impl_gelu(tj_tensor *out, tj_tensor *self, const char *approximate) {
  int tanh = approximation(approximate);
  if (tanh < 0) return NULL;
  return tj__pointwise(tanh ? TJ__PW_gelu_tanh : TJ__PW_gelu, out, &self, 1, NULL, TJ__RULE_PROMOTE, "GeluKernelImpl");
}

tj_tensor *tj__impl_gelu_backward(tj_tensor *out, tj_tensor *grad_output, tj_tensor *self, const char *approximate) {
  int tanh = approximation(approximate);
  if (tanh < 0) return NULL;
  tj_tensor *inputs[] = {grad_output, self};
  return tj__pointwise(tanh ? TJ__PW_gelu_tanh_backward : TJ__PW_gelu_backward, out, inputs, 2, NULL, TJ__RULE_PROMOTE,
                       "GeluBackwardKernelImpl");
}

tj_tensor *tj__impl_gelu_second(tj_tensor *self, const char *approximate) {
  int tanh = approximation(approximate);
  if (tanh < 0) return NULL;
  tj_tensor *square = tj_mul(self, self);
  if (!tanh) { /* (2 - x^2) times the density of the normal distribution */
    tj_tensor *density = times(tj_exp(times(square, -0.5)), M_2_SQRTPI * M_SQRT1_2 * 0.5);
    return tj_mul(density, plus(tj_neg(square), 2));
  }
  /* with u = beta (x + kappa x^3), t = tanh(u), p = 1 - t^2: gelu' = (1 + t) / 2 + x p u' / 2, so gelu'' = p u' + x p u'' / 2 - x t p u'^2 */
  const double beta = M_SQRT2 * M_2_SQRTPI * 0.5, kappa = 0.044715;
  tj_tensor *t = tj_tanh(tj_mul(self, plus(times(square, beta * kappa), beta)));
  tj_tensor *p = plus(tj_neg(tj_mul(t, t)), 1);
  tj_tensor *u1 = plus(times(square, 3 * beta * kappa), beta), *u2 = times(self, 6 * beta * kappa);
  tj_tensor *sum = tj_add(u1, times(tj_mul(self, u2), 0.5), tj_int(1));
  sum = tj_sub(sum, tj_mul(tj_mul(self, t), tj_mul(u1, u1)), tj_int(1));
  return tj_mul(p, sum);
}

/* ---- silu, mish ------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_silu_second(tj_tensor *self) { /* s (1 - s) (2 + x (1 - 2 s)) */
  tj_tensor *s = tj_sigmoid(self);
  tj_tensor *slope = tj_mul(s, plus(tj_neg(s), 1));
  return tj_mul(slope, plus(tj_mul(self, plus(times(s, -2), 1)), 2));
}

tj_tensor *tj__impl_mish_second(tj_tensor *self) {
  /* t = tanh(softplus(x)): t' = s (1 - t^2), t'' = s (1 - s) (1 - t^2) - 2 s t t'; mish'' = 2 t' + x t'' */
  tj_tensor *s = tj_sigmoid(self);
  tj_tensor *t = tj_tanh(tj_softplus(self, tj_int(1), tj_int(20)));
  tj_tensor *rest = plus(tj_neg(tj_mul(t, t)), 1);
  tj_tensor *t1 = tj_mul(s, rest);
  tj_tensor *t2 = tj_sub(tj_mul(t1, plus(tj_neg(s), 1)), times(tj_mul(tj_mul(s, t), t1), 2), tj_int(1));
  return tj_add(times(t1, 2), tj_mul(self, t2), tj_int(1));
}

/* ---- compositions ----------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_softsign(tj_tensor *self) { return tj_div(self, plus(tj_abs(self), 1)); }
tj_tensor *tj__impl_tanhshrink(tj_tensor *self) { return tj_sub(self, tj_tanh(self), tj_int(1)); }

tj_tensor *tj__impl_prelu(tj_tensor *self, tj_tensor *weight) {
  TJ__CHECK(self->dtype == weight->dtype, TJ_ERROR_RUNTIME, "prelu: Type promoting not supported. Got %s and %s",
            tj__dtype_legacy((tj_dtype)self->dtype), tj__dtype_legacy((tj_dtype)weight->dtype));
  TJ__CHECK(weight->ndim <= 1, TJ_ERROR_RUNTIME, "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = %d",
            (int)weight->ndim);
  tj_tensor *w = weight;
  if (weight->numel != 1) {
    TJ__CHECK(self->ndim > 0, TJ_ERROR_RUNTIME, "Not allow zero-dim input tensor.");
    int64_t channels = self->ndim > 1 ? self->sizes[1] : 1;
    TJ__CHECK(channels == weight->numel, TJ_ERROR_RUNTIME,
              "Mismatch of parameter numbers and input channel size. Found parameter numbers = %lld and channel size = %lld.",
              (long long)weight->numel, (long long)channels);
  }
  if (weight->ndim == 1) { /* along the channels */
    int64_t sizes[TJ_MAX_DIMS];
    int ndim = TJ__MAX((int)self->ndim, 1);
    for (int d = 0; d < ndim; d++) sizes[d] = 1;
    sizes[ndim > 1 ? 1 : 0] = weight->numel;
    w = self->ndim == 0 ? tj_reshape(weight, TJ_NO_DIMS) : tj_reshape(weight, (tj_ints){sizes, ndim});
  }
  return tj_where(tj_gt(self, tj__number(0)), self, tj_mul(w, self));
}
