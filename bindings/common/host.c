/* host.c: one JavaScript environment's side of the engine: its table of handles, the memory of a call, and the call itself. */
#include "calls.h"

#include "../../include/torchjs/expression.h"

#include <math.h>
#include <stdlib.h>

/* ---- growing arrays ------------------------------------------------------------------------------------------ */

/* Room for one more item of `size` bytes; NULL (the array as it was) when out of memory. Sets no error: the collector uses it too. */
static bool grow(void **items, int64_t count, int64_t *capacity, size_t size) {
  if (count < *capacity) return true;
  int64_t wanted = *capacity ? *capacity * 2 : 64;
  void *more = tj__grow(*items, (size_t)wanted * size);
  if (!more) return false;
  *items = more;
  *capacity = wanted;
  return true;
}

static void *out_of_memory(tj__host *h, size_t bytes) {
  h->failed = true;
  return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %lld bytes", (long long)bytes);
}

/* ---- the host ------------------------------------------------------------------------------------------------ */

tj__host *tj__host_new(void) {
  tj__host *h = tj__grow(NULL, sizeof *h);
  tj__host_ref *ref = tj__grow(NULL, sizeof *ref);
  tj_generator *generator = tj_generator_new();
  if (!h || !ref || !generator) {
    free(h);
    free(ref);
    tj_generator_free(generator);
    return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %lld bytes", (long long)sizeof *h);
  }
  memset(h, 0, sizeof *h);
  memset(ref, 0, sizeof *ref);
  h->free_head = -1;
  h->ref = ref;
  ref->host = h;
  atomic_init(&ref->refs, 1);
  h->generator = generator;
  tj_generator_seed(generator);
  tj__generator_of_thread(generator);
  return h;
}

static void release_object(void *object, uint32_t kind) {
  if (kind == TJ__HANDLE_TENSOR) tj_free(object);
  else if (kind == TJ__HANDLE_GENERATOR) tj_generator_free(object);
  else if (kind == TJ__HANDLE_EXPRESSION) tj_expression_free(object);
}

void tj__host_free(tj__host *h) {
  if (!h) return;
  h->callback = NULL;
  for (int64_t i = 0; i < h->handle_count; i++) {
    uint32_t kind = h->handles[i].kind;
    h->handles[i].kind = TJ__HANDLE_FREE;
    release_object(kind == TJ__HANDLE_FREE ? NULL : h->handles[i].object, kind);
  }
  for (int64_t i = 0; i < h->released_count; i++) release_object(h->released[i].object, h->released[i].kind);
  if (tj__generator(NULL) == h->generator) tj__generator_of_thread(NULL);
  tj_generator_free(h->generator);
  h->ref->host = NULL;
  tj__host_ref_drop(h->ref);
  for (tj__arena_block *block = h->arena, *before; block; block = before) {
    before = block->before;
    free(block);
  }
  free(h->handles);
  free(h->released);
  free(h->collected);
  free(h->dropped);
  free(h->spill);
  tj_string_free(h->string);
  free(h);
}

void tj__host_ref_drop(tj__host_ref *ref) {
  if (atomic_fetch_sub_explicit(&ref->refs, 1, memory_order_acq_rel) == 1) free(ref);
}

void tj__host_set_buffer(tj__host *h, double *slots, int64_t capacity) {
  h->slots = slots;
  h->capacity = capacity;
  if (h->spill_count) {
    memcpy(slots, h->spill, (size_t)TJ__MIN(h->spill_count, capacity) * sizeof *slots);
    h->spill_count = 0;
  }
}

/* ---- handles ------------------------------------------------------------------------------------------------- */

/* What the collector should know that a handle holds. A view holds no memory of its own, but an object all the same. The memory of a device counts
 * for little: it is large, and no processor's cache is the colder for it, while a collection takes as long as many of a device's operators. */
