/* ops/conv.c: convolutions: PyTorch's checks, sizes, and the forms of 1, 2 and 3 dimensions. */
#include "kernels/conv.h"
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"

#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define IMPLEMENTED(condition, ...) TJ__CHECK(condition, TJ_ERROR_NOT_IMPLEMENTED, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* One value a spatial dimension from a list of that many, or of one. false and PyTorch's error for other lengths. */
static bool spread(tj_ints list, int dims, const char *name, int64_t *out) {
  if (list.n != dims && list.n != 1)
    return tj__fail(TJ_ERROR_RUNTIME,
                    "expected %s to be a single integer value or a list of %d values to match the convolution dimensions, but got %s=%s",
                    name, dims, name, tj__ints_text(list.data, TJ__MAX(list.n, 0))) != NULL;
  for (int i = 0; i < dims; i++) out[i] = list.data[list.n == 1 ? 0 : i];
  return true;
}

typedef struct arguments {
  int dims;
  int64_t stride[3], padding[3], dilation[3], output_padding[3], groups;
  bool transposed;
} arguments;

static bool read_arguments(arguments *a, int dims, tj_ints stride, tj_ints padding, tj_ints dilation, bool transposed,
                           tj_ints output_padding, int64_t groups) {
  *a = (arguments){.dims = dims, .groups = groups, .transposed = transposed};
  return spread(stride, dims, "stride", a->stride) && spread(padding, dims, "padding", a->padding) &&
         spread(dilation, dims, "dilation", a->dilation) && spread(output_padding, dims, "output_padding", a->output_padding);
}

/* "2 x 3" */
static const char *times_text(const int64_t *v, int n, char *buffer, size_t bytes) {
  size_t at = 0;
  for (int i = 0; i < n && at < bytes; i++) at += (size_t)snprintf(buffer + at, bytes - at, i ? " x %lld" : "%lld", LL(v[i]));
  return buffer;
}

static bool any_below(const int64_t *v, int n, int64_t least) {
  for (int i = 0; i < n; i++)
    if (v[i] < least) return true;
  return false;
}

/* Whether places of taps can be computed: how far they are apart and what is around the image, in dimension i. */
static bool extent_fits(const tj_tensor *input, const tj_tensor *weight, const arguments *a, int i) {
  int64_t image, taps, around;
  return !__builtin_mul_overflow(TJ__MAX(input->sizes[2 + i] - 1, 0), a->stride[i], &image) &&
         !__builtin_mul_overflow(TJ__MAX(weight->sizes[2 + i] - 1, 0), a->dilation[i], &taps) &&
         !__builtin_mul_overflow(a->padding[i], 2, &around) &&
         TJ__MAX(TJ__MAX(image, taps), TJ__MAX(around, a->output_padding[i])) < INT64_MAX / 8;
}

