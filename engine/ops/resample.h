/* resample.h: tables of the kernel family `resample`, which pad.c and interpolate.c make and apply. */
#ifndef TJ__OPS_RESAMPLE_H
#define TJ__OPS_RESAMPLE_H

#include "core/core.h"

/* Of one dimension: n_out elements made of n_in. */
typedef struct tj__table {
  int64_t n_in, n_out, n_taps;
  int64_t *first, *index; /* as in tj__taps; index has room for `capacity` taps */
  double *weight;         /* NULL: all 1 */
  int64_t capacity;
} tj__table;

/* false and an error without memory. */
bool tj__table_init(tj__table *t, int64_t n_in, int64_t n_out, int64_t capacity, bool weighted);
void tj__table_drop(tj__table *t);
/* The table of the gradient: taps of n_in elements out of n_out. */
bool tj__table_transpose(const tj__table *t, tj__table *out);
/* Dimension `dim` of a contiguous tensor by the table; a new contiguous tensor. NULL and an error on failure. */
tj_tensor *tj__table_apply(tj_tensor *t, int dim, const tj__table *table);

#endif
