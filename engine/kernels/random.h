/* random.h: the kernels that draw random numbers. They write n adjacent elements in the order of the generator; the caller holds the
 * generator's lock. */
#ifndef TJ__KERNELS_RANDOM_H
#define TJ__KERNELS_RANDOM_H

#include "../core/core.h"

/* Distributions of float64 numbers made from one uniform number in [0, 1) each (log_normal: from a normal one). */
typedef enum tj__distribution { TJ__EXPONENTIAL, TJ__GEOMETRIC, TJ__CAUCHY, TJ__LOG_NORMAL } tj__distribution;

typedef struct tj__random_kernels {
  void (*uniform)(void *out, tj_dtype dtype, int64_t n, double from, double to, tj_generator *g);
  /* blocks: 16 numbers at a time from 16 uniform ones, for n of 16 and more; else one by one, with the generator's cached number */
  void (*normal)(void *out, tj_dtype dtype, int64_t n, double mean, double std, bool blocks, tj_generator *g);
  void (*distribution)(void *out, tj_dtype dtype, int64_t n, tj__distribution kind, double a, double b, tj_generator *g);
  /* base + (0 to range - 1); a range of 0 is all of int64 */
  void (*integers)(void *out, tj_dtype dtype, int64_t n, uint64_t range, int64_t base, tj_generator *g);
  void (*all_integers)(void *out, tj_dtype dtype, int64_t n, tj_generator *g); /* random_(): 0 to the largest exact one */
  void (*bernoulli)(void *out, tj_dtype dtype, int64_t n, double p, tj_generator *g);
  /* The same with a probability an element; false for one that is not in [0, 1]. */
  bool (*bernoulli_each)(void *out, tj_dtype dtype, int64_t n, const void *p, tj_dtype p_dtype, tj_generator *g);
  void (*permutation)(void *out, tj_dtype dtype, int64_t n, tj_generator *g);
  bool (*poisson)(void *out, const void *rates, tj_dtype dtype, int64_t n, tj_generator *g); /* false for a negative rate */
  /* out = in or 0; mask says which; those that stay (with probability `stay`) are divided by it */
  void (*dropout)(void *out, bool *mask, const void *in, tj_dtype dtype, int64_t n, double stay, tj_generator *g);
  void (*scale_masked)(void *out, const bool *mask, const void *in, tj_dtype dtype, int64_t n, double scale);
  /* Indices drawn from each row of n probabilities, which are checked: NULL, or PyTorch's message. cumulative: room for n doubles. */
  const char *(*choose)(int64_t *out, const void *p, tj_dtype dtype, int64_t rows, int64_t n, int64_t samples, double *cumulative,
                        tj_generator *g);
  /* The indices of the `samples` largest of each row of n, largest first. heap: room for n. */
  void (*largest)(int64_t *out, const void *q, tj_dtype dtype, int64_t rows, int64_t n, int64_t samples, int64_t *heap);
} tj__random_kernels;

#endif
