/* random.c: operators that draw random numbers. */
#include <float.h>
#include <math.h>

#include "../kernels/backend.h"
#include "../kernels/random.h"
#include "copy.h"
#include "creation.h"
#include "arithmetic.h"
#include "impl.h"

/* ---- filling a tensor in the order of its memory ---------------------------------------------------------------- */

/* PyTorch draws in the order in which the elements lie in memory. Where they lie with gaps, a dense tensor with the same order takes the
 * numbers, and they are copied. */
typedef struct target {
  tj_tensor *self, *dense;
  const tj__random_kernels *kernels;
} target;

static bool target_of(target *t, tj_tensor *self) {
  const tj__backend *backend = tj__backend_of(self->storage->device);
  if (!backend) return false;
  if (tj__has_internal_overlap(self)) {
    tj__fail(TJ_ERROR_RUNTIME,
             "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the "
             "tensor before performing the operation.");
    return false;
  }
  t->self = self;
  t->kernels = backend->random;
  t->dense = tj__is_dense(self) ? self : tj__empty_like(self, (tj_dtype)self->dtype);
  return t->dense != NULL;
}

static tj_tensor *target_done(const target *t) { return t->dense == t->self ? t->self : tj__copy_into(t->self, t->dense); }

static void *not_implemented(const char *kernel, tj_dtype dtype) {
  return tj__fail(TJ_ERROR_RUNTIME, "\"%s\" not implemented for '%s'", kernel, tj__dtype_legacy(dtype));
}

/* Real and imaginary parts next to each other as one flat tensor; other dtypes as they are. */
static tj_dtype flat(const tj_tensor *t, int64_t *n) {
  bool complex_numbers = tj_dtype_is_complex((tj_dtype)t->dtype);
  *n = complex_numbers ? 2 * t->numel : t->numel;
  return tj__real_of((tj_dtype)t->dtype);
}

static double largest(tj_dtype dtype) {
  switch (dtype) {
    case TJ_FLOAT16: return 65504;
    case TJ_BFLOAT16: return 0x1.fep127;
    case TJ_FLOAT64: return DBL_MAX;
    default: return FLT_MAX;
  }
}

/* ---- uniform, normal ------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_uniform_(tj_tensor *self, double from, double to, tj_generator *generator) {
  int64_t n;
  tj_dtype dtype = flat(self, &n);
  if (tj__class_of(dtype) != TJ__CLASS_FLOAT) return not_implemented("check_uniform_bounds", dtype);
  double most = largest(dtype);
  TJ__CHECK(from >= -most && from <= most, TJ_ERROR_RUNTIME, "from is out of bounds for %s", tj__dtype_cpp(dtype));
  TJ__CHECK(to >= -most && to <= most, TJ_ERROR_RUNTIME, "to is out of bounds for %s", tj__dtype_cpp(dtype));
  TJ__CHECK(from <= to, TJ_ERROR_RUNTIME, "uniform_ expects to return a [from, to) range, but found from=%g > to=%g", from, to);
  TJ__CHECK(
      to - from <= most, TJ_ERROR_RUNTIME,
      "uniform_ expects to-from <= std::numeric_limits<%s>::max(), but found to=%g and from=%g which result in to-from to exceed the limit",
      tj__dtype_legacy(dtype), to, from);
  target t;
  if (n == 0) return self;
  if (!target_of(&t, self)) return NULL;
  tj__generator_lock();
  t.kernels->uniform(tj__write(t.dense), dtype, n, from, to, tj__generator(generator));
  tj__generator_unlock();
  return target_done(&t);
}

tj_tensor *tj__impl_normal_(tj_tensor *self, double mean, double std, tj_generator *generator) {
  int64_t n;
  tj_dtype dtype = flat(self, &n);
  TJ__CHECK(std >= 0, TJ_ERROR_RUNTIME, "normal expects std >= 0.0, but found std %g", std);
  if (n == 0) return self;
  if (tj__class_of(dtype) != TJ__CLASS_FLOAT) return not_implemented("normal_kernel_cpu", dtype);
  if (n != self->numel) std /= sqrt(2); /* the variance of a complex number is that of both parts together */
  target t;
  if (!target_of(&t, self)) return NULL;
  tj__generator_lock();
  t.kernels->normal(tj__write(t.dense), dtype, n, mean, std, tj__is_contiguous(self), tj__generator(generator));
  tj__generator_unlock();
  return target_done(&t);
}

