/* ops/loss.c: losses over classes and differences of tensors. */
#include "core/core.h"
#include "autograd/node.h"
#include "kernels/index.h"
#include "kernels/pointwise.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"
#include "ops/loss.h"

#include <math.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define IMPLEMENTED(condition, ...) TJ__CHECK(condition, TJ_ERROR_NOT_IMPLEMENTED, __VA_ARGS__)
#define LL(x) ((long long)(x))

const char *tj__loss_reduction(int size_average, int reduce, const char *reduction) {
  if (size_average != TJ_NO_BOOL || reduce != TJ_NO_BOOL) return !reduce ? "none" : size_average ? "mean" : "sum";
  if (reduction && (!strcmp(reduction, "none") || !strcmp(reduction, "mean") || !strcmp(reduction, "sum"))) return reduction;
  return tj__fail(TJ_ERROR_VALUE, "%s is not a valid value for reduction", reduction ? reduction : "None");
}

tj_tensor *tj__loss_reduce(tj_tensor *t, const char *reduction) {
  if (!t || !reduction) return NULL;
  return reduction[0] == 'n' ? t : reduction[0] == 'm' ? tj_mean(t, TJ_DTYPE_NONE) : tj_sum(t, TJ_DTYPE_NONE);
}

/* ---- nll_loss ---------------------------------------------------------------------------------------------------- */

/* target without the ignored ones (class 0 in their place); *ignored is true where they are, NULL where there are none. */
static tj_tensor *usable_target(tj_tensor *target, int64_t ignore_index, int64_t n_classes, tj_tensor **ignored) {
  *ignored = NULL;
  tj_tensor *t = tj__contiguous(target);
  if (t) t = tj__to_dtype(t, TJ_INT64);
  if (!t) return NULL;
  const bool look = tj__can_look(t); /* elsewhere the gathering kernel finds a target out of bounds */
  const int64_t *values = tj__read(t);
  bool any = !look;
  for (int64_t i = 0; look && i < t->numel; i++) {
    if (values[i] == ignore_index) any = true;
    else
      TJ__CHECK(n_classes < 0 || (values[i] >= 0 && values[i] < n_classes), TJ_ERROR_INDEX, "Target %lld is out of bounds.", LL(values[i]));
  }
  if (!any) return t;
  *ignored = tj_eq(t, tj_scalar_tensor(tj_int(ignore_index)));
  return *ignored ? tj_masked_fill(t, *ignored, tj_int(0)) : NULL;
}

/* The weights of the targets (0 for ignored ones); NULL without an error when all are 1. */
static tj_tensor *weights_of(tj_tensor *target, tj_tensor *ignored, tj_tensor *weight, const tj_tensor *like) {
  if (!weight && !ignored) return NULL;
  tj_tensor *w = weight ? tj_reshape(tj_index_select(weight, 0, tj_reshape(target, TJ_INTS(-1))), tj__sizes(target))
                        : tj_ones(tj__sizes(target), (tj_dtype)like->dtype, like->storage->device, false);
  return ignored ? tj_masked_fill(w, ignored, tj_int(0)) : w;
}

static tj_tensor *indices_of(tj_tensor *target) {
  target = tj__to_dtype(target, TJ_INT64);
  return target ? tj__contiguous(target) : NULL;
}

static int64_t inner_of(tj_ints sizes) {
  int64_t inner = 1;
  for (int64_t i = 2; i < sizes.n; i++) inner *= sizes.data[i];
  return inner;
}

/* Where targets cannot be looked at, kernels do what is composed elsewhere. */
static tj_status nll_on_device(tj_tensor *self, tj_tensor *target, tj_tensor *weight, const char *reduction, int64_t ignore_index,
                               tj_tensor **output, tj_tensor **total_weight) {
  tj_dtype dtype = (tj_dtype)self->dtype;
  tj_tensor *losses = tj__empty(tj__sizes(target), dtype, self->storage->device);
  tj_tensor *weights = losses ? tj__empty(tj__sizes(target), dtype, self->storage->device) : NULL;
  if (!weights || !(self = tj__contiguous(self)) || !(target = indices_of(target)) || (weight && !(weight = tj__contiguous(weight))))
    return tj_error_code();
  tj__backend_of(self->storage->device)
      ->index->nll(losses, weights, self, target, weight, ignore_index, self->sizes[1], inner_of(tj__sizes(self)));
  *total_weight = tj_sum(weights, TJ_DTYPE_NONE);
  *output = reduction[0] == 'n' ? losses : tj_sum(losses, TJ_DTYPE_NONE);
  if (reduction[0] == 'm') *output = tj_div(*output, *total_weight);
  return *output && *total_weight ? TJ_OK : tj_error_code();
}

