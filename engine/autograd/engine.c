/* engine.c: runs the graph backwards. Dependencies are counted first, then nodes run as soon as all their gradients have arrived, the latest
 * recorded first. No recursion, so the length of a chain does not matter; a backward inside a backward is a run of its own. */
#include "graph.h"

#include "../core/profile.h"

typedef struct entry {
  tj__node *node;
  int32_t dependencies;
  int32_t first_capture; /* index into the captures + 1; 0: none */
  bool needed;           /* to be run, when the run is restricted */
  tj_tensor *one;        /* gradients that have arrived, one a forward output */
  tj_tensor **many;
} entry;

typedef struct run {
  const tj__run_spec *spec;
  bool restricted; /* only what leads to the captures runs */
  entry *entries;
  int32_t n, capacity;
  int32_t *table; /* open addressing: index + 1 */
  int32_t table_size;
  int32_t *heap;
  int32_t heap_n, heap_capacity;
  int32_t *next_capture;
} run;

static _Thread_local const run *current;
_Thread_local const tj__node *tj__run_node;

/* ---- entries by node ------------------------------------------------------------------------------------------ */

static uint32_t hash(const tj__node *node) {
  uint64_t h = (uint64_t)(uintptr_t)node;
  h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
  return (uint32_t)(h ^ h >> 33);
}

static int32_t find(const run *r, const tj__node *node) {
  if (!r->table_size) return -1;
  uint32_t mask = (uint32_t)r->table_size - 1;
  for (uint32_t at = hash(node) & mask; r->table[at]; at = (at + 1) & mask)
    if (r->entries[r->table[at] - 1].node == node) return r->table[at] - 1;
  return -1;
}

/* A block of n items doubled, with its contents; the old one is freed. NULL: out of memory, the old one stays. */
static void *doubled(void *old, int32_t *capacity, size_t item, int32_t least) {
  int32_t larger = *capacity ? *capacity * 2 : least;
  void *block = tj__alloc((size_t)larger * item);
  if (!block) return NULL;
  if (*capacity) memcpy(block, old, (size_t)*capacity * item);
  tj__free(old, (size_t)*capacity * item);
  *capacity = larger;
  return block;
}

static bool grow_table(run *r) {
  int32_t size = r->table_size ? r->table_size * 2 : 64;
  int32_t *table = tj__alloc_zeroed((size_t)size * sizeof *table);
  if (!table) return false;
  tj__free(r->table, (size_t)r->table_size * sizeof *table);
  r->table = table;
  r->table_size = size;
  uint32_t mask = (uint32_t)size - 1;
  for (int32_t i = 0; i < r->n; i++) {
    uint32_t at = hash(r->entries[i].node) & mask;
    while (table[at]) at = (at + 1) & mask;
    table[at] = i + 1;
  }
  return true;
}

static int32_t add_entry(run *r, tj__node *node) {
  if (r->n == r->capacity) {
    entry *entries = doubled(r->entries, &r->capacity, sizeof *entries, 32);
    if (!entries) return -1;
    r->entries = entries;
  }
  if (2 * (r->n + 1) > r->table_size && !grow_table(r)) return -1;
  r->entries[r->n] = (entry){.node = node};
  uint32_t mask = (uint32_t)r->table_size - 1, at = hash(node) & mask;
  while (r->table[at]) at = (at + 1) & mask;
  r->table[at] = ++r->n;
  return r->n - 1;
}

static bool wanted(const run *r, const entry *e) { return !r->restricted || e->needed || e->first_capture; }

bool tj__run_wants(const tj__edge *edge) {
  if (!current || !current->restricted) return true;
  int32_t i = find(current, edge->node);
  return i >= 0 && wanted(current, &current->entries[i]);
}

/* ---- dependencies --------------------------------------------------------------------------------------------- */

typedef struct frame {
  int32_t entry, edge;
} frame;

/* The entry of a node that an edge leads to, with that edge counted; -1: out of memory. *fresh: its own edges are still to be followed. */
static int32_t reach(run *r, tj__node *node, bool *fresh) {
  int32_t i = find(r, node);
  if (i < 0 && (i = add_entry(r, node)) < 0) return -1;
  *fresh = r->entries[i].dependencies++ == 0;
  return i;
}

