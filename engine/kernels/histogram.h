/* histogram.h: what a device offers for counting points in boxes. */
#ifndef TJ__KERNELS_HISTOGRAM_H
#define TJ__KERNELS_HISTOGRAM_H

#include "backend.h"

typedef enum tj__bins_kind {
  TJ__BINS_WIDTH, /* intervals of equal width, by division */
  TJ__BINS_NEAR,  /* the same, corrected by the edges, whose rounding decides */
  TJ__BINS_SEARCH /* any edges, by binary search */
} tj__bins_kind;

typedef struct tj__histogram_kernels {
  /* hist (float64, contiguous, zeroed) += weight (1 without any) of each point of x [n, d], float32 or float64 as edges and weight are;
   * edges[k] holds hist's size along k and one more. Points outside of the edges, and NaN, count nowhere; a bin has its lower edge,
   * the last one both. false without memory. */
  bool (*count)(tj__bins_kind kind, tj_tensor *hist, const tj_tensor *x, tj_tensor *const *edges, const tj_tensor *weight);
  /* counts[x[i]] += 1 for n numbers in [0, bins). false without memory. */
  bool (*numbers)(int64_t *counts, int64_t bins, const int64_t *x, int64_t n);
} tj__histogram_kernels;

#endif
