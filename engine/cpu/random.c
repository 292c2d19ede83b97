/* random.c: random numbers on the CPU, drawn in PyTorch's order and with its arithmetic, so that the streams are its streams. */
#include <math.h>
#include <sched.h>

#include "../core/twister.h"
#include "../kernels/backend.h"
#include "../kernels/random.h"
#include "elements.h"

#define BLOCK 512 /* elements that are made at once, in loops that vectorise */
/* Words that a thread takes of the stream at a time: the state moves from one processor's cache to the other's with each piece. */
enum { LEAST_PIECE = 4096, MOST_PIECE = 16384, PIECES = 4 /* a thread */ };
#define PI 3.14159265358979323846

/* ---- draws in the order of the stream, on several threads ------------------------------------------------------- */

/* n elements of `words` draws each: use(draws, at, count, context) makes elements [at, at + count), at most BLOCK, on any thread. */
typedef void (*use_draws)(const uint32_t *draws, int64_t at, int64_t count, void *context);

typedef struct stream {
  tj_generator *g;
  use_draws use;
  void *context;
  int64_t n, words, piece, next;
  atomic_flag taken;
} stream;

/* Stepping the state is a small part of the work, and the only one that has to be done in order: who comes for a piece takes its words out of
 * the stream, alone, and makes numbers of them while others take theirs. The pieces are those after each other in the stream, whoever asks. */
static void stream_body(int64_t begin, int64_t end, void *context) {
  stream *s = context;
  uint32_t raw[MOST_PIECE];
  for (; begin < end; begin++) {
    for (int spins = 0; atomic_flag_test_and_set_explicit(&s->taken, memory_order_acquire); spins++)
      if (spins >= 100) sched_yield();
    int64_t at = s->next;
    const int64_t count = TJ__MIN(s->piece / s->words, s->n - at);
    s->next += count;
    tj__twister_words(s->g, raw, count * s->words);
    atomic_flag_clear_explicit(&s->taken, memory_order_release);
    for (int64_t i = 0; i < count; i += BLOCK, at += BLOCK) {
      const int64_t part = TJ__MIN(BLOCK, count - i);
      uint32_t *draws = raw + i * s->words;
      for (int64_t k = 0; k < part * s->words; k++) draws[k] = tj__temper(draws[k]);
      s->use(draws, at, part, s->context);
    }
  }
}

static void draw(tj_generator *g, int64_t n, int words, use_draws use, void *context) {
  const int64_t share = n * words / (PIECES * tj_get_num_threads()) / LEAST_PIECE * LEAST_PIECE;
  stream s = {.g = g, .use = use, .context = context, .n = n, .words = words, .taken = ATOMIC_FLAG_INIT};
  s.piece = TJ__MIN(MOST_PIECE, TJ__MAX(LEAST_PIECE, share));
  const int64_t pieces = (n * words + s.piece - 1) / s.piece;
  if (n * words < 8 * LEAST_PIECE) stream_body(0, pieces, &s);
  else tj__parallel_chunks(pieces, 1, stream_body, &s);
}

/* 64-bit draws: two 32-bit ones, the first above. */
static inline uint64_t wide(const uint32_t *draws, int64_t i) { return (uint64_t)draws[2 * i] << 32 | draws[2 * i + 1]; }

/* [0, 1) with 53 bits */
static inline double unit(uint64_t draw) { return (double)(int64_t)(draw & 0x1fffffffffffffu) * 0x1p-53; }

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* static_cast of n numbers to elements of the dtype, from element `at` on. */
#define STORE_CASE(DTYPE, tag, T, A, LOAD, STORE, FROM)          \
  case DTYPE: {                                                  \
    T *to = (T *)out + at;                                       \
    for (int64_t i = 0; i < n; i++) to[i] = STORE((A)(from[i])); \
    break;                                                       \
  }