/* ---- one uniform number each ----------------------------------------------------------------------------------- */

static tj_tensor *distribution(tj_tensor *self, tj__distribution kind, double a, double b, tj_generator *generator) {
  target t;
  if (self->numel == 0) return self;
  if (!target_of(&t, self)) return NULL;
  tj__generator_lock();
  t.kernels->distribution(tj__write(t.dense), (tj_dtype)self->dtype, self->numel, kind, a, b, tj__generator(generator));
  tj__generator_unlock();
  return target_done(&t);
}

tj_tensor *tj__impl_exponential_(tj_tensor *self, double lambd, tj_generator *generator) {
  TJ__CHECK(lambd > 0, TJ_ERROR_RUNTIME, "exponential_ expects lambda > 0.0, but found lambda=%g", lambd);
  TJ__CHECK(tj_dtype_is_floating((tj_dtype)self->dtype), TJ_ERROR_RUNTIME,
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified %s",
            tj__dtype_legacy((tj_dtype)self->dtype));
  return distribution(self, TJ__EXPONENTIAL, lambd, 0, generator);
}
tj_tensor *tj__impl_geometric_(tj_tensor *self, double p, tj_generator *generator) {
  TJ__CHECK(p > 0 && p < 1, TJ_ERROR_RUNTIME, "geometric_ expects p to be in (0, 1), but got p=%g", p);
  if (self->dtype == TJ_BOOL || tj_dtype_is_complex((tj_dtype)self->dtype)) return not_implemented("geometric_cpu", (tj_dtype)self->dtype);
  return distribution(self, TJ__GEOMETRIC, p, 0, generator);
}
tj_tensor *tj__impl_cauchy_(tj_tensor *self, double median, double sigma, tj_generator *generator) {
  TJ__CHECK(sigma > 0, TJ_ERROR_RUNTIME, "cauchy_ expects sigma > 0.0, but found sigma=%g", sigma);
  TJ__CHECK(tj_dtype_is_floating((tj_dtype)self->dtype), TJ_ERROR_RUNTIME,
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified %s",
            tj__dtype_cpp((tj_dtype)self->dtype));
  return distribution(self, TJ__CAUCHY, median, sigma, generator);
}
tj_tensor *tj__impl_log_normal_(tj_tensor *self, double mean, double std, tj_generator *generator) {
  TJ__CHECK(std > 0, TJ_ERROR_RUNTIME, "log_normal_ expects std > 0.0, but found std=%g", std);
  if (!tj_dtype_is_floating((tj_dtype)self->dtype)) return not_implemented("log_normal_cpu", (tj_dtype)self->dtype);
  return distribution(self, TJ__LOG_NORMAL, mean, std, generator);
}

/* ---- integers -------------------------------------------------------------------------------------------------- */

static int significant_bits(tj_dtype dtype) { return dtype == TJ_FLOAT16 ? 11 : dtype == TJ_BFLOAT16 ? 8 : dtype == TJ_FLOAT32 ? 24 : 53; }

/* What is left of an integer in a floating dtype. */
static int64_t through(int64_t v, tj_dtype dtype) {
  char element[8];
  tj__store_scalar(element, dtype, tj_int(v));
  return tj__scalar_to_int(tj__load_scalar(element, dtype));
}

static int highest_bit(int64_t v) {
  uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
  return u ? 63 - __builtin_clzll(u) : 0;
}

/* The bounds moved inwards to numbers that the dtype holds, so that no draw is rounded out of the range. */
static int64_t lower_bound(int64_t from, tj_dtype dtype) {
  int64_t next = through((int64_t)((uint64_t)from + 1), dtype);
  return next < from ? next + ((int64_t)1 << (highest_bit(from + 1) - significant_bits(dtype) + 1)) : from;
}
static int64_t upper_bound(int64_t to, tj_dtype dtype) {
  int64_t before = through((int64_t)((uint64_t)to - 1), dtype);
  return before >= to ? before - ((int64_t)1 << (highest_bit(to - 1) - significant_bits(dtype) + 1)) : to;
}

