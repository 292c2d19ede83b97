/* pointwise.c: the general driver of pointwise operators. */
#include "pointwise.h"

#include "../kernels/backend.h"

_Thread_local bool tj__resizing_out;

tj_dtype tj__common_dtype(tj_tensor *const *inputs, int n_inputs) {
  for (int k = 0; k < n_inputs; k++)
    if (!inputs[k]) return TJ_DTYPE_NONE;
  tj_dtype first = (tj_dtype)inputs[0]->dtype;
  bool same = true;
  for (int k = 1; k < n_inputs; k++) same &= inputs[k]->dtype == first;
  if (same) return first;
  tj__promotion p = TJ__PROMOTION_START;
  for (int k = 0; k < n_inputs; k++)
    if (!tj__promotion_add(&p, inputs[k])) return TJ_DTYPE_NONE;
  return tj__promotion_result(&p);
}

tj_dtype tj__floating_of(tj_dtype dtype) {
  tj__dtype_class class = tj__class_of(dtype);
  return class == TJ__CLASS_FLOAT || class == TJ__CLASS_COMPLEX ? dtype : tj_get_default_dtype();
}

tj_tensor *tj__pointwise_as(int kernel, tj_tensor *out, tj_tensor *const *inputs, int n_inputs, const tj__params *params, tj_dtype compute,
                            tj_dtype result, const char *kernel_name) {
  tj__iter_spec spec = {
      .n_outputs = 1, .n_inputs = n_inputs, .outputs = {out}, .compute = compute, .result = result, .resize = tj__resizing_out};
  for (int k = 0; k < n_inputs; k++) spec.inputs[k] = inputs[k];
  tj__iter it;
  if (tj__iter_init(&it, &spec)) return NULL;
  const tj__backend *backend = tj__backend_of(it.device);
  if (!backend) return NULL;
  tj__loop loop = backend->pointwise->loops[kernel][compute];
  TJ__CHECK(loop, TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'", kernel_name, tj__dtype_legacy(compute));
  static const tj__params none;
  tj__iter_run(&it, loop, params ? params : &none);
  return tj__iter_finish(&it, 0);
}

tj_tensor *tj__pointwise(int kernel, tj_tensor *out, tj_tensor *const *inputs, int n_inputs, const tj__params *params, int dtype_rule,
                         const char *kernel_name) {
  tj_dtype compute = dtype_rule == TJ__RULE_SAME && inputs[0] ? (tj_dtype)inputs[0]->dtype : tj__common_dtype(inputs, n_inputs);
  if (compute == TJ_DTYPE_NONE) return tj__fail(TJ_ERROR_TYPE, "an operand is missing");
  if (dtype_rule == TJ__RULE_FLOAT) compute = tj__floating_of(compute);
  tj_dtype result = dtype_rule == TJ__RULE_BOOL ? TJ_BOOL : dtype_rule == TJ__RULE_REAL ? tj__real_of(compute) : compute;
  return tj__pointwise_as(kernel, out, inputs, n_inputs, params, compute, result, kernel_name);
}
