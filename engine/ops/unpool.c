/* ops/unpool.c: max_unpool, fractional_max_pool and lp_pool. */
#include "impl.h"
#include "kernels/pool.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"

#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define VALUE(condition, ...) TJ__CHECK(condition, TJ_ERROR_VALUE, __VA_ARGS__)
#define LL(x) ((long long)(x))

static int64_t item(tj_ints list, int i) { return list.data[list.n == 1 ? 0 : i]; }

static int64_t product(const int64_t *v, int n) {
  int64_t p = 1;
  for (int i = 0; i < n; i++) p *= v[i];
  return p;
}

/* "(2, 3)" */
static const char *tuple_text(tj_ints v, char *buffer, size_t bytes) {
  size_t at = (size_t)snprintf(buffer, bytes, "(");
  for (int64_t i = 0; i < v.n && at < bytes; i++) at += (size_t)snprintf(buffer + at, bytes - at, i ? ", %lld" : "%lld", LL(v.data[i]));
  if (at < bytes) snprintf(buffer + at, bytes - at, v.n == 1 ? ",)" : ")");
  return buffer;
}

/* ---- max_unpool ------------------------------------------------------------------------------------------------------ */

/* One value a dimension from a list of that many, or of one; small enough for products of two. */
static bool spread(tj_ints list, int dims, const char *name, int64_t *out) {
  if (list.n != dims && list.n != 1) {
    tj__fail(TJ_ERROR_RUNTIME, "max_unpool%dd: %s must be an int or a list of %d, but got %lld values", dims, name, dims, LL(list.n));
    return false;
  }
  for (int i = 0; i < dims; i++) {
    out[i] = item(list, i);
    if (out[i] == (int32_t)out[i]) continue;
    tj__fail(TJ_ERROR_RUNTIME, "max_unpool%dd: %s has to be below 2^31, but got %lld", dims, name, LL(out[i]));
    return false;
  }
  return true;
}

static void *unpooled_size(const tj_tensor *t, int dims, tj_ints kernel, tj_ints stride, tj_ints padding, tj_ints output_size,
                           int64_t *out) {
  int64_t standard[3];
  for (int i = 0; i < dims; i++) {
    int d = t->ndim - dims + i;
    standard[i] = ((d >= 0 ? t->sizes[d] : 1) - 1) * item(stride, i) + item(kernel, i) - 2 * item(padding, i);
    out[i] = standard[i];
  }
  if (output_size.n < 0) return out;
  if (output_size.n == dims + 2) output_size = (tj_ints){output_size.data + 2, dims};
  VALUE(output_size.n == dims, "output_size should be a sequence containing %d or %d elements, but it has a length of '%lld'", dims,
        dims + 2, LL(output_size.n));
  for (int i = 0; i < dims; i++) {
    int64_t low = standard[i] - item(stride, i), high = standard[i] + item(stride, i);
    char text[96];
    out[i] = output_size.data[i];
    VALUE(low < out[i] && out[i] < high, "invalid output_size \"%s\" (dim %d must be between %lld and %lld)",
          tuple_text(output_size, text, sizeof text), i, LL(low), LL(high));
  }
  return out;
}