static void *check(const tj_tensor *input, const tj_tensor *weight, const tj_tensor *bias, const arguments *a) {
  const int64_t *w = weight->sizes;
  const int k = weight->ndim, d = a->dims;
  RUNTIME(a->groups > 0, "non-positive groups is not supported");
  RUNTIME(!any_below(a->padding, d, 0), "negative padding is not supported");
  RUNTIME(!any_below(a->output_padding, d, 0), "negative output_padding is not supported");
  RUNTIME(!any_below(a->stride, d, 1), "non-positive stride is not supported");
  RUNTIME(!any_below(a->dilation, d, 0), "dilation should be greater than zero");
  const char *weight_text = tj__sizes_text(weight), *input_text = tj__sizes_text(input);
  RUNTIME(k == input->ndim, "Expected %d-dimensional input for %d-dimensional weight%s, but got %d-dimensional input of size %s instead", k,
          k, weight_text, input->ndim, input_text);
  for (int i = 0; i < d; i++)
    RUNTIME(extent_fits(input, weight, a, i),
            "stride, padding or dilation is too large: stride %lld, padding %lld, dilation %lld and output_padding %lld of dimension %d "
            "overflow for input of size %s and weight of size %s",
            LL(a->stride[i]), LL(a->padding[i]), LL(a->dilation[i]), LL(a->output_padding[i]), i, input_text, weight_text);
  RUNTIME(w[0] >= a->groups, "Given groups=%lld, expected weight to be at least %lld at dimension 0, but got weight of size %s instead",
          LL(a->groups), LL(a->groups), weight_text);
  RUNTIME(w[0] % a->groups == 0,
          "Given groups=%lld, expected weight to be divisible by %lld at dimension 0, but got weight of size [%s] instead", LL(a->groups),
          LL(a->groups), weight_text);
  char one[96], two[96];
  if (!a->transposed) {
    RUNTIME(input->sizes[1] == w[1] * a->groups,
            "Given groups=%lld, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead", LL(a->groups),
            weight_text, input_text, LL(w[1] * a->groups), LL(input->sizes[1]));
    if (bias)
      RUNTIME(bias->ndim == 1 && bias->sizes[0] == w[0],
              "Given weight of size %s, expected bias to be 1-dimensional with %lld elements, but got bias of size %s instead", weight_text,
              LL(w[0]), tj__sizes_text(bias));
    int64_t have[3], need[3];
    bool fits = true;
    for (int i = 0; i < d; i++) {
      have[i] = input->sizes[2 + i] + 2 * a->padding[i];
      need[i] = a->dilation[i] * (w[2 + i] - 1) + 1;
      fits = fits && have[i] >= need[i];
    }
    RUNTIME(fits, TJ__TEXT_conv_error_kernel_larger_than_input_1, times_text(have, d, one, sizeof one),
            times_text(need, d, two, sizeof two));
  } else {
    RUNTIME(input->sizes[1] == w[0],
            "Given transposed=1, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead", weight_text,
            input_text, LL(w[0]), LL(input->sizes[1]));
    if (bias)
      RUNTIME(
          bias->ndim == 1 && bias->sizes[0] == w[1] * a->groups,
          "Given transposed=1, weight of size %s, expected bias to be 1-dimensional with %lld elements, but got bias of size %s instead",
          weight_text, LL(w[1] * a->groups), tj__sizes_text(bias));
  }
  RUNTIME(!any_below(a->dilation, d, 1), "dilation should be greater than zero, but got %s", tj__ints_text(a->dilation, d));
  if (d > 1 && any_below(w + 2, d, 1)) {
    if (d == 2)
      return tj__fail(TJ_ERROR_RUNTIME, "kernel size should be greater than zero, but got kernel_height: %lld kernel_width: %lld", LL(w[2]),
                      LL(w[3]));
    return tj__fail(TJ_ERROR_RUNTIME,
                    "kernel size should be greater than zero, but got kernel_depth: %lld kernel_height: %lld kernel_width: %lld", LL(w[2]),
                    LL(w[3]), LL(w[4]));
  }
  RUNTIME(!any_below(w + 2, d, 1), "kernel size should be greater than zero");
  RUNTIME(input->dtype == weight->dtype, "expected scalar type %s but found %s", tj__dtype_legacy(input->dtype),
          tj__dtype_legacy(weight->dtype));
  RUNTIME(!bias || bias->dtype == input->dtype, "Input type (%s) and bias type (%s) should be the same", tj__dtype_cpp(input->dtype),
          tj__dtype_cpp(bias->dtype));
  IMPLEMENTED(input->dtype != TJ_BOOL && input->dtype != TJ_UINT16 && input->dtype != TJ_UINT32 && input->dtype != TJ_UINT64,
              "\"slow_conv2d_cpu\" not implemented for '%s'", tj__dtype_legacy(input->dtype));
  return (void *)1;
}

