/* builtins.c: the calls of builtins.def: everything that JavaScript asks of the engine and that is no operator of the schema. */
#include <stdlib.h>

#include "../../engine/autograd/node.h"
#include "../../engine/core/profile.h"
#include "../../engine/iter/convert.h"
#include "../../engine/webgpu/device.h"
#include "../../engine/webgpu/fusion.h"
#include "../../engine/webgpu/product.h"
#include "../../include/torchjs/expression.h"
#include "../../include/torchjs/optim.h"
#include "calls.h"

/* ---- what a tensor is ---------------------------------------------------------------------------------------- */

static double call_describe(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h);
  if (!t) return -1;
  int64_t values[8 + TJ_MAX_DIMS] = {tj_dtype_of(t),       tj_device_of(t), tj_requires_grad(t), tj_is_leaf(t),
                                     tj_storage_offset(t), tj__is_view(t),  tj_numel(t),         tj_ndim(t)};
  int ndim = tj_ndim(t);
  for (int d = 0; d < ndim; d++) values[8 + d] = t->sizes[d];
  return tj__return_ints(h, (tj_ints){values, 8 + ndim});
}

/* Calls of one tensor: `value` from t. */
#define OF_TENSOR(name, failure, value)    \
  static double call_##name(tj__host *h) { \
    tj_tensor *t = tj__read_tensor(h);     \
    return t ? (value) : (failure);        \
  }
OF_TENSOR(sizes, -1, tj__return_ints(h, tj_sizes(t)))
OF_TENSOR(strides, -1, tj__return_ints(h, tj_strides(t)))
OF_TENSOR(ndim, 0, tj__return_int(h, tj_ndim(t)))
OF_TENSOR(numel, 0, tj__return_int(h, tj_numel(t)))
OF_TENSOR(dtype, 0, tj__return_int(h, tj_dtype_of(t)))
OF_TENSOR(device, 0, tj__return_int(h, tj_device_of(t)))
OF_TENSOR(storage_offset, 0, tj__return_int(h, tj_storage_offset(t)))
OF_TENSOR(version, 0, tj__return_int(h, tj_version_of(t)))
OF_TENSOR(is_contiguous, 0, tj__return_bool(h, tj_is_contiguous(t)))
OF_TENSOR(is_view, 0, tj__return_bool(h, tj__is_view(t)))
OF_TENSOR(is_inference, 0, tj__return_bool(h, t->inference))
OF_TENSOR(data_ptr, 0, tj__return_int(h, (int64_t)(intptr_t)tj_data(t)))
OF_TENSOR(retain, 0, tj__return_borrowed(h, t))
OF_TENSOR(item, 0, tj__return_scalar(h, tj_item(t)))
OF_TENSOR(requires_grad, 0, tj__return_bool(h, tj_requires_grad(t)))
OF_TENSOR(is_leaf, 0, tj__return_bool(h, tj_is_leaf(t)))
OF_TENSOR(retain_grad, 0, tj__return_status(h, tj_retain_grad(t)))
OF_TENSOR(retains_grad, 0, tj__return_bool(h, tj_retains_grad(t)))
OF_TENSOR(grad, -1, tj__return_borrowed(h, tj_grad(t)))
OF_TENSOR(grad_fn, -1, tj__return_text(h, tj_grad_fn_name(t)))
OF_TENSOR(base, -1, tj__return_borrowed(h, tj_base_of(t)))

static double call_free(tj__host *h) {
  h->depth--; /* none of them is an argument that this call still uses: they go at once, unless another call runs */
  for (int64_t n = tj__read_int(h); n > 0 && !h->failed; n--) tj__handle_free(h, tj__read_slot(h));
  h->depth++;
  return !h->failed;
}

static double call_same(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h), *u = tj__read_tensor(h);
  return t && u ? tj__return_bool(h, t == u) : 0;
}

/* x.data = y: x keeps its identity and its autograd meta, and takes y's memory, geometry and dtype. */
static bool set_data(tj_tensor *t, const tj_tensor *source) {
  if (tj_is_leaf(t) && tj_requires_grad(t) && !tj_dtype_is_floating(source->dtype) && !tj_dtype_is_complex(source->dtype)) {
    tj__fail(TJ_ERROR_RUNTIME, "data set to a tensor that requires gradients must be floating point or complex dtype");
    return false;
  }
  tj_tensor *other = tj__shallow(source);
  if (!other) return false;
  bool done = tj__set_geometry(t, tj__sizes(source), tj__strides(source), source->offset);
  if (done) { /* `other` takes the old memory with it */
    tj__storage *old = t->storage;
    t->storage = other->storage;
    other->storage = old;
    t->dtype = source->dtype;
  }
  tj_free(other);
  return done;
}