static bool check_bounds(int64_t from, int64_t last, tj_dtype dtype) {
  double low, high;
  switch (tj__class_of(dtype)) {
    case TJ__CLASS_COMPLEX:
      tj__fail(TJ_ERROR_RUNTIME, "check_random_bounds handles only integral, floating-point and boolean types");
      return false;
    case TJ__CLASS_FLOAT: high = largest(dtype), low = -high; break;
    case TJ__CLASS_BOOL: low = 0, high = 1; break;
    default: {
      int bits = 8 * (int)tj__dtype_sizes[dtype];
      bool is_signed = tj_dtype_is_signed(dtype);
      if (bits == 64) { /* every int64 fits, but for the sign */
        if (is_signed || from >= 0) return true;
        tj__fail(TJ_ERROR_RUNTIME, "from is out of bounds for %s", tj__dtype_cpp(dtype));
        return false;
      }
      high = ldexp(1, bits - is_signed) - 1;
      low = is_signed ? -high - 1 : 0;
    }
  }
  if ((double)from >= low && (double)from <= high && (double)last >= low && (double)last <= high) return true;
  tj__fail(TJ_ERROR_RUNTIME, "%s is out of bounds for %s", (double)from >= low && (double)from <= high ? "to - 1" : "from",
           tj__dtype_cpp(dtype));
  return false;
}

static tj_tensor *integers(tj_tensor *self, uint64_t range, int64_t base, tj_generator *generator) {
  target t;
  if (self->numel == 0) return self;
  if (!target_of(&t, self)) return NULL;
  tj__generator_lock();
  t.kernels->integers(tj__write(t.dense), (tj_dtype)self->dtype, self->numel, range, base, tj__generator(generator));
  tj__generator_unlock();
  return target_done(&t);
}

tj_tensor *tj__impl_random_from_(tj_tensor *self, int64_t from, int64_t to, tj_generator *generator) {
  tj_dtype dtype = (tj_dtype)self->dtype;
  bool floating = tj_dtype_is_floating(dtype);
  if (to != TJ_NO_INT) {
    TJ__CHECK(from < to, TJ_ERROR_RUNTIME, "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld", (long long)from,
              (long long)to);
    if (floating) {
      from = lower_bound(from, dtype);
      to = upper_bound(to, dtype);
      TJ__CHECK(from < to, TJ_ERROR_RUNTIME,
                "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=%lld >= to=%lld",
                (long long)from, (long long)to);
    }
    if (!check_bounds(from, to - 1, dtype)) return NULL;
    return integers(self, (uint64_t)to - (uint64_t)from, from, generator);
  }
  if (from == INT64_MIN) {
    if (dtype != TJ_INT64 && !floating)
      return tj__fail(TJ_ERROR_RUNTIME, "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16");
    return integers(self, 0, 0, generator);
  }
  TJ__CHECK(!tj_dtype_is_complex(dtype), TJ_ERROR_RUNTIME,
            "random_from_to_range_calc handles only integral, floating-point and boolean types");
  int64_t last;
  if (floating) {
    last = (int64_t)1 << significant_bits(dtype);
    from = lower_bound(from, dtype);
    TJ__CHECK(
        from < last, TJ_ERROR_RUNTIME,
        "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got from=%lld > to_inc=%lld",
        (long long)from, (long long)last);
  } else {
    int bits = dtype == TJ_BOOL ? 1 : 8 * (int)tj__dtype_sizes[dtype] - tj_dtype_is_signed(dtype);
    last = bits >= 63 ? INT64_MAX : ((int64_t)1 << bits) - 1;
  }
  if (!check_bounds(from, last, dtype)) return NULL;
  return integers(self, (uint64_t)last - (uint64_t)from + 1, from, generator);
}

tj_tensor *tj__impl_random_to_(tj_tensor *self, int64_t to, tj_generator *generator) {
  return tj__impl_random_from_(self, 0, to, generator);
}

