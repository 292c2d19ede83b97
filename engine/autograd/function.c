/* function.c: functions with a derivative of the user's own. */
#include "graph.h"

typedef struct state {
  int (*backward)(tj_tensor *const *grad_outputs, int64_t n_outputs, tj_tensor **grad_inputs, int64_t n_inputs, void *data);
  void *data;
  void (*drop)(void *data);
  size_t bytes;
  char name[];
} state;

static _Thread_local tj__node *running; /* whose backward runs: tj_function_saved asks it */

static bool function_backward(tj__node *node, tj_tensor *const *grads, tj_tensor **inputs) {
  const state *s = node->state;
  tj_tensor *few[16], **results = few;
  size_t bytes = (size_t)node->n_inputs * sizeof *results;
  if (node->n_inputs > 16 && !(results = tj__alloc(bytes))) return false;
  memset(results, 0, bytes);
  tj__node *outer = running;
  running = node;
  /* Freed by a backward inside this one (a second pass over the same graph), it could not be asked any more. */
  tj__node_retain(node);
  int status = s->backward(grads, node->n_outputs, results, node->n_inputs, s->data);
  running = outer;
  bool ok = status == 0 && !tj_error_code();
  for (int32_t i = 0; i < node->n_inputs; i++) {
    if (!results[i]) continue;
    /* Keeps it for this step: what the engine takes over is held by the engine's results. */
    tj_tensor *t = tj__take_returned(NULL, results[i]);
    inputs[i] = ok ? tj__as_result(t) : (tj__release(t), NULL);
    if (ok && !inputs[i]) ok = false;
  }
  if (results != few) tj__free(results, bytes);
  tj__node_release(node);
  return ok;
}

static void function_drop(tj__node *node) {
  state *s = node->state;
  if (!s) return;
  node->state = NULL;
  if (s->drop) s->drop(s->data);
  tj__free(s, s->bytes);
}

static const tj__node_type function_type = {.name = "Function", .backward = function_backward, .drop = function_drop};
static const tj__node_type materializing_type = {
    .name = "Function", .backward = function_backward, .materialize = true, .drop = function_drop};

static bool is_function(const tj__node *node) { return node->type == &function_type || node->type == &materializing_type; }

const char *tj__node_name(const tj__node *node) {
  return is_function(node) && node->state ? ((const state *)node->state)->name : node->type->name;
}

tj_tensor *tj_function_saved(int64_t i) {
  TJ__CHECK(running, TJ_ERROR_RUNTIME, "saved tensors can be read inside the backward of a custom function only");
  TJ__CHECK(i >= 0 && i < running->n_saved, TJ_ERROR_INDEX, "the function saved %d tensors, but number %lld was asked for",
            running->n_saved, (long long)i);
  return tj__saved_unpack(running, &running->saved[i], true);
}

static int64_t index_of(tj_tensors list, const tj_tensor *t) {
  for (int64_t i = 0; i < list.n; i++)
    if (list.data[i] == t) return i;
  return -1;
}

/* The output that the function gives in place of `output`: itself, or where it is an input as it came a view of that. Not for dirty ones. */
static tj_tensor *separate(tj_tensor *output, bool is_input) {
  if (!is_input) return output;
  tj_tensor *alias = tj__shallow(output);
  if (!alias || !tj__view_of(output, alias, false)) return NULL;
  return alias;
}