static void store_doubles(void *out, tj_dtype dtype, int64_t at, const double *from, int64_t n) {
  switch (dtype) {
    TJ__ELEMENTS_BOOL(STORE_CASE, 0) TJ__ELEMENTS_FLOATING(STORE_CASE, 0) case TJ_INT64 : {
      int64_t *to = (int64_t *)out + at;
      for (int64_t i = 0; i < n; i++) to[i] = tj__whole64(from[i]);
      break;
    }
#define STORE_VIA_INT64(DTYPE, T)                                    \
  case DTYPE: {                                                      \
    T *to = (T *)out + at;                                           \
    for (int64_t i = 0; i < n; i++) to[i] = (T)tj__whole64(from[i]); \
    break;                                                           \
  }
    STORE_VIA_INT64(TJ_UINT8, uint8_t)
    STORE_VIA_INT64(TJ_INT8, int8_t)
    STORE_VIA_INT64(TJ_INT16, int16_t)
    STORE_VIA_INT64(TJ_INT32, int32_t)
    STORE_VIA_INT64(TJ_UINT16, uint16_t) STORE_VIA_INT64(TJ_UINT32, uint32_t) STORE_VIA_INT64(TJ_UINT64, uint64_t) default : break;
  }
}

static void store_integers(void *out, tj_dtype dtype, int64_t at, const int64_t *from, int64_t n) {
  switch (dtype) {
    TJ__ELEMENTS_REAL(STORE_CASE, 0)
    default: break;
  }
}

/* ---- uniform --------------------------------------------------------------------------------------------------- */

typedef struct uniform_job {
  void *out;
  tj_dtype dtype;
  double low, width;
} uniform_job;

/* A uniform number has as many bits as the dtype's significand; it is computed in float32 (float64 for itself) and rounded once. */
static void use_narrow(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const uniform_job *j = context;
  const int bits = j->dtype == TJ_FLOAT32 ? 24 : j->dtype == TJ_FLOAT16 ? 11 : 8;
  const uint32_t mask = (1u << bits) - 1;
  const float unit_step = 1.0f / (float)(1u << bits), low = (float)j->low, width = (float)j->width;
  float values[BLOCK], *v = j->dtype == TJ_FLOAT32 ? (float *)j->out + at : values;
  /* rounded once, on every machine */
  for (int64_t i = 0; i < count; i++) v[i] = fmaf((float)(int32_t)(draws[i] & mask) * unit_step, width, low);
  if (j->dtype == TJ_FLOAT16)
    for (int64_t i = 0; i < count; i++) ((uint16_t *)j->out)[at + i] = tj__float_to_half(values[i]);
  else if (j->dtype == TJ_BFLOAT16)
    for (int64_t i = 0; i < count; i++) ((uint16_t *)j->out)[at + i] = tj__float_to_bfloat16(values[i]);
}

static void use_float64(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const uniform_job *j = context;
  double *v = (double *)j->out + at;
  for (int64_t i = 0; i < count; i++) v[i] = fma(unit(wide(draws, i)), j->width, j->low);
}

static uniform_job uniform_of(void *out, tj_dtype dtype, double from, double to) {
  float low = (float)from, high = (float)to;
  if (dtype == TJ_FLOAT64) return (uniform_job){out, dtype, from, to - from};
  if (dtype == TJ_FLOAT32) return (uniform_job){out, dtype, low, high - low};
  if (dtype == TJ_FLOAT16) {
    low = tj__half_to_float(tj__float_to_half(low));
    high = tj__half_to_float(tj__float_to_half(tj__half_to_float(tj__float_to_half(high)) - low));
  } else {
    low = tj__bfloat16_to_float(tj__float_to_bfloat16(low));
    high = tj__bfloat16_to_float(tj__float_to_bfloat16(tj__bfloat16_to_float(tj__float_to_bfloat16(high)) - low));
  }
  return (uniform_job){out, dtype, low, high};
}

static void uniform(void *out, tj_dtype dtype, int64_t n, double from, double to, tj_generator *g) {
  uniform_job j = uniform_of(out, dtype, from, to);
  draw(g, n, dtype == TJ_FLOAT64 ? 2 : 1, dtype == TJ_FLOAT64 ? use_float64 : use_narrow, &j);
}

/* ---- normal ---------------------------------------------------------------------------------------------------- */

