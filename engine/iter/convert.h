/* convert.h: copies between tensors of any dtypes and layouts, below autograd. The iterator converts its operands with these; operators
 * use them through ops/copy.h. */
#ifndef TJ__CONVERT_H
#define TJ__CONVERT_H

#include "../core/core.h"

/* t itself when it has the dtype already, else a copy in t's layout. NULL on failure. */
tj_tensor *tj__to_dtype(tj_tensor *t, tj_dtype dtype);
/* t itself when it is contiguous, else a contiguous copy. NULL on failure. */
tj_tensor *tj__contiguous(tj_tensor *t);
/* t itself when it is on the device already, else a contiguous copy there. NULL on failure. */
tj_tensor *tj__on_device(tj_tensor *t, tj_device device);
/* A copy of its own, in t's layout (torch.preserve_format). */
tj_tensor *tj__clone(tj_tensor *t);
/* Writes src, broadcast to dst's sizes and converted to its dtype, into dst. Returns dst; NULL on failure. No version is counted. */
tj_tensor *tj__copy_into(tj_tensor *dst, tj_tensor *src);
/* Sets all elements. A number that the dtype cannot hold is PyTorch's error ("value cannot be converted to type int8_t without overflow"). */
tj_tensor *tj__fill(tj_tensor *t, tj_scalar value);
/* That check alone: true, or false and the error. */
bool tj__check_scalar_fits(tj_scalar value, tj_dtype dtype);

#endif
