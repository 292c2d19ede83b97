/* copy.h: copies and conversions for the other operators: tj__to_dtype, tj__contiguous, tj__clone, tj__copy_into, tj__fill. */
#ifndef TJ__OPS_COPY_H
#define TJ__OPS_COPY_H

#include "../iter/convert.h"

/* out = condition ? yes : no, all broadcast; yes and no have one dtype, which is out's too. out may be NULL. condition is bool. */
tj_tensor *tj__where(tj_tensor *out, tj_tensor *condition, tj_tensor *yes, tj_tensor *no);
/* A copy laid out as the memory format says ("contiguous_format", "channels_last", "channels_last_3d"; "preserve_format" or NULL: as t is). */
tj_tensor *tj__clone_as(tj_tensor *t, tj_dtype dtype, const char *memory_format);
/* "channels_last" or "channels_last_3d" where t's strides say so (torch's suggest_memory_format); else NULL. */
const char *tj__suggested_format(const tj_tensor *t);

#endif
