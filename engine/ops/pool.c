/* ops/pool.c: pooling: PyTorch's checks and sizes, and the windows that the kernels walk. */
#include "kernels/pool.h"
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"

#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define IMPLEMENTED(condition, ...) TJ__CHECK(condition, TJ_ERROR_NOT_IMPLEMENTED, __VA_ARGS__)
#define LL(x) ((long long)(x))

typedef struct options {
  int dims;
  int64_t kernel[3], stride[3], padding[3], dilation[3];
  bool ceil_mode, include_pad;
  int64_t divisor; /* 0: none */
} options;

/* One value a dimension from a list of that many, or of one. */
static bool spread(tj_ints list, int dims, int64_t *out) {
  if (list.n != dims && list.n != 1) return false;
  for (int i = 0; i < dims; i++) out[i] = list.data[list.n == 1 ? 0 : i];
  return true;
}

static void *read_options(options *o, const char *name, int dims, tj_ints kernel, tj_ints stride, tj_ints padding, tj_ints dilation,
                          bool ceil_mode) {
  static const char *const counts[] = {"", "one int", "two ints", "three ints"};
  *o = (options){.dims = dims, .ceil_mode = ceil_mode, .include_pad = true};
  const char *either = dims == 3 && !strncmp(name, "avg", 3) ? "" : "either ";
  if (dims == 1) {
    RUNTIME(kernel.n == 1, "%s() kernel_size must be an int, list of ints or tuple of ints of size 1 but got size %lld", name,
            LL(kernel.n));
    RUNTIME(stride.n <= 1, "%s() stride must be None, an int, list of ints, or tuple of ints of size 1 but got size %lld", name,
            LL(stride.n));
    RUNTIME(padding.n == 1, "%s() padding must be an int, list of ints, or tuple of ints of size 1 but got size %lld", name, LL(padding.n));
    RUNTIME(dilation.n == 1, "%s() dilation must be an int, list of ints or tuple of ints of size 1 but got size %lld", name,
            LL(dilation.n));
  }
  RUNTIME(spread(kernel, dims, o->kernel), "%s: kernel_size must %sbe a single int, or a tuple of %s", name, either, counts[dims]);
  RUNTIME(stride.n <= 0 || spread(stride, dims, o->stride), "%s: stride must either be omitted, a single int, or a tuple of %s", name,
          counts[dims]);
  if (stride.n <= 0) memcpy(o->stride, o->kernel, sizeof o->stride);
  RUNTIME(spread(padding, dims, o->padding), "%s: padding must either be a single int, or a tuple of %s", name, counts[dims]);
  RUNTIME(spread(dilation, dims, o->dilation), "%s: dilation must be either a single int, or a tuple of %s", name, counts[dims]);
  return o;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/* The number of windows: in ceil mode the last one has to begin inside the input or its left padding. */
static int64_t windows(const options *o, int i, int64_t in) {
  int64_t n =
      floor_div(in + 2 * o->padding[i] - o->dilation[i] * (o->kernel[i] - 1) - 1 + (o->ceil_mode ? o->stride[i] - 1 : 0), o->stride[i]) + 1;
  if (o->ceil_mode && (n - 1) * o->stride[i] >= in + o->padding[i]) n--;
  return n;
}

/* "2x3" with planes in front, for the messages about sizes. */
static const char *x_text(int64_t planes, const int64_t *v, int n, bool pad1d, char *buffer, size_t bytes) {
  size_t at = (size_t)snprintf(buffer, bytes, pad1d ? "%lldx1" : "%lld", LL(planes));
  for (int i = 0; i < n && at < bytes; i++) at += (size_t)snprintf(buffer + at, bytes - at, "x%lld", LL(v[i]));
  return buffer;
}

/* Batched or not, no other dimension than the batch empty. Messages differ by kind. */
static bool usable(const tj_tensor *t, int dims) {
  if (t->ndim != dims + 1 && t->ndim != dims + 2) return false;
  for (int i = t->ndim - dims - 1; i < t->ndim; i++)
    if (!t->sizes[i]) return false;
  return true;
}

/* The number of windows a dimension into out[dims], with the checks that PyTorch's kernels of 2 and 3 dimensions share. */
static void *checked_windows(const tj_tensor *t, const options *o, bool largest, int64_t *out) {
  const int d = o->dims;
  const int64_t *in = t->sizes + t->ndim - d;
  for (int i = 0; i < d; i++) {
    RUNTIME(o->stride[i] != 0, "stride should not be zero");
    RUNTIME(o->padding[i] >= 0, "pad must be non-negative, but got pad: %lld", LL(o->padding[i]));
    RUNTIME(o->padding[i] <= ((o->kernel[i] - 1) * o->dilation[i] + 1) / 2,
            "pad should be at most half of effective kernel size, but got pad=%lld, kernel_size=%lld and dilation=%lld", LL(o->padding[i]),
            LL(o->kernel[i]), LL(o->dilation[i]));
    out[i] = o->stride[i] > 0 && o->dilation[i] > 0 ? windows(o, i, in[i]) : 0;
  }
  bool positive = true, small = false;
  for (int i = 0; i < d; i++) positive = positive && o->kernel[i] > 0;
  if (!positive) {
    if (d == 3)
      return tj__fail(TJ_ERROR_RUNTIME, "kernel size should be greater than zero, but got kT: %lld kH: %lld kW: %lld", LL(o->kernel[0]),
                      LL(o->kernel[1]), LL(o->kernel[2]));
    return tj__fail(TJ_ERROR_RUNTIME, "kernel size should be greater than zero, but got kH: %lld kW: %lld", d == 2 ? LL(o->kernel[0]) : 1LL,
                    LL(o->kernel[d - 1]));
  }
  positive = true;
  for (int i = 0; i < d; i++) positive = positive && o->stride[i] > 0;
  if (!positive) {
    if (d == 3)
      return tj__fail(TJ_ERROR_RUNTIME, "stride should be greater than zero, but got dT: %lld dH: %lld dW: %lld", LL(o->stride[0]),
                      LL(o->stride[1]), LL(o->stride[2]));
    return tj__fail(TJ_ERROR_RUNTIME, "stride should be greater than zero, but got dH: %lld dW: %lld", d == 2 ? LL(o->stride[0]) : 1LL,
                    LL(o->stride[d - 1]));
  }
  positive = true;
  for (int i = 0; i < d; i++) positive = positive && o->dilation[i] > 0;
  if (!positive) {
    if (d == 3)
      return tj__fail(TJ_ERROR_RUNTIME, "dilation should be greater than zero, but got dilationT: %lld dilationH: %lld dilationW: %lld",
                      LL(o->dilation[0]), LL(o->dilation[1]), LL(o->dilation[2]));
    return tj__fail(TJ_ERROR_RUNTIME, "dilation should be greater than zero, but got dilationH: %lld dilationW: %lld",
                    d == 2 ? LL(o->dilation[0]) : 1LL, LL(o->dilation[d - 1]));
  }
  if (d == 3 && t->ndim >= 4)
    for (int i = t->ndim - 4; i < t->ndim; i++)
      RUNTIME(t->sizes[i] > 0,
              "%s: Expected input's non-batch dimensions to have positive length, but input has a shape of %s and non-batch dimension %d "
              "has length zero!",
              largest ? "max_pool3d_with_indices_out_cpu_template()" : "avg_pool3d_out_cpu_template()", tj__sizes_text(t),
              i - (t->ndim - 4) + 1);
  int64_t planes = t->ndim > d ? t->sizes[t->ndim - d - 1] : 1;
  for (int i = 0; i < d; i++) small = small || out[i] < 1;
  RUNTIME(d == 3 || usable(t, d), "Expected %dD or %dD (batch mode) tensor with optional 0 dim batch size for input, but got:%s", d + 1,
          d + 2, tj__sizes_text(t));
  if (small && d == 3 && !largest)
    return tj__fail(TJ_ERROR_RUNTIME, "input image (T: %lld H: %lld W: %lld) smaller than kernel size (kT: %lld kH: %lld kW: %lld)",
                    LL(in[0]), LL(in[1]), LL(in[2]), LL(o->kernel[0]), LL(o->kernel[1]), LL(o->kernel[2]));
  char one[96], two[96];
  RUNTIME(!small, TJ__TEXT_pool_error_output_too_small_1, x_text(planes, in, d, d == 1, one, sizeof one),
          x_text(planes, out, d, d == 1, two, sizeof two));
  return out;
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

typedef struct plan {
  tj__pool_shape s;
  int64_t *memory;
  size_t bytes;
} plan;

/* o NULL: adaptive. in and out: sizes of `dims` dimensions. */
static bool plan_windows(plan *p, const options *o, int dims, tj_dtype dtype, int64_t planes, const int64_t *in, const int64_t *out) {
  *p = (plan){.s = {.dtype = dtype, .planes = planes, .divisor = o ? o->divisor : 0}};
  int64_t total = 0;
  /* Without elements there are no windows, whatever the other sizes are: they may be larger than any table. */
  bool empty = planes == 0;
  for (int j = 0; j < dims; j++) empty = empty || out[j] == 0;
  for (int i = 0; i < 3; i++) {
    int j = i - (3 - dims);
    p->s.in[i] = j < 0 ? 1 : in[j];
    p->s.out[i] = empty ? 0 : j < 0 ? 1 : out[j];
    p->s.step[i] = j < 0 || !o ? 1 : o->dilation[j];
    p->s.kernel[i] = j < 0 || !o ? 1 : o->kernel[j];
    p->s.stride[i] = !o ? 0 : j < 0 ? 1 : o->stride[j];
    p->s.padding[i] = j < 0 || !o ? 0 : o->padding[j];
    total += 3 * p->s.out[i];
  }
  p->bytes = (size_t)(total + 1) * sizeof(int64_t);
  int64_t *at = p->memory = tj__alloc(p->bytes);
  if (!at) return false;
  for (int i = 0; i < 3; i++) {
    int64_t n = p->s.out[i], size = p->s.in[i], *start = at, *end = at + n, *extent = end + n;
    int j = i - (3 - dims);
    for (int64_t k = 0; k < n; k++) {
      if (j < 0) {
        start[k] = 0, end[k] = extent[k] = 1;
      } else if (!o) {
        start[k] = k * size / n;
        end[k] = ((k + 1) * size + n - 1) / n;
        extent[k] = end[k] - start[k];
      } else {
        int64_t from = k * o->stride[j] - o->padding[j], to = from + (o->kernel[j] - 1) * o->dilation[j] + 1;
        extent[k] = TJ__MIN(to, size + o->padding[j]) - from;
        start[k] = from < 0 ? from + (-from + o->dilation[j] - 1) / o->dilation[j] * o->dilation[j] : from;
        end[k] = TJ__MIN(to, size);
        if (!o->include_pad) extent[k] = TJ__MAX(0, end[k] - start[k]);
      }
    }
    p->s.start[i] = start, p->s.end[i] = end, p->s.extent[i] = extent;
    at = extent + n;
  }
  return true;
}

static void drop(plan *p) { tj__free(p->memory, p->bytes); }

static int64_t product(const int64_t *v, int n) {
  int64_t p = 1;
  for (int i = 0; i < n; i++) p *= v[i];
  return p;
}

/* A new contiguous tensor with t's leading sizes and these for the last dims. */
static tj_tensor *with_sizes(const tj_tensor *t, int dims, const int64_t *last, tj_dtype dtype) {
  int64_t sizes[TJ_MAX_DIMS];
  int lead = t->ndim - dims;
  memcpy(sizes, t->sizes, (size_t)lead * sizeof *sizes);
  memcpy(sizes + lead, last, (size_t)dims * sizeof *sizes);
  return tj__empty((tj_ints){sizes, t->ndim}, dtype, t->storage->device);
}

/* Images whose channels lie closest give results of the same layout. */
static bool channels_last(const tj_tensor *t) { return t->ndim == 4 && tj__suggested_format(t); }

static tj_status largest(tj_tensor *t, const options *o, int dims, const int64_t *out, tj_tensor **values, tj_tensor **indices) {
  const tj__backend *backend = tj__backend_for(&t, 1);
  tj_dtype dtype = (tj_dtype)t->dtype;
  const bool last = dims == 2 && channels_last(t);
  if (!backend || !(t = tj__contiguous(t))) return tj_error_code();
  *values = with_sizes(t, dims, out, dtype), *indices = with_sizes(t, dims, out, TJ_INT64);
  if (!*values || !*indices) return tj_error_code();
  const int64_t *in = t->sizes + t->ndim - dims;
  plan p;
  if (!plan_windows(&p, o, dims, dtype, product(t->sizes, t->ndim - dims), in, out)) return tj_error_code();
  if ((*values)->numel) backend->pool->largest(&p.s, tj__read(t), tj__write(*values), tj__write(*indices));
  drop(&p);
  if (last &&
      (!(*values = tj__clone_as(*values, dtype, "channels_last")) || !(*indices = tj__clone_as(*indices, TJ_INT64, "channels_last"))))
    return tj_error_code();
  return TJ_OK;
}

static tj_tensor *average(tj_tensor *t, const options *o, int dims, const int64_t *out) {
  const tj__backend *backend = tj__backend_for(&t, 1);
  const bool last = dims == 2 && channels_last(t);
  if (!backend || !(t = tj__contiguous(t))) return NULL;
  tj_tensor *result = with_sizes(t, dims, out, (tj_dtype)t->dtype);
  plan p;
  if (!result || !plan_windows(&p, o, dims, (tj_dtype)t->dtype, product(t->sizes, t->ndim - dims), t->sizes + t->ndim - dims, out))
    return NULL;
  if (result->numel) backend->pool->average(&p.s, tj__read(t), tj__write(result));
  drop(&p);
  return last ? tj__clone_as(result, (tj_dtype)result->dtype, "channels_last") : result;
}

static tj_tensor *average_backward(tj_tensor *grad, const options *o, int dims, tj_ints sizes) {
  const tj__backend *backend = tj__backend_for(&grad, 1);
  if (!backend || !(grad = tj__contiguous(grad))) return NULL;
  tj_tensor *result = tj__empty(sizes, (tj_dtype)grad->dtype, grad->storage->device);
  plan p;
  const int lead = grad->ndim - dims;
  if (!result || !plan_windows(&p, o, dims, (tj_dtype)grad->dtype, product(grad->sizes, lead), sizes.data + lead, grad->sizes + lead))
    return NULL;
  if (result->numel) backend->pool->average_backward(&p.s, tj__read(grad), tj__write(result));
  drop(&p);
  return result;
}

/* ---- max_pool ---------------------------------------------------------------------------------------------------- */

static tj_status max_pool(const char *name, tj_tensor *t, int dims, tj_ints kernel, tj_ints stride, tj_ints padding, tj_ints dilation,
                          bool ceil_mode, tj_tensor **values, tj_tensor **indices) {
  options o;
  int64_t out[3];
  if (!read_options(&o, name, dims, kernel, stride, padding, dilation, ceil_mode)) return tj_error_code();
  if (dims == 3)
    TJ__CHECK_STATUS(t->ndim == 4 || t->ndim == 5, TJ_ERROR_RUNTIME, "non-empty 4D or 5D (batch mode) tensor expected for input");
  if (dims == 2)
    TJ__CHECK_STATUS(t->ndim == 3 || t->ndim == 4, TJ_ERROR_RUNTIME, "non-empty 3D or 4D (batch mode) tensor expected for input");
  if (dims == 1)
    TJ__CHECK_STATUS(t->ndim == 2 || t->ndim == 3, TJ_ERROR_RUNTIME,
                     "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:%s",
                     tj__sizes_text(t));
  if (!checked_windows(t, &o, true, out)) return tj_error_code();
  TJ__CHECK_STATUS(
      t->dtype != TJ_BOOL && t->dtype != TJ_UINT16 && t->dtype != TJ_UINT32 && t->dtype != TJ_UINT64 && !tj_dtype_is_complex(t->dtype),
      TJ_ERROR_NOT_IMPLEMENTED, "\"max_pool%dd\" not implemented for '%s'", dims == 1 ? 2 : dims, tj__dtype_legacy(t->dtype));
  return largest(t, &o, dims, out, values, indices);
}

/* max_pool1d without indices has checks of its own. */
static void *check_max_pool1d(const tj_tensor *t, tj_ints kernel, tj_ints stride, tj_ints padding, tj_ints dilation, bool ceil_mode) {
  options o;
  RUNTIME(usable(t, 1), "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:%s",
          tj__sizes_text(t));
  if (!read_options(&o, "max_pool1d", 1, kernel, stride, padding, dilation, ceil_mode)) return NULL;
  RUNTIME(o.kernel[0] > 0, "max_pool1d() kernel_size must be greater than zero, but got %lld", LL(o.kernel[0]));
  RUNTIME(o.stride[0] > 0, "max_pool1d() stride must be greater than zero, but got %lld", LL(o.stride[0]));
  RUNTIME(o.padding[0] >= 0, "max_pool1d() padding must be non-negative, but got %lld", LL(o.padding[0]));
  RUNTIME(o.padding[0] <= o.kernel[0] / 2,
          "max_pool1d() padding should be at most half of kernel size, but got padding=%lld and kernel_size=%lld", LL(o.padding[0]),
          LL(o.kernel[0]));
  RUNTIME(o.dilation[0] > 0, "max_pool1d() dilation must be greater than zero, but got %lld", LL(o.dilation[0]));
  int64_t n = windows(&o, 0, t->sizes[t->ndim - 1]);
  RUNTIME(n > 0, "max_pool1d() Invalid computed output size: %lld", LL(n));
  IMPLEMENTED(tj_dtype_is_floating(t->dtype), "\"max_pool1d_impl\" not implemented for '%s'", tj__dtype_legacy(t->dtype));
  return (void *)1;
}

#define MAX_POOL(N)                                                                                                                        \
  tj_status tj__impl_max_pool##N##d_with_indices(tj_tensor *input, tj_ints kernel_size, tj_ints stride, tj_ints padding, tj_ints dilation, \
                                                 bool ceil_mode, tj_tensor **output, tj_tensor **indices) {                                \
    return max_pool("max_pool" #N "d", input, N, kernel_size, stride, padding, dilation, ceil_mode, output, indices);                      \
  }                                                                                                                                        \
  tj_tensor *tj__impl_max_pool##N##d(tj_tensor *input, tj_ints kernel_size, tj_ints stride, tj_ints padding, tj_ints dilation,             \
                                     bool ceil_mode) {                                                                                     \
    tj_tensor *output, *indices;                                                                                                           \
    if (N == 1 && !check_max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)) return NULL;                                \
    if (tj_max_pool##N##d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode, &output, &indices)) return NULL;          \
    return output;                                                                                                                         \
  }
MAX_POOL(1)
MAX_POOL(2)
MAX_POOL(3)

tj_tensor *tj__impl_max_pool_backward(tj_tensor *grad_output, tj_tensor *indices, tj_ints input_sizes, tj_ints kernel_size, tj_ints stride,
                                      tj_ints padding, tj_ints dilation, int64_t dims) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){grad_output, indices}, 2);
  options o;
  if (!backend || !read_options(&o, "max_pool", (int)dims, kernel_size, stride, padding, dilation, false)) return NULL;
  if (!backend->pool->largest_backward) return tj__impl_pool_scatter(grad_output, indices, input_sizes, dims);
  tj_tensor *grad = tj__contiguous(grad_output), *at = grad ? tj__contiguous(indices) : NULL;
  tj_tensor *out = at ? tj__empty(input_sizes, (tj_dtype)grad->dtype, grad->storage->device) : NULL;
  if (!out || !out->numel) return out;
  const int lead = grad->ndim - (int)dims;
  plan p;
  if (!plan_windows(&p, &o, (int)dims, (tj_dtype)grad->dtype, product(grad->sizes, lead), input_sizes.data + lead, grad->sizes + lead))
    return NULL;
  backend->pool->largest_backward(&p.s, tj__read(grad), tj__read(at), tj__write(out));
  drop(&p);
  return out;
}

