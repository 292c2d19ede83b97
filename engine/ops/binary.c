/* binary.c: arithmetic of two tensors that needs more than its generated loop: checks of numbers, roundings, powers, and the compositions
 * that derivatives are made of. */
#include <math.h>

#include "copy.h"
#include "ops/arithmetic.h"
#include "impl.h"
#include "pointwise.h"

static bool is_integral(tj_dtype dtype) {
  tj__dtype_class class = tj__class_of(dtype);
  return class == TJ__CLASS_BOOL || class == TJ__CLASS_INT;
}

/* ---- add, sub ------------------------------------------------------------------------------------------------- */

/* alpha has to be of a kind that the result's dtype can hold. */
static bool alpha_suits(tj_dtype dtype, tj_scalar alpha) {
  if (alpha.kind == TJ_SCALAR_BOOL && dtype != TJ_BOOL) tj__fail(TJ_ERROR_RUNTIME, "Boolean alpha only supported for Boolean results.");
  else if (is_integral(dtype) && (alpha.kind == TJ_SCALAR_FLOAT || alpha.kind == TJ_SCALAR_COMPLEX))
    tj__fail(TJ_ERROR_RUNTIME, "For integral input tensors, argument alpha must not be a floating point number.");
  else if (alpha.kind == TJ_SCALAR_COMPLEX && !tj_dtype_is_complex(dtype))
    tj__fail(TJ_ERROR_RUNTIME, "For non-complex input tensors, argument alpha must not be a complex number.");
  else return true;
  return false;
}

tj_tensor *tj__impl_add(tj_tensor *out, tj_tensor *self, tj_tensor *other, tj_scalar alpha) {
  tj_tensor *inputs[] = {self, other};
  tj_dtype dtype = tj__common_dtype(inputs, 2);
  if (dtype == TJ_DTYPE_NONE || !alpha_suits(dtype, alpha)) return NULL;
  tj__params params = {.p = {tj__param_of(alpha)}};
  return tj__pointwise_as(TJ__PW_add, out, inputs, 2, &params, dtype, dtype, "add_stub");
}

static tj_tensor *subtract(tj_tensor *out, tj_tensor *self, tj_tensor *other, tj_scalar alpha) {
  TJ__CHECK(self->dtype != TJ_BOOL || other->dtype != TJ_BOOL, TJ_ERROR_RUNTIME,
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
  TJ__CHECK(self->dtype != TJ_BOOL && other->dtype != TJ_BOOL, TJ_ERROR_RUNTIME,
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
            "`logical_not()` operator instead.");
  tj_tensor *inputs[] = {self, other};
  tj_dtype dtype = tj__common_dtype(inputs, 2);
  if (dtype == TJ_DTYPE_NONE || !alpha_suits(dtype, alpha)) return NULL;
  tj__params params = {.p = {tj__param_of(alpha)}};
  return tj__pointwise_as(TJ__PW_sub, out, inputs, 2, &params, dtype, dtype, "sub_stub");
}

tj_tensor *tj__impl_sub(tj_tensor *out, tj_tensor *self, tj_tensor *other, tj_scalar alpha) { return subtract(out, self, other, alpha); }
tj_tensor *tj__impl_rsub(tj_tensor *out, tj_tensor *self, tj_tensor *other, tj_scalar alpha) { return subtract(out, other, self, alpha); }

tj_tensor *tj__impl_scale_grad(tj_tensor *grad_output, tj_scalar factor) {
  if (factor.kind != TJ_SCALAR_COMPLEX) return tj__scalar_equals(factor, 1) ? grad_output : tj_mul(grad_output, tj_scalar_tensor(factor));
  return tj_mul(grad_output, tj_scalar_tensor(tj_complex_number(factor.c.re, -factor.c.im)));
}

/* ---- division ------------------------------------------------------------------------------------------------- */

/* Loops cannot fail, so integers are looked through for a zero divisor first. */
static bool divides(tj_tensor *other, tj_dtype dtype) {
  if (tj__class_of(dtype) != TJ__CLASS_INT || other->numel == 0 || !tj__can_look(other)) return true;
  tj_tensor *flat = tj__contiguous(other);
  if (!flat) return false;
  const char *p = tj__read(flat);
  bool zero = false;
  switch (tj__itemsize(flat)) {
    case 1:
      for (int64_t i = 0; i < flat->numel; i++) zero |= ((const uint8_t *)p)[i] == 0;
      break;
    case 2:
      for (int64_t i = 0; i < flat->numel; i++) zero |= ((const uint16_t *)p)[i] == 0;
      break;
    case 4:
      for (int64_t i = 0; i < flat->numel; i++) zero |= ((const uint32_t *)p)[i] == 0;
      break;
    default:
      for (int64_t i = 0; i < flat->numel; i++) zero |= ((const uint64_t *)p)[i] == 0;
      break;
  }
  if (zero) tj__fail(TJ_ERROR_RUNTIME, "ZeroDivisionError");
  return !zero;
}

static tj_tensor *divide(int kernel, const char *name, tj_tensor *out, tj_tensor *self, tj_tensor *other) {
  tj_tensor *inputs[] = {self, other};
  tj_dtype dtype = tj__common_dtype(inputs, 2);
  if (dtype == TJ_DTYPE_NONE || !divides(other, dtype)) return NULL;
  return tj__pointwise_as(kernel, out, inputs, 2, NULL, dtype, dtype, name);
}

tj_tensor *tj__impl_floor_divide(tj_tensor *out, tj_tensor *self, tj_tensor *other) {
  return divide(TJ__PW_floor_divide, "div_floor_cpu", out, self, other);
}
tj_tensor *tj__impl_remainder(tj_tensor *out, tj_tensor *self, tj_tensor *other) {
  return divide(TJ__PW_remainder, "remainder_cpu", out, self, other);
}
tj_tensor *tj__impl_fmod(tj_tensor *out, tj_tensor *self, tj_tensor *other) { return divide(TJ__PW_fmod, "fmod_cpu", out, self, other); }

tj_tensor *tj__impl_div_Tensor_mode(tj_tensor *out, tj_tensor *self, tj_tensor *other, const char *rounding_mode) {
  if (!rounding_mode) return tj__impl_div(out, self, other);
  if (strcmp(rounding_mode, "floor") == 0) return divide(TJ__PW_floor_divide, "div_floor_cpu", out, self, other);
  if (strcmp(rounding_mode, "trunc") == 0) return divide(TJ__PW_trunc_divide, "div_trunc_cpu", out, self, other);
  return tj__fail(TJ_ERROR_RUNTIME, "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '%s'", rounding_mode);
}

tj_tensor *tj__impl_div_backward(tj_tensor *grad_output, tj_tensor *other, const char *rounding_mode) {
  if (rounding_mode) return tj_mul(grad_output, tj__number(0));
  return tj_div(grad_output, tj_conj(other));
}
tj_tensor *tj__impl_div_other_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *other, const char *rounding_mode) {
  if (rounding_mode) return tj_mul(grad_output, tj__number(0));
  return tj_neg(tj_mul(grad_output, tj_conj(tj_div(tj_div(self, other), other))));
}

