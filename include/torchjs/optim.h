/* torchjs/optim.h: optimizer steps: one call updates all parameters of a group.
 *
 * Parameters, gradients and state tensors are floating or complex tensors on one device; item i of each list has the sizes and the dtype of
 * params[i]. A NULL gradient leaves its parameter and state alone. Nothing is recorded for autograd. The arithmetic is PyTorch's, in its
 * order, every intermediate result rounded to the dtype of the parameter. 0 or a negative tj_status; on an error in the arguments nothing was changed. */
#ifndef TORCHJS_OPTIM_H
#define TORCHJS_OPTIM_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tj_sgd_options {
  double lr, momentum, dampening, weight_decay;
  bool nesterov; /* needs momentum and no dampening */
  bool maximize;
} tj_sgd_options;

/* torch.optim.SGD. momentum_buffers: NULL without momentum; else one an item, and NULL items are made (owned like any result) where there is a gradient:
 * the first step's buffer is the gradient itself. */
TJ_API int tj_sgd_step(tj_tensors params, tj_tensors grads, tj_tensor **momentum_buffers, const tj_sgd_options *options);

typedef struct tj_adam_options {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled_weight_decay; /* AdamW */
  bool amsgrad;
  bool maximize;
} tj_adam_options;

/* torch.optim.Adam and AdamW. steps[i]: how many steps params[i] has made, this one included (at least 1). The state starts as zeros.
 * max_exp_avg_sqs: n = 0 without amsgrad. */
TJ_API int tj_adam_step(tj_tensors params, tj_tensors grads, tj_tensors exp_avgs, tj_tensors exp_avg_sqs, tj_tensors max_exp_avg_sqs,
                        tj_floats steps, const tj_adam_options *options);

#ifdef __cplusplus
}
#endif
#endif
