/* conv.h: the three kernels of a convolution over contiguous tensors: its result and its gradients. A transposed convolution is the
 * gradient of one with respect to its input. Results do not depend on the number of threads. */
#ifndef TJ__KERNELS_CONV_H
#define TJ__KERNELS_CONV_H

#include "backend.h"

/* Three spatial dimensions; those in front have size 1. input [batch, groups * in_channels, in...], weight [groups * out_channels,
 * in_channels, kernel...], output [batch, groups * out_channels, out...]. out is given, so it may be less or more than the formula of a
 * plain convolution says (missing input counts as zeros). */
typedef struct tj__conv_shape {
  tj_dtype dtype;                                   /* any but bool, the halves and the unsigned ones beyond uint8 */
  int64_t batch, groups, in_channels, out_channels; /* channels of one group */
  int64_t in[3], kernel[3], out[3], stride[3], padding[3], dilation[3];
} tj__conv_shape;

/* false and an error when there is no memory. */
typedef struct tj__conv_kernels {
  bool (*forward)(const tj__conv_shape *s, const void *input, const void *weight, const void *bias, void *output); /* bias may be NULL */
  bool (*grad_input)(const tj__conv_shape *s, const void *grad, const void *weight, void *grad_input);
  bool (*grad_weight)(const tj__conv_shape *s, const void *grad, const void *input, void *grad_weight);
} tj__conv_kernels;

#endif