/* The sizes of a result into out[2 + dims]. */
static void *result_sizes(const tj_tensor *input, const tj_tensor *weight, const arguments *a, int64_t *out) {
  const int64_t *in = input->sizes + 2, *w = weight->sizes;
  const int d = a->dims;
  out[0] = input->sizes[0];
  out[1] = a->transposed ? w[1] * a->groups : w[0];
  bool empty = false, output_padding_fits = true;
  for (int i = 0; i < d; i++) {
    int64_t reach = a->dilation[i] * (w[2 + i] - 1) + 1;
    out[2 + i] = a->transposed ? (in[i] - 1) * a->stride[i] - 2 * a->padding[i] + reach + a->output_padding[i]
                               : (in[i] + 2 * a->padding[i] - reach) / a->stride[i] + 1;
    empty = empty || out[2 + i] < 1;
    if (a->output_padding[i] >= a->stride[i] && a->output_padding[i] >= a->dilation[i]) output_padding_fits = false;
  }
  if (a->transposed && !output_padding_fits) {
    const int64_t *p = a->output_padding + d - 1, *s = a->stride + d - 1, *l = a->dilation + d - 1; /* the last dimension: width */
    if (d == 3)
      return tj__fail(
          TJ_ERROR_RUNTIME,
          "output padding must be smaller than either stride or dilation, but got output_padding_depth: %lld output_padding_height: %lld "
          "output_padding_width: %lld stride_depth: %lld stride_height: %lld stride_width: %lld dilation_depth: %lld dilation_height: %lld "
          "dilation_width: %lld",
          LL(p[-2]), LL(p[-1]), LL(p[0]), LL(s[-2]), LL(s[-1]), LL(s[0]), LL(l[-2]), LL(l[-1]), LL(l[0]));
    return tj__fail(
        TJ_ERROR_RUNTIME,
        "output padding must be smaller than either stride or dilation, but got output_padding_height: %lld output_padding_width: %lld "
        "stride_height: %lld stride_width: %lld dilation_height: %lld dilation_width: %lld",
        d == 2 ? LL(p[-1]) : 0LL, LL(p[0]), d == 2 ? LL(s[-1]) : 1LL, LL(s[0]), d == 2 ? LL(l[-1]) : 1LL, LL(l[0]));
  }
  char one[96], two[96];
  RUNTIME(!empty, "Given input size per channel: (%s). Calculated output size per channel: (%s). Output size is too small",
          times_text(in, d, one, sizeof one), times_text(out + 2, d, two, sizeof two));
  return out;
}

/* ---- the three kernels, whatever the direction ------------------------------------------------------------------ */

/* Halves are computed in float32. */

static tj_dtype computed_in(int dtype) { return dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16 ? TJ_FLOAT32 : (tj_dtype)dtype; }

static tj_tensor *prepared(tj_tensor *t, tj_dtype dtype) {
  t = t ? tj__to_dtype(t, dtype) : NULL;
  return t ? tj__contiguous(t) : NULL;
}

static tj__conv_shape shape_of(const int64_t *big, const int64_t *small, const int64_t *weight, const arguments *a, tj_dtype dtype) {
  tj__conv_shape s = {
      .dtype = dtype, .batch = big[0], .groups = a->groups, .in_channels = weight[1], .out_channels = weight[0] / a->groups};
  for (int i = 0; i < 3; i++) {
    int j = i - (3 - a->dims);
    s.in[i] = j < 0 ? 1 : big[2 + j];
    s.out[i] = j < 0 ? 1 : small[2 + j];
    s.kernel[i] = j < 0 ? 1 : weight[2 + j];
    s.stride[i] = j < 0 ? 1 : a->stride[j];
    s.dilation[i] = j < 0 ? 1 : a->dilation[j];
    s.padding[i] = j < 0 ? 0 : a->padding[j];
  }
  return s;
}

