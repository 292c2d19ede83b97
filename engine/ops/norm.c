/* ops/norm.c: batch, layer, group, instance and rms normalisation. */
#include "kernels/norm.h"
#include "autograd/node.h"
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"

#include <math.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define IMPLEMENTED(condition, ...) TJ__CHECK(condition, TJ_ERROR_NOT_IMPLEMENTED, __VA_ARGS__)
#define LL(x) ((long long)(x))

static int64_t product(const int64_t *v, int n) {
  int64_t p = 1;
  for (int i = 0; i < n; i++) p *= v[i];
  return p;
}

typedef enum kind { BATCH, LAYER, GROUP } kind;
static kind kind_of(const char *text) { return text[0] == 'b' ? BATCH : text[0] == 'l' ? LAYER : GROUP; }

static tj__norm_shape shape_of(const tj_tensor *x, kind k, tj_ints extra, tj_dtype dtype) {
  tj__norm_shape s = {.dtype = dtype, .outer = 1};
  int64_t channels = x->ndim > 1 ? x->sizes[1] : 1, spatial = x->ndim > 2 ? product(x->sizes + 2, x->ndim - 2) : 1;
  switch (k) {
    case BATCH:
      s.outer = x->sizes[0], s.groups = channels, s.inner = spatial;
      s.weight_groups = TJ__MAX(1, channels), s.weight_step = 1, s.weight_run = TJ__MAX(1, spatial), s.n_weights = channels;
      /* a run of 1 means one weight an element: here a channel is that short */
      if (s.inner == 1) s.weight_run = 2;
      break;
    case LAYER:
      s.inner = product(x->sizes + x->ndim - extra.n, (int)extra.n), s.groups = product(x->sizes, x->ndim - (int)extra.n);
      s.weight_groups = 1, s.weight_run = 1, s.n_weights = s.inner;
      break;
    case GROUP:
      s.groups = x->sizes[0] * extra.data[0], s.inner = channels / extra.data[0] * spatial;
      s.weight_groups = extra.data[0], s.weight_step = channels / extra.data[0], s.weight_run = spatial, s.n_weights = channels;
      break;
  }
  return s;
}

/* Halves are computed in float32. */
static tj_dtype computed_in(int dtype) { return dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16 ? TJ_FLOAT32 : (tj_dtype)dtype; }

static tj_tensor *prepared(tj_tensor *t, tj_dtype dtype) {
  t = t ? tj__to_dtype(t, dtype) : NULL;
  return t ? tj__contiguous(t) : NULL;
}

/* (x - mean) rstd weight + bias, in the dtype `given`. x is prepared. */
static tj_tensor *applied(const tj__backend *backend, const tj__norm_shape *s, tj_tensor *x, tj_tensor *mean, tj_tensor *rstd,
                          tj_tensor *weight, tj_tensor *bias, tj_dtype given) {
  tj_tensor *out = tj__empty(tj__sizes(x), s->dtype, x->storage->device);
  tj_tensor *w = weight ? prepared(weight, s->dtype) : NULL, *b = bias ? prepared(bias, s->dtype) : NULL;
  if (!out || (weight && !w) || (bias && !b)) return NULL;
  if (out->numel)
    backend->norm->apply(s, tj__read(x), tj__read(mean), tj__read(rstd), w ? tj__read(w) : NULL, b ? tj__read(b) : NULL, tj__write(out));
  return tj__to_dtype(out, given);
}

/* Parameters have the input's dtype; with halves, float32 ones are fine too. */
static bool check_parameter(const tj_tensor *x, const tj_tensor *p) {
  bool half = x->dtype == TJ_FLOAT16 || x->dtype == TJ_BFLOAT16;
  if (!p || p->dtype == x->dtype || (half && p->dtype == TJ_FLOAT32)) return true;
  tj__fail(TJ_ERROR_RUNTIME, "mixed dtype (CPU): expect parameter to have scalar type of Float");
  return false;
}

static bool check_floating(const tj_tensor *x, const char *kernel) {
  if (tj_dtype_is_floating(x->dtype)) return true;
  tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'", kernel, tj__dtype_legacy(x->dtype));
  return false;
}