tj_status tj__impl_nll_loss_forward(tj_tensor *self, tj_tensor *target, tj_tensor *weight, const char *reduction, int64_t ignore_index,
                                    tj_tensor **output, tj_tensor **total_weight) {
  if (!tj__can_look(self)) return nll_on_device(self, target, weight, reduction, ignore_index, output, total_weight);
  tj_tensor *ignored, *at = usable_target(target, ignore_index, self->sizes[1], &ignored);
  if (!at) return tj_error_code();
  tj_tensor *w = weights_of(at, ignored, weight, self);
  if (tj_error_code()) return tj_error_code();
  tj_tensor *losses = tj_neg(tj_squeeze_dim(tj_gather(self, 1, tj_unsqueeze(at, 1), false), 1));
  /* an ignored loss is 0 even where the log probability is infinite */
  if (losses && ignored) losses = tj_masked_fill(losses, ignored, tj_int(0));
  if (losses && w) losses = tj_mul(losses, w);
  tj_tensor *total =
      w ? tj_sum(w, TJ_DTYPE_NONE) : tj_full(TJ_NO_DIMS, tj_float((double)at->numel), (tj_dtype)self->dtype, self->storage->device, false);
  if (!losses || !total) return tj_error_code();
  *total_weight = total;
  *output = reduction[0] == 'n' ? losses : tj_sum(losses, TJ_DTYPE_NONE);
  if (reduction[0] == 'm') *output = tj_div(*output, total);
  return *output ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_nll_loss_backward(tj_tensor *grad_output, tj_tensor *target, tj_tensor *weight, tj_tensor *total_weight, tj_ints sizes,
                                      const char *reduction, int64_t ignore_index) {
  if (!tj__can_look(grad_output) && !tj__needs_grad(&grad_output, 1)) {
    tj_tensor *out = tj__empty(sizes, (tj_dtype)grad_output->dtype, grad_output->storage->device);
    if (!out || !(grad_output = tj__contiguous(grad_output)) || !(target = indices_of(target)) ||
        (weight && !(weight = tj__contiguous(weight))))
      return NULL;
    tj__backend_of(out->storage->device)
        ->index->nll_backward(out, grad_output, reduction[0] == 'm' ? total_weight : NULL, target, weight, ignore_index, sizes.data[1],
                              inner_of(sizes));
    return tj_error_code() ? NULL : out;
  }
  tj_tensor *ignored, *at = usable_target(target, ignore_index, -1, &ignored);
  if (!at) return NULL;
  tj_tensor *w = weights_of(at, ignored, weight, grad_output);
  if (tj_error_code()) return NULL;
  tj_tensor *grad = tj_neg(grad_output);
  if (reduction[0] == 'm') grad = tj_div(grad, total_weight);
  grad = w ? tj_mul(w, grad) : tj_expand(grad, tj__sizes(at), false);
  tj_tensor *zeros = grad ? tj_zeros(sizes, (tj_dtype)grad_output->dtype, grad_output->storage->device, false) : NULL;
  return zeros ? tj_scatter(zeros, 1, tj_unsqueeze(at, 1), tj_unsqueeze(grad, 1)) : NULL;
}

static bool check_classes(const tj_tensor *x, const tj_tensor *target, const tj_tensor *weight, bool spatial) {
  int64_t n = x->sizes[x->ndim == 1 ? 0 : 1];
  if (target->dtype != TJ_INT64 && target->dtype != TJ_UINT8)
    return tj__fail(TJ_ERROR_RUNTIME, "expected scalar type Long but found %s", tj__dtype_legacy(target->dtype)) != NULL;
  if (weight && (weight->ndim != 1 || weight->numel != n)) {
    if (spatial) return tj__fail(TJ_ERROR_RUNTIME, "weight tensor should be defined either for all or no classes") != NULL;
    return tj__fail(TJ_ERROR_RUNTIME,
                    "weight tensor should be defined either for all %lld classes or no classes but got weight tensor of shape: %s", LL(n),
                    tj__sizes_text(weight)) != NULL;
  }
  if (weight && weight->dtype != x->dtype)
    return tj__fail(TJ_ERROR_RUNTIME, "expected scalar type %s but found %s", tj__dtype_legacy(x->dtype),
                    tj__dtype_legacy(weight->dtype)) != NULL;
  if (!tj_dtype_is_floating(x->dtype))
    return tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'",
                    spatial ? "nll_loss2d_forward_out_frame" : "nll_loss_out_frame", tj__dtype_legacy(x->dtype)) != NULL;
  return true;
}

