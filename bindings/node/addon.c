/* addon.c: the engine as a Node-API addon. A thin shell: the protocol, the handle table and every call are in bindings/common.
 *
 * Everything belongs to an environment (the main thread, each Worker): nothing here is global. JavaScript's side is ts/src/runtime/host.ts.
 *
 * Memory. A JavaScript object that stands for a handle is given to `track`; when it is collected, the handle goes. Ordinary finalizers wait
 * for a turn of the event loop, and a training loop that never awaits would never free anything: the experimental version of Node-API runs
 * finalizers during collection. To V8 a tensor is an object of a hundred bytes, so it also has to be told when to collect: see `relieve`. */
#define NAPI_EXPERIMENTAL
#define NAPI_VERSION 2147483647 /* the same in the words of npm's node-api-headers */
#define NODE_API_EXPERIMENTAL_NO_WARNING
#define NODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT
#define NODE_API_EXPERIMENTAL_BASIC_ENV_OPT_OUT
#include <node_api.h>

#include <stdlib.h>

#include "../common/calls.h"

_Static_assert(sizeof(void *) == 8, "a handle is passed to finalizers as a pointer");

typedef struct addon {
  napi_env env;
  tj__host *host;    /* NULL once the environment is gone */
  napi_ref buffer;   /* the ArrayBuffer behind host->slots */
  napi_ref callback; /* the JavaScript function behind host->callback */
  napi_ref collect;  /* JavaScript's gc(), where there is one */
  int64_t tracked;   /* objects whose finalizers will still come */
  int64_t reported;  /* bytes that V8 was told of */
  int64_t budget;    /* bytes of new tensors until the next collection */
  int64_t ceiling;   /* live bytes that call for a full collection */
} addon;

/* ---- calls from JavaScript ----------------------------------------------------------------------------------- */

static addon *arguments_of(napi_env env, napi_callback_info info, size_t n, napi_value *values) {
  void *data = NULL;
  return napi_get_cb_info(env, info, &n, values, NULL, &data) == napi_ok ? data : NULL;
}

static napi_value number(napi_env env, double v) {
  napi_value result = NULL;
  napi_create_double(env, v, &result);
  return result;
}

