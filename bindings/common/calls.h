/* calls.h: how JavaScript calls the engine, the same for Node-API and WebAssembly. JavaScript writes the arguments of a call to a
 * buffer of 8-byte slots that both sides see, names the call by its index, and finds the results in the buffer.
 *
 * Arguments, from slot 0:
 *   Tensor, Generator, expression   handle; 0: none  bool    0 or 1; none: -1
 *   a number in the place of a Tensor   -k, and a Scalar from slot k > 0, which is behind all arguments or the next slot
 *   int                 a double; outside +-(2^53-1) NaN and a slot of the 64 bits; none: NaN and the bits of INT64_MIN
 *   float               a double                    ScalarType, Device   index or code; none: -1
 *   Scalar, float?      kind (0 none 1 bool 2 int 3 float 4 complex), then its value (an int as above; complex: two slots)
 *   int[] float[] Tensor[]   count (none: -1), then the items      str   bytes (none: -1), then ceil(bytes / 8) slots of UTF-8
 * Result of the call: a tensor's handle; a tuple 1 and handles from slot 0; a list its count and handles; a scalar its kind and the value
 * from slot 0; nothing 1. An error: 0, or -1 where a count is returned; the thread's error says what.
 *
 * A generated call reads its arguments in order and then runs:
 *     static double call_add(tj__host *h) {
 *       tj_tensor *self = tj__read_tensor(h);
 *       tj_tensor *other = tj__read_tensor(h);
 *       tj_scalar alpha = tj__read_scalar(h);
 *       if (h->failed) return 0;
 *       return tj__return_tensor(h, tj_add(self, other, alpha));
 *     } */
#ifndef TJ__CALLS_H
#define TJ__CALLS_H

#include "../../engine/core/core.h"

/* ---- handles ------------------------------------------------------------------------------------------------- */

/* generation * 2^24 + index. An index is used again with the next generation, so that a stale handle is noticed. */
#define TJ__HANDLE_BITS 24
#define TJ__HANDLE_INDICES (1 << TJ__HANDLE_BITS)
#define TJ__HANDLE_GENERATIONS (1u << 29)

typedef enum tj__handle_kind { TJ__HANDLE_FREE, TJ__HANDLE_TENSOR, TJ__HANDLE_GENERATOR, TJ__HANDLE_EXPRESSION } tj__handle_kind;

typedef struct tj__handle {
  union {
    void *object; /* one reference */
    int64_t next; /* of a free entry: the next one, or -1 */
  };
  uint32_t generation;
  uint32_t kind; /* tj__handle_kind */
} tj__handle;

typedef struct tj__arena_block {
  struct tj__arena_block *before;
  size_t used, size;
} tj__arena_block;

/* What the host is asked to run in JavaScript while a call is running. */
typedef enum tj__callback_kind {
  TJ__CALLBACK_HOOK,     /* slot 0: a gradient. Returns a handle in its place, 0 to leave it, -1 when it threw */
  TJ__CALLBACK_FUNCTION, /* slots 0..: one gradient an output (0: none). Returns how many handles it left in slots 0.., -1 when it threw */
  TJ__CALLBACK_DROP,     /* `id` will not be called again; the buffer is not to be touched */
  TJ__CALLBACK_WEBGPU,   /* commands wait: `count` bytes; id is 1 when a batch is full. The buffer is not to be touched */
} tj__callback_kind;

/* ---- the host ------------------------------------------------------------------------------------------------ */

/* One a JavaScript environment (the main thread, each Worker). */
typedef struct tj__host {
  tj_generator *generator; /* the default one of this environment */
  double *slots;           /* the shared buffer */
  int64_t capacity;        /* in slots */
  int64_t at;              /* the next argument */
  bool failed;             /* an argument was no good; the thread's error says why */
  int depth;               /* calls running: callbacks run calls inside a call */
  tj__handle *handles;
  int64_t handle_count, handle_capacity, free_head;
  int64_t live;         /* handles in use */
  int64_t fresh_bytes;  /* of the tensors that got handles and still have them; shells read and reset it to tell their collector */
  tj__handle *released; /* objects that go when no call runs any more: arguments whose handles went meanwhile, numbers */
  int64_t released_count, released_capacity;
  double *collected; /* handles that the garbage collector gave back (tj__handle_free_later) */
  int64_t collected_count, collected_capacity;
  double *dropped; /* ids for TJ__CALLBACK_DROP */
  int64_t dropped_count, dropped_capacity;
  double *spill; /* results that did not fit the buffer: copied when it grows */
  int64_t spill_count, spill_capacity;
  char *string; /* a text result; freed with tj_string_free */
  tj__arena_block *arena;
  double (*callback)(struct tj__host *h, tj__callback_kind kind, double id, int64_t count); /* set by the shell; -1 when it failed */
  void *shell;
  struct tj__host_ref *ref; /* what hooks hold, since they may outlive the host */
} tj__host;

