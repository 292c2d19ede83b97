/* shell.c: the engine as a WebAssembly module. As thin as the addon: the protocol, the handle table and every call are in bindings/common.
 * JavaScript's side is ts/src/runtime/wasm.ts.
 *
 * A memory holds one engine with one host: the JavaScript environment that made it. In a module with threads, Workers instantiate the module on
 * the same memory, each with a stack and thread-local variables that wasm_thread_new made, and give themselves to the engine's pool
 * (wasm_thread_run) for good. */
#include "../common/calls.h"

#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name), used))
#define IMPORT(name) __attribute__((import_module("torchjs"), import_name(#name)))

void tj__wasm_may_sleep(bool yes);

static tj__host *host;
static double *slots;
static char *copy; /* what wasm_read made last */

/* Runs hooks and custom functions; returns -1 when they threw, and keeps the exception for when the call has returned. */
IMPORT(callback) double wasm_callback(int kind, double id, double count);
/* Random bits of the system: 53. */
IMPORT(entropy) double wasm_entropy(void);
/* Nanoseconds since some moment. */
IMPORT(clock) double wasm_clock(void);

uint64_t tj__wasm_entropy(void) { return (uint64_t)wasm_entropy(); }
double tj__wasm_clock(void) { return wasm_clock(); }

static double run_callback(tj__host *h, tj__callback_kind kind, double id, int64_t count) {
  (void)h;
  return wasm_callback((int)kind, id, (double)count);
}

/* Makes the engine. Whether this thread may sleep: the main thread of a page may not. 1; 0 when out of memory. */
EXPORT(start) int wasm_start(int may_sleep) {
  tj__wasm_may_sleep(may_sleep);
  host = tj__host_new();
  if (host) host->callback = run_callback;
  return host != NULL;
}

/* The argument buffer from now on: its address, or NULL when out of memory. What is in the one before is copied. */
EXPORT(buffer) double *wasm_buffer(int32_t n) {
  double *more = tj__grow(NULL, (size_t)n * sizeof *more);
  if (!more) return NULL;
  if (slots) memcpy(more, slots, (size_t)TJ__MIN(host->capacity, n) * sizeof *more);
  tj__host_set_buffer(host, more, n);
  free(slots);
  return slots = more;
}

EXPORT(call) double wasm_call(int32_t op) { return tj__host_call(host, op); }
EXPORT(generated_calls) int wasm_generated_calls(void) { return tj__generated_call_count; }
EXPORT(builtin_calls) int wasm_builtin_calls(void) { return tj__builtin_call_count; }

/* The error, if there is one: its name (else NULL) and its message. */
EXPORT(error_name) const char *wasm_error_name(void) { return tj_error_code() == TJ_OK ? NULL : tj_error_name(); }
EXPORT(error_message) const char *wasm_error_message(void) { return tj_error_message(); }
EXPORT(error_clear) void wasm_error_clear(void) { tj_error_clear(); }

EXPORT(text) const char *wasm_text(void) { return host->string ? host->string : ""; }
EXPORT(text_free) void wasm_text_free(void) {
  tj_string_free(host->string);
  host->string = NULL;
}

EXPORT(free) void wasm_free(double handle) { tj__handle_free(host, handle); }
/* Bytes of new tensors since the last reset. */
EXPORT(fresh_bytes) double wasm_fresh_bytes(int reset) {
  double n = (double)host->fresh_bytes;
  if (reset) host->fresh_bytes = 0;
  return n;
}
EXPORT(live_bytes) double wasm_live_bytes(void) { return (double)tj_memory_stats().live_bytes; }

/* ---- bytes in and out ---------------------------------------------------------------------------------------- */

/* A new tensor of the sizes in the buffer, for the caller to fill: its handle, or 0 and an error. */
EXPORT(new_tensor) double wasm_new_tensor(int32_t dtype, double bytes) { return tj__host_new_tensor(host, (tj_dtype)dtype, (size_t)bytes); }
/* The address of the bytes of a contiguous tensor, to be written to; NULL and an error where they are not `bytes`. */
EXPORT(write) void *wasm_write(double handle, double bytes) { return tj__host_write_address(host, handle, (size_t)bytes); }
/* The address of all elements of a tensor, row-major, until the next call; NULL and an error. */
EXPORT(read) const void *wasm_read(double handle, double bytes) {
  free(copy);
  copy = NULL;
  const void *p = tj__host_read_address(host, handle, (size_t)bytes);
  if (p || tj_error_code() != TJ_OK) return p;
  copy = tj__grow(NULL, (size_t)bytes);
  if (!copy) return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %.0f bytes", bytes);
  return tj__host_read_bytes(host, handle, copy, (size_t)bytes) > 0 ? copy : NULL;
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

/* Memory for a Worker, its stack and its thread-local variables: the address, or NULL when out of memory. */
EXPORT(thread_new) void *wasm_thread_new(int32_t stack, int32_t locals) { return aligned_alloc(64, (size_t)(stack + locals)); }
/* Never returns. */
EXPORT(thread_run) void wasm_thread_run(void) {
  tj__wasm_may_sleep(true);
  tj__pool_join();
}
EXPORT(threads) int wasm_threads(void) { return tj__pool_threads(); }
EXPORT(set_threads) void wasm_set_threads(int32_t n) { tj_set_num_threads(n); }
EXPORT(get_threads) int wasm_get_threads(void) { return tj_get_num_threads(); }

/* Debian's compiler runtime was built with the stack protector. */
uintptr_t __stack_chk_guard = 0x5bd1e995;
_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }
