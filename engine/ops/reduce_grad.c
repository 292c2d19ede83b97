/* reduce_grad.c: derivatives of the reductions, made of operators so that they can be differentiated again. */
#include <math.h>

#include "impl.h"
#include "iter/convert.h"
#include "reduce.h"

static tj_ints all_if_empty(tj_ints dim) { return dim.n == 0 ? TJ_NO_INTS : dim; }

tj_tensor *tj__impl_sum_backward(tj_tensor *grad, tj_ints sizes, tj_ints dim, bool keepdim) {
  return tj_expand(tj__unsqueeze_dims(grad, dim, sizes.n, keepdim), sizes, false);
}

tj_tensor *tj__impl_nansum_backward(tj_tensor *grad, tj_tensor *self, tj_ints dim, bool keepdim) {
  tj_tensor *wide = tj_sum_backward(grad, tj_sizes(self), dim, keepdim);
  return tj__class_of((tj_dtype)self->dtype) < TJ__CLASS_FLOAT ? wide : tj_mul(wide, tj_logical_not(tj_isnan(tj_detach(self))));
}

static double count_of(tj_ints sizes, tj_ints dim) {
  bool flags[TJ_MAX_DIMS];
  double n = 1;
  if (!tj__reduce_flags(dim, sizes.n, flags)) return 1;
  for (int64_t d = 0; d < sizes.n; d++) n *= flags[d] ? (double)sizes.data[d] : 1;
  return n > 0 ? n : 1; /* of no elements there is no derivative, and none is NaN */
}

tj_tensor *tj__impl_mean_backward(tj_tensor *grad, tj_ints sizes, tj_ints dim, bool keepdim) {
  return tj_expand(tj_div(tj__unsqueeze_dims(grad, dim, sizes.n, keepdim), tj__number(count_of(sizes, dim))), sizes, false);
}

/* Products of the elements before each one along dim. */
static tj_tensor *before(tj_tensor *x, int64_t dim) {
  if (!x) return NULL;
  int64_t n = x->sizes[dim], sizes[TJ_MAX_DIMS];
  memcpy(sizes, x->sizes, (size_t)x->ndim * sizeof *sizes);
  sizes[dim] = 1;
  tj_tensor *one = tj__empty((tj_ints){sizes, x->ndim}, (tj_dtype)x->dtype, x->storage->device);
  if (!one || !tj__fill(one, tj_int(1))) return NULL;
  return tj_cumprod(tj_cat(TJ_TENSORS(one, tj_narrow(x, dim, 0, n - 1)), dim), dim, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_prod_dim_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *result, int64_t dim, bool keepdim) {
  if (self->ndim == 0) return grad;
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  if (!keepdim) grad = tj_unsqueeze(grad, d), result = tj_unsqueeze(result, d);
  if (!grad || !result) return NULL;
  if (self->numel == 0) return tj_mul(grad, self);
  tj_tensor *zero = tj__can_look(self) ? tj_any(tj_eq(tj_detach(self), tj__number(0))) : NULL;
  tj_scalar some = zero ? tj_item(zero) : tj_bool(true);
  if (some.kind == TJ_SCALAR_NONE || tj_error_code()) return NULL;
  if (!some.i) return tj_mul(grad, tj_conj(tj_div(result, self)));
  tj_tensor *left = before(self, d), *right = tj_flip(before(tj_flip(self, TJ_INTS(d)), d), TJ_INTS(d));
  return tj_mul(grad, tj_conj(tj_mul(left, right)));
}

tj_tensor *tj__impl_prod_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *result) {
  if (self->ndim == 0) return grad;
  tj_tensor *flat = tj_reshape(self, TJ_INTS(-1));
  return flat ? tj_reshape(tj_prod_dim_backward(grad, flat, result, 0, false), tj_sizes(self)) : NULL;
}

tj_tensor *tj__impl_var_backward(tj_tensor *grad, tj_tensor *self, tj_ints dim, tj_scalar correction, bool keepdim) {
  double n = count_of(tj_sizes(self), dim), c = correction.kind == TJ_SCALAR_NONE ? 1 : tj__scalar_to_double(correction);
  tj_tensor *wide = tj__unsqueeze_dims(grad, dim, self->ndim, keepdim);
  tj_tensor *centered = tj_sub(self, tj_mean_dim(self, dim, true, TJ_DTYPE_NONE), TJ__ONE);
  /* no degree of freedom left: inf or NaN, as the quotient says */
  return tj_mul(tj_mul(tj__number(self->numel == 0 ? 0 : n - c > 0 ? 2 / (n - c) : n - c == 0 ? INFINITY : NAN), wide), centered);
}

