/* graph.c: nodes: making them, what they save, attaching them to results, and freeing them without recursion. */
#include <stdio.h>

#include "graph.h"

static _Thread_local uint64_t next_sequence;

/* ---- making --------------------------------------------------------------------------------------------------- */

tj__node *tj__node_new_edges(const tj__node_type *type, int32_t n_inputs, int n_saved, int n_args) {
  size_t edges = (size_t)n_inputs * sizeof(tj__edge), saved = (size_t)n_saved * sizeof(tj__saved);
  size_t args = (size_t)n_args * sizeof(tj__node_arg), bytes = sizeof(tj__node) + edges + saved + args + (size_t)n_args;
  tj__node *node = tj__alloc_zeroed(bytes);
  if (!node) return NULL;
  char *p = (char *)(node + 1);
  node->refs = 1;
  node->type = type;
  node->bytes = bytes;
  node->n_inputs = n_inputs;
  node->n_saved = n_saved;
  node->n_args = n_args;
  node->args = (tj__node_arg *)p;
  node->saved = (tj__saved *)(p + args);
  node->edges = (tj__edge *)(p + args + saved);
  node->arg_owned = (uint8_t *)(p + args + saved + edges);
  node->outputs = &node->output;
  node->sequence = next_sequence++;
  tj__count_node(1);
  return node;
}

tj__node *tj__node_new(const tj__node_type *type, tj_tensor *const *inputs, int64_t n_inputs, int n_saved, int n_args) {
  tj__node *node = tj__node_new_edges(type, (int32_t)n_inputs, n_saved, n_args);
  if (!node) return NULL;
  for (int64_t i = 0; i < n_inputs; i++) {
    if (inputs[i] && !tj__gradient_edge(inputs[i], &node->edges[i])) {
      tj__node_release(node);
      return NULL;
    }
  }
  return node;
}

tj__node *tj__node_retain(tj__node *node) {
  if (node) atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
  return node;
}

/* ---- freeing -------------------------------------------------------------------------------------------------- */

static void free_output_meta(tj__node *node) {
  for (int32_t i = 0; i < node->n_outputs; i++) {
    tj__output_meta *m = &node->outputs[i];
    if (m->sizes && m->ndim > TJ__INLINE_DIMS) tj__free(m->sizes, (size_t)m->ndim * sizeof(int64_t));
  }
  if (node->outputs != &node->output) tj__free(node->outputs, (size_t)node->n_outputs * sizeof(tj__output_meta));
}

static size_t list_bytes(int64_t n) { return sizeof(tj__saved_list) + (size_t)n * (sizeof(tj__saved) + sizeof(tj_tensor *)); }

static void free_list(tj__saved_list *list) {
  for (int64_t i = 0; i < list->n; i++) tj__release(list->items[i].tensor);
  tj__free(list, list_bytes(list->n));
}

void tj__node_free_saved(tj__node *node) {
  if (node->wraps && node->state) tj__node_free_saved(node->state);
  for (int32_t i = 0; i < node->n_saved; i++) {
    tj__saved *s = &node->saved[i];
    if (s->flags & TJ__SAVED_LIST) {
      tj__saved_list *list = s->list;
      s->list = NULL;
      s->flags &= (uint8_t)~TJ__SAVED_LIST;
      free_list(list);
    } else if (s->tensor) {
      tj_tensor *t = s->tensor;
      s->tensor = NULL;
      tj__release(t);
    }
  }
  node->freed = true;
}

/* Everything that a node holds. Nodes that lose their last reference by it join the list of tj__node_release. */
static void destroy(tj__node *node) {
  if (node->type->drop) node->type->drop(node);
  tj__node_free_saved(node);
  for (int32_t i = 0; i < node->n_inputs; i++) tj__node_release(node->edges[i].node);
  for (int32_t i = 0; i < node->n_args; i++)
    if (node->arg_owned[i]) tj__free(node->args[i].ints.data, (size_t)node->args[i].ints.n * sizeof(int64_t));
  tj__hooks_clear(&node->hooks);
  while (node->retained) {
    tj__retained *r = node->retained;
    node->retained = r->next;
    tj__free(r, sizeof *r);
  }
  free_output_meta(node);
  tj__release(node->leaf);
  tj__free(node, node->bytes);
  tj__count_node(-1);
}

