/* graph.h: the autograd graph as the files of this room see it. Other rooms include node.h.
 *
 * Who owns whom. A tensor owns its grad_fn; a node owns the nodes its edges lead to; an AccumulateGrad node owns its leaf, which knows it
 * only weakly. Saved tensors are shallow aliases that carry the history (leaves that require grad are saved themselves), outputs are saved
 * without it, a retained gradient knows its tensor weakly: so no reference cycle arises. */
#ifndef TJ__GRAPH_H
#define TJ__GRAPH_H

#include "node.h"

typedef struct tj__edge {
  tj__node *node; /* NULL: leads nowhere */
  int32_t nr;     /* which of the node's forward outputs */
} tj__edge;

/* What an incoming gradient of a forward output has to look like. */
typedef struct tj__output_meta {
  uint8_t dtype;
  int32_t ndim;
  tj_device device;
  int64_t *sizes; /* inline_sizes, or a block of ndim */
  int64_t inline_sizes[TJ__INLINE_DIMS];
} tj__output_meta;

enum { TJ__SAVED_SET = 1, TJ__SAVED_NONE = 2, TJ__SAVED_OUTPUT = 4, TJ__SAVED_LIST = 8 };
typedef struct tj__saved {
  union {
    tj_tensor *tensor;
    struct tj__saved_list *list;
  };
  uint32_t version;
  int32_t output_nr; /* of an output: which */
  uint8_t flags;
} tj__saved;
typedef struct tj__saved_list {
  int64_t n;
  tj_tensor **unpacked; /* n pointers after the items */
  tj__saved items[];
} tj__saved_list;

/* A hook is shared by the tensor it was registered on (to be removed by id) and the node that calls it. */
typedef struct tj__hook {
  int32_t refs;
  int32_t output_nr;
  int64_t id;
  tj_tensor_hook call; /* NULL once removed */
  void *data;
  void (*drop)(void *data);
} tj__hook;
typedef struct tj__hooks {
  int32_t n, capacity;
  tj__hook **items;
} tj__hooks;
/* .grad of a tensor that is no leaf: the tensor is known weakly and takes itself out when it goes. */
typedef struct tj__retained {
  struct tj__retained *next;
  tj_tensor *tensor;
  int32_t output_nr;
} tj__retained;

struct tj__node {
  _Atomic int32_t refs;
  bool accumulates; /* AccumulateGrad: `leaf` is set */
  bool wraps;       /* `state` is a node that runs as a part of this one (CopySlices) */
  bool freed;       /* the saved tensors were given back after a backward */
  int32_t n_inputs, n_outputs, n_saved, n_args;
  uint64_t sequence;
  const tj__node_type *type;
  tj__edge *edges;
  tj__saved *saved;
  tj__node_arg *args;
  uint8_t *arg_owned;       /* ints arguments have a block of their own */
  tj__output_meta *outputs; /* &output, or a block of n_outputs */
  tj__output_meta output;
  tj__hooks hooks;
  tj__retained *retained;
  tj_tensor *leaf;
  void *state;    /* of the type's own (CopySlices, custom functions) */
  tj__node *next; /* in the list of nodes to be freed */
  size_t bytes;
};

typedef enum tj__creation {
  TJ__CREATED_DEFAULT,
  TJ__CREATED_MULTI, /* one of several views of one call */
  TJ__CREATED_NO_GRAD,
  TJ__CREATED_INFERENCE,
  TJ__CREATED_CUSTOM /* in a custom function */
} tj__creation;

typedef struct tj__grad_meta {
  bool requires_grad; /* of a leaf, by request */
  bool retains_grad;
  bool owns_accumulator; /* an alias of a leaf: keeps the leaf's accumulator alive */
  uint8_t creation;      /* tj__creation, of a view */
  int32_t output_nr;
  tj__node *grad_fn;
  tj__node *accumulator;
  tj_tensor *grad;
  tj_tensor *base;       /* of a view; never a view itself */
  uint32_t view_version; /* the storage's version when grad_fn was right */
  tj__hooks hooks;       /* everything registered on this tensor */
  tj__hooks after;       /* post-accumulate hooks */
} tj__grad_meta;

/* ---- meta.c -------------------------------------------------------------------------------------------------- */

