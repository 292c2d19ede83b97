/* index.h: what the index operators share. */
#ifndef TJ__OPS_INDEX_H
#define TJ__OPS_INDEX_H

#include "../kernels/index.h"
#include "reduce.h"

tj_tensor *tj__zeros(tj_ints sizes, const tj_tensor *like); /* like's dtype and device; no autograd */
tj_tensor *tj__int64_index(tj_tensor *index);               /* contiguous int64 */
/* Flat places of the elements of mask (bool, any layout) that are true: int64 [n]. */
tj_tensor *tj__true_places(tj_tensor *mask);
/* The elements of self where mask, of the same sizes, is true. */
tj_tensor *tj__select_true(tj_tensor *self, tj_tensor *mask);
/* What index (contiguous int64) means along a dimension of `size`, negative ones counted from the end where `wrap` says so: 1 and the places, which
 * are index's own elements where none has to change; 0 and the first bad index; negative on failure. */
int tj__index_places(tj_tensor *index, int64_t size, bool wrap, const int64_t **places, int64_t *bad);
/* index_add of source to zeros of these sizes, without a copy where no graph is recorded. */
tj_tensor *tj__add_to_zeros(tj_ints sizes, int64_t dim, tj_tensor *index, tj_tensor *source);
/* Contiguous copy of self of its own, to be written. */
tj_tensor *tj__own_copy(tj_tensor *self);

#endif
