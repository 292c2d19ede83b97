/* meta.c: what a tensor knows of autograd: whether it requires a gradient, where it came from, its .grad. */
#include "graph.h"

bool tj__differentiable(tj_dtype dtype) { return tj_dtype_is_floating(dtype) || tj_dtype_is_complex(dtype); }

tj__grad_meta *tj__meta(tj_tensor *t) {
  if (!t->grad_meta) t->grad_meta = tj__alloc_zeroed(sizeof(tj__grad_meta));
  return t->grad_meta;
}

void tj__grad_meta_free(tj_tensor *t) {
  tj__grad_meta *meta = t->grad_meta;
  if (!meta) return;
  t->grad_meta = NULL;
  if (meta->retains_grad && meta->grad_fn) tj__retained_remove(meta->grad_fn, t);
  tj__hooks_clear(&meta->hooks);
  tj__hooks_clear(&meta->after);
  tj__release(meta->grad);
  tj__release(meta->base);
  tj__node_release(meta->grad_fn);
  if (meta->owns_accumulator) tj__node_release(meta->accumulator);
  tj__free(meta, sizeof *meta);
}

/* ---- history -------------------------------------------------------------------------------------------------- */

tj__node *tj__grad_fn(tj_tensor *t, bool *failed) {
  tj__grad_meta *meta = t->grad_meta;
  if (!meta) return NULL;
  if (TJ__UNLIKELY(meta->base && meta->view_version != tj__version(t)) && !tj__view_regenerate(t)) {
    *failed = true;
    return NULL;
  }
  return meta->grad_fn;
}

/* Hooks stay with the node they were registered on; a retained gradient follows the tensor. */
bool tj__set_history(tj_tensor *t, tj__node *node, int32_t nr) {
  tj__grad_meta *meta = tj__meta(t);
  if (!meta) return false;
  if (meta->retains_grad) {
    if (meta->grad_fn) tj__retained_remove(meta->grad_fn, t);
    if (!tj__retained_add(node, t, nr)) {
      meta->retains_grad = false;
      return false;
    }
  }
  tj__node *before = meta->grad_fn;
  meta->grad_fn = tj__node_retain(node);
  meta->output_nr = nr;
  meta->requires_grad = false;
  if (meta->base) meta->view_version = tj__version(t);
  tj__node_release(before);
  return true;
}

tj_tensor *tj__alias_with_history(tj_tensor *t) {
  tj_tensor *alias = tj__shallow(t);
  if (!alias || !t->grad_meta) return alias;
  alias->inference = t->inference;
  tj__edge edge;
  if (!tj__gradient_edge(t, &edge)) return NULL;
  if (!edge.node) return alias;
  if (!edge.node->accumulates) {
    bool ok = tj__set_history(alias, edge.node, edge.nr);
    tj__node_release(edge.node);
    return ok ? alias : NULL;
  }
  tj__grad_meta *meta = tj__meta(alias);
  if (!meta) {
    tj__node_release(edge.node);
    return NULL;
  }
  meta->requires_grad = true;
  meta->owns_accumulator = true;
  meta->accumulator = edge.node;
  return alias;
}

tj_tensor *tj__as_result(tj_tensor *t) {
  if (!t) return NULL;
  if (t->object.refs == 1 && t->object.held == 0 && !t->object.scope) return tj__scope_adopt(t);
  tj_tensor *alias = tj__alias_with_history(t);
  tj__release(t);
  return alias;
}

/* ---- questions ------------------------------------------------------------------------------------------------ */

bool tj__requires_grad(const tj_tensor *t) {
  const tj__grad_meta *meta = t->grad_meta;
  if (!meta) return false;
  if (meta->requires_grad || meta->grad_fn) return true;
  /* A view whose base requires grad does, also one made with recording off (a leaf then), or before the base became part of a graph. */
  return meta->base && tj__differentiable((tj_dtype)t->dtype) && tj__requires_grad(meta->base);
}

bool tj__needs_grad(tj_tensor *const *tensors, int64_t n) {
  if (!tj__recording()) return false;
  for (int64_t i = 0; i < n; i++)
    if (tensors[i] && tensors[i]->grad_meta && tj__requires_grad(tensors[i])) return true;
  return false;
}

bool tj__is_view(const tj_tensor *t) { return t->grad_meta && t->grad_meta->base; }

bool tj_requires_grad(const tj_tensor *t) { return t && tj__requires_grad(t); }