/* x itself, or NULL where the loss of it is not defined */
static tj_tensor *checked_nll(tj_tensor *x, tj_tensor *target, tj_tensor *weight) {
  int d = x->ndim;
  TJ__CHECK(d >= 1, TJ_ERROR_VALUE, "Expected 1 or more dimensions (got %d)", d);
  if (d != 1 && (!target->ndim || x->sizes[0] != target->sizes[0]))
    return tj__fail(TJ_ERROR_VALUE, TJ__TEXT_loss_error_batch_does_not_match_1, LL(x->sizes[0]), LL(target->ndim ? target->sizes[0] : 0));
  const char *sizes = tj__sizes_text(x);
  if (d <= 2) {
    RUNTIME(target->ndim <= 1, "0D or 1D target tensor expected, multi-target not supported");
    RUNTIME((d == 1 && !target->ndim) || x->sizes[0] == target->sizes[0], "size mismatch (got input: %s, target: %s)", sizes,
            tj__sizes_text(target));
  } else if (d == 4) {
    RUNTIME(target->ndim == 3, "only batches of spatial targets supported (3D tensors) but got targets of dimension: %d", target->ndim);
    RUNTIME(x->sizes[2] == target->sizes[1] && x->sizes[3] == target->sizes[2], "size mismatch (got input: %s , target: %s", sizes,
            tj__sizes_text(target));
  } else {
    int64_t expected[TJ_MAX_DIMS] = {x->sizes[0]};
    memcpy(expected + 1, x->sizes + 2, (size_t)(d - 2) * sizeof *expected);
    bool same = target->ndim == d - 1 && !memcmp(expected, target->sizes, (size_t)(d - 1) * sizeof *expected);
    const char *text = tj__ints_text(expected, d - 1);
    RUNTIME(same, "Expected target size %s, got %s", text, tj__sizes_text(target));
  }
  return check_classes(x, target, weight, d >= 3) ? x : NULL;
}

static tj_tensor *nll_loss(tj_tensor *x, tj_tensor *target, tj_tensor *weight, const char *reduction, int64_t ignore_index) {
  tj_tensor *output, *total;
  if (!checked_nll(x, target, weight)) return NULL;
  if (x->ndim > 1) return tj_nll_loss_forward(x, target, weight, reduction, ignore_index, &output, &total) ? NULL : output;
  /* one sample without a batch; a target of one element keeps its dimension where nothing is reduced */
  tj_tensor *t = target->ndim ? target : tj_unsqueeze(target, 0);
  if (tj_nll_loss_forward(tj_unsqueeze(x, 0), t, weight, reduction, ignore_index, &output, &total)) return NULL;
  return reduction[0] == 'n' && !target->ndim ? tj_squeeze_dim(output, 0) : output;
}

tj_tensor *tj__impl_nll_loss(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int size_average, int64_t ignore_index, int reduce,
                             const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  return nll_loss(input, target, weight, reduction, ignore_index);
}

/* ---- cross_entropy ----------------------------------------------------------------------------------------------- */

/* weight as a tensor that broadcasts over dimension `dim` of x. */
static tj_tensor *along(tj_tensor *weight, const tj_tensor *x, int dim) {
  int64_t sizes[TJ_MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) sizes[i] = i == dim ? weight->numel : 1;
  return tj_reshape(weight, (tj_ints){sizes, x->ndim});
}

static tj_tensor *with_probabilities(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int64_t ignore_index, const char *reduction,
                                     double smoothing) {
  RUNTIME(tj_dtype_is_floating(target->dtype), "Expected floating point type for target with class probabilities, got %s",
          tj__dtype_legacy(target->dtype));
  RUNTIME(ignore_index < 0, "ignore_index is not supported for floating point target");
  int dim = input->ndim == 1 ? 0 : 1;
  int64_t n = input->ndim ? input->sizes[dim] : 1;
  RUNTIME(!weight || (weight->ndim == 1 && weight->numel == n),
          "cross_entropy: weight tensor should be defined either for all %lld classes or no classes but got weight tensor of shape: %s",
          LL(n), tj__sizes_text(weight));
  tj_tensor *x = tj_log_softmax(input, dim, TJ_DTYPE_NONE);
  if (smoothing > 0) target = tj__plus(tj_mul(target, tj__number(1 - smoothing)), tj__number(smoothing / (double)n));
  tj_tensor *t = tj_mul(x, target);
  if (t && weight) t = tj_mul(t, along(weight, x, dim));
  if (!t) return NULL;
  if (reduction[0] == 'n') return tj_neg(tj_sum_dim(t, TJ_INTS(dim), false, TJ_DTYPE_NONE));
  t = tj_neg(tj_sum(t, TJ_DTYPE_NONE));
  return reduction[0] == 's' ? t : tj_div(t, tj__number(x->numel ? (double)(x->numel / n) : 0));
}

static tj_tensor *smoothed(tj_tensor *x, tj_tensor *target, tj_tensor *weight, int64_t ignore_index, const char *reduction,
                           double smoothing) {
  int dim = x->ndim == 1 ? 0 : 1;
  int64_t n = x->sizes[dim];
  tj_tensor *nll = nll_loss(x, target, weight, reduction, ignore_index);
  tj_tensor *ignored, *at = nll ? usable_target(target, ignore_index, n, &ignored) : NULL;
  if (!at) return NULL;
  tj_tensor *smooth = tj_neg(tj_sum_dim(weight ? tj_mul(x, along(weight, x, dim)) : x, TJ_INTS(dim), false, TJ_DTYPE_NONE));
  if (smooth && ignored) smooth = tj_masked_fill(smooth, tj_reshape(ignored, tj__sizes(smooth)), tj_int(0));
  if (smooth && reduction[0] != 'n') smooth = tj_sum(smooth, TJ_DTYPE_NONE);
  if (smooth && reduction[0] == 'm') {
    tj_tensor *w = weights_of(at, ignored, weight, x);
    smooth = tj_div(smooth, w ? tj_sum(w, TJ_DTYPE_NONE) : tj__number((double)at->numel));
  }
  return tj__plus(tj_mul(nll, tj__number(1 - smoothing)), tj_mul(smooth, tj__number(smoothing / (double)n)));
}

/* ---- rows of classes: in one kernel each way */