/* Long chains would overflow the stack, so a node that dies while another is being destroyed only joins a list. */
static _Thread_local tj__node *doomed;
static _Thread_local bool destroying;

static void bury(tj__node *node) {
  node->next = doomed;
  doomed = node;
  if (destroying) return;
  destroying = true;
  while (doomed) {
    tj__node *n = doomed;
    doomed = n->next;
    destroy(n);
  }
  destroying = false;
}

/* AccumulateGrad nodes are found again through their leaf, which has no reference: the last one goes under the leaf's lock. */
static atomic_flag accumulator_lock = ATOMIC_FLAG_INIT;
static void lock(void) {
  while (atomic_flag_test_and_set_explicit(&accumulator_lock, memory_order_acquire)) {}
}
static void unlock(void) { atomic_flag_clear_explicit(&accumulator_lock, memory_order_release); }

void tj__node_release(tj__node *node) {
  if (!node) return;
  if (!node->accumulates) {
    if (atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1) bury(node);
    return;
  }
  lock();
  bool last = atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1;
  if (last && node->leaf->grad_meta && node->leaf->grad_meta->accumulator == node) node->leaf->grad_meta->accumulator = NULL;
  unlock();
  if (last) bury(node);
}

/* The leaf's AccumulateGrad node with a reference, made if it has none now. */
static tj__node *accumulator_of(tj_tensor *leaf) {
  tj__grad_meta *meta = leaf->grad_meta;
  lock();
  tj__node *node = meta->accumulator;
  if (node) {
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    unlock();
    return node;
  }
  unlock();
  node = tj__node_new_edges(&tj__accumulate_type, 0, 0, 0);
  if (!node) return NULL;
  next_sequence--;
  node->sequence = UINT64_MAX;
  if (!tj__node_add_outputs(node, &leaf, 1)) {
    tj__node_release(node);
    return NULL;
  }
  tj__node *other;
  lock();
  other = meta->accumulator;
  if (other) {
    atomic_fetch_add_explicit(&other->refs, 1, memory_order_relaxed);
  } else {
    node->accumulates = true;
    node->leaf = tj__hold(leaf);
    meta->accumulator = node;
  }
  unlock();
  if (!other) return node;
  tj__node_release(node);
  return other;
}

bool tj__gradient_edge(tj_tensor *t, tj__edge *edge) {
  *edge = (tj__edge){NULL, 0};
  tj__grad_meta *meta = t->grad_meta;
  if (!meta) return true;
  bool failed = false;
  tj__node *fn = tj__grad_fn(t, &failed);
  if (failed) return false;
  if (fn) {
    *edge = (tj__edge){tj__node_retain(fn), meta->output_nr};
    return true;
  }
  if (!tj__requires_grad(t)) return true;
  edge->node = accumulator_of(t);
  return edge->node != NULL;
}

/* ---- arguments ------------------------------------------------------------------------------------------------ */

void tj__node_set_int(tj__node *node, int arg, int64_t v) { node->args[arg].i = v; }
void tj__node_set_float(tj__node *node, int arg, double v) { node->args[arg].f = v; }
void tj__node_set_scalar(tj__node *node, int arg, tj_scalar v) { node->args[arg].s = v; }

bool tj__node_set_ints(tj__node *node, int arg, tj_ints v) {
  node->args[arg].ints.n = v.n;
  node->args[arg].ints.data = NULL;
  if (v.n <= 0) return true;
  int64_t *copy = tj__alloc((size_t)v.n * sizeof(int64_t));
  if (!copy) {
    node->args[arg].ints.n = 0;
    return false;
  }
  memcpy(copy, v.data, (size_t)v.n * sizeof(int64_t));
  node->args[arg].ints.data = copy;
  node->arg_owned[arg] = 1;
  return true;
}

int64_t tj__node_int(const tj__node *node, int arg) { return node->args[arg].i; }
double tj__node_float(const tj__node *node, int arg) { return node->args[arg].f; }
tj_scalar tj__node_scalar(const tj__node *node, int arg) { return node->args[arg].s; }
tj_ints tj__node_ints(const tj__node *node, int arg) { return (tj_ints){node->args[arg].ints.data, node->args[arg].ints.n}; }
int64_t tj__node_input_count(const tj__node *node) { return node->n_inputs; }
int64_t tj__node_output_count(const tj__node *node) { return node->n_outputs; }

