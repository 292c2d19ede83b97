/* creation.h: what the factories share. */
#ifndef TJ__OPS_CREATION_H
#define TJ__OPS_CREATION_H

#include "../core/core.h"

/* t after requires_grad_(requires_grad); NULL in, NULL out; NULL and the error for a dtype that cannot require gradients. */
tj_tensor *tj__with_requires_grad(tj_tensor *t, bool requires_grad);
/* torch.empty_like; dtype, device and memory format may be left out (NONE, NONE, NULL). */
tj_tensor *tj__empty_like_as(tj_tensor *t, tj_dtype dtype, tj_device device, const char *memory_format);

#endif
