/* pool.h: pooling over contiguous planes of up to three dimensions. Every kind of pooling is a list of windows a dimension. */
#ifndef TJ__KERNELS_POOL_H
#define TJ__KERNELS_POOL_H

#include "backend.h"

typedef struct tj__pool_shape {
  tj_dtype dtype;
  int64_t planes, in[3], out[3]; /* dimensions in front that are not there have size 1 */
  int64_t step[3];               /* distance of a window's elements (dilation) */
  /* of output o in dimension d: elements start[d][o], start + step, ... below end[d][o], all inside the input */
  const int64_t *start[3], *end[3];
  const int64_t *extent[3]; /* averages: what the window counts as */
  int64_t divisor;          /* averages: instead of the product of the extents; 0: none */
  /* the lists follow from these: output o's window begins at o * stride - padding and has `kernel` elements; stride 0: they do not */
  int64_t kernel[3], stride[3], padding[3];
} tj__pool_shape;

typedef struct tj__pool_kernels {
  /* Largest elements (NaN is larger than all) and where they are in their plane (int64). */
  void (*largest)(const tj__pool_shape *s, const void *in, void *out, int64_t *indices);
  /* grad_in[i] = the sum of grad over the windows that chose element i, in their order; NULL: scatter does the same without the windows */
  void (*largest_backward)(const tj__pool_shape *s, const void *grad, const int64_t *indices, void *grad_in);
  void (*average)(const tj__pool_shape *s, const void *in, void *out);
  void (*average_backward)(const tj__pool_shape *s, const void *grad, void *grad_in);
  /* grad_in[plane][indices[plane][i]] += grad[plane][i], the rest zero; and the other way. Elements of a plane: n_in, n_out.
   * false (without an error set) when an index is out of range. */
  bool (*scatter)(tj_dtype dtype, int64_t planes, int64_t n_in, int64_t n_out, const void *grad, const int64_t *indices, void *grad_in);
  bool (*gather)(tj_dtype dtype, int64_t planes, int64_t n_in, int64_t n_out, const void *in, const int64_t *indices, void *out);
} tj__pool_kernels;

#endif