/* Logarithm of a float32 in (0, 1], by a polynomial on [sqrt(1/2), sqrt(2)); about 1 ulp. */
static inline float log_unit(float x) {
  uint32_t u = tj__float_bits(x), shifted = u - 0x3f3504f3u;
  int32_t exponent = (int32_t)shifted >> 23;
  float m = tj__bits_float((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f, e = (float)exponent, z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = p * m * z - 2.12194440e-4f * e - 0.5f * z;
  return m + y + 0.693359375f * e;
}

/* Sine and cosine of an angle in [0, 2 pi], by quadrants; about 1 ulp of 1. */
static inline void sincos_turn(float angle, float *sine, float *cosine) {
  float q = (float)(int32_t)(angle * 0.636619772f + 0.5f);
  int32_t quadrant = (int32_t)q;
  float r = angle - q * 1.5703125f;
  r -= q * 4.837512969970703125e-4f;
  r -= q * 7.54978995489188216e-8f;
  float z = r * r;
  float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
  bool swap = quadrant & 1;
  float first = swap ? c : s, second = swap ? s : c;
  *sine = quadrant & 2 ? -first : first;
  *cosine = (quadrant + 1) & 2 ? -second : second;
}

typedef struct normal_job {
  uniform_job uniform;
  double mean, std;
} normal_job;

/* Each 16 uniform numbers become 16 normal ones: 8 radii from the first half, 8 angles from the second. Halves of several boxes lie beside each
 * other for vectors of any length. */
static void boxes_float32(int64_t begin, int64_t end, const normal_job *j) {
  enum { BOXES = 8 };
  const float mean = (float)j->mean, std = (float)j->std, two_pi = (float)(2 * PI);
  float first[8 * BOXES] = {0}, second[8 * BOXES] = {0};
  for (; begin < end; begin += BOXES) {
    float *d = (float *)j->uniform.out + begin * 16;
    const int64_t boxes = TJ__MIN(BOXES, end - begin);
    for (int64_t k = 0; k < boxes; k++) {
      memcpy(first + 8 * k, d + 16 * k, 8 * sizeof *d);
      memcpy(second + 8 * k, d + 16 * k + 8, 8 * sizeof *d);
    }
    for (int i = 0; i < 8 * BOXES; i++) {
      float radius = sqrtf(-2.0f * log_unit(1.0f - first[i])), s, c;
      sincos_turn(two_pi * second[i], &s, &c);
      first[i] = radius * c * std + mean;
      second[i] = radius * s * std + mean;
    }
    for (int64_t k = 0; k < boxes; k++) {
      memcpy(d + 16 * k, first + 8 * k, 8 * sizeof *d);
      memcpy(d + 16 * k + 8, second + 8 * k, 8 * sizeof *d);
    }
  }
}

static void boxes_float64(int64_t begin, int64_t end, const normal_job *j) {
  for (double *d = (double *)j->uniform.out + begin * 16; begin < end; begin++, d += 16) {
    for (int i = 0; i < 8; i++) {
      double radius = sqrt(-2 * log(1 - d[i])), theta = 2 * PI * d[i + 8];
      d[i] = radius * cos(theta) * j->std + j->mean;
      d[i + 8] = radius * sin(theta) * j->std + j->mean;
    }
  }
}

/* float16 and bfloat16 round after every step, as PyTorch's scalars of these types do. */
#define BOXES_NARROW(name, LOAD, STORE)                                                                               \
  static void name(int64_t begin, int64_t end, const normal_job *j) {                                                 \
    float mean = LOAD(STORE((float)j->mean)), std = LOAD(STORE((float)j->std));                                       \
    for (uint16_t *d = (uint16_t *)j->uniform.out + begin * 16; begin < end; begin++, d += 16) {                      \
      for (int i = 0; i < 8; i++) {                                                                                   \
        float u1 = LOAD(STORE(1.0f - LOAD(d[i]))), logarithm = LOAD(STORE(logf(u1)));                                 \
        float radius = LOAD(STORE(sqrtf(LOAD(STORE(-2.0f * logarithm)))));                                            \
        float theta = LOAD(STORE((float)(2 * PI * (double)LOAD(d[i + 8]))));                                          \
        float c = LOAD(STORE(radius * LOAD(STORE(cosf(theta))))), s = LOAD(STORE(radius * LOAD(STORE(sinf(theta))))); \
        d[i] = STORE(LOAD(STORE(c * std)) + mean);                                                                    \
        d[i + 8] = STORE(LOAD(STORE(s * std)) + mean);                                                                \
      }                                                                                                               \
    }                                                                                                                 \
  }
BOXES_NARROW(boxes_float16, tj__half_to_float, tj__float_to_half)
BOXES_NARROW(boxes_bfloat16, tj__bfloat16_to_float, tj__float_to_bfloat16)

static double next_normal(tj_generator *g) {
  if (g->has_double_normal) {
    g->has_double_normal = false;
    return g->double_normal;
  }
  double u1 = unit(tj__random64(g)), u2 = unit(tj__random64(g));
  double radius = sqrt(-2.0 * log1p(-u2)), theta = 2.0 * PI * u1;
  g->double_normal = radius * sin(theta);
  g->has_double_normal = true;
  return radius * cos(theta);
}

/* Of a block of uniform numbers, as many as make boxes become normal. */
static void use_normal(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  normal_job *j = context;
  const tj_dtype dtype = j->uniform.dtype;
  (dtype == TJ_FLOAT64 ? use_float64 : use_narrow)(draws, at, count, &j->uniform);
  (dtype == TJ_FLOAT32   ? boxes_float32
   : dtype == TJ_FLOAT64 ? boxes_float64
   : dtype == TJ_FLOAT16 ? boxes_float16
                         : boxes_bfloat16)(at / 16, (at + count) / 16, j);
}

static void normal(void *out, tj_dtype dtype, int64_t n, double mean, double std, bool blocks, tj_generator *g) {
  if (!blocks || n < 16) {
    double values[BLOCK];
    for (int64_t at = 0; at < n; at += BLOCK) {
      int64_t count = TJ__MIN(n - at, BLOCK);
      for (int64_t i = 0; i < count; i++) values[i] = next_normal(g) * std + mean;
      store_doubles(out, dtype, at, values, count);
    }
    return;
  }
  normal_job job = {uniform_of(out, dtype, 0, 1), mean, std};
  const int words = dtype == TJ_FLOAT64 ? 2 : 1;
  draw(g, n, words, use_normal, &job);
  if (n % 16) { /* the last 16 are drawn anew */
    job.uniform.out = (char *)out + (n - 16) * tj__dtype_sizes[dtype];
    draw(g, 16, words, use_normal, &job);
  }
}

/* ---- other distributions --------------------------------------------------------------------------------------- */

typedef struct distribution_job {
  void *out;
  tj_dtype dtype;
  tj__distribution kind;
  double a, b;
} distribution_job;

static void use_distribution(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const distribution_job *j = context;
  const double a = j->a, b = j->b;
  double u[BLOCK];
  for (int64_t i = 0; i < count; i++) u[i] = unit(wide(draws, i));
  switch (j->kind) {
    case TJ__EXPONENTIAL:
      for (int64_t i = 0; i < count; i++) u[i] = -1.0 / a * log1p(-u[i]);
      break;
    case TJ__GEOMETRIC:
      for (int64_t i = 0; i < count; i++) u[i] = ceil(log(u[i]) / log1p(-a));
      break;
    default:
      for (int64_t i = 0; i < count; i++) u[i] = a + b * tan(PI * (u[i] - 0.5));
      break;
  }
  store_doubles(j->out, j->dtype, at, u, count);
}

static void distribution(void *out, tj_dtype dtype, int64_t n, tj__distribution kind, double a, double b, tj_generator *g) {
  if (kind != TJ__LOG_NORMAL) {
    distribution_job j = {out, dtype, kind, a, b};
    draw(g, n, 2, use_distribution, &j);
    return;
  }
  double u[BLOCK];
  for (int64_t at = 0; at < n; at += BLOCK) {
    int64_t count = TJ__MIN(n - at, BLOCK);
    for (int64_t i = 0; i < count; i++) u[i] = exp(next_normal(g) * b + a);
    store_doubles(out, dtype, at, u, count);
  }
}

/* ---- integers -------------------------------------------------------------------------------------------------- */

typedef struct integers_job {
  void *out;
  tj_dtype dtype;
  uint64_t range;
  int64_t base;
} integers_job;

static void use_integers64(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const integers_job *j = context;
  int64_t values[BLOCK];
  if (j->range == 0)
    for (int64_t i = 0; i < count; i++) values[i] = (int64_t)wide(draws, i);
  else
    for (int64_t i = 0; i < count; i++) values[i] = (int64_t)(wide(draws, i) % j->range + (uint64_t)j->base);
  store_integers(j->out, j->dtype, at, values, count);
}

static void use_integers32(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const integers_job *j = context;
  int64_t values[BLOCK];
  const uint32_t divisor = (uint32_t)j->range;
  if (divisor == 0) /* 2^32 */
    for (int64_t i = 0; i < count; i++) values[i] = (int64_t)(draws[i] + (uint64_t)j->base);
  else
    for (int64_t i = 0; i < count; i++) values[i] = (int64_t)(draws[i] % divisor + (uint64_t)j->base);
  store_integers(j->out, j->dtype, at, values, count);
}

static void integers(void *out, tj_dtype dtype, int64_t n, uint64_t range, int64_t base, tj_generator *g) {
  integers_job j = {out, dtype, range, range ? base : 0};
  const bool wide_draws = range == 0 || range >= (uint64_t)1 << 32;
  draw(g, n, wide_draws ? 2 : 1, wide_draws ? use_integers64 : use_integers32, &j);
}

static void all_integers(void *out, tj_dtype dtype, int64_t n, tj_generator *g) {
  static const uint64_t counts[TJ_DTYPE_COUNT] = {
      [TJ_BOOL] = 2,
      [TJ_UINT8] = (uint64_t)1 << 8,
      [TJ_INT8] = (uint64_t)1 << 7,
      [TJ_INT16] = (uint64_t)1 << 15,
      [TJ_INT32] = (uint64_t)1 << 31,
      [TJ_INT64] = (uint64_t)1 << 63,
      [TJ_UINT16] = (uint64_t)1 << 16,
      [TJ_UINT32] = (uint64_t)1 << 32,
      [TJ_FLOAT16] = ((uint64_t)1 << 11) + 1,
      [TJ_BFLOAT16] = ((uint64_t)1 << 8) + 1,
      [TJ_FLOAT32] = ((uint64_t)1 << 24) + 1,
      [TJ_FLOAT64] = ((uint64_t)1 << 53) + 1,
  };
  integers_job j = {out, dtype, counts[dtype], 0};
  const bool wide_draws = dtype == TJ_INT64 || dtype == TJ_FLOAT64;
  draw(g, n, wide_draws ? 2 : 1, wide_draws ? use_integers64 : use_integers32, &j);
}

/* Fisher and Yates from the front. 64-bit draws where 32 bits would prefer some places visibly. */
#define PERMUTATION_CASE(DTYPE, tag, T, A, LOAD, STORE, EXTRA)                                           \
  case DTYPE: {                                                                                          \
    T *v = out;                                                                                          \
    for (int64_t i = 0; i < n; i++) v[i] = STORE((A)i);                                                  \
    for (int64_t begin = 0; begin < n - 1; begin += BLOCK) {                                             \
      const int64_t count = TJ__MIN(BLOCK, n - 1 - begin);                                               \
      tj__random_fill32(g, draws, count *words);                                                         \
      for (int64_t d = 0; d < count; d++) {                                                              \
        const int64_t i = begin + d;                                                                     \
        const uint64_t rest = (uint64_t)(n - i);                                                         \
        const int64_t k = i + (int64_t)(words == 2 ? wide(draws, d) % rest : draws[d] % (uint32_t)rest); \
        const T swap = v[i];                                                                             \
        v[i] = v[k];                                                                                     \
        v[k] = swap;                                                                                     \
      }                                                                                                  \
    }                                                                                                    \
    break;                                                                                               \
  }
static void permutation(void *out, tj_dtype dtype, int64_t n, tj_generator *g) {
  const int words = n >= (int64_t)(UINT32_MAX / 20) ? 2 : 1;
  uint32_t draws[2 * BLOCK];
  switch (dtype) {
    TJ__ELEMENTS_INT(PERMUTATION_CASE, 0)
    TJ__ELEMENTS_FLOATING(PERMUTATION_CASE, 0)
    default: break;
  }
}

/* ---- trials ---------------------------------------------------------------------------------------------------- */

/* unit(draw) < p exactly when the 53 bits are below this */
static uint64_t threshold(double p) { return (uint64_t)ceil(p * 0x1p53); }

typedef struct trials_job {
  void *out;
  tj_dtype dtype, p_dtype;
  const char *p;
  uint64_t limit;
} trials_job;

static void use_bernoulli(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const trials_job *j = context;
  int64_t values[BLOCK];
  for (int64_t i = 0; i < count; i++) values[i] = (wide(draws, i) & 0x1fffffffffffffu) < j->limit;
  store_integers(j->out, j->dtype, at, values, count);
}

static void bernoulli(void *out, tj_dtype dtype, int64_t n, double p, tj_generator *g) {
  trials_job j = {.out = out, .dtype = dtype, .limit = threshold(p)};
  draw(g, n, 2, use_bernoulli, &j);
}

static void use_bernoulli_each(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const trials_job *j = context;
  const size_t step = tj__dtype_sizes[j->p_dtype];
  int64_t values[BLOCK];
  for (int64_t i = 0; i < count; i++) {
    /* a float32 probability is compared with a float32 number */
    const double u = j->p_dtype == TJ_FLOAT64 ? unit(wide(draws, i)) : (double)(draws[i] & 0xffffffu) * 0x1p-24;
    values[i] = u < tj__load_scalar(j->p + (size_t)(at + i) * step, j->p_dtype).f;
  }
  store_integers(j->out, j->dtype, at, values, count);
}

static bool bernoulli_each(void *out, tj_dtype dtype, int64_t n, const void *p, tj_dtype p_dtype, tj_generator *g) {
  trials_job j = {.out = out, .dtype = dtype, .p_dtype = p_dtype, .p = p};
  const size_t step = tj__dtype_sizes[p_dtype];
  for (int64_t i = 0; i < n; i++) {
    const double limit = tj__load_scalar(j.p + (size_t)i * step, p_dtype).f;
    if (!(limit >= 0 && limit <= 1)) return false;
  }
  draw(g, n, p_dtype == TJ_FLOAT64 ? 2 : 1, use_bernoulli_each, &j);
  return true;
}

/* W. Hoermann, "The transformed rejection method for generating Poisson random variables", 1993, algorithm PTRS; below 10 the product of
 * uniform numbers. */
static int64_t one_poisson(double rate, tj_generator *g) {
  if (rate == 0) return 0;
  if (rate < 10) {
    double limit = exp(-rate), product = 1;
    for (int64_t k = 0;; k++) {
      product *= unit(tj__random64(g));
      if (!(product > limit)) return k;
    }
  }
  double log_rate = log(rate), b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = unit(tj__random64(g)) - 0.5, v = unit(tj__random64(g)), us = 0.5 - fabs(u);
    double k = floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return tj__whole64(k);
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <= -rate + k * log_rate - lgamma(k + 1)) return tj__whole64(k);
  }
}