typedef double (*tj__call)(tj__host *h);

/* build/gen/calls_gen.c */
extern const tj__call tj__generated_calls[];
extern const int tj__generated_call_count;
/* builtins.c: builtin i of builtins.def has index tj__generated_call_count + i. */
extern const tj__call tj__builtin_calls[];
extern const int tj__builtin_call_count;

tj__host *tj__host_new(void);                                           /* NULL when out of memory */
void tj__host_free(tj__host *h);                                        /* releases every handle */
void tj__host_set_buffer(tj__host *h, double *slots, int64_t capacity); /* copies spilled results into it */
double tj__host_call(tj__host *h, int64_t op);
/* When no call is running: gives back what collected objects and finished calls left. Calls do so at their end. */
void tj__host_settle(tj__host *h);
/* All elements of a tensor, row-major: a new one of the sizes in the buffer (int[] from slot 0) with a copy of the bytes (its handle or 0);
 * into a contiguous tensor; out of any tensor (1 or 0). */
double tj__host_from_bytes(tj__host *h, tj_dtype dtype, const void *data, size_t bytes);
double tj__host_write_bytes(tj__host *h, double handle, void *data, size_t bytes);
double tj__host_read_bytes(tj__host *h, double handle, void *data, size_t bytes);
/* The same in place, for a JavaScript that sees the engine's memory: a new tensor to be filled (its handle or 0); where a contiguous tensor
 * is written (NULL and an error); where one is read: NULL, without an error where it is not contiguous and tj__host_read_bytes is needed. An
 * empty tensor has an address too, of nothing. */
double tj__host_new_tensor(tj__host *h, tj_dtype dtype, size_t bytes);
void *tj__host_write_address(tj__host *h, double handle, size_t bytes);
const void *tj__host_read_address(tj__host *h, double handle, size_t bytes);
/* A handle for a reference that the caller gives away (kept off scopes). 0 and an error when out of memory; the reference is then released. */
double tj__handle_new(tj__host *h, void *object, tj__handle_kind kind);
/* Gives the handle's reference back; a stale handle is a no-op. */
void tj__handle_free(tj__host *h, double handle);
/* The same from a garbage collector: the reference is given back when no call is running and the next one has ended, because
 * JavaScript may already have written the handle as an argument of that call. Touches nothing but the queue. */
void tj__handle_free_later(tj__host *h, double handle);
/* Slow part of the lookup: sets the error, returns NULL. */
void *tj__handle_fail(tj__host *h, double handle, tj__handle_kind kind);
/* Memory that lives until the running call ends; NULL and an error (and h->failed) when there is none. */
void *tj__arena_alloc(tj__host *h, size_t bytes);

/* The object of a handle > 0. */
static inline void *tj__handle_get(tj__host *h, double handle, tj__handle_kind kind) {
  if (TJ__LIKELY(handle >= 1 && handle < 0x1p53)) {
    uint64_t u = (uint64_t)handle;
    int64_t index = (int64_t)(u & (TJ__HANDLE_INDICES - 1));
    if (TJ__LIKELY(index < h->handle_count)) {
      const tj__handle *entry = &h->handles[index];
      if (TJ__LIKELY(entry->generation == (uint32_t)(u >> TJ__HANDLE_BITS) && entry->kind == (uint32_t)kind)) return entry->object;
    }
  }
  return tj__handle_fail(h, handle, kind);
}

/* ---- reading arguments --------------------------------------------------------------------------------------- */

/* Each sets h->failed and the error when the argument is no good, and then returns a harmless value. */

double tj__read_past_end(tj__host *h);
static inline double tj__read_slot(tj__host *h) { return TJ__LIKELY(h->at < h->capacity) ? h->slots[h->at++] : tj__read_past_end(h); }
/* The slot that will be read next, as it is: for in-place calls, which return the handle they were given. */
static inline double tj__peek_slot(const tj__host *h) { return h->at < h->capacity ? h->slots[h->at] : 0; }

