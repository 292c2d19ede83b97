/* fft.h: discrete Fourier transforms along one dimension of contiguous tensors. Results do not depend on the number of threads. */
#ifndef TJ__KERNELS_FFT_H
#define TJ__KERNELS_FFT_H

#include "backend.h"

typedef enum tj__fft_kind {
  TJ__FFT_C2C,
  TJ__FFT_R2C, /* real to the first n / 2 + 1 coefficients */
  TJ__FFT_C2R, /* from those back to real numbers; the others are their conjugates */
} tj__fft_kind;

/* in is [outer, in_n, inner], out [outer, out_n, inner]. Input past n is left out, missing input counts as zero; output past what there is
 * becomes zero. */
typedef struct tj__fft_args {
  tj__fft_kind kind;
  tj_dtype dtype; /* of the real numbers: float32 or float64 */
  int64_t n;      /* length of the transform */
  int64_t outer, inner, in_n, out_n;
  bool inverse; /* exp(+2 pi i j k / n) */
  double scale;
  const void *in;
  void *out;
} tj__fft_args;

typedef struct tj__fft_kernels {
  bool (*transform)(const tj__fft_args *args); /* false and an error when there is no memory */
} tj__fft_kernels;

#endif