static double call_set_data(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h), *source = tj__read_tensor(h);
  return t && source && set_data(t, source) ? 1 : 0;
}

static double call_to_string(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h);
  tj_print_options options = TJ_PRINT_OPTIONS;
  options.precision = (int)tj__read_int(h);
  options.threshold = tj__read_int(h);
  options.edgeitems = tj__read_int(h);
  options.linewidth = tj__read_int(h);
  options.sci_mode = tj__read_optional_bool(h);
  return h->failed ? 0 : tj__return_string(h, tj_to_string_with(t, &options));
}

/* ---- autograd ------------------------------------------------------------------------------------------------ */

static double call_set_requires_grad(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h);
  bool value = tj__read_bool(h);
  return t ? tj__return_status(h, tj_set_requires_grad(t, value)) : 0;
}

static double call_set_grad(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h), *grad = tj__read_optional_tensor(h);
  return h->failed ? 0 : tj__return_status(h, tj_set_grad(t, grad));
}

static double call_backward(tj__host *h) {
  tj_tensors outputs = tj__read_tensors(h), grads = tj__read_optional_tensors(h);
  bool retain_graph = tj__read_bool(h), create_graph = tj__read_bool(h);
  tj_tensors inputs = tj__read_tensors(h);
  return h->failed ? 0 : tj__return_status(h, tj_backward(outputs, grads, retain_graph, create_graph, inputs));
}

static double call_grad_of(tj__host *h) {
  tj_tensors outputs = tj__read_tensors(h), inputs = tj__read_tensors(h), grads = tj__read_optional_tensors(h);
  bool retain_graph = tj__read_bool(h), create_graph = tj__read_bool(h), allow_unused = tj__read_bool(h);
  int64_t n = TJ__MAX(inputs.n, 0);
  tj_tensor **results = tj__arena_alloc(h, (size_t)(n + 1) * sizeof *results);
  if (h->failed) return 0;
  memset(results, 0, (size_t)(n + 1) * sizeof *results);
  int status = tj_grad_of(outputs, inputs, grads, retain_graph, create_graph, allow_unused, results);
  return tj__return_tuple(h, (tj_status)status, results, n);
}

#define MODE(name, value) \
  static double call_##name(tj__host *h) { return tj__return_bool(h, value); }
MODE(is_grad_enabled, tj_is_grad_enabled())
MODE(set_grad_enabled, tj_set_grad_enabled(tj__read_bool(h)))
MODE(is_inference_mode_enabled, tj_is_inference_mode_enabled())
MODE(set_inference_mode, tj_set_inference_mode(tj__read_bool(h)))
MODE(is_anomaly_enabled, tj_is_anomaly_enabled())

static double call_set_anomaly_enabled(tj__host *h) {
  bool enabled = tj__read_bool(h), check_nan = tj__read_bool(h);
  return tj__return_bool(h, tj_set_anomaly_enabled(enabled, check_nan));
}

/* ---- callbacks ----------------------------------------------------------------------------------------------- */

typedef struct callback {
  tj__host_ref *host;
  double id;
} callback;

static callback *callback_new(tj__host *h, double id) {
  callback *c = tj__grow(NULL, sizeof *c);
  if (!c) return tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %lld bytes", (long long)sizeof *c);
  atomic_fetch_add_explicit(&h->ref->refs, 1, memory_order_relaxed);
  *c = (callback){h->ref, id};
  return c;
}

/* The id is told to JavaScript later: this may run inside a garbage collection, where no JavaScript can. */
static void callback_drop(void *data) {
  callback *c = data;
  tj__host *h = c->host->host;
  if (h) tj__drop_later(h, c->id);
  tj__host_ref_drop(c->host);
  free(c);
}

/* For a callback that the engine did not take: JavaScript knows that, since its call failed. */
static void callback_abandon(callback *c) {
  tj__host_ref_drop(c->host);
  free(c);
}

static tj__host *callback_host(const callback *c) {
  tj__host *h = c->host->host;
  if (h && h->callback) return h;
  return tj__fail(TJ_ERROR_RUNTIME, "the JavaScript environment that registered this function is gone");
}

