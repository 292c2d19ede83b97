/* histogram.c: counting points in boxes on the CPU. Sums of weights are in double and in the order of the points. */
#include "../kernels/histogram.h"
#include "elements.h"

/* ---- counting in parts ------------------------------------------------------------------------------------------ */

/* Counts are whole numbers, so parts of the input are counted by themselves, on all threads, and added up. */
enum { PARTS = 8, BLOCK = 512 };

typedef struct parts {
  void (*part)(int64_t *counts, int64_t begin, int64_t end, const void *context);
  const void *context;
  int64_t *counts, bins, n, length;
} parts;

static void parts_body(int64_t begin, int64_t end, void *context) {
  const parts *j = context;
  for (int64_t k = begin; k < end; k++) {
    int64_t *counts = j->counts + k * j->bins;
    memset(counts, 0, (size_t)j->bins * sizeof *counts);
    j->part(counts, k * j->length, TJ__MIN(j->n, (k + 1) * j->length), j->context);
  }
}

/* counts (of `bins`, to which is added) of n elements; false without memory. */
static bool count_parts(int64_t *counts, int64_t bins, int64_t n,
                        void (*part)(int64_t *counts, int64_t begin, int64_t end, const void *context), const void *context) {
  const int64_t n_parts = TJ__MIN(PARTS, n / TJ__MAX(TJ__GRAIN, 4 * bins));
  if (n_parts < 2) return part(counts, 0, n, context), true;
  const size_t bytes = (size_t)(n_parts * bins) * sizeof *counts;
  parts j = {part, context, tj__alloc(bytes), bins, n, (n + n_parts - 1) / n_parts};
  if (!j.counts) return false;
  tj__parallel_for(n_parts, 1, parts_body, &j);
  for (int64_t k = 0; k < n_parts; k++)
    for (int64_t b = 0; b < bins; b++) counts[b] += j.counts[k * bins + b];
  tj__free(j.counts, bytes);
  return true;
}

static void numbers_part(int64_t *counts, int64_t begin, int64_t end, const void *context) {
  const int64_t *x = context;
  for (int64_t i = begin; i < end; i++) counts[x[i]]++;
}

static bool numbers(int64_t *counts, int64_t bins, const int64_t *x, int64_t n) { return count_parts(counts, bins, n, numbers_part, x); }

/* ---- points in boxes -------------------------------------------------------------------------------------------- */

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

/* Points of one coordinate between even edges, all of weight 1: the bins of a block are found in vectors; bin `bins` is for what is outside. */
typedef struct line {
  const void *x, *edges;
  int64_t bins;
  bool near;
} line;

#define LINE(DTYPE, tag, T, A, LOAD, STORE, E)                                                                      \
  static void line_##tag(int64_t *counts, int64_t begin, int64_t end, const void *context) {                        \
    const line *l = context;                                                                                        \
    const T *edges = l->edges, low = edges[0], high = edges[l->bins], bins = (T)l->bins, width = high - low;        \
    const int32_t last = (int32_t)l->bins - 1, outside = (int32_t)l->bins;                                          \
    int32_t at[BLOCK];                                                                                              \
    for (int64_t i = begin; i < end; i += BLOCK) {                                                                  \
      const int n = (int)TJ__MIN(BLOCK, end - i);                                                                   \
      const T *x = (const T *)l->x + i;                                                                             \
      for (int k = 0; k < n; k++) {                                                                                 \
        const T v = x[k], place = (v - low) * bins / width;                                                         \
        const int32_t bin = (int32_t)(place > 0 ? (place < bins ? place : bins) : 0);                               \
        at[k] = ((v >= low) & (v <= high)) ? (bin < last ? bin : last) : outside;                                   \
      }                                                                                                             \
      for (int k = 0; k < n && l->near; k++)                                                                        \
        if (at[k] != outside) {                                                                                     \
          const int32_t near = (int32_t)TJ__MAX(0, TJ__MIN(tj__whole64((x[k] - low) * bins / width), l->bins)) - 1; \
          const int64_t bin = last_below_##tag(edges, TJ__MAX(0, near), TJ__MIN(near + 3, l->bins + 1), x[k]);      \
          at[k] = (int32_t)TJ__MAX(0, TJ__MIN(bin, l->bins - 1));                                                   \
        }                                                                                                           \
      for (int k = 0; k < n; k++) counts[at[k]]++;                                                                  \
    }                                                                                                               \
  }
TJ__ELEMENTS_FLOAT(LINE, )

static bool count_line(tj__bins_kind kind, double *hist, int64_t bins, const tj_tensor *x, const tj_tensor *edges) {
  const size_t bytes = (size_t)(bins + 1) * sizeof(int64_t);
  int64_t *counts = tj__alloc(bytes);
  if (!counts) return false;
  memset(counts, 0, bytes);
  const line l = {tj__read(x), tj__read(edges), bins, kind == TJ__BINS_NEAR};
  const bool done = count_parts(counts, bins + 1, x->sizes[0], x->dtype == TJ_FLOAT64 ? line_f64 : line_f32, &l);
  for (int64_t b = 0; b < bins; b++) hist[b] += (double)counts[b];
  tj__free(counts, bytes);
  return done;
}

static bool count(tj__bins_kind kind, tj_tensor *hist, const tj_tensor *x, tj_tensor *const *edges, const tj_tensor *weight) {
  const void *w = weight ? tj__read(weight) : NULL;
  if (hist->numel == 0 || x->sizes[0] == 0) return true;
  if (hist->ndim == 1 && !w && kind != TJ__BINS_SEARCH && hist->numel <= 1 << 24)
    return count_line(kind, tj__write(hist), hist->numel, x, edges[0]);
  if (x->dtype == TJ_FLOAT64) count_f64(kind, tj__write(hist), hist, tj__read(x), x->sizes[0], edges, w);
  else count_f32(kind, tj__write(hist), hist, tj__read(x), x->sizes[0], edges, w);
  return true;
}

const tj__histogram_kernels TJ__ISA(tj__cpu_histogram) = {count, numbers};
