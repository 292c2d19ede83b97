/* sort.c: sorting, selection and search on the CPU. Elements become unsigned keys in the same order (NaN last, -0 equal to 0), with their
 * places; a radix sort from the lowest byte keeps equal ones in order. */
#include "../kernels/sort.h"
#include "elements.h"

typedef struct pair {
  uint64_t key;
  int64_t at;
} pair;

enum { SMALL = 48, TASKS = 16, LANES = 128, BLOCK = 16 };

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

/* X(DTYPE, tag, T, significant bits, key of x, key of NaN or 0) */
#define KINDS(X)                                                                         \
  X(TJ_BOOL, b8, uint8_t, 8, KEY_UNSIGNED(8, x), 0)                                      \
  X(TJ_UINT8, u8, uint8_t, 8, KEY_UNSIGNED(8, x), 0)                                     \
  X(TJ_INT8, i8, int8_t, 8, KEY_SIGNED(8, x), 0)                                         \
  X(TJ_INT16, i16, int16_t, 16, KEY_SIGNED(16, x), 0)                                    \
  X(TJ_INT32, i32, int32_t, 32, KEY_SIGNED(32, x), 0)                                    \
  X(TJ_INT64, i64, int64_t, 64, KEY_SIGNED(64, x), 0)                                    \
  X(TJ_UINT16, u16, uint16_t, 16, KEY_UNSIGNED(16, x), 0)                                \
  X(TJ_UINT32, u32, uint32_t, 32, KEY_UNSIGNED(32, x), 0)                                \
  X(TJ_UINT64, u64, uint64_t, 64, KEY_UNSIGNED(64, x), 0)                                \
  X(TJ_FLOAT16, f16, uint16_t, 19, KEY_HALF(tj__half_to_float(x)), UINT32_MAX >> 13)     \
  X(TJ_BFLOAT16, bf16, uint16_t, 16, KEY_BF(tj__bfloat16_to_float(x)), UINT32_MAX >> 16) \
  X(TJ_FLOAT32, f32, float, 32, key_f32(x), UINT32_MAX)                                  \
  X(TJ_FLOAT64, f64, double, 64, key_f64(x), UINT64_MAX)

#define LOAD_KEYS(DTYPE, tag, T, bits, KEY, NAN_KEY)                                          \
  static void keys_##tag(pair *p, const void *in, int64_t n, int64_t stride, uint64_t flip) { \
    const T *v = in;                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                         \
      const T x = v[i * stride];                                                              \
      p[i] = (pair){(uint64_t)(KEY) ^ flip, i};                                               \
    }                                                                                         \
  }
KINDS(LOAD_KEYS)

typedef struct keyer {
  void (*load)(pair *p, const void *in, int64_t n, int64_t stride, uint64_t flip);
  int bits;
  uint64_t nan; /* 0: has none */
} keyer;

static bool keyer_of(int dtype, keyer *k) {
  switch (dtype) {
#define KEYER(DTYPE, tag, T, bits, KEY, NAN_KEY) \
  case DTYPE: *k = (keyer){keys_##tag, bits, NAN_KEY}; return true;
    KINDS(KEYER)
    default: return tj__fail(TJ_ERROR_RUNTIME, "\"sort\" not implemented for '%s'", tj__dtype_legacy((tj_dtype)dtype)) != NULL;
  }
}

/* ---- sorting and selecting -------------------------------------------------------------------------------------- */

static inline bool less(pair a, pair b) { return a.key < b.key || (a.key == b.key && a.at < b.at); }

static void insertion(pair *p, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const pair x = p[i];
    int64_t k = i;
    for (; k > 0 && less(x, p[k - 1]); k--) p[k] = p[k - 1];
    p[k] = x;
  }
}

