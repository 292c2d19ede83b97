/* unary.c: functions of one tensor that need more than their generated loop: checks, defaults, compositions for derivatives. */
#include <float.h>
#include <math.h>

#include "copy.h"
#include "ops/arithmetic.h"
#include "impl.h"
#include "pointwise.h"

#define UNARY(name, out, self, RULE, kernel) tj__pointwise(TJ__PW_##name, out, &(self), 1, NULL, TJ__RULE_##RULE, kernel)

static bool is_complex(const tj_tensor *t) { return tj_dtype_is_complex((tj_dtype)t->dtype); }

tj_tensor *tj__impl_neg(tj_tensor *out, tj_tensor *self) {
  TJ__CHECK(self->dtype != TJ_BOOL, TJ_ERROR_RUNTIME,
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
            "`logical_not()` operator instead.");
  return UNARY(neg, out, self, PROMOTE, "neg_cpu");
}

tj_tensor *tj__impl_positive(tj_tensor *self) {
  TJ__CHECK(self->dtype != TJ_BOOL, TJ_ERROR_RUNTIME, "The `+` operator, on a bool tensor is not supported.");
  return self;
}

tj_tensor *tj__impl_sign(tj_tensor *out, tj_tensor *self) {
  TJ__CHECK(!is_complex(self), TJ_ERROR_RUNTIME,
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.");
  return UNARY(sign, out, self, PROMOTE, "sign_cpu");
}

#define NOT_COMPLEX(name, RULE, kernel, message)                \
  tj_tensor *tj__impl_##name(tj_tensor *out, tj_tensor *self) { \
    TJ__CHECK(!is_complex(self), TJ_ERROR_RUNTIME, message);    \
    return UNARY(name, out, self, RULE, kernel);                \
  }
NOT_COMPLEX(floor, PROMOTE, "floor_vml_cpu", "floor is not supported for complex inputs")
NOT_COMPLEX(ceil, PROMOTE, "ceil_vml_cpu", "ceil is not supported for complex inputs")
NOT_COMPLEX(trunc, PROMOTE, "trunc_vml_cpu", "trunc is not supported for complex inputs")
NOT_COMPLEX(signbit, BOOL, "signbit_cpu", "signbit is not implemented for complex tensors.")
NOT_COMPLEX(deg2rad, FLOAT, "deg2rad_cpu", "deg2rad is not supported for complex tensors.")
NOT_COMPLEX(rad2deg, FLOAT, "rad2deg_cpu", "rad2deg is not supported for complex tensors.")

/* A number beside bool makes int64, as in self ** 2. */
tj_tensor *tj__impl_square(tj_tensor *out, tj_tensor *self) {
  tj_dtype dtype = self->dtype == TJ_BOOL ? TJ_INT64 : (tj_dtype)self->dtype;
  return tj__pointwise_as(TJ__PW_square, out, &self, 1, NULL, dtype, dtype, "pow");
}

tj_tensor *tj__impl_angle(tj_tensor *out, tj_tensor *self) {
  tj_dtype dtype = tj__floating_of((tj_dtype)self->dtype);
  return tj__pointwise_as(TJ__PW_angle, out, &self, 1, NULL, dtype, tj__real_of(dtype), "angle_vml_cpu");
}