bool tj_is_leaf(const tj_tensor *t) {
  const tj__grad_meta *meta = t ? t->grad_meta : NULL;
  if (!meta || meta->grad_fn) return t && !meta;
  return meta->requires_grad || !meta->base || meta->view_version == tj__version(t) || !tj__requires_grad(t);
}

const char *tj_grad_fn_name(const tj_tensor *t) {
  if (!t || !t->grad_meta) return NULL;
  bool failed = false;
  /* Bringing a view's history up to date is no change that a reader could notice. */
  tj__node *fn = tj__grad_fn((tj_tensor *)t, &failed);
  return fn ? tj__node_name(fn) : NULL;
}

tj_tensor *tj_base_of(const tj_tensor *t) { return t && t->grad_meta ? t->grad_meta->base : NULL; }

tj_tensor *tj_grad(const tj_tensor *t) { return t && t->grad_meta ? t->grad_meta->grad : NULL; }

bool tj_retains_grad(const tj_tensor *t) { return t && t->grad_meta && t->grad_meta->retains_grad; }

/* ---- changes -------------------------------------------------------------------------------------------------- */

static int missing_argument(void) { return tj__fail_status(TJ_ERROR_TYPE, "a tensor is missing (NULL)"); }

int tj_set_requires_grad(tj_tensor *t, bool requires_grad) {
  if (!t) return missing_argument();
  TJ__CHECK_STATUS(requires_grad || tj_is_leaf(t), TJ_ERROR_RUNTIME,
                   "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that "
                   "doesn't require differentiation use var_no_grad = var.detach().");
  if (!requires_grad) {
    if (t->grad_meta) t->grad_meta->requires_grad = false;
    return TJ_OK;
  }
  TJ__CHECK_STATUS(tj__differentiable((tj_dtype)t->dtype), TJ_ERROR_RUNTIME,
                   "only Tensors of floating point and complex dtype can require gradients");
  TJ__CHECK_STATUS(!t->inference || tj__mode.inference, TJ_ERROR_RUNTIME,
                   "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  if (tj__requires_grad(t)) return TJ_OK;
  tj__grad_meta *meta = tj__meta(t);
  if (!meta) return TJ_ERROR_MEMORY;
  meta->requires_grad = true;
  return TJ_OK;
}

int tj_retain_grad(tj_tensor *t) {
  if (!t) return missing_argument();
  TJ__CHECK_STATUS(tj__requires_grad(t), TJ_ERROR_RUNTIME, "can't retain_grad on Tensor that has requires_grad=False");
  bool failed = false;
  tj__node *fn = tj__grad_fn(t, &failed);
  if (failed) return tj_error_code();
  if (!fn || t->grad_meta->retains_grad) return TJ_OK;
  if (!tj__retained_add(fn, t, t->grad_meta->output_nr)) return TJ_ERROR_MEMORY;
  t->grad_meta->retains_grad = true;
  return TJ_OK;
}

int tj_set_grad(tj_tensor *t, tj_tensor *grad) {
  if (!t) return missing_argument();
  if (grad) {
    TJ__CHECK_STATUS(grad != t, TJ_ERROR_RUNTIME, "can't assign Variable as its own grad");
    TJ__CHECK_STATUS(grad->dtype == t->dtype, TJ_ERROR_RUNTIME,
                     "attempting to assign a gradient with dtype '%s' to a tensor with dtype '%s'. Please ensure that the gradient and the "
                     "tensor have the same dtype",
                     tj__dtype_cpp((tj_dtype)grad->dtype), tj__dtype_cpp((tj_dtype)t->dtype));
    TJ__CHECK_STATUS(
        grad->storage->device == t->storage->device, TJ_ERROR_RUNTIME,
        "attempting to assign a gradient located on another device. Please ensure that the gradient and the tensor are on the same "
        "device");
    TJ__CHECK_STATUS(
        tj__same_sizes(grad, t), TJ_ERROR_RUNTIME,
        "attempting to assign a gradient of size '%s' to a tensor of size '%s'. Please ensure that the gradient and the tensor are "
        "the same size",
        tj__sizes_text(grad), tj__sizes_text(t));
    if (!tj__meta(t)) return TJ_ERROR_MEMORY;
  } else if (!t->grad_meta) {
    return TJ_OK;
  }
  tj_tensor *before = t->grad_meta->grad;
  t->grad_meta->grad = tj__hold(grad);
  tj__release(before);
  return TJ_OK;
}
