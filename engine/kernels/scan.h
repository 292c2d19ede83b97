/* scan.h: what a device offers for running sums and their like. */
#ifndef TJ__KERNELS_SCAN_H
#define TJ__KERNELS_SCAN_H

#include "backend.h"

typedef enum tj__scan_kind { TJ__SCAN_SUM, TJ__SCAN_PROD, TJ__SCAN_LOGSUMEXP } tj__scan_kind;

typedef struct tj__scan_kernels {
  /* out and in of one dtype, contiguous [outer, n, inner]. SUM, PROD: int64, floating, complex; LOGSUMEXP: floating, complex. false: no such kernel. */
  bool (*scan)(tj__scan_kind kind, tj_tensor *out, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner);
  /* The largest (smallest) element so far and where it is, the last of equal ones; real dtypes. */
  bool (*extremes)(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner);
  /* y[k] = a[k] + b[k] * y[k - 1] (y[-1] = 0), or from the end with y[k + 1]; floating and complex dtypes. */
  bool (*recurrence)(bool reverse, tj_tensor *out, const tj_tensor *a, const tj_tensor *b, int64_t outer, int64_t n, int64_t inner);
} tj__scan_kernels;

#endif