static tj_tensor *run_hook(tj_tensor *grad, void *data) {
  const callback *c = data;
  tj__host *h = callback_host(c);
  if (!h) return NULL;
  double handle = tj__return_borrowed(h, grad);
  if (handle == 0) return NULL;
  h->slots[0] = handle;
  double result = h->callback(h, TJ__CALLBACK_HOOK, c->id, 1);
  if (result == 0) return NULL;
  if (result < 0) return tj__fail(TJ_ERROR_RUNTIME, "a hook threw an exception");
  bool failed = h->failed;
  tj_tensor *other = tj__handle_get(h, result, TJ__HANDLE_TENSOR);
  h->failed = failed;
  return tj_retain(other);
}

static int run_function(tj_tensor *const *grad_outputs, int64_t n_outputs, tj_tensor **grad_inputs, int64_t n_inputs, void *data) {
  const callback *c = data;
  tj__host *h = callback_host(c);
  if (!h) return TJ_ERROR_RUNTIME;
  if (n_outputs > h->capacity)
    return tj__fail_status(TJ_ERROR_INTERNAL, "the argument buffer is too small for %lld gradients", (long long)n_outputs);
  for (int64_t i = 0; i < n_outputs; i++) {
    h->slots[i] = tj__return_borrowed(h, grad_outputs[i]);
    if (grad_outputs[i] && h->slots[i] == 0) return TJ_ERROR_MEMORY;
  }
  double result = h->callback(h, TJ__CALLBACK_FUNCTION, c->id, n_outputs);
  if (result < 0) return tj__fail_status(TJ_ERROR_RUNTIME, "the backward of a custom function threw an exception");
  if (result != (double)n_inputs || n_inputs > h->capacity)
    return tj__fail_status(TJ_ERROR_RUNTIME, "a custom function returned an incorrect number of gradients (expected %lld, got %lld)",
                           (long long)n_inputs, (long long)result);
  bool failed = h->failed;
  h->failed = false;
  for (int64_t i = 0; i < n_inputs && !h->failed; i++) {
    double handle = h->slots[i];
    tj_tensor *grad = handle == 0 ? NULL : tj__handle_get(h, handle, TJ__HANDLE_TENSOR);
    grad_inputs[i] = grad ? tj_retain(grad) : NULL;
  }
  bool broken = h->failed;
  h->failed = failed;
  return broken ? TJ_ERROR_RUNTIME : TJ_OK;
}

static double call_register_hook(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h);
  double id = tj__read_float(h);
  bool after_accumulate = tj__read_bool(h);
  callback *c = h->failed ? NULL : callback_new(h, id);
  if (!c) return 0;
  int64_t hook = tj_register_hook(t, run_hook, c, callback_drop, after_accumulate);
  if (hook < 0) {
    callback_abandon(c);
    return 0;
  }
  return tj__return_int(h, hook);
}

static double call_remove_hook(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h);
  int64_t hook = tj__read_int(h);
  if (h->failed) return 0;
  tj_remove_hook(t, hook);
  return 1;
}

static double call_function_record(tj__host *h) {
  const char *name = tj__read_string(h);
  double id = tj__read_float(h);
  bool materialize = tj__read_bool(h);
  tj_tensors saved = tj__read_optional_tensors(h), inputs = tj__read_optional_tensors(h);
  /* The outputs' handles stay known: an output that is not replaced is returned with the handle it came with. */
  int64_t n = h->failed ? 0 : tj__read_int(h);
  if (h->failed) return 0;
  if (n < 0 || n > h->capacity - h->at) return tj__read_past_end(h);
  double *handles = tj__arena_alloc(h, (size_t)(n + 1) * sizeof *handles);
  tj_tensor **outputs = tj__arena_alloc(h, (size_t)(n + 1) * 2 * sizeof *outputs);
  bool *fixed = tj__arena_alloc(h, (size_t)n + 1);
  if (h->failed) return 0;
  tj_tensor **given = outputs + n + 1;
  memset(fixed, 0, (size_t)n + 1);
  for (int64_t i = 0; i < n; i++) {
    handles[i] = tj__peek_slot(h);
    given[i] = outputs[i] = tj__read_tensor(h);
  }
  tj_ints non_differentiable = tj__read_ints(h);
  tj_tensors dirty = tj__read_tensors(h);
  for (int64_t i = 0; i < non_differentiable.n; i++)
    if (non_differentiable.data[i] >= 0 && non_differentiable.data[i] < n) fixed[non_differentiable.data[i]] = true;
  callback *c = h->failed ? NULL : callback_new(h, id);
  if (!c) return 0;
  tj_function f = {name ? name : "Function", run_function, c, callback_drop, saved, materialize};
  if (tj_function_record(&f, inputs, outputs, n, fixed, dirty) < 0) {
    callback_abandon(c);
    return 0;
  }
  double *slots = tj__result_slots(h, n);
  if (!slots) return 0;
  for (int64_t i = 0; i < n; i++) {
    slots[i] = outputs[i] == given[i] ? handles[i] : tj__return_tensor(h, outputs[i]);
    if (slots[i] == 0) return 0;
  }
  return 1;
}

