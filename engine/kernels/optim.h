/* optim.h (kernels): the arithmetic of optimizer steps on flat memory. ops (engine/optim) brings every tensor to one layout and makes complex
 * numbers pairs of reals, so kernels see arrays of float16, bfloat16, float32 or float64. */
#ifndef TJ__KERNELS_OPTIM_H
#define TJ__KERNELS_OPTIM_H

#include "../../include/torchjs/optim.h"
#include "backend.h"

/* One parameter. All pointers are to n elements of dtype. */
typedef struct tj__optim_item {
  int64_t n;
  tj_dtype dtype;
  bool first; /* sgd: the momentum buffer is new and becomes the gradient */
  void *param;
  const void *grad;
  void *state[3];                          /* sgd: momentum buffer or NULL; adam: exp_avg, exp_avg_sq, max_exp_avg_sq or NULL */
  double step_size, bias_correction2_sqrt; /* adam: lr / (1 - beta1^step), sqrt(1 - beta2^step) */
} tj__optim_item;

/* Elements [begin, end) of an item. */
typedef struct tj__optim_kernels {
  void (*sgd)(const tj__optim_item *item, int64_t begin, int64_t end, const tj_sgd_options *options);
  void (*adam)(const tj__optim_item *item, int64_t begin, int64_t end, const tj_adam_options *options);
  /* Whole items at once, where the device has these. */
  void (*sgd_many)(const tj__optim_item *items, int64_t n, const tj_sgd_options *options);
  void (*adam_many)(const tj__optim_item *items, int64_t n, const tj_adam_options *options);
} tj__optim_kernels;

#endif
