/* ops/margin_loss.c: losses of distances, margins and labels. */
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"
#include "ops/loss.h"

#include <math.h>
#include <stdio.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define VALUE(condition, ...) TJ__CHECK(condition, TJ_ERROR_VALUE, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* The reduction of losses that have no older spelling of it and a shorter message. */
static const char *plain_reduction(const char *reduction) {
  if (!strcmp(reduction, "none") || !strcmp(reduction, "mean") || !strcmp(reduction, "sum")) return reduction;
  return tj__fail(TJ_ERROR_VALUE, "%s is not valid", reduction);
}

/* ---- gaussian_nll_loss ------------------------------------------------------------------------------------------------ */

/* var with room for broadcasting against the input, or PyTorch's error. */
static tj_tensor *fitting_variance(tj_tensor *input, tj_tensor *var) {
  const int d = input->ndim;
  if (tj__same_sizes(input, var)) return var;
  bool leading = d >= 1 && var->ndim == d - 1;
  for (int i = 0; leading && i < d - 1; i++) leading = var->sizes[i] == input->sizes[i];
  if (leading) return tj_unsqueeze(var, -1);
  /* else one dimension, and no more, may be 1 where the input's is not */
  int64_t different = var->ndim == d ? 0 : -1;
  for (int i = 0; different >= 0 && i < d; i++) different += var->sizes[i] == input->sizes[i] ? 0 : var->sizes[i];
  VALUE(different == 1, "var is of incorrect size");
  return var;
}

tj_tensor *tj__impl_gaussian_nll_loss(tj_tensor *input, tj_tensor *target, tj_tensor *var, bool full, double eps, const char *reduction) {
  tj_tensor *negative = tj__can_look(var) ? tj_any(tj_lt(tj_detach(var), tj__number(0))) : NULL;
  tj_scalar any = negative ? tj_item(negative) : tj_bool(false);
  if (any.kind == TJ_SCALAR_NONE || tj_error_code()) return NULL;
  VALUE(!any.i, "var has negative entry/entries");
  var = var->wrapped_number ? tj_mul(var, tj_ones_like(input, TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL)) : fitting_variance(input, var);
  if (!var || !plain_reduction(reduction)) return NULL;
  /* raised to eps without a trace in the gradient */
  tj_tensor *limited = tj_clone(var, NULL);
  const bool before = tj_set_grad_enabled(false);
  tj_tensor *raised = tj_clamp_min_(limited, tj_float(eps));
  tj_set_grad_enabled(before);
  if (!raised) return NULL;
  tj_tensor *difference = tj__minus(input, target);
  tj_tensor *loss = tj_mul(tj__plus(tj_log(limited), tj_div(tj_mul(difference, difference), limited)), tj__number(0.5));
  if (full) loss = tj__plus(loss, tj__number(0.5 * log(2 * 3.14159265358979323846)));
  return tj__loss_reduce(loss, reduction);
}

/* ---- triplets --------------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_triplet_margin_loss(tj_tensor *anchor, tj_tensor *positive, tj_tensor *negative, double margin, double p, double eps,
                                        bool swap, int size_average, int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  if (!(margin > 0)) {
    char text[32];
    snprintf(text, sizeof text, margin == floor(margin) && fabs(margin) < 1e16 ? "%.1f" : "%.15g", margin);
    return tj__fail(TJ_ERROR_VALUE, "margin must be greater than 0, got %s", text);
  }
  RUNTIME(anchor->ndim == positive->ndim && positive->ndim == negative->ndim,
          "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor %dD, positive "
          "%dD, and negative %dD inputs",
          (int)anchor->ndim, (int)positive->ndim, (int)negative->ndim);
  tj_tensor *near = tj_pairwise_distance(anchor, positive, p, eps, false);
  tj_tensor *far = near ? tj_pairwise_distance(anchor, negative, p, eps, false) : NULL;
  if (far && swap) far = tj_minimum(far, tj_pairwise_distance(positive, negative, p, eps, false));
  return tj__loss_reduce(tj_clamp_min(tj__minus(tj__plus(near, tj__number(margin)), far), tj_int(0)), reduction);
}

/* ---- margins ---------------------------------------------------------------------------------------------------------- */