tj_tensor *tj__impl_pool_scatter(tj_tensor *grad_output, tj_tensor *indices, tj_ints input_sizes, int64_t dims) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){grad_output, indices}, 2);
  tj_tensor *grad = backend ? tj__contiguous(grad_output) : NULL, *at = grad ? tj__contiguous(indices) : NULL;
  tj_tensor *out = at ? tj__empty(input_sizes, (tj_dtype)grad->dtype, grad->storage->device) : NULL;
  if (!out || !out->numel) return out;
  int lead = grad->ndim - (int)dims;
  bool ok = backend->pool->scatter((tj_dtype)grad->dtype, product(grad->sizes, lead), product(input_sizes.data + lead, (int)dims),
                                   product(grad->sizes + lead, (int)dims), tj__read(grad), tj__read(at), tj__write(out));
  RUNTIME(ok, "max_pool: an index of the gradient is out of range, or '%s' has no gradient", tj__dtype_legacy(grad->dtype));
  return out;
}

tj_tensor *tj__impl_pool_gather(tj_tensor *self, tj_tensor *indices, int64_t dims) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, indices}, 2);
  tj_tensor *t = backend ? tj__contiguous(self) : NULL, *at = t ? tj__contiguous(indices) : NULL;
  tj_tensor *out = at ? tj__empty(tj__sizes(at), (tj_dtype)t->dtype, t->storage->device) : NULL;
  if (!out || !out->numel) return out;
  int lead = t->ndim - (int)dims;
  bool ok = backend->pool->gather((tj_dtype)t->dtype, product(t->sizes, lead), product(t->sizes + lead, (int)dims),
                                  product(at->sizes + lead, (int)dims), tj__read(t), tj__read(at), tj__write(out));
  RUNTIME(ok, "max_pool: an index of the gradient is out of range, or '%s' has no gradient", tj__dtype_legacy(t->dtype));
  return out;
}

