/* index.h: what a device offers for reading and writing at places given by other tensors. Index tensors are int64; everything is contiguous. */
#ifndef TJ__KERNELS_INDEX_H
#define TJ__KERNELS_INDEX_H

#include "backend.h"

typedef enum tj__scatter_kind {
  TJ__SCATTER_SET, /* the last one wins */
  TJ__SCATTER_ADD,
  TJ__SCATTER_MULTIPLY,
  TJ__SCATTER_MAX, /* NaN wins; real dtypes */
  TJ__SCATTER_MIN,
} tj__scatter_kind;

/* A tensor as [outer, size, inner], of which n places of the middle are meant. */
typedef struct tj__places {
  int64_t outer, size, inner, n;
  const int64_t *offsets; /* n of them, in [0, size); negative: passed over (writing only) */
} tj__places;

typedef struct tj__index_kernels {
  /* Are all of the n indices in [0, size)? Where nobody can look: NULL. */
  bool (*within)(const int64_t *index, int64_t n, int64_t size);
  /* Adds index * stride to the offsets, negative indices counted from size where `wrap` says so. false and the bad index when one is out of range. */
  bool (*offsets)(int64_t *offsets, const int64_t *index, int64_t n, int64_t size, int64_t stride, bool wrap, int64_t *bad);
  void (*get)(tj_tensor *out, const tj_tensor *self, const tj__places *places);
  /* values [outer, n, inner], or [outer, 1, inner] that every place gets, of self's dtype; in order, so that the result is one and the same. false: no such dtype. */
  bool (*put)(tj__scatter_kind kind, tj_tensor *self, const tj_tensor *values, const tj__places *places);
  /* out[..., j, ...] = self[..., index[..., j, ...], ...]; sizes of index are at most self's apart from dim. false and the first bad index when one is out of range. */
  bool (*gather)(tj_tensor *out, const tj_tensor *self, int dim, const tj_tensor *index, int64_t *bad);
  /* self[..., index, ...] changed by src, whose first elements in every dimension are taken. false and the first bad index when one is out of range;
   * self is then as it was. */
  bool (*scatter)(tj__scatter_kind kind, tj_tensor *self, int dim, const tj_tensor *index, const tj_tensor *src, int64_t *bad);
  int64_t (*count_true)(const tj_tensor *mask); /* negative on failure */
  /* Flat places of the true elements, in order. false on failure. */
  bool (*true_places)(int64_t *out, const tj_tensor *mask);
  /* The elements of self, of mask's sizes, where mask is true, in order. false on failure. */
  bool (*select_true)(tj_tensor *out, const tj_tensor *self, const tj_tensor *mask);
  /* Row k of out [n, ndim]: the coordinates of flat place k (columns = false: column d, out [ndim, n]). */
  void (*unravel)(int64_t *out, const int64_t *flat, int64_t n, const int64_t *sizes, int64_t ndim, bool columns);
  /* Matrices [batch, rows, columns]: keeps what is on or below (above) the diagonal, zero elsewhere. */
  void (*triangle)(tj_tensor *out, const tj_tensor *in, int64_t diagonal, bool upper);
  /* nll_loss where the targets cannot be looked at (the CPU composes it): self [n, classes, inner], target (int64) [n, inner], weight [classes] or
   * NULL. losses and weights [n, inner]: -w self at the target, and w, both 0 for an ignored target. */
  void (*nll)(tj_tensor *losses, tj_tensor *weights, const tj_tensor *self, const tj_tensor *target, const tj_tensor *weight,
              int64_t ignore_index, int64_t classes, int64_t inner);
  /* out [n, classes, inner] = -w grad / total at the targets, else 0. grad has one element or n * inner; total: one, or NULL. */
  void (*nll_backward)(tj_tensor *out, const tj_tensor *grad, const tj_tensor *total, const tj_tensor *target, const tj_tensor *weight,
                       int64_t ignore_index, int64_t classes, int64_t inner);
} tj__index_kernels;

#endif