tj_tensor *tj__impl_std_backward(tj_tensor *grad, tj_tensor *result, tj_tensor *self, tj_ints dim, tj_scalar correction, bool keepdim) {
  tj_tensor *scaled = tj_div(grad, tj_mul(result, tj__number(2)));
  scaled = tj_where(tj_eq(result, tj__number(0)), tj__number(0), scaled);
  return tj_var_backward(scaled, self, dim, correction, keepdim);
}

tj_tensor *tj__impl_logsumexp_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *result, tj_ints dim, bool keepdim) {
  tj_tensor *g = tj__unsqueeze_dims(grad, dim, self->ndim, keepdim), *r = tj__unsqueeze_dims(result, dim, self->ndim, keepdim);
  return tj_mul(g, tj_conj(tj_exp(tj_sub(self, r, TJ__ONE))));
}

/* Where self has the (NaN-aware) value. */
static tj_tensor *equal_or_nan(tj_tensor *self, tj_tensor *value) {
  self = tj_detach(self);
  value = tj_detach(value);
  if (!self || !value) return NULL;
  tj_tensor *mask = tj_eq(self, value);
  if (tj__class_of((tj_dtype)self->dtype) < TJ__CLASS_FLOAT) return mask;
  return tj_logical_or(mask, tj_logical_and(tj_isnan(self), tj_isnan(value)));
}

tj_tensor *tj__impl_evenly_distribute_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *value) {
  tj_tensor *mask = equal_or_nan(self, value);
  return tj_mul(mask, tj_div(grad, tj_sum(mask, TJ_DTYPE_NONE)));
}

tj_tensor *tj__impl_amax_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *result, tj_ints dim, bool keepdim) {
  dim = all_if_empty(dim);
  tj_tensor *g = tj__unsqueeze_dims(grad, dim, self->ndim, keepdim), *r = tj__unsqueeze_dims(result, dim, self->ndim, keepdim);
  tj_tensor *mask = tj_eq(tj_detach(self), tj_detach(r));
  return tj_mul(mask, tj_div(g, tj_sum_dim(mask, dim, true, TJ_DTYPE_NONE)));
}

tj_tensor *tj__impl_value_selecting_reduction_backward(tj_tensor *grad, int64_t dim, tj_tensor *indices, tj_ints sizes, bool keepdim) {
  if (!keepdim && sizes.n > 0) {
    int d = tj__wrap_dim(dim, sizes.n);
    if (d < 0) return NULL;
    grad = tj_unsqueeze(grad, d);
    indices = tj_unsqueeze(indices, d);
    if (!grad || !indices) return NULL;
  }
  tj_tensor *zeros = tj__empty(sizes, (tj_dtype)grad->dtype, grad->storage->device);
  if (!zeros || !tj__fill(zeros, tj_int(0))) return NULL;
  return tj_scatter(zeros, dim, indices, grad);
}

tj_tensor *tj__impl_linalg_vector_norm_backward(tj_tensor *grad, tj_tensor *self, tj_scalar ord, tj_tensor *norm, tj_ints dim,
                                                bool keepdim) {
  const double p = tj__scalar_to_double(ord);
  dim = all_if_empty(dim);
  grad = tj__unsqueeze_dims(grad, dim, self->ndim, keepdim);
  norm = tj__unsqueeze_dims(norm, dim, self->ndim, keepdim);
  if (!grad || !norm) return NULL;
  if (p == 0) return tj_mul(self, tj__number(0));
  if (p == 1) return tj_mul(tj_sgn(self), grad);
  tj_tensor *zero_norm = tj_eq(norm, tj__number(0));
  if (p == 2) return tj_mul(grad, tj_where(zero_norm, tj__number(0), tj_div(self, norm)));
  if (isinf(p)) {
    tj_tensor *mask = equal_or_nan(tj_abs(self), norm);
    return tj_mul(tj_sgn(self), tj_mul(tj_div(grad, tj_sum_dim(mask, dim, true, TJ_DTYPE_NONE)), mask));
  }
  tj_tensor *size = tj_abs(self), *scaled, *scale;
  if (p < 1) {
    scaled = tj_mul(tj_sgn(self), tj_where(tj_eq(self, tj__number(0)), tj__number(0), tj_pow(size, tj__number(p - 1))));
    return tj_mul(tj_mul(scaled, grad), tj_pow(norm, tj__number(1 - p)));
  }
  scaled = p < 2 ? tj_mul(tj_sgn(self), tj_pow(size, tj__number(p - 1))) : tj_mul(self, tj_pow(size, tj__number(p - 2)));
  scale = tj_where(zero_norm, tj__number(0), tj_div(grad, tj_pow(norm, tj__number(p - 1))));
  return tj_mul(scaled, scale);
}