/* x convolved with weight (transposed: the other way), into a new tensor of these sizes. */
static tj_tensor *apply(tj_tensor *x, tj_tensor *weight, tj_tensor *bias, tj_ints sizes, const arguments *a, bool transposed) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){x, weight, bias}, 3);
  if (!backend) return NULL;
  tj_dtype given = (tj_dtype)x->dtype, dtype = computed_in(given);
  tj_tensor *out = tj__empty(sizes, dtype, x->storage->device);
  x = prepared(x, dtype), weight = prepared(weight, dtype);
  tj_tensor *b = bias ? prepared(bias, dtype) : NULL;
  if (!out || !x || !weight || (bias && !b)) return NULL;
  bool ok;
  if (transposed) {
    tj__conv_shape s = shape_of(out->sizes, x->sizes, weight->sizes, a, dtype);
    ok = backend->conv->grad_input(&s, tj__read(x), tj__read(weight), tj__write(out));
    if (ok && b) {
      /* [channels, 1, ...] added in place, below autograd */
      int64_t column[TJ_MAX_DIMS];
      for (int i = 0; i < a->dims + 1; i++) column[i] = i ? 1 : b->numel;
      ok = tj_add_(out, tj_reshape(b, (tj_ints){column, a->dims + 1}), tj_int(1)) != NULL;
    }
  } else {
    tj__conv_shape s = shape_of(x->sizes, out->sizes, weight->sizes, a, dtype);
    ok = backend->conv->forward(&s, tj__read(x), tj__read(weight), b ? tj__read(b) : NULL, tj__write(out));
  }
  return ok ? tj__to_dtype(out, given) : NULL;
}

tj_tensor *tj__impl_convolution(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_ints stride, tj_ints padding, tj_ints dilation,
                                bool transposed, tj_ints output_padding, int64_t groups) {
  int dims = weight->ndim - 2;
  RUNTIME(dims >= 1 && dims <= 3, "weight should have at least three dimensions");
  arguments a;
  int64_t sizes[5];
  if (!read_arguments(&a, dims, stride, padding, dilation, transposed, output_padding, groups)) return NULL;
  if (!check(input, weight, bias, &a) || !result_sizes(input, weight, &a, sizes)) return NULL;
  return apply(input, weight, bias, (tj_ints){sizes, dims + 2}, &a, transposed);
}

tj_tensor *tj__impl_convolution_grad_input(tj_tensor *grad_output, tj_tensor *weight, tj_ints input_sizes, tj_ints stride, tj_ints padding,
                                           tj_ints dilation, bool transposed, tj_ints output_padding, int64_t groups) {
  arguments a;
  if (!read_arguments(&a, weight->ndim - 2, stride, padding, dilation, transposed, output_padding, groups)) return NULL;
  return apply(grad_output, weight, NULL, input_sizes, &a, !transposed);
}

tj_tensor *tj__impl_convolution_grad_weight(tj_tensor *grad_output, tj_tensor *input, tj_ints weight_sizes, tj_ints stride, tj_ints padding,
                                            tj_ints dilation, bool transposed, tj_ints output_padding, int64_t groups) {
  arguments a;
  if (!read_arguments(&a, (int)weight_sizes.n - 2, stride, padding, dilation, transposed, output_padding, groups)) return NULL;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){grad_output, input}, 2);
  if (!backend) return NULL;
  tj_dtype given = (tj_dtype)grad_output->dtype, dtype = computed_in(given);
  tj_tensor *big = prepared(transposed ? grad_output : input, dtype), *small = prepared(transposed ? input : grad_output, dtype);
  tj_tensor *out = tj__empty(weight_sizes, dtype, grad_output->storage->device);
  if (!big || !small || !out) return NULL;
  tj__conv_shape s = shape_of(big->sizes, small->sizes, weight_sizes.data, &a, dtype);
  if (!backend->conv->grad_weight(&s, tj__read(small), tj__read(big), tj__write(out))) return NULL;
  return tj__to_dtype(out, given);
}

tj_tensor *tj__impl_convolution_grad_bias(tj_tensor *grad_output) {
  int64_t dims[TJ_MAX_DIMS];
  int n = 0;
  for (int i = 0; i < grad_output->ndim; i++)
    if (i != 1) dims[n++] = i;
  return tj_sum_dim(grad_output, (tj_ints){dims, n}, false, TJ_DTYPE_NONE);
}

/* ---- nn.functional ----------------------------------------------------------------------------------------------- */

