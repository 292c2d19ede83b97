/* linalg.h: what the files of linear algebra share. */
#ifndef TJ__OPS_LINALG_H
#define TJ__OPS_LINALG_H

#include "kernels/eigen.h"
#include "kernels/linalg.h"

#include "impl.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/reduce.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define RUNTIME_STATUS(condition, ...) TJ__CHECK_STATUS(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* Sizes of the last two dimensions; the number of matrices. */
static inline int64_t tj__rows(const tj_tensor *t) { return t->sizes[t->ndim - 2]; }
static inline int64_t tj__columns(const tj_tensor *t) { return t->sizes[t->ndim - 1]; }
static inline int64_t tj__matrices(const tj_tensor *t) {
  int64_t n = 1;
  for (int i = 0; i < t->ndim - 2; i++) n *= t->sizes[i];
  return n;
}
static inline tj_ints tj__batch_of(const tj_tensor *t) { return (tj_ints){t->sizes, t->ndim - 2}; }

/* PyTorch's checks; `name` as its messages have it. */
bool tj__is_matrix(const tj_tensor *t, const char *name, const char *argument);
bool tj__is_square(const tj_tensor *t, const char *name, const char *argument);
bool tj__is_factorable(const tj_tensor *t, const char *name); /* float32, float64 or complex */

/* A new tensor [batch..., m, n] whose matrices lie by columns; [batch..., n]. */
tj_tensor *tj__empty_matrices(tj_ints batch, int64_t m, int64_t n, tj_dtype dtype, tj_device device);
tj_tensor *tj__empty_vectors(tj_ints batch, int64_t n, tj_dtype dtype, tj_device device);
/* t copied into such a tensor; where its matrices are stored by columns and adjacent already, t itself if it is not to be written. */
tj_tensor *tj__by_columns(tj_tensor *t);
tj_tensor *tj__read_by_columns(tj_tensor *t);
/* The batch dimensions of a and b broadcast: both expanded. */
bool tj__broadcast_batches(tj_tensor **a, tj_tensor **b);

/* The error "<name>: <text>" (name may be NULL) where an element of info is not 0: \1 in the text stands for its place in a batch, \2 for its value. On a device whose
 * numbers cannot be looked at, the next read fails with it. */
tj_status tj__check_info(tj_tensor *info, const char *name, const char *text);

/* Differentiable shorthands; NULL in, NULL out. */
static inline tj_tensor *tj__mT(tj_tensor *t) { return tj_transpose(t, -2, -1); }
static inline tj_tensor *tj__mH(tj_tensor *t) { return tj_conj(tj_transpose(t, -2, -1)); }
/* A tolerance of each matrix as a column; one number for all stays as it is. */
static inline tj_tensor *tj__tolerances(tj_tensor *t) { return t->ndim ? tj_unsqueeze(t, -1) : t; }
static inline tj_tensor *tj__diagonals(tj_tensor *t) { return tj_diagonal(t, 0, -2, -1); }
static inline tj_tensor *tj__diagonal_matrices(tj_tensor *t) { return tj_diag_embed(t, 0, -2, -1); }
tj_tensor *tj__identities(const tj_tensor *like, int64_t n); /* [n, n], of like's dtype and device */

#endif