/* ---- avg_pool ---------------------------------------------------------------------------------------------------- */

static void *average_options(options *o, int dims, tj_ints kernel, tj_ints stride, tj_ints padding, bool ceil_mode, bool include_pad,
                             int64_t divisor) {
  static const char *const names[] = {"", "avg_pool1d", "avg_pool2d", "avg_pool3d"};
  if (!read_options(o, names[dims], dims, kernel, stride, padding, TJ_INTS(1), ceil_mode)) return NULL;
  RUNTIME(divisor != 0, "divisor must be not zero");
  o->include_pad = include_pad;
  o->divisor = divisor == TJ_NO_INT ? 0 : divisor;
  return o;
}

tj_tensor *tj__impl_avg_pool_nd(tj_tensor *input, tj_ints kernel_size, tj_ints stride, tj_ints padding, bool ceil_mode,
                                bool count_include_pad, int64_t divisor_override, int64_t dims) {
  options o;
  int64_t out[3];
  const int d = (int)dims;
  if (d == 1)
    RUNTIME(input->ndim == 2 || input->ndim == 3,
            "Expected 2 to 3 dimensions, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)",
            input->ndim);
  if (!average_options(&o, d, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)) return NULL;
  if (d == 2)
    TJ__CHECK(input->ndim >= 3, TJ_ERROR_INDEX, "Dimension out of range (expected to be in range of [%d, %d], but got -3)",
              -TJ__MAX(1, input->ndim), TJ__MAX(1, input->ndim) - 1);
  if (d == 3) RUNTIME(input->ndim == 4 || input->ndim == 5, "non-empty 4D or 5D (batch mode) tensor expected for input");
  if (!checked_windows(input, &o, false, out)) return NULL;
  bool half = input->dtype == TJ_FLOAT16 || input->dtype == TJ_BFLOAT16;
  IMPLEMENTED((tj_dtype_is_floating(input->dtype) && !(half && d == 3)) || input->dtype == TJ_INT64, "\"%s\" not implemented for '%s'",
              d == 3 ? "avg_pool3d_out_frame" : "avg_pool2d", tj__dtype_legacy(input->dtype));
  return average(input, &o, d, out);
}