/* Channels that are the columns of a matrix are normalised as the rows of the matrix turned around, whose elements are neighbours. */
static bool are_columns(const tj__norm_shape *s, kind k, const tj_tensor *x) {
  return k == BATCH && s->outer > 1 && s->inner == 1 && x->numel > 0 && tj__can_look(x);
}
/* A contiguous matrix turned around. */
static tj_tensor *turned(tj_tensor *x, int64_t rows, int64_t columns) {
  return x ? tj__contiguous(tj__alias(x, TJ_INTS(columns, rows), TJ_INTS(1, columns), x->offset)) : NULL;
}
static tj_tensor *turn_back(tj_tensor *x, const tj_tensor *like) {
  x = turned(x, x->sizes[0], x->sizes[1]);
  return x ? tj_reshape(x, tj__sizes(like)) : NULL;
}
static void as_rows(tj__norm_shape *s) { s->inner = s->weight_run = s->outer, s->outer = 1; }

/* Output, means and inverse deviations, and the biased variances unless `variance` is NULL, in one go. x is prepared. */
static bool normalised(const tj__backend *backend, const tj__norm_shape *s, tj_tensor *x, double eps, tj_tensor *weight, tj_tensor *bias,
                       tj_dtype given, tj_tensor **output, tj_tensor **mean, tj_tensor **rstd, tj_tensor **variance) {
  tj_device device = x->storage->device;
  tj_tensor *out = tj__empty(tj__sizes(x), s->dtype, device);
  *mean = tj__empty(TJ_INTS(s->groups), s->dtype, device);
  *rstd = tj__empty(TJ_INTS(s->groups), s->dtype, device);
  if (variance) *variance = tj__empty(TJ_INTS(s->groups), tj__can_look(x) ? TJ_FLOAT64 : TJ_FLOAT32, device);
  tj_tensor *w = weight ? prepared(weight, s->dtype) : NULL, *b = bias ? prepared(bias, s->dtype) : NULL;
  if (!out || !*mean || !*rstd || (variance && !*variance) || (weight && !w) || (bias && !b)) return false;
  if (!backend->norm->normalise(s, tj__read(x), eps, w ? tj__read(w) : NULL, b ? tj__read(b) : NULL, tj__write(*mean), tj__write(*rstd),
                                variance ? tj__write(*variance) : NULL, tj__write(out)))
    return false;
  return (*output = tj__to_dtype(out, given)) != NULL;
}

/* ---- batch_norm -------------------------------------------------------------------------------------------------- */

static bool check_channels(const tj_tensor *t, const char *name, int64_t channels) {
  if (!t || t->numel == channels) return true;
  tj__fail(TJ_ERROR_RUNTIME, "%s should contain %lld elements not %lld", name, LL(channels), LL(t->numel));
  return false;
}

/* running = (1 - momentum) running + momentum now, in place. */
static bool update_running(tj_tensor *running, const tj_tensor *now, double factor, double momentum) {
  if (!running) return true;
  if (!tj__can_look(running)) {
    tj_tensor *mixed = tj_add(tj_mul(running, tj__number(1 - momentum)), (tj_tensor *)now, tj_float(momentum * factor));
    if (!mixed || !tj__copy_into(running, mixed)) return false;
    tj__bump_version(running);
    return true;
  }
  tj_tensor *r = prepared(running, TJ_FLOAT64), *n = prepared((tj_tensor *)now, TJ_FLOAT64);
  if (!r || !n) return false;
  if (r == running && !(r = tj__clone(running))) return false;
  double *to = tj__write(r);
  const double *from = tj__read(n);
  for (int64_t i = 0; i < r->numel; i++) to[i] = (1 - momentum) * to[i] + momentum * factor * from[i];
  if (!tj__copy_into(running, r)) return false;
  tj__bump_version(running);
  return true;
}

/* The running statistics as mean and inverse deviation of dtype. */
static bool kept_statistics(tj_tensor *running_mean, tj_tensor *running_var, tj_dtype dtype, double eps, tj_tensor **mean,
                            tj_tensor **rstd) {
  *mean = prepared(running_mean, dtype);
  if (*mean == running_mean) *mean = tj__clone(running_mean);
  if (tj__can_look(running_var)) {
    tj_tensor *v = prepared(running_var, TJ_FLOAT64);
    if (!v || !(*rstd = tj__empty(TJ_INTS(v->numel), TJ_FLOAT64, v->storage->device))) return false;
    const double *from = tj__read(v);
    double *to = tj__write(*rstd);
    for (int64_t i = 0; i < v->numel; i++) to[i] = 1 / sqrt(from[i] + eps);
  } else {
    *rstd = tj_rsqrt(tj_add(running_var, tj__number(eps), tj_int(1)));
  }
  return *mean && *rstd && (*rstd = tj__to_dtype(*rstd, dtype)) != NULL;
}

