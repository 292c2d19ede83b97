/* einsum.h: the order in which einsum contracts its operands. */
#ifndef TJ__OPS_EINSUM_H
#define TJ__OPS_EINSUM_H

#include "core/core.h"

enum { TJ__EINSUM_MOST = 64, TJ__EINSUM_OPTIMAL = 8 };

/* Operand i has the dimensions bits[i], of these sizes; the result needs `needed`. Writes 2 (n - 1) numbers to path, a pair a step, as torch.einsum's
 * `path` has them: both operands leave the list and their product goes to its end. That is the best order there is for up to TJ__EINSUM_OPTIMAL
 * operands, and a greedy one for more. false where going from left to right is cheap or no worse. */
bool tj__einsum_path(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, int64_t *path);
/* Multiplications of a path; NULL: from left to right. */
double tj__einsum_cost(const uint64_t *bits, int n, const int64_t *sizes, uint64_t needed, const int64_t *path);

#endif
