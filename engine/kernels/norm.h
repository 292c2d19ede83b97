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

/* mean, rstd: `groups` elements of the dtype. weight, bias: n_weights elements, or NULL. */
typedef struct tj__norm_kernels {
  /* Of devices that cannot be looked at: mean, rstd = 1 / sqrt(variance + eps) and the biased variance (float32; NULL: not wanted) of each group. The
   * CPU has `moments` in its place. */
  void (*statistics)(const tj__norm_shape *s, const void *x, double eps, void *mean, void *rstd, void *variance);
  void (*moments)(const tj__norm_shape *s, const void *x, double *mean, double *variance); /* biased */
  void (*apply)(const tj__norm_shape *s, const void *x, const void *mean, const void *rstd, const void *weight, const void *bias,
                void *out);
  /* Both for an outer of 1: writes mean and rstd = 1 / sqrt(variance + eps) too. */
  void (*normalise)(const tj__norm_shape *s, const void *x, double eps, const void *weight, const void *bias, void *mean, void *rstd,
                    void *out);
  /* training: mean and rstd are functions of x; else constants */
  void (*grad_input)(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, const void *weight,
                     bool training, void *out);
  void (*grad_weight)(const tj__norm_shape *s, const void *grad, const void *x, const void *mean, const void *rstd, void *out);
} tj__norm_kernels;

#endif
