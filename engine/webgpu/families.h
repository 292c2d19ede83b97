/* families.h: the families that webgpu has kernels of. The schema's list (schema/webgpu.txt) says which operators use them, so that the others
 * fail before they get to a table that is not there. */
#ifndef TJ__WEBGPU_FAMILIES_H
#define TJ__WEBGPU_FAMILIES_H

#include "../kernels/backend.h"

#define TJ__GPU_FAMILIES(X) \
  X(reduce)                 \
  X(gemm)                   \
  X(softmax)                \
  X(conv)                   \
  X(index) X(norm) X(optim) X(pool) X(random) X(creation) X(scan) X(sort) X(resample) X(attention) X(distance) X(linalg) X(eigen) X(fft)
#define TJ__X(family) extern const struct tj__##family##_kernels tj__webgpu_##family;
TJ__GPU_FAMILIES(TJ__X)
#undef TJ__X

/* out[i] = sum over p of parts[p][i]: n parts of `each` float32 numbers. */
bool tj__gpu_add_up(const void *parts, int64_t n, int64_t each, void *out, tj_dtype dtype);
/* A table of the host on the device, as int32 or float32 (weights): its address; NULL and an error on failure. The scope frees it. */
const void *tj__gpu_table(const int64_t *values, int64_t n);
const void *tj__gpu_weights(const double *values, int64_t n);

/* The most frequent element of each line, as tj__sort_kernels' rank gives it. */
bool tj__gpu_mode(tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner);

/* Random numbers of the CPU's stream, drawn by the host; what is NULL there is not drawn so. */
extern const struct tj__random_kernels tj__gpu_host_random;

/* Zeros: n factorisations that did not fail. */
bool tj__gpu_no_failures(int32_t *info, int64_t n);

/* The error of a kernel that a family lacks; false. */
bool tj__gpu_missing(const char *kernel);

#endif
