/* attention.h: softmax(query key' scale + mask) value without the matrix of scores, and its derivatives. Results do not depend on the number of
 * threads. */
#ifndef TJ__KERNELS_ATTENTION_H
#define TJ__KERNELS_ATTENTION_H

#include "backend.h"

/* query [batches, rows, width], key [batches / group, columns, width], value [batches / group, columns, value_width], all contiguous, float32
 * or float64: query's batch b goes with key's b / group. causal: row r sees columns up to r. */
typedef struct tj__attention {
  tj_dtype dtype;
  int64_t batches, group, rows, columns, width, value_width;
  const void *query, *key, *value;
  const void *mask;            /* is added to the scores; NULL: none. Of batch b it begins at element mask_offsets[b]. */
  const int64_t *mask_offsets; /* `batches` of them */
  int64_t mask_row, mask_column;
  bool causal;
  double scale;
} tj__attention;

/* false and an error when there is no memory to work in. */
typedef struct tj__attention_kernels {
  /* out [batches, rows, value_width]; logs [batches, rows]: the logarithms of the sums of exponentials. A row that sees nothing is zero. */
  bool (*forward)(const tj__attention *a, void *out, void *logs);
  /* The gradients of query, key and value from that of out. */
  bool (*backward)(const tj__attention *a, const void *grad, const void *out, const void *logs, void *query, void *key, void *value);
} tj__attention_kernels;

#endif