tj_tensor *tj__impl_avg_pool_backward(tj_tensor *grad_output, tj_ints input_sizes, tj_ints kernel_size, tj_ints stride, tj_ints padding,
                                      bool ceil_mode, bool count_include_pad, int64_t divisor_override, int64_t dims) {
  options o;
  if (!average_options(&o, (int)dims, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)) return NULL;
  return average_backward(grad_output, &o, (int)dims, input_sizes);
}

tj_tensor *tj__impl_avg_pool1d(tj_tensor *input, tj_ints kernel_size, tj_ints stride, tj_ints padding, bool ceil_mode,
                               bool count_include_pad) {
  return tj__impl_avg_pool_nd(input, kernel_size, stride, padding, ceil_mode, count_include_pad, TJ_NO_INT, 1);
}
tj_tensor *tj__impl_avg_pool2d(tj_tensor *input, tj_ints kernel_size, tj_ints stride, tj_ints padding, bool ceil_mode,
                               bool count_include_pad, int64_t divisor_override) {
  return tj__impl_avg_pool_nd(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2);
}
tj_tensor *tj__impl_avg_pool3d(tj_tensor *input, tj_ints kernel_size, tj_ints stride, tj_ints padding, bool ceil_mode,
                               bool count_include_pad, int64_t divisor_override) {
  return tj__impl_avg_pool_nd(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 3);
}