/* ---- powers --------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_pow(tj_tensor *out, tj_tensor *self, tj_tensor *exponent) {
  tj_tensor *inputs[] = {self, exponent};
  tj_dtype dtype = tj__common_dtype(inputs, 2);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  if (exponent->ndim == 0 && exponent->wrapped_number) {
    tj_scalar e = tj__load_scalar(tj__read(exponent), (tj_dtype)exponent->dtype);
    TJ__CHECK(!(e.kind == TJ_SCALAR_INT && e.i < 0 && is_integral((tj_dtype)self->dtype)), TJ_ERROR_RUNTIME,
              "Integers to negative integer powers are not allowed.");
    if (!out && (tj__scalar_equals(e, 1) || (dtype == TJ_BOOL && tj__scalar_is_zero(e)))) {
      tj_tensor *power = tj__clone_as(self, dtype, NULL);
      return tj__scalar_is_zero(e) ? tj__fill(power, tj_bool(true)) : power;
    }
    bool plain = !is_integral(dtype);
    int kernel = !plain                       ? -1
                 : tj__scalar_equals(e, 2)    ? TJ__PW_square
                 : tj__scalar_equals(e, 0.5)  ? TJ__PW_sqrt
                 : tj__scalar_equals(e, -0.5) ? TJ__PW_rsqrt
                 : tj__scalar_equals(e, -1)   ? TJ__PW_reciprocal
                 : tj__scalar_equals(e, 3)    ? TJ__PW_cube_kernel
                                              : -1;
    if (kernel >= 0) return tj__pointwise_as(kernel, out, &self, 1, NULL, dtype, dtype, "pow");
  }
  return tj__pointwise_as(TJ__PW_pow, out, inputs, 2, NULL, dtype, dtype, "pow");
}

/* The exponent as a plain number; false if it is a tensor of its own right. */
static bool plain_exponent(const tj_tensor *exponent, tj_scalar *value) {
  if (exponent->ndim != 0 || !exponent->wrapped_number) return false;
  *value = tj__load_scalar(tj__read(exponent), (tj_dtype)exponent->dtype);
  return true;
}

