/* backend.c: the tables of webgpu. What a family does not have says so: functions that are missing are filled in by one that fails. */
#include "../kernels/backend.h"

#include "../iter/convert.h"
#include "../kernels/copy.h"
#include "../kernels/pointwise.h"
#include "families.h"
#include "iterate.h"
#include "kernel.h"

static tj__pointwise_kernels pointwise;
static tj__copy_kernels copy;

/* The names of loops, for the dtypes that the device takes. */
void tj__gpu_fill_tables(void) {
  for (int d = 0; d < TJ_DTYPE_COUNT; d++) {
    const tj_dtype dtype = (tj_dtype)d;
    if (!tj__gpu_has_dtype(dtype)) continue;
    for (int op = 0; op < TJ__PW_COUNT; op++)
      if (tj__wgsl_ops[op].expressions[tj__class_of(dtype)].code) pointwise.loops[op][d] = tj__gpu_loop_of(TJ__GPU_POINTWISE, op, dtype);
    for (int from = 0; from < TJ_DTYPE_COUNT; from++)
      if (tj__gpu_has_dtype((tj_dtype)from)) copy.convert[d][from] = tj__gpu_loop_of(TJ__GPU_CONVERT, 0, dtype);
    copy.fill[d] = tj__gpu_loop_of(TJ__GPU_FILL, 0, dtype);
  }
  for (int i = 0; i < 5; i++) copy.where[i] = tj__gpu_loop_of(TJ__GPU_WHERE, 0, TJ_FLOAT32);
}

const tj__backend tj__webgpu_backend = {.name = "webgpu",
                                        .pointwise = &pointwise,
                                        .copy = &copy,
                                        .iterate = tj__gpu_iterate,
#define FAMILY(name) .name = &tj__webgpu_##name,
                                        TJ__GPU_FAMILIES(FAMILY)
#undef FAMILY
};

bool tj__gpu_missing(const char *kernel) {
  return tj__fail(TJ_ERROR_NOT_IMPLEMENTED,
                  "There is no kernel '%s' on the device webgpu. Compute it on the cpu: `await x.cpu()` brings a tensor there.",
                  kernel) != NULL;
}

static const void *put_table(tj_dtype host_dtype, tj_dtype dtype, const void *values, int64_t n) {
  tj_tensor *host = tj__empty(TJ_INTS(n), host_dtype, TJ_CPU), *table = tj__empty(TJ_INTS(n), dtype, TJ_WEBGPU(0));
  if (!host || !table) return NULL;
  memcpy(tj__write(host), values, (size_t)n * tj__itemsize(host));
  host = tj__to_dtype(host, dtype);
  return host && tj__gpu_upload(table, host) ? tj__read(table) : NULL;
}
const void *tj__gpu_table(const int64_t *values, int64_t n) { return put_table(TJ_INT64, TJ_INT32, values, n); }
const void *tj__gpu_weights(const double *values, int64_t n) { return put_table(TJ_FLOAT64, TJ_FLOAT32, values, n); }
