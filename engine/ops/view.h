/* view.h: what the files of views share. */
#ifndef TJ__OPS_VIEW_H
#define TJ__OPS_VIEW_H

#include "../iter/convert.h"

/* Marks the dims in seen (TJ_MAX_DIMS values); false and PyTorch's error when one is out of range or there twice. */
bool tj__dim_mask(tj_ints dims, int64_t ndim, bool *seen);
/* Zeros of these sizes with the gradient's dtype and device, below autograd. */
static inline tj_tensor *tj__zero_grad(tj_ints sizes, const tj_tensor *grad) {
  tj_tensor *t = tj__empty(sizes, (tj_dtype)grad->dtype, grad->storage->device);
  return t && tj__fill(t, tj_int(0)) ? t : NULL;
}

#endif