/* Counts how many edges lead to each node reachable from `from`, and finds what leads to a capture. */
static bool explore(run *r, tj__node *from, frame **stack, int32_t *capacity) {
  int32_t depth = 0;
  bool fresh;
  frame top = {reach(r, from, &fresh), 0};
  if (top.entry < 0 || !fresh) return top.entry >= 0;
  for (;;) {
    const tj__node *node = r->entries[top.entry].node;
    if (top.edge < node->n_inputs) {
      tj__node *next = node->edges[top.edge++].node;
      if (!next) continue;
      int32_t i = reach(r, next, &fresh);
      if (i < 0) return false;
      if (!fresh) {
        /* what lies behind it is known already: the graph has no cycles */
        if (r->entries[i].needed || r->entries[i].first_capture) r->entries[top.entry].needed = true;
        continue;
      }
      if (depth == *capacity) {
        frame *larger = doubled(*stack, capacity, sizeof *larger, 64);
        if (!larger) return false;
        *stack = larger;
      }
      (*stack)[depth++] = top;
      top = (frame){i, 0};
      continue;
    }
    if (!depth) return true;
    const entry *done = &r->entries[top.entry];
    bool leads = done->needed || done->first_capture;
    top = (*stack)[--depth];
    if (leads) r->entries[top.entry].needed = true;
  }
}

/* ---- what is ready -------------------------------------------------------------------------------------------- */

static bool after(const run *r, int32_t a, int32_t b) { return r->entries[a].node->sequence > r->entries[b].node->sequence; }

static bool push_ready(run *r, int32_t i) {
  if (r->heap_n == r->heap_capacity) {
    int32_t *heap = doubled(r->heap, &r->heap_capacity, sizeof *heap, 64);
    if (!heap) return false;
    r->heap = heap;
  }
  int32_t at = r->heap_n++;
  for (; at > 0 && after(r, i, r->heap[(at - 1) / 2]); at = (at - 1) / 2) r->heap[at] = r->heap[(at - 1) / 2];
  r->heap[at] = i;
  return true;
}

static int32_t pop_ready(run *r) {
  int32_t first = r->heap[0], last = r->heap[--r->heap_n], at = 0;
  for (;;) {
    int32_t child = 2 * at + 1;
    if (child >= r->heap_n) break;
    if (child + 1 < r->heap_n && after(r, r->heap[child + 1], r->heap[child])) child++;
    if (!after(r, r->heap[child], last)) break;
    r->heap[at] = r->heap[child];
    at = child;
  }
  r->heap[at] = last;
  return first;
}

/* ---- gradients on their way ----------------------------------------------------------------------------------- */

static tj_tensor **gradients(entry *e) { return e->node->n_outputs > 1 ? e->many : &e->one; }

/* Adds a gradient (a reference, taken over also on failure) to those of a node's output. */
static bool deliver(entry *e, int32_t nr, tj_tensor *grad) {
  if (e->node->n_outputs > 1 && !e->many) {
    e->many = tj__alloc_zeroed((size_t)e->node->n_outputs * sizeof *e->many);
    if (!e->many) return tj__release(grad), false;
  }
  tj_tensor **slot = gradients(e) + (e->node->n_outputs > 1 ? nr : 0);
  if (!*slot) {
    *slot = grad;
    return true;
  }
  tj_tensor *sum = *slot;
  *slot = NULL; /* tj__sum_grads needs the only reference to add in place */
  *slot = tj__sum_grads(sum, grad);
  return *slot != NULL;
}

static void drop_gradients(entry *e) {
  tj__release(e->one);
  e->one = NULL;
  if (!e->many) return;
  for (int32_t i = 0; i < e->node->n_outputs; i++) tj__release(e->many[i]);
  tj__free(e->many, (size_t)e->node->n_outputs * sizeof *e->many);
  e->many = NULL;
}

/* ---- running a node ------------------------------------------------------------------------------------------- */

static bool has_nan(tj_tensor *t) {
  tj__scope scope;
  tj__scope_push(&scope);
  bool found = false;
  tj_tensor *flat = tj__empty(tj__sizes(t), (tj_dtype)t->dtype, t->storage->device);
  if (flat && !tj_to_data(t, tj__write(flat), (size_t)t->numel * tj__itemsize(t))) {
    const char *p = tj__read(flat);
    for (int64_t i = 0; i < t->numel && !found; i++) {
      tj_scalar s = tj__load_scalar(p + (size_t)i * tj__itemsize(t), (tj_dtype)t->dtype);
      found = s.kind == TJ_SCALAR_COMPLEX ? s.c.re != s.c.re || s.c.im != s.c.im : s.kind == TJ_SCALAR_FLOAT && s.f != s.f;
    }
  }
  tj__scope_pop(&scope);
  return found;
}

