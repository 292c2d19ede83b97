/* distance.h: what a device offers for distances between rows. Contiguous float32 and float64. */
#ifndef TJ__KERNELS_DISTANCE_H
#define TJ__KERNELS_DISTANCE_H

#include "backend.h"

typedef struct tj__distance_kernels {
  /* out [batch, n, m] = p-norms of a [batch, n, width] - b [batch, m, width], p >= 0; infinity too. */
  void (*distances)(double p, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t batch, int64_t n, int64_t m, int64_t width);
  /* Its derivative by a: out [batch, n, width] from grad and distances, both [batch, n, m]. Zero where a distance is zero. */
  void (*gradient)(double p, tj_tensor *out, const tj_tensor *grad, const tj_tensor *distances, const tj_tensor *a, const tj_tensor *b,
                   int64_t batch, int64_t n, int64_t m, int64_t width);
} tj__distance_kernels;

#endif