tj_tensor *tj__impl_random_(tj_tensor *self, tj_generator *generator) {
  if (tj_dtype_is_complex((tj_dtype)self->dtype)) return not_implemented("random_kernel_cpu", (tj_dtype)self->dtype);
  target t;
  if (self->numel == 0) return self;
  if (!target_of(&t, self)) return NULL;
  tj__generator_lock();
  t.kernels->all_integers(tj__write(t.dense), (tj_dtype)self->dtype, self->numel, tj__generator(generator));
  tj__generator_unlock();
  return target_done(&t);
}

/* ---- factories ------------------------------------------------------------------------------------------------- */

static tj_dtype or_dtype(tj_dtype dtype, tj_dtype otherwise) { return dtype == TJ_DTYPE_NONE ? otherwise : dtype; }

tj_tensor *tj__impl_rand(tj_ints size, tj_generator *generator, tj_dtype dtype, tj_device device, bool requires_grad) {
  tj_tensor *t = tj__empty(size, or_dtype(dtype, tj_get_default_dtype()), device);
  return t && tj__impl_uniform_(t, 0, 1, generator) ? tj__with_requires_grad(t, requires_grad) : NULL;
}
tj_tensor *tj__impl_randn(tj_ints size, tj_generator *generator, tj_dtype dtype, tj_device device, bool requires_grad) {
  return tj__impl_normal_float_float(0, 1, size, generator, dtype, device, requires_grad);
}
tj_tensor *tj__impl_randint_low(int64_t low, int64_t high, tj_ints size, tj_generator *generator, tj_dtype dtype, tj_device device,
                                bool requires_grad) {
  tj_tensor *t = tj__empty(size, or_dtype(dtype, TJ_INT64), device);
  return t && tj__impl_random_from_(t, low, high, generator) ? tj__with_requires_grad(t, requires_grad) : NULL;
}
tj_tensor *tj__impl_randint(int64_t high, tj_ints size, tj_generator *generator, tj_dtype dtype, tj_device device, bool requires_grad) {
  return tj__impl_randint_low(0, high, size, generator, dtype, device, requires_grad);
}

tj_tensor *tj__impl_randperm(int64_t n, tj_generator *generator, tj_dtype dtype, tj_device device, bool requires_grad) {
  dtype = or_dtype(dtype, TJ_INT64);
  tj_tensor *t = tj__empty(TJ_INTS(n), dtype, device);
  if (!t) return NULL;
  if (tj_dtype_is_floating(dtype)) {
    int64_t most = ((int64_t)1 << significant_bits(dtype)) + 1;
    TJ__CHECK(n <= most, TJ_ERROR_RUNTIME, "n cannot be greater than 2^%d+1 for %s type.", significant_bits(dtype),
              tj__dtype_legacy(dtype));
  } else if (!tj__check_scalar_fits(tj_int(n), dtype)) {
    return NULL;
  }
  if (dtype == TJ_BOOL || tj_dtype_is_complex(dtype)) return not_implemented("randperm", dtype);
  const tj__backend *backend = tj__backend_of(t->storage->device);
  if (!backend) return NULL;
  tj__generator_lock();
  backend->random->permutation(tj__write(t), dtype, n, tj__generator(generator));
  tj__generator_unlock();
  return tj__with_requires_grad(t, requires_grad);
}

tj_tensor *tj__impl_rand_like(tj_tensor *self, tj_generator *generator, tj_dtype dtype, tj_device device, bool requires_grad,
                              const char *memory_format) {
  tj_tensor *t = tj__empty_like_as(self, dtype, device, memory_format);
  return t && tj__impl_uniform_(t, 0, 1, generator) ? tj__with_requires_grad(t, requires_grad) : NULL;
}
tj_tensor *tj__impl_randn_like(tj_tensor *self, tj_generator *generator, tj_dtype dtype, tj_device device, bool requires_grad,
                               const char *memory_format) {
  tj_tensor *t = tj__empty_like_as(self, dtype, device, memory_format);
  return t && tj__impl_normal_(t, 0, 1, generator) ? tj__with_requires_grad(t, requires_grad) : NULL;
}
tj_tensor *tj__impl_randint_like_low(tj_tensor *self, int64_t low, int64_t high, tj_generator *generator, tj_dtype dtype, tj_device device,
                                     bool requires_grad, const char *memory_format) {
  tj_tensor *t = tj__empty_like_as(self, dtype, device, memory_format);
  return t && tj__impl_random_from_(t, low, high, generator) ? tj__with_requires_grad(t, requires_grad) : NULL;
}
tj_tensor *tj__impl_randint_like(tj_tensor *self, int64_t high, tj_generator *generator, tj_dtype dtype, tj_device device,
                                 bool requires_grad, const char *memory_format) {
  return tj__impl_randint_like_low(self, 0, high, generator, dtype, device, requires_grad, memory_format);
}