/* The node's derivative, its results checked and held in `results`. */
static bool call_node(tj__node *node, tj_tensor **grads, tj_tensor **results) {
  bool any = node->n_outputs == 0;
  for (int32_t i = 0; i < node->n_outputs; i++) any |= grads && grads[i] != NULL;
  if (!any && !node->type->materialize) return true;
  tj_tensor *none[16] = {0}, **all = grads;
  size_t bytes = (size_t)node->n_outputs * sizeof *all;
  if (!all) all = node->n_outputs <= 16 ? none : tj__alloc_zeroed(bytes);
  if (!all) return false;
  tj__scope scope;
  tj__scope_push(&scope);
  TJ__PROFILE(&scope, TJ__PROFILE_NODE, tj__node_name(node));
  bool ok = true;
  for (int32_t i = 0; ok && node->type->materialize && i < node->n_outputs; i++) {
    if (all[i] || node->outputs[i].ndim < 0) continue;
    all[i] = tj__hold(tj__zeros_for(&node->outputs[i]));
    ok = all[i] != NULL;
  }
  const tj__node *outer = tj__run_node;
  tj__run_node = node;
  ok = ok && node->type->backward(node, all, results);
  tj__run_node = outer;
  if (!ok && !tj_error_code()) tj__fail(TJ_ERROR_RUNTIME, "the backward of %s failed", tj__node_name(node));
  for (int32_t i = 0; ok && i < node->n_inputs; i++) {
    const tj__edge *edge = &node->edges[i];
    if (!results[i] || !edge->node) {
      results[i] = NULL;
      continue;
    }
    results[i] = tj__validate_grad(results[i], &edge->node->outputs[edge->nr], tj__node_name(node), i);
    ok = results[i] != NULL;
    if (ok && TJ__UNLIKELY(tj__mode.anomaly && tj__mode.check_nan) && has_nan(results[i])) {
      tj__fail(TJ_ERROR_RUNTIME, "Function '%s' returned nan values in its %dth output.", tj__node_name(node), (int)i);
      ok = false;
    }
  }
  for (int32_t i = 0; i < node->n_inputs; i++) results[i] = ok ? tj__hold(results[i]) : NULL;
  if (!grads) {
    for (int32_t i = 0; i < node->n_outputs; i++) tj__release(all[i]);
    if (all != none) tj__free(all, bytes);
  }
  tj__scope_pop(&scope);
  return ok;
}

/* Hands the results to the nodes behind the edges; all references in `results` are gone afterwards. */
static bool distribute(run *r, const tj__node *node, tj_tensor **results) {
  bool ok = true;
  for (int32_t i = 0; i < node->n_inputs; i++) {
    const tj__edge *edge = &node->edges[i];
    tj_tensor *grad = results[i];
    int32_t at = ok && edge->node ? find(r, edge->node) : -1;
    if (at < 0) {
      tj__release(grad);
      continue;
    }
    entry *e = &r->entries[at];
    bool ready = --e->dependencies == 0;
    if (!wanted(r, e)) {
      tj__release(grad);
      continue;
    }
    if (grad) ok = deliver(e, edge->nr, grad);
    if (ok && ready) ok = push_ready(r, at);
  }
  return ok;
}

static bool run_hooks(tj__node *node, tj_tensor **grads) {
  const tj__hooks *hooks = node->accumulates ? &node->leaf->grad_meta->hooks : &node->hooks;
  if (TJ__LIKELY(!hooks->n && !node->retained)) return true;
  for (int32_t i = 0; i < node->n_outputs; i++) {
    if (!grads[i]) continue;
    if (!tj__hooks_run(hooks, i, &grads[i])) return false;
    if (node->retained && !tj__retained_run(node, i, grads[i])) return false;
  }
  return true;
}

