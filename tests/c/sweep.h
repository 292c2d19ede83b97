/* sweep.h: what happens when memory runs out: a body runs with its first allocation failing, then its second, until none is left to fail.
 * Each time there has to be the memory error, and nothing may stay behind. */
#ifndef TJ__SWEEP_H
#define TJ__SWEEP_H

#include <stdio.h>

#include "engine/core/core.h"

/* Runs in a scope of the sweep's. It gives back what it took otherwise, on failure too, and leaves the error. */
typedef void (*tj__sweep_body)(void *context);

/* NULL, or what was wrong. `failures`, if given, is how many allocations were made to fail. */
static const char *sweep(tj__sweep_body body, void *context, int *failures) {
  static char text[512];
  enum { MOST = 100000 };
  tj_error_clear();
  /* Once in peace, so that what is made once a process (threads, tables) is there. */
  if (tj_scope_begin()) return "no scope";
  body(context);
  tj_scope_end();
  if (tj_error_code() != TJ_OK) {
    snprintf(text, sizeof text, "it fails by itself: %s", tj_error_message());
    tj_error_clear();
    return text;
  }
  for (int n = 1; n < MOST; n++) {
    tj_memory_stats_t before = tj_memory_stats();
    if (tj_scope_begin()) return "no scope";
    tj_fail_allocation(n);
    body(context);
    bool failed = tj_fail_allocation(0) == 0;
    tj_status code = tj_error_code();
    char message[256];
    snprintf(message, sizeof message, "%s", tj_error_message());
    tj_error_clear();
    tj_scope_end();
    tj_memory_stats_t after = tj_memory_stats();
    if (after.live_tensors != before.live_tensors || after.live_nodes != before.live_nodes || after.live_bytes != before.live_bytes) {
      snprintf(text, sizeof text, "allocation %d failed (%.200s): %lld tensors, %lld nodes, %lld bytes stay", n, message,
               (long long)(after.live_tensors - before.live_tensors), (long long)(after.live_nodes - before.live_nodes),
               (long long)(after.live_bytes - before.live_bytes));
      return text;
    }
    if (failed && code != TJ_ERROR_MEMORY) {
      snprintf(text, sizeof text, "allocation %d failed, and the error is '%s'", n, message);
      return text;
    }
    if (!failed) {
      if (failures) *failures = n - 1;
      if (code == TJ_OK) return NULL; /* after all the failures it still does its work */
      snprintf(text, sizeof text, "after %d failures: %s", n - 1, message);
      return text;
    }
  }
  return "it never runs through";
}

#endif