tj_status tj__impl_cross_entropy_rows(tj_tensor *self, tj_tensor *target, tj_tensor **losses, tj_tensor **shift) {
  const tj__backend *backend = tj__backend_of(self->storage->device);
  const int64_t n = self->sizes[0];
  const tj_dtype dtype = (tj_dtype)self->dtype;
  tj_tensor *in = tj__contiguous(self), *at = in ? indices_of(target) : NULL;
  *losses = at ? tj__empty(TJ_INTS(n), dtype, self->storage->device) : NULL;
  *shift = at ? tj__empty(TJ_INTS(n, 2), dtype == TJ_FLOAT64 ? TJ_FLOAT64 : TJ_FLOAT32, self->storage->device) : NULL;
  return backend && *losses && *shift && backend->softmax->cross_entropy(*losses, *shift, in, tj__read(at)) ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_cross_entropy_rows_backward(tj_tensor *grad, tj_tensor *self, tj_tensor *target, tj_tensor *shift) {
  if (tj__needs_grad((tj_tensor *[]){grad, self}, 2)) {
    tj_tensor *factor = tj_unsqueeze(grad, 1), *zeros = tj_zeros(tj__sizes(self), (tj_dtype)self->dtype, self->storage->device, false);
    return tj__minus(tj_mul(tj_softmax(self, 1, TJ_DTYPE_NONE), factor), tj_scatter(zeros, 1, tj_unsqueeze(target, 1), factor));
  }
  tj_tensor *out = tj__empty(tj__sizes(self), (tj_dtype)self->dtype, self->storage->device), *at = indices_of(target);
  if (!out || !at || !(grad = tj__contiguous(grad)) || !(self = tj__contiguous(self))) return NULL;
  return tj__backend_of(self->storage->device)->softmax->cross_entropy_backward(out, grad, self, shift, tj__read(at)) ? out : NULL;
}

/* Of input [n, classes] (or [classes] with a number) on a device whose targets can be looked at. */
static tj_tensor *of_rows(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int64_t ignore_index, const char *reduction) {
  if (!checked_nll(input, target, weight)) return NULL;
  tj_tensor *x = input->ndim == 1 ? tj_unsqueeze(input, 0) : input, *t = target->ndim ? target : tj_unsqueeze(target, 0), *ignored, *shift;
  tj_tensor *at = x && t ? usable_target(t, ignore_index, x->sizes[1], &ignored) : NULL, *losses;
  if (!at || tj_cross_entropy_rows(x, at, &losses, &shift)) return NULL;
  tj_tensor *w = weights_of(at, ignored, weight, x);
  if (tj_error_code()) return NULL;
  /* an ignored loss is 0 even where the log probability is infinite */
  if (ignored) losses = tj_masked_fill(losses, ignored, tj_int(0));
  if (losses && w) losses = tj_mul(losses, w);
  if (!losses || reduction[0] == 'n') return losses && !target->ndim ? tj_squeeze_dim(losses, 0) : losses;
  const bool wide = x->dtype == TJ_FLOAT32 || x->dtype == TJ_FLOAT64; /* others round the sum before they divide it */
  if (reduction[0] == 'm' && !w && wide) return tj_mean(losses, TJ_DTYPE_NONE);
  tj_tensor *sum = tj_sum(losses, TJ_DTYPE_NONE);
  if (reduction[0] == 's') return sum;
  return tj_div(
      sum, w ? tj_sum(w, TJ_DTYPE_NONE) : tj_full(TJ_NO_DIMS, tj_float((double)at->numel), (tj_dtype)x->dtype, x->storage->device, false));
}

tj_tensor *tj__impl_cross_entropy(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int size_average, int64_t ignore_index,
                                  int reduce, const char *reduction, double label_smoothing) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  RUNTIME(label_smoothing >= 0 && label_smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: %g", label_smoothing);
  if (tj__same_sizes(input, target)) return with_probabilities(input, target, weight, ignore_index, reduction, label_smoothing);
  RUNTIME(input->ndim >= 1, "Expected 1 or more dimensions (got 0)");
  if (label_smoothing == 0 && (input->ndim == 2 || (input->ndim == 1 && target->ndim == 0)) && input->numel && tj__can_look(input) &&
      tj__can_look(target) && tj_dtype_is_floating((tj_dtype)input->dtype))
    return of_rows(input, target, weight, ignore_index, reduction);
  tj_tensor *x = tj_log_softmax(input, input->ndim == 1 ? 0 : 1, TJ_DTYPE_NONE);
  if (!x) return NULL;
  return label_smoothing > 0 ? smoothed(x, target, weight, ignore_index, reduction, label_smoothing)
                             : nll_loss(x, target, weight, reduction, ignore_index);
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

/* input - target where the loss is defined for floating numbers only. */
static tj_tensor *difference(tj_tensor *input, tj_tensor *target, const char *kernel) {
  tj_dtype dtype = tj_promote_types(input->dtype, target->dtype);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  IMPLEMENTED(tj_dtype_is_floating(dtype) || tj_dtype_is_complex(dtype), "\"%s\" not implemented for '%s'", kernel,
              tj__dtype_legacy(dtype));
  return tj__minus(input, target);
}

static bool both_floating(const tj_tensor *input, const tj_tensor *target) {
  return tj_dtype_is_floating((tj_dtype)input->dtype) && tj_dtype_is_floating((tj_dtype)target->dtype);
}

/* The mean or sum of a pointwise loss in one pass, where nobody else needs the losses; NULL without an error where that cannot be. */
static tj_tensor *in_one_pass(int kernel, tj_tensor *input, tj_tensor *target, double parameter, const char *reduction) {
  tj_tensor *inputs[] = {input, target};
  const bool suits = reduction[0] != 'n' && tj__can_look(input) && tj__can_look(target) && input->dtype == TJ_FLOAT32 &&
                     target->dtype == TJ_FLOAT32 && input->numel > 0 && tj__same_sizes(input, target) && tj__is_contiguous(input) &&
                     tj__is_contiguous(target) && !tj__needs_grad(inputs, 2);
  const tj__backend *backend = suits ? tj__backend_for(inputs, 2) : NULL;
  tj_tensor *out = backend ? tj__empty(TJ_NO_DIMS, TJ_FLOAT32, TJ_CPU) : NULL;
  const tj__params params = {.p = {tj__param_of(tj_float(parameter))}};
  double sum;
  if (!out || !backend->reduce->total(&sum, backend->pointwise->loops[kernel][TJ_FLOAT32], &params, inputs, 2)) return NULL;
  *(float *)tj__write(out) = (float)(reduction[0] == 'm' ? sum / (double)input->numel : sum);
  return out;
}

/* With a weight, the mean is that of the weighted losses over the weights. */
static tj_tensor *weighted(tj_tensor *losses, tj_tensor *weight, const char *reduction) {
  if (!losses || !weight) return tj__loss_reduce(losses, reduction);
  TJ__CHECK(tj__same_sizes(losses, weight), TJ_ERROR_VALUE, "Inputs and weights must have the same size.");
  tj_tensor *t = tj_mul(losses, weight);
  if (reduction[0] != 'm') return tj__loss_reduce(t, reduction);
  return tj_div(tj_sum(t, TJ_DTYPE_NONE), tj_sum(weight, TJ_DTYPE_NONE));
}

tj_tensor *tj__impl_mse_loss(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction, tj_tensor *weight) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  if (both_floating(input, target)) {
    tj_tensor *done = weight ? NULL : in_one_pass(TJ__PW_mse_loss_each, input, target, 0, reduction);
    return done || tj_error_code() ? done : weighted(tj_mse_loss_each(input, target), weight, reduction);
  }
  tj_tensor *d = difference(input, target, "mse_cpu");
  return d ? weighted(tj_mul(d, d), weight, reduction) : NULL;
}

tj_tensor *tj__impl_l1_loss(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction, tj_tensor *weight) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  if (!both_floating(input, target)) return weighted(tj_abs(tj__minus(input, target)), weight, reduction);
  tj_tensor *done = weight ? NULL : in_one_pass(TJ__PW_l1_loss_each, input, target, 0, reduction);
  return done || tj_error_code() ? done : weighted(tj_l1_loss_each(input, target), weight, reduction);
}