#define DEVICE_SHARE 64
static int64_t bytes_of(const tj__handle *entry) {
  if (entry->kind != TJ__HANDLE_TENSOR) return 0;
  const tj_tensor *t = entry->object;
  if (!t->storage || atomic_load_explicit(&t->storage->refs, memory_order_relaxed) != 1) return (int64_t)sizeof *t;
  const int64_t bytes = (int64_t)t->storage->bytes;
  return (int64_t)sizeof *t + (t->storage->device == TJ_CPU ? bytes : bytes / DEVICE_SHARE);
}

double tj__handle_new(tj__host *h, void *object, tj__handle_kind kind) {
  if (!object) return 0;
  int64_t index = h->free_head;
  if (index >= 0) {
    h->free_head = h->handles[index].next;
  } else {
    if (h->handle_count == TJ__HANDLE_INDICES) {
      release_object(object, kind);
      tj__fail(TJ_ERROR_MEMORY, "too many tensors are alive in this JavaScript environment (%d)", TJ__HANDLE_INDICES);
      return 0;
    }
    if (!grow((void **)&h->handles, h->handle_count, &h->handle_capacity, sizeof *h->handles)) {
      release_object(object, kind);
      out_of_memory(h, (size_t)h->handle_capacity * 2 * sizeof *h->handles);
      return 0;
    }
    index = h->handle_count++;
    h->handles[index].generation = 1;
  }
  tj__handle *entry = &h->handles[index];
  entry->object = object;
  entry->kind = kind;
  h->live++;
  h->fresh_bytes += bytes_of(entry);
  return (double)entry->generation * TJ__HANDLE_INDICES + (double)index;
}

void *tj__handle_fail(tj__host *h, double handle, tj__handle_kind kind) {
  static const char *const names[] = {"free handle", "Tensor", "Generator", "Expression"};
  static const char *const disposed[] = {"a handle", "a tensor", "a generator", "an expression"};
  h->failed = true;
  if (handle == 0) return tj__fail(TJ_ERROR_TYPE, "expected %s %s, but got none", kind == TJ__HANDLE_EXPRESSION ? "an" : "a", names[kind]);
  if (handle >= 1 && handle < 0x1p53) {
    uint64_t u = (uint64_t)handle;
    int64_t index = (int64_t)(u & (TJ__HANDLE_INDICES - 1));
    if (index < h->handle_count && h->handles[index].generation == (uint32_t)(u >> TJ__HANDLE_BITS) &&
        h->handles[index].kind != TJ__HANDLE_FREE)
      return tj__fail(TJ_ERROR_TYPE, "expected a %s, but got a %s", names[kind], names[h->handles[index].kind]);
  }
  return tj__fail(TJ_ERROR_DISPOSED, "%s was used after its disposal", disposed[kind]);
}

/* The entry of a handle in use, or NULL. */
static tj__handle *entry_of(tj__host *h, double handle) {
  if (!(handle >= 1 && handle < 0x1p53)) return NULL;
  uint64_t u = (uint64_t)handle;
  int64_t index = (int64_t)(u & (TJ__HANDLE_INDICES - 1));
  if (index >= h->handle_count) return NULL;
  tj__handle *entry = &h->handles[index];
  return entry->kind != TJ__HANDLE_FREE && entry->generation == (uint32_t)(u >> TJ__HANDLE_BITS) ? entry : NULL;
}

void tj__handle_free(tj__host *h, double handle) {
  tj__handle *entry = entry_of(h, handle);
  if (!entry) return;
  tj__handle old = *entry;
  h->fresh_bytes = TJ__MAX(h->fresh_bytes - bytes_of(entry), 0);
  entry->kind = TJ__HANDLE_FREE;
  h->live--;
  /* An index whose generations are used up is never used again. */
  if (++entry->generation < TJ__HANDLE_GENERATIONS) {
    entry->next = h->free_head;
    h->free_head = entry - h->handles;
  }
  if (h->depth > 0 && grow((void **)&h->released, h->released_count, &h->released_capacity, sizeof *h->released)) {
    h->released[h->released_count++] = old;
    return;
  }
  if (h->depth == 0) release_object(old.object, old.kind); /* else out of memory: leaking is better than a dangling argument */
}

