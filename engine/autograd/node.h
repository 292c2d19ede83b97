/* node.h: the autograd graph, as the generated wrappers and the compositions in ops/ use it. */
#ifndef TJ__NODE_H
#define TJ__NODE_H

#include "../core/core.h"

typedef struct tj__node tj__node;

typedef struct tj__node_type {
  const char *name; /* "MulBackward0" */
  /* From one gradient a forward output (NULL: none arrived, unless `materialize`) to one a forward input, in the order of the edges;
   * only those for which tj__node_needs says so have to be set. Runs in a scope of its own. false and an error on failure. */
  bool (*backward)(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs);
  bool materialize;             /* missing gradients are given as zeros */
  void (*drop)(tj__node *node); /* extra state (custom functions), or NULL */
} tj__node_type;

typedef union tj__node_arg {
  int64_t i;
  double f;
  tj_scalar s;
  struct {
    int64_t n;
    int64_t *data;
  } ints; /* n = -1: not given */
  void *p;
} tj__node_arg;

/* ---- recording: used by the generated wrappers ---------------------------------------------------------------- */

/* Grad mode is on (and the thread is not inside an implementation), and one of the tensors (NULLs allowed) requires a gradient. */
bool tj__needs_grad(tj_tensor *const *tensors, int64_t n);
/* Implementations run below autograd: nothing is recorded in there. Returns the value for tj__above_autograd. */
bool tj__below_autograd(void);
void tj__above_autograd(bool before);

/* A node whose edges lead to the inputs (NULL entries allowed). NULL and an error on failure; the caller owns it until attach or drop. */
tj__node *tj__node_new(const tj__node_type *type, tj_tensor *const *inputs, int64_t n_inputs, int n_saved, int n_args);
void tj__node_release(tj__node *node);
/* Saves a tensor (NULL: none) with its version. is_output: it is an output of this node (must be called after attach). false: out of memory. */
bool tj__node_save(tj__node *node, int slot, tj_tensor *t, bool is_output);
/* A Tensor[] argument: all its tensors in one slot. */
bool tj__node_save_list(tj__node *node, int slot, tj_tensors list);
void tj__node_set_int(tj__node *node, int arg, int64_t v);
void tj__node_set_float(tj__node *node, int arg, double v);
void tj__node_set_scalar(tj__node *node, int arg, tj_scalar v);
bool tj__node_set_ints(tj__node *node, int arg, tj_ints v);
/* Makes outputs (NULLs and dtypes that cannot require a gradient are passed over) results of the node; takes over the caller's
 * reference, also on failure. */
bool tj__node_attach(tj__node *node, tj_tensor *const *outputs, int64_t n_outputs);
/* An operator without a derivative: a node that says so by the operator's name when it is run. */
bool tj__node_attach_missing(const char *op, tj_tensor *const *inputs, int64_t n_inputs, tj_tensor *const *outputs, int64_t n_outputs);

/* In place: before the write, PyTorch's checks (a leaf that requires grad, views of leaves, multi-output views, no_grad views, inference
 * tensors); then impl; then `written`, which bumps the version and, with a node, makes self the node's output (through its base if it is
 * a view: PyTorch's CopySlices). node may be NULL; its reference is taken over. requires_grad: what tj__needs_grad said. */
bool tj__inplace_check(tj_tensor *self, bool requires_grad);
bool tj__inplace_written(tj_tensor *self, tj__node *node);
/* out=: PyTorch's error when an argument requires grad. */
bool tj__out_check(const char *op, tj_tensor *const *inputs, int64_t n_inputs, tj_tensor *const *outputs, int64_t n_outputs);

/* result is a view of self: remembers base and how it was made. multi: one of several views (unbind, split). Called before attach. */
bool tj__view_of(tj_tensor *self, tj_tensor *result, bool multi);

/* self takes the geometry and the history of a view of itself (transpose_, squeeze_, ...). */
bool tj__become_view(tj_tensor *self, tj_tensor *view);
/* detach_: t becomes a leaf; false and PyTorch's error for a view. */
bool tj__forget_history(tj_tensor *t);

/* ---- running: used by the generated derivatives ---------------------------------------------------------------- */

bool tj__node_needs(const tj__node *node, int64_t input); /* does the edge of this input lead anywhere */
bool tj__node_needs_any(const tj__node *node, int64_t first, int64_t n);
/* A saved tensor with its history, owned by the scope; NULL and PyTorch's error if it was changed in place or freed. */
tj_tensor *tj__node_saved(tj__node *node, int slot);
bool tj__node_saved_is_none(const tj__node *node, int slot);          /* an optional tensor that was not given */
bool tj__node_saved_list(tj__node *node, int slot, tj_tensors *list); /* list->data lives until the scope of this step ends */
int64_t tj__node_int(const tj__node *node, int arg);
double tj__node_float(const tj__node *node, int arg);
tj_scalar tj__node_scalar(const tj__node *node, int arg);
tj_ints tj__node_ints(const tj__node *node, int arg);
int64_t tj__node_input_count(const tj__node *node);

/* The engine converts each gradient to the input's dtype (real part for a real input), sums it to the input's sizes where the input
 * was broadcast, and checks the rest, so derivatives need not. */

/* What a tensor's autograd meta tells the rest of the engine. */
bool tj__is_view(const tj_tensor *t);
bool tj__requires_grad(const tj_tensor *t);
void tj__grad_meta_free(tj_tensor *t); /* called by tensor.c when a tensor goes */

#endif