static tj_status record(tj__node *node, const tj_function *f, tj_tensors inputs, tj_tensor *const *given, tj_tensor **outputs, int64_t n,
                        const bool *non_differentiable, tj_tensors dirty) {
  int64_t differentiable = 0;
  for (int64_t i = 0; i < n; i++) {
    tj_tensor *out = outputs[i];
    differentiable += out && !(non_differentiable && non_differentiable[i]) && tj__differentiable((tj_dtype)out->dtype);
  }
  if (!tj__node_add_outputs(node, outputs, n)) return TJ_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++) {
    tj_tensor *out = outputs[i];
    if (!out || (non_differentiable && non_differentiable[i]) || !tj__differentiable((tj_dtype)out->dtype)) continue;
    if (index_of(dirty, given[i]) >= 0) {
      tj__bump_version(out);
      if (tj__is_view(out)) {
        TJ__CHECK_STATUS(
            n == 1, TJ_ERROR_RUNTIME,
            "If your Function modifies views inplace, make sure it has only one output (a view that is changed in place is written "
            "to its base).");
        if (!tj__rebase_view(out, tj__node_retain(node))) return tj_error_code();
        continue;
      }
      if (!tj__set_history(out, node, (int32_t)i)) return tj_error_code();
      continue;
    }
    if (tj__is_view(out)) out->grad_meta->creation = differentiable > 1 ? TJ__CREATED_MULTI : TJ__CREATED_CUSTOM;
    if (!tj__set_history(out, node, (int32_t)i)) return tj_error_code();
  }
  for (int64_t i = 0; i < f->saved.n; i++) {
    tj_tensor *t = f->saved.data[i];
    int64_t k = -1;
    for (int64_t j = 0; t && j < n; j++)
      if (given[j] == t && (index_of(inputs, t) < 0 || index_of(dirty, t) >= 0)) k = j;
    bool is_output = k >= 0 && outputs[k]->grad_meta && outputs[k]->grad_meta->grad_fn == node;
    if (!tj__node_save(node, (int)i, is_output ? outputs[k] : t, is_output)) return tj_error_code();
  }
  return TJ_OK;
}

int tj_function_record(const tj_function *f, tj_tensors inputs, tj_tensor **outputs, int64_t n_outputs, const bool *non_differentiable,
                       tj_tensors dirty) {
  bool graph = tj__needs_grad(inputs.data, TJ__MAX(inputs.n, 0));
  for (int64_t i = 0; i < dirty.n; i++) {
    tj_tensor *t = dirty.data[i];
    bool found = false;
    for (int64_t k = 0; k < n_outputs; k++) found |= outputs[k] == t;
    TJ__CHECK_STATUS(found, TJ_ERROR_RUNTIME,
                     "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified "
                     "inplace must all be outputs of the Function.");
    TJ__CHECK_STATUS(!graph || !t->grad_meta || !t->grad_meta->requires_grad, TJ_ERROR_RUNTIME,
                     "a leaf Variable that requires grad has been used in an in-place operation.");
    if (!tj__inplace_check(t, graph)) return tj_error_code();
  }
  if (!graph && !f->drop && n_outputs == 0) return TJ_OK;
  size_t length = strlen(f->name), block = sizeof(state) + length + 1;
  size_t pointers = (size_t)n_outputs * sizeof(tj_tensor *);
  tj__scope scope;
  tj__scope_push(&scope);
  tj_status status = TJ_OK;
  tj_tensor **given = tj__alloc(pointers);
  if (!given) status = TJ_ERROR_MEMORY;
  if (given) memcpy(given, outputs, pointers);
  for (int64_t i = 0; i < n_outputs && status == TJ_OK; i++) {
    bool is_input = outputs[i] && index_of(inputs, outputs[i]) >= 0 && index_of(dirty, outputs[i]) < 0;
    if (outputs[i] && !(outputs[i] = separate(outputs[i], is_input))) status = tj_error_code();
  }
  tj__node *node = NULL;
  state *s = NULL;
  if (status == TJ_OK && graph) {
    node = tj__node_new(f->materialize_grads ? &materializing_type : &function_type, inputs.data, TJ__MAX(inputs.n, 0),
                        (int)TJ__MAX(f->saved.n, 0), 0);
    s = node ? tj__alloc(block) : NULL;
    if (!s) status = tj_error_code();
  }
  if (s) {
    *s = (state){.backward = f->backward, .data = f->data, .bytes = block};
    memcpy(s->name, f->name, length + 1);
    node->state = s;
    status = record(node, f, inputs, given, outputs, n_outputs, non_differentiable, dirty);
    /* On failure data stays the caller's. */
    if (status == TJ_OK) s->drop = f->drop;
  }
  for (int64_t i = 0; i < n_outputs && given; i++) {
    if (status != TJ_OK) outputs[i] = given[i];
    else if (outputs[i] != given[i]) outputs[i] = tj__scope_keep(&scope, outputs[i]);
  }
  tj__node_release(node);
  tj__free(given, pointers);
  tj__scope_pop(&scope);
  if (status == TJ_OK && !graph && f->drop) f->drop(f->data);
  return status;
}