static bool poisson(void *out, const void *rates, tj_dtype dtype, int64_t n, tj_generator *g) {
  size_t step = tj__dtype_sizes[dtype];
  for (int64_t i = 0; i < n; i++) {
    double rate = tj__load_scalar((const char *)rates + (size_t)i * step, dtype).f;
    if (!(rate >= 0)) return false;
    int64_t k = one_poisson(rate, g);
    store_integers(out, dtype, i, &k, 1);
  }
  return true;
}

/* ---- dropout --------------------------------------------------------------------------------------------------- */

/* The mask is read as bytes: loops over bool do not become vectors. */
#define SCALE_CASE(DTYPE, tag, T, A, LOAD, STORE, FACTOR)    \
  case DTYPE: {                                              \
    const T *restrict from = (const T *)in + at;             \
    T *restrict to = (T *)out + at;                          \
    const uint8_t *restrict kept = (const uint8_t *)keep;    \
    const A factor = LOAD(STORE((A)(FACTOR)));               \
    for (int64_t i = 0; i < count; i++) {                    \
      const A x = LOAD(from[i]) * (kept[i] ? factor : (A)0); \
      to[i] = STORE(x);                                      \
    }                                                        \
    break;                                                   \
  }

typedef struct dropout_job {
  void *out;
  bool *mask;
  const void *in;
  tj_dtype dtype;
  uint64_t limit;
  double factor;
} dropout_job;