void tj__handle_free_later(tj__host *h, double handle) {
  if (grow((void **)&h->collected, h->collected_count, &h->collected_capacity, sizeof *h->collected))
    h->collected[h->collected_count++] = handle;
}

void tj__drop_later(tj__host *h, double id) {
  if (grow((void **)&h->dropped, h->dropped_count, &h->dropped_capacity, sizeof *h->dropped)) h->dropped[h->dropped_count++] = id;
}

void tj__host_settle(tj__host *h) {
  if (h->depth > 0) return;
  while (h->released_count || h->collected_count) {
    if (h->released_count) {
      tj__handle old = h->released[--h->released_count];
      release_object(old.object, old.kind);
    } else {
      tj__handle_free(h, h->collected[--h->collected_count]);
    }
  }
  while (h->dropped_count && h->callback) {
    double id = h->dropped[--h->dropped_count];
    if (h->callback(h, TJ__CALLBACK_DROP, id, 0) < 0) { /* an exception is on its way to JavaScript: later */
      tj__drop_later(h, id);
      break;
    }
  }
}

/* ---- memory of a call ---------------------------------------------------------------------------------------- */

#define ARENA_BLOCK 16384

void *tj__arena_alloc(tj__host *h, size_t bytes) {
  bytes = (bytes + 15) & ~(size_t)15;
  tj__arena_block *block = h->arena;
  if (!block || block->size - block->used < bytes) {
    size_t size = TJ__MAX(bytes, (size_t)ARENA_BLOCK);
    block = tj__grow(NULL, sizeof *block + size);
    if (!block) return out_of_memory(h, size);
    *block = (tj__arena_block){.before = h->arena, .used = 0, .size = size};
    h->arena = block;
  }
  void *p = (char *)(block + 1) + block->used;
  block->used += bytes;
  return p;
}

/* Back to where `block` was in use up to `used`; the first block is kept for the next call. */
static void arena_reset(tj__host *h, const tj__arena_block *block, size_t used) {
  while (h->arena && h->arena != block && h->arena->before) {
    tj__arena_block *before = h->arena->before;
    free(h->arena);
    h->arena = before;
  }
  if (h->arena) h->arena->used = h->arena == block ? used : 0;
}

/* ---- the call ------------------------------------------------------------------------------------------------ */

double tj__host_call(tj__host *h, int64_t op) {
  int64_t at = h->at;
  bool failed = h->failed;
  tj__arena_block *block = h->arena;
  size_t used = block ? block->used : 0;
  h->at = 0;
  h->failed = false;
  h->spill_count = 0;
  if (TJ__UNLIKELY(tj_error_code() != TJ_OK)) tj_error_clear();
  h->depth++;
  double result;
  if (op >= 0 && op < tj__generated_call_count) {
    result = tj__generated_calls[op](h);
  } else if (op >= tj__generated_call_count && op < tj__generated_call_count + tj__builtin_call_count) {
    result = tj__builtin_calls[op - tj__generated_call_count](h);
  } else {
    tj__fail(TJ_ERROR_INTERNAL, "there is no call with index %lld", (long long)op);
    result = 0;
  }
  h->depth--;
  arena_reset(h, block, used);
  h->at = at;
  h->failed = failed;
  if (h->depth == 0 && TJ__UNLIKELY(h->released_count || h->collected_count || h->dropped_count)) tj__host_settle(h);
  return result;
}

/* ---- bytes --------------------------------------------------------------------------------------------------- */

/* These are calls of their own, without an index. */
static void begin(tj__host *h) {
  h->at = 0;
  h->failed = false;
  if (TJ__UNLIKELY(tj_error_code() != TJ_OK)) tj_error_clear();
}

double tj__host_new_tensor(tj__host *h, tj_dtype dtype, size_t bytes) {
  begin(h);
  tj_ints sizes = tj__read_ints(h);
  if (h->failed) return 0;
  int64_t numel = tj__numel_of(sizes);
  if (numel < 0) return 0;
  if ((uint64_t)numel != bytes / tj__dtype_sizes[dtype] || bytes % tj__dtype_sizes[dtype]) {
    tj__fail(TJ_ERROR_VALUE, "%lld bytes are not %lld elements of %s", (long long)bytes, (long long)numel, tj_dtype_name(dtype));
    return 0;
  }
  double handle = tj__return_tensor(h, tj__empty(sizes, dtype, TJ_CPU));
  if (h->depth == 0) arena_reset(h, NULL, 0);
  return handle;
}