/* out: sizes of the last `dims` (2 or 3) dimensions. */
static tj_tensor *unpool(tj_tensor *t, tj_tensor *indices, int dims, tj_ints stride, const int64_t *out) {
  const tj_dtype dtype = (tj_dtype)t->dtype;
  const char *legacy = tj__dtype_legacy((tj_dtype)indices->dtype);
  RUNTIME(dims == 3 || indices->dtype == TJ_INT64, "elements in indices should be type int64 but got: %s", legacy);
  RUNTIME(t->ndim == dims + 1 || t->ndim == dims + 2,
          "Input to max_unpooling%dd should be a %dd or %dd Tensor, but got a tensor with %d dimensions.", dims, dims + 1, dims + 2,
          (int)t->ndim);
  RUNTIME(indices->dtype == TJ_INT64, "elements in indices should be type int64");
  const char *sizes_text = tj__sizes_text(t);
  RUNTIME(tj__same_sizes(t, indices),
          "Expected shape of indices to be same as that of the input tensor (%s) but got indices tensor with shape: %s", sizes_text,
          tj__sizes_text(indices));
  for (int d = 1; d < t->ndim; d++)
    RUNTIME(t->sizes[d] > 0,
            "max_unpooling%dd_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but got %s with dimension "
            "%d being empty.",
            dims, tj__sizes_text(t), d);
  if (dims == 3)
    RUNTIME(item(stride, 0) > 0 && item(stride, 1) > 0 && item(stride, 2) > 0, "strides should be greater than zero, but got stride: %s",
            tj__ints_text((int64_t[3]){item(stride, 0), item(stride, 1), item(stride, 2)}, 3));
  TJ__CHECK(tj_dtype_is_floating(dtype), TJ_ERROR_NOT_IMPLEMENTED, "\"max_unpool%dd\" not implemented for '%s'", dims,
            tj__dtype_legacy(dtype));
  int64_t sizes[5];
  const int lead = t->ndim - dims;
  memcpy(sizes, t->sizes, (size_t)lead * sizeof *sizes);
  memcpy(sizes + lead, out, (size_t)dims * sizeof *sizes);
  const int64_t planes = product(t->sizes, lead), n = product(out, dims), given = product(t->sizes + lead, dims);
  if (indices->numel && tj__can_look(indices)) {
    tj_scalar low = tj_item(tj_min(indices)), high = tj_item(tj_max(indices));
    if (low.kind == TJ_SCALAR_NONE || high.kind == TJ_SCALAR_NONE) return NULL;
    if (low.i < 0 || high.i >= n) {
      int64_t bad = low.i < 0 ? low.i : high.i;
      if (dims == 2)
        return tj__fail(TJ_ERROR_RUNTIME, "Found an invalid max index: %lld (output volumes are of size %lldx%lld", LL(bad), LL(out[0]),
                        LL(out[1]));
      return tj__fail(TJ_ERROR_RUNTIME, "Found an invalid max index: %lld (output volumes are of size %lldx%lldx%lld", LL(bad), LL(out[0]),
                      LL(out[1]), LL(out[2]));
    }
  }
  tj_tensor *zeros = tj_zeros(TJ_INTS(planes, n), dtype, t->storage->device, false);
  tj_tensor *result = tj_scatter(zeros, 1, tj_reshape(indices, TJ_INTS(planes, given)), tj_reshape(t, TJ_INTS(planes, given)));
  result = tj_reshape(result, (tj_ints){sizes, t->ndim});
  const char *format = dims == 2 ? tj__suggested_format(t) : NULL;
  return format && result ? tj_contiguous(result, format) : result;
}

static tj_tensor *max_unpool(tj_tensor *input, tj_tensor *indices, int dims, tj_ints kernel, tj_ints stride, tj_ints padding,
                             tj_ints output_size) {
  int64_t out[3], kernels[3], strides[3], paddings[3];
  if (stride.n <= 0) stride = kernel;
  if (!spread(kernel, dims, "kernel_size", kernels) || !spread(stride, dims, "stride", strides) ||
      !spread(padding, dims, "padding", paddings))
    return NULL;
  kernel = (tj_ints){kernels, dims}, stride = (tj_ints){strides, dims}, padding = (tj_ints){paddings, dims};
  if (!unpooled_size(input, dims, kernel, stride, padding, output_size, out)) return NULL;
  if (dims > 1) return unpool(input, indices, dims, stride, out);
  tj_tensor *x = tj_unsqueeze(input, -1), *at = tj_unsqueeze(indices, -1);
  out[1] = 1;
  return x && at ? tj_squeeze_dim(unpool(x, at, 2, stride, out), -1) : NULL;
}

#define MAX_UNPOOL(N)                                                                                                              \
  tj_tensor *tj__impl_max_unpool##N##d(tj_tensor *input, tj_tensor *indices, tj_ints kernel_size, tj_ints stride, tj_ints padding, \
                                       tj_ints output_size) {                                                                      \
    return max_unpool(input, indices, N, kernel_size, stride, padding, output_size);                                               \
  }
