/* sort.c: sorting, selection and search on the CPU. Elements become unsigned keys in the same order (NaN last, -0 equal to 0), with their
 * places; a radix sort from the lowest byte keeps equal ones in order, so that there is one result, whoever moves what. */
#include "../kernels/sort.h"
#include "elements.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* Keys of at most 32 bits and places below 2^32 share a number, whose order is that of both; others have a structure. */
typedef uint64_t narrow_pair;
typedef struct wide_pair {
  uint64_t key;
  int64_t at;
} wide_pair;

enum { SMALL = 48, TASKS = 16, LANES = 64, BLOCK = 16, PART = 1 << 15 };

/* ---- keys ------------------------------------------------------------------------------------------------------- */

#define KEY_UNSIGNED(bits, v) ((uint64_t)(v))
#define KEY_SIGNED(bits, v) (((uint64_t)(int64_t)(v) ^ ((uint64_t)1 << ((bits)-1))) & (UINT64_MAX >> (64 - (bits))))
static inline uint64_t key_f32(float v) {
  uint32_t u = tj__float_bits(v == 0 ? 0.0f : v);
  u = u & 0x80000000u ? ~u : u | 0x80000000u;
  return v != v ? UINT32_MAX : u;
}
static inline uint64_t key_f64(double v) {
  uint64_t u;
  v = v == 0 ? 0.0 : v;
  memcpy(&u, &v, 8);
  u = u >> 63 ? ~u : u | (uint64_t)1 << 63;
  return v != v ? UINT64_MAX : u;
}
/* 16 bits: the float's key has all it takes in its upper half */
#define KEY_HALF(v) (key_f32(v) >> 13)
#define KEY_BF(v) (key_f32(v) >> 16)

/* back from the key, but for what has no key of its own: signs of zeros, and the bits of NaN */
static inline float value_f32(uint32_t k) { return tj__bits_float(k & 0x80000000u ? k ^ 0x80000000u : ~k); }
static inline double value_f64(uint64_t k) {
  double v;
  k = k >> 63 ? k ^ (uint64_t)1 << 63 : ~k;
  memcpy(&v, &k, 8);
  return v;
}
#define VALUE_UNSIGNED(bits, k) (k)
#define VALUE_SIGNED(bits, k) ((k) ^ (uint64_t)1 << ((bits)-1))
#define ALWAYS(k) ((k) | 1)
#define NEVER(k) ((k)&0)
#define SHARED(k, zero, nan) ((k) == (zero) || (k) == (nan))

/* X(DTYPE, tag, T, significant bits, key of x, key of NaN or 0, value of key k, is k the key of several?) */
#define KINDS(X)                                                                                                      \
  X(TJ_BOOL, b8, uint8_t, 8, KEY_UNSIGNED(8, x), 0, VALUE_UNSIGNED(8, k), NEVER(k))                                   \
  X(TJ_UINT8, u8, uint8_t, 8, KEY_UNSIGNED(8, x), 0, VALUE_UNSIGNED(8, k), NEVER(k))                                  \
  X(TJ_INT8, i8, int8_t, 8, KEY_SIGNED(8, x), 0, VALUE_SIGNED(8, k), NEVER(k))                                        \
  X(TJ_INT16, i16, int16_t, 16, KEY_SIGNED(16, x), 0, VALUE_SIGNED(16, k), NEVER(k))                                  \
  X(TJ_INT32, i32, int32_t, 32, KEY_SIGNED(32, x), 0, VALUE_SIGNED(32, k), NEVER(k))                                  \
  X(TJ_INT64, i64, int64_t, 64, KEY_SIGNED(64, x), 0, VALUE_SIGNED(64, k), NEVER(k))                                  \
  X(TJ_UINT16, u16, uint16_t, 16, KEY_UNSIGNED(16, x), 0, VALUE_UNSIGNED(16, k), NEVER(k))                            \
  X(TJ_UINT32, u32, uint32_t, 32, KEY_UNSIGNED(32, x), 0, VALUE_UNSIGNED(32, k), NEVER(k))                            \
  X(TJ_UINT64, u64, uint64_t, 64, KEY_UNSIGNED(64, x), 0, VALUE_UNSIGNED(64, k), NEVER(k))                            \
  X(TJ_FLOAT16, f16, uint16_t, 19, KEY_HALF(tj__half_to_float(x)), UINT32_MAX >> 13, 0, ALWAYS(k))                    \
  X(TJ_BFLOAT16, bf16, uint16_t, 16, KEY_BF(tj__bfloat16_to_float(x)), UINT32_MAX >> 16, 0, ALWAYS(k))                \
  X(TJ_FLOAT32, f32, float, 32, key_f32(x), UINT32_MAX, value_f32((uint32_t)(k)), SHARED(k, 0x80000000u, UINT32_MAX)) \
  X(TJ_FLOAT64, f64, double, 64, key_f64(x), UINT64_MAX, value_f64(k), SHARED(k, (uint64_t)1 << 63, UINT64_MAX))

