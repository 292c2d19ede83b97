/* pointwise.h: the general driver of pointwise operators: dtypes, the iterator, the loop. */
#ifndef TJ__OPS_POINTWISE_H
#define TJ__OPS_POINTWISE_H

#include "../kernels/pointwise.h"

/* How the dtype of a result follows from the inputs. */
typedef enum tj__dtype_rule {
  TJ__RULE_PROMOTE, /* what the inputs promote to */
  TJ__RULE_FLOAT,   /* the same, but integers and bool become the default dtype */
  TJ__RULE_BOOL,    /* computed in what the inputs promote to; the result is bool */
  TJ__RULE_REAL,    /* computed in what the inputs promote to; complex gives its real dtype */
  TJ__RULE_SAME     /* the first input's; the others are converted to it */
} tj__dtype_rule;

/* Set by the wrapper of an out= call around the implementation: `out` may then be resized. In-place calls leave it false. */
extern _Thread_local bool tj__resizing_out;

/* Runs kernel TJ__PW_x over the inputs, broadcast and converted. out: NULL to allocate; has to have the broadcast sizes unless
 * tj__resizing_out. kernel_name is what PyTorch's message `"mul_cpu" not implemented for 'Bool'` names. NULL on failure. */
tj_tensor *tj__pointwise(int kernel, tj_tensor *out, tj_tensor *const *inputs, int n_inputs, const tj__params *params, int dtype_rule,
                         const char *kernel_name);
/* The same with the dtypes given: `compute` of the loop and `result` of what it writes. */
tj_tensor *tj__pointwise_as(int kernel, tj_tensor *out, tj_tensor *const *inputs, int n_inputs, const tj__params *params, tj_dtype compute,
                            tj_dtype result, const char *kernel_name);
/* The dtype that the inputs promote to. TJ_DTYPE_NONE and an error when they do not. */
tj_dtype tj__common_dtype(tj_tensor *const *inputs, int n_inputs);
/* The dtype itself, or the default dtype for integers and bool. */
tj_dtype tj__floating_of(tj_dtype dtype);

#endif
