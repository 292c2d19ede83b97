/* cpu/resample.c: one dimension resampled, row by row of the result. */
#include "../kernels/resample.h"

#include <math.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "cpu/loop.h"
#include "elements.h"

typedef struct job {
  const tj__taps *t;
  const char *in;
  char *out;
  size_t itemsize;
} job;

#define BLOCK 64 /* elements whose sums stay in registers or the nearest cache */

#define TO_BYTE(x) ((uint8_t)TJ__MIN(TJ__MAX(floor((x) + 0.5), 0.0), 255.0))

/* WEIGHT(t, k): what tap k counts. Two taps, which is linear interpolation, need no sums on the side. */
#define ADD_TAPS(T, A, LOAD, WEIGHT, n)                                                \
  for (int64_t i = 0; i < (n); i++) sum[i] = 0;                                        \
  for (int64_t k = from; k < to; k++) {                                                \
    const T *p = in + t->index[k] * t->inner + x;                                      \
    const A weight = WEIGHT(A, t, k);                                                  \
    for (int64_t i = 0; i < (n); i++) sum[i] = (A)(sum[i] + (A)(LOAD(p[i]) * weight)); \
  }
#define COMBINE(NAME, T, A, LOAD, STORE, WEIGHT)                                              \
  static void NAME(int64_t begin, int64_t end, void *context) {                               \
    const job *j = context;                                                                   \
    const tj__taps *t = j->t;                                                                 \
    for (int64_t row = begin; row < end; row++) {                                             \
      const int64_t o = row % t->n_out, from = t->first[o], to = t->first[o + 1];             \
      const T *in = (const T *)j->in + row / t->n_out * t->n_in * t->inner;                   \
      T *out = (T *)j->out + row * t->inner;                                                  \
      if (to - from == 2) {                                                                   \
        const T *p = in + t->index[from] * t->inner, *q = in + t->index[from + 1] * t->inner; \
        const A v = WEIGHT(A, t, from), w = WEIGHT(A, t, from + 1);                           \
        TJ__SEPARATE                                                                          \
        for (int64_t i = 0; i < t->inner; i++) {                                              \
          const A first = (A)(LOAD(p[i]) * v);                                                \
          out[i] = STORE((A)(first + (A)(LOAD(q[i]) * w)));                                   \
        }                                                                                     \
        continue;                                                                             \
      }                                                                                       \
      A sum[BLOCK];                                                                           \
      int64_t x = 0;                                                                          \
      for (; x + BLOCK <= t->inner; x += BLOCK) {                                             \
        ADD_TAPS(T, A, LOAD, WEIGHT, BLOCK)                                                   \
        for (int64_t i = 0; i < BLOCK; i++) out[x + i] = STORE(sum[i]);                       \
      }                                                                                       \
      const int64_t rest = t->inner - x;                                                      \
      ADD_TAPS(T, A, LOAD, WEIGHT, rest)                                                      \
      for (int64_t i = 0; i < rest; i++) out[x + i] = STORE(sum[i]);                          \
    }                                                                                         \
  }

/* Lines alone (inner is 1): a run of neighbouring outputs with equally many taps has its taps turned, so that a loop over outputs is one over
 * vectors; all lines of the task take their turn with them. */