/* Pairs of the elements [begin, end) of a line; or the keys of all. */
#define LOAD_KEYS(DTYPE, tag, T, bits, KEY, NAN_KEY, VALUE, IS_SHARED)                                                       \
  static void wide_load_##tag(wide_pair *p, const void *in, int64_t begin, int64_t end, int64_t stride, uint64_t flip) {     \
    const T *v = in;                                                                                                         \
    for (int64_t i = begin; i < end; i++) {                                                                                  \
      const T x = v[i * stride];                                                                                             \
      p[i] = (wide_pair){(uint64_t)(KEY) ^ flip, i};                                                                         \
    }                                                                                                                        \
  }                                                                                                                          \
  static void wide_keys_##tag(uint64_t *keys, const void *in, int64_t n, int64_t stride, uint64_t flip) {                    \
    const T *v = in;                                                                                                         \
    for (int64_t i = 0; i < n; i++) {                                                                                        \
      const T x = v[i * stride];                                                                                             \
      keys[i] = (uint64_t)(KEY) ^ flip;                                                                                      \
    }                                                                                                                        \
  }                                                                                                                          \
  static void narrow_load_##tag(narrow_pair *p, const void *in, int64_t begin, int64_t end, int64_t stride, uint64_t flip) { \
    const T *v = in;                                                                                                         \
    for (int64_t i = begin; i < end; i++) {                                                                                  \
      const T x = v[i * stride];                                                                                             \
      p[i] = ((uint64_t)(KEY) ^ flip) << 32 | (uint64_t)i;                                                                   \
    }                                                                                                                        \
  }                                                                                                                          \
  static void narrow_keys_##tag(uint32_t *keys, const void *in, int64_t n, int64_t stride, uint64_t flip) {                  \
    const T *v = in;                                                                                                         \
    if (stride == 1) /* in vectors */                                                                                        \
      for (int64_t i = 0; i < n; i++) {                                                                                      \
        const T x = v[i];                                                                                                    \
        keys[i] = (uint32_t)(KEY) ^ (uint32_t)flip;                                                                          \
      }                                                                                                                      \
    else                                                                                                                     \
      for (int64_t i = 0; i < n; i++) {                                                                                      \
        const T x = v[i * stride];                                                                                           \
        keys[i] = (uint32_t)(KEY) ^ (uint32_t)flip;                                                                          \
      }                                                                                                                      \
  }
KINDS(LOAD_KEYS)

/* The elements that n pairs stand for, next to each other: from their keys where that is all they are, else fetched from their places. */
#define NARROW_KEY(p) ((p) >> 32)
#define NARROW_AT(p) ((int64_t)((p)&UINT32_MAX))
#define WIDE_KEY(p) ((p).key)
#define WIDE_AT(p) ((p).at)
#define PUT_VALUES(name, PAIR, KEY_OF, AT_OF, T, VALUE, IS_SHARED)                                       \
  static void name(void *out, const void *in, const PAIR *p, int64_t n, int64_t stride, uint64_t flip) { \
    T *to = out;                                                                                         \
    uint64_t shared = stride != 1;                                                                       \
    if (stride == 1)                                                                                     \
      for (int64_t i = 0; i < n; i++) {                                                                  \
        const uint64_t k = KEY_OF(p[i]) ^ flip;                                                          \
        shared |= (uint64_t)(IS_SHARED);                                                                 \
        to[i] = (T)(VALUE);                                                                              \
      }                                                                                                  \
    if (shared)                                                                                          \
      for (int64_t i = 0; i < n; i++) to[i * stride] = ((const T *)in)[AT_OF(p[i]) * stride];            \
  }