static tj_tensor *huber(tj_tensor *input, tj_tensor *target, double delta, tj_tensor *weight, const char *reduction) {
  tj_tensor *done = weight ? NULL : in_one_pass(TJ__PW_huber_loss_each, input, target, delta, reduction);
  return done || tj_error_code() ? done : weighted(tj_huber_loss_each(input, target, delta), weight, reduction);
}

tj_tensor *tj__impl_smooth_l1_loss(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction, double beta) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  RUNTIME(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  if (beta == 0 || !both_floating(input, target)) {
    tj_tensor *d = difference(input, target, "smooth_l1_cpu");
    if (!d || beta == 0) return d ? tj__loss_reduce(tj_abs(d), reduction) : NULL;
  }
  tj_tensor *loss = huber(input, target, beta, NULL, reduction);
  return loss && beta != 1 ? tj_div(loss, tj__number(beta)) : loss;
}

tj_tensor *tj__impl_huber_loss(tj_tensor *input, tj_tensor *target, const char *reduction, double delta, tj_tensor *weight) {
  if (!(reduction = tj__loss_reduction(TJ_NO_BOOL, TJ_NO_BOOL, reduction))) return NULL;
  RUNTIME(delta > 0, "huber_loss does not support non-positive values for delta.");
  if (!both_floating(input, target) && !difference(input, target, "huber_cpu")) return NULL;
  return huber(input, target, delta, weight, reduction);
}