MAX_UNPOOL(1)
MAX_UNPOOL(2)
MAX_UNPOOL(3)

/* ---- fractional_max_pool --------------------------------------------------------------------------------------------- */

/* A number rounded to the dtype: PyTorch computes the places of windows in the dtype of the input. */
static double rounded(double v, tj_dtype dtype) {
  if (dtype == TJ_FLOAT64) return v;
  float f = (float)v;
  if (dtype == TJ_FLOAT16) f = tj__half_to_float(tj__float_to_half(f));
  if (dtype == TJ_BFLOAT16) f = tj__bfloat16_to_float(tj__float_to_bfloat16(f));
  return f;
}

static void window_starts(double sample, int64_t in, int64_t out, int64_t kernel, tj_dtype dtype, int64_t *start) {
  if (out > 1) {
    double alpha = rounded(rounded((double)(in - kernel), dtype) / rounded((double)(out - 1), dtype), dtype);
    int64_t first = tj__whole64(rounded(sample * alpha, dtype));
    for (int64_t i = 0; i < out - 1; i++) {
      int64_t at = tj__whole64(rounded(rounded((double)i + sample, dtype) * alpha, dtype)) - first;
      start[i] = TJ__MIN(TJ__MAX(at, 0), in - kernel);
    }
  }
  if (out > 0) start[out - 1] = in - kernel;
}

/* Where the samples cannot be looked at: the places of each plane's windows in operators, and the largest of what is gathered from them. */
static tj_status fractional_on_device(tj_tensor *x, tj_ints kernel, tj_ints out, tj_tensor *samples, int dims, tj_tensor **output,
                                      tj_tensor **indices) {
  const int lead = x->ndim - dims;
  const int64_t planes = product(x->sizes, lead), n_in = product(x->sizes + lead, dims);
  const tj_dtype dtype = (tj_dtype)x->dtype;
  const tj_device device = x->storage->device;
  int64_t sizes[5];
  memcpy(sizes, x->sizes, (size_t)lead * sizeof *sizes);
  memcpy(sizes + lead, out.data, (size_t)dims * sizeof *sizes);
  const int64_t n_out = product(out.data, dims);
  if (!planes || !n_out) {
    *output = tj__empty((tj_ints){sizes, x->ndim}, dtype, device), *indices = tj__empty((tj_ints){sizes, x->ndim}, TJ_INT64, device);
    return *output && *indices ? TJ_OK : tj_error_code();
  }
  samples = tj_narrow(tj_reshape(samples, TJ_INTS(-1, dims)), 0, 0, planes);
  tj_tensor *place = NULL; /* [planes, out..., kernel...] */
  for (int j = 0; j < dims; j++) {
    const int64_t in = x->sizes[lead + j], k = item(kernel, j), n = out.data[j];
    tj_tensor *sample = tj_narrow(samples, 1, dims == 2 ? 1 - j : j, 1),
              *start = tj_full(TJ_INTS(planes, 1), tj_int(in - k), TJ_INT64, device, false);
    if (n > 1) {
      const double alpha = rounded(rounded((double)(in - k), dtype) / rounded((double)(n - 1), dtype), dtype);
      tj_tensor *i = tj_arange(tj_int(n - 1), dtype, device, false);
      tj_tensor *at = tj_trunc(tj_mul(tj_add(i, sample, TJ__ONE), tj__number(alpha))), *first = tj_trunc(tj_mul(sample, tj__number(alpha)));
      at = tj_clamp(tj_to_dtype(tj_sub(at, first, TJ__ONE), TJ_INT64, false, false, NULL), tj_int(0), tj_int(in - k));
      start = tj_cat(TJ_TENSORS(at, start), 1);
    }
    int64_t shape[8] = {planes, 1, 1, 1, 1, 1, 1}, within[8] = {1, 1, 1, 1, 1, 1, 1};
    shape[1 + j] = n, within[1 + dims + j] = k;
    tj_tensor *along = tj_add(tj_reshape(start, (tj_ints){shape, 1 + 2 * dims}),
                              tj_reshape(tj_arange(tj_int(k), TJ_INT64, device, false), (tj_ints){within, 1 + 2 * dims}), TJ__ONE);
    place = place ? tj_add(tj_mul(place, tj__integer(in)), along, TJ__ONE) : along;
    if (!place) return tj_error_code();
  }
  place = tj_reshape(place, TJ_INTS(planes, -1));
  tj_tensor *values = tj_reshape(tj_gather(tj_reshape(x, TJ_INTS(planes, n_in)), 1, place, false), TJ_INTS(planes, n_out, -1)), *top,
            *which;
  if (!values || tj_max_dim(values, -1, true, &top, &which) != TJ_OK) return tj_error_code();
  *output = tj_reshape(top, (tj_ints){sizes, x->ndim});
  *indices = tj_reshape(tj_gather(tj_reshape(place, TJ_INTS(planes, n_out, -1)), 2, which, false), (tj_ints){sizes, x->ndim});
  return *output && *indices ? TJ_OK : tj_error_code();
}