tj_status tj__impl_native_batch_norm(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, tj_tensor *running_mean, tj_tensor *running_var,
                                     bool training, double momentum, double eps, tj_tensor **output, tj_tensor **save_mean,
                                     tj_tensor **save_invstd) {
  tj_tensor *all[] = {input, weight, bias, running_mean, running_var};
  const tj__backend *backend = tj__backend_for(all, 5);
  if (!backend || !check_floating(input, "batch_norm")) return tj_error_code();
  for (int i = 1; i < 5; i++)
    if (!check_parameter(input, all[i])) return tj_error_code();
  tj_dtype given = (tj_dtype)input->dtype, dtype = computed_in(given);
  tj_tensor *x = prepared(input, dtype), *variance;
  if (!x) return tj_error_code();
  tj__norm_shape s = shape_of(x, BATCH, TJ_NO_DIMS, dtype);
  const bool columns = are_columns(&s, BATCH, x);
  if (columns) {
    if (!(x = turned(x, s.outer, s.groups))) return tj_error_code();
    as_rows(&s);
  }
  if (training) {
    if (!normalised(backend, &s, x, eps, weight, bias, given, output, save_mean, save_invstd, &variance)) return tj_error_code();
    double n = (double)(s.outer * s.inner);
    if (s.outer * s.inner > 0 &&
        (!update_running(running_mean, *save_mean, 1, momentum) || !update_running(running_var, variance, n / (n - 1), momentum)))
      return tj_error_code();
  } else {
    if (!kept_statistics(running_mean, running_var, dtype, eps, save_mean, save_invstd)) return tj_error_code();
    *output = applied(backend, &s, x, *save_mean, *save_invstd, weight, bias, given);
  }
  const char *format = tj__suggested_format(input);
  if (columns && *output) *output = turn_back(*output, input);
  if (format && *output) *output = tj__clone_as(*output, given, format);
  return *output ? TJ_OK : tj_error_code();
}

/* "torch.Size([1, 3])" needs more than one value a channel. */
static bool check_training_size(const tj_tensor *x) {
  int64_t values = x->ndim ? x->sizes[0] : 1;
  for (int i = 2; i < x->ndim; i++) values *= x->sizes[i];
  if (values != 1) return true;
  tj__fail(TJ_ERROR_VALUE, "Expected more than 1 value per channel when training, got input size torch.Size(%s)", tj__sizes_text(x));
  return false;
}

tj_tensor *tj__impl_batch_norm(tj_tensor *input, tj_tensor *running_mean, tj_tensor *running_var, tj_tensor *weight, tj_tensor *bias,
                               bool training, double momentum, double eps) {
  if (training && !check_training_size(input)) return NULL;
  RUNTIME(training || running_mean, "running_mean must be defined in evaluation mode");
  RUNTIME(training || running_var, "running_var must be defined in evaluation mode");
  int64_t channels = input->ndim > 1 ? input->sizes[1] : 0;
  if (!check_channels(running_mean, "running_mean", channels) || !check_channels(running_var, "running_var", channels) ||
      !check_channels(weight, "weight", channels) || !check_channels(bias, "bias", channels))
    return NULL;
  if (input->ndim < 2) { /* no channels: nothing to normalise */
    RUNTIME(!input->numel, "batch_norm: expected at least 2 dimensions, got input of size %s", tj__sizes_text(input));
    return tj_clone(input, NULL);
  }
  tj_tensor *output, *mean, *invstd;
  return tj_native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, &output, &mean, &invstd) ? NULL
                                                                                                                                : output;
}

/* t repeated once a sample: [channels] to [batch * channels]. */
static tj_tensor *repeated(tj_tensor *t, int64_t batch, int64_t channels) {
  return t ? tj_reshape(tj_expand(t, TJ_INTS(batch, channels), false), TJ_INTS(batch * channels)) : NULL;
}

