/* resample.h: one dimension of a tensor made anew: every element of the result is a sum of weighted elements of the input. Interpolation of
 * every mode, padding by index and the gradients of both (the same table transposed) are this one kernel, once a dimension. */
#ifndef TJ__KERNELS_RESAMPLE_H
#define TJ__KERNELS_RESAMPLE_H

#include "backend.h"

/* in is [outer, n_in, inner], out [outer, n_out, inner], both contiguous. */
typedef struct tj__taps {
  int64_t outer, n_in, n_out, inner;
  const int64_t *first; /* n_out + 1: element o has the taps first[o] to first[o + 1] - 1 */
  const int64_t *index; /* of a tap: in [0, n_in) */
  const double *weight; /* NULL: all are 1 */
} tj__taps;

typedef struct tj__resample_kernels {
  /* Without weights every dtype; with weights float32, float64 and uint8 (rounded to the nearest and limited to 0..255). */
  void (*combine)(const tj__taps *taps, tj_dtype dtype, const void *in, void *out);
} tj__resample_kernels;

#endif
