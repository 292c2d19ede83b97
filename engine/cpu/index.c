/* index.c: gathering, scattering and masking on the CPU. */
#include "../kernels/index.h"
#include "elements.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

enum { COLUMNS = 64, FEW_ROWS = 64 }; /* of a row that one thread writes, where there are few rows */

static __attribute__((noinline)) bool all_inside(const int64_t *at, int64_t n, uint64_t size) {
  uint64_t outside = 0;
  for (int64_t i = 0; i < n; i++) outside |= (uint64_t)at[i] >= size;
  return !outside;
}

typedef struct within_job {
  const int64_t *index;
  uint64_t size;
  _Atomic bool outside;
} within_job;

static void within_body(int64_t begin, int64_t end, void *context) {
  within_job *j = context;
  if (!all_inside(j->index + begin, end - begin, j->size)) atomic_store_explicit(&j->outside, true, memory_order_relaxed);
}

static bool within(const int64_t *index, int64_t n, int64_t size) {
  within_job j = {.index = index, .size = (uint64_t)size};
  atomic_init(&j.outside, false);
  tj__parallel_for(n, TJ__GRAIN, within_body, &j);
  return !atomic_load_explicit(&j.outside, memory_order_relaxed);
}

static bool offsets(int64_t *out, const int64_t *index, int64_t n, int64_t size, int64_t stride, bool wrap, int64_t *bad) {
  bool outside = false;
  for (int64_t i = 0; i < n; i++) {
    const int64_t k = index[i] + (wrap && index[i] < 0 ? size : 0);
    outside |= (uint64_t)k >= (uint64_t)size;
    out[i] += (int64_t)((uint64_t)k * (uint64_t)stride);
  }
  for (int64_t i = 0; outside && i < n; i++)
    if (index[i] >= size || index[i] < (wrap ? -size : 0)) {
      *bad = index[i];
      return false;
    }
  return true;
}

/* ---- whole places ----------------------------------------------------------------------------------------------- */

typedef struct places_job {
  const tj__places *p;
  const char *from;
  char *to;
  int size;
  /* Who writes what: a task has some rows or some columns of an outer index, so that each element sums in the order of the places. By rows where
   * there are enough of them: they are often in the cache of the thread that wrote them last. */
  int64_t rows, columns, row_pieces, column_pieces;
  int64_t given; /* values of an outer index: n, or one for all places */
} places_job;

/* Elements of one size, copied one by one: those of one outer index at a time. */
#define COPY_EACH(T)                                                                                  \
  while (begin < end) {                                                                               \
    const int64_t outer = begin / p->n, k = begin - outer * p->n, n = TJ__MIN(p->n - k, end - begin); \
    const T *from = (const T *)j->from + outer * p->size;                                             \
    const int64_t *at = p->offsets + k;                                                               \
    T *to = (T *)j->to + begin;                                                                       \
    for (int64_t i = 0; i < n; i++) to[i] = from[at[i]];                                              \
    begin += n;                                                                                       \
  }

static void copy_rows(char *to, const char *from, const int64_t *rows, int64_t n, size_t bytes) {
  if (bytes % 64 == 0 && bytes <= 1024) { /* too short for the call of a function that looks at the length first */
    for (int64_t i = 0; i < n; i++, to += bytes) {
      const char *row = from + (size_t)rows[i] * bytes;
      for (size_t b = 0; b < bytes; b += 64) {
        char line[64];
        memcpy(line, row + b, sizeof line);
        memcpy(to + b, line, sizeof line);
      }
    }
    return;
  }
  for (int64_t i = 0; i < n; i++, to += bytes) memcpy(to, from + (size_t)rows[i] * bytes, bytes);
}

