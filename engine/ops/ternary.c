/* ternary.c: selections, limits and interpolations. */
#include <math.h>

#include "copy.h"
#include "ops/arithmetic.h"
#include "impl.h"
#include "pointwise.h"

static bool is_complex(const tj_tensor *t) { return t && tj_dtype_is_complex((tj_dtype)t->dtype); }

/* ---- where, masked_fill ----------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_where(tj_tensor *out, tj_tensor *condition, tj_tensor *self, tj_tensor *other) {
  TJ__CHECK(condition->dtype == TJ_BOOL || condition->dtype == TJ_UINT8, TJ_ERROR_RUNTIME,
            "where expected condition to be a boolean tensor, but got a tensor with dtype %s",
            tj__dtype_legacy((tj_dtype)condition->dtype));
  tj_tensor *inputs[] = {self, other};
  tj_dtype dtype = tj__common_dtype(inputs, 2);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  TJ__CHECK(!tj__resizing_out || out->dtype == dtype, TJ_ERROR_RUNTIME, "Expected out type to be %s but got %s", tj__dtype_legacy(dtype),
            tj__dtype_legacy((tj_dtype)out->dtype));
  return tj__where(out, tj__to_dtype(condition, TJ_BOOL), tj__to_dtype(self, dtype), tj__to_dtype(other, dtype));
}

static bool mask_is_bool(const tj_tensor *mask) {
  if (mask->dtype == TJ_BOOL) return true;
  tj__fail(TJ_ERROR_RUNTIME, "masked_fill_ only supports boolean masks, but got mask with dtype %s", tj_dtype_name((tj_dtype)mask->dtype));
  return false;
}

tj_tensor *tj__impl_masked_fill(tj_tensor *self, tj_tensor *mask, tj_scalar value) {
  if (!mask_is_bool(mask) || !tj__check_scalar_fits(value, (tj_dtype)self->dtype)) return NULL;
  tj_tensor *fill = tj__fill(tj__empty(TJ_NO_DIMS, (tj_dtype)self->dtype, self->storage->device), value);
  return tj__where(NULL, mask, fill, self);
}

tj_tensor *tj__impl_masked_fill_Tensor(tj_tensor *self, tj_tensor *mask, tj_tensor *value) {
  TJ__CHECK(value->ndim == 0, TJ_ERROR_RUNTIME,
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).", (int)value->ndim);
  if (!mask_is_bool(mask)) return NULL;
  if (tj__can_look(value) && !tj__check_scalar_fits(tj__load_scalar(tj__read(value), (tj_dtype)value->dtype), (tj_dtype)self->dtype))
    return NULL;
  return tj__where(NULL, mask, tj__to_dtype(value, (tj_dtype)self->dtype), self);
}

/* ---- clamp ---------------------------------------------------------------------------------------------------- */

/* What self and the limits promote to, which out= has to have; a limit that is not given says nothing. */
static tj_dtype dtype_with_limits(const tj_tensor *out, const tj_tensor *self, tj_scalar min, tj_scalar max) {
  bool complex = is_complex(self) || min.kind == TJ_SCALAR_COMPLEX || max.kind == TJ_SCALAR_COMPLEX;
  if (complex) return tj__fail(TJ_ERROR_RUNTIME, "clamp is not supported for complex types"), TJ_DTYPE_NONE;
  tj__promotion p = TJ__PROMOTION_START;
  if (!tj__promotion_add(&p, self)) return TJ_DTYPE_NONE;
  if (min.kind != TJ_SCALAR_NONE && !tj__promotion_add_scalar(&p, min)) return TJ_DTYPE_NONE;
  if (max.kind != TJ_SCALAR_NONE && !tj__promotion_add_scalar(&p, max)) return TJ_DTYPE_NONE;
  const tj_dtype dtype = tj__promotion_result(&p);
  if (tj__resizing_out && out && out->dtype != dtype)
    return tj__fail(TJ_ERROR_RUNTIME, "Found dtype %s but expected %s", tj__dtype_legacy((tj_dtype)out->dtype), tj__dtype_legacy(dtype)),
           TJ_DTYPE_NONE;
  return dtype;
}

tj_tensor *tj__impl_clamp_min(tj_tensor *out, tj_tensor *self, tj_scalar min) {
  tj_dtype dtype = dtype_with_limits(out, self, min, TJ_NO_SCALAR);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  tj__params params = {.p = {tj__param_of(min)}};
  return tj__pointwise_as(TJ__PW_clamp_min, out, &self, 1, &params, dtype, dtype, "clamp_min_scalar_cpu");
}

tj_tensor *tj__impl_clamp_max(tj_tensor *out, tj_tensor *self, tj_scalar max) {
  tj_dtype dtype = dtype_with_limits(out, self, TJ_NO_SCALAR, max);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  tj__params params = {.p = {tj__param_of(max)}};
  return tj__pointwise_as(TJ__PW_clamp_max, out, &self, 1, &params, dtype, dtype, "clamp_max_scalar_cpu");
}

tj_tensor *tj__impl_clamp(tj_tensor *out, tj_tensor *self, tj_scalar min, tj_scalar max) {
  if (!self) return NULL;
  TJ__CHECK(min.kind != TJ_SCALAR_NONE || max.kind != TJ_SCALAR_NONE, TJ_ERROR_RUNTIME,
            "torch.clamp: At least one of 'min' or 'max' must not be None");
  if (max.kind == TJ_SCALAR_NONE) return tj__impl_clamp_min(out, self, min);
  if (min.kind == TJ_SCALAR_NONE) return tj__impl_clamp_max(out, self, max);
  tj_dtype dtype = dtype_with_limits(out, self, min, max);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  tj__params params = {.p = {tj__param_of(min), tj__param_of(max)}};
  return tj__pointwise_as(TJ__PW_clamp, out, &self, 1, &params, dtype, dtype, "clamp_scalar_cpu");
}

