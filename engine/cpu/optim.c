/* optim.c (CPU): optimizer steps. Each is PyTorch's chain of operators in one pass over memory; ROUND stands where PyTorch stores an
 * intermediate result, which matters for float16 and bfloat16. */
#include "../kernels/optim.h"

#include <math.h>

#define SAME(x) (x)
#define HALF(x) tj__half_to_float(tj__float_to_half(x))
#define BFLOAT(x) tj__bfloat16_to_float(tj__float_to_bfloat16(x))

/* a * b + c as PyTorch's loops have it: one rounding where the processor can. Written out, because left to itself the compiler may
 * fuse the other product of a sum. */
#ifdef __FMA__
#define FUSED(a, b, c) _Generic((C)0, float : __builtin_fmaf, default : __builtin_fma)(a, b, c)
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif
/* torch.lerp: from the end that is nearer. */
#define LERP(a, b, weight, coefficient) FUSED(coefficient, (b) - (a), (weight) < (C)0.5 ? (a) : (b))

/* A factor of torch.add (alpha) is rounded to the dtype first, one of torch.mul is not. */

/* The loops are split by what does not change inside them, so that each one vectorises. */
#define SGD(suffix, T, COMPUTE, LOAD, STORE, ROUND)                                                           \
  static void sgd_##suffix(const tj__optim_item *item, int64_t begin, int64_t end, const tj_sgd_options *o) { \
    typedef COMPUTE C;                                                                                        \
    T *restrict param = item->param, *restrict buffer = item->state[0];                                       \
    const T *restrict grad = item->grad;                                                                      \
    const C sign = o->maximize ? -1 : 1, momentum = (C)o->momentum, momentum_alpha = ROUND(momentum);         \
    const C decay = ROUND((C)o->weight_decay), keep = ROUND((C)(1 - o->dampening)), rate = ROUND((C)-o->lr);  \
    const bool first = item->first, nesterov = o->nesterov, decays = o->weight_decay != 0;                    \
    if (!buffer) {                                                                                            \
      for (int64_t i = begin; i < end; i++) {                                                                 \
        C p = LOAD(param[i]), g = sign * LOAD(grad[i]);                                                       \
        g = decays ? ROUND(FUSED(decay, p, g)) : g;                                                           \
        param[i] = STORE(FUSED(rate, g, p));                                                                  \
      }                                                                                                       \
      return;                                                                                                 \
    }                                                                                                         \
    for (int64_t i = begin; i < end; i++) {                                                                   \
      C p = LOAD(param[i]), g = sign * LOAD(grad[i]), b = LOAD(buffer[i]);                                    \
      g = decays ? ROUND(FUSED(decay, p, g)) : g;                                                             \
      b = first ? g : ROUND(FUSED(keep, g, ROUND(b * momentum)));                                             \
      g = nesterov ? ROUND(FUSED(momentum_alpha, b, g)) : b;                                                  \
      buffer[i] = STORE(b);                                                                                   \
      param[i] = STORE(FUSED(rate, g, p));                                                                    \
    }                                                                                                         \
  }

/* Two copies of the loop: with max_exp_avg_sq a condition inside, its reads become masked loads from a null pointer, and those are
 * slower than all the rest. */
#define ADAM(suffix, T, COMPUTE, LOAD, STORE, ROUND, SQRT)                                                                           \
  static inline __attribute__((always_inline)) void adam_loop_##suffix(const tj__optim_item *item, int64_t begin, int64_t end,       \
                                                                       const tj_adam_options *o, const bool amsgrad) {               \
    typedef COMPUTE C;                                                                                                               \
    T *restrict param = item->param, *restrict avg = item->state[0], *restrict sq = item->state[1], *restrict most = item->state[2]; \
    const T *restrict grad = item->grad;                                                                                             \
    const bool decoupled = o->decoupled_weight_decay && o->weight_decay != 0, coupled = !decoupled && o->weight_decay != 0;          \
    const C sign = o->maximize ? -1 : 1, shrink = (C)(1 - o->lr * o->weight_decay), decay = ROUND((C)o->weight_decay);               \
    const C weight = (C)(1 - o->beta1), coefficient = weight < (C)0.5 ? weight : weight - 1;                                         \
    const C beta2 = (C)o->beta2, rest2 = (C)(1 - o->beta2), eps = (C)o->eps;                                                         \
    const C correction = (C)item->bias_correction2_sqrt, rate = (C)-item->step_size;                                                 \
    for (int64_t i = begin; i < end; i++) {                                                                                          \
      C p = LOAD(param[i]), g = sign * LOAD(grad[i]), m = LOAD(avg[i]), v = LOAD(sq[i]);                                             \
      p = decoupled ? ROUND(p * shrink) : p;                                                                                         \
      g = coupled ? ROUND(FUSED(decay, p, g)) : g;                                                                                   \
      m = ROUND(LERP(m, g, weight, coefficient));                                                                                    \
      v = ROUND(FUSED(rest2 * g, g, ROUND(v * beta2)));                                                                              \
      avg[i] = STORE(m);                                                                                                             \
      sq[i] = STORE(v);                                                                                                              \
      if (amsgrad) { /* torch.maximum: NaN wins */                                                                                   \
        C before = LOAD(most[i]);                                                                                                    \
        v = before > v || before != before ? before : v;                                                                             \
        most[i] = STORE(v);                                                                                                          \
      }                                                                                                                              \
      C divisor = ROUND(ROUND(ROUND(SQRT(v)) / correction) + eps);                                                                   \
      param[i] = STORE(p + rate * m / divisor);                                                                                      \
    }                                                                                                                                \
  }                                                                                                                                  \
  static void adam_##suffix(const tj__optim_item *item, int64_t begin, int64_t end, const tj_adam_options *o) {                      \
    if (item->state[2]) adam_loop_##suffix(item, begin, end, o, true);                                                               \
    else adam_loop_##suffix(item, begin, end, o, false);                                                                             \
  }

#define FAMILY(suffix, T, C, LOAD, STORE, ROUND, SQRT) SGD(suffix, T, C, LOAD, STORE, ROUND) ADAM(suffix, T, C, LOAD, STORE, ROUND, SQRT)
FAMILY(float32, float, float, SAME, SAME, SAME, sqrtf)
FAMILY(float64, double, double, SAME, SAME, SAME, sqrt)
FAMILY(float16, uint16_t, float, tj__half_to_float, tj__float_to_half, HALF, sqrtf)
FAMILY(bfloat16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, BFLOAT, sqrtf)

#define BY_DTYPE(kernel)                                                 \
  switch (item->dtype) {                                                 \
    case TJ_FLOAT32: kernel##_float32(item, begin, end, options); break; \
    case TJ_FLOAT64: kernel##_float64(item, begin, end, options); break; \
    case TJ_FLOAT16: kernel##_float16(item, begin, end, options); break; \
    default: kernel##_bfloat16(item, begin, end, options); break;        \
  }

static void sgd(const tj__optim_item *item, int64_t begin, int64_t end, const tj_sgd_options *options) { BY_DTYPE(sgd) }
static void adam(const tj__optim_item *item, int64_t begin, int64_t end, const tj_adam_options *options) { BY_DTYPE(adam) }

const tj__optim_kernels TJ__ISA(tj__cpu_optim) = {.sgd = sgd, .adam = adam};