static _Thread_local tj__stand_in stand_in;

tj__stand_in tj__set_stand_in(tj__stand_in s) {
  tj__stand_in before = stand_in;
  stand_in = s;
  return before;
}

bool tj__node_needs(const tj__node *node, int64_t input) {
  if (input >= node->n_inputs) return false;
  const tj__edge *edge = input == 0 && node == stand_in.node ? stand_in.edge : &node->edges[input];
  if (!edge->node) return false;
  /* A node that is only being recorded (by a backward with create_graph) is nothing to the running backward. */
  return (node != stand_in.node && node != tj__run_node) || tj__run_wants(edge);
}

bool tj__node_needs_any(const tj__node *node, int64_t first, int64_t n) {
  for (int64_t i = first; i < first + n; i++)
    if (tj__node_needs(node, i)) return true;
  return false;
}

/* ---- saved tensors -------------------------------------------------------------------------------------------- */

static bool save(tj__saved *s, tj_tensor *t, bool is_output) {
  s->flags = TJ__SAVED_SET;
  s->tensor = NULL;
  if (!t) {
    s->flags |= TJ__SAVED_NONE;
    return true;
  }
  if (t->inference && !tj__mode.inference) {
    tj__fail(TJ_ERROR_RUNTIME, "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor "
                               "and use it in autograd.");
    return false;
  }
  s->version = tj__version(t);
  tj__grad_meta *meta = t->grad_meta;
  bool failed = false;
  tj__node *fn = meta && !is_output ? tj__grad_fn(t, &failed) : NULL;
  if (failed) return false;
  if (is_output) {
    s->flags |= TJ__SAVED_OUTPUT;
    s->output_nr = meta && meta->grad_fn ? meta->output_nr : 0;
  } else if (!fn && meta && !meta->owns_accumulator && tj__requires_grad(t)) {
    s->tensor = tj__hold(t);
    return true;
  }
  tj_tensor *alias = fn || (meta && meta->owns_accumulator) ? tj__alias_with_history(t) : tj__shallow(t);
  s->tensor = tj__scope_detach(alias);
  return s->tensor != NULL;
}

bool tj__node_save(tj__node *node, int slot, tj_tensor *t, bool is_output) { return save(&node->saved[slot], t, is_output); }

bool tj__node_save_list(tj__node *node, int slot, tj_tensors list) {
  int64_t n = list.n < 0 ? 0 : list.n;
  tj__saved_list *l = tj__alloc_zeroed(list_bytes(n));
  if (!l) return false;
  l->n = n;
  l->unpacked = (tj_tensor **)(l->items + n);
  for (int64_t i = 0; i < n; i++) {
    if (!save(&l->items[i], list.data[i], false)) {
      free_list(l);
      return false;
    }
  }
  node->saved[slot].flags = TJ__SAVED_SET | TJ__SAVED_LIST;
  node->saved[slot].list = l;
  return true;
}

static void *fail_freed(void) {
  return tj__fail(
      TJ_ERROR_RUNTIME,
      "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
      "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
      "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after "
      "calling backward.");
}

static void *fail_modified(const tj__node *node, const tj__saved *s) {
  const tj_tensor *t = s->tensor;
  const tj__grad_meta *meta = t->grad_meta;
  char origin[200] = "";
  const tj__node *fn = s->flags & TJ__SAVED_OUTPUT ? node : meta ? meta->grad_fn : NULL;
  int nr = s->flags & TJ__SAVED_OUTPUT ? s->output_nr : meta ? meta->output_nr : 0;
  if (fn) snprintf(origin, sizeof origin, ", which is output %d of %s,", nr, tj__node_name(fn));
  return tj__fail(
      TJ_ERROR_RUNTIME,
      "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.%sTensor %s]%s is at "
      "version %u; expected version %u instead. Hint: %s",
      tj__dtype_legacy((tj_dtype)t->dtype), tj__sizes_text(t), origin, tj__version(t), s->version,
      tj__mode.anomaly ? "the backtrace further above shows the operation that failed to compute its gradient. The variable in "
                         "question was changed in there or anywhere later. Good luck!"
                       : "enable anomaly detection to find the operation that failed to compute its gradient, with "
                         "torch.autograd.set_detect_anomaly(True).");
}