static void get_body(int64_t begin, int64_t end, void *context) {
  const places_job *j = context;
  const tj__places *p = j->p;
  if (p->inner == 1) {
    switch (j->size) {
      case 1: COPY_EACH(uint8_t) return;
      case 2: COPY_EACH(uint16_t) return;
      case 4: COPY_EACH(uint32_t) return;
      case 8: COPY_EACH(uint64_t) return;
      default: break;
    }
  }
  const size_t bytes = (size_t)p->inner * (size_t)j->size;
  while (begin < end) {
    const int64_t outer = begin / p->n, k = begin - outer * p->n, n = TJ__MIN(p->n - k, end - begin);
    copy_rows(j->to + (size_t)begin * bytes, j->from + (size_t)(outer * p->size) * bytes, p->offsets + k, n, bytes);
    begin += n;
  }
}

static void get(tj_tensor *out, const tj_tensor *self, const tj__places *places) {
  if (out->numel == 0) return;
  places_job j = {.p = places, .from = tj__read(self), .to = tj__write(out), .size = (int)tj__itemsize(self)};
  tj__parallel_for(places->outer * places->n, TJ__MAX(1, TJ__GRAIN / places->inner), get_body, &j);
}

#define SET(a, b, A) (b)
#define ADD(a, b, A) ((A)((a) + (b)))
#define MULTIPLY(a, b, A) ((A)((a) * (b)))
#define MAX(a, b, A) ((b) > (a) || (b) != (b) ? (b) : (a))
#define MIN(a, b, A) ((b) < (a) || (b) != (b) ? (b) : (a))

#define PUT(DTYPE, tag, T, A, LOAD, STORE, OP)                                                         \
  static void put_##OP##_##tag(int64_t begin, int64_t end, void *context) {                            \
    const places_job *j = context;                                                                     \
    const tj__places *p = j->p;                                                                        \
    const int64_t step = j->given == 1 ? 0 : p->inner; /* from one place's values to the next */       \
    for (int64_t task = begin; task < end; task++) {                                                   \
      const int64_t piece = task / j->column_pieces, outer = piece / j->row_pieces;                    \
      const int64_t low = piece % j->row_pieces * j->rows, high = low + j->rows;                       \
      const int64_t first = task % j->column_pieces * j->columns;                                      \
      const int64_t w = TJ__MIN(j->columns, p->inner - first);                                         \
      if (p->inner == 1) {                                                                             \
        T *to = (T *)j->to + outer * p->size;                                                          \
        const T *from = (const T *)j->from + outer * j->given;                                         \
        for (int64_t k = 0; k < p->n; k++) {                                                           \
          const int64_t at = p->offsets[k];                                                            \
          if (at >= low && at < high) to[at] = STORE(OP((A)LOAD(to[at]), (A)LOAD(from[k * step]), A)); \
        }                                                                                              \
        continue;                                                                                      \
      }                                                                                                \
      for (int64_t k = 0; k < p->n; k++) {                                                             \
        if (p->offsets[k] < low || p->offsets[k] >= high) continue; /* -1: nowhere */                  \
        T *to = (T *)j->to + (outer * p->size + p->offsets[k]) * p->inner + first;                     \
        const T *from = (const T *)j->from + outer * j->given * p->inner + k * step + first;           \
        for (int64_t c = 0; c < w; c++) to[c] = STORE(OP((A)LOAD(to[c]), (A)LOAD(from[c]), A));        \
      }                                                                                                \
    }                                                                                                  \
  }
/* Setting knows sizes only. Adding is compiled for every instruction set for the common dtypes; the rest for the baseline alone. */
#define SIZES(X, E)                                  \
  X(1, 1, uint8_t, uint8_t, TJ__SAME, TJ__SAME, E)   \
  X(2, 2, uint16_t, uint16_t, TJ__SAME, TJ__SAME, E) \
  X(4, 4, uint32_t, uint32_t, TJ__SAME, TJ__SAME, E) \
  X(8, 8, uint64_t, uint64_t, TJ__SAME, TJ__SAME, E) \
  X(16, 16, tj__c128, tj__c128, TJ__SAME, TJ__SAME, E)
#define BODY_CASE(WHICH, tag, T, A, LOAD, STORE, name) \
  case WHICH:                                          \
    return name##_##tag;