tj_status tj__impl_fractional_pool(tj_tensor *input, tj_ints kernel_size, tj_ints output_size, tj_tensor *samples, int64_t n_dims,
                                   tj_tensor **output, tj_tensor **indices) {
  const int dims = (int)n_dims, lead = input->ndim - dims;
  const tj_dtype dtype = (tj_dtype)input->dtype;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){input, samples}, 2);
  tj_tensor *x = backend ? tj__contiguous(input) : NULL;
  if (x && !tj__can_look(x)) return fractional_on_device(x, kernel_size, output_size, samples, dims, output, indices);
  tj_tensor *drawn = x ? tj__to_dtype(samples, TJ_FLOAT64) : NULL;
  if (!drawn || !(drawn = tj__contiguous(drawn))) return tj_error_code();
  int64_t sizes[5];
  memcpy(sizes, x->sizes, (size_t)lead * sizeof *sizes);
  memcpy(sizes + lead, output_size.data, (size_t)dims * sizeof *sizes);
  *output = tj__empty((tj_ints){sizes, x->ndim}, dtype, x->storage->device);
  *indices = tj__empty((tj_ints){sizes, x->ndim}, TJ_INT64, x->storage->device);
  if (!*output || !*indices) return tj_error_code();
  tj__pool_shape s = {.dtype = dtype, .planes = 1, .step = {1, 1, 1}};
  int64_t total = 0;
  for (int i = 0; i < 3; i++) {
    int j = i - (3 - dims);
    s.in[i] = j < 0 ? 1 : x->sizes[lead + j];
    s.out[i] = j < 0 ? 1 : output_size.data[j];
    total += 2 * s.out[i];
  }
  const size_t bytes = (size_t)(total + 1) * sizeof(int64_t);
  int64_t *memory = tj__alloc(bytes);
  if (!memory) return tj_error_code();
  const int64_t planes = product(x->sizes, lead), n_in = s.in[0] * s.in[1] * s.in[2], n_out = s.out[0] * s.out[1] * s.out[2];
  const char *from = tj__read(x);
  char *to = (*output)->numel ? tj__write(*output) : NULL;
  int64_t *places = to ? tj__write(*indices) : NULL;
  const double *sample = tj__read(drawn);
  for (int64_t plane = 0; to && plane < planes; plane++) {
    int64_t *at = memory;
    for (int i = 0; i < 3; i++) {
      int j = i - (3 - dims);
      int64_t *start = at, *end = at + s.out[i];
      /* in 2 dimensions the first sample is the width's */
      if (j >= 0) window_starts(sample[plane * dims + (dims == 2 ? 1 - j : j)], s.in[i], s.out[i], item(kernel_size, j), dtype, start);
      else start[0] = 0;
      for (int64_t k = 0; k < s.out[i]; k++) end[k] = start[k] + (j < 0 ? 1 : item(kernel_size, j));
      s.start[i] = start, s.end[i] = end;
      at = end + s.out[i];
    }
    backend->pool->largest(&s, from + (size_t)(plane * n_in) * tj__itemsize(x), to + (size_t)(plane * n_out) * tj__itemsize(x),
                           places + plane * n_out);
  }
  tj__free(memory, bytes);
  return TJ_OK;
}

