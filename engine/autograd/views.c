/* views.c: views under autograd, and writes in place.
 *
 * All views of a tensor share one base, and one version counter with it. A write to a view is a write to the base: the base becomes the
 * output of a CopySlices node, which runs the operator's derivative on the part of the gradient that belongs to the view. What the base's
 * other views came from is then wrong; each notices by the version and is made anew, as an as_strided view of the base, when asked. */
#include <stdio.h>

#include "graph.h"
#include "ops.h"

/* ---- making views --------------------------------------------------------------------------------------------- */

bool tj__view_of(tj_tensor *self, tj_tensor *result, bool multi) {
  if (result == self) return true;
  tj__grad_meta *meta = tj__meta(result);
  if (!meta) return false;
  const tj__grad_meta *of = self->grad_meta;
  tj_tensor *base = of && of->base ? of->base : self;
  uint8_t creation = of && of->base ? of->creation : TJ__CREATED_DEFAULT;
  if (creation == TJ__CREATED_DEFAULT) {
    if (tj__mode.inference) creation = TJ__CREATED_INFERENCE;
    else if (tj__mode.no_grad) creation = TJ__CREATED_NO_GRAD;
    else if (multi) creation = TJ__CREATED_MULTI;
  }
  tj_tensor *before = meta->base;
  meta->base = tj__hold(base);
  tj__release(before);
  meta->creation = creation;
  meta->view_version = tj__version(result);
  result->inference = self->inference;
  return true;
}

bool tj__view_check(tj_tensor *t, bool indirect) {
  const tj__grad_meta *meta = t->grad_meta;
  if (meta->creation == TJ__CREATED_DEFAULT) return true;
  const char *what = indirect ? "its base or another view of its base has been" : "is being";
  char head[300];
  if (meta->grad_fn)
    snprintf(head, sizeof head, "Output %d of %s is a view and %s modified inplace.", meta->output_nr, tj__node_name(meta->grad_fn), what);
  else
    snprintf(head, sizeof head, "A view was created in %s mode and %s modified inplace %s.",
             meta->creation == TJ__CREATED_INFERENCE ? "inference" : "no_grad", what,
             meta->creation == TJ__CREATED_INFERENCE ? "in normal mode" : "with grad mode enabled");
  const char *tail = "";
  switch (meta->creation) {
    case TJ__CREATED_MULTI:
      tail =
          " This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified "
          "inplace. You should replace the inplace operation by an out-of-place one.";
      break;
    case TJ__CREATED_NO_GRAD:
      tail = " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view "
             "and the "
             "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the "
             "inplace to be tracked).";
      break;
    case TJ__CREATED_INFERENCE:
      tail =
          " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and "
          "the "
          "inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both outside (if you want "
          "the inplace to be tracked).";
      break;
    case TJ__CREATED_CUSTOM:
      tail = " This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle "
             "view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This "
             "behavior is forbidden. You can fix this by cloning the output of the custom Function.";
      break;
    default: break;
  }
  tj__fail(TJ_ERROR_RUNTIME, "%s%s", head, tail);
  return false;
}

/* ---- views of a base that was written to ---------------------------------------------------------------------- */

/* arguments: the base's sizes and strides, the view's sizes and strides, its offset from the base */
enum { BASE_SIZES, BASE_STRIDES, VIEW_SIZES, VIEW_STRIDES, VIEW_OFFSET, GEOMETRY };

static bool set_geometry(tj__node *node, const tj_tensor *base, const tj_tensor *view) {
  tj__node_set_int(node, VIEW_OFFSET, view->offset - base->offset);
  return tj__node_set_ints(node, BASE_SIZES, tj__sizes(base)) && tj__node_set_ints(node, BASE_STRIDES, tj__strides(base)) &&
         tj__node_set_ints(node, VIEW_SIZES, tj__sizes(view)) && tj__node_set_ints(node, VIEW_STRIDES, tj__strides(view));
}

static bool as_strided_node_backward(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs) {
  if (!grads[0] || !tj__node_needs(node, 0)) return true;
  inputs[0] = tj_as_strided_backward(grads[0], tj__node_ints(node, BASE_SIZES), tj__node_ints(node, BASE_STRIDES),
                                     tj__node_ints(node, VIEW_SIZES), tj__node_ints(node, VIEW_STRIDES), tj__node_int(node, VIEW_OFFSET));
  return inputs[0] != NULL;
}

static const tj__node_type as_strided_type = {.name = "AsStridedBackward0", .backward = as_strided_node_backward};

bool tj__view_regenerate(tj_tensor *t) {
  tj__grad_meta *meta = t->grad_meta;
  if ((!meta->grad_fn && !tj__requires_grad(meta->base)) || meta->requires_grad || !tj__differentiable((tj_dtype)t->dtype)) return true;
  if (!tj__view_check(t, true)) return false;
  tj__node *node = tj__node_new(&as_strided_type, &meta->base, 1, 0, GEOMETRY);
  if (!node) return false;
  if (!set_geometry(node, meta->base, t)) {
    tj__node_release(node);
    return false;
  }
  return tj__node_attach(node, &t, 1); /* also notes the version */
}

/* ---- CopySlices ----------------------------------------------------------------------------------------------- */

