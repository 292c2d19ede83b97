/* backward.c: torch.autograd.backward and torch.autograd.grad: checks of the arguments and the first gradients. */
#include "../iter/convert.h"
#include "graph.h"

typedef struct roots {
  tj__edge *edges;
  tj_tensor **grads;
  int64_t n;
} roots;

static void roots_free(roots *r) {
  for (int64_t i = 0; i < r->n; i++) {
    if (r->edges) tj__node_release(r->edges[i].node);
    if (r->grads) tj__release(r->grads[i]);
  }
  tj__free(r->edges, (size_t)r->n * sizeof *r->edges);
  tj__free(r->grads, (size_t)r->n * sizeof *r->grads);
}

static tj_status check_given(const tj_tensor *out, const tj_tensor *grad, int64_t i) {
  TJ__CHECK_STATUS(tj__same_sizes(out, grad), TJ_ERROR_RUNTIME,
                   "Mismatch in shape: grad_output[%lld] has a shape of torch.Size(%s) and output[%lld] has a shape of torch.Size(%s).",
                   (long long)i, tj__sizes_text(grad), (long long)i, tj__sizes_text(out));
  TJ__CHECK_STATUS(tj_dtype_is_complex((tj_dtype)out->dtype) == tj_dtype_is_complex((tj_dtype)grad->dtype), TJ_ERROR_RUNTIME,
                   "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                   "grad_output[%lld] has a dtype of torch.%s and output[%lld] has a dtype of torch.%s.",
                   (long long)i, tj_dtype_name((tj_dtype)grad->dtype), (long long)i, tj_dtype_name((tj_dtype)out->dtype));
  return TJ_OK;
}

/* 1 for an output of one element. */
static tj_tensor *implicit_grad(const tj_tensor *out) {
  TJ__CHECK(out->numel == 1, TJ_ERROR_RUNTIME, "grad can be implicitly created only for scalar outputs");
  TJ__CHECK(!tj_dtype_is_complex((tj_dtype)out->dtype), TJ_ERROR_RUNTIME,
            "grad can be implicitly created only for real scalar outputs but got torch.%s", tj_dtype_name((tj_dtype)out->dtype));
  tj_tensor *one = tj__scope_detach(tj__empty(tj__sizes(out), (tj_dtype)out->dtype, out->storage->device));
  if (one && one->storage->device != TJ_CPU) {
    if (!tj__fill(one, tj_int(1))) tj_free(one), one = NULL;
  } else if (one) tj__store_scalar(tj__write(one), (tj_dtype)one->dtype, tj_float(1));
  return one;
}

static bool roots_init(roots *r, tj_tensors outputs, tj_tensors grad_outputs) {
  *r = (roots){.n = TJ__MAX(outputs.n, 0)};
  r->edges = tj__alloc_zeroed((size_t)r->n * sizeof *r->edges);
  r->grads = tj__alloc_zeroed((size_t)r->n * sizeof *r->grads);
  if (!r->edges || !r->grads) return false;
  if (grad_outputs.n > 0 && grad_outputs.n != outputs.n) {
    tj__fail(TJ_ERROR_RUNTIME, "got %lld tensors and %lld gradients", (long long)outputs.n, (long long)grad_outputs.n);
    return false;
  }
  for (int64_t i = 0; i < r->n; i++) {
    tj_tensor *out = outputs.data[i], *grad = grad_outputs.n > 0 ? grad_outputs.data[i] : NULL;
    if (!out) return tj__fail(TJ_ERROR_TYPE, "element %lld of tensors is missing (NULL)", (long long)i) != NULL;
    if (grad) {
      if (check_given(out, grad, i)) return false;
      r->grads[i] = tj__hold(grad);
    } else if (tj__requires_grad(out) && !(r->grads[i] = implicit_grad(out))) {
      return false;
    }
  }
  for (int64_t i = 0; i < r->n; i++) {
    if (!tj__gradient_edge(outputs.data[i], &r->edges[i])) return false;
    if (r->edges[i].node) continue;
    tj__fail(TJ_ERROR_RUNTIME, "element %lld of tensors does not require grad and does not have a grad_fn", (long long)i);
    return false;
  }
  return true;
}

/* The edges of the inputs; with `keep` inputs that are no leaves get to keep their .grad. */
static bool inputs_init(roots *r, tj_tensors inputs, bool keep) {
  *r = (roots){.n = TJ__MAX(inputs.n, 0)};
  r->edges = tj__alloc_zeroed((size_t)r->n * sizeof *r->edges);
  r->grads = tj__alloc_zeroed((size_t)r->n * sizeof *r->grads);
  if (!r->edges || !r->grads) return false;
  for (int64_t i = 0; i < r->n; i++) {
    tj_tensor *t = inputs.data[i];
    if (!t) return tj__fail(TJ_ERROR_TYPE, "element %lld of inputs is missing (NULL)", (long long)i) != NULL;
    if (!tj__requires_grad(t)) return tj__fail(TJ_ERROR_RUNTIME, "One of the differentiated Tensors does not require grad") != NULL;
    if (!tj__gradient_edge(t, &r->edges[i])) return false;
    if (keep && tj_retain_grad(t)) return false;
  }
  return true;
}

int tj_backward(tj_tensors outputs, tj_tensors grad_outputs, bool retain_graph, bool create_graph, tj_tensors inputs) {
  roots out = {0}, in = {0};
  bool ok = roots_init(&out, outputs, grad_outputs) && inputs_init(&in, inputs, true);
  ok = ok && tj__run_backward(&(tj__run_spec){.roots = out.edges,
                                              .grads = out.grads,
                                              .n_roots = out.n,
                                              .captures = in.edges,
                                              .n_captures = in.n,
                                              .retain_graph = retain_graph || create_graph,
                                              .create_graph = create_graph,
                                              .accumulate = true});
  roots_free(&in);
  roots_free(&out);
  return ok ? TJ_OK : tj_error_code();
}

int tj_grad_of(tj_tensors outputs, tj_tensors inputs, tj_tensors grad_outputs, bool retain_graph, bool create_graph, bool allow_unused,
               tj_tensor **grads) {
  for (int64_t i = 0; i < inputs.n; i++) grads[i] = NULL;
  if (inputs.n <= 0) return tj__fail_status(TJ_ERROR_VALUE, "grad requires non-empty inputs.");
  roots out = {0}, in = {0};
  bool ok = roots_init(&out, outputs, grad_outputs) && inputs_init(&in, inputs, false);
  ok = ok && tj__run_backward(&(tj__run_spec){.roots = out.edges,
                                              .grads = out.grads,
                                              .n_roots = out.n,
                                              .captures = in.edges,
                                              .captured = in.grads,
                                              .n_captures = in.n,
                                              .retain_graph = retain_graph,
                                              .create_graph = create_graph});
  for (int64_t i = 0; ok && !allow_unused && i < in.n; i++) {
    if (in.grads[i]) continue;
    tj__fail(TJ_ERROR_RUNTIME,
             "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this "
             "is the desired behavior.");
    ok = false;
  }
  for (int64_t i = 0; ok && i < in.n; i++) {
    tj_tensor *captured = in.grads[i];
    in.grads[i] = NULL;
    if (!captured) continue;
    grads[i] = tj__as_result(captured);
    ok = grads[i] != NULL;
  }
  for (int64_t i = 0; !ok && i < in.n; i++) {
    tj_free(grads[i]);
    grads[i] = NULL;
  }
  roots_free(&in);
  roots_free(&out);
  return ok ? TJ_OK : tj_error_code();
}