tj_tensor *tj__impl_round_decimals(tj_tensor *self, int64_t decimals) {
  tj__dtype_class class = tj__class_of((tj_dtype)self->dtype);
  TJ__CHECK(class == TJ__CLASS_FLOAT, TJ_ERROR_NOT_IMPLEMENTED, "\"round_cpu\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)self->dtype));
  if (decimals == 0) return tj__impl_round(NULL, self);
  return tj__impl_scaled_round(NULL, self, pow(10.0, (double)(decimals < 0 ? -decimals : decimals)), decimals < 0);
}

tj_tensor *tj__impl_logit(tj_tensor *out, tj_tensor *self, tj_scalar eps) {
  tj_tensor *limited = self;
  if (eps.kind != TJ_SCALAR_NONE) {
    double e = tj__scalar_to_double(eps);
    tj_dtype dtype = tj__floating_of((tj_dtype)self->dtype);
    bool resizing = tj__resizing_out;
    tj__resizing_out = false;
    limited = tj__impl_clamp(NULL, tj__to_dtype(self, dtype), tj_float(e), tj_float(1.0 - e));
    tj__resizing_out = resizing;
    if (!limited) return NULL;
  }
  return UNARY(logit, out, limited, FLOAT, "logit_cpu");
}

tj_tensor *tj__impl_nan_to_num(tj_tensor *out, tj_tensor *self, tj_scalar nan, tj_scalar posinf, tj_scalar neginf) {
  tj_dtype dtype = (tj_dtype)self->dtype;
  tj__dtype_class class = tj__class_of(dtype);
  if (class == TJ__CLASS_BOOL || class == TJ__CLASS_INT) {
    if (!out) return tj__clone(self);
    if (tj__resizing_out && !tj__same_sizes(out, self) && !tj__resize(out, tj__sizes(self))) return NULL;
    return tj__copy_into(out, self);
  }
  if (class == TJ__CLASS_COMPLEX) { /* the parts on their own, through a view of them */
    TJ__CHECK(self->ndim < TJ_MAX_DIMS, TJ_ERROR_RUNTIME, "nan_to_num: too many dimensions");
    bool direct = out && out->dtype == self->dtype && tj__same_sizes(out, self);
    tj_tensor *result = direct ? out : tj__empty_like(self, dtype), *parts[2] = {self, result};
    if (!result) return NULL;
    for (int i = 0; i < 2; i++) {
      int64_t sizes[TJ_MAX_DIMS], strides[TJ_MAX_DIMS];
      const tj_tensor *t = parts[i];
      for (int d = 0; d < t->ndim; d++) sizes[d] = t->sizes[d], strides[d] = 2 * t->strides[d];
      sizes[t->ndim] = 2;
      strides[t->ndim] = 1;
      parts[i] = tj__alias_dtype(t, tj__real_of(dtype), (tj_ints){sizes, t->ndim + 1}, (tj_ints){strides, t->ndim + 1}, 2 * t->offset);
      if (!parts[i]) return NULL;
    }
    if (!tj__impl_nan_to_num(parts[1], parts[0], nan, posinf, neginf)) return NULL;
    if (!out || direct) return result;
    if (tj__resizing_out && !tj__same_sizes(out, self) && !tj__resize(out, tj__sizes(self))) return NULL;
    return tj__copy_into(out, result);
  }
  double most = dtype == TJ_FLOAT16 ? 65504.0 : dtype == TJ_BFLOAT16 ? 0x1.fep127 : dtype == TJ_FLOAT32 ? FLT_MAX : DBL_MAX;
  tj__params params = {.p = {tj__param_of(nan.kind == TJ_SCALAR_NONE ? tj_float(0) : nan),
                             tj__param_of(posinf.kind == TJ_SCALAR_NONE ? tj_float(most) : posinf),
                             tj__param_of(neginf.kind == TJ_SCALAR_NONE ? tj_float(-most) : neginf)}};
  return tj__pointwise(TJ__PW_nan_to_num, out, &self, 1, &params, TJ__RULE_PROMOTE, "nan_to_num_cpu");
}

#define SIGNED_INFINITY(name)                                                                  \
  tj_tensor *tj__impl_##name(tj_tensor *out, tj_tensor *self) {                                \
    TJ__CHECK(!is_complex(self), TJ_ERROR_RUNTIME, #name " does not support complex inputs."); \
    return UNARY(name, out, self, BOOL, #name "_cpu");                                         \
  }
SIGNED_INFINITY(isposinf)
SIGNED_INFINITY(isneginf)

tj_tensor *tj__impl_isreal(tj_tensor *self) {
  if (is_complex(self)) return tj_eq(self, tj_conj(self));
  return tj__fill(tj__empty_like(self, TJ_BOOL), tj_bool(true));
}

tj_status tj__impl_frexp(tj_tensor *self, tj_tensor **mantissa, tj_tensor **exponent) {
  TJ__CHECK_STATUS(tj__class_of((tj_dtype)self->dtype) == TJ__CLASS_FLOAT, TJ_ERROR_RUNTIME,
                   "torch.frexp() only supports floating-point dtypes");
  *mantissa = tj__impl_frexp_part(NULL, self, false);
  tj_tensor *whole = tj__impl_frexp_part(NULL, self, true);
  *exponent = whole ? tj__to_dtype(whole, TJ_INT32) : NULL;
  return *mantissa && *exponent ? TJ_OK : tj_error_code();
}

/* ---- derivatives that are compositions of operators ------------------------------------------------------------ */

/* value * grad, with zero where `zero` holds, also where value is infinite or NaN there */
static tj_tensor *zero_where(tj_tensor *zero, tj_tensor *value) { return tj_masked_fill(value, zero, tj_int(0)); }

/* Of z / |z|: the part of grad / |z| across the direction of z. */
tj_tensor *tj__impl_sgn_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *result) {
  if (!is_complex(self)) return tj_mul(grad_output, tj__number(0));
  tj_tensor *length = tj_abs(self);
  tj_tensor *along = tj_mul(grad_output, tj_conj(result));
  along = tj_mul(tj_add(along, tj_conj(along), tj_int(1)), tj__number(0.5)); /* its real part */
  tj_tensor *grad = tj_div(tj_sub(grad_output, tj_mul(along, result), tj_int(1)), length);
  return zero_where(tj_eq(length, tj__number(0)), grad);
}

tj_tensor *tj__impl_sinc_backward(tj_tensor *grad_output, tj_tensor *self) {
  tj_tensor *x = tj_mul(self, tj__number(M_PI));
  tj_tensor *slope = tj_div(tj_sub(tj_mul(tj_cos(x), x), tj_sin(x), tj_int(1)), tj_mul(x, self));
  return zero_where(tj_eq(self, tj__number(0)), tj_mul(grad_output, tj_conj(slope)));
}

tj_tensor *tj__impl_angle_backward(tj_tensor *grad_output, tj_tensor *self) {
  if (!is_complex(self)) return tj_mul(grad_output, tj__number(0));
  tj_tensor *turned = tj_mul(grad_output, tj_scalar_tensor(tj_complex_number(0, 1)));
  return zero_where(tj_eq(self, tj__number(0)), tj_div(turned, tj_conj(self)));
}

tj_tensor *tj__impl_logit_backward(tj_tensor *grad_output, tj_tensor *self, tj_scalar eps) {
  tj_tensor *slope = tj_mul(self, tj_rsub(self, tj__number(1), tj_int(1)));
  tj_tensor *grad = tj_div(grad_output, slope);
  if (eps.kind == TJ_SCALAR_NONE) /* outside [0, 1] the function is NaN, and so is its derivative */
    return tj_where(tj_logical_and(tj_ge(self, tj__number(0)), tj_le(self, tj__number(1))), grad, tj__number(NAN));
  double e = tj__scalar_to_double(eps);
  return tj_where(tj_logical_and(tj_ge(self, tj__number(e)), tj_le(self, tj__number(1 - e))), grad, tj__number(0));
}