tj_tensor *tj__impl_instance_norm(tj_tensor *input, tj_tensor *running_mean, tj_tensor *running_var, tj_tensor *weight, tj_tensor *bias,
                                  bool use_input_stats, double momentum, double eps) {
  if (use_input_stats && (input->ndim < 2 || product(input->sizes + 2, input->ndim - 2) == 1))
    return tj__fail(TJ_ERROR_VALUE, "Expected more than 1 spatial element when training, got input size torch.Size(%s)",
                    tj__sizes_text(input));
  RUNTIME(use_input_stats || (running_mean && running_var),
          "Expected running_mean and running_var to be defined when use_input_stats is false");
  RUNTIME(input->ndim >= 2, "instance_norm: expected at least 2 dimensions, got input of size %s", tj__sizes_text(input));
  int64_t batch = input->sizes[0], channels = input->sizes[1], sizes[TJ_MAX_DIMS];
  memcpy(sizes, input->sizes, (size_t)input->ndim * sizeof *sizes);
  sizes[0] = 1, sizes[1] = batch * channels;
  tj_tensor *given[] = {running_mean, running_var, weight, bias};
  static const char *const names[] = {"running_mean", "running_var", "weight", "bias"};
  for (int i = 0; i < 4; i++)
    if (given[i] && given[i]->numel != channels) {
      tj__fail(TJ_ERROR_RUNTIME, "%s should contain %lld elements not %lld", names[i], LL(batch * channels), LL(given[i]->numel * batch));
      return NULL;
    }
  tj_tensor *mean = running_mean ? tj_clone(repeated(tj_detach(running_mean), batch, channels), NULL) : NULL;
  tj_tensor *var = running_var ? tj_clone(repeated(tj_detach(running_var), batch, channels), NULL) : NULL;
  tj_tensor *y = tj_batch_norm(tj_reshape(input, (tj_ints){sizes, input->ndim}), mean, var, repeated(weight, batch, channels),
                               repeated(bias, batch, channels), use_input_stats, momentum, eps);
  if (!y) return NULL;
  /* the samples' running statistics, averaged */
  bool grad = tj__below_autograd();
  bool ok = true;
  if (use_input_stats && mean)
    ok = tj_copy_(running_mean, tj_mean_dim(tj_reshape(mean, TJ_INTS(batch, channels)), TJ_INTS(0), false, TJ_DTYPE_NONE), false) != NULL;
  if (ok && use_input_stats && var)
    ok = tj_copy_(running_var, tj_mean_dim(tj_reshape(var, TJ_INTS(batch, channels)), TJ_INTS(0), false, TJ_DTYPE_NONE), false) != NULL;
  tj__above_autograd(grad);
  return ok ? tj_reshape(y, tj__sizes(input)) : NULL;
}

/* ---- layer_norm, group_norm, rms_norm ---------------------------------------------------------------------------- */

static bool same_shape(const tj_tensor *t, tj_ints shape) {
  return t->ndim == shape.n && !memcmp(t->sizes, shape.data, (size_t)shape.n * sizeof *shape.data);
}

static void *check_normalized(const tj_tensor *x, tj_ints shape, const tj_tensor *weight, const tj_tensor *bias) {
  RUNTIME(shape.n >= 1,
          "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = %s",
          tj__ints_text(shape.data, TJ__MAX(0, shape.n)));
  const char *text = tj__ints_text(shape.data, shape.n);
  if (weight)
    RUNTIME(same_shape(weight, shape),
            "Expected weight to be of same shape as normalized_shape, but got weight of shape %s and normalized_shape = %s",
            tj__sizes_text(weight), text);
  if (bias)
    RUNTIME(same_shape(bias, shape),
            "Expected bias to be of same shape as normalized_shape, but got bias of shape %s and normalized_shape = %s",
            tj__sizes_text(bias), text);
  bool fits = x->ndim >= shape.n && !memcmp(x->sizes + (x->ndim - shape.n), shape.data, (size_t)shape.n * sizeof *shape.data);
  RUNTIME(fits, "Given normalized_shape=%s, expected input with shape [*, %s, but got input of size%s", text, text + 1, tj__sizes_text(x));
  return (void *)1;
}

tj_status tj__impl_native_layer_norm(tj_tensor *input, tj_ints normalized_shape, tj_tensor *weight, tj_tensor *bias, double eps,
                                     tj_tensor **output, tj_tensor **mean, tj_tensor **rstd) {
  if (!check_normalized(input, normalized_shape, weight, bias) || !check_floating(input, "LayerNormKernelImpl") ||
      !check_parameter(input, weight) || !check_parameter(input, bias))
    return tj_error_code();
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){input, weight, bias}, 3);
  tj_dtype given = (tj_dtype)input->dtype, dtype = computed_in(given);
  tj_tensor *x = backend ? prepared(input, dtype) : NULL;
  if (!x) return tj_error_code();
  tj__norm_shape s = shape_of(x, LAYER, normalized_shape, dtype);
  if (!normalised(backend, &s, x, eps, weight, bias, given, output, mean, rstd, NULL)) return tj_error_code();
  int64_t sizes[TJ_MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) sizes[i] = i < x->ndim - normalized_shape.n ? x->sizes[i] : 1;
  /* with half parameters the statistics are halves too */
  if (given != dtype && (!weight || weight->dtype == given)) *mean = tj__to_dtype(*mean, given), *rstd = tj__to_dtype(*rstd, given);
  if (*mean && *rstd) *mean = tj_view(*mean, (tj_ints){sizes, x->ndim}), *rstd = tj_view(*rstd, (tj_ints){sizes, x->ndim});
  return *mean && *rstd ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_layer_norm(tj_tensor *input, tj_ints normalized_shape, tj_tensor *weight, tj_tensor *bias, double eps) {
  tj_tensor *output, *mean, *rstd;
  return tj_native_layer_norm(input, normalized_shape, weight, bias, eps, &output, &mean, &rstd) ? NULL : output;
}