enum { RUN = 64, TAPS = 8 };
#define COMBINE_LINES(NAME, T, A, LOAD, STORE, WEIGHT)                                                                          \
  static void NAME(int64_t begin, int64_t end, void *context) {                                                                 \
    const job *j = context;                                                                                                     \
    const tj__taps *t = j->t;                                                                                                   \
    int32_t at[TAPS][RUN];                                                                                                      \
    A weights[TAPS][RUN];                                                                                                       \
    for (int64_t o = 0, n; o < t->n_out; o += n) {                                                                              \
      const int64_t *first = t->first + o, taps = first[1] - first[0];                                                          \
      for (n = 1; n < RUN && o + n < t->n_out && first[n + 1] - first[n] == taps;) n++;                                         \
      for (int64_t k = 0; k < taps && taps <= TAPS; k++)                                                                        \
        for (int64_t i = 0; i < n; i++) at[k][i] = (int32_t)t->index[first[i] + k], weights[k][i] = WEIGHT(A, t, first[i] + k); \
      for (int64_t line = begin; line < end; line++) {                                                                          \
        const T *in = (const T *)j->in + line * t->n_in;                                                                        \
        T *out = (T *)j->out + line * t->n_out + o;                                                                             \
        A sum[RUN];                                                                                                             \
        for (int64_t i = 0; i < n; i++) sum[i] = 0;                                                                             \
        if (taps <= TAPS) {                                                                                                     \
          for (int64_t k = 0; k < taps; k++)                                                                                    \
            for (int64_t i = 0; i < n; i++) sum[i] += (A)LOAD(in[at[k][i]]) * weights[k][i];                                    \
        } else {                                                                                                                \
          for (int64_t i = 0; i < n; i++)                                                                                       \
            for (int64_t k = first[i]; k < first[i + 1]; k++) sum[i] += (A)LOAD(in[t->index[k]]) * WEIGHT(A, t, k);             \
        }                                                                                                                       \
        for (int64_t i = 0; i < n; i++) out[i] = STORE(sum[i]);                                                                 \
      }                                                                                                                         \
    }                                                                                                                           \
  }

#define ONE(A, t, k) ((A)1)
#define OWN(A, t, k) ((A)(t)->weight[k])
#define SUMS(DTYPE, tag, T, A, LOAD, STORE, E) COMBINE(sum_##tag, T, A, LOAD, STORE, ONE)
#if TJ__BASELINE
#define EACH TJ__ELEMENTS_ALL
#else /* what is rare is compiled for the baseline alone */
#define EACH TJ__ELEMENTS_FLOATING
extern const tj__resample_kernels tj__cpu_resample_base;
#endif
EACH(SUMS, )
COMBINE(weigh_f32, float, float, TJ__SAME, TJ__SAME, OWN)
COMBINE(weigh_f64, double, double, TJ__SAME, TJ__SAME, OWN)
COMBINE(weigh_u8, uint8_t, double, TJ__SAME, TO_BYTE, OWN)
COMBINE_LINES(sum_lines_f32, float, float, TJ__SAME, TJ__SAME, ONE)
COMBINE_LINES(sum_lines_f64, double, double, TJ__SAME, TJ__SAME, ONE)
COMBINE_LINES(weigh_lines_f32, float, float, TJ__SAME, TJ__SAME, OWN)
COMBINE_LINES(weigh_lines_f64, double, double, TJ__SAME, TJ__SAME, OWN)
COMBINE_LINES(weigh_lines_u8, uint8_t, double, TJ__SAME, TO_BYTE, OWN)

/* One tap an element and no weights: a copy of rows, whatever the dtype. */
static void copy_rows(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  const tj__taps *t = j->t;
  const size_t bytes = (size_t)t->inner * j->itemsize;
  for (int64_t row = begin; row < end; row++)
    memcpy(j->out + (size_t)row * bytes, j->in + (size_t)(row / t->n_out * t->n_in + t->index[row % t->n_out]) * bytes, bytes);
}

#if defined(__AVX512F__)
/* float32: where 16 neighbouring outputs find their taps within 32 neighbouring inputs, a tap is two loads and a permutation. */
enum { GROUPS = RUN / 16 };
typedef struct window {
  const float *from; /* within the first line */
  __mmask16 low, high;
  __m512i places;
  __m512 weights;
} window;

/* Windows of the taps of n outputs from o on; false where the inputs are further apart. */
static bool windows_of(const tj__taps *t, const float *in, int64_t o, int64_t n, int64_t taps, window w[TAPS][GROUPS]) {
  for (int64_t k = 0; k < taps; k++)
    for (int64_t g = 0; g * 16 < n; g++) {
      const int64_t m = TJ__MIN(16, n - g * 16), *first = t->first + o + g * 16;
      int64_t least = t->n_in, most = 0;
      int32_t places[16] = {0};
      float weights[16] = {0};
      for (int64_t i = 0; i < m; i++) least = TJ__MIN(least, t->index[first[i] + k]), most = TJ__MAX(most, t->index[first[i] + k]);
      if (most - least >= 32) return false;
      for (int64_t i = 0; i < m; i++) {
        places[i] = (int32_t)(t->index[first[i] + k] - least);
        weights[i] = t->weight ? (float)t->weight[first[i] + k] : 1;
      }
      const int64_t readable = TJ__MIN(32, t->n_in - least);
      const uint32_t mask = (uint32_t)(((uint64_t)1 << readable) - 1);
      w[k][g] = (window){in + least, (__mmask16)mask, (__mmask16)(mask >> 16), _mm512_loadu_si512(places), _mm512_loadu_ps(weights)};
    }
  return true;
}

