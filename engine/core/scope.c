/* scope.c: who owns a new tensor. Scopes are a stack of the thread; an object remembers the one scope that owns a reference to it. */
#include "core.h"
#include "profile.h"

static _Thread_local tj__scope *innermost;

void tj__scope_push(tj__scope *s) {
  s->outer = innermost;
  s->n = 0;
  s->capacity = TJ__SCOPE_INLINE;
  s->items = s->inline_items;
  innermost = s;
}

void tj__object_release(tj__object *object); /* tensor.c */

static size_t slots_bytes(const tj__scope *s) { return (size_t)s->capacity * sizeof *s->items; }

void tj__scope_pop(tj__scope *s) {
  if (tj__watched()) tj__profile_end_scope(s);
  innermost = s->outer;
  /* Latest first: what was made last usually holds on to what was made before. */
  while (s->n) {
    tj__object *object = s->items[--s->n];
    if (!object) continue;
    object->scope = NULL;
    tj__object_release(object);
  }
  if (s->items != s->inline_items) tj__free(s->items, slots_bytes(s));
}

/* Closes the gaps; a scope in which as much is freed as made does not grow. */
static void compact(tj__scope *s) {
  int32_t n = 0;
  for (int32_t i = 0; i < s->n; i++) {
    if (!s->items[i]) continue;
    s->items[n] = s->items[i];
    s->items[n]->scope_slot = n;
    n++;
  }
  s->n = n;
}

static bool grow(tj__scope *s) {
  compact(s);
  if (s->n <= s->capacity / 2) return true;
  if (s->capacity > INT32_MAX / 2) return tj__fail(TJ_ERROR_MEMORY, "a scope holds more than %d tensors", s->n) != NULL;
  tj__object **items = tj__alloc((size_t)s->capacity * 2 * sizeof *items);
  if (!items) return false;
  memcpy(items, s->items, (size_t)s->n * sizeof *items);
  if (s->items != s->inline_items) tj__free(s->items, slots_bytes(s));
  s->items = items;
  s->capacity *= 2;
  return true;
}

static bool put(tj__scope *s, tj__object *object) {
  if (TJ__UNLIKELY(s->n == s->capacity) && !grow(s)) return false;
  object->scope = s;
  object->scope_slot = s->n;
  s->items[s->n++] = object;
  return true;
}

static void take(tj__object *object) {
  tj__scope *s = object->scope;
  if (!s) return;
  s->items[object->scope_slot] = NULL;
  while (s->n && !s->items[s->n - 1]) s->n--;
  object->scope = NULL;
}

void *tj__scope_detach(void *object) {
  if (object) take(object);
  return object;
}

void *tj__scope_adopt(void *object) {
  if (!object || !innermost) return object;
  if (TJ__LIKELY(put(innermost, object))) return object;
  tj__object_release(object);
  return NULL;
}

void *tj__scope_keep(tj__scope *s, void *p) {
  tj__object *object = p;
  if (!object) return NULL;
  if (TJ__LIKELY(object->scope == s)) {
    take(object);
  } else {
    if (object->scope) return object;
    /* A caller owns it outside of all scopes. What the caller has counts as retained, so that tj_free gives that back first. */
    atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
    if (!s->outer) return object;
    atomic_fetch_add_explicit(&object->held, 1, memory_order_relaxed);
  }
  if (!s->outer || put(s->outer, object)) return object;
  tj__object_release(object);
  return NULL;
}

/* ---- public scopes --------------------------------------------------------------------------------------------- */

typedef struct open_scope {
  tj__scope scope;
  struct open_scope *outer;
} open_scope;
static _Thread_local open_scope *innermost_open;

int tj_scope_begin(void) {
  open_scope *s = tj__alloc(sizeof *s);
  if (!s) return TJ_ERROR_MEMORY;
  s->outer = innermost_open;
  innermost_open = s;
  tj__scope_push(&s->scope);
  return TJ_OK;
}

void tj_scope_end(void) {
  open_scope *s = innermost_open;
  /* An end without a begin, or one inside a callback for a scope that was opened outside of it, does nothing. */
  if (!s || innermost != &s->scope) return;
  innermost_open = s->outer;
  tj__scope_pop(&s->scope);
  tj__free(s, sizeof *s);
}

tj_tensor *tj_keep(tj_tensor *t) {
  if (!t || !t->object.scope || t->object.scope != innermost) return t;
  return tj__scope_keep(innermost, t);
}
