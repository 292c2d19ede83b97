/* creation.h: the kernels that write sequences into new tensors: n adjacent elements. */
#ifndef TJ__KERNELS_CREATION_H
#define TJ__KERNELS_CREATION_H

#include "../core/core.h"

typedef struct tj__creation_kernels {
  void (*arange)(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar step);
  void (*linspace)(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end);
  void (*logspace)(void *out, tj_dtype dtype, int64_t n, tj_scalar start, tj_scalar end, double base);
  /* Rows, then columns, of the n elements of a rows x columns matrix below and on (lower), or above and on, a diagonal. */
  void (*triangle)(void *out, tj_dtype dtype, int64_t n, int64_t rows, int64_t columns, int64_t offset, bool lower);
} tj__creation_kernels;

#endif
