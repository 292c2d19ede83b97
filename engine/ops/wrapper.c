/* wrapper.c: what the generated wrappers share. */
#include "wrapper.h"

#include "ops/copy.h"

void *tj__null_argument(const char *op, const char *argument) {
  return tj__fail(TJ_ERROR_TYPE, "%s(): argument '%s' must be Tensor, not None", op, argument);
}

bool tj__bad_list(tj_tensors list, bool optional_items, const char *op, const char *argument) {
  if (list.n < 0 || (list.n > 0 && !list.data)) return !!(tj__null_argument(op, argument), true);
  for (int64_t i = 0; i < list.n; i++) {
    if (list.data[i] || (optional_items && !tj_error_code())) continue;
    tj__fail(TJ_ERROR_TYPE, "%s(): expected Tensor as element %lld in argument '%s', but got None", op, (long long)i, argument);
    return true;
  }
  return false;
}

void *tj__scope_return(tj__scope *scope, void *result) {
  result = tj__scope_keep(scope, result);
  tj__scope_pop(scope);
  return result;
}

tj_status tj__scope_return_all(tj__scope *scope, tj_status status, tj_tensor ***results, int n) {
  for (int i = 0; i < n && status == TJ_OK; i++) {
    if (!*results[i]) continue;
    *results[i] = tj__scope_keep(scope, *results[i]);
    if (*results[i]) continue;
    status = tj_error_code();
    for (int k = 0; k < i; k++) tj_free(*results[k]);
  }
  if (status != TJ_OK)
    for (int i = 0; i < n; i++) *results[i] = NULL;
  tj__scope_pop(scope);
  return status;
}

tj_tensor *tj__copy_result(tj_tensor *self, tj_tensor *result) {
  if (!result) return NULL;
  if (!tj__same_sizes(self, result)) {
    const char *sizes = tj__sizes_text(self);
    return tj__fail(TJ_ERROR_RUNTIME, "output with shape %s doesn't match the broadcast shape %s", sizes, tj__sizes_text(result));
  }
  if (!tj_can_cast(result->dtype, self->dtype))
    return tj__fail(TJ_ERROR_RUNTIME, "result type %s can't be cast to the desired output type %s", tj__dtype_legacy(result->dtype),
                    tj__dtype_legacy(self->dtype));
  return tj__copy_into(self, result) ? self : NULL;
}

tj_tensor *tj__copy_out(tj_tensor *out, tj_tensor *result) {
  if (!result) return NULL;
  if (!tj_can_cast(result->dtype, out->dtype))
    return tj__fail(TJ_ERROR_RUNTIME, "result type %s can't be cast to the desired output type %s", tj__dtype_legacy(result->dtype),
                    tj__dtype_legacy(out->dtype));
  if (!tj__same_sizes(out, result) && !tj__resize(out, tj__sizes(result))) return NULL;
  return tj__copy_into(out, result) ? out : NULL;
}

bool tj__node_set_str(tj__node *node, int arg, const char *text) {
  if (!text) return tj__node_set_ints(node, arg, TJ_NO_INTS);
  int64_t packed[16] = {0};
  const size_t length = strlen(text);
  if (length >= sizeof packed) return tj__fail(TJ_ERROR_VALUE, "'%.40s...' is not a valid option", text) != NULL;
  memcpy(packed, text, length);
  return tj__node_set_ints(node, arg, (tj_ints){packed, 16});
}
