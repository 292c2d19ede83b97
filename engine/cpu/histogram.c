/* histogram.c: counting points in boxes on the CPU. Sums are in double and in the order of the points. */
#include "../kernels/histogram.h"
#include "elements.h"

#define COUNT(DTYPE, tag, T, A, LOAD, STORE, E)                                                                                     \
  /* The last of edges[low..high) that is not above v. */                                                                           \
  static int64_t last_below_##tag(const T *edges, int64_t low, int64_t high, T v) {                                                 \
    while (low < high) {                                                                                                            \
      const int64_t middle = low + (high - low) / 2;                                                                                \
      if (edges[middle] <= v) low = middle + 1;                                                                                     \
      else high = middle;                                                                                                           \
    }                                                                                                                               \
    return low - 1;                                                                                                                 \
  }                                                                                                                                 \
  static void count_##tag(tj__bins_kind kind, double *hist, const tj_tensor *shape, const T *x, int64_t n, tj_tensor *const *edges, \
                          const T *weight) {                                                                                        \
    const int d = shape->ndim;                                                                                                      \
    for (int64_t i = 0; i < n; i++) {                                                                                               \
      int64_t at = 0;                                                                                                               \
      for (int k = 0; k < d; k++) {                                                                                                 \
        const T *e = tj__read(edges[k]);                                                                                            \
        const int64_t bins = shape->sizes[k];                                                                                       \
        const T v = x[i * d + k], low = e[0], high = e[bins];                                                                       \
        if (!(v >= low && v <= high)) {                                                                                             \
          at = -1;                                                                                                                  \
          break;                                                                                                                    \
        }                                                                                                                           \
        int64_t bin;                                                                                                                \
        if (kind == TJ__BINS_SEARCH) bin = last_below_##tag(e, 0, bins + 1, v);                                                     \
        else {                                                                                                                      \
          bin = TJ__MAX(0, TJ__MIN(tj__whole64((v - low) * (T)bins / (high - low)), bins));                                         \
          if (kind == TJ__BINS_NEAR) bin = last_below_##tag(e, TJ__MAX(0, bin - 1), TJ__MIN(bin + 2, bins + 1), v);                 \
        }                                                                                                                           \
        at = at * bins + TJ__MAX(0, TJ__MIN(bin, bins - 1));                                                                        \
      }                                                                                                                             \
      if (at >= 0) hist[at] += weight ? (double)weight[i] : 1.0;                                                                    \
    }                                                                                                                               \
  }
TJ__ELEMENTS_FLOAT(COUNT, )

static void count(tj__bins_kind kind, tj_tensor *hist, const tj_tensor *x, tj_tensor *const *edges, const tj_tensor *weight) {
  const void *w = weight ? tj__read(weight) : NULL;
  if (hist->numel == 0 || x->sizes[0] == 0) return;
  if (x->dtype == TJ_FLOAT64) count_f64(kind, tj__write(hist), hist, tj__read(x), x->sizes[0], edges, w);
  else count_f32(kind, tj__write(hist), hist, tj__read(x), x->sizes[0], edges, w);
}

const tj__histogram_kernels TJ__ISA(tj__cpu_histogram) = {count};