static double call_function_saved(tj__host *h) {
  int64_t i = tj__read_int(h);
  return h->failed ? 0 : tj__return_tensor(h, tj_function_saved(i));
}

/* ---- random numbers ------------------------------------------------------------------------------------------ */

static double call_generator_new(tj__host *h) { return tj__handle_new(h, tj_generator_new(), TJ__HANDLE_GENERATOR); }

static double call_generator_manual_seed(tj__host *h) {
  tj_generator *g = tj__read_generator(h);
  int64_t seed = tj__read_int(h);
  if (h->failed) return 0;
  tj_generator_manual_seed(g, (uint64_t)seed);
  return 1;
}

#define OF_GENERATOR(name, value)            \
  static double call_##name(tj__host *h) {   \
    tj_generator *g = tj__read_generator(h); \
    return h->failed ? 0 : (value);          \
  }
OF_GENERATOR(generator_initial_seed, tj__return_int(h, (int64_t)tj_generator_initial_seed(g)))
OF_GENERATOR(generator_seed, tj__return_int(h, (int64_t)tj_generator_seed(g)))
OF_GENERATOR(generator_get_state, tj__return_tensor(h, tj_generator_get_state(g)))

static double call_generator_set_state(tj__host *h) {
  tj_generator *g = tj__read_generator(h);
  tj_tensor *state = tj__read_tensor(h);
  return h->failed ? 0 : tj__return_status(h, tj_generator_set_state(g, state));
}

/* ---- dtypes -------------------------------------------------------------------------------------------------- */

static double call_get_default_dtype(tj__host *h) { return tj__return_int(h, tj_get_default_dtype()); }

static double call_set_default_dtype(tj__host *h) {
  tj_dtype dtype = tj__read_dtype(h);
  return h->failed ? 0 : tj__return_status(h, tj_set_default_dtype(dtype));
}

static double call_set_default_device(tj__host *h) {
  tj_device device = tj__read_device(h);
  return h->failed ? 0 : tj__return_status(h, tj_set_default_device(device));
}

static double call_promote_types(tj__host *h) {
  tj_dtype a = tj__read_dtype(h), b = tj__read_dtype(h);
  if (h->failed) return 0;
  tj_dtype result = tj_promote_types(a, b);
  return result == TJ_DTYPE_NONE ? 0 : tj__return_int(h, result);
}

static double call_can_cast(tj__host *h) {
  tj_dtype from = tj__read_dtype(h), to = tj__read_dtype(h);
  return h->failed ? 0 : tj__return_bool(h, tj_can_cast(from, to));
}

static double call_result_type(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h), *u = tj__read_tensor(h);
  const tj_dtype result = h->failed ? TJ_DTYPE_NONE : tj_result_type(t, u);
  return result == TJ_DTYPE_NONE ? 0 : tj__return_int(h, result);
}

/* ---- the library --------------------------------------------------------------------------------------------- */

static double call_library_version(tj__host *h) { return tj__return_text(h, tj_version()); }
static double call_get_num_threads(tj__host *h) { return tj__return_int(h, tj_get_num_threads()); }

static double call_set_num_threads(tj__host *h) {
  int64_t n = tj__read_int(h);
  if (h->failed) return 0;
  return tj__return_status(h, tj_set_num_threads(n < 0 ? -1 : n > 1 << 20 ? 1 << 20 : (int)n));
}

static double call_memory_stats(tj__host *h) {
  tj_memory_stats_t s = tj_memory_stats();
  return tj__return_ints(h, TJ_INTS(s.live_bytes, s.peak_bytes, s.reserved_bytes, s.allocations, s.frees, s.system_allocations,
                                    s.system_frees, s.live_tensors, s.live_nodes, h->live));
}

