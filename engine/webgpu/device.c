/* device.c: memory, addresses and the command stream of the webgpu device. */
#include "device.h"

#include "fusion.h"

#include <stdio.h>
#include <stdlib.h>

#include "../core/profile.h"
#include "../iter/convert.h"
#include "../kernels/backend.h"

typedef struct buffer {
  uintptr_t first; /* its address */
  int64_t words;   /* 0: the number is free */
  int64_t next;    /* of a free number: the next one */
} buffer;

typedef struct device {
  bool running;
  char reason[400]; /* why it is not */
  tj__gpu_limits limits;
  void (*notify)(void *context, int64_t bytes, bool full);
  void *context;
  int64_t batch;
  uint32_t generation; /* counts starts: buffers of an earlier one are gone */
  buffer *buffers;     /* by number; 0 is the driver's own */
  int64_t count, capacity, free_head;
  uint32_t first_valid; /* buffers below belong to a device that was lost */
  uint32_t *words;      /* the stream */
  int64_t n, room;
  int64_t pending; /* commands in it that are work for the GPU: making and giving back buffers is not */
  bool notified;   /* the driver knows that it is not empty */
  tj__gpu_stats stats;
} device;

static _Thread_local device gpu;

bool tj__gpu_running(void) { return gpu.running; }
const tj__gpu_limits *tj__gpu_limits_of(void) { return &gpu.limits; }
tj__gpu_stats tj__gpu_stats_of(void) { return gpu.stats; }
void tj__gpu_reset_peak(void) { gpu.stats.peak_bytes = gpu.stats.live_bytes; }
void tj__gpu_set_batch(int64_t batch) { gpu.batch = TJ__MAX(batch, 1); }