/* ---- bernoulli, poisson ---------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_bernoulli_(tj_tensor *self, double p, tj_generator *generator) {
  TJ__CHECK(p >= 0 && p <= 1, TJ_ERROR_RUNTIME, "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
  if (self->numel == 0) return self;
  if (tj_dtype_is_complex((tj_dtype)self->dtype)) return not_implemented("bernoulli_scalar_cpu_", (tj_dtype)self->dtype);
  target t;
  if (!target_of(&t, self)) return NULL;
  tj__generator_lock();
  t.kernels->bernoulli(tj__write(t.dense), (tj_dtype)self->dtype, self->numel, p, tj__generator(generator));
  tj__generator_unlock();
  return target_done(&t);
}

tj_tensor *tj__impl_bernoulli_tensor_(tj_tensor *self, tj_tensor *p, tj_generator *generator) {
  if (self->numel == 0) return self;
  if (tj_dtype_is_complex((tj_dtype)self->dtype)) return not_implemented("bernoulli_tensor_cpu_self_", (tj_dtype)self->dtype);
  if (!tj_dtype_is_floating((tj_dtype)p->dtype)) return not_implemented("bernoulli_tensor_cpu_p_", (tj_dtype)p->dtype);
  TJ__CHECK(tj__can_expand(tj__sizes(p), tj__sizes(self)), TJ_ERROR_RUNTIME,
            "The expanded size of the tensor must match the existing size: p has sizes %s, self %s", tj__sizes_text(p),
            tj__sizes_text(self));
  target t;
  if (!target_of(&t, self)) return NULL;
  tj_tensor *each = tj__empty_like(t.dense, (tj_dtype)p->dtype); /* probabilities in the order of the draws */
  if (!each || !tj__copy_into(each, p)) return NULL;
  tj__generator_lock();
  bool ok = t.kernels->bernoulli_each(tj__write(t.dense), (tj_dtype)self->dtype, self->numel, tj__read(each), (tj_dtype)p->dtype,
                                      tj__generator(generator));
  tj__generator_unlock();
  TJ__CHECK(ok, TJ_ERROR_RUNTIME,
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please report an "
            "enhancement request to PyTorch.)");
  return target_done(&t);
}

tj_tensor *tj__impl_bernoulli(tj_tensor *self, tj_generator *generator) {
  tj_tensor *t = tj__empty_like(self, (tj_dtype)self->dtype);
  return t ? tj__impl_bernoulli_tensor_(t, self, generator) : NULL;
}
tj_tensor *tj__impl_bernoulli_p(tj_tensor *self, double p, tj_generator *generator) {
  tj_tensor *t = tj__empty_like(self, (tj_dtype)self->dtype);
  return t ? tj__impl_bernoulli_(t, p, generator) : NULL;
}

tj_tensor *tj__impl_poisson(tj_tensor *self, tj_generator *generator) {
  if (!tj_dtype_is_floating((tj_dtype)self->dtype)) return not_implemented("poisson_cpu", (tj_dtype)self->dtype);
  /* the result is contiguous, and drawn row by row */
  tj_tensor *rates = tj__contiguous(self), *t = tj__empty(tj__sizes(self), (tj_dtype)self->dtype, self->storage->device);
  const tj__backend *backend = tj__backend_of(self->storage->device);
  if (!rates || !t || !backend) return NULL;
  tj__generator_lock();
  bool ok = backend->random->poisson(tj__write(t), tj__read(rates), (tj_dtype)t->dtype, t->numel, tj__generator(generator));
  tj__generator_unlock();
  TJ__CHECK(ok, TJ_ERROR_RUNTIME, "invalid Poisson rate, expected rate to be non-negative");
  return t;
}

