/* index_chain.h: which elements of a list of places meet at the same one. */
#ifndef TJ__WEBGPU_INDEX_CHAIN_H
#define TJ__WEBGPU_INDEX_CHAIN_H

#include "../core/core.h"

/* Within segments of the n places (int64, on the device): for each element the next one at the same place (-1: none), and whether it is the first
 * there. Both int32, owned by the scope. */
bool tj__gpu_chain(const int64_t *places, int64_t n, int64_t segment, const void **links, const void **first);

#endif