/* ---- adaptive ---------------------------------------------------------------------------------------------------- */

/* "{1, 2}" */
static const char *braces(tj_ints v, char *buffer, size_t bytes) {
  size_t at = (size_t)snprintf(buffer, bytes, "{");
  for (int64_t i = 0; i < v.n && at < bytes; i++) at += (size_t)snprintf(buffer + at, bytes - at, i ? ", %lld" : "%lld", LL(v.data[i]));
  if (at < bytes) snprintf(buffer + at, bytes - at, "}");
  return buffer;
}

static void *adaptive_sizes(const tj_tensor *t, tj_ints output_size, int dims, const char *name, int64_t *out) {
  char text[96];
  if (dims == 1)
    RUNTIME(t->ndim == 2 || t->ndim == 3,
            "Expected 2 to 3 dimensions, but got %d-dimensional tensor for argument #1 'self' (while checking arguments for %s)", t->ndim,
            name);
  RUNTIME(spread(output_size, dims, out), "%s: output_size must be %d", name, dims);
  bool average = name[9] == 'a';
  TJ__CHECK(dims == 1 || output_size.n != dims || t->ndim > dims, TJ_ERROR_VALUE, "Input dimension should be at least %d", dims + 1);
  for (int i = 0; i < dims; i++) {
    if (average)
      RUNTIME(out[i] >= 0, "%s: elements of output_size must be greater than or equal to 0 but received %s",
              dims == 1 ? "adaptive_avg_pool2d" : name, braces(dims == 1 ? TJ_INTS(1, out[0]) : (tj_ints){out, dims}, text, sizeof text));
  }
  RUNTIME(t->ndim == dims + 1 || t->ndim == dims + 2, "%s(): Expected %dD or %dD tensor, but got%s %s", name, dims + 1, dims + 2,
          average ? "" : ":", tj__sizes_text(t));
  for (int i = t->ndim - dims; i < t->ndim; i++)
    RUNTIME(t->sizes[i] > 0,
            "%s(): Expected input to have non-zero size for non-batch dimensions, but input has sizes %s with dimension %d being empty",
            name, tj__sizes_text(t), i);
  return out;
}