static bool evaluate(run *r, int32_t at) {
  entry *e = &r->entries[at];
  tj__node *node = e->node;
  const tj__run_spec *spec = r->spec;
  tj_tensor **grads = gradients(e);
  if (grads && !run_hooks(node, grads)) return false;
  for (int32_t c = e->first_capture; c && spec->captured; c = r->next_capture[c - 1]) {
    tj_tensor *grad = grads ? grads[spec->captures[c - 1].nr] : NULL;
    spec->captured[c - 1] = tj__hold(grad);
  }
  if (r->restricted && !e->needed) {
    drop_gradients(e);
    return true;
  }
  if (node->accumulates) {
    tj_tensor *grad = e->one;
    e->one = NULL;
    return !grad || tj__accumulate_grad(node->leaf, grad);
  }
  tj_tensor *few[16], **results = few;
  size_t bytes = (size_t)node->n_inputs * sizeof *results;
  if (node->n_inputs > 16 && !(results = tj__alloc(bytes))) return false;
  memset(results, 0, bytes);
  bool ok = call_node(node, grads, results);
  drop_gradients(e);
  if (!spec->retain_graph) tj__node_free_saved(node);
  if (ok) ok = distribute(r, node, results);
  if (results != few) tj__free(results, bytes);
  return ok;
}

/* ---- a whole run ---------------------------------------------------------------------------------------------- */

static bool prepare(run *r) {
  const tj__run_spec *spec = r->spec;
  if (spec->n_captures && !(r->next_capture = tj__alloc_zeroed((size_t)spec->n_captures * sizeof *r->next_capture))) return false;
  for (int64_t i = 0; i < spec->n_captures; i++) {
    tj__node *node = spec->captures[i].node;
    if (!node) continue;
    int32_t at = find(r, node);
    if (at < 0) at = add_entry(r, node);
    if (at < 0) return false;
    if (spec->accumulate) {
      r->entries[at].needed = true;
    } else {
      r->next_capture[i] = r->entries[at].first_capture;
      r->entries[at].first_capture = (int32_t)i + 1;
    }
  }
  return true;
}

static bool explore_all(run *r) {
  const tj__run_spec *spec = r->spec;
  frame *stack = NULL;
  int32_t capacity = 0;
  bool ok = true;
  for (int64_t i = 0; ok && i < spec->n_roots; i++) ok = explore(r, spec->roots[i].node, &stack, &capacity);
  tj__free(stack, (size_t)capacity * sizeof *stack);
  return ok;
}

bool tj__run_backward(const tj__run_spec *spec) {
  run r = {.spec = spec, .restricted = spec->n_captures > 0};
  const tj__modes modes = tj__mode;
  const run *outer = current;
  tj__stand_in stand_in = tj__set_stand_in((tj__stand_in){0});
  tj__mode.no_grad = !spec->create_graph;
  tj__mode.below = false;
  bool ok = prepare(&r) && explore_all(&r);
  current = &r;
  for (int64_t i = 0; ok && i < spec->n_roots; i++) {
    const tj__edge *root = &spec->roots[i];
    tj__scope scope;
    tj__scope_push(&scope);
    tj_tensor *grad = tj__validate_grad(spec->grads[i], &root->node->outputs[root->nr], "GraphRoot", i);
    tj__hold(grad);
    tj__scope_pop(&scope);
    int32_t at = find(&r, root->node);
    entry *e = &r.entries[at];
    ok = grad && (!wanted(&r, e) ? (tj__release(grad), true) : deliver(e, root->nr, grad));
    if (--e->dependencies == 0 && ok && wanted(&r, e)) ok = push_ready(&r, at);
  }
  while (ok && r.heap_n) ok = evaluate(&r, pop_ready(&r));
  current = outer;
  tj__set_stand_in(stand_in);
  tj__mode = (tj__modes){modes.no_grad, modes.inference, modes.below, tj__mode.anomaly, tj__mode.check_nan};
  for (int32_t i = 0; i < r.n; i++) drop_gradients(&r.entries[i]);
  if (!ok) {
    for (int64_t i = 0; spec->captured && i < spec->n_captures; i++) {
      tj__release(spec->captured[i]);
      spec->captured[i] = NULL;
    }
  }
  tj__free(r.entries, (size_t)r.capacity * sizeof *r.entries);
  tj__free(r.table, (size_t)r.table_size * sizeof *r.table);
  tj__free(r.heap, (size_t)r.heap_capacity * sizeof *r.heap);
  tj__free(r.next_capture, (size_t)spec->n_captures * sizeof *r.next_capture);
  return ok;
}