static void *check_fractional(const tj_tensor *t, int dims, tj_ints kernel, const int64_t *out, const tj_tensor *samples) {
  static const char *const names[2][3] = {{"height", "width", ""}, {"time", "height", "width"}};
  const char *name = dims == 2 ? "fractional_max_pool2d()" : "fractional_max_pool3d_out()";
  RUNTIME(t->ndim == dims + 1 || t->ndim == dims + 2, "%s: Expected %dD or %dD tensor, but got: %s", name, dims + 1, dims + 2,
          tj__sizes_text(t));
  for (int d = t->ndim - dims - 1; d < t->ndim; d++)
    RUNTIME(t->sizes[d] > 0, "%s: Expected input to have non-zero size for non-batch dimensions, but got%s with dimension %d being empty.",
            name, tj__sizes_text(t), d);
  for (int i = 0; i < dims; i++) {
    int64_t in = t->sizes[t->ndim - dims + i], k = item(kernel, i);
    RUNTIME(k >= 0 && out[i] >= 0 && out[i] + k - 1 <= in, "%s: pool %s %lld too large relative to input %s %lld", name, names[dims - 2][i],
            LL(k), names[dims - 2][i], LL(in));
  }
  RUNTIME(samples->dtype == t->dtype, "Expect _random_samples to have the same dtype as input");
  RUNTIME(samples->ndim == 3, "Expect _random_samples to have 3 dimensions, got %d", (int)samples->ndim);
  RUNTIME(samples->sizes[0] >= (t->ndim == dims + 2 ? t->sizes[0] : 1), "Expect _random_samples.size(0) no less then input batch size.");
  RUNTIME(samples->sizes[1] == t->sizes[t->ndim - dims - 1], "Expect _random_samples.size(1) equals to input channel size.");
  RUNTIME(samples->sizes[2] == dims, "Expect _random_samples.size(2) equals to %d; got %lld.", dims, LL(samples->sizes[2]));
  TJ__CHECK(tj_dtype_is_floating((tj_dtype)t->dtype), TJ_ERROR_NOT_IMPLEMENTED,
            "\"fractional_max_pool%dd_out_frame\" not implemented for '%s'", dims, tj__dtype_legacy((tj_dtype)t->dtype));
  return (void *)t;
}