/* Sorts p, which is in order of places; returns where the result is: p or spare. */
static pair *radix(pair *p, pair *spare, int64_t n, int bits) {
  if (n <= SMALL) {
    insertion(p, n);
    return p;
  }
  const int digits = (bits + 7) / 8;
  int64_t counts[8][256];
  memset(counts, 0, sizeof counts);
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < digits; d++) counts[d][(p[i].key >> (8 * d)) & 255]++;
  for (int d = 0; d < digits; d++) {
    int64_t *count = counts[d], sum = 0;
    if (count[(p[0].key >> (8 * d)) & 255] == n) continue; /* all alike */
    for (int v = 0; v < 256; v++) {
      const int64_t c = count[v];
      count[v] = sum;
      sum += c;
    }
    for (int64_t i = 0; i < n; i++) spare[count[(p[i].key >> (8 * d)) & 255]++] = p[i];
    pair *other = p;
    p = spare;
    spare = other;
  }
  return p;
}

/* Moves the k smallest to the front (in no order), the (k - 1)-th of them to place k - 1. */
static void quickselect(pair *p, int64_t n, int64_t k) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    pair a = p[low], b = p[middle], c = p[high];
    const pair pivot = less(a, b) ? (less(b, c) ? b : less(a, c) ? c : a) : less(a, c) ? a : less(b, c) ? c : b;
    int64_t i = low, j = high;
    while (i <= j) {
      while (less(p[i], pivot)) i++;
      while (less(pivot, p[j])) j--;
      if (i <= j) {
        a = p[i];
        p[i++] = p[j];
        p[j--] = a;
      }
    }
    if (k - 1 <= j) high = j;
    else if (k - 1 >= i) low = i;
    else break;
  }
}

/* The few elements that can be among the k smallest of n, in order of places, in p: those not above the k-th smallest of the minima of
 * `lanes` interleaved parts, of which k are certainly not above it. Their number. */
static int64_t candidates(pair *p, uint64_t *keys, int64_t n, int64_t k) {
  uint64_t minima[LANES];
  for (int l = 0; l < LANES; l++) minima[l] = UINT64_MAX;
  for (int64_t i = 0; i < n; i++) keys[i] = p[i].key;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) minima[l] = keys[i + l] < minima[l] ? keys[i + l] : minima[l];
  for (int l = 0; i < n; i++, l++) minima[l] = keys[i] < minima[l] ? keys[i] : minima[l];
  uint64_t bound[LANES / 4]; /* the k smallest of the minima, in order */
  int64_t have = 0;
  for (int l = 0; l < LANES; l++) {
    if (have == k && minima[l] >= bound[k - 1]) continue;
    int64_t at = have < k ? have++ : k - 1;
    for (; at > 0 && bound[at - 1] > minima[l]; at--) bound[at] = bound[at - 1];
    bound[at] = minima[l];
  }
  const uint64_t limit = bound[k - 1];
  int64_t m = 0;
  for (i = 0; i < n; i += BLOCK) {
    const int64_t end = TJ__MIN(n, i + BLOCK);
    if (end - i == BLOCK) {
      int hit = 0;
      for (int l = 0; l < BLOCK; l++) hit |= keys[i + l] <= limit;
      if (!hit) continue;
    }
    for (int64_t at = i; at < end; at++) {
      p[m] = (pair){keys[at], at};
      m += keys[at] <= limit;
    }
  }
  return m;
}

typedef struct job {
  keyer key;
  const char *in;
  char *values;
  int64_t *indices;
  pair *scratch; /* 2 n for each task */
  int64_t n, inner, k, chunk;
  size_t size;
  uint64_t flip;
  tj__rank_kind kind;
} job;

static void put(const job *j, int64_t to, const char *line, int64_t at) {
  if (j->values) memcpy(j->values + (size_t)to * j->size, line + (size_t)(at * j->inner) * j->size, j->size);
  if (j->indices) j->indices[to] = at;
}