tj__grad_meta *tj__meta(tj_tensor *t); /* made if there is none; NULL: out of memory */
/* The node that computed t, up to date with in-place writes to t's base; NULL for a leaf. On failure NULL and *failed is set. */
tj__node *tj__grad_fn(tj_tensor *t, bool *failed);
/* Where t's gradient goes, with a reference to the node. false on failure. */
bool tj__gradient_edge(tj_tensor *t, tj__edge *edge);
/* Makes t output nr of node (a reference of its own). */
bool tj__set_history(tj_tensor *t, tj__node *node, int32_t nr);
/* A new tensor with t's geometry, storage and history, owned by the scope. */
tj_tensor *tj__alias_with_history(tj_tensor *t);
/* A reference to t owned like any result: t itself where nobody else has it (its reference is given), else an alias. */
tj_tensor *tj__as_result(tj_tensor *t);
void tj__accumulator_release(tj__node *node);
bool tj__differentiable(tj_dtype dtype);

/* ---- graph.c ------------------------------------------------------------------------------------------------- */

tj__node *tj__node_new_edges(const tj__node_type *type, int32_t n_inputs, int n_saved, int n_args); /* with empty edges */
tj__node *tj__node_retain(tj__node *node);
/* While a node runs as a part of a CopySlices node, its first input is wanted if that one's is. Returns what was set before. */
typedef struct tj__stand_in {
  const tj__node *node;
  const tj__edge *edge;
} tj__stand_in;
tj__stand_in tj__set_stand_in(tj__stand_in stand_in);
bool tj__node_add_outputs(tj__node *node, tj_tensor *const *outputs, int64_t n);
tj__node *tj__node_missing(const char *op, tj_tensor *const *inputs, int64_t n_inputs);
int64_t tj__node_output_count(const tj__node *node);
void tj__node_free_saved(tj__node *node);
tj_tensor *tj__saved_unpack(tj__node *node, tj__saved *saved, bool fresh);

/* ---- views.c ------------------------------------------------------------------------------------------------- */

bool tj__view_regenerate(tj_tensor *t);
bool tj__rebase_view(tj_tensor *view, tj__node *fn); /* takes over fn's reference */
bool tj__view_check(tj_tensor *t, bool indirect);

/* ---- hooks.c ------------------------------------------------------------------------------------------------- */

bool tj__hooks_run(const tj__hooks *hooks, int32_t output_nr, tj_tensor **grad); /* *grad: a reference, replaced */
bool tj__hooks_run_after(tj_tensor *leaf);
bool tj__retained_run(tj__node *node, int32_t output_nr, tj_tensor *grad);
bool tj__hooks_share(tj__hooks *hooks, tj__hook *hook);
void tj__hooks_clear(tj__hooks *hooks);
bool tj__retained_add(tj__node *node, tj_tensor *t, int32_t output_nr);
void tj__retained_remove(tj__node *node, const tj_tensor *t);
/* What a host function returned within the innermost scope, as a reference of the engine's own. */
tj_tensor *tj__take_returned(const tj__scope *scope, tj_tensor *t);

/* ---- accumulate.c -------------------------------------------------------------------------------------------- */

extern const tj__node_type tj__accumulate_type;
bool tj__accumulate_grad(tj_tensor *leaf, tj_tensor *grad); /* takes over a reference to grad, also on failure */
/* sum + grad; both references are taken over. In place where `sum` is nobody else's. */
tj_tensor *tj__sum_grads(tj_tensor *sum, tj_tensor *grad);
/* Brings a gradient to the form that meta asks for; owned by the scope. fn, index: for messages. */
tj_tensor *tj__validate_grad(tj_tensor *grad, const tj__output_meta *meta, const char *fn, int64_t index);
tj_tensor *tj__zeros_for(const tj__output_meta *meta);

/* ---- engine.c ------------------------------------------------------------------------------------------------ */

/* Runs backward from the roots. grads: one a root, references of the caller's. captures: edges whose gradients are put in `captured`
 * (references of the caller's; NULL where none arrived); with `accumulate` leaves add to their .grad: all of them, or only `captures`. */
typedef struct tj__run_spec {
  const tj__edge *roots;
  tj_tensor **grads;
  int64_t n_roots;
  const tj__edge *captures;
  tj_tensor **captured;
  int64_t n_captures;
  bool retain_graph, create_graph, accumulate;
} tj__run_spec;
bool tj__run_backward(const tj__run_spec *spec);
/* Whether the running backward, if any, wants what lies behind this edge. */
bool tj__run_wants(const tj__edge *edge);
extern _Thread_local const tj__node *tj__run_node; /* whose derivative runs now */

/* ---- mode.c -------------------------------------------------------------------------------------------------- */

typedef struct tj__modes {
  bool no_grad, inference, below, anomaly, check_nan;
} tj__modes;
extern _Thread_local tj__modes tj__mode;
static inline bool tj__recording(void) { return !tj__mode.no_grad && !tj__mode.inference && !tj__mode.below; }

/* ---- function.c ---------------------------------------------------------------------------------------------- */

const char *tj__node_name(const tj__node *node);

#endif
