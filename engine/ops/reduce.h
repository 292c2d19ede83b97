/* reduce.h: what the reductions in ops/ share: which dimensions go, and the sizes that stay. */
#ifndef TJ__OPS_REDUCE_H
#define TJ__OPS_REDUCE_H

#include "../kernels/reduce.h"
#include "arithmetic.h"

/* dims -> one flag a dimension of self. Not given or empty: all of them. false and PyTorch's error for a bad or repeated dimension. */
bool tj__reduce_flags(tj_ints dims, int64_t ndim, bool *flags);
/* Sizes of the result into out; returns their number. */
int tj__reduce_sizes(const tj_tensor *self, const bool *flags, bool keepdim, int64_t *out);
/* How the kernel walks self. */
void tj__reduce_geometry_of(const tj_tensor *self, const bool *flags, tj__reduce_geometry *g);
/* The whole of it: a result of `result` dtype from self, which has a dtype that the kernel takes. */
tj_tensor *tj__reduce(tj__reduce_kind kind, tj_tensor *self, const bool *flags, bool keepdim, tj_dtype result,
                      const tj__reduce_params *params);
/* Error "NAME(): Expected reduction dim 0 to have non-zero size." where a reduced dimension is empty. */
bool tj__reduce_nonempty(const tj_tensor *self, const bool *flags, const char *name);

/* self contiguous as [outer, n, inner] around a dimension. A 0-dimensional tensor is [1, 1, 1]. NULL and an error on failure. */
typedef struct tj__lines {
  int64_t outer, n, inner;
  int dim;
} tj__lines;
tj_tensor *tj__lines_of(tj_tensor *self, int64_t dim, tj__lines *lines);

/* t with the reduced dimensions put back as 1 where keepdim was false. Differentiable. */
tj_tensor *tj__unsqueeze_dims(tj_tensor *t, tj_ints dims, int64_t ndim, bool keepdim);

#endif