/* state: the operator's node, whose first edge was the view's. Of the CopySlices node the first edge is the base's, the rest the operator's. */
static bool copy_slices_backward(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs) {
  if (!grads[0]) return true;
  tj__node *fn = node->state;
  tj_ints base_sizes = tj__node_ints(node, BASE_SIZES);
  tj_tensor *whole = tj__empty_strided(base_sizes, tj__node_ints(node, BASE_STRIDES), (tj_dtype)grads[0]->dtype, grads[0]->storage->device);
  if (!whole || !tj_copy_(whole, grads[0], false)) return false;
  tj_tensor *part =
      tj_as_strided(whole, tj__node_ints(node, VIEW_SIZES), tj__node_ints(node, VIEW_STRIDES), tj__node_int(node, VIEW_OFFSET));
  tj_tensor *grad = part ? tj_clone(part, NULL) : NULL;
  if (!grad) return false;
  tj__stand_in before = tj__set_stand_in((tj__stand_in){fn, &node->edges[0]});
  bool ok = fn->type->backward(fn, &grad, inputs);
  tj__set_stand_in(before);
  if (!ok) return false;
  for (int32_t i = 1; i < node->n_inputs; i++)
    if (inputs[i] == grad && !(inputs[i] = tj_clone(grad, NULL))) return false;
  /* What the view had before the write gets what the operator says (nothing, if it was overwritten). */
  if (inputs[0] && inputs[0] != part) {
    tj_tensor *back = inputs[0];
    if (back->dtype != part->dtype || !tj__same_sizes(back, part)) back = tj__validate_grad(back, &fn->outputs[0], tj__node_name(fn), 0);
    ok = back && tj_copy_(part, back, false);
  } else if (!inputs[0]) {
    ok = tj_zero_(part) != NULL;
  }
  inputs[0] = whole;
  return ok;
}

static void copy_slices_drop(tj__node *node) {
  tj__node *fn = node->state;
  node->state = NULL;
  tj__node_release(fn);
}

static const tj__node_type copy_slices_type = {.name = "CopySlices", .backward = copy_slices_backward, .drop = copy_slices_drop};

/* The operator fn wrote to the view: the base becomes the output of a CopySlices node. fn's reference is taken over. */
bool tj__rebase_view(tj_tensor *view, tj__node *fn) {
  tj_tensor *base = view->grad_meta->base;
  tj__node *node = tj__node_new_edges(&copy_slices_type, fn->n_inputs ? fn->n_inputs : 1, 0, GEOMETRY);
  bool ok = node && set_geometry(node, base, view) && tj__gradient_edge(base, &node->edges[0]);
  if (!ok) {
    tj__node_release(node);
    tj__node_release(fn);
    return false;
  }
  node->state = fn;
  node->wraps = true;
  for (int32_t i = 1; i < fn->n_inputs; i++) node->edges[i] = (tj__edge){tj__node_retain(fn->edges[i].node), fn->edges[i].nr};
  if (!tj__node_attach(node, &base, 1)) return false;
  bool failed = false;
  tj__grad_fn(view, &failed); /* the version has changed: the view's history is made anew from the base's */
  return !failed;
}

/* ---- writing in place ----------------------------------------------------------------------------------------- */

bool tj__inplace_check(tj_tensor *self, bool requires_grad) {
  if (TJ__UNLIKELY(self->inference && !tj__mode.inference)) {
    tj__fail(TJ_ERROR_RUNTIME,
             "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
             "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.");
    return false;
  }
  if (!requires_grad || !self->grad_meta) return true;
  const tj__grad_meta *meta = self->grad_meta;
  if (meta->base) {
    bool failed = false;
    tj__grad_fn(self, &failed);
    if (failed || !tj__view_check(self, false)) return false;
    if (tj__requires_grad(self) && tj_is_leaf(meta->base)) {
      tj__fail(TJ_ERROR_RUNTIME, "a view of a leaf Variable that requires grad is being used in an in-place operation.");
      return false;
    }
  }
  if (meta->requires_grad) {
    tj__fail(TJ_ERROR_RUNTIME, "a leaf Variable that requires grad is being used in an in-place operation.");
    return false;
  }
  return true;
}

bool tj__inplace_written(tj_tensor *self, tj__node *node) {
  tj__bump_version(self);
  if (!node) return true;
  if (!tj__node_add_outputs(node, &self, 1)) {
    tj__node_release(node);
    return false;
  }
  if (self->grad_meta && self->grad_meta->base) return tj__rebase_view(self, node);
  bool ok = tj__set_history(self, node, 0);
  tj__node_release(node);
  return ok;
}

bool tj__out_check(const char *op, tj_tensor *const *inputs, int64_t n_inputs, tj_tensor *const *outputs, int64_t n_outputs) {
  if (tj__needs_grad(inputs, n_inputs) || tj__needs_grad(outputs, n_outputs)) {
    tj__fail(TJ_ERROR_RUNTIME,
             "%s(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.", op);
    return false;
  }
  for (int64_t i = 0; i < n_outputs; i++)
    if (outputs[i] && !tj__inplace_check(outputs[i], false)) return false;
  return true;
}

bool tj__become_view(tj_tensor *self, tj_tensor *view) {
  if (!view || !tj__set_geometry(self, tj__sizes(view), tj__strides(view), view->offset)) return false;
  const tj__grad_meta *meta = view->grad_meta;
  return !meta || !meta->grad_fn || tj__set_history(self, meta->grad_fn, meta->output_nr);
}

bool tj__forget_history(tj_tensor *t) {
  tj__grad_meta *meta = t->grad_meta;
  if (!meta) return true;
  if (meta->base) {
    tj__fail(TJ_ERROR_RUNTIME,
             "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
             "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
             "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
             "torch/optim/optimizer.py as the solution.");
    return false;
  }
  if (meta->retains_grad && meta->grad_fn) tj__retained_remove(meta->grad_fn, t);
  meta->retains_grad = false;
  tj__node *fn = meta->grad_fn;
  meta->grad_fn = NULL;
  meta->output_nr = 0;
  meta->requires_grad = false;
  tj__node_release(fn);
  return true;
}