static void weigh_windows(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  const tj__taps *t = j->t;
  const float *in = (const float *)(const void *)j->in;
  const tj__range_body otherwise = t->weight ? weigh_lines_f32 : sum_lines_f32;
  window w[TAPS][GROUPS];
  for (int64_t o = 0, n; o < t->n_out; o += n) {
    const int64_t *first = t->first + o, taps = first[1] - first[0];
    for (n = 1; n < RUN && o + n < t->n_out && first[n + 1] - first[n] == taps;) n++;
    if (taps > TAPS || !windows_of(t, in, o, n, taps, w)) {
      otherwise(begin, end, context);
      return;
    }
    for (int64_t line = begin; line < end; line++) {
      const int64_t at = line * t->n_in;
      float *out = (float *)(void *)j->out + line * t->n_out + o;
      for (int64_t g = 0; g * 16 < n; g++, out += 16) {
        __m512 sum = _mm512_setzero_ps();
        for (int64_t k = 0; k < taps; k++) {
          const window *p = &w[k][g];
          const __m512 low = _mm512_maskz_loadu_ps(p->low, p->from + at), high = _mm512_maskz_loadu_ps(p->high, p->from + at + 16);
          sum = _mm512_fmadd_ps(_mm512_permutex2var_ps(low, p->places, high), p->weights, sum);
        }
        _mm512_mask_storeu_ps(out, n - g * 16 < 16 ? (__mmask16)((1u << (n - g * 16)) - 1) : (__mmask16)0xffff, sum);
      }
    }
  }
}
#endif

/* The same element by element, for lines alone: a line is made of pieces in which neighbours are copied, pairs of equal ones spread, or elements
 * gathered one by one. */
typedef enum pattern { ANY, NEIGHBOURS, PAIRS } pattern;
typedef struct piece {
  pattern pattern;
  int64_t at, n; /* the outputs of the piece */
} piece;
enum { PIECES = 64, COPIED = 256, NEIGHBOURS_PAY = 32 };

static piece next_piece(const int64_t *index, int64_t at, int64_t end) {
  end = TJ__MIN(end, at + COPIED);
  const int64_t *first = index + at, left = end - at;
  int64_t run = 1, n = 1;
  for (; n < left; n++) { /* as far as the first run of neighbours that pays */
    run = first[n] == first[n - 1] + 1 ? run + 1 : 1;
    if (run == NEIGHBOURS_PAY && n + 1 > run) return (piece){ANY, at, n + 1 - run};
    if (run == 1 && n >= NEIGHBOURS_PAY && first[n - 1] == first[0] + n - 1) return (piece){NEIGHBOURS, at, n};
  }
  if (first[n - 1] == first[0] + n - 1 && run == n) return (piece){NEIGHBOURS, at, n};
  bool pairs = left % 2 == 0;
  for (int64_t i = 0; i < left; i++) pairs &= first[i] == first[0] + i / 2;
  return (piece){pairs ? PAIRS : ANY, at, left};
}