static double call_reset_peak_memory_stats(tj__host *h) {
  (void)h;
  tj_reset_peak_memory_stats();
  return 1;
}

static double call_empty_cache(tj__host *h) {
  (void)h;
  tj_empty_cache();
  return 1;
}

static double call_fail_allocation(tj__host *h) {
  int64_t n = tj__read_int(h);
  if (h->failed) return 0;
  tj_fail_allocation(n);
  return 1;
}

/* ---- expressions --------------------------------------------------------------------------------------------- */

static tj_expression *read_expression(tj__host *h) { return tj__handle_get(h, tj__read_slot(h), TJ__HANDLE_EXPRESSION); }

static double call_expression_parse(tj__host *h) {
  const char *text = tj__read_string(h);
  return h->failed ? 0 : tj__handle_new(h, tj_expression_parse(text), TJ__HANDLE_EXPRESSION);
}

static double call_expression_variables(tj__host *h) {
  const tj_expression *e = read_expression(h);
  if (!e) return 0;
  size_t bytes = 1, used = 0;
  const int64_t n = tj_expression_variable_count(e);
  for (int64_t i = 0; i < n; i++) bytes += strlen(tj_expression_variable(e, i)) + 1;
  char *names = tj__arena_alloc(h, bytes);
  if (!names) return 0;
  for (int64_t i = 0; i < n; i++) {
    const size_t length = strlen(tj_expression_variable(e, i));
    if (i) names[used++] = ' ';
    memcpy(names + used, tj_expression_variable(e, i), length);
    used += length;
  }
  names[used] = 0;
  return tj__return_text(h, names);
}

static double call_expression_tree(tj__host *h) {
  const tj_expression *e = read_expression(h);
  return e ? tj__return_string(h, tj_expression_tree(e)) : 0;
}

static double call_expression_evaluate(tj__host *h) {
  const tj_expression *e = read_expression(h);
  tj_tensors values = tj__read_tensors(h);
  return h->failed ? 0 : tj__return_tensor(h, tj_expression_evaluate(e, values));
}

/* ---- optimizer steps ----------------------------------------------------------------------------------------- */

static double call_sgd_step(tj__host *h) {
  tj_tensors params = tj__read_tensors(h), grads = tj__read_optional_tensors(h), given = tj__read_optional_tensors(h);
  tj_sgd_options o = {0};
  o.lr = tj__read_float(h);
  o.momentum = tj__read_float(h);
  o.dampening = tj__read_float(h);
  o.weight_decay = tj__read_float(h);
  o.nesterov = tj__read_bool(h);
  o.maximize = tj__read_bool(h);
  int64_t n = TJ__MAX(given.n, 0);
  tj_tensor **buffers = tj__arena_alloc(h, (size_t)(n + 1) * sizeof *buffers);
  if (h->failed) return 0;
  if (n && n != params.n) {
    tj__fail(TJ_ERROR_VALUE, "sgd_step: %lld parameters but %lld momentum buffers", (long long)params.n, (long long)n);
    return 0;
  }
  if (n) memcpy(buffers, given.data, (size_t)n * sizeof *buffers);
  int status = tj_sgd_step(params, grads, n ? buffers : NULL, &o);
  for (int64_t i = 0; i < n; i++)
    if (buffers[i] == given.data[i]) buffers[i] = NULL;
  return tj__return_tuple(h, (tj_status)status, buffers, n);
}

static double call_adam_step(tj__host *h) {
  tj_tensors params = tj__read_tensors(h), grads = tj__read_optional_tensors(h);
  tj_tensors exp_avgs = tj__read_tensors(h), exp_avg_sqs = tj__read_tensors(h), max_exp_avg_sqs = tj__read_tensors(h);
  tj_floats steps = tj__read_floats(h);
  tj_adam_options o = {0};
  o.lr = tj__read_float(h);
  o.beta1 = tj__read_float(h);
  o.beta2 = tj__read_float(h);
  o.eps = tj__read_float(h);
  o.weight_decay = tj__read_float(h);
  o.decoupled_weight_decay = tj__read_bool(h);
  o.amsgrad = tj__read_bool(h);
  o.maximize = tj__read_bool(h);
  return h->failed ? 0 : tj__return_status(h, tj_adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, &o));
}

/* ---- the profiler ---------------------------------------------------------------------------------------------- */

