/* tensor.c: storages, tensors and lists: making them, their geometry, and their end. */
#include "core.h"

#include <stdio.h>

#include "../autograd/node.h"

/* ---- geometry -------------------------------------------------------------------------------------------------- */

int64_t tj__numel_of(tj_ints sizes) {
  int64_t numel = 1;
  bool overflow = false, empty = false;
  for (int64_t i = 0; i < sizes.n; i++) {
    int64_t size = sizes.data[i];
    if (size < 0) {
      tj__fail(TJ_ERROR_RUNTIME, "Trying to create tensor with negative dimension %lld: %s", (long long)size,
               tj__ints_text(sizes.data, sizes.n));
      return -1;
    }
    empty |= size == 0;
    overflow |= __builtin_mul_overflow(numel, size, &numel);
  }
  if (empty) return 0;
  if (!overflow) return numel;
  tj__fail(TJ_ERROR_RUNTIME, "Storage size calculation overflowed with sizes=%s", tj__ints_text(sizes.data, sizes.n));
  return -1;
}

void tj__contiguous_strides(tj_ints sizes, int64_t *strides) {
  int64_t stride = 1;
  for (int64_t i = sizes.n - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= TJ__MAX(sizes.data[i], 1);
  }
}

bool tj__is_contiguous(const tj_tensor *t) {
  if (t->numel == 0) return true;
  int64_t stride = 1;
  for (int i = t->ndim - 1; i >= 0; i--) {
    if (t->sizes[i] == 1) continue;
    if (t->strides[i] != stride) return false;
    stride *= t->sizes[i];
  }
  return true;
}

