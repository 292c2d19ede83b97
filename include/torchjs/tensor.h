/* torchjs/tensor.h: tensors: reference counts, scopes, reading and writing, memory.
 *
 * Ownership. A function that returns a tensor returns a reference that its caller owns and gives back with tj_free, unless a scope is
 * open on the thread: then the scope owns it, and releases it at its end. NULL in, NULL out; tj_free(NULL) is a no-op.
 * Threads. A tensor may be used from any thread, but not from two at once when one of them changes it (in-place operators, .grad,
 * hooks). Scopes, the error and the grad mode belong to the thread. */
#ifndef TORCHJS_TENSOR_H
#define TORCHJS_TENSOR_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

TJ_API const char *tj_version(void); /* "0.1.0" */

/* ---- references and scopes ----------------------------------------------------------------------------------- */

TJ_API tj_tensor *tj_retain(tj_tensor *t); /* one more reference, owned by the caller whatever scopes are open; returns t */
/* Gives one reference back: one that tj_retain took if there is any, else the scope's (the tensor leaves the scope early). */
TJ_API void tj_free(tj_tensor *t);

/* Tensors made between begin and end are released by end, unless kept. Scopes nest. 0 or a negative tj_status. */
TJ_API int tj_scope_begin(void);
TJ_API void tj_scope_end(void);
/* Moves t from the innermost scope to the one around it, or to the caller where there is none. Returns t. */
TJ_API tj_tensor *tj_keep(tj_tensor *t);

/* A list of tensors that an operator returned (split, unbind, ...). Owned like a tensor; it holds one reference to each item. */
typedef struct tj_list tj_list;
TJ_API int64_t tj_list_size(const tj_list *list);
TJ_API tj_tensor *tj_list_at(const tj_list *list, int64_t i); /* borrowed; NULL and an error when out of range */
TJ_API void tj_list_free(tj_list *list);

/* ---- data in and out ----------------------------------------------------------------------------------------- */

/* A tensor of these sizes with a copy of `data`: contiguous elements of dtype, row-major. */
TJ_API tj_tensor *tj_from_data(const void *data, tj_dtype dtype, tj_ints sizes);
/* Copies the elements, row-major and contiguous, to `data` of `bytes` bytes (numel * element size, else a ValueError). */
TJ_API int tj_to_data(tj_tensor *t, void *data, size_t bytes);
/* The only element as a scalar of the dtype's kind; TJ_SCALAR_NONE and an error if there is not exactly one. */
TJ_API tj_scalar tj_item(tj_tensor *t);
/* A 0-dimensional tensor that takes part in type promotion as a plain number does. */
TJ_API tj_tensor *tj_scalar_tensor(tj_scalar value);
/* The dtype of arithmetic between the two (torch.result_type); TJ_DTYPE_NONE and an error if there is none. */
TJ_API tj_dtype tj_result_type(const tj_tensor *a, const tj_tensor *b);
/* PyTorch's text for a tensor ("tensor([1., 2.])"). The string belongs to the caller, who frees it with tj_string_free. */
TJ_API char *tj_to_string(tj_tensor *t);
/* torch.set_printoptions, for one call. Start from TJ_PRINT_OPTIONS. */
typedef struct tj_print_options {
  int precision;     /* digits after the point */
  int64_t threshold; /* tensors of more elements are summarised */
  int64_t edgeitems; /* items shown at each end of a summarised dimension */
  int64_t linewidth;
  int sci_mode; /* 1: 1.0000e+00 always, 0: never, TJ_NO_BOOL: by the values */
} tj_print_options;
#define TJ_PRINT_OPTIONS ((tj_print_options){.precision = 4, .threshold = 1000, .edgeitems = 3, .linewidth = 80, .sci_mode = TJ_NO_BOOL})
TJ_API char *tj_to_string_with(tj_tensor *t, const tj_print_options *options);
TJ_API void tj_string_free(char *string);

/* ---- what a tensor is ---------------------------------------------------------------------------------------- */

TJ_API int tj_ndim(const tj_tensor *t);
TJ_API int64_t tj_size(const tj_tensor *t, int64_t dim);   /* negative dims count from the end; -1 and an IndexError out of range */
TJ_API int64_t tj_stride(const tj_tensor *t, int64_t dim); /* in elements */
TJ_API tj_ints tj_sizes(const tj_tensor *t);               /* borrowed from t */
TJ_API tj_ints tj_strides(const tj_tensor *t);             /* borrowed from t; in elements */
TJ_API int64_t tj_numel(const tj_tensor *t);
TJ_API int64_t tj_storage_offset(const tj_tensor *t); /* in elements */
TJ_API tj_dtype tj_dtype_of(const tj_tensor *t);
TJ_API tj_device tj_device_of(const tj_tensor *t);
TJ_API bool tj_is_contiguous(const tj_tensor *t);
TJ_API const void *tj_data(const tj_tensor *t);    /* the first element, for reading; NULL for no elements or another device than cpu */
TJ_API void *tj_mutable_data(tj_tensor *t);        /* the same for writing; counts as an in-place write (see tj_version_of) */
TJ_API uint32_t tj_version_of(const tj_tensor *t); /* how often the storage was written in place */

/* ---- threads and memory -------------------------------------------------------------------------------------- */

TJ_API int tj_get_num_threads(void);
TJ_API int tj_set_num_threads(int n); /* 1 to 1024, else a ValueError */

typedef struct tj_memory_stats_t {
  int64_t live_bytes, peak_bytes;           /* held by tensors now, and at most since the last reset */
  int64_t reserved_bytes;                   /* taken from the system and not given back: live and cached */
  int64_t allocations, frees;               /* calls to the engine's allocator */
  int64_t system_allocations, system_frees; /* of those, calls that reached the system's */
  int64_t live_tensors, live_nodes;         /* tensors and autograd nodes alive */
} tj_memory_stats_t;
TJ_API tj_memory_stats_t tj_memory_stats(void);
TJ_API void tj_reset_peak_memory_stats(void);
TJ_API void tj_empty_cache(void); /* gives the calling thread's cached blocks back to the system */
/* For tests: the n-th allocation from now fails (1: the next one); 0 turns it off. Returns what was left to count: 0 when one has failed. */
TJ_API int64_t tj_fail_allocation(int64_t n);

/* ---- random numbers ------------------------------------------------------------------------------------------ */

/* PyTorch's CPU generator: mt19937. A NULL generator means the default one, which belongs to the process. */
TJ_API tj_generator *tj_generator_new(void); /* seeded with 67280421310721, as in PyTorch */
TJ_API void tj_generator_free(tj_generator *g);
TJ_API void tj_generator_manual_seed(tj_generator *g, uint64_t seed);
TJ_API uint64_t tj_generator_initial_seed(const tj_generator *g);
TJ_API uint64_t tj_generator_seed(tj_generator *g);                   /* a fresh seed from the system; returns it */
TJ_API tj_tensor *tj_generator_get_state(tj_generator *g);            /* uint8 [5056], the bytes of PyTorch's get_rng_state */
TJ_API int tj_generator_set_state(tj_generator *g, tj_tensor *state); /* 0, or a negative tj_status */
static inline void tj_manual_seed(uint64_t seed) { tj_generator_manual_seed(NULL, seed); }

#ifdef __cplusplus
}
#endif
#endif
