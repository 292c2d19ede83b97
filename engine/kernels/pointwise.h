/* pointwise.h: the loops of the pointwise operators, by operator and by the dtype that they compute in. The loops and their numbers are
 * generated from the schema. */
#ifndef TJ__KERNELS_POINTWISE_H
#define TJ__KERNELS_POINTWISE_H

#include "../iter/iter.h"
#include "pointwise_ids.h"

typedef struct tj__pointwise_kernels {
  tj__loop loops[TJ__PW_COUNT][TJ_DTYPE_COUNT]; /* NULL: not implemented for this dtype */
} tj__pointwise_kernels;

#endif
