/* softmax.h: what a device offers for softmax and log_softmax. All tensors are floating, of one dtype, contiguous [outer, n, inner]. */
#ifndef TJ__KERNELS_SOFTMAX_H
#define TJ__KERNELS_SOFTMAX_H

#include "backend.h"

typedef struct tj__softmax_kernels {
  bool (*softmax)(bool log, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner);
  /* softmax: result (grad - sum(grad result)); log: grad - exp(result) sum(grad) */
  bool (*backward)(bool log, tj_tensor *out, const tj_tensor *grad, const tj_tensor *result, int64_t outer, int64_t n, int64_t inner);
  /* losses [rows] = -log_softmax(in) at the targets (in range), in [rows, n]; shift [rows, 2], of the type of the arithmetic (float64 for itself, else
   * float32): the largest element, and the logarithm of the sum of exponentials of what it is above the others. NULL where only composed. */
  bool (*cross_entropy)(tj_tensor *losses, tj_tensor *shift, const tj_tensor *in, const int64_t *target);
  /* out = grad (exp(log_softmax(in)) - 1 at the target), grad [rows] */
  bool (*cross_entropy_backward)(tj_tensor *out, const tj_tensor *grad, const tj_tensor *in, const tj_tensor *shift, const int64_t *target);
} tj__softmax_kernels;

#endif
