/* cpu/resample.c: one dimension resampled, row by row of the result. */
#include "../kernels/resample.h"

#include "elements.h"

#include <math.h>

typedef struct job {
  const tj__taps *t;
  const char *in;
  char *out;
  size_t itemsize;
} job;

#define BLOCK 64 /* elements whose sums stay in registers or the nearest cache */

#define TO_BYTE(x) ((uint8_t)TJ__MIN(TJ__MAX(floor((x) + 0.5), 0.0), 255.0))

/* WEIGHT(t, k): what tap k counts */
#define COMBINE(NAME, T, A, LOAD, STORE, WEIGHT)                                                    \
  static void NAME(int64_t begin, int64_t end, void *context) {                                     \
    const job *j = context;                                                                         \
    const tj__taps *t = j->t;                                                                       \
    for (int64_t row = begin; row < end; row++) {                                                   \
      const int64_t o = row % t->n_out, from = t->first[o], to = t->first[o + 1];                   \
      const T *in = (const T *)j->in + row / t->n_out * t->n_in * t->inner;                         \
      T *out = (T *)j->out + row * t->inner;                                                        \
      for (int64_t x = 0; x < t->inner; x += BLOCK) {                                               \
        const int64_t n = TJ__MIN(BLOCK, t->inner - x);                                             \
        A sum[BLOCK];                                                                               \
        for (int64_t i = 0; i < n; i++) sum[i] = 0;                                                 \
        for (int64_t k = from; k < to; k++) {                                                       \
          const T *p = in + t->index[k] * t->inner + x;                                             \
          for (int64_t i = 0; i < n; i++) sum[i] = (A)(sum[i] + (A)(LOAD(p[i]) * WEIGHT(A, t, k))); \
        }                                                                                           \
        for (int64_t i = 0; i < n; i++) out[x + i] = STORE(sum[i]);                                 \
      }                                                                                             \
    }                                                                                               \
  }

#define ONE(A, t, k) ((A)1)
#define OWN(A, t, k) ((A)(t)->weight[k])
#define SUMS(DTYPE, tag, T, A, LOAD, STORE, E) COMBINE(sum_##tag, T, A, LOAD, STORE, ONE)
TJ__ELEMENTS_ALL(SUMS, )
COMBINE(weigh_f32, float, float, TJ__SAME, TJ__SAME, OWN)
COMBINE(weigh_f64, double, double, TJ__SAME, TJ__SAME, OWN)
COMBINE(weigh_u8, uint8_t, double, TJ__SAME, TO_BYTE, OWN)

/* One tap an element and no weights: a copy of rows, whatever the dtype. */
static void copy_rows(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  const tj__taps *t = j->t;
  const size_t bytes = (size_t)t->inner * j->itemsize;
  for (int64_t row = begin; row < end; row++)
    memcpy(j->out + (size_t)row * bytes, j->in + (size_t)(row / t->n_out * t->n_in + t->index[row % t->n_out]) * bytes, bytes);
}

static void combine(const tj__taps *taps, tj_dtype dtype, const void *in, void *out) {
#define ENTRY(DTYPE, tag, T, A, LOAD, STORE, E) [DTYPE] = sum_##tag,
  static const tj__range_body sums[TJ_DTYPE_COUNT] = {TJ__ELEMENTS_ALL(ENTRY, )};
  static const tj__range_body weighted[TJ_DTYPE_COUNT] = {[TJ_FLOAT32] = weigh_f32, [TJ_FLOAT64] = weigh_f64, [TJ_UINT8] = weigh_u8};
  tj__range_body body = taps->weight ? weighted[dtype] : sums[dtype];
  if (!taps->weight) {
    bool single = true;
    for (int64_t o = 0; o < taps->n_out && single; o++) single = taps->first[o] == o && taps->first[o + 1] == o + 1;
    if (single) body = copy_rows;
  }
  const int64_t rows = taps->outer * taps->n_out;
  const int64_t work = TJ__MAX(1, taps->inner * (taps->first[taps->n_out] / TJ__MAX(1, taps->n_out) + 1));
  job j = {taps, in, out, tj__dtype_sizes[dtype]};
  if (body) tj__parallel_for(rows, TJ__MAX(1, TJ__GRAIN / work), body, &j);
}

const tj__resample_kernels TJ__ISA(tj__cpu_resample) = {.combine = combine};
