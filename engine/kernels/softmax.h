/* softmax.h: what a device offers for softmax and log_softmax. All tensors are floating, of one dtype, contiguous [outer, n, inner]. */
#ifndef TJ__KERNELS_SOFTMAX_H
#define TJ__KERNELS_SOFTMAX_H

#include "backend.h"

typedef struct tj__softmax_kernels {
  bool (*softmax)(bool log, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner);
  /* softmax: result (grad - sum(grad result)); log: grad - exp(result) sum(grad) */
  bool (*backward)(bool log, tj_tensor *out, const tj_tensor *grad, const tj_tensor *result, int64_t outer, int64_t n, int64_t inner);
} tj__softmax_kernels;

#endif