#define COPY_LINES(T)                                                                                                            \
  static void copy_lines_##T(int64_t begin, int64_t end, void *context) {                                                        \
    const job *j = context;                                                                                                      \
    const tj__taps *t = j->t;                                                                                                    \
    piece pieces[PIECES];                                                                                                        \
    for (int64_t o = 0; o < t->n_out;) {                                                                                         \
      int n_pieces = 0;                                                                                                          \
      for (; n_pieces < PIECES && o < t->n_out; o += pieces[n_pieces++].n) pieces[n_pieces] = next_piece(t->index, o, t->n_out); \
      for (int64_t line = begin; line < end; line++)                                                                             \
        for (int k = 0; k < n_pieces; k++) {                                                                                     \
          const int64_t n = pieces[k].n, *at = t->index + pieces[k].at;                                                          \
          const T *in = (const T *)j->in + line * t->n_in;                                                                       \
          T *out = (T *)j->out + line * t->n_out + pieces[k].at;                                                                 \
          if (pieces[k].pattern == NEIGHBOURS) memcpy(out, in + at[0], (size_t)n * sizeof(T));                                   \
          else if (pieces[k].pattern == PAIRS) {                                                                                 \
            const T *from = in + at[0];                                                                                          \
            TJ__SEPARATE                                                                                                         \
            for (int64_t i = 0; i < n / 2; i++) {                                                                                \
              const T v = from[i];                                                                                               \
              out[2 * i] = v;                                                                                                    \
              out[2 * i + 1] = v;                                                                                                \
            }                                                                                                                    \
          } else                                                                                                                 \
            for (int64_t i = 0; i < n; i++) out[i] = in[at[i]];                                                                  \
        }                                                                                                                        \
    }                                                                                                                            \
  }
COPY_LINES(uint8_t)
COPY_LINES(uint16_t)
COPY_LINES(uint32_t)
COPY_LINES(uint64_t)
COPY_LINES(tj__c128)

static tj__range_body copy_lines_of(size_t size) {
  switch (size) {
    case 1: return copy_lines_uint8_t;
    case 2: return copy_lines_uint16_t;
    case 4: return copy_lines_uint32_t;
    case 8: return copy_lines_uint64_t;
    default: return copy_lines_tj__c128;
  }
}

static void combine(const tj__taps *taps, tj_dtype dtype, const void *in, void *out) {
#define ENTRY(DTYPE, tag, T, A, LOAD, STORE, E) [DTYPE] = sum_##tag,
  static const tj__range_body sums[TJ_DTYPE_COUNT] = {EACH(ENTRY, )};
  static const tj__range_body weighted[TJ_DTYPE_COUNT] = {[TJ_FLOAT32] = weigh_f32, [TJ_FLOAT64] = weigh_f64, [TJ_UINT8] = weigh_u8};
  static const tj__range_body line_sums[TJ_DTYPE_COUNT] = {[TJ_FLOAT32] = sum_lines_f32, [TJ_FLOAT64] = sum_lines_f64};
  static const tj__range_body line_weighted[TJ_DTYPE_COUNT] = {
      [TJ_FLOAT32] = weigh_lines_f32, [TJ_FLOAT64] = weigh_lines_f64, [TJ_UINT8] = weigh_lines_u8};
  tj__range_body body = taps->weight ? weighted[dtype] : sums[dtype];
  tj__range_body lines = taps->weight ? line_weighted[dtype] : line_sums[dtype];
#if defined(__AVX512F__)
  if (dtype == TJ_FLOAT32) lines = weigh_windows;
#endif
  const size_t itemsize = tj__dtype_sizes[dtype];
  if (!taps->weight) {
    bool single = true;
    for (int64_t o = 0; o < taps->n_out && single; o++) single = taps->first[o] == o && taps->first[o + 1] == o + 1;
    if (single) body = copy_rows, lines = copy_lines_of(itemsize);
  }
#if !TJ__BASELINE
  if (!body) {
    tj__cpu_resample_base.combine(taps, dtype, in, out);
    return;
  }
#endif
  if (!body) return;
  job j = {taps, in, out, itemsize};
  const int64_t each = taps->first[taps->n_out] / TJ__MAX(1, taps->n_out) + 1; /* taps of an output, and writing it */
  const bool alone = taps->inner == 1 && lines && taps->n_in <= INT32_MAX;
  if (alone) tj__parallel_for(taps->outer, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, taps->n_out * each)), lines, &j);
  else tj__parallel_for(taps->outer * taps->n_out, TJ__MAX(1, TJ__GRAIN / TJ__MAX(1, taps->inner * each)), body, &j);
}

const tj__resample_kernels TJ__ISA(tj__cpu_resample) = {.combine = combine};