static napi_value throw_type_error(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* call(op): runs call `op` on the arguments in the buffer. */
static napi_value js_call(napi_env env, napi_callback_info info) {
  napi_value v[1];
  addon *a = arguments_of(env, info, 1, v);
  int32_t op = -1;
  napi_get_value_int32(env, v[0], &op);
  return number(env, tj__host_call(a->host, op));
}

/* setBuffer(arrayBuffer): the argument buffer from now on. Results that did not fit the one before are copied into it. */
static napi_value js_set_buffer(napi_env env, napi_callback_info info) {
  napi_value v[1];
  addon *a = arguments_of(env, info, 1, v);
  void *data = NULL;
  size_t bytes = 0;
  napi_ref ref = NULL;
  if (napi_get_arraybuffer_info(env, v[0], &data, &bytes) != napi_ok || bytes < 1024 || (uintptr_t)data % 8)
    return throw_type_error(env, "setBuffer expects an ArrayBuffer of at least 1024 bytes");
  if (napi_create_reference(env, v[0], 1, &ref) != napi_ok) return throw_type_error(env, "setBuffer: no reference could be made");
  tj__host_set_buffer(a->host, data, (int64_t)(bytes / 8));
  if (a->buffer) napi_delete_reference(env, a->buffer);
  a->buffer = ref;
  return NULL;
}

/* error(): takes the error: { name, message }, or undefined when there is none. */
static napi_value js_error(napi_env env, napi_callback_info info) {
  (void)info;
  if (tj_error_code() == TJ_OK) return NULL;
  napi_value error = NULL, text = NULL;
  napi_create_object(env, &error);
  napi_create_string_utf8(env, tj_error_name(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, error, "name", text);
  napi_create_string_utf8(env, tj_error_message(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, error, "message", text);
  tj_error_clear();
  return error;
}

/* takeString(): the text that the last call returned. */
static napi_value js_take_string(napi_env env, napi_callback_info info) {
  addon *a = arguments_of(env, info, 0, NULL);
  napi_value text = NULL;
  napi_create_string_utf8(env, a->host->string ? a->host->string : "", NAPI_AUTO_LENGTH, &text);
  tj_string_free(a->host->string);
  a->host->string = NULL;
  return text;
}

/* ---- bytes in and out ---------------------------------------------------------------------------------------- */

/* The bytes of a typed array or a DataView; false for anything else. */
static bool bytes_of(napi_env env, napi_value value, void **data, size_t *bytes) {
  static const uint8_t sizes[] = {
      [napi_int8_array] = 1,    [napi_uint8_array] = 1,    [napi_uint8_clamped_array] = 1, [napi_int16_array] = 2,
      [napi_uint16_array] = 2,  [napi_int32_array] = 4,    [napi_uint32_array] = 4,        [napi_float32_array] = 4,
      [napi_float64_array] = 8, [napi_bigint64_array] = 8, [napi_biguint64_array] = 8};
  napi_typedarray_type type;
  size_t length;
  if (napi_get_typedarray_info(env, value, &type, &length, data, NULL, NULL) != napi_ok || (size_t)type >= sizeof sizes || !sizes[type])
    return false;
  *bytes = length * sizes[type];
  return true;
}

/* fromBytes(dtype, typedArray): a new tensor of the sizes in the buffer (int[] from slot 0). Its handle; 0 on an error. */
static napi_value js_from_bytes(napi_env env, napi_callback_info info) {
  napi_value v[2];
  addon *a = arguments_of(env, info, 2, v);
  int32_t dtype = -1;
  void *data = NULL;
  size_t bytes = 0;
  if (napi_get_value_int32(env, v[0], &dtype) != napi_ok || dtype < 0 || dtype >= TJ_DTYPE_COUNT || !bytes_of(env, v[1], &data, &bytes))
    return throw_type_error(env, "fromBytes expects a dtype and a typed array");
  return number(env, tj__host_from_bytes(a->host, (tj_dtype)dtype, data, bytes));
}

/* writeBytes(handle, typedArray), readBytes(handle, typedArray): all elements, row-major. 1; 0 on an error. */
static napi_value copy_bytes(napi_env env, napi_callback_info info, double (*copy)(tj__host *, double, void *, size_t)) {
  napi_value v[2];
  addon *a = arguments_of(env, info, 2, v);
  double handle = 0;
  void *data = NULL;
  size_t bytes = 0;
  if (napi_get_value_double(env, v[0], &handle) != napi_ok || !bytes_of(env, v[1], &data, &bytes))
    return throw_type_error(env, "expected a handle and a typed array");
  return number(env, copy(a->host, handle, data, bytes));
}
static napi_value js_write_bytes(napi_env env, napi_callback_info info) { return copy_bytes(env, info, tj__host_write_bytes); }
static napi_value js_read_bytes(napi_env env, napi_callback_info info) { return copy_bytes(env, info, tj__host_read_bytes); }

/* ---- callbacks into JavaScript ------------------------------------------------------------------------------- */

/* Calls the dispatcher. When it throws, the exception stays pending: the engine unwinds on the -1, and Node-API throws the
 * exception again when the call that led here returns to JavaScript. */
static double run_callback(tj__host *h, tj__callback_kind kind, double id, int64_t count) {
  addon *a = h->shell;
  napi_env env = a->env;
  napi_handle_scope scope;
  double result = -1;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return -1;
  napi_value f, undefined, v[3], r;
  napi_get_undefined(env, &undefined);
  napi_create_int32(env, (int32_t)kind, &v[0]);
  napi_create_double(env, id, &v[1]);
  napi_create_double(env, (double)count, &v[2]);
  if (napi_get_reference_value(env, a->callback, &f) == napi_ok && napi_call_function(env, undefined, f, 3, v, &r) == napi_ok) {
    if (napi_get_value_double(env, r, &result) != napi_ok) result = 0;
  }
  napi_close_handle_scope(env, scope);
  return result;
}

static bool set_function(napi_env env, napi_value value, napi_ref *slot) {
  napi_valuetype type = napi_undefined;
  napi_ref ref = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_function || napi_create_reference(env, value, 1, &ref) != napi_ok) {
    throw_type_error(env, "expected a function");
    return false;
  }
  if (*slot) napi_delete_reference(env, *slot);
  *slot = ref;
  return true;
}

/* setCallback(f): f(kind, id, count) runs hooks and custom functions, see tj__callback_kind. */
static napi_value js_set_callback(napi_env env, napi_callback_info info) {
  napi_value v[1];
  addon *a = arguments_of(env, info, 1, v);
  if (set_function(env, v[0], &a->callback)) a->host->callback = run_callback;
  return NULL;
}

/* setCollector(gc): V8's gc function, for `relieve`. */
static napi_value js_set_collector(napi_env env, napi_callback_info info) {
  napi_value v[1];
  addon *a = arguments_of(env, info, 1, v);
  set_function(env, v[0], &a->collect);
  return NULL;
}

/* ---- lifetimes ----------------------------------------------------------------------------------------------- */

static void addon_release(addon *a) {
  if (!a->host && a->tracked == 0) free(a);
}

/* May run in the middle of a collection: queues the handle, touches nothing else. */
static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  addon *a = hint;
  a->tracked--;
  if (a->host) tj__handle_free_later(a->host, (double)(uintptr_t)data);
  else addon_release(a);
}

static void on_exit_of_environment(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  addon *a = data;
  tj__host_free(a->host);
  a->host = NULL;
  addon_release(a);
}

/* Bytes of new tensors between collections. Small, because memory that comes back soon is still in the processor's caches: on a step
 * that makes 70 tensors of 6 MB, 8 MB took 0.21 ms a step and 32 MB 0.47 ms. */
#define BUDGET ((int64_t)8 << 20)
#define CEILING ((int64_t)64 << 20)

static void run_gc(addon *a, const char *type) {
  napi_env env = a->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value f, undefined, options, text, r;
  napi_get_undefined(env, &undefined);
  napi_create_object(env, &options);
  napi_create_string_utf8(env, type, NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, options, "type", text);
  if (napi_get_reference_value(env, a->collect, &f) == napi_ok) napi_call_function(env, undefined, f, 1, &options, &r);
  napi_close_handle_scope(env, scope);
  tj__host_settle(a->host);
}

/* Makes V8 collect the objects of dead tensors once enough memory has been asked for since it last did. Most die young: a collection of the
 * young generation (about 0.1 ms) finds them. A full one runs only when the memory alive has doubled since the last full one. Without
 * JavaScript's gc(), V8 is told how much memory there is and decides; it then starts incremental marking, which frees later and costs
 * more (0.64 ms a step in the case above, and twice the resident memory). */
static void relieve(addon *a) {
  a->host->fresh_bytes = 0;
  int64_t live;
  if (a->collect) {
    run_gc(a, "minor");
    live = tj_memory_stats().live_bytes;
    if (live > a->ceiling) {
      run_gc(a, "major");
      live = tj_memory_stats().live_bytes;
      a->ceiling = live * 2 + CEILING;
    }
  } else {
    live = tj_memory_stats().live_bytes;
    int64_t total;
    napi_adjust_external_memory(a->env, live - a->reported, &total);
    a->reported = live;
    tj__host_settle(a->host);
  }
  a->budget = a->collect ? TJ__MAX(BUDGET, live / 4) : BUDGET / 8;
}

/* track(object, handle): the handle goes when the object is collected. */
static napi_value js_track(napi_env env, napi_callback_info info) {
  napi_value v[2];
  addon *a = arguments_of(env, info, 2, v);
  double handle = 0;
  if (napi_get_value_double(env, v[1], &handle) != napi_ok || !(handle >= 1 && handle < 0x1p53))
    return throw_type_error(env, "track expects an object and a handle");
  if (napi_add_finalizer(env, v[0], (void *)(uintptr_t)handle, on_collected, a, NULL) != napi_ok)
    return throw_type_error(env, "track expects an object and a handle");
  a->tracked++;
  if (TJ__UNLIKELY(a->host->fresh_bytes > a->budget)) relieve(a);
  return NULL;
}

/* free(handle): now. A stale handle is a no-op, so that an object may be disposed twice, or be collected after its disposal. */
static napi_value js_free(napi_env env, napi_callback_info info) {
  napi_value v[1];
  addon *a = arguments_of(env, info, 1, v);
  double handle = 0;
  if (napi_get_value_double(env, v[0], &handle) == napi_ok) tj__handle_free(a->host, handle);
  return NULL;
}

/* ---- the module ---------------------------------------------------------------------------------------------- */

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback f;
  } functions[] = {
      {"call", js_call},
      {"setBuffer", js_set_buffer},
      {"error", js_error},
      {"takeString", js_take_string},
      {"fromBytes", js_from_bytes},
      {"writeBytes", js_write_bytes},
      {"readBytes", js_read_bytes},
      {"setCallback", js_set_callback},
      {"setCollector", js_set_collector},
      {"track", js_track},
      {"free", js_free},
  };
  addon *a = calloc(1, sizeof *a);
  if (a) a->host = tj__host_new();
  if (!a || !a->host) {
    free(a);
    napi_throw_error(env, NULL, "torch.js: not enough memory");
    return NULL;
  }
  a->env = env;
  a->host->shell = a;
  a->budget = BUDGET;
  a->ceiling = CEILING;
  if (napi_set_instance_data(env, a, on_exit_of_environment, NULL) != napi_ok) return NULL;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value f;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].f, a, &f);
    napi_set_named_property(env, exports, functions[i].name, f);
  }
  napi_set_named_property(env, exports, "generatedCalls", number(env, tj__generated_call_count));
  napi_set_named_property(env, exports, "builtinCalls", number(env, tj__builtin_call_count));
  return exports;
}
