/* norm.h: normalisation of a contiguous tensor seen as [outer, groups, inner]: mean and variance are those of a group, over outer and inner.
 * float32 and float64. Results do not depend on the number of threads. */
#ifndef TJ__KERNELS_NORM_H
#define TJ__KERNELS_NORM_H

#include "backend.h"

typedef struct tj__norm_shape {
  tj_dtype dtype;
  int64_t outer, groups, inner;
  /* The weight of element (a, c, b) is number (c % weight_groups) * weight_step + b / weight_run. batch: (groups, 1, inner); layer:
   * (1, 0, 1); group: (groups of one sample, channels of a group, size of a channel). */
  int64_t weight_groups, weight_step, weight_run, n_weights;
} tj__norm_shape;

/* mean, rstd: `groups` elements of the dtype. weight, bias: n_weights elements, or NULL. false: out of memory, with an error. */
typedef struct tj__norm_kernels {
  void (*apply)(const tj__norm_shape *s, const void *x, const void *mean, const void *rstd, const void *weight, const void *bias,
                void *out);
  /* Writes mean, rstd = 1 / sqrt(variance + eps) and, unless NULL, the biased variance (float64, on devices that cannot be looked at float32), too. */
  bool (*normalise)(const tj__norm_shape *s, const void *x, double eps, const void *weight, const void *bias, void *mean, void *rstd,
                    void *variance, void *out);
  /* The gradients of x, weight and bias; NULL: not wanted. training: mean and rstd are functions of x; else constants. */
  bool (*backward)(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, const void *weight,
                   bool training, void *grad_input, void *grad_weight, void *grad_bias);
} tj__norm_kernels;

#endif