tj_status tj__impl_native_group_norm(tj_tensor *input, tj_tensor *weight, tj_tensor *bias, int64_t N, int64_t C, int64_t HxW, int64_t group,
                                     double eps, tj_tensor **output, tj_tensor **mean, tj_tensor **rstd) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){input, weight, bias}, 3);
  tj_dtype given = (tj_dtype)input->dtype, dtype = computed_in(given);
  if (!backend || !check_floating(input, "GroupNormKernelImpl") || !check_parameter(input, weight) || !check_parameter(input, bias))
    return tj_error_code();
  TJ__CHECK_STATUS(group > 0 && C % group == 0 && input->ndim >= 2 && input->numel == N * C * HxW, TJ_ERROR_RUNTIME,
                   "Expected number of channels in input to be divisible by num_groups, but got input of shape %s and num_groups=%lld",
                   tj__sizes_text(input), LL(group));
  tj_tensor *x = prepared(input, dtype);
  if (!x) return tj_error_code();
  tj__norm_shape s = shape_of(x, GROUP, TJ_INTS(group), dtype);
  if (!normalised(backend, &s, x, eps, weight, bias, given, output, mean, rstd, NULL)) return tj_error_code();
  const char *format = tj__suggested_format(input);
  if (format && !(*output = tj__clone_as(*output, given, format))) return tj_error_code();
  if (given != dtype && (!weight || weight->dtype == given)) *mean = tj__to_dtype(*mean, given), *rstd = tj__to_dtype(*rstd, given);
  if (*mean && *rstd) *mean = tj_view(*mean, TJ_INTS(N, group)), *rstd = tj_view(*rstd, TJ_INTS(N, group));
  return *mean && *rstd ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_group_norm(tj_tensor *input, int64_t num_groups, tj_tensor *weight, tj_tensor *bias, double eps) {
  RUNTIME(input->ndim >= 2, "Expected at least 2 dimensions for input tensor but received %d", input->ndim);
  int64_t batch = input->sizes[0], channels = input->sizes[1], spatial = product(input->sizes + 2, input->ndim - 2);
  RUNTIME(num_groups > 0, "Expected num groups to be greater than 0, got %lld", LL(num_groups));
  if (batch * (channels / num_groups) * spatial == 1 && channels % num_groups == 0)
    return tj__fail(TJ_ERROR_VALUE, "Expected more than 1 value per channel when training, got input size %s", tj__sizes_text(input));
  const char *text = tj__sizes_text(input);
  RUNTIME(channels % num_groups == 0,
          "Expected number of channels in input to be divisible by num_groups, but got input of shape %s and num_groups=%lld", text,
          LL(num_groups));
  if (weight)
    RUNTIME(
        weight->ndim == 1 && weight->numel == channels,
        "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape %s and input of shape %s",
        tj__sizes_text(weight), text);
  if (bias)
    RUNTIME(bias->ndim == 1 && bias->numel == channels,
            "Expected bias to be a vector of size equal to the number of channels in input, but got bias of shape %s and input of shape %s",
            tj__sizes_text(weight ? weight : bias), text); /* sic: PyTorch shows the weight's */
  RUNTIME(spatial > 0, "Expected HxW to be greater than 0, got %lld", LL(spatial));
  tj_tensor *output, *mean, *rstd;
  return tj_native_group_norm(input, weight, bias, batch, channels, spatial, num_groups, eps, &output, &mean, &rstd) ? NULL : output;
}