/* Of a number in its place: one that promotes as a number, until the calls that run have ended. */
tj_tensor *tj__read_tensor(tj__host *h);
tj_tensor *tj__read_optional_tensor(tj__host *h);
static inline tj_generator *tj__read_generator(tj__host *h) {
  double handle = tj__read_slot(h);
  return handle == 0 ? NULL : (tj_generator *)tj__handle_get(h, handle, TJ__HANDLE_GENERATOR);
}
int64_t tj__read_wide_int(tj__host *h, double slot);
/* int and int? (TJ_NO_INT) */
static inline int64_t tj__read_int(tj__host *h) {
  double v = tj__read_slot(h);
  if (TJ__LIKELY(v > -0x1p53 && v < 0x1p53)) {
    int64_t i = (int64_t)v;
    if (TJ__LIKELY((double)i == v)) return i;
  }
  return tj__read_wide_int(h, v);
}
static inline bool tj__read_bool(tj__host *h) { return tj__read_slot(h) > 0; }
/* bool?: TJ_NO_BOOL, 0 or 1 */
static inline int tj__read_optional_bool(tj__host *h) {
  double v = tj__read_slot(h);
  return v < 0 ? TJ_NO_BOOL : v > 0;
}
static inline double tj__read_float(tj__host *h) { return tj__read_slot(h); }
tj_dtype tj__read_dtype(tj__host *h);   /* ScalarType, ScalarType? */
tj_device tj__read_device(tj__host *h); /* Device? */
tj_scalar tj__read_scalar(tj__host *h); /* Scalar, Scalar?, float? */
tj_ints tj__read_ints(tj__host *h);
tj_floats tj__read_floats(tj__host *h);
tj_tensors tj__read_tensors(tj__host *h);          /* Tensor[] */
tj_tensors tj__read_optional_tensors(tj__host *h); /* Tensor?[]: NULL items */
const char *tj__read_string(tj__host *h);          /* str, str?: NULL */

/* ---- returning results --------------------------------------------------------------------------------------- */

/* n slots for results: the buffer, or the spill; NULL and an error when out of memory. */
double *tj__result_slots(tj__host *h, int64_t n);

/* A result of an operator (a reference in the innermost scope or the caller's): its handle. NULL: 0. */
static inline double tj__return_tensor(tj__host *h, tj_tensor *t) {
  if (TJ__UNLIKELY(!t)) return 0;
  return tj__handle_new(h, t->object.scope ? tj__scope_detach(t) : (void *)t, TJ__HANDLE_TENSOR);
}
/* In-place and out=: the result is the argument itself, no new reference; `handle` is what the argument had. */
static inline double tj__return_self(tj__host *h, tj_tensor *result, double handle) {
  (void)h;
  return result ? handle : 0;
}
/* A borrowed tensor, or none: a handle with a reference of its own, or 0 without an error. */
double tj__return_borrowed(tj__host *h, tj_tensor *t);
/* Several results in slots 0..n-1 (NULL: 0). */
double tj__return_tuple(tj__host *h, tj_status status, tj_tensor *const *results, int64_t n);
double tj__return_list(tj__host *h, tj_list *list); /* releases the list; -1 for NULL */
double tj__return_scalar(tj__host *h, tj_scalar s);
static inline double tj__return_status(tj__host *h, int64_t status) {
  (void)h;
  return status < 0 ? 0 : 1;
}
double tj__return_ints(tj__host *h, tj_ints values); /* the count; ints in slots as arguments are written */
/* One int that is not an error whatever it is: kind 2 and the int in slot 0. */
static inline double tj__return_int(tj__host *h, int64_t v) { return tj__return_scalar(h, tj_int(v)); }
static inline double tj__return_bool(tj__host *h, bool v) { return tj__return_scalar(h, tj_bool(v)); }
static inline double tj__return_float(tj__host *h, double v) { return tj__return_scalar(h, tj_float(v)); }
double tj__return_string(tj__host *h, char *text);     /* takes the string (freed with tj_string_free); NULL: 0 */
double tj__return_text(tj__host *h, const char *text); /* copies; NULL: kind 0 without an error */

/* ---- callbacks ----------------------------------------------------------------------------------------------- */

/* What a hook or a custom function holds: the host, as long as there is one, and the id that JavaScript knows it by. */
typedef struct tj__host_ref {
  _Atomic int32_t refs;
  tj__host *host; /* NULL when the environment is gone */
} tj__host_ref;
void tj__host_ref_drop(tj__host_ref *ref);
/* Callback `id` is gone: JavaScript hears of it when the running call has ended. */
void tj__drop_later(tj__host *h, double id);

#endif