/* input with a batch dimension, and whether it had one. NULL and PyTorch's error for another number of dimensions. */
static tj_tensor *batched(tj_tensor *input, int dims, const char *name, bool *was) {
  *was = input->ndim == dims + 2;
  if (*was) return input;
  RUNTIME(input->ndim == dims + 1, "Expected %dD (unbatched) or %dD (batched) input to %s, but got input of size: %s", dims + 1, dims + 2,
          name, tj__sizes_text(input));
  return tj_unsqueeze(input, 0);
}

static tj_tensor *plain(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_ints stride, tj_ints padding, tj_ints dilation,
                        bool transposed, tj_ints output_padding, int64_t groups, int dims, const char *name) {
  bool was;
  RUNTIME(!bias || bias->dtype == input->dtype || input->dtype != weight->dtype, "Input type (%s) and bias type (%s) should be the same",
          tj__dtype_cpp(input->dtype), tj__dtype_cpp(bias->dtype));
  tj_tensor *x = batched(input, dims, name, &was);
  if (!x) return NULL;
  tj_tensor *y = tj_convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups);
  return was ? y : tj_squeeze_dim(y, 0);
}

/* padding "same": the longer side of an uneven padding is asked for on both sides, and what it adds in front dropped. */
static tj_tensor *by_name(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_ints stride, const char *padding, tj_ints dilation,
                          int64_t groups, int dims, const char *name) {
  if (padding && !strcmp(padding, "valid"))
    return plain(input, weight, bias, stride, TJ_INTS(0), dilation, false, TJ_INTS(0), groups, dims, name);
  RUNTIME(padding && !strcmp(padding, "same"), "Invalid padding string: '%s'", padding ? padding : "None");
  int64_t s[3] = {0}, d[3] = {0}, both[3];
  if (weight->ndim != dims + 2) {
    const char *weight_text = tj__sizes_text(weight);
    return tj__fail(TJ_ERROR_RUNTIME,
                    "Expected %d-dimensional input for %d-dimensional weight%s, but got %d-dimensional input of size %s instead",
                    weight->ndim, weight->ndim, weight_text, input->ndim, tj__sizes_text(input));
  }
  if (!spread(stride, dims, "stride", s) || !spread(dilation, dims, "dilation", d)) return NULL;
  for (int i = 0; i < dims; i++) RUNTIME(s[i] == 1, "padding='same' is not supported for strided convolutions");
  for (int i = 0; i < dims; i++) both[i] = (d[i] * (weight->sizes[2 + i] - 1) + 1) / 2;
  tj_tensor *y = plain(input, weight, bias, stride, (tj_ints){both, dims}, dilation, false, TJ_INTS(0), groups, dims, name);
  bool cut = false;
  for (int i = 0; y && i < dims; i++) {
    int at = y->ndim - dims + i, from = input->ndim - dims + i;
    if (y->sizes[at] == input->sizes[from]) continue;
    y = tj_narrow(y, at, 1, input->sizes[from]);
    cut = true;
  }
  return cut && y ? tj_contiguous(y, NULL) : y;
}

#define FORMS(N)                                                                                                                          \
  tj_tensor *tj__impl_conv##N##d(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_ints stride, tj_ints padding, tj_ints dilation, \
                                 int64_t groups) {                                                                                        \
    return plain(input, weight, bias, stride, padding, dilation, false, TJ_INTS(0), groups, N, "conv" #N "d");                            \
  }                                                                                                                                       \
  tj_tensor *tj__impl_conv##N##d_padding(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_ints stride, const char *padding,       \
                                         tj_ints dilation, int64_t groups) {                                                              \
    return by_name(input, weight, bias, stride, padding, dilation, groups, N, "conv" #N "d");                                             \
  }                                                                                                                                       \
  tj_tensor *tj__impl_conv_transpose##N##d(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_ints stride, tj_ints padding,         \
                                           tj_ints output_padding, int64_t groups, tj_ints dilation) {                                    \
    return plain(input, weight, bias, stride, padding, dilation, true, output_padding, groups, N, "conv_transpose" #N "d");               \
  }
FORMS(1)
FORMS(2)
FORMS(3)