tj_tensor *tj__impl_rms_norm(tj_tensor *input, tj_ints normalized_shape, tj_tensor *weight, tj_scalar eps) {
  if (!check_normalized(input, normalized_shape, weight, NULL)) return NULL;
  IMPLEMENTED(tj_dtype_is_floating(input->dtype) || tj_dtype_is_complex(input->dtype), "\"rms_norm\" not implemented for '%s'",
              tj__dtype_legacy(input->dtype));
  tj_dtype given = (tj_dtype)input->dtype, dtype = computed_in(given);
  int64_t dims[TJ_MAX_DIMS];
  for (int64_t i = 0; i < normalized_shape.n; i++) dims[i] = i - normalized_shape.n;
  double e = eps.kind != TJ_SCALAR_NONE ? tj__scalar_to_double(eps) : tj__real_of(given) == TJ_FLOAT64 ? 0x1p-52 : 0x1p-23;
  tj_tensor *x = given == dtype ? input : tj_to_dtype(input, dtype, false, false, NULL);
  tj_tensor *square = tj_mean_dim(tj_mul(x, x), (tj_ints){dims, normalized_shape.n}, true, TJ_DTYPE_NONE);
  tj_tensor *y = tj_mul(x, tj_rsqrt(tj_add(square, tj_scalar_tensor(tj_float(e)), tj_int(1))));
  if (weight) y = tj_mul(y, weight);
  return y ? tj_to_dtype(y, given, false, false, NULL) : NULL;
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* Sizes of the weight into `sizes`; their number. */
static int weight_sizes(const tj_tensor *x, kind k, tj_ints extra, int64_t *sizes) {
  if (k != LAYER) {
    sizes[0] = x->sizes[1];
    return 1;
  }
  memcpy(sizes, extra.data, (size_t)extra.n * sizeof *sizes);
  return (int)extra.n;
}

tj_status tj__impl_norm_backward(tj_tensor *grad_output, tj_tensor *input, tj_tensor *weight, tj_tensor *mean, tj_tensor *rstd,
                                 const char *kind, tj_ints extra, bool training, tj_ints output_mask, tj_tensor **grad_input,
                                 tj_tensor **grad_weight, tj_tensor **grad_bias) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){grad_output, input, weight, mean}, 4);
  if (!backend) return tj_error_code();
  tj_dtype given = (tj_dtype)input->dtype, dtype = computed_in(given);
  tj_tensor *grad = prepared(grad_output, dtype), *x = prepared(input, dtype), *w = weight ? prepared(weight, dtype) : NULL;
  tj_tensor *m = prepared(mean, dtype), *r = prepared(rstd, dtype);
  if (!grad || !x || !m || !r || (weight && !w)) return tj_error_code();
  tj__norm_shape s = shape_of(x, kind_of(kind), extra, dtype);
  const bool columns = are_columns(&s, kind_of(kind), x);
  if (columns) {
    grad = turned(grad, s.outer, s.groups), x = turned(x, s.outer, s.groups);
    if (!grad || !x) return tj_error_code();
    as_rows(&s);
  }
  int64_t sizes[TJ_MAX_DIMS];
  const tj_ints parameter = {sizes, weight_sizes(input, kind_of(kind), extra, sizes)};
  tj_tensor **results[] = {grad_input, grad_weight, grad_bias};
  void *to[3] = {NULL};
  for (int i = 0; i < 3; i++) {
    if (!output_mask.data[i]) continue;
    if (!(*results[i] = tj__empty(i ? parameter : tj__sizes(x), dtype, x->storage->device))) return tj_error_code();
    to[i] = tj__write(*results[i]);
    if (!x->numel && !tj__fill(*results[i], tj_int(0))) return tj_error_code();
  }
  if (x->numel && !backend->norm->backward(&s, tj__read(grad), tj__read(x), tj__read(m), tj__read(r), w ? tj__read(w) : NULL, training,
                                           to[0], to[1], to[2]))
    return tj_error_code();
  if (*grad_input && columns && !(*grad_input = turn_back(*grad_input, input))) return tj_error_code();
  for (int i = 0; i < 3; i++)
    if (*results[i] && !(*results[i] = tj__to_dtype(*results[i], given))) return tj_error_code();
  const char *format = kind_of(kind) == LAYER ? NULL : tj__suggested_format(input);
  if (*grad_input && format && !(*grad_input = tj__clone_as(*grad_input, given, format))) return tj_error_code();
  return TJ_OK;
}

/* x seen with its groups as dimensions of their own, for compositions: which of them are reduced, and the sizes that the statistics and
 * the weight have there. */
typedef struct view {
  int n, n_reduced, n_shared;
  int64_t sizes[4], statistics[4], weight[4], reduced[4], shared[4]; /* shared: dimensions along which a weight is the same */
} view;

