/* loss.h: what the losses share: reading and doing the reduction. */
#ifndef TJ__OPS_LOSS_H
#define TJ__OPS_LOSS_H

#include "core/core.h"

/* "none", "mean" or "sum" from reduction and its older spelling. NULL and PyTorch's error for anything else. */
const char *tj__loss_reduction(int size_average, int reduce, const char *reduction);
/* t as it is, its mean or its sum. NULL in, NULL out. */
tj_tensor *tj__loss_reduce(tj_tensor *t, const char *reduction);

#endif