/* A vector or matrix of classes, and its numbers of samples and classes. */
static void *check_matrix(const tj_tensor *t, int64_t *samples, int64_t *classes) {
  RUNTIME(t->ndim == 0 || (t->ndim <= 2 && t->sizes[t->ndim - 1] != 0),
          "Expected non-empty vector or matrix with optional 0-dim batch size, but got: %s", tj__sizes_text(t));
  *samples = t->ndim == 2 ? t->sizes[0] : 1;
  *classes = t->ndim ? t->sizes[t->ndim - 1] : 1;
  return (void *)t;
}

static bool check_range(tj_tensor *target, int64_t low, int64_t high, const char *message) {
  if (!target->numel || !tj__can_look(target)) return true;
  tj_scalar least = tj_item(tj_min(target)), most = tj_item(tj_max(target));
  if (least.kind == TJ_SCALAR_NONE || most.kind == TJ_SCALAR_NONE) return false;
  if (least.i >= low && most.i < high) return true;
  tj__fail(TJ_ERROR_RUNTIME, "%s", message);
  return false;
}

static void *check_types(const tj_tensor *input, const tj_tensor *target, const char *kernel) {
  TJ__CHECK(input->dtype == TJ_FLOAT32 || input->dtype == TJ_FLOAT64, TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'", kernel,
            tj__dtype_legacy((tj_dtype)input->dtype));
  RUNTIME(target->dtype == TJ_INT64, "expected scalar type Long but found %s", tj__dtype_legacy((tj_dtype)target->dtype));
  return (void *)input;
}

/* True at the places of index [n, m] in rows of `size`. */
static tj_tensor *marked(tj_tensor *index, int64_t n, int64_t size) {
  if (!index) return NULL;
  return tj_scatter_value(tj_zeros(TJ_INTS(n, size), TJ_BOOL, index->storage->device, false), 1, index, tj_bool(true));
}

tj_tensor *tj__impl_multi_margin_loss(tj_tensor *input, tj_tensor *target, int64_t p, double margin, tj_tensor *weight, int size_average,
                                      int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  VALUE(p == 1 || p == 2, "only p == 1 and p == 2 supported");
  VALUE(!weight || weight->ndim == 1, "weight must be one-dimensional");
  int64_t samples = 0, classes = 0;
  if (!check_matrix(input, &samples, &classes)) return NULL;
  if (target->ndim > 1 || target->numel != samples) {
    const char *expected = tj__ints_text(&samples, 1), *got = tj__sizes_text(target);
    return tj__fail(TJ_ERROR_RUNTIME,
                    "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected "
                    "target size %s, but got %s. Input has shape %s.",
                    expected, got, tj__sizes_text(input));
  }
  RUNTIME(!weight || weight->numel == classes, "inconsistent weight size, expected %lld but got %s", LL(classes), tj__sizes_text(weight));
  if (!check_types(input, target, "multi_margin_loss_cpu_kernel")) return NULL;
  RUNTIME(!weight || weight->dtype == input->dtype, "expected scalar type %s but found %s", tj__dtype_legacy((tj_dtype)input->dtype),
          tj__dtype_legacy((tj_dtype)weight->dtype));
  if (!check_range(target, 0, classes, "target out of range")) return NULL;
  tj_tensor *x = tj_reshape(input, TJ_INTS(samples, classes)), *at = tj_reshape(target, TJ_INTS(samples, 1));
  if (!x || !at) return NULL;
  tj_tensor *z = tj_relu(tj__plus(tj__minus(x, tj_gather(x, 1, at, false)), tj__number(margin)));
  z = z ? tj_masked_fill(z, marked(at, samples, classes), tj_int(0)) : NULL;
  if (p == 2) z = tj_mul(z, z);
  if (z && weight) z = tj_mul(z, tj_unsqueeze(tj_index_select(weight, 0, tj_reshape(at, TJ_INTS(samples))), 1));
  tj_tensor *losses = tj_div(tj_sum_dim(z, TJ_INTS(1), false, TJ_DTYPE_NONE), tj__number((double)classes));
  if (losses && reduction[0] == 'n') return target->ndim ? losses : tj_squeeze_dim(losses, 0);
  return tj__loss_reduce(losses, reduction);
}

