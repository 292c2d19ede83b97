/* accumulate.c: gradients into .grad, sums of gradients, and the form that a gradient has to have. */
#include "../iter/convert.h"
#include "graph.h"
#include "ops.h"

/* ---- AccumulateGrad ------------------------------------------------------------------------------------------- */

/* The engine hands the gradient over itself, so that it can be kept without a copy. */
static bool accumulate_backward(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs) {
  (void)inputs;
  return !grads[0] || tj__accumulate_grad(node->leaf, tj__hold(grads[0]));
}

const tj__node_type tj__accumulate_type = {.name = "AccumulateGrad", .backward = accumulate_backward};

/* Nobody else can see the tensor or its elements. A view made during backward holds its base: then the base has to be ours alone too. */
static bool is_ours_alone(const tj_tensor *t) {
  if (t->object.refs != 1 || t->object.scope) return false;
  int32_t storage_refs = t->storage->refs;
  if (storage_refs == 1) return true;
  const tj_tensor *base = t->grad_meta ? t->grad_meta->base : NULL;
  return storage_refs == 2 && base && base->object.refs == 1 && base->storage == t->storage;
}

/* The layout that .grad is to have: the variable's own if it is dense, else row-major. */
static bool has_layout_for(const tj_tensor *grad, const tj_tensor *variable) {
  if (!tj__is_dense(variable)) return tj__is_contiguous(grad);
  for (int i = 0; i < grad->ndim; i++)
    if (grad->sizes[i] != 1 && grad->strides[i] != variable->strides[i]) return false;
  return true;
}

/* A copy in that layout, with history where it is recorded. */
static tj_tensor *clone_for(tj_tensor *grad, const tj_tensor *variable) {
  if (tj__recording()) return tj_clone(grad, NULL);
  tj_tensor *copy = tj__is_dense(variable)
                        ? tj__empty_strided(tj__sizes(grad), tj__strides(variable), (tj_dtype)grad->dtype, grad->storage->device)
                        : tj__empty(tj__sizes(grad), (tj_dtype)grad->dtype, grad->storage->device);
  return copy ? tj_copy_(copy, grad, false) : NULL;
}

bool tj__accumulate_grad(tj_tensor *leaf, tj_tensor *grad) {
  tj__grad_meta *meta = leaf->grad_meta;
  tj__scope scope;
  tj__scope_push(&scope);
  bool ok;
  if (!meta->grad) {
    tj_tensor *kept;
    if (tj__recording()) kept = tj_clone(grad, NULL);
    else if (is_ours_alone(grad) && has_layout_for(grad, leaf)) kept = grad->grad_meta ? tj__shallow(grad) : grad;
    else kept = clone_for(grad, leaf);
    ok = kept != NULL;
    if (ok) meta->grad = tj__hold(kept);
  } else if (tj__recording()) {
    tj_tensor *sum = tj_add(meta->grad, grad, tj_int(1));
    ok = sum != NULL;
    if (ok) {
      tj__release(meta->grad);
      meta->grad = tj__hold(sum);
    }
  } else {
    /* The user may have assigned a .grad of any layout or a view of something: it is added to in place, as PyTorch does. */
    ok = tj_add_(meta->grad, grad, tj_int(1)) != NULL;
  }
  tj__release(grad);
  tj__scope_pop(&scope);
  return ok && (meta->after.n == 0 || tj__hooks_run_after(leaf));
}

/* ---- sums ----------------------------------------------------------------------------------------------------- */

/* Its memory is somebody else's. */
static bool is_foreign(const tj_tensor *t) { return t->storage->release && t->storage->device == TJ_CPU; }

tj_tensor *tj__sum_grads(tj_tensor *sum, tj_tensor *grad) {
  tj__scope scope;
  tj__scope_push(&scope);
  tj_tensor *result;
  if (!tj__recording() && is_ours_alone(sum) && tj__is_dense(sum) && !is_foreign(sum)) result = tj_add_(sum, grad, tj_int(1));
  else if (!tj__recording() && is_ours_alone(grad) && tj__is_dense(grad) && !is_foreign(grad)) result = tj_add_(grad, sum, tj_int(1));
  else result = tj_add(sum, grad, tj_int(1));
  tj__hold(result);
  tj__release(sum);
  tj__release(grad);
  tj__scope_pop(&scope);
  return result;
}

tj_tensor *tj__zeros_for(const tj__output_meta *meta) {
  tj_tensor *zeros = tj__empty((tj_ints){meta->sizes, meta->ndim}, (tj_dtype)meta->dtype, meta->device);
  if (zeros && zeros->storage->device != TJ_CPU) return tj__fill(zeros, tj_int(0));
  if (zeros && zeros->numel) memset(tj__write(zeros), 0, (size_t)zeros->numel * tj__itemsize(zeros));
  return zeros;
}

/* ---- form ----------------------------------------------------------------------------------------------------- */

tj_tensor *tj__validate_grad(tj_tensor *grad, const tj__output_meta *meta, const char *fn, int64_t index) {
  tj_ints sizes = {meta->sizes, meta->ndim};
  bool same = grad->ndim == meta->ndim && (meta->ndim == 0 || !memcmp(grad->sizes, meta->sizes, (size_t)meta->ndim * sizeof(int64_t)));
  if (TJ__UNLIKELY(!same)) {
    TJ__CHECK(tj__can_expand(sizes, tj__sizes(grad)), TJ_ERROR_RUNTIME,
              "Function %s returned an invalid gradient at index %lld - got %s but expected shape compatible with %s", fn, (long long)index,
              tj__sizes_text(grad), tj__ints_text(meta->sizes, meta->ndim));
    grad = tj_sum_to_size(grad, sizes);
    if (!grad) return NULL;
  }
  if (TJ__UNLIKELY(grad->dtype != meta->dtype)) {
    if (tj_dtype_is_complex((tj_dtype)grad->dtype) && !tj_dtype_is_complex((tj_dtype)meta->dtype)) grad = tj_real(grad);
    if (grad && grad->dtype != meta->dtype) grad = tj_to_dtype(grad, (tj_dtype)meta->dtype, false, false, NULL);
    if (!grad) return NULL;
  }
  TJ__CHECK(grad->storage->device == meta->device, TJ_ERROR_RUNTIME,
            "Function %s returned an invalid gradient at index %lld - the gradient is on another device", fn, (long long)index);
  return grad;
}