/* Borrowed from the node where that will do; outputs get their history back where it matters. fresh: always a tensor of the caller's own. */
tj_tensor *tj__saved_unpack(tj__node *node, tj__saved *s, bool fresh) {
  if (s->flags & TJ__SAVED_NONE) return NULL;
  if (!s->tensor) return fail_freed();
  if (tj__version(s->tensor) != s->version) return fail_modified(node, s);
  if (s->flags & TJ__SAVED_OUTPUT) {
    if (!fresh && !tj__recording()) return s->tensor;
    tj_tensor *t = tj__shallow(s->tensor);
    if (!t || !tj__differentiable((tj_dtype)t->dtype)) return t;
    return tj__set_history(t, node, s->output_nr) ? t : NULL;
  }
  return fresh ? tj__alias_with_history(s->tensor) : s->tensor;
}

tj_tensor *tj__node_saved(tj__node *node, int slot) {
  if (node->freed) return fail_freed();
  return tj__saved_unpack(node, &node->saved[slot], false);
}

bool tj__node_saved_is_none(const tj__node *node, int slot) { return (node->saved[slot].flags & TJ__SAVED_NONE) != 0; }

bool tj__node_saved_list(tj__node *node, int slot, tj_tensors *list) {
  if (node->freed || !(node->saved[slot].flags & TJ__SAVED_LIST)) {
    fail_freed();
    return false;
  }
  tj__saved_list *l = node->saved[slot].list;
  for (int64_t i = 0; i < l->n; i++) {
    l->unpacked[i] = tj__saved_unpack(node, &l->items[i], false);
    if (!l->unpacked[i] && !(l->items[i].flags & TJ__SAVED_NONE)) return false;
  }
  *list = (tj_tensors){l->unpacked, l->n};
  return true;
}

/* ---- attaching ------------------------------------------------------------------------------------------------ */

bool tj__node_add_outputs(tj__node *node, tj_tensor *const *outputs, int64_t n) {
  if (n > 1) {
    tj__output_meta *block = tj__alloc_zeroed((size_t)n * sizeof *block);
    if (!block) return false;
    node->outputs = block;
  }
  node->n_outputs = (int32_t)n;
  for (int64_t i = 0; i < n; i++) {
    const tj_tensor *t = outputs[i];
    tj__output_meta *m = &node->outputs[i];
    m->sizes = m->inline_sizes;
    if (!t) {
      m->ndim = -1;
      continue;
    }
    m->dtype = t->dtype;
    m->ndim = t->ndim;
    m->device = t->storage->device;
    if (t->ndim > TJ__INLINE_DIMS) {
      m->sizes = tj__alloc((size_t)t->ndim * sizeof(int64_t));
      if (!m->sizes) return false;
    }
    memcpy(m->sizes, t->sizes, (size_t)t->ndim * sizeof(int64_t));
  }
  return true;
}

bool tj__node_attach(tj__node *node, tj_tensor *const *outputs, int64_t n_outputs) {
  bool ok = tj__node_add_outputs(node, outputs, n_outputs);
  for (int64_t i = 0; ok && i < n_outputs; i++)
    if (outputs[i] && tj__differentiable((tj_dtype)outputs[i]->dtype)) ok = tj__set_history(outputs[i], node, (int32_t)i);
  tj__node_release(node);
  return ok;
}

/* ---- operators without a derivative --------------------------------------------------------------------------- */

static bool missing_backward(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs) {
  (void)grads, (void)inputs;
  tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "the derivative for '%s' is not implemented.", (const char *)node->args[0].p);
  return false;
}

static const tj__node_type missing_type = {.name = "NotImplemented", .backward = missing_backward};

tj__node *tj__node_missing(const char *op, tj_tensor *const *inputs, int64_t n_inputs) {
  tj__node *node = tj__node_new(&missing_type, inputs, n_inputs, 0, 1);
  if (node) node->args[0].p = (void *)op; /* a string constant of the generated code */
  return node;
}

bool tj__node_attach_missing(const char *op, tj_tensor *const *inputs, int64_t n_inputs, tj_tensor *const *outputs, int64_t n_outputs) {
  tj__node *node = tj__node_missing(op, inputs, n_inputs);
  return node && tj__node_attach(node, outputs, n_outputs);
}
