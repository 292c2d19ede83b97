/* hooks.c: functions of the host that see gradients on their way, and gradients kept for tensors that are no leaves. */
#include "graph.h"
#include "ops.h"

/* ---- lists of hooks ------------------------------------------------------------------------------------------- */

static void hook_release(tj__hook *hook) {
  if (--hook->refs) return;
  if (hook->drop) hook->drop(hook->data);
  tj__free(hook, sizeof *hook);
}

bool tj__hooks_share(tj__hooks *hooks, tj__hook *hook) {
  if (hooks->n == hooks->capacity) {
    int32_t capacity = hooks->capacity ? hooks->capacity * 2 : 2;
    tj__hook **items = tj__alloc((size_t)capacity * sizeof *items);
    if (!items) return false;
    if (hooks->n) memcpy(items, hooks->items, (size_t)hooks->n * sizeof *items);
    tj__free(hooks->items, (size_t)hooks->capacity * sizeof *items);
    hooks->items = items;
    hooks->capacity = capacity;
  }
  hooks->items[hooks->n++] = hook;
  hook->refs++;
  return true;
}

void tj__hooks_clear(tj__hooks *hooks) {
  tj__hooks gone = *hooks;
  *hooks = (tj__hooks){0};
  for (int32_t i = 0; i < gone.n; i++) hook_release(gone.items[i]);
  tj__free(gone.items, (size_t)gone.capacity * sizeof *gone.items);
}

/* Takes the hook out of the list and off, whichever other lists it is in. false: not in this list. */
static bool hooks_remove(tj__hooks *hooks, int64_t id) {
  for (int32_t i = 0; i < hooks->n; i++) {
    tj__hook *hook = hooks->items[i];
    if (hook->id != id) continue;
    memmove(&hooks->items[i], &hooks->items[i + 1], (size_t)(hooks->n - i - 1) * sizeof *hooks->items);
    hooks->n--;
    hook->call = NULL;
    hook_release(hook);
    return true;
  }
  return false;
}

int64_t tj_register_hook(tj_tensor *t, tj_tensor_hook call, void *data, void (*drop)(void *data), bool after_accumulate) {
  static _Atomic int64_t next_id = 1;
  if (!t || !call) return tj__fail_status(TJ_ERROR_TYPE, "a tensor and a hook are needed");
  TJ__CHECK_STATUS(tj__requires_grad(t), TJ_ERROR_RUNTIME, "cannot register a hook on a tensor that doesn't require gradient");
  bool failed = false;
  tj__node *fn = tj__grad_fn(t, &failed);
  if (failed) return tj_error_code();
  TJ__CHECK_STATUS(!after_accumulate || !fn, TJ_ERROR_RUNTIME, "post accumulate grad hooks cannot be registered on non-leaf tensors");
  tj__grad_meta *meta = t->grad_meta;
  tj__hook *hook = tj__alloc(sizeof *hook);
  if (!hook) return TJ_ERROR_MEMORY;
  /* drop is set last: a hook that could not be registered still belongs to the caller */
  *hook = (tj__hook){.refs = 1, .output_nr = fn ? meta->output_nr : 0, .id = atomic_fetch_add(&next_id, 1), .call = call, .data = data};
  tj__hooks *list = after_accumulate ? &meta->after : &meta->hooks;
  bool ok = tj__hooks_share(list, hook);
  if (ok && fn && !tj__hooks_share(&fn->hooks, hook)) {
    hooks_remove(list, hook->id);
    ok = false;
  }
  int64_t id = hook->id;
  if (ok) hook->drop = drop;
  hook_release(hook);
  return ok ? id : TJ_ERROR_MEMORY;
}

void tj_remove_hook(tj_tensor *t, int64_t id) {
  if (!t || !t->grad_meta) return;
  if (!hooks_remove(&t->grad_meta->hooks, id)) hooks_remove(&t->grad_meta->after, id);
}

/* ---- calling -------------------------------------------------------------------------------------------------- */

tj_tensor *tj__take_returned(const tj__scope *scope, tj_tensor *t) {
  (void)scope;
  tj__hold(t);
  tj_free(t); /* the reference that came with it: retained, or the scope's */
  return t;
}

/* A registered hook may be removed, or others added, while it runs. */
static bool call_hook(tj__hook *hook, tj_tensor **grad) {
  hook->refs++;
  tj__scope scope;
  tj__scope_push(&scope);
  tj_tensor *result = tj__take_returned(&scope, hook->call(*grad, hook->data));
  bool ok = result || !tj_error_code();
  if (ok && result) {
    if (!tj__same_sizes(result, *grad)) {
      tj__fail(TJ_ERROR_RUNTIME, "hook has changed the size of value");
      ok = false;
    } else if (result->dtype != (*grad)->dtype) {
      tj__fail(TJ_ERROR_RUNTIME, "hook has changed the type of value (was torch.%sTensor got torch.%sTensor)",
               tj__dtype_legacy((tj_dtype)(*grad)->dtype), tj__dtype_legacy((tj_dtype)result->dtype));
      ok = false;
    } else {
      tj__release(*grad);
      *grad = tj__hold(result);
    }
  }
  tj__release(result);
  tj__scope_pop(&scope);
  hook_release(hook);
  return ok;
}

bool tj__hooks_run(const tj__hooks *hooks, int32_t output_nr, tj_tensor **grad) {
  int32_t n = hooks->n;
  for (int32_t i = 0; i < n && i < hooks->n; i++) {
    tj__hook *hook = hooks->items[i];
    if (hook->call && hook->output_nr == output_nr && *grad && !call_hook(hook, grad)) return false;
  }
  return true;
}

bool tj__hooks_run_after(tj_tensor *leaf) {
  const tj__hooks *hooks = &leaf->grad_meta->after;
  for (int32_t i = 0; i < hooks->n; i++) {
    tj__hook *hook = hooks->items[i];
    if (!hook->call) continue;
    hook->refs++;
    tj__scope scope;
    tj__scope_push(&scope);
    tj__release(tj__take_returned(&scope, hook->call(leaf, hook->data)));
    tj__scope_pop(&scope);
    hook_release(hook);
    if (tj_error_code()) return false;
  }
  return true;
}

/* ---- retained gradients --------------------------------------------------------------------------------------- */

bool tj__retained_add(tj__node *node, tj_tensor *t, int32_t output_nr) {
  tj__retained *r = tj__alloc(sizeof *r);
  if (!r) return false;
  *r = (tj__retained){node->retained, t, output_nr};
  node->retained = r;
  return true;
}

void tj__retained_remove(tj__node *node, const tj_tensor *t) {
  for (tj__retained **at = &node->retained; *at; at = &(*at)->next) {
    tj__retained *r = *at;
    if (r->tensor != t) continue;
    *at = r->next;
    tj__free(r, sizeof *r);
    return;
  }
}

bool tj__retained_run(tj__node *node, int32_t output_nr, tj_tensor *grad) {
  for (tj__retained *r = node->retained; r; r = r->next) {
    if (r->output_nr != output_nr) continue;
    tj__grad_meta *meta = r->tensor->grad_meta;
    tj__scope scope;
    tj__scope_push(&scope);
    tj_tensor *sum = meta->grad ? tj_add(meta->grad, grad, tj_int(1)) : tj_clone(grad, NULL);
    bool ok = sum && tj_set_grad(r->tensor, sum) == TJ_OK;
    tj__scope_pop(&scope);
    if (!ok) return false;
  }
  return true;
}