/* ---- normal with tensors --------------------------------------------------------------------------------------- */

static bool check_std(tj_tensor *std) {
  if (tj_dtype_is_complex((tj_dtype)std->dtype)) return tj__fail(TJ_ERROR_RUNTIME, "normal expects standard deviation to be non-complex");
  if (std->numel == 0) return true;
  if (!tj__can_look(std)) return tj__refuse(tj_lt(std, tj__number(0)), "normal expects all elements of std >= 0.0");
  tj_scalar least = tj_item(tj_min(std));
  if (least.kind == TJ_SCALAR_NONE) return false;
  if (tj__scalar_to_double(least) >= 0) return true;
  return tj__fail(TJ_ERROR_RUNTIME, "normal expects all elements of std >= 0.0");
}

tj_tensor *tj__impl_normal(tj_tensor *mean, tj_tensor *std, tj_generator *generator) {
  int64_t sizes[TJ_MAX_DIMS];
  int ndim = tj__broadcast_sizes(tj__sizes(mean), tj__sizes(std), sizes);
  if (ndim < 0 || !check_std(std)) return NULL;
  tj_tensor *t = tj__empty((tj_ints){sizes, ndim}, (tj_dtype)mean->dtype, mean->storage->device);
  if (!t || !tj__impl_normal_(t, 0, 1, generator)) return NULL;
  return tj_add_(tj_mul_(t, std), mean, tj_int(1));
}
tj_tensor *tj__impl_normal_Tensor_float(tj_tensor *mean, double std, tj_generator *generator) {
  tj_tensor *t = tj__empty_like(mean, (tj_dtype)mean->dtype);
  return t && tj__impl_normal_(t, 0, std, generator) ? tj_add_(t, mean, tj_int(1)) : NULL;
}
tj_tensor *tj__impl_normal_float_Tensor(double mean, tj_tensor *std, tj_generator *generator) {
  if (!check_std(std)) return NULL;
  tj_tensor *t = tj__empty_like(std, (tj_dtype)std->dtype);
  if (!t || !tj__impl_normal_(t, 0, 1, generator)) return NULL;
  return tj_add_(tj_mul_(t, std), tj_scalar_tensor(tj_float(mean)), tj_int(1));
}
tj_tensor *tj__impl_normal_float_float(double mean, double std, tj_ints size, tj_generator *generator, tj_dtype dtype, tj_device device,
                                       bool requires_grad) {
  tj_tensor *t = tj__empty(size, or_dtype(dtype, tj_get_default_dtype()), device);
  return t && tj__impl_normal_(t, mean, std, generator) ? tj__with_requires_grad(t, requires_grad) : NULL;
}

/* ---- multinomial ----------------------------------------------------------------------------------------------- */

/* Without replacement (and for a single sample): the largest quotients of the probabilities and exponential numbers. */
static tj_tensor *quotients(tj_tensor *self, tj_generator *generator) {
  tj_tensor *q = tj__empty_like(self, (tj_dtype)self->dtype);
  if (!q || !tj__impl_exponential_(q, 1, generator)) return NULL;
  q = tj_div(self, q);
  return q ? tj__contiguous(q) : NULL;
}
static tj_tensor *largest_quotients(tj_tensor *self, tj_generator *generator) {
  tj_scalar least = tj_item(tj_min(self)), most = tj_item(tj_max(self));
  if (least.kind == TJ_SCALAR_NONE || most.kind == TJ_SCALAR_NONE) return NULL;
  TJ__CHECK(tj__scalar_to_double(most) < INFINITY && tj__scalar_to_double(least) >= 0, TJ_ERROR_RUNTIME,
            "probability tensor contains either `inf`, `nan` or element < 0");
  tj_tensor *smallest = tj_min(tj_sum_dim(self, TJ_INTS(-1), false, TJ_DTYPE_NONE));
  if (!smallest) return NULL;
  TJ__CHECK(!tj__scalar_is_zero(tj_item(smallest)), TJ_ERROR_RUNTIME, "invalid multinomial distribution (sum of probabilities <= 0)");
  return quotients(self, generator);
}