static void use_dropout(const uint32_t *draws, int64_t at, int64_t count, void *context) {
  const dropout_job *j = context;
  bool *keep = j->mask + at;
  void *out = j->out;
  const void *in = j->in;
  for (int64_t i = 0; i < count; i++) keep[i] = (wide(draws, i) & 0x1fffffffffffffu) < j->limit;
  switch (j->dtype) {
    TJ__ELEMENTS_FLOATING(SCALE_CASE, j->factor)
    default: break;
  }
}

static void dropout(void *out, bool *mask, const void *in, tj_dtype dtype, int64_t n, double stay, tj_generator *g) {
  /* divided in the type of the arithmetic */
  dropout_job j = {out, mask, in, dtype, threshold(stay), dtype == TJ_FLOAT64 ? 1 / stay : (double)(1.0f / (float)stay)};
  draw(g, n, 2, use_dropout, &j);
}

typedef struct scale_job {
  void *out;
  const bool *mask;
  const void *in;
  tj_dtype dtype;
  double scale;
} scale_job;

static void scale_body(int64_t at, int64_t end, void *context) {
  const scale_job *j = context;
  void *out = j->out;
  const void *in = j->in;
  const bool *keep = j->mask + at;
  int64_t count = end - at;
  switch (j->dtype) {
    TJ__ELEMENTS_FLOATING(SCALE_CASE, j->scale)
    TJ__ELEMENTS_COMPLEX(SCALE_CASE, j->scale)
    default: break;
  }
}

