/* families.h: the families that webgpu has kernels of. The schema's list (schema/webgpu.txt) says which operators use them, so that the others
 * fail before they get to a table that is not there. */
#ifndef TJ__WEBGPU_FAMILIES_H
#define TJ__WEBGPU_FAMILIES_H

#include "../kernels/backend.h"

#define TJ__GPU_FAMILIES(X) X(reduce) X(gemm) X(softmax)
#define TJ__X(family) extern const struct tj__##family##_kernels tj__webgpu_##family;
TJ__GPU_FAMILIES(TJ__X)
#undef TJ__X

/* The error of a kernel that a family lacks; false. */
bool tj__gpu_missing(const char *kernel);

#endif