/* ---- probabilities ----------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_binary_cross_entropy(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int size_average, int reduce,
                                         const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  const char *target_text = tj__sizes_text(target);
  TJ__CHECK(tj__same_sizes(input, target), TJ_ERROR_VALUE,
            "Using a target size (torch.Size(%s)) that is different to the input size (torch.Size(%s)) is deprecated. Please ensure they "
            "have the same size.",
            target_text, tj__sizes_text(input));
  IMPLEMENTED(tj_dtype_is_floating(input->dtype), "\"binary_cross_entropy\" not implemented for '%s'", tj__dtype_legacy(input->dtype));
  RUNTIME(target->dtype == input->dtype, "Found dtype %s but expected %s", tj__dtype_legacy(target->dtype), tj__dtype_legacy(input->dtype));
  tj_tensor *inside = !tj__can_look(input) ? NULL : tj_all(tj_mul(tj_ge(input, tj__number(0)), tj_le(input, tj__number(1))));
  tj_scalar all = inside ? tj_item(inside) : tj_bool(true);
  if (all.kind == TJ_SCALAR_NONE || tj_error_code()) return NULL;
  RUNTIME(all.i, "all elements of input should be between 0 and 1");
  tj_tensor *done = weight ? NULL : in_one_pass(TJ__PW_binary_cross_entropy_each, input, target, 0, reduction);
  if (done || tj_error_code()) return done;
  tj_tensor *t = tj_binary_cross_entropy_each(input, target);
  int64_t sizes[TJ_MAX_DIMS];
  if (t && weight && tj__broadcast_sizes(tj__sizes(target), tj__sizes(weight), sizes) < 0) return NULL;
  if (t && weight) t = tj_mul(t, tj_expand(weight, tj__sizes(t), false));
  return tj__loss_reduce(t, reduction);
}

tj_tensor *tj__impl_binary_cross_entropy_with_logits(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int size_average, int reduce,
                                                     const char *reduction, tj_tensor *pos_weight) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  const char *target_text = tj__sizes_text(target);
  TJ__CHECK(tj__same_sizes(input, target), TJ_ERROR_VALUE, "Target size (torch.Size(%s)) must be the same as input size (torch.Size(%s))",
            target_text, tj__sizes_text(input));
  if (!pos_weight && both_floating(input, target)) {
    tj_tensor *done = weight ? NULL : in_one_pass(TJ__PW_binary_cross_entropy_with_logits_each, input, target, 0, reduction);
    if (done || tj_error_code()) return done;
    tj_tensor *each = tj_binary_cross_entropy_with_logits_each(input, target);
    return tj__loss_reduce(each && weight ? tj_mul(each, weight) : each, reduction);
  }
  tj_tensor *log_sigmoid = tj_logsigmoid(input);
  if (pos_weight) log_sigmoid = tj_mul(tj__plus(tj_mul(tj__minus(pos_weight, tj__number(1)), target), tj__number(1)), log_sigmoid);
  tj_tensor *t = tj__minus(tj_mul(tj__minus(tj__number(1), target), input), log_sigmoid);
  if (t && weight) t = tj_mul(t, weight);
  return tj__loss_reduce(t, reduction);
}

tj_tensor *tj__impl_kl_div(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction, bool log_target) {
  bool batch = size_average == TJ_NO_BOOL && reduce == TJ_NO_BOOL && reduction && !strcmp(reduction, "batchmean");
  if (!(reduction = tj__loss_reduction(size_average, reduce, batch ? "sum" : reduction))) return NULL;
  tj_tensor *t = log_target ? tj_mul(tj_exp(target), tj__minus(target, input)) : tj__minus(tj_xlogy(target, target), tj_mul(target, input));
  t = tj__loss_reduce(t, reduction);
  return batch && t && input->ndim ? tj_div(t, tj__number((double)input->sizes[0])) : t;
}
