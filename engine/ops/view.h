/* view.h: what the files of views share. */
#ifndef TJ__OPS_VIEW_H
#define TJ__OPS_VIEW_H

#include "../core/core.h"

/* Marks the dims in seen (TJ_MAX_DIMS values); false and PyTorch's error when one is out of range or there twice. */
bool tj__dim_mask(tj_ints dims, int64_t ndim, bool *seen);

#endif