tj_tensor *tj__impl_adaptive_avg_pool_nd(tj_tensor *input, tj_ints output_size, int64_t dims) {
  static const char *const names[] = {"", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"};
  int64_t out[3];
  if (!adaptive_sizes(input, output_size, (int)dims, names[dims], out)) return NULL;
  bool single = true;
  for (int i = 0; i < dims; i++) single = single && out[i] == 1;
  RUNTIME(!single || tj_dtype_is_floating(input->dtype),
          "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: %s",
          tj__dtype_legacy(input->dtype));
  IMPLEMENTED(tj_dtype_is_floating(input->dtype), "\"%s\" not implemented for '%s'",
              dims == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d", tj__dtype_legacy(input->dtype));
  return average(input, NULL, (int)dims, out);
}

tj_tensor *tj__impl_adaptive_avg_pool_backward(tj_tensor *grad_output, tj_ints input_sizes, tj_ints output_size, int64_t dims) {
  (void)output_size;
  return average_backward(grad_output, NULL, (int)dims, input_sizes);
}

#define ADAPTIVE(N)                                                                                                           \
  tj_tensor *tj__impl_adaptive_avg_pool##N##d(tj_tensor *input, tj_ints output_size) {                                        \
    return tj__impl_adaptive_avg_pool_nd(input, output_size, N);                                                              \
  }                                                                                                                           \
  tj_status tj__impl_adaptive_max_pool##N##d_with_indices(tj_tensor *input, tj_ints output_size, tj_tensor **output,          \
                                                          tj_tensor **indices) {                                              \
    int64_t out[3];                                                                                                           \
    if (N > 1 && output_size.n != N && output_size.n != 1)                                                                    \
      return tj__fail_status(TJ_ERROR_RUNTIME, "adaptive_max_pool" #N "d(): internal error: output_size.size() must be " #N); \
    if (!adaptive_sizes(input, output_size, N, "adaptive_max_pool" #N "d", out)) return tj_error_code();                      \
    TJ__CHECK_STATUS(tj_dtype_is_floating(input->dtype), TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'",         \
                     N == 3 ? "adaptive_max_pool3d_cpu" : "adaptive_max_pool2d", tj__dtype_legacy(input->dtype));             \
    return largest(input, NULL, N, out, output, indices);                                                                     \
  }                                                                                                                           \
  tj_tensor *tj__impl_adaptive_max_pool##N##d(tj_tensor *input, tj_ints output_size) {                                        \
    tj_tensor *output, *indices;                                                                                              \
    return tj_adaptive_max_pool##N##d_with_indices(input, output_size, &output, &indices) ? NULL : output;                    \
  }
ADAPTIVE(1)
ADAPTIVE(2)
ADAPTIVE(3)