/* Where the probabilities cannot be looked at: the same two ways, in operators. */
static tj_tensor *multinomial_on_device(tj_tensor *self, int64_t samples, bool replacement, tj_generator *generator) {
  tj_tensor *total = tj_sum_dim(self, TJ_INTS(-1), true, TJ_DTYPE_NONE);
  tj_tensor *bad = tj_logical_or(tj_lt(self, tj__number(0)), tj_logical_not(tj_isfinite(self)));
  if (!tj__refuse(bad, "probability tensor contains either `inf`, `nan` or element < 0") ||
      !tj__refuse(tj_le(total, tj__number(0)), "invalid multinomial distribution (sum of probabilities <= 0)"))
    return NULL;
  if (!replacement || samples == 1) {
    tj_tensor *q = quotients(self, generator), *values, *indices;
    return q && tj_topk(q, samples, -1, true, true, &values, &indices) == TJ_OK ? indices : NULL;
  }
  tj_tensor *steps = tj_div(tj_cumsum(tj_to_dtype(self, TJ_FLOAT32, false, false, NULL), -1, TJ_DTYPE_NONE), total);
  /* numbers of 53 bits, as the CPU's kernel draws them */
  tj_tensor *u = tj__empty(self->ndim == 2 ? TJ_INTS(self->sizes[0], samples) : TJ_INTS(samples), TJ_FLOAT64, TJ_CPU);
  if (!steps || !u || !tj__impl_uniform_(u, 0, 1, generator)) return NULL;
  u = tj__on_device(tj__to_dtype(u, TJ_FLOAT32), self->storage->device);
  return tj_clamp_max(tj_searchsorted(tj__contiguous(steps), u, false, false, NULL, NULL), tj_int(self->sizes[self->ndim - 1] - 1));
}

tj_tensor *tj__impl_multinomial(tj_tensor *self, int64_t num_samples, bool replacement, tj_generator *generator) {
  tj_dtype dtype = (tj_dtype)self->dtype;
  TJ__CHECK(self->ndim == 1 || self->ndim == 2, TJ_ERROR_RUNTIME, "prob_dist must be 1 or 2 dim");
  TJ__CHECK(tj_dtype_is_floating(dtype), TJ_ERROR_RUNTIME, "multinomial only supports floating-point dtypes for input, got: %s",
            tj__dtype_legacy(dtype));
  TJ__CHECK(num_samples > 0, TJ_ERROR_RUNTIME, "cannot sample n_sample <= 0 samples");
  int64_t n = self->sizes[self->ndim - 1], rows = self->ndim == 2 ? self->sizes[0] : 1;
  TJ__CHECK(replacement || num_samples <= n, TJ_ERROR_RUNTIME, "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  TJ__CHECK(n <= 1 << 24, TJ_ERROR_RUNTIME, "number of categories cannot exceed 2^24");
  tj_tensor *t = tj__empty(self->ndim == 2 ? TJ_INTS(rows, num_samples) : TJ_INTS(num_samples), TJ_INT64, self->storage->device);
  const tj__backend *backend = tj__backend_of(self->storage->device);
  if (!t || !backend || t->numel == 0) return t && backend ? t : NULL;
  TJ__CHECK(n > 0, TJ_ERROR_RUNTIME, "invalid multinomial distribution (sum of probabilities <= 0)");
  if (!tj__can_look(self)) return multinomial_on_device(self, num_samples, replacement, generator);
  tj_tensor *scratch = tj__empty(TJ_INTS(n), TJ_INT64, TJ_CPU); /* 8 bytes a category, as both kernels need */
  if (!scratch) return NULL;
  if (!replacement || num_samples == 1) {
    tj_tensor *q = largest_quotients(self, generator);
    if (!q) return NULL;
    backend->random->largest(tj__write(t), tj__read(q), dtype, rows, n, num_samples, tj__write(scratch));
    return t;
  }
  tj_tensor *p = tj__contiguous(self);
  if (!p) return NULL;
  tj__generator_lock();
  const char *problem =
      backend->random->choose(tj__write(t), tj__read(p), dtype, rows, n, num_samples, tj__write(scratch), tj__generator(generator));
  tj__generator_unlock();
  TJ__CHECK(!problem, TJ_ERROR_RUNTIME, "%s", problem);
  return t;
}
