/* core.h: what every room of the engine stands on. core knows no operator.
 *
 * Rules inside the engine:
 * - A new tensor belongs to the innermost scope of the thread. Every operator's wrapper (and every step of backward) runs in a scope of its
 *   own, so implementations never free their temporaries. What has to outlive the scope is held with tj_retain.
 * - A function that fails calls tj__fail and returns NULL, false or a negative tj_status; its caller passes that on. */
#ifndef TJ__CORE_H
#define TJ__CORE_H

#include <stdatomic.h>
#include <string.h>

#include "shape_errors.h" /* TJ__TEXT_...: made from schema/shape_errors.yaml */
#include "../../include/torchjs/autograd.h"
#include "../../include/torchjs/tensor.h"
#include "../../include/torchjs/types.h"

#define TJ__LIKELY(x) __builtin_expect(!!(x), 1)
#define TJ__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TJ__MIN(a, b) ((a) < (b) ? (a) : (b))
#define TJ__MAX(a, b) ((a) > (b) ? (a) : (b))

/* ---- error.c ------------------------------------------------------------------------------------------------- */

/* Sets the thread's error unless it has one. Returns NULL, so that `return tj__fail(...)` works. */
void *tj__fail(tj_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with a text whose numbers are known later: \1 in it becomes "(Batch element <element>): ", \2 becomes <number>. */
void *tj__fail_filled(tj_status code, const char *text, int64_t element, int64_t number);
/* The same for functions that return a tj_status: returns the code. */
tj_status tj__fail_status(tj_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define TJ__CHECK(condition, code, ...)                                 \
  do {                                                                  \
    if (TJ__UNLIKELY(!(condition))) return tj__fail(code, __VA_ARGS__); \
  } while (0)
#define TJ__CHECK_STATUS(condition, code, ...)                                 \
  do {                                                                         \
    if (TJ__UNLIKELY(!(condition))) return tj__fail_status(code, __VA_ARGS__); \
  } while (0)

/* "[2, 3]" in one of 8 buffers of the thread, used in turn. For messages only. */
const char *tj__ints_text(const int64_t *values, int64_t n);
const char *tj__sizes_text(const tj_tensor *t);
/* A tensor of at least 2 dimensions as PyTorch's C++ writes it into messages; what does not fit into `size` bytes is left out. */
void tj__plain_text(const tj_tensor *t, char *text, size_t size);
const char *tj__dtype_legacy(tj_dtype dtype); /* "Float": as PyTorch's messages name a dtype */
const char *tj__dtype_cpp(tj_dtype dtype);    /* "c10::Half", "float": as those name it that come from C++ */

/* ---- alloc.c ------------------------------------------------------------------------------------------------- */

/* 64-byte aligned memory from size-class caches of the thread; NULL and an error that says how many bytes on failure. Not cleared. */
void *tj__alloc(size_t bytes);
void *tj__alloc_zeroed(size_t bytes);
/* realloc for what is no tensor's memory and is freed with free: counts as an allocation for tj_fail_allocation; sets no error. */
void *tj__grow(void *p, size_t bytes);
void tj__free(void *p, size_t bytes); /* bytes as given to tj__alloc; NULL is a no-op */
/* For memory_stats: tensors and autograd nodes that were made (+1) or went (-1). */
void tj__count_tensor(int delta);
void tj__count_node(int delta);

/* ---- dtype.c ------------------------------------------------------------------------------------------------- */

typedef enum tj__dtype_class { TJ__CLASS_BOOL, TJ__CLASS_INT, TJ__CLASS_FLOAT, TJ__CLASS_COMPLEX } tj__dtype_class;
extern const uint8_t tj__dtype_sizes[TJ_DTYPE_COUNT];
tj__dtype_class tj__class_of(tj_dtype dtype);
tj_dtype tj__real_of(tj_dtype dtype);    /* complex64 -> float32; others unchanged */
tj_dtype tj__complex_of(tj_dtype dtype); /* float32 -> complex64, float16 -> complex64, ...; others unchanged */
/* One element at p to and from a scalar. Storing converts as a C cast does; to bool: != 0. */
tj_scalar tj__load_scalar(const void *p, tj_dtype dtype);
void tj__store_scalar(void *p, tj_dtype dtype, tj_scalar value);
double tj__scalar_to_double(tj_scalar s); /* complex: the real part */
int64_t tj__scalar_to_int(tj_scalar s);
/* The whole part; the least integer for NaN and whatever does not fit, as x86 has it (in C it is undefined). */
static inline int64_t tj__whole64(double x) { return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN; }
static inline uint64_t tj__natural64(double x) {
  return x >= 0x1p63 ? (uint64_t)tj__whole64(x - 0x1p63) ^ (uint64_t)INT64_MIN : (uint64_t)tj__whole64(x);
}
bool tj__scalar_is_zero(tj_scalar s);
bool tj__scalar_equals(tj_scalar s, double value);
/* A number as a value of an element type of the machine; used by kernels. */
static inline float tj__half_to_float(uint16_t h);
static inline uint16_t tj__float_to_half(float f); /* round to nearest even */
static inline float tj__bfloat16_to_float(uint16_t h);
static inline uint16_t tj__float_to_bfloat16(float f); /* round to nearest even */

/* ---- tensor.c ------------------------------------------------------------------------------------------------ */

typedef struct tj__storage {
  _Atomic int32_t refs;
  _Atomic uint32_t version; /* counts in-place writes; shared by all views */
  tj_device device;
  uint32_t block; /* bytes of the block that this struct is in */
  void *data;
  size_t bytes;
  void (*release)(void *data, size_t bytes, void *context); /* NULL: tj__free */
  void *release_context;
} tj__storage;

/* Things that a scope can own begin with this. */
typedef struct tj__object {
  _Atomic int32_t refs;
  uint8_t kind;            /* tj__object_kind */
  _Atomic int32_t held;    /* how many of refs a caller took with tj_retain: tj_free gives these back before the scope's */
  struct tj__scope *scope; /* the scope that owns one reference, or NULL */
  int32_t scope_slot;
} tj__object;
enum tj__object_kind { TJ__TENSOR, TJ__LIST };

#define TJ__INLINE_DIMS 5
struct tj_tensor {
  tj__object object;
  uint8_t dtype;       /* tj_dtype */
  bool wrapped_number; /* a 0-dimensional tensor that promotes as a number */
  bool inference;      /* made in inference mode */
  int32_t ndim;
  int64_t numel;
  int64_t offset;           /* in elements */
  int64_t *sizes, *strides; /* strides in elements; both in dims[] or in one block of 2 * ndim */
  int64_t dims[2 * TJ__INLINE_DIMS];
  tj__storage *storage;
  struct tj__grad_meta *grad_meta; /* autograd's; NULL while there is nothing to say */
};

struct tj_list {
  tj__object object;
  int64_t n;
  tj_tensor **items; /* one reference each */
};

/* References inside the engine (saved tensors, gradients, bases of views). Unlike tj_retain and tj_free these never touch scopes: a
 * reference taken with tj__hold is given back with tj__release, and the scope that owns the tensor keeps its own. NULL is fine. */
tj_tensor *tj__hold(tj_tensor *t);
void tj__release(tj_tensor *t);

/* New tensors, owned by the scope. Sizes are checked: negative sizes, an overflow of the element or byte count, too many dims. */
tj_tensor *tj__empty(tj_ints sizes, tj_dtype dtype, tj_device device);
tj_tensor *tj__empty_strided(tj_ints sizes, tj_ints strides, tj_dtype dtype, tj_device device);
/* Contiguous with t's sizes; or, where t is dense without overlaps, with t's strides (torch.preserve_format). dtype may differ. */
tj_tensor *tj__empty_like(const tj_tensor *t, tj_dtype dtype);
/* A tensor over t's storage. No bounds check: callers check. Not tracked by autograd: the wrappers do that. */
tj_tensor *tj__alias(const tj_tensor *t, tj_ints sizes, tj_ints strides, int64_t offset);
tj_tensor *tj__alias_dtype(const tj_tensor *t, tj_dtype dtype, tj_ints sizes, tj_ints strides,
                           int64_t offset); /* offset in elements of dtype */
tj_tensor *tj__shallow(const tj_tensor *t); /* the same geometry and storage, no autograd meta */
/* Changes t's geometry in place; the storage grows if it has to (resize_). false and an error on failure, t unchanged. */
bool tj__resize(tj_tensor *t, tj_ints sizes);                          /* contiguous, but as it is where the sizes are the same */
bool tj__resize_strided(tj_tensor *t, tj_ints sizes, tj_ints strides); /* of a dense layout */
/* No bounds check: callers check. */
bool tj__set_geometry(tj_tensor *t, tj_ints sizes, tj_ints strides, int64_t offset);
tj_list *tj__list_new(int64_t n);                          /* items NULL; fill with tj__list_set */
void tj__list_set(tj_list *list, int64_t i, tj_tensor *t); /* takes a reference of its own */

static inline tj_ints tj__sizes(const tj_tensor *t) { return (tj_ints){t->sizes, t->ndim}; }
static inline tj_ints tj__strides(const tj_tensor *t) { return (tj_ints){t->strides, t->ndim}; }
static inline size_t tj__itemsize(const tj_tensor *t) { return tj__dtype_sizes[t->dtype]; }
bool tj__is_contiguous(const tj_tensor *t);
bool tj__is_dense(const tj_tensor *t);             /* non-overlapping and dense: a permutation of a contiguous tensor */
bool tj__has_internal_overlap(const tj_tensor *t); /* some element is surely stored at the address of another (a stride 0) */
bool tj__same_sizes(const tj_tensor *a, const tj_tensor *b);

/* The error of a device that is not there. */
void *tj__no_device(tj_device device);
/* What means and variances are computed in: float64, or float32 where the device has no wider numbers. */
static inline tj_dtype tj__wide_dtype(const tj_tensor *t) { return t->storage->device == TJ_CPU ? TJ_FLOAT64 : TJ_FLOAT32; }
/* Addresses from here on are no memory of this process, but of another device. */
#if UINTPTR_MAX > 0xffffffffu
#define TJ__DEVICE_ADDRESSES ((uintptr_t)1 << 62)
static inline bool tj__is_device_address(const void *p) { return (uintptr_t)p >= TJ__DEVICE_ADDRESSES; }
#else
/* The upper half, which is memory's until a device wants it. */
#define TJ__DEVICE_ADDRESSES ((uintptr_t)1 << 31)
extern _Atomic uintptr_t tj__last_address; /* of memory */
static inline bool tj__is_device_address(const void *p) {
  return (uintptr_t)p > atomic_load_explicit(&tj__last_address, memory_order_relaxed);
}
/* From now on the upper half is the device's; false when memory has grown into it already. */
bool tj__reserve_device_addresses(void);
#endif
/* Can its elements be looked at now? Checks of values are made where they can; elsewhere kernels find what is out of range later, or nobody. */
static inline bool tj__can_look(const tj_tensor *t) { return t->storage->device == TJ_CPU; }
/* The same, and an error when not. */
bool tj__must_look(const tj_tensor *t);
/* "webgpu:0"; in one of two buffers of the thread. */
const char *tj__device_name(tj_device device);
/* The error of tensors that are on different devices. */
void *tj__fail_devices(tj_device a, tj_device b);

/* The memory of the device webgpu:0, which registers itself when it starts. Addresses are of the device: nobody but its kernels follows them. */
typedef struct tj__memory {
  void *(*allocate)(size_t bytes, tj_dtype dtype); /* for elements of the dtype that take so many bytes on the CPU; NULL and an error */
  void (*release)(void *data, size_t bytes, void *context);
  bool (*takes)(tj_dtype dtype);                      /* false and an error */
  bool (*upload)(tj_tensor *t, const tj_tensor *src); /* both contiguous, of one dtype; src of the CPU */
  bool (*move)(void *to, const void *from, size_t bytes, tj_dtype dtype);
} tj__memory;
void tj__memory_register(const tj__memory *memory);
extern const tj__memory *tj__device_memory; /* NULL while all tensors are the CPU's */
/* Has something failed, while there is another device? Kernels that return nothing leave it at the thread's error. */
static inline bool tj__device_failed(void) { return TJ__UNLIKELY(tj__device_memory != NULL) && tj_error_code() != TJ_OK; }
/* Do all of the tensors, NULL passed over, lie on one device, and does the operator have kernels there? false and an error. `lone`: a number (0-d) of
 * the CPU may stand beside tensors of another device. Asked only once there is another device. */
bool tj__devices_agree(const char *op, tj_tensor *const *tensors, int64_t n, bool has_kernels, bool lone);

/* The accessor pair: the only way to the bytes. At the first element; NULL is right for tensors without elements. */
const void *tj__read(const tj_tensor *t);
void *tj__write(tj_tensor *t);
/* The error of what needs the elements now, where t's device gives them only later. */
void *tj__fail_asynchronous(const tj_tensor *t);
static inline void tj__bump_version(tj_tensor *t) { atomic_fetch_add_explicit(&t->storage->version, 1, memory_order_relaxed); }
static inline uint32_t tj__version(const tj_tensor *t) { return atomic_load_explicit(&t->storage->version, memory_order_relaxed); }

/* dim in [-ndim, ndim) to [0, ndim); a 0-dimensional tensor counts as one of 1 dimension. -1 and PyTorch's IndexError out of range. */
int tj__wrap_dim(int64_t dim, int64_t ndim);
/* broadcast sizes of a and b into out (TJ_MAX_DIMS values); the number of dims, or -1 and PyTorch's error. */
int tj__broadcast_sizes(tj_ints a, tj_ints b, int64_t *out);
bool tj__can_expand(tj_ints from, tj_ints to); /* from broadcasts to exactly `to` */
/* false and an error when no tensor can have that many dimensions. */
bool tj__check_ndim(int64_t ndim);
/* Checked product of sizes; -1 and an error on overflow or a negative size. */
int64_t tj__numel_of(tj_ints sizes);
void tj__contiguous_strides(tj_ints sizes, int64_t *strides);

/* The dtype that the operands of an operator promote to (torch.result_type): dimensions before 0-d before numbers. */
typedef struct tj__promotion {
  tj_dtype dims, zero_dim, number;
} tj__promotion;
#define TJ__PROMOTION_START ((tj__promotion){TJ_DTYPE_NONE, TJ_DTYPE_NONE, TJ_DTYPE_NONE})
bool tj__promotion_add(tj__promotion *p, const tj_tensor *t); /* false and an error for what does not promote */
bool tj__promotion_add_scalar(tj__promotion *p, tj_scalar s);
tj_dtype tj__promotion_result(const tj__promotion *p);

/* ---- scope.c ------------------------------------------------------------------------------------------------- */

#define TJ__SCOPE_INLINE 14
typedef struct tj__scope {
  struct tj__scope *outer;
  int32_t n, capacity;
  tj__object **items; /* slots; NULL where an item left */
  tj__object *inline_items[TJ__SCOPE_INLINE];
} tj__scope;
void tj__scope_push(tj__scope *s); /* s on the caller's stack; cannot fail */
void tj__scope_pop(tj__scope *s);  /* releases what it owns */
/* Moves an object (a tensor or a list; NULL is fine) to the scope around s, or to the caller; returns it. An object that s does not own
 * (an operator that returned its argument) gets one more reference for the caller, unless a scope outside s owns it already. If the
 * outer scope cannot grow, the object is released and NULL returned with the error set. */
void *tj__scope_keep(tj__scope *s, void *object);
/* Gives a fresh object (refs 1) to the innermost scope. On failure releases it and returns NULL. */
void *tj__scope_adopt(void *object);
/* Takes an object out of its scope: the caller owns the reference. */
void *tj__scope_detach(void *object);

/* ---- threads.c ----------------------------------------------------------------------------------------------- */

/* Calls body(begin, end, context) over pieces of [0, n) of about `grain` or more, in any order, on the threads of the library; inside a parallel
 * region on the calling thread alone. Bodies must not fail, allocate tensors or touch the error. Pieces depend on n and grain and the thread count only for
 * who runs them: a body whose result depends on where pieces end must use tj__parallel_chunks. */
typedef void (*tj__range_body)(int64_t begin, int64_t end, void *context);
void tj__parallel_for(int64_t n, int64_t grain, tj__range_body body, void *context);
/* Pieces of exactly `chunk` (the last may be smaller), whatever the thread count: for reductions whose partial results are combined in order. */
void tj__parallel_chunks(int64_t n, int64_t chunk, tj__range_body body, void *context);
/* In the body of tj__parallel_chunks: which of the loop's threads this is, from 0 on, less than the chunks and than tj_get_num_threads(): for space that
 * is a thread's own. */
int tj__parallel_thread(void);
/* From the beginning of a thread's space of n elements, of 4 or 8 bytes, to that of the next one, of `threads`, in elements. Processors read ahead, by the steps they have seen and far
 * beyond the end, and a line that another thread writes then goes to and fro between the two: where they share no cache, sums whose rows are 1 kB apart
 * took a fifth longer next to another thread's than 256 kB away from them. */
static inline int64_t tj__thread_stride(int64_t n, size_t size, int64_t threads) {
  const int64_t line = 64 / (int64_t)size, apart = ((int64_t)256 << 10) / (int64_t)size;
  return (n + line - 1) / line * line + (threads > 1 ? apart : 0);
}
#ifdef __wasm__
/* WebAssembly makes no threads: the host starts them (bindings/wasm). One that calls this belongs to the pool for good. How many there are. */
_Noreturn void tj__pool_join(void);
int tj__pool_threads(void);
/* 53 random bits of the host's. */
uint64_t tj__wasm_entropy(void);
/* Nanoseconds since some moment. */
double tj__wasm_clock(void);
#endif
#define TJ__GRAIN 32768 /* elements that are worth a thread of their own, for a cheap loop */

/* ---- generator.c --------------------------------------------------------------------------------------------- */

/* mt19937 as PyTorch's at::CPUGeneratorImpl: 32-bit draws, 64-bit ones as (first << 32) | second; cached normals included. */
struct tj_generator {
  _Atomic int32_t refs;
  uint64_t seed;
  uint32_t state[624];
  int32_t left, next;
  bool seeded;
  bool has_float_normal, has_double_normal;
  float float_normal;
  double double_normal;
};
tj_generator *tj__generator(tj_generator *g); /* g, or the default one for NULL */
/* The default one of the calling thread from now on, which the caller keeps alive; NULL: that of the process. JavaScript environments have
 * one each, so that the numbers of a worker do not depend on what others draw. */
void tj__generator_of_thread(tj_generator *g);
uint32_t tj__random32(tj_generator *g);
uint64_t tj__random64(tj_generator *g);
void tj__random_fill32(tj_generator *g, uint32_t *out, int64_t n); /* the next n draws of tj__random32, faster */
void tj__generator_lock(void);                                     /* around a kernel that draws from a generator */
void tj__generator_unlock(void);

/* ---- inline conversions -------------------------------------------------------------------------------------- */

static inline uint32_t tj__float_bits(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return u;
}
static inline float tj__bits_float(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
static inline float tj__bfloat16_to_float(uint16_t h) { return tj__bits_float((uint32_t)h << 16); }
static inline uint16_t tj__float_to_bfloat16(float f) {
  uint32_t u = tj__float_bits(f);
  uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}
/* Both directions by arithmetic on the bits, without branches, so that loops over them vectorise. */
static inline float tj__half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = (uint32_t)(h & 0x7fffu) << 13;
  /* Scaling by 2^112 moves the exponent's bias and makes subnormals right; infinities and NaNs get the largest exponent back. */
  uint32_t scaled = tj__float_bits(tj__bits_float(rest) * 0x1p112f);
  uint32_t special = rest >= 0x0f800000u ? 0x7f800000u : 0u;
  return tj__bits_float(sign | scaled | special);
}
static inline uint16_t tj__float_to_half(float f) {
  uint32_t u = tj__float_bits(f), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  /* normal range: rebias and round to even on the 13 dropped bits */
  uint32_t normal = (a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13;
  /* below 2^-14: adding 0.5 lets the adder round to a multiple of 2^-24 */
  uint32_t subnormal = tj__float_bits(tj__bits_float(a < 0x38800000u ? a : 0u) + 0.5f) - 0x3f000000u;
  uint32_t h = a < 0x38800000u ? subnormal : normal;
  h = a >= 0x477ff000u ? 0x7c00u : h;
  h = a > 0x7f800000u ? 0x7e00u : h;
  return (uint16_t)(sign | h);
}

#endif