#define PUT_VALUES_OF(DTYPE, tag, T, bits, KEY, NAN_KEY, VALUE, IS_SHARED)                 \
  PUT_VALUES(narrow_values_##tag, narrow_pair, NARROW_KEY, NARROW_AT, T, VALUE, IS_SHARED) \
  PUT_VALUES(wide_values_##tag, wide_pair, WIDE_KEY, WIDE_AT, T, VALUE, IS_SHARED)
KINDS(PUT_VALUES_OF)

typedef struct keyer {
  void (*wide_load)(wide_pair *p, const void *in, int64_t begin, int64_t end, int64_t stride, uint64_t flip);
  void (*wide_keys)(uint64_t *keys, const void *in, int64_t n, int64_t stride, uint64_t flip);
  void (*narrow_load)(narrow_pair *p, const void *in, int64_t begin, int64_t end, int64_t stride, uint64_t flip);
  void (*narrow_keys)(uint32_t *keys, const void *in, int64_t n, int64_t stride, uint64_t flip);
  void (*narrow_values)(void *out, const void *in, const narrow_pair *p, int64_t n, int64_t stride, uint64_t flip);
  void (*wide_values)(void *out, const void *in, const wide_pair *p, int64_t n, int64_t stride, uint64_t flip);
  int bits;
  uint64_t nan; /* 0: has none */
} keyer;

static bool keyer_of(int dtype, keyer *k) {
  switch (dtype) {
#define KEYER(DTYPE, tag, T, bits, KEY, NAN_KEY, VALUE, IS_SHARED)                                                                     \
  case DTYPE:                                                                                                                          \
    *k = (keyer){wide_load_##tag, wide_keys_##tag, narrow_load_##tag, narrow_keys_##tag, narrow_values_##tag, wide_values_##tag, bits, \
                 NAN_KEY};                                                                                                             \
    return true;
    KINDS(KEYER)
    default: return tj__fail(TJ_ERROR_RUNTIME, "\"sort\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)dtype)) != NULL;
  }
}

/* ---- sorting and selecting -------------------------------------------------------------------------------------- */

typedef struct job {
  keyer key;
  const char *in;
  char *values;
  int64_t *indices;
  void *scratch;                    /* 2 n pairs for each task */
  int64_t n, inner, k, kept, chunk; /* kept: elements of a line of the result */
  size_t size;
  uint64_t flip;
  tj__rank_kind kind;
} job;

static const char *line_of(const job *j, int64_t line) {
  const int64_t outer = line / j->inner, column = line - outer * j->inner;
  return j->in + (size_t)(outer * j->n * j->inner + column) * j->size;
}

/* Sorts up to SMALL numbers, all different, by how many are below each: more comparisons than any other way, and no branch. */
#ifdef __AVX2__
static void narrow_small(narrow_pair *p, int64_t n) {
  uint64_t v[SMALL], below[SMALL] = {0};
  const int64_t all = (n + 7) / 8 * 8;
  for (int64_t i = 0; i < n; i++) v[i] = p[i];
  for (int64_t i = n; i < all; i++) v[i] = UINT64_MAX;
  for (int64_t i = 0; i < n; i++)
    for (int64_t l = 0; l < all; l += 8)
      for (int k = 0; k < 8; k++) below[l + k] += v[i] < v[l + k];
  for (int64_t i = 0; i < n; i++) p[below[i]] = v[i];
}
#else
#define narrow_small narrow_insertion
#endif

#define PAIR narrow_pair
#define BITS uint32_t
/* The places that pass, packed; then what is there. */
#ifdef __AVX512F__
#define CANDIDATE_VECTORS                                                                                                  \
  uint32_t *places = keys + n; /* there is room for n pairs */                                                             \
  for (; i + 16 <= n; i += 16) {                                                                                           \
    const __mmask16 hits = _mm512_cmple_epu32_mask(_mm512_loadu_si512(keys + i), _mm512_set1_epi32((int)limit));           \
    _mm512_storeu_si512(places + m, _mm512_maskz_compress_epi32(hits, _mm512_add_epi32(_mm512_set1_epi32((int)i), LANE))); \
    m += __builtin_popcount(hits);                                                                                         \
  }                                                                                                                        \
  for (int64_t c = 0; c < m; c++) p[c] = MAKE(keys[places[c]], places[c]);
#define LANE _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#else
#define CANDIDATE_VECTORS
#endif
#define tag(name) narrow_##name
#define MAKE(key, at) ((uint64_t)(key) << 32 | (uint64_t)(at))
#define KEY NARROW_KEY
#define AT NARROW_AT
#define LESS(a, b) ((a) < (b))
#define DIGIT(p, d) ((p) >> 8 * (d)&255)
#define KEY_DIGIT 4
#include "sort_pairs.inc"

#define wide_small wide_insertion
#define PAIR wide_pair
#define BITS uint64_t
#define CANDIDATE_VECTORS
#define tag(name) wide_##name
#define MAKE(k, a) ((wide_pair){k, a})
#define KEY WIDE_KEY
#define AT WIDE_AT
#define LESS(a, b) ((a).key < (b).key || ((a).key == (b).key && (a).at < (b).at))
#define DIGIT(p, d) (((d) < 8 ? (uint64_t)(p).at >> 8 * (d) : (p).key >> 8 * ((d)-8)) & 255)
#define KEY_DIGIT 8
#include "sort_pairs.inc"

static bool run(job *j, const tj_tensor *in, int64_t outer, bool ranks) {
  const int64_t lines = outer * j->inner;
  if (!keyer_of(in->dtype, &j->key)) return false;
  if (lines == 0 || j->n == 0) return true;
  const bool narrow = j->key.bits <= 32 && j->n <= UINT32_MAX;
  /* few long lines one after the other, each on all threads */
  const bool is_long = !ranks && j->k == j->n && lines < TASKS && j->n >= 2 * PART;
  const bool parallel = !is_long && lines > 1 && lines * j->n >= TJ__GRAIN / 4;
  j->chunk = parallel ? (lines + TASKS - 1) / TASKS : lines;
  j->kept = ranks ? 1 : j->k;
  j->size = tj__itemsize(in);
  j->in = tj__read(in);
  if (j->flip) j->flip = UINT64_MAX >> (64 - j->key.bits);
  const size_t tasks = is_long ? 1 : (size_t)((lines + j->chunk - 1) / j->chunk);
  const size_t counts = is_long ? (size_t)((j->n + PART - 1) / PART) * 256 * sizeof(int64_t) : 0;
  const size_t bytes = tasks * 2 * (size_t)j->n * (narrow ? sizeof(narrow_pair) : sizeof(wide_pair)) + counts;
  if (!(j->scratch = tj__alloc(bytes))) return false;
  if (is_long) (narrow ? narrow_sort_long : wide_sort_long)(j, lines);
  else if (ranks) tj__parallel_chunks(lines, j->chunk, narrow ? narrow_rank_lines : wide_rank_lines, j);
  else tj__parallel_chunks(lines, j->chunk, narrow ? narrow_sort_lines : wide_sort_lines, j);
  tj__free(j->scratch, bytes);
  return true;
}

static bool sort(bool descending, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  job j = {.values = values ? tj__write(values) : NULL,
           .indices = indices ? tj__write(indices) : NULL,
           .n = n,
           .inner = inner,
           .k = k,
           .flip = descending};
  return run(&j, in, outer, false);
}

static bool rank(tj__rank_kind kind, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  job j = {.values = values ? tj__write(values) : NULL,
           .indices = indices ? tj__write(indices) : NULL,
           .n = n,
           .inner = inner,
           .k = k,
           .kind = kind};
  return run(&j, in, outer, true);
}

/* ---- search ----------------------------------------------------------------------------------------------------- */

/* NaN goes last: !(a >= v) and !(a > v) are true for no a. */
#define SEARCH(DTYPE, tag, T, A, LOAD, STORE, E)                                                                                    \
  static void search_##tag(bool right, int64_t *out, const void *sorted_, const int64_t *order, const void *values_, int64_t lines, \
                           int64_t n, int64_t m, bool one_line) {                                                                   \
    for (int64_t line = 0; line < lines; line++)                                                                                    \
      for (int64_t i = 0; i < m; i++) {                                                                                             \
        const T *sorted = (const T *)sorted_ + (one_line ? 0 : line * n);                                                           \
        const int64_t *places = order ? order + (one_line ? 0 : line * n) : NULL;                                                   \
        const A v = LOAD(((const T *)values_)[line * m + i]);                                                                       \
        int64_t low = 0, high = n;                                                                                                  \
        while (low < high) {                                                                                                        \
          const int64_t middle = low + (high - low) / 2;                                                                            \
          const A a = LOAD(sorted[places ? places[middle] : middle]);                                                               \
          const bool after = right ? (a > v) : (a >= v);                                                                            \
          if (after) high = middle;                                                                                                 \
          else low = middle + 1;                                                                                                    \
        }                                                                                                                           \
        out[line * m + i] = low;                                                                                                    \
      }                                                                                                                             \
  }
TJ__ELEMENTS_REAL(SEARCH, )

static void search(bool right, tj_tensor *out, const tj_tensor *sorted, const tj_tensor *sorter, const tj_tensor *values, int64_t lines,
                   int64_t n, int64_t m, bool one_line) {
  if (out->numel == 0) return;
  switch (sorted->dtype) {
#define CASE(DTYPE, tag, T, A, LOAD, STORE, E)                                                                                        \
  case DTYPE:                                                                                                                         \
    search_##tag(right, tj__write(out), tj__read(sorted), sorter ? tj__read(sorter) : NULL, tj__read(values), lines, n, m, one_line); \
    break;
    TJ__ELEMENTS_REAL(CASE, )
    default: break;
  }
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* Is row a before row b? */
#define BEFORE(DTYPE, tag, T, A, LOAD, STORE, E)                              \
  static bool before_##tag(const void *in, int64_t a, int64_t b, int64_t m) { \
    const T *x = (const T *)in + a * m, *y = (const T *)in + b * m;           \
    for (int64_t k = 0; k < m; k++) {                                         \
      const A v = LOAD(x[k]), w = LOAD(y[k]);                                 \
      if (v < w) return true;                                                 \
      if (v > w) return false;                                                \
    }                                                                         \
    return false;                                                             \
  }
TJ__ELEMENTS_REAL(BEFORE, )

static bool order_rows(int64_t *order, const tj_tensor *in, int64_t n, int64_t m) {
  bool (*before)(const void *, int64_t, int64_t, int64_t) = NULL;
  switch (in->dtype) {
#define BEFORE_CASE(DTYPE, tag, T, A, LOAD, STORE, E) \
  case DTYPE: before = before_##tag; break;
    TJ__ELEMENTS_REAL(BEFORE_CASE, )
    default: return tj__fail(TJ_ERROR_RUNTIME, "\"sort\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)in->dtype)) != NULL;
  }
  const void *data = tj__read(in);
  int64_t *spare = tj__alloc((size_t)n * sizeof *spare), *from = order, *to = spare;
  if (!spare) return false;
  for (int64_t i = 0; i < n; i++) order[i] = i;
  for (int64_t run = 1; run < n; run *= 2) { /* merges neighbouring runs, the left one first where rows are equal */
    for (int64_t start = 0; start < n; start += 2 * run) {
      int64_t a = start, b = TJ__MIN(start + run, n), out = start;
      const int64_t middle = b, end = TJ__MIN(start + 2 * run, n);
      while (a < middle && b < end) to[out++] = before(data, from[b], from[a], m) ? from[b++] : from[a++];
      while (a < middle) to[out++] = from[a++];
      while (b < end) to[out++] = from[b++];
    }
    int64_t *other = from;
    from = to;
    to = other;
  }
  if (from != order) memcpy(order, from, (size_t)n * sizeof *order);
  tj__free(spare, (size_t)n * sizeof *spare);
  return true;
}

const tj__sort_kernels TJ__ISA(tj__cpu_sort) = {sort, rank, search, order_rows};
