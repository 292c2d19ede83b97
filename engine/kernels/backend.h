/* backend.h: what a device offers: one table of kernels a family. ops/ asks tj__backend_of(device) and calls through it; it knows no
 * device. engine/kernels/<family>.h says what the kernels of a family take; engine/cpu/<family>.c has them for the CPU, compiled once
 * an instruction set. */
#ifndef TJ__BACKEND_H
#define TJ__BACKEND_H

#include "../core/core.h"

/* clang-format off */
#define TJ__FAMILIES(X) \
  X(pointwise) X(copy) X(reduce) X(scan) X(sort) X(index) X(gemm) X(conv) X(pool) X(norm) X(softmax) X(random) X(creation) \
  X(optim) X(linalg) X(eigen) X(fft) X(resample) X(histogram) X(distance) X(recurrent) X(attention)
/* clang-format on */

#define TJ__X(family) struct tj__##family##_kernels;
TJ__FAMILIES(TJ__X)
#undef TJ__X

struct tj__iter;
struct tj__params;

typedef struct tj__backend {
  const char *name; /* "cpu-avx512" */
#define TJ__X(family) const struct tj__##family##_kernels *family;
  TJ__FAMILIES(TJ__X)
#undef TJ__X
  /* Of a device that runs whole iterations by itself: what tj__iter_run does there. The loops of its tables are then no functions, but names
   * of its own. NULL: loops are called. */
  bool (*iterate)(const struct tj__iter *it, const void *loop, const struct tj__params *params);
} tj__backend;
extern const tj__backend tj__webgpu_backend; /* engine/webgpu/backend.c */

/* NULL and an error for a device that is not there. */
const tj__backend *tj__backend_of(tj_device device);
/* Of the tensors' device; NULL and PyTorch's error when they are on different ones. NULL entries are passed over. */
const tj__backend *tj__backend_for(tj_tensor *const *tensors, int64_t n);

/* For tests: from now on the CPU's kernels are those of level 0 (the baseline), 1, ...; returns the name, NULL where there is no such level.
 * No operator may be running. */
const char *tj__backend_use(int level);

/* CPU kernels' names carry their instruction set: TJ__ISA(tj__cpu_reduce) is tj__cpu_reduce_avx2 in the AVX2 build of the file. */
#ifdef TJ__ISA_NAME
#define TJ__PASTE2(a, b) a##_##b
#define TJ__PASTE(a, b) TJ__PASTE2(a, b)
#define TJ__ISA(name) TJ__PASTE(name, TJ__ISA_NAME)
/* 1 in the baseline build of a file, where alone rare loops are compiled. */
#define TJ__IS_base 1
#if TJ__PASTE(TJ__IS, TJ__ISA_NAME)
#define TJ__BASELINE 1
#else
#define TJ__BASELINE 0
#endif
#endif

#endif