static tj_status fractional(tj_tensor *input, int dims, tj_ints kernel, tj_ints output_size, tj_floats ratio, tj_tensor *samples,
                            tj_tensor **output, tj_tensor **indices) {
  static const char *const counts[] = {"Ints", "three Ints"};
  int64_t out[3];
  TJ__CHECK_STATUS(output_size.n >= 0 || ratio.n >= 0, TJ_ERROR_VALUE,
                   "fractional_max_pool%dd requires specifying either an output_size or an output_ratio", dims);
  TJ__CHECK_STATUS(input->ndim > dims, TJ_ERROR_INDEX, "Dimension out of range (expected to be in range of [%d, %d], but got %d)",
                   -TJ__MAX(1, (int)input->ndim), TJ__MAX(1, (int)input->ndim) - 1, -dims - 1);
  TJ__CHECK_STATUS(kernel.n == 1 || kernel.n == dims, TJ_ERROR_RUNTIME,
                   "fractional_max_pool%dd: kernel_size must either be a single Int or tuple of %s", dims, counts[dims - 2]);
  if (output_size.n >= 0)
    TJ__CHECK_STATUS(output_size.n == 1 || output_size.n == dims, TJ_ERROR_RUNTIME,
                     "fractional_max_pool%dd: output_size must either be a single Int or tuple of %s", dims, counts[dims - 2]);
  else
    TJ__CHECK_STATUS(ratio.n == 1 || ratio.n == dims, TJ_ERROR_RUNTIME, "fractional_max_pool%dd: output_ratio must have %d values", dims,
                     dims);
  for (int i = 0; i < dims; i++)
    out[i] = output_size.n >= 0 ? item(output_size, i)
                                : tj__whole64((double)input->sizes[input->ndim - dims + i] * ratio.data[ratio.n == 1 ? 0 : i]);
  if (!samples) {
    const int64_t batch = input->ndim == dims + 1 ? 1 : input->sizes[0];
    TJ__CHECK_STATUS(tj_dtype_is_floating((tj_dtype)input->dtype), TJ_ERROR_NOT_IMPLEMENTED,
                     "\"check_uniform_bounds\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)input->dtype));
    samples =
        tj_rand(TJ_INTS(batch, input->sizes[input->ndim - dims - 1], dims), NULL, (tj_dtype)input->dtype, input->storage->device, false);
  }
  if (!samples || !check_fractional(input, dims, kernel, out, samples)) return tj_error_code();
  return tj_fractional_pool(input, kernel, (tj_ints){out, dims}, samples, dims, output, indices);
}

#define FRACTIONAL(N)                                                                                                               \
  tj_status tj__impl_fractional_max_pool##N##d_with_indices(tj_tensor *input, tj_ints kernel_size, tj_ints output_size,             \
                                                            tj_floats output_ratio, bool return_indices, tj_tensor *samples,        \
                                                            tj_tensor **output, tj_tensor **indices) {                              \
    (void)return_indices;                                                                                                           \
    return fractional(input, N, kernel_size, output_size, output_ratio, samples, output, indices);                                  \
  }                                                                                                                                 \
  tj_tensor *tj__impl_fractional_max_pool##N##d(tj_tensor *input, tj_ints kernel_size, tj_ints output_size, tj_floats output_ratio, \
                                                bool return_indices, tj_tensor *samples) {                                          \
    tj_tensor *output, *indices;                                                                                                    \
    (void)return_indices; /* the form with indices has a name of its own */                                                         \
    return fractional(input, N, kernel_size, output_size, output_ratio, samples, &output, &indices) ? NULL : output;                \
  }
FRACTIONAL(2)
FRACTIONAL(3)

/* ---- lp_pool --------------------------------------------------------------------------------------------------------- */

/* From the means of the powers to the norm: (sum)^(1/p), negative sums (odd p) as 0 with their sign. */
static tj_tensor *root(tj_tensor *mean, double p, double elements) {
  TJ__CHECK(p != 0, TJ_ERROR_RUNTIME, "float division by zero");
  return tj_pow(tj_mul(tj_mul(tj_sign(mean), tj_relu(tj_abs(mean))), tj__number(elements)), tj__number(1 / p));
}

tj_tensor *tj__impl_lp_pool1d(tj_tensor *input, double norm_type, tj_ints kernel_size, tj_ints stride, bool ceil_mode) {
  tj_tensor *mean = tj_avg_pool1d(tj_pow(input, tj__number(norm_type)), kernel_size, stride, TJ_INTS(0), ceil_mode, true);
  return mean ? root(mean, norm_type, (double)kernel_size.data[0]) : NULL;
}
tj_tensor *tj__impl_lp_pool2d(tj_tensor *input, double norm_type, tj_ints kernel_size, tj_ints stride, bool ceil_mode) {
  tj_tensor *mean = tj_avg_pool2d(tj_pow(input, tj__number(norm_type)), kernel_size, stride, TJ_INTS(0), ceil_mode, true, TJ_NO_INT);
  return mean ? root(mean, norm_type, (double)(item(kernel_size, 0) * item(kernel_size, 1))) : NULL;
}
tj_tensor *tj__impl_lp_pool3d(tj_tensor *input, double norm_type, tj_ints kernel_size, tj_ints stride, bool ceil_mode) {
  tj_tensor *mean = tj_avg_pool3d(tj_pow(input, tj__number(norm_type)), kernel_size, stride, TJ_INTS(0), ceil_mode, true, TJ_NO_INT);
  return mean ? root(mean, norm_type, (double)(item(kernel_size, 0) * item(kernel_size, 1) * item(kernel_size, 2))) : NULL;
}