static tj_scalar less_one(tj_scalar e) {
  switch (e.kind) {
    case TJ_SCALAR_BOOL:
    case TJ_SCALAR_INT: return tj_int(e.i - 1);
    case TJ_SCALAR_COMPLEX: return tj_complex_number(e.c.re - 1, e.c.im);
    default: return tj_float(e.f - 1);
  }
}

tj_tensor *tj__impl_pow_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *exponent) {
  tj_scalar e;
  if (plain_exponent(exponent, &e)) {
    if (tj__scalar_is_zero(e)) return tj_mul(tj_zeros_like(self, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL), tj__number(1));
    if (tj__scalar_equals(e, 1)) return grad_output;
    tj_tensor *power = tj__scalar_equals(e, 2) ? self : tj_pow(self, tj_scalar_tensor(less_one(e)));
    return tj_mul(grad_output, tj_conj(tj_mul(power, tj_scalar_tensor(e))));
  }
  tj_tensor *slope = tj_mul(exponent, tj_pow(self, tj_sub(exponent, tj_scalar_tensor(tj_int(1)), tj_int(1))));
  return tj_where(tj_eq(exponent, tj__number(0)), tj__number(0), tj_mul(grad_output, tj_conj(slope)));
}

tj_tensor *tj__impl_pow_exponent_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *exponent, tj_tensor *result) {
  tj_tensor *at_zero = tj_eq(self, tj__number(0));
  if (!tj_dtype_is_complex((tj_dtype)exponent->dtype)) at_zero = tj_logical_and(at_zero, tj_ge(exponent, tj__number(0)));
  tj_tensor *slope = tj_conj(tj_mul(result, tj_log(self)));
  return tj_mul(grad_output, tj_where(at_zero, tj__number(0), slope));
}

tj_tensor *tj__impl_float_power(tj_tensor *self, tj_tensor *exponent) {
  bool complex = tj_dtype_is_complex((tj_dtype)self->dtype) || tj_dtype_is_complex((tj_dtype)exponent->dtype);
  tj_tensor *base = complex ? tj_to_cdouble(self, NULL) : tj_to_double(self, NULL);
  return tj_pow(base, complex ? tj_to_cdouble(exponent, NULL) : tj_to_double(exponent, NULL));
}

tj_tensor *tj__impl_ldexp(tj_tensor *self, tj_tensor *other) {
  tj_dtype dtype = tj__common_dtype((tj_tensor *[]){self, other}, 2);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  tj_tensor *exponent = tj_to_dtype(other, tj__floating_of(dtype), false, false, NULL); /* the power is of the result's dtype */
  return exponent ? tj_mul(self, tj_pow(tj_scalar_tensor(tj_float(2)), exponent)) : NULL;
}

/* ---- others --------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_copysign_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *result) {
  tj_tensor *ratio = tj_masked_fill(tj_div(result, self), tj_eq(self, tj__number(0)), tj_int(0));
  return tj_mul(grad_output, ratio);
}

tj_tensor *tj__impl_xlogy_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *other) {
  tj_tensor *flat = tj_logical_and(tj_eq(self, tj__number(0)), tj_le(other, tj__number(0)));
  return tj_masked_fill(tj_xlogy(grad_output, other), flat, tj_int(0));
}

tj_tensor *tj__impl_heaviside(tj_tensor *out, tj_tensor *self, tj_tensor *values) {
  TJ__CHECK(!tj_dtype_is_complex((tj_dtype)self->dtype) && !tj_dtype_is_complex((tj_dtype)values->dtype), TJ_ERROR_RUNTIME,
            "heaviside is not yet implemented for complex tensors.");
  TJ__CHECK(self->dtype == values->dtype, TJ_ERROR_RUNTIME, "heaviside is not yet implemented for tensors with different dtypes.");
  tj_tensor *inputs[] = {self, values};
  return tj__pointwise(TJ__PW_heaviside, out, inputs, 2, NULL, TJ__RULE_PROMOTE, "heaviside_cpu");
}

#define EXTREME(name)                                                                                                        \
  tj_tensor *tj__impl_##name(tj_tensor *out, tj_tensor *self, tj_tensor *other) {                                            \
    TJ__CHECK(!tj_dtype_is_complex((tj_dtype)self->dtype) && !tj_dtype_is_complex((tj_dtype)other->dtype), TJ_ERROR_RUNTIME, \
              #name " not implemented for complex tensors.");                                                                \
    tj_tensor *inputs[] = {self, other};                                                                                     \
    return tj__pointwise(TJ__PW_##name, out, inputs, 2, NULL, TJ__RULE_PROMOTE, #name "_cpu");                               \
  }
EXTREME(maximum)
EXTREME(minimum)
EXTREME(fmax)
EXTREME(fmin)