#if TJ__BASELINE
#define ADDED TJ__ELEMENTS_ALL
#define RARE(X)                 \
  TJ__ELEMENTS_ALL(X, MULTIPLY) \
  TJ__ELEMENTS_REAL(X, MAX)     \
  TJ__ELEMENTS_REAL(X, MIN)
#define RARE_CASES(name)                                                                   \
  case TJ__SCATTER_MULTIPLY:                                                               \
    switch (dtype) { TJ__ELEMENTS_ALL(BODY_CASE, name##_MULTIPLY) default : return NULL; } \
  case TJ__SCATTER_MAX:                                                                    \
    switch (dtype) { TJ__ELEMENTS_REAL(BODY_CASE, name##_MAX) default : return NULL; }     \
  case TJ__SCATTER_MIN:                                                                    \
    switch (dtype) { TJ__ELEMENTS_REAL(BODY_CASE, name##_MIN) default : return NULL; }
#else
#define ADDED(X, E) TJ__ELEMENTS_FLOATING(X, E) X(TJ_INT64, i64, int64_t, int64_t, TJ__SAME, TJ__SAME, E)
#define RARE(X)
#define RARE_CASES(name)
#endif
#define INSTANCES(X, name)                                                                      \
  SIZES(X, SET)                                                                                 \
  ADDED(X, ADD)                                                                                 \
  RARE(X)                                                                                       \
  static tj__range_body name##_body(tj__scatter_kind kind, int dtype) {                         \
    switch (kind) {                                                                             \
      case TJ__SCATTER_SET:                                                                     \
        switch (tj__dtype_sizes[dtype]) { SIZES(BODY_CASE, name##_SET) default : return NULL; } \
      case TJ__SCATTER_ADD:                                                                     \
        switch (dtype) { ADDED(BODY_CASE, name##_ADD) default : return NULL; }                  \
        RARE_CASES(name)                                                                        \
      default: return NULL;                                                                     \
    }                                                                                           \
  }
INSTANCES(PUT, put)
extern const tj__index_kernels tj__cpu_index_base;

static bool missing(const tj_tensor *t) {
  return tj__fail(TJ_ERROR_RUNTIME, "this scatter is not implemented for '%s'", tj__dtype_legacy((tj_dtype)t->dtype)) != NULL;
}

static bool put(tj__scatter_kind kind, tj_tensor *self, const tj_tensor *values, const tj__places *places) {
  tj__range_body body = put_body(kind, self->dtype);
  if (!body && !TJ__BASELINE) return tj__cpu_index_base.put(kind, self, values, places);
  if (!body) return missing(self);
  if (places->outer * places->n * places->inner == 0) return true;
  const int64_t pieces = 2 * (int64_t)tj_get_num_threads();
  places_job j = {.p = places,
                  .from = tj__read(values),
                  .to = tj__write(self),
                  .size = (int)tj__itemsize(self),
                  .rows = places->size,
                  .columns = places->inner,
                  .given = values->numel / (places->outer * places->inner)};
  if (places->size >= FEW_ROWS && places->n * places->inner >= TJ__GRAIN) j.rows = (places->size + pieces - 1) / pieces;
  else j.columns = COLUMNS;
  j.row_pieces = (places->size + j.rows - 1) / j.rows;
  j.column_pieces = (places->inner + j.columns - 1) / j.columns;
  const int64_t tasks = j.row_pieces * j.column_pieces;
  tj__parallel_for(places->outer * tasks, TJ__MAX(1, TJ__GRAIN * tasks / (places->n * places->inner)), body, &j);
  return true;
}

/* ---- gather and scatter ----------------------------------------------------------------------------------------- */

/* Indices are looked at and used this many at a time. */
enum { LINE_PIECE = 2048 };

typedef struct lines_job {
  const tj_tensor *index;
  const int64_t *at;
  const char *from;
  char *to;
  int dim;
  int64_t self_strides[TJ_MAX_DIMS], src_strides[TJ_MAX_DIMS]; /* contiguous ones of the tensor at `dim`, and of the one beside index */
  uint64_t size;                                               /* of the dimension */
  int64_t length, lines; /* elements of a line of index along its last dimension; how many there are */
  int64_t piece, pieces; /* elements of a line that are a task; tasks a line */
  bool across;           /* a task is a piece of every line, in order */
  _Atomic bool outside;
} lines_job;

static void prepare(lines_job *j, int dim, const tj_tensor *index, const tj_tensor *self, const tj_tensor *beside) {
  j->index = index;
  j->at = tj__read(index);
  j->dim = dim;
  j->size = (uint64_t)(self->ndim ? self->sizes[dim] : 1);
  j->length = index->ndim ? index->sizes[index->ndim - 1] : 1;
  j->lines = index->numel / j->length;
  atomic_init(&j->outside, false);
  tj__contiguous_strides(tj__sizes(self), j->self_strides);
  tj__contiguous_strides(tj__sizes(beside), j->src_strides);
}

/* Pieces of lines as tasks, or the same piece of all lines as one. */
static void run_lines(lines_job *j, int64_t piece, bool across, tj__range_body body) {
  j->piece = TJ__MIN(piece, j->length);
  j->pieces = (j->length + j->piece - 1) / j->piece;
  j->across = across;
  const int64_t work = across ? j->piece * j->lines : j->piece;
  tj__parallel_for(across ? j->pieces : j->lines * j->pieces, TJ__MAX(1, TJ__GRAIN / work), body, j);
}

/* The first index that is no place; to be called when there is one. */
static bool first_outside(const lines_job *j, int64_t *bad) {
  for (int64_t i = 0; i < j->index->numel; i++)
    if ((uint64_t)j->at[i] >= j->size) {
      *bad = j->at[i];
      break;
    }
  return false;
}

/* For each piece of a line of index along its last dimension, a few indices at a time: `self` and `src` are where it begins in the two tensors
 * (along dim in self: at 0). */
#define LINE_FRAME(CHECK)                                                                                                        \
  lines_job *j = context;                                                                                                        \
  const int last = j->index->ndim - 1;                                                                                           \
  const int64_t along = last >= 0 ? j->self_strides[j->dim] : 0;                                                                 \
  const int64_t step = last >= 0 && last != j->dim ? j->self_strides[last] : 0, src_step = last >= 0 ? j->src_strides[last] : 0; \
  for (int64_t task = begin; task < end; task++)                                                                                 \
    for (int64_t line = j->across ? 0 : task / j->pieces, stop = j->across ? j->lines : line + 1; line < stop; line++) {         \
      const int64_t first = (j->across ? task : task - line * j->pieces) * j->piece;                                             \
      int64_t self = first * step, src = first * src_step, rest = line, left = TJ__MIN(j->piece, j->length - first);             \
      for (int d = last - 1; d >= 0; d--) {                                                                                      \
        const int64_t quotient = rest / j->index->sizes[d], c = rest - quotient * j->index->sizes[d];                            \
        self += d == j->dim ? 0 : c * j->self_strides[d];                                                                        \
        src += c * j->src_strides[d];                                                                                            \
        rest = quotient;                                                                                                         \
      }                                                                                                                          \
      const int64_t *at = j->at + line * j->length + first;                                                                      \
      for (int64_t n; left > 0; left -= n, at += n, self += n * step, src += n * src_step) {                                     \
        n = TJ__MIN(left, LINE_PIECE);                                                                                           \
        if (CHECK && !all_inside(at, n, j->size)) {                                                                              \
          atomic_store_explicit(&j->outside, true, memory_order_relaxed);                                                        \
          return;                                                                                                                \
        }

#define GATHER(T)                                                             \
  static void gather_##T(int64_t begin, int64_t end, void *context) {         \
    LINE_FRAME(true)                                                          \
    T *to = (T *)j->to + src;                                                 \
    const T *from = (const T *)j->from + self;                                \
    if (step == 0 && along == 1)                                              \
      for (int64_t i = 0; i < n; i++) to[i] = from[at[i]];                    \
    else                                                                      \
      for (int64_t i = 0; i < n; i++) to[i] = from[i * step + at[i] * along]; \
  }                                                                           \
  }                                                                           \
  }
GATHER(uint8_t)
GATHER(uint16_t)
GATHER(uint32_t)
GATHER(uint64_t)
GATHER(tj__c128)

static bool gather(tj_tensor *out, const tj_tensor *self, int dim, const tj_tensor *index, int64_t *bad) {
  if (index->numel == 0) return true;
  lines_job j = {.from = tj__read(self), .to = tj__write(out)};
  prepare(&j, dim, index, self, index);
  size_t size = tj__itemsize(self);
  tj__range_body body = size == 1   ? gather_uint8_t
                        : size == 2 ? gather_uint16_t
                        : size == 4 ? gather_uint32_t
                        : size == 8 ? gather_uint64_t
                                    : gather_tj__c128;
  run_lines(&j, LINE_PIECE, false, body);
  return !atomic_load_explicit(&j.outside, memory_order_relaxed) || first_outside(&j, bad);
}

#define SCATTER(DTYPE, tag, T, A, LOAD, STORE, OP)                              \
  static void scatter_##OP##_##tag(int64_t begin, int64_t end, void *context) { \
    LINE_FRAME(false)                                                           \
    T *to = (T *)j->to + self;                                                  \
    const T *from = (const T *)j->from + src;                                   \
    if (step == 0 && along == 1 && src_step == 1)                               \
      for (int64_t i = 0; i < n; i++) {                                         \
        T *place = to + at[i];                                                  \
        *place = STORE(OP((A)LOAD(*place), (A)LOAD(from[i]), A));               \
      }                                                                         \
    else                                                                        \
      for (int64_t i = 0; i < n; i++) {                                         \
        T *place = to + i * step + at[i] * along;                               \
        *place = STORE(OP((A)LOAD(*place), (A)LOAD(from[i * src_step]), A));    \
      }                                                                         \
  }                                                                             \
  }                                                                             \
  }
INSTANCES(SCATTER, scatter)

static bool scatter(tj__scatter_kind kind, tj_tensor *self, int dim, const tj_tensor *index, const tj_tensor *src, int64_t *bad) {
  tj__range_body body = scatter_body(kind, self->dtype);
  if (!body && !TJ__BASELINE) return tj__cpu_index_base.scatter(kind, self, dim, index, src, bad);
  if (!body) return missing(self);
  if (index->numel == 0) return true;
  lines_job j = {.from = tj__read(src), .to = tj__write(self)};
  prepare(&j, dim, index, self, src);
  if (!within(j.at, index->numel, (int64_t)j.size)) return first_outside(&j, bad); /* before anything is written */
  /* Lines along dim are independent of each other; along any other they may meet in one place, but their columns do not. */
  const bool across = dim != index->ndim - 1;
  run_lines(&j, across ? 4 * COLUMNS : j.length, across, body);
  return true;
}

/* ---- masks and triangles ---------------------------------------------------------------------------------------- */

/* What is true is counted by pieces of this many elements, so that each piece knows where in the result it begins. */
enum { PIECE = 1 << 14 };

typedef struct mask_job {
  const uint8_t *mask;
  const char *from;
  char *to;
  int64_t *starts; /* of each piece in the result, and the end */
  int64_t n;
} mask_job;

static void count_body(int64_t begin, int64_t end, void *context) {
  const mask_job *j = context;
  for (; begin < end; begin++) {
    const uint8_t *m = j->mask + begin * PIECE;
    const int64_t n = TJ__MIN(PIECE, j->n - begin * PIECE);
    int64_t i = 0, count = 0;
    for (; i + 128 <= n; i += 128) {
      uint8_t part = 0;
      for (int k = 0; k < 128; k++) part = (uint8_t)(part + (m[i + k] != 0));
      count += part;
    }
    for (; i < n; i++) count += m[i] != 0;
    j->starts[begin + 1] = count;
  }
}

/* Fills in j->starts; the number of true elements. */
static int64_t count_pieces(mask_job *j) {
  const int64_t pieces = (j->n + PIECE - 1) / PIECE;
  j->starts[0] = 0;
  tj__parallel_for(pieces, 4, count_body, j);
  for (int64_t k = 0; k < pieces; k++) j->starts[k + 1] += j->starts[k];
  return j->starts[pieces];
}

static size_t starts_bytes(int64_t n) { return (size_t)((n + PIECE - 1) / PIECE + 1) * sizeof(int64_t); }

static int64_t count_true(const tj_tensor *mask) {
  mask_job j = {.mask = tj__read(mask), .n = mask->numel};
  if (!(j.starts = tj__alloc(starts_bytes(j.n)))) return -1;
  const int64_t n = count_pieces(&j);
  tj__free(j.starts, starts_bytes(j.n));
  return n;
}

/* Every element is written, and the place moves on after the true ones; it stops at the end of what this piece owns. */
#define COMPRESS_EACH(T, VALUE)             \
  for (int64_t i = first; to < last; i++) { \
    ((T *)j->to)[to] = (VALUE);             \
    to += j->mask[i] != 0;                  \
  }
/* Vectors of true elements, stored whole: what is beyond them is written by what follows, so the piece's own end stays clear of it. */
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define COMPRESS_VECTORS(T, lanes, VECTOR, width)                                                           \
  for (; first + 16 <= end && to + 16 <= last; first += 16) {                                               \
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(j->mask + first));                \
    const unsigned hits = _mm_test_epi8_mask(bytes, bytes);                                                 \
    for (int l = 0; l < 16; l += (lanes)) {                                                                 \
      const unsigned part = hits >> l & ((1u << (lanes)) - 1);                                              \
      _mm512_storeu_si512((T *)j->to + to, _mm512_maskz_compress_epi##width((__mmask##lanes)part, VECTOR)); \
      to += __builtin_popcount(part);                                                                       \
    }                                                                                                       \
  }
#define FROM_MEMORY(T) _mm512_loadu_si512((const T *)j->from + first + l)
#define FROM_PLACE _mm512_add_epi64(_mm512_set1_epi64(first + l), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0))
#else
#define COMPRESS_VECTORS(T, lanes, VECTOR, width)
#endif

/* COMPRESS(name, T, value of element i, vectors before) */
#define COMPRESS(name, T, VALUE, VECTORS)                                            \
  static void compress_##name(int64_t piece, int64_t pieces, void *context) {        \
    const mask_job *j = context;                                                     \
    for (; piece < pieces; piece++) {                                                \
      int64_t first = piece * PIECE, to = j->starts[piece];                          \
      const int64_t end = TJ__MIN(first + PIECE, j->n), last = j->starts[piece + 1]; \
      (void)end;                                                                     \
      VECTORS                                                                        \
      COMPRESS_EACH(T, VALUE)                                                        \
    }                                                                                \
  }
COMPRESS(1, uint8_t, ((const uint8_t *)j->from)[i], )
COMPRESS(2, uint16_t, ((const uint16_t *)j->from)[i], )
COMPRESS(4, uint32_t, ((const uint32_t *)j->from)[i], COMPRESS_VECTORS(uint32_t, 16, FROM_MEMORY(uint32_t), 32))
COMPRESS(8, uint64_t, ((const uint64_t *)j->from)[i], COMPRESS_VECTORS(uint64_t, 8, FROM_MEMORY(uint64_t), 64))
COMPRESS(16, tj__c128, ((const tj__c128 *)j->from)[i], )
COMPRESS(places, int64_t, i, COMPRESS_VECTORS(int64_t, 8, FROM_PLACE, 64))

static bool compress(mask_job *j, tj__range_body body) {
  if (!(j->starts = tj__alloc(starts_bytes(j->n)))) return false;
  count_pieces(j);
  tj__parallel_for((j->n + PIECE - 1) / PIECE, 2, body, j);
  tj__free(j->starts, starts_bytes(j->n));
  return true;
}

static bool true_places(int64_t *out, const tj_tensor *mask) {
  mask_job j = {.mask = tj__read(mask), .n = mask->numel, .to = (char *)out};
  return compress(&j, compress_places);
}

static bool select_true(tj_tensor *out, const tj_tensor *self, const tj_tensor *mask) {
  mask_job j = {.mask = tj__read(mask), .n = mask->numel, .from = tj__read(self), .to = tj__write(out)};
  switch (tj__itemsize(self)) {
    case 1: return compress(&j, compress_1);
    case 2: return compress(&j, compress_2);
    case 4: return compress(&j, compress_4);
    case 8: return compress(&j, compress_8);
    default: return compress(&j, compress_16);
  }
}

typedef struct unravel_job {
  int64_t *out;
  const int64_t *flat, *sizes;
  int64_t n, ndim;
  bool columns;
} unravel_job;

/* Neighbours are mostly in one row of the last dimension, whose other coordinates are then known. */
static void unravel_body(int64_t begin, int64_t end, void *context) {
  const unravel_job *j = context;
  const int64_t ndim = j->ndim, size = j->sizes[ndim - 1], step = j->columns ? 1 : ndim, apart = j->columns ? j->n : 1;
  int64_t row = -1, at[TJ_MAX_DIMS];
  int64_t *out = j->out + begin * step;
  for (int64_t k = begin; k < end; k++, out += step) {
    const int64_t flat = j->flat[k];
    if (row < 0 || (uint64_t)(flat - row) >= (uint64_t)size) {
      int64_t rest = flat / size;
      row = rest * size;
      for (int64_t d = ndim - 2; d >= 0; d--) {
        const int64_t quotient = rest / j->sizes[d];
        at[d] = rest - quotient * j->sizes[d];
        rest = quotient;
      }
    }
    for (int64_t d = 0; d < ndim - 1; d++) out[d * apart] = at[d];
    out[(ndim - 1) * apart] = flat - row;
  }
}

static void unravel(int64_t *out, const int64_t *flat, int64_t n, const int64_t *sizes, int64_t ndim, bool columns) {
  unravel_job j = {out, flat, sizes, n, ndim, columns};
  if (ndim > 0) tj__parallel_for(n, TJ__GRAIN / 4, unravel_body, &j);
}

typedef struct triangle_job {
  const char *in;
  char *out;
  int64_t rows, columns, diagonal;
  size_t size;
  bool upper;
} triangle_job;

static void triangle_body(int64_t begin, int64_t end, void *context) {
  const triangle_job *j = context;
  for (int64_t line = begin; line < end; line++) {
    const int64_t row = line % j->rows;
    int64_t edge = j->upper ? row + j->diagonal : row + j->diagonal + 1; /* first column that is kept; or that is not */
    edge = TJ__MAX(0, TJ__MIN(edge, j->columns));
    const size_t cut = (size_t)edge * j->size, all = (size_t)j->columns * j->size;
    char *out = j->out + (size_t)line * all;
    const char *in = j->in + (size_t)line * all;
    if (j->upper) {
      memset(out, 0, cut);
      memcpy(out + cut, in + cut, all - cut);
    } else {
      memcpy(out, in, cut);
      memset(out + cut, 0, all - cut);
    }
  }
}

static void triangle(tj_tensor *out, const tj_tensor *in, int64_t diagonal, bool upper) {
  if (in->numel == 0) return;
  int64_t rows = in->sizes[in->ndim - 2], columns = in->sizes[in->ndim - 1];
  diagonal = TJ__MAX(-rows - 1, TJ__MIN(diagonal, columns + 1));
  triangle_job j = {tj__read(in), tj__write(out), rows, columns, diagonal, tj__itemsize(in), upper};
  tj__parallel_for(in->numel / columns, TJ__MAX(1, TJ__GRAIN / columns), triangle_body, &j);
}

const tj__index_kernels TJ__ISA(tj__cpu_index) = {.within = within,
                                                  .offsets = offsets,
                                                  .get = get,
                                                  .put = put,
                                                  .gather = gather,
                                                  .scatter = scatter,
                                                  .count_true = count_true,
                                                  .true_places = true_places,
                                                  .select_true = select_true,
                                                  .unravel = unravel,
                                                  .triangle = triangle};