static view view_of(const tj_tensor *x, kind k, tj_ints extra) {
  tj__norm_shape s = shape_of(x, k, extra, TJ_FLOAT32);
  switch (k) {
    case BATCH: return (view){3, 2, 2, {s.outer, s.groups, s.inner}, {1, s.groups, 1}, {1, s.groups, 1}, {0, 2}, {0, 2}};
    case LAYER: return (view){2, 1, 1, {s.groups, s.inner}, {s.groups, 1}, {1, s.inner}, {1}, {0}};
    default:
      return (view){4,
                    2,
                    2,
                    {x->sizes[0], extra.data[0], s.weight_step, s.weight_run},
                    {x->sizes[0], extra.data[0], 1, 1},
                    {1, extra.data[0], s.weight_step, 1},
                    {2, 3},
                    {0, 3}};
  }
}

static tj_tensor *seen(tj_tensor *t, const int64_t *sizes, int n) { return tj_reshape(t, (tj_ints){sizes, n}); }
static tj_tensor *average(const view *v, tj_tensor *t) { return tj_mean_dim(t, (tj_ints){v->reduced, v->n_reduced}, true, TJ_DTYPE_NONE); }

static tj_tensor *xhat_of(const view *v, tj_tensor *x, tj_tensor *mean, tj_tensor *rstd) {
  return tj_mul(tj__minus(seen(x, v->sizes, v->n), seen(mean, v->statistics, v->n)), seen(rstd, v->statistics, v->n));
}

/* rstd (t - mean(t) - xhat mean(t xhat)): the derivative of normalising, which is its own transpose. In evaluation: rstd t. */
static tj_tensor *projected(const view *v, tj_tensor *t, tj_tensor *xhat, tj_tensor *rstd, bool training) {
  if (training) t = tj__minus(tj__minus(t, average(v, t)), tj_mul(xhat, average(v, tj_mul(t, xhat))));
  return tj_mul(t, rstd);
}

/* The sum over where a weight is shared, in the weight's sizes. */
static tj_tensor *to_weight(const view *v, tj_tensor *t, const tj_tensor *x, kind k, tj_ints extra) {
  int64_t sizes[TJ_MAX_DIMS];
  int n = weight_sizes(x, k, extra, sizes);
  return tj_reshape(tj_sum_dim(t, (tj_ints){v->shared, v->n_shared}, false, TJ_DTYPE_NONE), (tj_ints){sizes, n});
}

/* A cotangent of nothing but zeros: that of a result that nobody read. */
static bool silent(const tj_tensor *t) {
  if (tj__requires_grad(t) || !tj__can_look(t)) return false;
  tj_tensor *wide = prepared((tj_tensor *)t, TJ_FLOAT64);
  const double *v = wide ? tj__read(wide) : NULL;
  for (int64_t i = 0; v && i < wide->numel; i++)
    if (v[i] != 0) return false;
  return v != NULL;
}

/* grad_input and what comes to the input through the mean and the inverse deviation. */
static tj_tensor *with_statistics(tj_tensor *grad_input, tj_tensor *grad_mean, tj_tensor *grad_rstd, tj_tensor *input, tj_tensor *mean,
                                  tj_tensor *rstd, tj_ints group) {
  view v = view_of(input, GROUP, group);
  tj_tensor *x = tj__minus(seen(input, v.sizes, v.n), seen(mean, v.statistics, v.n)), *r = seen(rstd, v.statistics, v.n);
  /* the mean's derivative is 1 / n, that of rstd -rstd^3 (x - mean) / n */
  tj_tensor *through = tj_mul(tj_mul(seen(grad_rstd, v.statistics, v.n), tj_mul(r, tj_mul(r, r))), x);
  tj_tensor *t = tj__minus(seen(grad_mean, v.statistics, v.n), through);
  t = tj_div(t, tj_scalar_tensor(tj_float((double)input->numel / (double)TJ__MAX(1, mean->numel))));
  t = t ? tj_to_dtype(tj_reshape(t, tj__sizes(input)), (tj_dtype)grad_input->dtype, false, false, NULL) : NULL;
  return t ? tj_add(grad_input, t, tj_int(1)) : NULL;
}