static void scale_masked(void *out, const bool *mask, const void *in, tj_dtype dtype, int64_t n, double scale) {
  scale_job job = {out, mask, in, dtype, scale};
  tj__parallel_for(n, TJ__GRAIN, scale_body, &job);
}

/* ---- choices --------------------------------------------------------------------------------------------------- */

static const char *choose(int64_t *out, const void *p, tj_dtype dtype, int64_t rows, int64_t n, int64_t samples, double *cumulative,
                          tj_generator *g) {
  size_t step = tj__dtype_sizes[dtype];
  bool wide = dtype == TJ_FLOAT64;
  for (int64_t row = 0; row < rows; row++) {
    const char *from = (const char *)p + (size_t)(row * n) * step;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
      double value = tj__load_scalar(from + (size_t)i * step, dtype).f;
      if (!(value >= 0)) return "invalid multinomial distribution (encountering probability entry < 0)";
      if (!isfinite(value)) return "invalid multinomial distribution (encountering probability entry = infinity or NaN)";
      sum = wide ? sum + value : (double)((float)sum + (float)value);
      cumulative[i] = sum;
    }
    if (!(sum > 0)) return "invalid multinomial distribution (sum of probabilities <= 0)";
    for (int64_t i = 0; i < n; i++) cumulative[i] = wide ? cumulative[i] / sum : (double)((float)cumulative[i] / (float)sum);
    cumulative[n - 1] = 1;
    for (int64_t i = 0; i < samples; i++) {
      double u = unit(tj__random64(g));
      int64_t low = 0, high = n;
      while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (cumulative[middle] < u) low = middle + 1;
        else high = middle;
      }
      *out++ = low;
    }
  }
  return NULL;
}

