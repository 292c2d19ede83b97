/* torchjs/autograd.h: automatic differentiation in reverse mode, with PyTorch's rules. */
#ifndef TORCHJS_AUTOGRAD_H
#define TORCHJS_AUTOGRAD_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor requires a gradient when it was asked to (leaves) or when it was computed from one that does. Only floating and complex
 * dtypes can. 0 or a negative tj_status; a RuntimeError when turned off on a tensor that is no leaf. */
TJ_API bool tj_requires_grad(const tj_tensor *t);
TJ_API int tj_set_requires_grad(tj_tensor *t, bool requires_grad);
TJ_API bool tj_is_leaf(const tj_tensor *t);
TJ_API int tj_retain_grad(tj_tensor *t); /* keep .grad of a tensor that is no leaf */
TJ_API bool tj_retains_grad(const tj_tensor *t);
TJ_API tj_tensor *tj_grad(const tj_tensor *t);          /* the accumulated gradient; borrowed; NULL (and no error) if there is none */
TJ_API int tj_set_grad(tj_tensor *t, tj_tensor *grad);  /* grad: same sizes, dtype and device; NULL clears it */
TJ_API const char *tj_grad_fn_name(const tj_tensor *t); /* "AddBackward0"; NULL for a leaf */
TJ_API tj_tensor *tj_base_of(const tj_tensor *t);       /* the tensor that t is a view of, borrowed; NULL for no view */

/* Adds the gradients of `outputs` with respect to the leaves to their .grad (torch.autograd.backward). grad_outputs: one a tensor with
 * the output's shape; n = 0, or a NULL item, means 1 for an output of one element. inputs: if n > 0 only these accumulate. The graph's saved tensors
 * are freed unless retain_graph. With create_graph the gradients can be differentiated again. 0 or a negative tj_status. */
TJ_API int tj_backward(tj_tensors outputs, tj_tensors grad_outputs, bool retain_graph, bool create_graph, tj_tensors inputs);
/* The gradients themselves, one an input, in `grads` (references owned like any result; .grad is left alone). An input that was not
 * used is an error, or NULL in `grads` with allow_unused. 0 or a negative tj_status. */
TJ_API int tj_grad_of(tj_tensors outputs, tj_tensors inputs, tj_tensors grad_outputs, bool retain_graph, bool create_graph,
                      bool allow_unused, tj_tensor **grads);

/* Modes of the calling thread. Each setter returns the mode before it, to be set back. */
TJ_API bool tj_is_grad_enabled(void);
TJ_API bool tj_set_grad_enabled(bool enabled);
TJ_API bool tj_is_inference_mode_enabled(void);
TJ_API bool tj_set_inference_mode(bool enabled); /* on: also turns recording off */
TJ_API bool tj_is_anomaly_enabled(void);
TJ_API bool tj_set_anomaly_enabled(bool enabled, bool check_nan);

/* A hook sees the gradient of a tensor and may return another in its place (a reference that the engine takes over), or NULL to leave
 * it. On failure it sets the error with tj_set_error and returns NULL. drop is called once with data when the hook goes. */
typedef tj_tensor *(*tj_tensor_hook)(tj_tensor *grad, void *data);
/* A positive id for tj_remove_hook, or a negative tj_status. `after_accumulate`: called on a leaf when its .grad has been added to. */
TJ_API int64_t tj_register_hook(tj_tensor *t, tj_tensor_hook hook, void *data, void (*drop)(void *data), bool after_accumulate);
TJ_API void tj_remove_hook(tj_tensor *t, int64_t id);
TJ_API void tj_set_error(tj_status code, const char *message); /* kept only if there is no error yet */

/* A function with a derivative of the user's own (torch.autograd.Function). The outputs were computed outside (with grad mode off) from
 * `inputs`; this records that `backward` gives their derivative. backward gets one gradient an output (NULL where none reached it,
 * unless materialize_grads) and fills one an input (a reference each, or NULL); 0, or negative after tj_set_error. saved: tensors that backward will read with
 * tj_function_saved. drop is called once with data when the graph goes. 0 or a negative tj_status. */
typedef struct tj_function {
  const char *name; /* "MulBackward"; copied */
  int (*backward)(tj_tensor *const *grad_outputs, int64_t n_outputs, tj_tensor **grad_inputs, int64_t n_inputs, void *data);
  void *data;
  void (*drop)(void *data);
  tj_tensors saved;
  bool materialize_grads;
} tj_function;
/* outputs[i] is replaced where it has to be (an output that is one of the inputs becomes a view of it). non_differentiable[i] may be NULL or
 * tell outputs that get no gradient; dirty: the inputs that were changed in place. */
TJ_API int tj_function_record(const tj_function *f, tj_tensors inputs, tj_tensor **outputs, int64_t n_outputs,
                              const bool *non_differentiable, tj_tensors dirty);
/* Inside backward only: saved tensor i of the running function (checked against in-place changes); owned like any result. */
TJ_API tj_tensor *tj_function_saved(int64_t i);

#ifdef __cplusplus
}
#endif
#endif