static double call_profile_start(tj__host *h) {
  (void)h;
  tj__profile_start();
  return 1;
}
static double call_profile_stop(tj__host *h) { return tj__return_string(h, tj__profile_stop()); }
static double call_profile_enter(tj__host *h) {
  const char *name = tj__read_string(h);
  if (h->failed || !name) return 0;
  return tj__return_int(h, tj__profile_begin(NULL, TJ__PROFILE_RANGE, name));
}
static double call_profile_leave(tj__host *h) {
  const int64_t event = tj__read_int(h);
  if (h->failed) return 0;
  tj__profile_leave(event);
  return 1;
}

/* ---- the webgpu device ----------------------------------------------------------------------------------------- */

static void notify_driver(void *context, int64_t bytes, bool full) {
  tj__host *h = context;
  if (h->callback && !h->spill_count) h->callback(h, TJ__CALLBACK_WEBGPU, full, bytes);
}

static double call_webgpu_start(tj__host *h) {
  tj__gpu_limits limits;
  const int64_t binding = tj__read_int(h), buffer = tj__read_int(h);
  limits.buffer_bytes = TJ__MIN(binding, buffer);
  limits.by_buffer = buffer < binding;
  limits.groups = tj__read_int(h);
  limits.bindings = tj__read_int(h);
  limits.invocations = tj__read_int(h);
  limits.shared_bytes = tj__read_int(h);
  limits.subgroup = tj__read_int(h);
  return !h->failed && tj__gpu_start(&limits, notify_driver, h) ? 1 : 0;
}

static double call_webgpu_stop(tj__host *h) {
  const char *reason = tj__read_string(h);
  if (h->failed || !reason) return 0;
  tj__gpu_stop(reason);
  return 1;
}

static double call_webgpu_batch(tj__host *h) {
  int64_t n = tj__read_int(h);
  if (h->failed) return 0;
  tj__gpu_set_batch(n);
  return 1;
}

static double call_webgpu_random(tj__host *h) {
  bool host = tj__read_bool(h);
  if (!h->failed) tj__gpu_set_host_random(host);
  return h->failed ? 0 : 1;
}
static double call_webgpu_fusion(tj__host *h) {
  const bool on = tj__read_bool(h);
  if (h->failed) return 0;
  tj__gpu_fuse_flush();
  tj__gpu_set_fusion(on);
  return 1;
}

static double call_webgpu_tile(tj__host *h) {
  const char *name = tj__read_string(h);
  return h->failed || !name ? 0 : tj__return_bool(h, tj__product_force(name));
}

static double call_webgpu_take(tj__host *h) { return tj__return_tensor(h, tj__gpu_take()); }

/* 0 where it failed, so the answer is a Scalar. */
static double call_webgpu_request(tj__host *h) {
  tj_tensor *t = tj__read_tensor(h);
  const int64_t ticket = tj__read_int(h);
  if (h->failed) return 0;
  tj__scope scope;
  tj__scope_push(&scope);
  const bool dense = tj__is_dense(t);
  tj_tensor *from = dense ? t : tj__contiguous(t);
  const bool ok = from && tj__gpu_request(from, from->numel, (uint32_t)ticket);
  tj__scope_pop(&scope);
  return ok ? tj__return_bool(h, dense) : 0;
}

static double call_webgpu_stats(tj__host *h) {
  const tj__gpu_stats s = tj__gpu_stats_of();
  return tj__return_ints(h, TJ_INTS(s.live_bytes, s.peak_bytes, s.buffers, s.dispatches, s.pipelines, s.commands));
}

static double call_webgpu_reset_peak(tj__host *h) {
  (void)h;
  tj__gpu_reset_peak();
  return 1;
}

static double call_webgpu_error(tj__host *h) {
  const int64_t code = tj__read_int(h), a = tj__read_int(h), b = tj__read_int(h), operator_ = tj__read_int(h);
  if (!h->failed) tj__gpu_fail(code, a, b, (uint32_t)operator_);
  return 0;
}

static double call_webgpu_operator(tj__host *h) {
  const int64_t number = tj__read_int(h);
  return h->failed ? 0 : tj__return_text(h, tj__gpu_operator_name((uint32_t)number));
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

const tj__call tj__builtin_calls[] = {
#define X(name) call_##name,
#include "builtins.def"
#undef X
};
const int tj__builtin_call_count = (int)(sizeof tj__builtin_calls / sizeof *tj__builtin_calls);