/* A heap of indices with the largest value on top; among equals the lower index. */
static void sink(int64_t *heap, int64_t n, int64_t at, const char *row, tj_dtype dtype) {
  size_t step = tj__dtype_sizes[dtype];
  int64_t moving = heap[at];
  double value = tj__load_scalar(row + (size_t)moving * step, dtype).f;
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    double best = tj__load_scalar(row + (size_t)heap[child] * step, dtype).f;
    if (child + 1 < n) {
      double right = tj__load_scalar(row + (size_t)heap[child + 1] * step, dtype).f;
      if (right > best || (right == best && heap[child + 1] < heap[child])) best = right, child++;
    }
    if (value > best || (value == best && moving < heap[child])) break;
    heap[at] = heap[child];
  }
  heap[at] = moving;
}

static void largest(int64_t *out, const void *q, tj_dtype dtype, int64_t rows, int64_t n, int64_t samples, int64_t *heap) {
  for (int64_t r = 0; r < rows; r++) {
    const char *row = (const char *)q + (size_t)(r * n) * tj__dtype_sizes[dtype];
    for (int64_t i = 0; i < n; i++) heap[i] = i;
    for (int64_t i = n / 2 - 1; i >= 0; i--) sink(heap, n, i, row, dtype);
    for (int64_t i = 0; i < samples; i++) {
      *out++ = heap[0];
      heap[0] = heap[n - 1 - i];
      if (n - 1 - i > 0) sink(heap, n - 1 - i, 0, row, dtype);
    }
  }
}

const tj__random_kernels TJ__ISA(tj__cpu_random) = {
    .uniform = uniform,
    .normal = normal,
    .distribution = distribution,
    .integers = integers,
    .all_integers = all_integers,
    .bernoulli = bernoulli,
    .bernoulli_each = bernoulli_each,
    .permutation = permutation,
    .poisson = poisson,
    .dropout = dropout,
    .scale_masked = scale_masked,
    .choose = choose,
    .largest = largest,
};
