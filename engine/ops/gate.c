/* ops/gate.c: glu, rrelu, gumbel_softmax, local_response_norm. */
#include "autograd/node.h"
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

tj_tensor *tj__impl_glu(tj_tensor *self, int64_t dim) {
  RUNTIME(self->ndim > 0, "glu does not support scalars because halving size must be even");
  const int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  RUNTIME(self->sizes[d] % 2 == 0, "Halving dimension must be even, but dimension %d is size %lld", d, LL(self->sizes[d]));
  TJ__CHECK(tj_dtype_is_floating((tj_dtype)self->dtype), TJ_ERROR_NOT_IMPLEMENTED, "\"glu_cpu\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)self->dtype));
  const int64_t n = self->sizes[d] / 2;
  tj_tensor *first = tj_narrow(self, d, 0, n), *second = tj_narrow(self, d, n, n);
  return first && second ? tj_glu_halves(first, second) : NULL;
}

/* ---- rrelu ---------------------------------------------------------------------------------------------------------- */

/* 1 where x is positive, else a slope; slopes are drawn in the order of the elements, for those that need one. */
static tj_tensor *draw_slopes(tj_tensor *x, double lower, double upper) {
  const bool before = tj_set_grad_enabled(false);
  tj_tensor *t = tj_detach(x), *slopes = NULL;
  tj_tensor *mask = t ? tj_le(t, tj__number(0)) : NULL;
  if (mask && !tj__can_look(mask)) { /* nobody knows how many need one: each draws */
    tj_tensor *drawn = tj_empty_like(t, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
    drawn = drawn ? tj_uniform_(drawn, lower, upper, NULL) : NULL;
    slopes = drawn ? tj_where(mask, drawn, tj_ones_like(t, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL)) : NULL;
    tj_set_grad_enabled(before);
    return slopes;
  }
  tj_tensor *count = mask ? tj_sum(mask, TJ_INT64) : NULL;
  tj_scalar n = count ? tj_item(count) : TJ_NO_SCALAR;
  if (n.kind != TJ_SCALAR_NONE) {
    tj_tensor *drawn = tj_empty(TJ_INTS(n.i), TJ_FLOAT64, x->storage->device, false, NULL);
    drawn = drawn ? tj_uniform_(drawn, lower, upper, NULL) : NULL;
    tj_tensor *ones = tj_ones(tj__sizes(x), (tj_dtype)x->dtype, x->storage->device, false);
    if (drawn && ones) slopes = tj_masked_scatter(ones, mask, tj_to_dtype(drawn, (tj_dtype)x->dtype, false, false, NULL));
  }
  tj_set_grad_enabled(before);
  return slopes;
}

static tj_tensor *rrelu(tj_tensor *x, double lower, double upper, bool training, bool inplace) {
  RUNTIME(lower <= upper, "Lower bound should be less than or equal to the upper bound");
  const tj_dtype dtype = (tj_dtype)x->dtype;
  if (!training) {
    const tj_scalar slope = tj_float((lower + upper) / 2);
    TJ__CHECK(tj_dtype_is_floating(dtype), TJ_ERROR_NOT_IMPLEMENTED, "\"leaky_relu_cpu\" not implemented for '%s'",
              tj__dtype_legacy(dtype));
    return inplace ? tj_leaky_relu_(x, slope) : tj_leaky_relu(x, slope);
  }
  TJ__CHECK(tj_dtype_is_floating(dtype) && dtype != TJ_FLOAT16, TJ_ERROR_NOT_IMPLEMENTED,
            "\"rrelu_with_noise_out_cpu\" not implemented for '%s'", tj__dtype_legacy(dtype));
  /* as in PyTorch, the bounds are numbers of the dtype that is computed in */
  tj_tensor *slopes = dtype == TJ_FLOAT64 ? draw_slopes(x, lower, upper) : draw_slopes(x, (float)lower, (float)upper);
  if (!slopes) return NULL;
  return inplace ? tj_mul_(x, slopes) : tj_mul(x, slopes);
}

tj_tensor *tj__impl_rrelu(tj_tensor *input, double lower, double upper, bool training, bool inplace) {
  return rrelu(input, lower, upper, training, inplace);
}
tj_tensor *tj__impl_rrelu_(tj_tensor *input, double lower, double upper, bool training) {
  /* Implementations of in-place operators run below autograd, but here the parts are to be recorded. */
  const bool before = tj__below_autograd();
  tj__above_autograd(false);
  tj_tensor *result = rrelu(input, lower, upper, training, true);
  tj__above_autograd(before);
  return result;
}

/* ---- gumbel_softmax -------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_gumbel_softmax(tj_tensor *logits, double tau, bool hard, double eps, int64_t dim) {
  (void)eps; /* PyTorch keeps the argument and ignores it */
  RUNTIME(tj_dtype_is_floating((tj_dtype)logits->dtype),
          "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified %s",
          tj__dtype_legacy((tj_dtype)logits->dtype));
  tj_tensor *drawn = tj_empty(tj__sizes(logits), (tj_dtype)logits->dtype, logits->storage->device, false, NULL);
  tj_tensor *gumbels = tj_neg(tj_log(tj_exponential_(drawn, 1, NULL)));
  tj_tensor *soft = tj_softmax(tj_div(tj_add(logits, gumbels, tj_int(1)), tj__number(tau)), dim, TJ_DTYPE_NONE);
  if (!soft || !hard) return soft;
  tj_tensor *values, *index;
  if (tj_max_dim(tj_detach(soft), dim, true, &values, &index)) return NULL;
  tj_tensor *vertex = tj_zeros(tj__sizes(logits), (tj_dtype)logits->dtype, logits->storage->device, false);
  vertex = tj_scatter_value(vertex, dim, index, tj_float(1));
  return tj_add(tj_sub(vertex, tj_detach(soft), tj_int(1)), soft, tj_int(1));
}

/* ---- local_response_norm ---------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_local_response_norm(tj_tensor *input, int64_t size, double alpha, double beta, double k) {
  TJ__CHECK(input->ndim >= 3, TJ_ERROR_VALUE, "Expected 3D or higher dimensionality                          input (got %d dimensions)",
            (int)input->ndim);
  if (!input->numel) return input;
  const int64_t n = input->sizes[0], c = input->sizes[1], rest = input->numel / (n * c);
  tj_tensor *square = tj_reshape(tj_mul(input, input), TJ_INTS(n, 1, c, rest));
  square = square ? tj_constant_pad_nd(square, TJ_INTS(0, 0, size / 2, (size - 1) / 2), tj_int(0)) : NULL;
  tj_tensor *mean = tj_avg_pool2d(square, TJ_INTS(size, 1), TJ_INTS(1, 1), TJ_INTS(0, 0), false, true, TJ_NO_INT);
  mean = tj_reshape(mean, tj__sizes(input));
  return tj_div(input, tj_pow(tj_add(tj_mul(mean, tj__number(alpha)), tj__number(k), tj_int(1)), tj__number(beta)));
}