static bool fail_stopped(void) {
  if (gpu.reason[0]) tj__fail(TJ_ERROR_DEVICE, "%s", gpu.reason);
  else tj__no_device(TJ_WEBGPU(0));
  return false;
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

/* Addresses by pages, for machines of 32 bits; 1 elsewhere tries it. */
#ifndef TJ__GPU_PAGES
#define TJ__GPU_PAGES (UINTPTR_MAX <= 0xffffffffu)
#endif
#if !TJ__GPU_PAGES
/* The number in bits 36 to 60; a buffer never has 2^36 bytes. */
#define SHIFT 36
static bool place(uint32_t number, size_t bytes, uintptr_t *first) {
  (void)bytes;
  *first = TJ__DEVICE_ADDRESSES | (uintptr_t)number << SHIFT;
  return true;
}
static void unplace(const buffer *b, size_t bytes) { (void)b, (void)bytes; }
static uint32_t number_at(uintptr_t address) { return (uint32_t)((address & ~TJ__DEVICE_ADDRESSES) >> SHIFT); }
#else
/* The upper half of the addresses, in pages. */
#define PAGE 12
#define PAGES ((uint32_t)1 << (31 - PAGE))
static _Thread_local uint32_t *pages, next_page; /* the number of the buffer in each; 0: free */
static bool place(uint32_t number, size_t bytes, uintptr_t *first) {
  if (!pages && (!tj__reserve_device_addresses() || !(pages = calloc(PAGES, sizeof *pages)))) return false;
  const uint32_t wanted = (uint32_t)TJ__MAX((bytes + ((size_t)1 << PAGE) - 1) >> PAGE, 1);
  uint32_t run = 0;
  for (uint32_t seen = 0, at = next_page; seen < PAGES + wanted; seen++, at++) {
    if (at == PAGES) at = 0, run = 0; /* a run does not go around the end */
    run = pages[at] ? 0 : run + 1;
    if (run < wanted) continue;
    for (uint32_t i = at + 1 - wanted; i <= at; i++) pages[i] = number;
    *first = TJ__DEVICE_ADDRESSES + ((uintptr_t)(at + 1 - wanted) << PAGE);
    next_page = at + 1 < PAGES ? at + 1 : 0;
    return true;
  }
  return false;
}
static void unplace(const buffer *b, size_t bytes) {
  const uint32_t from = (uint32_t)((b->first - TJ__DEVICE_ADDRESSES) >> PAGE);
  const uint32_t count = (uint32_t)TJ__MAX((bytes + ((size_t)1 << PAGE) - 1) >> PAGE, 1);
  for (uint32_t i = 0; i < count; i++) pages[from + i] = 0;
}
static uint32_t number_at(uintptr_t address) { return pages ? pages[(address - TJ__DEVICE_ADDRESSES) >> PAGE] : 0; }
#endif

bool tj__gpu_locate(const void *address, tj_dtype dtype, uint32_t *number, uint32_t *element) {
  if (!tj__is_device_address(address)) {
    tj__fail(TJ_ERROR_RUNTIME, "Expected all tensors to be on the same device, but found at least two devices, webgpu:0 and cpu!");
    return false;
  }
  const uint32_t at = number_at((uintptr_t)address);
  if (!gpu.running || at < gpu.first_valid || at >= gpu.count) {
    if (gpu.running)
      tj__fail(TJ_ERROR_DEVICE, "this tensor was on a webgpu device that is lost; tensors made since torch.webgpu.init() are usable");
    else fail_stopped();
    return false;
  }
  *number = at;
  *element = (uint32_t)(((uintptr_t)address - gpu.buffers[at].first) / tj__dtype_sizes[dtype]);
  return true;
}

/* ---- the stream ------------------------------------------------------------------------------------------------- */

uint32_t *tj__gpu_record(enum tj__gpu_command command, int64_t n) {
  if (!gpu.running) return fail_stopped(), NULL;
  if (command == TJ__GPU_WRITE || command == TJ__GPU_COPY || command == TJ__GPU_CLEAR || command == TJ__GPU_READ) {
    const tj_status before = tj_error_code();
    tj__gpu_fuse_flush();
    if (tj_error_code() != before) return NULL; /* what it would see is not there */
  }
  if (gpu.n + n > gpu.room) {
    const int64_t room = TJ__MAX(2 * gpu.room, gpu.n + n + 1024);
    uint32_t *more = tj__grow(gpu.words, (size_t)room * sizeof *more);
    if (!more) return tj__fail(TJ_ERROR_MEMORY, "webgpu: there is no memory for %lld bytes of commands", (long long)room * 4);
    gpu.words = more;
    gpu.room = room;
  }
  uint32_t *w = gpu.words + gpu.n;
  w[0] = (uint32_t)command;
  w[1] = (uint32_t)n;
  gpu.n += n;
  gpu.stats.dispatches += command == TJ__GPU_DISPATCH;
  if (command == TJ__GPU_DISPATCH) tj__profile_launch(tj__gpu_fuse_event());
  gpu.stats.pipelines += command == TJ__GPU_PIPELINE;
  return w;
}

static void recorded(bool worked) {
  gpu.stats.commands++;
  gpu.pending += worked;
  if (!gpu.notify || tj_error_code()) return; /* what runs there would meet the error; the next command notifies */
  const bool full = gpu.pending >= gpu.batch;
  if (gpu.notified && !full) return;
  if (full) tj__gpu_fuse_flush(); /* may come back here, and then is done */
  if (full && gpu.pending < gpu.batch) return;
  gpu.notified = true;
  gpu.notify(gpu.context, gpu.n * 4, full);
}

void tj__gpu_recorded(void) { recorded(true); }

void tj__gpu_waiting(void) {
  if (gpu.batch <= 1) tj__gpu_fuse_flush();
  else if (gpu.notify && !gpu.notified && !tj_error_code()) {
    gpu.notified = true;
    gpu.notify(gpu.context, gpu.n * 4, false);
  }
}

tj_tensor *tj__gpu_take(void) {
  const tj_status before = tj_error_code();
  if (gpu.running) tj__gpu_fuse_flush();
  if (tj_error_code() != before) return NULL;
  tj_tensor *t = tj__empty(TJ_INTS(gpu.n * 4), TJ_UINT8, TJ_CPU);
  if (!t) return NULL;
  if (gpu.n) memcpy(tj__write(t), gpu.words, (size_t)gpu.n * 4);
  gpu.n = gpu.pending = 0;
  gpu.notified = false;
  if (gpu.room > 1 << 22) { /* an upload is rare; its room need not stay */
    free(gpu.words);
    gpu.words = NULL;
    gpu.room = 0;
  }
  return t;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void count_live(int64_t bytes) {
  gpu.stats.live_bytes += bytes;
  gpu.stats.peak_bytes = TJ__MAX(gpu.stats.peak_bytes, gpu.stats.live_bytes);
  gpu.stats.buffers += bytes > 0 ? 1 : -1;
}

/* A number for a buffer; 0 when there is no memory. */
static uint32_t new_number(void) {
  if (gpu.free_head) {
    const int64_t number = gpu.free_head;
    gpu.free_head = gpu.buffers[number].next;
    return (uint32_t)number;
  }
  if (gpu.count == gpu.capacity) {
    const int64_t capacity = TJ__MAX(2 * gpu.capacity, 256);
    buffer *more = tj__grow(gpu.buffers, (size_t)capacity * sizeof *more);
    if (!more) return 0;
    gpu.buffers = more;
    gpu.capacity = capacity;
  }
  if (gpu.count >= 1 << 24) return 0;
  return (uint32_t)gpu.count++;
}

static void drop_number(uint32_t number) {
  gpu.buffers[number].words = 0;
  if (number < gpu.first_valid) return; /* its number stays invalid */
  gpu.buffers[number].next = gpu.free_head;
  gpu.free_head = number;
}

static void release_storage(void *data, size_t bytes, void *context) {
  (void)context;
  if (!data) return;
  const uint32_t number = number_at((uintptr_t)data);
  if (number == 0 || number >= gpu.count) return;                           /* of another thread's device */
  if (gpu.running && number >= gpu.first_valid) tj__gpu_fuse_freed(number); /* what waits may still have to find it */
  unplace(&gpu.buffers[number], bytes);
  if (number >= gpu.first_valid) count_live(-gpu.buffers[number].words * 4);
  if (gpu.running && number >= gpu.first_valid) {
    const tj_status before = tj_error_code();
    uint32_t *w = tj__gpu_record(TJ__GPU_FREE, 3);
    if (!w) { /* the buffer stays with the driver until the device goes; the caller has nothing to do with that */
      if (!before) tj_error_clear();
      return;
    }
    w[2] = number;
    recorded(false);
  }
  drop_number(number);
}

static void *allocate(size_t bytes, tj_dtype dtype) {
  if (!gpu.running) return fail_stopped(), NULL;
  const int64_t elements = (int64_t)(bytes / tj__dtype_sizes[dtype]), words = elements * tj__gpu_words(dtype);
  if (words * 4 > gpu.limits.buffer_bytes)
    return tj__fail(TJ_ERROR_MEMORY,
                    "webgpu: a tensor of %lld elements takes %lld bytes on the device, and the adapter binds at most %lld "
                    "(%s); split it (asked for by '%s')",
                    (long long)elements, (long long)words * 4, (long long)gpu.limits.buffer_bytes,
                    gpu.limits.by_buffer ? "maxBufferSize" : "maxStorageBufferBindingSize", tj__gpu_operator_name(tj__gpu_operator()));
  const uint32_t number = new_number();
  uintptr_t first = 0;
  if (!number || !place(number, bytes, &first)) {
    if (number) drop_number(number);
    return tj__fail(TJ_ERROR_MEMORY, "webgpu: there are no addresses left for a tensor of %lld bytes", (long long)bytes);
  }
  gpu.buffers[number] = (buffer){.first = first, .words = words};
  uint32_t *w = tj__gpu_record(TJ__GPU_CREATE, 5);
  if (!w) {
    unplace(&gpu.buffers[number], bytes);
    drop_number(number);
    return NULL;
  }
  w[2] = number;
  w[3] = (uint32_t)(words * 4);
  w[4] = tj__gpu_operator();
  count_live(words * 4);
  recorded(false);
  return (void *)first;
}

/* ---- bytes in and out ------------------------------------------------------------------------------------------- */

bool tj__gpu_has_dtype(tj_dtype dtype) {
  return dtype == TJ_COMPLEX64 ||
         (tj__class_of(dtype) != TJ__CLASS_COMPLEX && dtype != TJ_FLOAT64 && dtype != TJ_UINT32 && dtype != TJ_UINT64);
}

bool tj__gpu_write(void *address, tj_dtype dtype, const void *from, int64_t n) {
  uint32_t number, element;
  if (n == 0) return true;
  if (!tj__gpu_locate(address, dtype, &number, &element)) return false;
  const int64_t words = n * tj__gpu_words(dtype);
  uint32_t *w = tj__gpu_record(TJ__GPU_WRITE, 5 + words);
  if (!w) return false;
  w[2] = number;
  w[3] = element * 4 * (uint32_t)tj__gpu_words(dtype);
  w[4] = (uint32_t)words * 4;
  uint32_t *to = w + 5;
  int64_t bad = 0;
  bool fits = true;
#define EACH(type, value)                   \
  for (int64_t i = 0; i < n; i++) {         \
    const type v = ((const type *)from)[i]; \
    to[i] = (value);                        \
  }                                         \
  break
  switch (dtype) {
    case TJ_FLOAT32:
    case TJ_COMPLEX64:
    case TJ_INT32: memcpy(to, from, (size_t)words * 4); break;
    case TJ_FLOAT16: EACH(uint16_t, tj__float_bits(tj__half_to_float(v)));
    case TJ_BFLOAT16: EACH(uint16_t, (uint32_t)v << 16);
    case TJ_BOOL: EACH(uint8_t, v != 0);
    case TJ_UINT8: EACH(uint8_t, v);
    case TJ_INT8: EACH(int8_t, (uint32_t)(int32_t)v);
    case TJ_INT16: EACH(int16_t, (uint32_t)(int32_t)v);
    case TJ_UINT16: EACH(uint16_t, v);
    default:
      for (int64_t i = 0; i < n && fits; i++) {
        bad = ((const int64_t *)from)[i];
        fits = bad == (int32_t)bad;
        to[i] = (uint32_t)bad;
      }
  }
#undef EACH
  if (!fits) {
    gpu.n -= 5 + words;
    tj__fail(TJ_ERROR_RUNTIME, "webgpu keeps int64 in 32 bits: the value %lld does not fit", (long long)bad);
    return false;
  }
  tj__gpu_recorded();
  return true;
}

bool tj__gpu_upload(tj_tensor *t, const tj_tensor *src) { return tj__gpu_write(tj__write(t), (tj_dtype)t->dtype, tj__read(src), t->numel); }

bool tj__gpu_request(const tj_tensor *t, int64_t n, uint32_t ticket) {
  uint32_t number = 0, element = 0;
  const uint32_t each = 4 * (uint32_t)tj__gpu_words((tj_dtype)t->dtype);
  if (n && !tj__gpu_locate(tj__read(t), (tj_dtype)t->dtype, &number, &element)) return false;
  uint32_t *w = tj__gpu_record(TJ__GPU_READ, 6);
  if (!w) return false;
  w[2] = number;
  w[3] = element * each;
  w[4] = (uint32_t)n * each;
  w[5] = ticket;
  tj__gpu_recorded();
  return true;
}

static bool takes_dtype(tj_dtype dtype) {
  if (tj__gpu_has_dtype(dtype)) return true;
  tj__fail(TJ_ERROR_TYPE, "Cannot convert a webgpu Tensor to %s dtype as WebGPU doesn't support %s. Please use %s instead.",
           tj_dtype_name(dtype), tj_dtype_name(dtype),
           dtype == TJ_FLOAT64          ? "float32"
           : tj_dtype_is_complex(dtype) ? "complex64"
                                        : "int32");
  return false;
}

static bool move(void *to, const void *from, size_t bytes, tj_dtype dtype) {
  uint32_t target, at, source, element;
  const uint32_t each = 4 * (uint32_t)tj__gpu_words(dtype);
  if (!tj__gpu_locate(to, dtype, &target, &at) || !tj__gpu_locate(from, dtype, &source, &element)) return false;
  uint32_t *w = tj__gpu_record(TJ__GPU_COPY, 7);
  if (!w) return false;
  w[2] = source, w[3] = element * each, w[4] = target, w[5] = at * each, w[6] = (uint32_t)(bytes / tj__dtype_sizes[dtype]) * each;
  tj__gpu_recorded();
  return true;
}

/* ---- start and end ---------------------------------------------------------------------------------------------- */

void tj__gpu_forget_pipelines(void); /* kernel.c */
void tj__gpu_fill_tables(void);      /* backend.c */

bool tj__gpu_start(const tj__gpu_limits *limits, void (*notify)(void *context, int64_t bytes, bool full), void *context) {
  if (gpu.count == 0) {
    uint32_t zero = new_number(); /* number 0 is the driver's: no address has it */
    (void)zero;
    if (gpu.count == 0) return tj__fail(TJ_ERROR_MEMORY, "webgpu: there is no memory for the device") != NULL;
    gpu.buffers[0] = (buffer){0};
  }
  gpu.first_valid = (uint32_t)gpu.count;
  gpu.free_head = 0;
  gpu.n = gpu.pending = 0;
  gpu.notified = false;
  gpu.stats = (tj__gpu_stats){0};
  gpu.limits = *limits;
  gpu.notify = notify;
  gpu.context = context;
  if (!gpu.batch) gpu.batch = 64;
  gpu.generation++;
  gpu.running = true;
  gpu.reason[0] = 0;
  tj__profile_keep_names();
  tj__gpu_fuse_drop();
  tj__gpu_forget_pipelines();
  tj__gpu_fill_tables();
  static const tj__memory memory = {
      .allocate = allocate, .release = release_storage, .takes = takes_dtype, .upload = tj__gpu_upload, .move = move};
  tj__memory_register(&memory);
  return true;
}

void tj__gpu_stop(const char *reason) {
  gpu.running = false;
  tj__gpu_fuse_drop();
  gpu.n = gpu.pending = 0;
  snprintf(gpu.reason, sizeof gpu.reason, "%s", reason);
}

static _Thread_local char *messages[64]; /* of errors that kernels find; they stay */
static _Thread_local int n_messages;

int64_t tj__gpu_message(const char *text) {
  for (int i = 0; i < n_messages; i++)
    if (!strcmp(messages[i], text)) return TJ__GPU_MESSAGE + i;
  const size_t n = strlen(text) + 1;
  char *copy = n_messages < 64 ? malloc(n) : NULL;
  if (!copy) return tj__fail(TJ_ERROR_MEMORY, "webgpu: there is no room for another error") != NULL;
  memcpy(copy, text, n);
  messages[n_messages++] = copy;
  return TJ__GPU_MESSAGE + n_messages - 1;
}

void tj__gpu_fail(int64_t code, int64_t a, int64_t b, uint32_t operator_) {
  const long long x = (int32_t)a, y = (long long)b;
  const char *name = tj__gpu_operator_name(operator_);
  char found[TJ__GPU_NAME + 40];
  snprintf(found, sizeof found, *name ? "found on the device webgpu by '%s'" : "found on the device webgpu", name);
  if (code == TJ__GPU_INDEX) tj__fail(TJ_ERROR_INDEX, "index %lld is out of bounds for dimension with size %lld (%s)", x, y, found);
  else if (code == TJ__GPU_PIVOT)
    tj__fail(TJ_ERROR_RUNTIME, "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                               "Did you properly pass the result of lu_factor?");
  else if (code == TJ__GPU_LDL_PIVOT)
    tj__fail(TJ_ERROR_RUNTIME, "torch.linalg.ldl_solve: the pivots are none that ldl_factor gives for matrices of %lld rows", y);
  else if (code == TJ__GPU_OVERFLOW) tj__fail(TJ_ERROR_RUNTIME, "webgpu keeps int64 in 32 bits: a result does not fit (%s)", found);
  else if (code >= TJ__GPU_MESSAGE && code < TJ__GPU_MESSAGE + n_messages) {
    char text[512];
    snprintf(text, sizeof text, "%s (%s)", messages[code - TJ__GPU_MESSAGE], found);
    tj__fail_filled(TJ_ERROR_RUNTIME, text, x, (int32_t)b);
  } else tj__fail(TJ_ERROR_INTERNAL, "webgpu: a kernel left the code %lld", (long long)code);
}
