/* sort.h: what a device offers for sorting. Tensors are contiguous; in is [outer, n, inner] of a real dtype. NaN is larger than any number. */
#ifndef TJ__KERNELS_SORT_H
#define TJ__KERNELS_SORT_H

#include "backend.h"

typedef enum tj__rank_kind { TJ__RANK_KTH, TJ__RANK_MEDIAN, TJ__RANK_NANMEDIAN, TJ__RANK_MODE } tj__rank_kind;

typedef struct tj__sort_kernels {
  /* Stable. The first k of each line: values (in's dtype) and indices (int64) are [outer, k, inner]; either may be NULL. false: out of memory. */
  bool (*sort)(bool descending, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
               int64_t inner);
  /* One element a line: the k-th smallest (from 0), the lower median, that of what is not NaN, the most frequent. n > 0. */
  bool (*rank)(tj__rank_kind kind, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
               int64_t inner);
  /* Where each value would go in its sorted line: sorted [lines or 1, n], values and out (int64) [lines, m] of sorted's dtype. sorter: order of sorted, or NULL. */
  void (*search)(bool right, tj_tensor *out, const tj_tensor *sorted, const tj_tensor *sorter, const tj_tensor *values, int64_t lines,
                 int64_t n, int64_t m, bool one_line);
  /* The order (n places) of the rows of in [n, m] by their first different elements, equal rows as they come; NaN differs from nothing.
   * false: out of memory. */
  bool (*order_rows)(int64_t *order, const tj_tensor *in, int64_t n, int64_t m);
} tj__sort_kernels;

#endif