double tj__host_from_bytes(tj__host *h, tj_dtype dtype, const void *data, size_t bytes) {
  double handle = tj__host_new_tensor(h, dtype, bytes);
  if (handle > 0 && bytes) memcpy(tj__write(tj__handle_get(h, handle, TJ__HANDLE_TENSOR)), data, bytes);
  return handle;
}

void *tj__host_write_address(tj__host *h, double handle, size_t bytes) {
  begin(h);
  tj_tensor *t = tj__handle_get(h, handle, TJ__HANDLE_TENSOR);
  if (!t) return NULL;
  if (!tj__is_contiguous(t) || (size_t)t->numel * tj__itemsize(t) != bytes)
    return tj__fail(TJ_ERROR_VALUE, "%lld bytes cannot be written to a tensor of %lld bytes that is %scontiguous", (long long)bytes,
                    (long long)t->numel * (long long)tj__itemsize(t), tj__is_contiguous(t) ? "" : "not ");
  return bytes ? tj_mutable_data(t) : h;
}

double tj__host_write_bytes(tj__host *h, double handle, void *data, size_t bytes) {
  void *to = tj__host_write_address(h, handle, bytes);
  if (to && bytes) memcpy(to, data, bytes);
  return to != NULL;
}

const void *tj__host_read_address(tj__host *h, double handle, size_t bytes) {
  begin(h);
  tj_tensor *t = tj__handle_get(h, handle, TJ__HANDLE_TENSOR);
  if (!t || !tj__is_contiguous(t) || (size_t)t->numel * tj__itemsize(t) != bytes) return NULL;
  return bytes ? tj__read(t) : h;
}