tj_tensor *tj__impl_clamp_backward(tj_tensor *out, tj_tensor *grad_output, tj_tensor *self, tj_scalar min, tj_scalar max) {
  tj_tensor *inputs[] = {grad_output, self};
  tj__params params = {.p = {tj__param_of(min.kind == TJ_SCALAR_NONE ? tj_float(-INFINITY) : min),
                             tj__param_of(max.kind == TJ_SCALAR_NONE ? tj_float(INFINITY) : max)}};
  return tj__pointwise(TJ__PW_clamp_backward, out, inputs, 2, &params, TJ__RULE_PROMOTE, "clamp_backward");
}

tj_tensor *tj__impl_clamp_Tensor(tj_tensor *out, tj_tensor *self, tj_tensor *min, tj_tensor *max) {
  TJ__CHECK(min || max, TJ_ERROR_RUNTIME, "torch.clamp: At least one of 'min' or 'max' must not be None");
  TJ__CHECK(!is_complex(self) && !is_complex(min) && !is_complex(max), TJ_ERROR_RUNTIME, "clamp is not supported for complex types");
  tj_tensor *inputs[] = {self, min ? min : max, max};
  int kernel = !max ? TJ__PW_maximum : !min ? TJ__PW_minimum : TJ__PW_clamp_kernel;
  return tj__pointwise(kernel, out, inputs, min && max ? 3 : 2, NULL, TJ__RULE_PROMOTE, "clamp_cpu");
}
tj_tensor *tj__impl_clamp_min_Tensor(tj_tensor *out, tj_tensor *self, tj_tensor *min) {
  return tj__impl_clamp_Tensor(out, self, min, NULL);
}
tj_tensor *tj__impl_clamp_max_Tensor(tj_tensor *out, tj_tensor *self, tj_tensor *max) {
  return tj__impl_clamp_Tensor(out, self, NULL, max);
}

tj_tensor *tj__impl_clamp_Tensor_backward(tj_tensor *grad_output, tj_tensor *self, tj_tensor *min, tj_tensor *max, int64_t which) {
  tj_tensor *mask = NULL;
  if (which == 0) {
    tj_tensor *above = min ? tj_ge(self, min) : NULL, *below = max ? tj_le(self, max) : NULL;
    mask = above && below ? tj_logical_and(above, below) : above ? above : below;
  } else if (which == 1) { /* the lower limit counts where self is below it and it is below the upper one */
    mask = tj_lt(self, min);
    if (max) mask = tj_logical_and(tj_lt(min, max), mask);
  } else {
    mask = tj_gt(self, max);
    if (min) mask = tj_logical_or(tj_lt(max, min), mask);
  }
  return tj_where(mask, grad_output, tj__number(0));
}

/* ---- interpolation ---------------------------------------------------------------------------------------------- */

static bool same_dtype(const tj_tensor *self, const tj_tensor *other, const char *name) {
  if (self->dtype == other->dtype) return true;
  tj__fail(TJ_ERROR_RUNTIME, "expected dtype %s for `%s` but got dtype %s", tj_dtype_name((tj_dtype)self->dtype), name,
           tj_dtype_name((tj_dtype)other->dtype));
  return false;
}

tj_tensor *tj__impl_lerp_Scalar(tj_tensor *out, tj_tensor *self, tj_tensor *end, tj_scalar weight) {
  if (!same_dtype(self, end, "end")) return NULL;
  tj_tensor *inputs[] = {self, end};
  tj__params params = {.p = {tj__param_of(weight)}};
  return tj__pointwise(TJ__PW_lerp_Scalar, out, inputs, 2, &params, TJ__RULE_PROMOTE, "lerp_kernel_scalar");
}

tj_tensor *tj__impl_lerp_backward(tj_tensor *grad_output, tj_scalar weight) {
  if (weight.kind == TJ_SCALAR_COMPLEX) return tj_scale_grad(grad_output, tj_complex_number(1 - weight.c.re, -weight.c.im));
  return tj_scale_grad(grad_output, tj_float(1 - tj__scalar_to_double(weight)));
}

tj_tensor *tj__impl_lerp_Tensor(tj_tensor *out, tj_tensor *self, tj_tensor *end, tj_tensor *weight) {
  if (!same_dtype(self, end, "end") || !same_dtype(self, weight, "weight")) return NULL;
  tj_tensor *inputs[] = {self, end, weight};
  return tj__pointwise(TJ__PW_lerp_Tensor, out, inputs, 3, NULL, TJ__RULE_PROMOTE, "lerp_kernel_tensor");
}

tj_tensor *tj__impl_addcdiv(tj_tensor *out, tj_tensor *self, tj_tensor *tensor1, tj_tensor *tensor2, tj_scalar value) {
  TJ__CHECK(
      tj__class_of((tj_dtype)tensor1->dtype) >= TJ__CLASS_FLOAT || tj__class_of((tj_dtype)tensor2->dtype) >= TJ__CLASS_FLOAT,
      TJ_ERROR_RUNTIME,
      "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 "
      "and tensor2. The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / "
      "tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv "
      "behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes.");
  tj_tensor *inputs[] = {self, tensor1, tensor2};
  tj__params params = {.p = {tj__param_of(value)}};
  return tj__pointwise(TJ__PW_addcdiv, out, inputs, 3, &params, TJ__RULE_PROMOTE, "addcdiv_cpu_out");
}
