/* iterate.h: what stands in the place of loops in the tables of webgpu: names, as numbers in pointers that nobody calls. */
#ifndef TJ__WEBGPU_ITERATE_H
#define TJ__WEBGPU_ITERATE_H

#include "../iter/iter.h"

typedef enum tj__gpu_loop { TJ__GPU_POINTWISE, TJ__GPU_CONVERT, TJ__GPU_FILL, TJ__GPU_WHERE } tj__gpu_loop;
static inline tj__loop tj__gpu_loop_of(tj__gpu_loop kind, int op, tj_dtype dtype) {
  return (tj__loop)(uintptr_t)(1 + (unsigned)kind + 4 * ((unsigned)dtype + 16 * (unsigned)op));
}
bool tj__gpu_iterate(const tj__iter *it, const void *loop, const tj__params *params);

#endif