static void sort_lines(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  for (int64_t line = begin; line < end; line++) {
    const int64_t outer = line / j->inner, column = line - outer * j->inner;
    const char *in = j->in + (size_t)(outer * j->n * j->inner + column) * j->size;
    pair *p = j->scratch + begin / j->chunk * 2 * j->n;
    j->key.load(p, in, j->n, j->inner, j->flip);
    if (j->k <= LANES / 4 && j->n >= 4 * LANES && j->k > 0) {
      const int64_t m = candidates(p, (uint64_t *)(void *)(p + j->n), j->n, j->k);
      p = radix(p, p + j->n, m, j->key.bits);
    } else if (j->k < j->n && j->k > 0) {
      quickselect(p, j->n, j->k);
      /* equal keys in order of places before the radix sort, which keeps that order */
      pair *by_place = p;
      if (j->k > SMALL) {
        for (int64_t i = 0; i < j->k; i++) {
          const uint64_t key = p[i].key;
          p[i].key = (uint64_t)p[i].at;
          p[i].at = (int64_t)key;
        }
        by_place = radix(p, p + j->n, j->k, 64);
        for (int64_t i = 0; i < j->k; i++) {
          const uint64_t at = by_place[i].key;
          by_place[i].key = (uint64_t)by_place[i].at;
          by_place[i].at = (int64_t)at;
        }
      }
      p = radix(by_place, by_place == p ? p + j->n : p, j->k, j->key.bits);
    } else {
      p = radix(p, p + j->n, j->n, j->key.bits);
    }
    for (int64_t i = 0; i < j->k; i++) put(j, (outer * j->k + i) * j->inner + column, in, p[i].at);
  }
}

static void rank_lines(int64_t begin, int64_t end, void *context) {
  const job *j = context;
  for (int64_t line = begin; line < end; line++) {
    const int64_t outer = line / j->inner, column = line - outer * j->inner, n = j->n;
    const char *in = j->in + (size_t)(outer * n * j->inner + column) * j->size;
    pair *p = j->scratch + begin / j->chunk * 2 * n;
    j->key.load(p, in, n, j->inner, 0);
    int64_t k = j->k, at = -1;
    if (j->kind == TJ__RANK_MODE) {
      p = radix(p, p + n, n, j->key.bits);
      int64_t best = 0, run = 0;
      for (int64_t i = 0; i < n; i++) {
        run++;
        if (i + 1 < n && p[i + 1].key == p[i].key) continue;
        if (run > best) best = run, at = p[i].at;
        run = 0;
      }
    } else {
      int64_t numbers = n;
      if (j->key.nan && j->kind != TJ__RANK_KTH)
        for (int64_t i = n - 1; i >= 0; i--)
          if (p[i].key == j->key.nan) {
            numbers--;
            at = i; /* the first NaN in the end */
          }
      if (j->kind == TJ__RANK_MEDIAN) k = (n - 1) / 2;
      if (j->kind == TJ__RANK_NANMEDIAN) k = (numbers - 1) / 2;
      if (j->kind == TJ__RANK_KTH || numbers == n || (j->kind == TJ__RANK_NANMEDIAN && numbers > 0)) {
        quickselect(p, n, k + 1);
        at = p[k].at;
      }
    }
    put(j, line, in, at);
  }
}

static bool run(job *j, const tj_tensor *in, int64_t outer, tj__range_body body) {
  const int64_t lines = outer * j->inner;
  if (!keyer_of(in->dtype, &j->key)) return false;
  if (lines == 0 || j->n == 0) return true;
  const bool parallel = lines > 1 && lines * j->n >= TJ__GRAIN / 4;
  j->chunk = parallel ? (lines + TASKS - 1) / TASKS : lines;
  j->size = tj__itemsize(in);
  j->in = tj__read(in);
  if (j->flip) j->flip = UINT64_MAX >> (64 - j->key.bits);
  const size_t bytes = (size_t)((lines + j->chunk - 1) / j->chunk) * 2 * (size_t)j->n * sizeof(pair);
  if (!(j->scratch = tj__alloc(bytes))) return false;
  tj__parallel_chunks(lines, j->chunk, body, j);
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
  return run(&j, in, outer, sort_lines);
}

static bool rank(tj__rank_kind kind, int64_t k, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n,
                 int64_t inner) {
  job j = {.values = values ? tj__write(values) : NULL,
           .indices = indices ? tj__write(indices) : NULL,
           .n = n,
           .inner = inner,
           .k = k,
           .kind = kind};
  return run(&j, in, outer, rank_lines);
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