tj_tensor *tj__impl_multilabel_margin_loss(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  int64_t n = 0, classes = 0;
  if (!check_matrix(input, &n, &classes)) return NULL;
  const char *target_text = tj__sizes_text(target);
  RUNTIME(target->ndim <= 1 && input->ndim <= 1 ? target->numel == classes : tj__same_sizes(input, target),
          "inconsistent target size: %s for input of size: %s", target_text, tj__sizes_text(input));
  if (!check_types(input, target, "multilabel_margin_loss_forward_out_frame")) return NULL;
  if (!check_range(target, -1, classes, "argument #2 'target' is out of range")) return NULL;
  tj_tensor *x = tj_reshape(input, TJ_INTS(n, classes)), *t = tj_reshape(target, TJ_INTS(n, classes));
  /* labels in front of the first -1, and which classes are labels; the others are marked in a column that is cut off */
  tj_tensor *label = t ? tj_to_dtype(tj_ge(t, tj__integer(0)), TJ_INT64, false, false, NULL) : NULL;
  label = label ? tj_ne(tj_cumprod(label, 1, TJ_DTYPE_NONE), tj__integer(0)) : NULL;
  if (!label) return NULL;
  tj_tensor *is_label = tj_narrow(marked(tj_where(label, t, tj__integer(classes)), n, classes + 1), 1, 0, classes);
  tj_tensor *own = tj_gather(x, 1, tj_where(label, t, tj__integer(0)), false);
  /* [n, label, other class] */
  tj_tensor *z = tj_relu(tj__plus(tj__minus(tj_unsqueeze(x, 1), tj_unsqueeze(own, 2)), tj__number(1)));
  tj_tensor *counts = tj_logical_and(tj_unsqueeze(label, 2), tj_logical_not(tj_unsqueeze(is_label, 1)));
  z = z && counts ? tj_where(counts, z, tj__number(0)) : NULL;
  tj_tensor *losses = tj_div(tj_sum_dim(z, TJ_INTS(1, 2), false, TJ_DTYPE_NONE), tj__number((double)classes));
  if (losses && reduction[0] == 'n') return input->ndim == 2 ? losses : tj_squeeze_dim(losses, 0);
  return tj__loss_reduce(losses, reduction);
}

tj_tensor *tj__impl_multilabel_soft_margin_loss(tj_tensor *input, tj_tensor *target, tj_tensor *weight, int size_average, int reduce,
                                                const char *reduction) {
  if (size_average != TJ_NO_BOOL || reduce != TJ_NO_BOOL) reduction = tj__loss_reduction(size_average, reduce, reduction);
  tj_tensor *yes = tj_mul(target, tj_logsigmoid(input)),
            *no = tj_mul(tj_sub(tj__number(1), target, tj_int(1)), tj_logsigmoid(tj_neg(input)));
  tj_tensor *loss = tj_neg(tj__plus(yes, no));
  if (loss && weight) loss = tj_mul(loss, weight);
  if (!loss || !reduction) return NULL;
  TJ__CHECK(input->ndim > 0, TJ_ERROR_INDEX, "Dimension specified as -1 but tensor has no dimensions");
  loss = tj_div(tj_sum_dim(loss, TJ_INTS(input->ndim - 1), false, TJ_DTYPE_NONE), tj__number((double)input->sizes[input->ndim - 1]));
  return plain_reduction(reduction) ? tj__loss_reduce(loss, reduction) : NULL;
}
