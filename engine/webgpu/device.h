/* device.h: the webgpu device as the engine sees it: memory by number, and a stream of commands that a driver outside of the engine takes and
 * runs. Nothing here calls a GPU.
 *
 * Memory. Every storage is one buffer. Its tensors have addresses, as on the CPU, so that kernels are called with the same arguments on every
 * device; these addresses lie where no memory of the process can be, and tj__gpu_locate finds the buffer and the element back. An element
 * takes one word of 32 bits on the device, whatever its dtype: float16 and bfloat16 are kept as float32 rounded to their precision, integers
 * of 64 bits in 32 (what does not fit is refused where it enters), bool as 0 and 1. complex64 takes two, so that its parts are float32 as they lie.
 *
 * Threads. A device belongs to the thread that started it. */
#ifndef TJ__WEBGPU_DEVICE_H
#define TJ__WEBGPU_DEVICE_H

#include "../core/core.h"

/* The commands of a stream: words of 32 bits, the first of each is the command, the second its length in words, both included.
 * ts/src/webgpu/driver.ts reads them. */
enum tj__gpu_command {
  TJ__GPU_CREATE = 1, /* buffer, bytes, operator */
  TJ__GPU_FREE,       /* buffer */
  TJ__GPU_WRITE,      /* buffer, byte offset, bytes, then the bytes */
  TJ__GPU_COPY,       /* source, byte offset, target, byte offset, bytes */
  TJ__GPU_CLEAR,      /* buffer, byte offset, bytes */
  TJ__GPU_PIPELINE,   /* pipeline, number of bindings, 1 for each that is written or 0, bytes of label and code, then both */
  TJ__GPU_DISPATCH,   /* pipeline, workgroups x, y, z, number of words, number of buffers, words, buffers, operator */
  TJ__GPU_READ,       /* buffer, byte offset, bytes, ticket */
};

/* What the adapter allows. */
typedef struct tj__gpu_limits {
  int64_t buffer_bytes; /* of one buffer and of one binding */
  bool by_buffer;       /* it is the buffer that says so, not the binding */
  int64_t groups;       /* workgroups in one dimension */
  int64_t bindings;     /* storage buffers of one kernel */
  int64_t invocations;  /* of one workgroup */
  int64_t shared_bytes; /* of one workgroup */
  int64_t subgroup;     /* invocations of every subgroup; 0: the adapter has none, or their sizes differ */
} tj__gpu_limits;

typedef struct tj__gpu_stats {
  int64_t live_bytes, peak_bytes, buffers; /* that tensors hold */
  int64_t dispatches, pipelines, commands; /* recorded since the start */
} tj__gpu_stats;

/* Makes the device webgpu:0 of this thread. `notify` is called when commands enter an empty stream and when there are `batch` of them (full); it
 * may take the stream, which has `bytes` then. What is left of an earlier device is lost. */
bool tj__gpu_start(const tj__gpu_limits *limits, void (*notify)(void *context, int64_t bytes, bool full), void *context);
void tj__gpu_set_batch(int64_t batch);
/* From now on everything that needs the device fails with this reason. */
void tj__gpu_stop(const char *reason);
bool tj__gpu_running(void);
const tj__gpu_limits *tj__gpu_limits_of(void);
tj__gpu_stats tj__gpu_stats_of(void);
void tj__gpu_reset_peak(void);
/* Whether all random numbers of this thread's device are those of the CPU's stream (torch.webgpu.set_random_stream). */
void tj__gpu_set_host_random(bool on);
/* The commands since the last call, as a uint8 tensor of the CPU. */
tj_tensor *tj__gpu_take(void);

/* Room for a command of n words in the stream, the first two of which are written; NULL and an error when there is no memory. The caller
 * fills it before anything else is recorded. */
uint32_t *tj__gpu_record(enum tj__gpu_command command, int64_t n);
/* After a command is complete: tells the driver when it is time. */
void tj__gpu_recorded(void);
/* Something waits that is not in the stream yet (fusion.h). */
void tj__gpu_waiting(void);

/* Has the device elements of this dtype? */
bool tj__gpu_has_dtype(tj_dtype dtype);
/* Words of an element. */
static inline int tj__gpu_words(tj_dtype dtype) { return dtype == TJ_COMPLEX64 ? 2 : 1; }
/* Buffer and element of an address in a tensor of the dtype; false and an error for an address of the CPU or of a device that is gone. */
bool tj__gpu_locate(const void *address, tj_dtype dtype, uint32_t *buffer, uint32_t *element);

/* n elements of the dtype from the host to an address. */
bool tj__gpu_write(void *address, tj_dtype dtype, const void *from, int64_t n);
/* Bytes to the device and back. src is contiguous, of the CPU and of t's dtype; t is contiguous. */
bool tj__gpu_upload(tj_tensor *t, const tj_tensor *src);
/* Asks for n elements from t's first one on, as they lie in memory. */
bool tj__gpu_request(const tj_tensor *t, int64_t n, uint32_t ticket);

/* Errors that kernels find in the numbers: they leave a code two numbers and their operator in words 0 to 3 of buffer 0, which the driver looks at
 * with every read. The first one stays. */
enum tj__gpu_error {
  TJ__GPU_INDEX = 1, /* an index (a) that is out of the range of a dimension (b) */
  TJ__GPU_PIVOT,     /* a pivot of lu (a) that is none of b rows */
  TJ__GPU_LDL_PIVOT, /* a pivot of ldl (a) that is none of b rows */
  TJ__GPU_OVERFLOW,  /* an int64 that 32 bits do not hold: 4, as math.wgsl has it */
  TJ__GPU_MESSAGE = 64,
};
/* Code of an error with this text, in which \1 stands for a number a that counts batch elements and \2 for a number b; 0 and an error when there is no
 * room. */
int64_t tj__gpu_message(const char *text);
void tj__gpu_fail(int64_t code, int64_t a, int64_t b, uint32_t operator_);

/* FNV-1a, for the tables of this device: of n bytes more. */
#define TJ__GPU_HASH 14695981039346656037u
static inline uint64_t tj__gpu_hash(uint64_t h, const void *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) h = (h ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
  return h;
}

/* Operators in the stream are numbers (names.c), for errors that are found when they have long returned. */
/* The one that runs; 0: none, or nobody can tell. */
uint32_t tj__gpu_operator(void);
#define TJ__GPU_NAME 240 /* bytes of a name at most */
/* Several together. */
uint32_t tj__gpu_operators(const uint32_t *numbers, int n);
/* "softmax", "log_softmax in cross_entropy", "mul, add, exp"; "" for 0. */
const char *tj__gpu_operator_name(uint32_t number);

#endif