bool tj__is_dense(const tj_tensor *t) {
  if (tj__is_contiguous(t)) return true;
  int order[TJ_MAX_DIMS], n = 0;
  for (int i = 0; i < t->ndim; i++) {
    if (t->sizes[i] == 1) continue;
    int at = n++;
    for (; at > 0 && t->strides[order[at - 1]] > t->strides[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
  int64_t stride = 1;
  for (int i = 0; i < n; i++) {
    if (t->strides[order[i]] != stride) return false;
    stride *= t->sizes[order[i]];
  }
  return true;
}

bool tj__has_internal_overlap(const tj_tensor *t) {
  if (t->numel < 2) return false;
  for (int i = 0; i < t->ndim; i++)
    if (t->strides[i] == 0 && t->sizes[i] > 1) return true;
  return false;
}

bool tj__same_sizes(const tj_tensor *a, const tj_tensor *b) {
  return a->ndim == b->ndim && (a->ndim == 0 || !memcmp(a->sizes, b->sizes, (size_t)a->ndim * sizeof *a->sizes));
}

int tj__wrap_dim(int64_t dim, int64_t ndim) {
  int64_t n = TJ__MAX(ndim, 1);
  if (TJ__UNLIKELY(dim < -n || dim >= n)) {
    tj__fail(TJ_ERROR_INDEX, TJ__TEXT_dimension_error_out_of_range_1, (long long)-n, (long long)(n - 1), (long long)dim);
    return -1;
  }
  return (int)(dim < 0 ? dim + n : dim);
}

int tj__broadcast_sizes(tj_ints a, tj_ints b, int64_t *out) {
  int64_t n = TJ__MAX(a.n, b.n);
  for (int64_t i = n - 1; i >= 0; i--) {
    int64_t ia = i - (n - a.n), ib = i - (n - b.n);
    int64_t sa = ia >= 0 ? a.data[ia] : 1, sb = ib >= 0 ? b.data[ib] : 1;
    if (TJ__UNLIKELY(sa != sb && sa != 1 && sb != 1)) {
      tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_broadcast_error_incompatible_dimensions_1, (long long)sa, (long long)sb, (long long)i);
      return -1;
    }
    out[i] = sa == 1 ? sb : sa;
  }
  return (int)n;
}

bool tj__can_expand(tj_ints from, tj_ints to) {
  if (from.n > to.n) return false;
  for (int64_t i = 1; i <= from.n; i++) {
    int64_t size = from.data[from.n - i];
    if (size != 1 && size != to.data[to.n - i]) return false;
  }
  return true;
}

/* ---- storages -------------------------------------------------------------------------------------------------- */

/* A small storage holds its bytes itself, behind the struct: one block less to ask for. */
#define INLINE_AT 64
#define INLINE_MAX 448
_Static_assert(sizeof(tj__storage) <= INLINE_AT, "the bytes begin behind the struct");

const tj__memory *tj__device_memory;
void tj__memory_register(const tj__memory *memory) { tj__device_memory = memory; }

static void init_storage(tj__storage *s, tj_device device, size_t block, void *data, size_t bytes) {
  atomic_init(&s->refs, 1);
  atomic_init(&s->version, 0);
  s->device = device;
  s->block = (uint32_t)block;
  s->data = data;
  s->bytes = bytes;
  s->release = NULL;
  s->release_context = NULL;
}

static tj__storage *device_storage_new(size_t bytes, tj_dtype dtype, tj_device device) {
  if (!tj__device_memory->takes(dtype)) return NULL;
  tj__storage *s = tj__alloc(sizeof *s);
  if (!s) return NULL;
  void *data = bytes ? tj__device_memory->allocate(bytes, dtype) : NULL;
  if (bytes && !data) return tj__free(s, sizeof *s), NULL;
  init_storage(s, device, sizeof *s, data, bytes);
  s->release = tj__device_memory->release;
  return s;
}

static tj__storage *storage_new(size_t bytes, tj_dtype dtype, tj_device device) {
  if (TJ__UNLIKELY(device > TJ_CPU)) return device_storage_new(bytes, dtype, device);
  const bool small = bytes <= INLINE_MAX;
  const size_t block = small ? INLINE_AT + bytes : sizeof(tj__storage);
  tj__storage *s = tj__alloc(block);
  if (!s) return NULL;
  void *data = bytes && small ? (char *)s + INLINE_AT : NULL;
  if (!small && !(data = tj__alloc(bytes))) return tj__free(s, block), NULL;
  init_storage(s, TJ_CPU, block, data, bytes);
  return s;
}

static void storage_free_data(tj__storage *s) {
  if (s->release) s->release(s->data, s->bytes, s->release_context);
  else if (s->data != (char *)s + INLINE_AT) tj__free(s->data, s->bytes);
}

static void storage_release(tj__storage *s) {
  if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
  storage_free_data(s);
  tj__free(s, s->block);
}

void *tj__no_device(tj_device device) {
  if (device >= 0x100 && device < 0x200)
    return tj__fail(TJ_ERROR_DEVICE, "the device webgpu:%d is not available%s", (int)(device & 0xff),
                    device == TJ_WEBGPU(0) ? ": call `await torch.webgpu.init()` first" : ": there is only webgpu:0");
  return tj__fail(TJ_ERROR_DEVICE, "there is no device with the code %d", (int)device);
}

const char *tj__device_name(tj_device device) {
  static _Thread_local char names[2][16];
  static _Thread_local int next;
  if (device <= TJ_CPU) return "cpu";
  char *name = names[next ^= 1];
  snprintf(name, sizeof names[0], "webgpu:%d", (int)(device & 0xff));
  return name;
}

void *tj__fail_devices(tj_device a, tj_device b) {
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_device_error_mismatch_1, tj__device_name(a), "", tj__device_name(b), "");
}

bool tj__devices_agree(const char *op, tj_tensor *const *tensors, int64_t n, bool has_kernels, bool lone) {
  const tj_tensor *first = NULL; /* what says the device */
  for (int64_t i = 0; i < n; i++)
    if (tensors[i] && (!first || (first->storage->device == TJ_CPU && tensors[i]->storage->device != TJ_CPU))) first = tensors[i];
  if (!first || first->storage->device == TJ_CPU) return true;
  if (!has_kernels)
    return tj__fail(
               TJ_ERROR_NOT_IMPLEMENTED,
               "The operator '%s' is not implemented for the device webgpu. Compute it on the cpu: `await x.cpu()` brings a tensor there.",
               op) != NULL;
  for (int64_t i = 0; i < n; i++) {
    const tj_tensor *t = tensors[i];
    if (!t || t->storage->device == first->storage->device || (lone && t->ndim == 0 && t->storage->device == TJ_CPU)) continue;
    return tj__fail_devices(tensors[0] && tensors[0]->storage->device == TJ_CPU ? TJ_CPU : first->storage->device,
                            tensors[0] && tensors[0]->storage->device == TJ_CPU ? first->storage->device : t->storage->device) != NULL;
  }
  return true;
}

static bool check_device(tj_device device) {
  return device == TJ_CPU || device == TJ_DEVICE_NONE || (device == TJ_WEBGPU(0) && tj__device_memory) || tj__no_device(device);
}

static _Thread_local tj_device default_device = TJ_CPU;
tj_device tj_get_default_device(void) { return default_device; }
int tj_set_default_device(tj_device device) {
  if (device == TJ_DEVICE_NONE) tj__no_device(device);
  if (device == TJ_DEVICE_NONE || !check_device(device)) return tj_error_code();
  default_device = device;
  return TJ_OK;
}

/* ---- tensors --------------------------------------------------------------------------------------------------- */

static bool make_room(tj_tensor *t, int64_t ndim) {
  if (ndim <= TJ__INLINE_DIMS) {
    t->sizes = t->dims;
    t->strides = t->dims + TJ__INLINE_DIMS;
    return true;
  }
  int64_t *block = tj__alloc((size_t)ndim * 2 * sizeof *block);
  if (!block) return false;
  t->sizes = block;
  t->strides = block + ndim;
  return true;
}

static void free_room(int64_t *sizes, int64_t ndim) {
  if (ndim > TJ__INLINE_DIMS) tj__free(sizes, (size_t)ndim * 2 * sizeof *sizes);
}

bool tj__check_ndim(int64_t ndim) {
  if (TJ__LIKELY(ndim >= 0 && ndim <= TJ_MAX_DIMS)) return true;
  tj__fail(TJ_ERROR_RUNTIME, "only tensors with up to %d dims are supported, but got %lld sizes", TJ_MAX_DIMS, (long long)ndim);
  return false;
}

/* A tensor of this geometry that takes over a reference to the storage, also on failure. */
static tj_tensor *tensor_new(tj__storage *storage, tj_dtype dtype, tj_ints sizes, const int64_t *strides, int64_t offset, int64_t numel) {
  tj_tensor *t = tj__alloc(sizeof *t);
  if (!t) goto fail;
  if (!make_room(t, sizes.n)) goto fail;
  atomic_init(&t->object.refs, 1);
  atomic_init(&t->object.held, 0);
  t->object.kind = TJ__TENSOR;
  t->object.scope = NULL;
  t->object.scope_slot = 0;
  t->dtype = (uint8_t)dtype;
  t->wrapped_number = false;
  t->inference = tj_is_inference_mode_enabled();
  t->ndim = (int32_t)sizes.n;
  t->numel = numel;
  t->offset = offset;
  t->storage = storage;
  t->grad_meta = NULL;
  if (sizes.n) {
    memcpy(t->sizes, sizes.data, (size_t)sizes.n * sizeof *t->sizes);
    memcpy(t->strides, strides, (size_t)sizes.n * sizeof *t->strides);
  }
  tj__count_tensor(1);
  return tj__scope_adopt(t);
fail:
  tj__free(t, sizeof *t);
  storage_release(storage);
  return NULL;
}

/* Bytes of numel elements; false and an error on overflow. */
static bool bytes_of(int64_t numel, tj_dtype dtype, tj_ints sizes, size_t *bytes) {
  if (TJ__LIKELY(numel <= INT64_MAX / tj__dtype_sizes[dtype])) return *bytes = (size_t)numel * tj__dtype_sizes[dtype], true;
  tj__fail(TJ_ERROR_RUNTIME, "Storage size calculation overflowed with sizes=%s", tj__ints_text(sizes.data, sizes.n));
  return false;
}

tj_tensor *tj__empty(tj_ints sizes, tj_dtype dtype, tj_device device) {
  int64_t strides[TJ_MAX_DIMS];
  size_t bytes;
  if (TJ__UNLIKELY(device == TJ_DEVICE_NONE)) device = default_device;
  if (!tj__check_ndim(sizes.n) || !check_device(device)) return NULL;
  int64_t numel = tj__numel_of(sizes);
  if (numel < 0 || !bytes_of(numel, dtype, sizes, &bytes)) return NULL;
  tj__contiguous_strides(sizes, strides);
  tj__storage *storage = storage_new(bytes, dtype, device);
  return storage ? tensor_new(storage, dtype, sizes, strides, 0, numel) : NULL;
}

/* Elements from the first to the last one, both included; -1 and an error on overflow. */
static int64_t span_of(tj_ints sizes, const int64_t *strides) {
  int64_t last = 0, part;
  for (int64_t i = 0; i < sizes.n; i++) {
    if (sizes.data[i] == 0) return 0;
    if (__builtin_mul_overflow(sizes.data[i] - 1, strides[i], &part) || __builtin_add_overflow(last, part, &last)) {
      tj__fail(TJ_ERROR_RUNTIME, "Storage size calculation overflowed with sizes=%s and strides=%s", tj__ints_text(sizes.data, sizes.n),
               tj__ints_text(strides, sizes.n));
      return -1;
    }
  }
  return last + 1;
}

tj_tensor *tj__empty_strided(tj_ints sizes, tj_ints strides, tj_dtype dtype, tj_device device) {
  size_t bytes;
  if (TJ__UNLIKELY(device == TJ_DEVICE_NONE)) device = default_device;
  if (!tj__check_ndim(sizes.n) || !check_device(device)) return NULL;
  TJ__CHECK(sizes.n == strides.n, TJ_ERROR_RUNTIME, "dimensionality of sizes (%lld) must match dimensionality of strides (%lld)",
            (long long)sizes.n, (long long)strides.n);
  int64_t numel = tj__numel_of(sizes);
  if (numel < 0) return NULL;
  for (int64_t i = 0; i < strides.n; i++)
    TJ__CHECK(strides.data[i] >= 0, TJ_ERROR_RUNTIME, "as_strided: Negative strides are not supported at the moment, got strides: %s",
              tj__ints_text(strides.data, strides.n));
  int64_t span = span_of(sizes, strides.data);
  if (span < 0 || !bytes_of(span, dtype, sizes, &bytes)) return NULL;
  tj__storage *storage = storage_new(bytes, dtype, device);
  return storage ? tensor_new(storage, dtype, sizes, strides.data, 0, numel) : NULL;
}

/* Dense strides in the order of t's own, ties and broadcast dimensions as PyTorch decides them. */
static void dense_strides_like(const tj_tensor *t, int64_t *strides) {
  int order[TJ_MAX_DIMS], n = t->ndim;
  for (int i = 0; i < n; i++) order[i] = n - 1 - i;
  for (int i = 1; i < n; i++) {
    int at = i;
    for (int j = i - 1; j >= 0; j--) {
      int a = order[j], b = order[at];
      if (t->strides[a] == 0 || t->strides[b] == 0) continue;
      if (t->strides[a] < t->strides[b]) break;
      if (t->strides[a] == t->strides[b] && t->sizes[a] <= t->sizes[b]) continue;
      order[j] = b;
      order[at] = a;
      at = j;
    }
  }
  int64_t stride = 1;
  for (int i = 0; i < n; i++) {
    strides[order[i]] = stride;
    stride *= TJ__MAX(t->sizes[order[i]], 1);
  }
}

tj_tensor *tj__empty_like(const tj_tensor *t, tj_dtype dtype) {
  tj_device device = t->storage->device;
  if (tj__is_contiguous(t)) {
    int64_t strides[TJ_MAX_DIMS];
    tj__contiguous_strides(tj__sizes(t), strides);
    /* strides of dimensions of size 1 are kept too, as PyTorch does */
    if (t->ndim == 0 || !memcmp(strides, t->strides, (size_t)t->ndim * sizeof *strides)) return tj__empty(tj__sizes(t), dtype, device);
  }
  if (tj__is_dense(t)) return tj__empty_strided(tj__sizes(t), tj__strides(t), dtype, device);
  int64_t strides[TJ_MAX_DIMS];
  dense_strides_like(t, strides);
  return tj__empty_strided(tj__sizes(t), (tj_ints){strides, t->ndim}, dtype, device);
}

tj_tensor *tj__alias_dtype(const tj_tensor *t, tj_dtype dtype, tj_ints sizes, tj_ints strides, int64_t offset) {
  if (!tj__check_ndim(sizes.n)) return NULL;
  if (TJ__UNLIKELY(t->storage->device != TJ_CPU) && dtype != (tj_dtype)t->dtype) {
    if (!tj__device_memory->takes(dtype)) return NULL;
    /* those that take there what they take on the CPU: 32 bits, and complex64 two times that */
    const unsigned whole = 1u << TJ_FLOAT32 | 1u << TJ_INT32 | 1u << TJ_COMPLEX64;
    TJ__CHECK(whole >> dtype & whole >> t->dtype & 1, TJ_ERROR_NOT_IMPLEMENTED,
              "The elements of %s cannot be seen as %s on the device webgpu, where each takes 32 bits", tj_dtype_name((tj_dtype)t->dtype),
              tj_dtype_name(dtype));
  }
  int64_t numel = tj__numel_of(sizes);
  if (numel < 0) return NULL;
  atomic_fetch_add_explicit(&t->storage->refs, 1, memory_order_relaxed);
  tj_tensor *alias = tensor_new(t->storage, dtype, sizes, strides.data, offset, numel);
  if (alias) alias->inference = t->inference;
  return alias;
}

tj_tensor *tj__alias(const tj_tensor *t, tj_ints sizes, tj_ints strides, int64_t offset) {
  return tj__alias_dtype(t, (tj_dtype)t->dtype, sizes, strides, offset);
}

tj_tensor *tj__shallow(const tj_tensor *t) {
  tj_tensor *copy = tj__alias(t, tj__sizes(t), tj__strides(t), t->offset);
  if (copy) copy->wrapped_number = t->wrapped_number;
  return copy;
}

bool tj__set_geometry(tj_tensor *t, tj_ints sizes, tj_ints strides, int64_t offset) {
  if (!tj__check_ndim(sizes.n)) return false;
  int64_t numel = tj__numel_of(sizes);
  if (numel < 0) return false;
  int64_t old_ndim = t->ndim, *old = t->sizes;
  int64_t copy[2 * TJ_MAX_DIMS]; /* the arguments may be t's own */
  if (sizes.n) memcpy(copy, sizes.data, (size_t)sizes.n * sizeof *copy);
  if (sizes.n) memcpy(copy + TJ_MAX_DIMS, strides.data, (size_t)sizes.n * sizeof *copy);
  if (sizes.n != old_ndim) {
    if (!make_room(t, sizes.n)) return false;
    free_room(old, old_ndim);
  }
  if (sizes.n) memcpy(t->sizes, copy, (size_t)sizes.n * sizeof *copy);
  if (sizes.n) memcpy(t->strides, copy + TJ_MAX_DIMS, (size_t)sizes.n * sizeof *copy);
  t->ndim = (int32_t)sizes.n;
  t->numel = numel;
  t->offset = offset;
  return true;
}

/* Lets a storage hold at least `bytes`. */
static bool storage_grow(tj__storage *s, size_t bytes, tj_dtype dtype) {
  if (bytes <= s->bytes) return true;
  if (s->device != TJ_CPU) {
    void *data = tj__device_memory->allocate(bytes, dtype);
    if (!data || (s->data && !tj__device_memory->move(data, s->data, s->bytes, dtype))) return false;
    storage_free_data(s);
    s->data = data;
    s->bytes = bytes;
    return true;
  }
  TJ__CHECK(!s->release, TJ_ERROR_RUNTIME, "Trying to resize storage that is not resizable");
  void *data = tj__alloc(bytes);
  if (!data) return false;
  if (s->data) memcpy(data, s->data, s->bytes);
  storage_free_data(s);
  s->data = data;
  s->bytes = bytes;
  return true;
}

bool tj__resize(tj_tensor *t, tj_ints sizes) {
  if (!tj__check_ndim(sizes.n)) return false;
  if (sizes.n == t->ndim && (sizes.n == 0 || !memcmp(sizes.data, t->sizes, (size_t)sizes.n * sizeof *sizes.data))) return true;
  int64_t strides[TJ_MAX_DIMS];
  tj__contiguous_strides(sizes, strides);
  return tj__resize_strided(t, sizes, (tj_ints){strides, sizes.n});
}

bool tj__resize_strided(tj_tensor *t, tj_ints sizes, tj_ints strides) {
  if (!tj__check_ndim(sizes.n)) return false;
  size_t bytes;
  int64_t numel = tj__numel_of(sizes);
  if (numel < 0 || !bytes_of(numel, (tj_dtype)t->dtype, sizes, &bytes)) return false;
  if (numel && __builtin_add_overflow(bytes, (size_t)t->offset * tj__itemsize(t), &bytes))
    return bytes_of(INT64_MAX, TJ_INT64, sizes, &bytes);
  if (numel && !storage_grow(t->storage, bytes, (tj_dtype)t->dtype)) return false;
  return tj__set_geometry(t, sizes, strides, t->offset);
}

/* ---- lists ----------------------------------------------------------------------------------------------------- */

tj_list *tj__list_new(int64_t n) {
  tj_list *list = tj__alloc(sizeof *list);
  if (!list) return NULL;
  atomic_init(&list->object.refs, 1);
  atomic_init(&list->object.held, 0);
  list->object.kind = TJ__LIST;
  list->object.scope = NULL;
  list->object.scope_slot = 0;
  list->n = n;
  list->items = tj__alloc_zeroed((size_t)n * sizeof *list->items);
  if (!list->items) return tj__free(list, sizeof *list), NULL;
  return tj__scope_adopt(list);
}

void tj__list_set(tj_list *list, int64_t i, tj_tensor *t) {
  tj_tensor *before = list->items[i];
  list->items[i] = tj__hold(t);
  tj__release(before);
}

int64_t tj_list_size(const tj_list *list) { return list ? list->n : 0; }

tj_tensor *tj_list_at(const tj_list *list, int64_t i) {
  if (!list) return NULL;
  TJ__CHECK(i >= 0 && i < list->n, TJ_ERROR_INDEX, "list index %lld is out of range: the list has %lld items", (long long)i,
            (long long)list->n);
  return list->items[i];
}

/* ---- references ------------------------------------------------------------------------------------------------ */

/* Tensors that wait for their end while another one is ending on this thread, a tensor may hold the
 * last reference to a node, which holds tensors, and so on for as long as the graph is. */
static _Thread_local struct {
  bool running;
  tj_tensor *waiting;
} endings;

static void tensor_end(tj_tensor *t) {
  if (t->grad_meta) tj__grad_meta_free(t);
  storage_release(t->storage);
  free_room(t->sizes, t->ndim);
  tj__count_tensor(-1);
  tj__free(t, sizeof *t);
}

static void tensor_die(tj_tensor *t) {
  if (endings.running) {
    /* nothing uses a dying tensor's scope: it links the waiting ones */
    t->object.scope = (struct tj__scope *)endings.waiting;
    endings.waiting = t;
    return;
  }
  endings.running = true;
  for (; t; t = endings.waiting, endings.waiting = t ? (tj_tensor *)t->object.scope : NULL) tensor_end(t);
  endings.running = false;
}

static void list_die(tj_list *list) {
  for (int64_t i = 0; i < list->n; i++) tj__release(list->items[i]);
  tj__free(list->items, (size_t)list->n * sizeof *list->items);
  tj__free(list, sizeof *list);
}

void tj__object_release(tj__object *object);
void tj__object_release(tj__object *object) {
  if (atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) != 1) return;
  if (object->kind == TJ__TENSOR) tensor_die((tj_tensor *)object);
  else list_die((tj_list *)object);
}

tj_tensor *tj__hold(tj_tensor *t) {
  if (t) atomic_fetch_add_explicit(&t->object.refs, 1, memory_order_relaxed);
  return t;
}

void tj__release(tj_tensor *t) {
  if (t) tj__object_release(&t->object);
}

tj_tensor *tj_retain(tj_tensor *t) {
  if (t) {
    atomic_fetch_add_explicit(&t->object.held, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->object.refs, 1, memory_order_relaxed);
  }
  return t;
}

static void object_free(tj__object *object) {
  int32_t held = atomic_load_explicit(&object->held, memory_order_relaxed);
  while (held > 0)
    if (atomic_compare_exchange_weak_explicit(&object->held, &held, held - 1, memory_order_relaxed, memory_order_relaxed)) {
      tj__object_release(object);
      return;
    }
  tj__scope_detach(object);
  tj__object_release(object);
}

void tj_free(tj_tensor *t) {
  if (t) object_free(&t->object);
}

void tj_list_free(tj_list *list) {
  if (list) object_free(&list->object);
}