double tj__host_read_bytes(tj__host *h, double handle, void *data, size_t bytes) {
  begin(h);
  tj_tensor *t = tj__handle_get(h, handle, TJ__HANDLE_TENSOR);
  return t && tj_to_data(t, data, bytes) >= 0 ? 1 : 0;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

double tj__read_past_end(tj__host *h) {
  h->failed = true;
  tj__fail(TJ_ERROR_INTERNAL, "a call read more arguments than the buffer holds (%lld slots)", (long long)h->capacity);
  return 0;
}

int64_t tj__read_wide_int(tj__host *h, double slot) {
  if (slot != slot) {
    double raw = tj__read_slot(h);
    int64_t v;
    memcpy(&v, &raw, sizeof v);
    return v;
  }
  h->failed = true;
  tj__fail(TJ_ERROR_TYPE, "expected an integer, but got %g", slot);
  return 0;
}

tj_dtype tj__read_dtype(tj__host *h) {
  int64_t v = tj__read_int(h);
  if (v >= -1 && v < TJ_DTYPE_COUNT) return (tj_dtype)v;
  h->failed = true;
  tj__fail(TJ_ERROR_TYPE, "there is no dtype with index %lld", (long long)v);
  return TJ_DTYPE_NONE;
}

tj_device tj__read_device(tj__host *h) {
  int64_t v = tj__read_int(h);
  if (v >= -1 && v <= 0xffff) return (tj_device)v;
  h->failed = true;
  tj__fail(TJ_ERROR_TYPE, "there is no device with code %lld", (long long)v);
  return TJ_DEVICE_NONE;
}

tj_scalar tj__read_scalar(tj__host *h) {
  int64_t kind = tj__read_int(h);
  switch (kind) {
    case TJ_SCALAR_NONE: return TJ_NO_SCALAR;
    case TJ_SCALAR_BOOL: return tj_bool(tj__read_bool(h));
    case TJ_SCALAR_INT: return tj_int(tj__read_int(h));
    case TJ_SCALAR_FLOAT: return tj_float(tj__read_slot(h));
    case TJ_SCALAR_COMPLEX: {
      double re = tj__read_slot(h), im = tj__read_slot(h);
      return tj_complex_number(re, im);
    }
    default:
      h->failed = true;
      tj__fail(TJ_ERROR_TYPE, "there is no kind of number %lld", (long long)kind);
      return TJ_NO_SCALAR;
  }
}

/* The number that slot -k stands for. */
static tj_tensor *read_number(tj__host *h, double slot) {
  const int64_t after = h->at, at = slot > (double)-h->capacity ? (int64_t)-slot : h->capacity;
  h->at = at;
  const tj_scalar value = tj__read_scalar(h);
  if (at != after) h->at = after;
  if (h->failed) return NULL;
  tj_tensor *t = tj__scope_detach(tj_scalar_tensor(value));
  if (t && grow((void **)&h->released, h->released_count, &h->released_capacity, sizeof *h->released)) {
    h->released[h->released_count++] = (tj__handle){.object = t, .kind = TJ__HANDLE_TENSOR};
    return t;
  }
  if (t) out_of_memory(h, sizeof *h->released), tj_free(t);
  h->failed = true;
  return NULL;
}

static inline tj_tensor *tensor_of(tj__host *h, double slot) {
  return TJ__UNLIKELY(slot < 0) ? read_number(h, slot) : (tj_tensor *)tj__handle_get(h, slot, TJ__HANDLE_TENSOR);
}

tj_tensor *tj__read_tensor(tj__host *h) { return tensor_of(h, tj__read_slot(h)); }

tj_tensor *tj__read_optional_tensor(tj__host *h) {
  double slot = tj__read_slot(h);
  return slot == 0 ? NULL : tensor_of(h, slot);
}

/* The count of a list; -1 for none and for a count that cannot be. Every item takes a slot, so the buffer bounds it. */
static int64_t read_count(tj__host *h) {
  int64_t n = tj__read_int(h);
  if (n >= -1 && n <= h->capacity - h->at) return n;
  if (!h->failed) tj__read_past_end(h);
  return -1;
}

tj_ints tj__read_ints(tj__host *h) {
  int64_t n = read_count(h);
  if (n <= 0) return (tj_ints){NULL, n};
  int64_t *items = tj__arena_alloc(h, (size_t)n * sizeof *items);
  if (!items) return TJ_NO_INTS;
  for (int64_t i = 0; i < n; i++) items[i] = tj__read_int(h);
  return (tj_ints){items, n};
}

tj_floats tj__read_floats(tj__host *h) {
  int64_t n = read_count(h);
  if (n <= 0) return (tj_floats){NULL, n};
  double *items = tj__arena_alloc(h, (size_t)n * sizeof *items);
  if (!items) return TJ_NO_FLOATS;
  for (int64_t i = 0; i < n; i++) items[i] = tj__read_slot(h);
  return (tj_floats){items, n};
}

static tj_tensors read_tensors(tj__host *h, bool optional) {
  int64_t n = read_count(h);
  if (n <= 0) return (tj_tensors){NULL, n};
  tj_tensor **items = tj__arena_alloc(h, (size_t)n * sizeof *items);
  if (!items) return (tj_tensors){NULL, -1};
  for (int64_t i = 0; i < n; i++) items[i] = optional ? tj__read_optional_tensor(h) : tj__read_tensor(h);
  return (tj_tensors){items, n};
}
tj_tensors tj__read_tensors(tj__host *h) { return read_tensors(h, false); }
tj_tensors tj__read_optional_tensors(tj__host *h) { return read_tensors(h, true); }

const char *tj__read_string(tj__host *h) {
  int64_t bytes = tj__read_int(h);
  if (bytes < 0) return NULL;
  int64_t slots = bytes / 8 + (bytes % 8 != 0);
  if (slots > h->capacity - h->at) {
    tj__read_past_end(h);
    return NULL;
  }
  char *text = tj__arena_alloc(h, (size_t)bytes + 1);
  if (!text) return NULL;
  memcpy(text, h->slots + h->at, (size_t)bytes);
  text[bytes] = 0;
  h->at += slots;
  return text;
}

/* ---- returning ----------------------------------------------------------------------------------------------- */

double *tj__result_slots(tj__host *h, int64_t n) {
  if (n <= h->capacity) return h->slots;
  if (n > h->spill_capacity) {
    double *more = tj__grow(h->spill, (size_t)n * sizeof *more);
    if (!more) return out_of_memory(h, (size_t)n * sizeof *more);
    h->spill = more;
    h->spill_capacity = n;
  }
  h->spill_count = n;
  return h->spill;
}

double tj__return_borrowed(tj__host *h, tj_tensor *t) { return t ? tj__handle_new(h, tj_retain(t), TJ__HANDLE_TENSOR) : 0; }

/* Handles of the results (references that the caller owns, NULL allowed) in slots from 0; all or none. */
static bool put_tensors(tj__host *h, tj_tensor *const *results, int64_t n) {
  double *slots = tj__result_slots(h, n);
  for (int64_t i = 0; i < n; i++) {
    double handle = 0;
    if (slots && results[i]) handle = tj__handle_new(h, results[i], TJ__HANDLE_TENSOR);
    if (results[i] && handle == 0) { /* out of memory: tj__handle_new has released this one */
      for (int64_t k = 0; slots && k < i; k++) tj__handle_free(h, slots[k]);
      for (int64_t k = slots ? i + 1 : 0; k < n; k++) tj_free(results[k]);
      return false;
    }
    if (slots) slots[i] = handle;
  }
  return slots != NULL;
}

double tj__return_tuple(tj__host *h, tj_status status, tj_tensor *const *results, int64_t n) {
  if (status < 0) return 0;
  for (int64_t i = 0; i < n; i++)
    if (results[i] && results[i]->object.scope) tj__scope_detach(results[i]);
  return put_tensors(h, results, n) ? 1 : 0;
}

double tj__return_list(tj__host *h, tj_list *list) {
  if (!list) return -1;
  int64_t n = list->n;
  for (int64_t i = 0; i < n; i++) tj_retain(list->items[i]);
  bool done = put_tensors(h, list->items, n);
  tj_list_free(list);
  return done ? (double)n : -1;
}

/* An int as arguments are written; the number of slots it took. */
static int64_t put_int(double *slots, int64_t v) {
  if (v > -((int64_t)1 << 53) && v < (int64_t)1 << 53) {
    slots[0] = (double)v;
    return 1;
  }
  slots[0] = NAN;
  memcpy(&slots[1], &v, sizeof v);
  return 2;
}

double tj__return_scalar(tj__host *h, tj_scalar s) {
  double *slots = tj__result_slots(h, 2);
  if (!slots) return 0;
  switch (s.kind) {
    case TJ_SCALAR_BOOL: slots[0] = s.i != 0; break;
    case TJ_SCALAR_INT: put_int(slots, s.i); break;
    case TJ_SCALAR_FLOAT: slots[0] = s.f; break;
    case TJ_SCALAR_COMPLEX:
      slots[0] = s.c.re;
      slots[1] = s.c.im;
      break;
    default: break;
  }
  return (double)s.kind;
}

double tj__return_ints(tj__host *h, tj_ints values) {
  if (values.n < 0) return -1;
  double *slots = tj__result_slots(h, values.n * 2);
  if (!slots) return -1;
  for (int64_t i = 0; i < values.n; i++) slots += put_int(slots, values.data[i]);
  return (double)values.n;
}

double tj__return_string(tj__host *h, char *text) {
  if (!text) return 0;
  tj_string_free(h->string);
  h->string = text;
  return 1;
}

double tj__return_text(tj__host *h, const char *text) {
  if (!text) return 0;
  size_t bytes = strlen(text) + 1;
  char *copy = tj__grow(NULL, bytes);
  if (!copy) {
    out_of_memory(h, bytes);
    return 0;
  }
  return tj__return_string(h, memcpy(copy, text, bytes));
}