tj_status tj__impl_group_norm_backward(tj_tensor *grad_output, tj_tensor *grad_mean, tj_tensor *grad_rstd, tj_tensor *input,
                                       tj_tensor *weight, tj_tensor *mean, tj_tensor *rstd, int64_t group, tj_ints output_mask,
                                       tj_tensor **grad_input, tj_tensor **grad_weight, tj_tensor **grad_bias) {
  tj_status status = tj_norm_backward(grad_output, input, weight, mean, rstd, "group", TJ_INTS(group), true, output_mask, grad_input,
                                      grad_weight, grad_bias);
  if (status || !*grad_input || (silent(grad_mean) && silent(grad_rstd))) return status;
  *grad_input = with_statistics(*grad_input, grad_mean, grad_rstd, input, mean, rstd, TJ_INTS(group));
  return *grad_input ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_norm_double_output(tj_tensor *grad_grad_input, tj_tensor *grad_grad_weight, tj_tensor *grad_grad_bias, tj_tensor *input,
                                       tj_tensor *weight, tj_tensor *mean, tj_tensor *rstd, const char *kind, tj_ints extra,
                                       bool training) {
  view v = view_of(input, kind_of(kind), extra);
  tj_tensor *xhat = xhat_of(&v, input, mean, rstd), *t = NULL;
  if (grad_grad_input) {
    t = projected(&v, seen(grad_grad_input, v.sizes, v.n), xhat, seen(rstd, v.statistics, v.n), training);
    if (weight) t = tj_mul(t, seen(weight, v.weight, v.n));
  }
  if (grad_grad_weight) t = tj__total(t, tj_mul(xhat, seen(grad_grad_weight, v.weight, v.n)));
  if (grad_grad_bias) t = tj__total(t, tj_expand(seen(grad_grad_bias, v.weight, v.n), (tj_ints){v.sizes, v.n}, false));
  if (tj_error_code()) return NULL;
  return t ? tj_reshape(t, tj__sizes(input)) : tj_zeros_like(input, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
}

tj_tensor *tj__impl_norm_double_weight(tj_tensor *grad_grad_input, tj_tensor *grad_output, tj_tensor *input, tj_tensor *weight,
                                       tj_tensor *mean, tj_tensor *rstd, const char *kind, tj_ints extra, bool training) {
  if (!grad_grad_input) return tj_zeros_like(weight, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
  view v = view_of(input, kind_of(kind), extra);
  tj_tensor *t =
      projected(&v, seen(grad_grad_input, v.sizes, v.n), xhat_of(&v, input, mean, rstd), seen(rstd, v.statistics, v.n), training);
  return to_weight(&v, tj_mul(t, seen(grad_output, v.sizes, v.n)), input, kind_of(kind), extra);
}

/* Through the input's own gradient, in training: u is its cotangent. */
static tj_tensor *through_input(const view *v, tj_tensor *u, tj_tensor *g, tj_tensor *xhat, tj_tensor *r) {
  /* grad_input = r (g - mean(g) - xhat c) with c = mean(g xhat): through xhat, and through r, whose derivative is -r^2 mean(xhat dx) */
  tj_tensor *c = average(v, tj_mul(g, xhat));
  tj_tensor *through = tj_neg(tj_mul(r, tj_add(tj_mul(c, u), tj_mul(average(v, tj_mul(u, xhat)), g), tj_int(1))));
  tj_tensor *first = projected(v, g, xhat, r, true);
  return tj__minus(projected(v, through, xhat, r, true), tj_mul(tj_mul(r, xhat), average(v, tj_mul(u, first))));
}

tj_tensor *tj__impl_norm_double_input(tj_tensor *grad_grad_input, tj_tensor *grad_grad_weight, tj_tensor *grad_output, tj_tensor *input,
                                      tj_tensor *weight, tj_tensor *mean, tj_tensor *rstd, const char *kind, tj_ints extra, bool training) {
  view v = view_of(input, kind_of(kind), extra);
  tj_tensor *t = NULL, *along = NULL, *none[2];
  if (grad_grad_input && training) {
    tj_tensor *g = seen(grad_output, v.sizes, v.n);
    if (weight) g = tj_mul(g, seen(weight, v.weight, v.n));
    t = through_input(&v, seen(grad_grad_input, v.sizes, v.n), g, xhat_of(&v, input, mean, rstd), seen(rstd, v.statistics, v.n));
    if (!(t = tj_reshape(t, tj__sizes(input)))) return NULL;
  }
  /* the weight's gradient is the normalised input's product with grad_output: normalisation with that for a weight */
  if (grad_grad_weight && tj_norm_backward(grad_output, input, grad_grad_weight, mean, rstd, kind, extra, training, TJ_INTS(1, 0, 0),
                                           &along, &none[0], &none[1]))
    return NULL;
  if (along) t = tj__total(t, along);
  if (tj_error_code()) return NULL;
  return t ? t : tj_zeros_like(input, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL);
}
