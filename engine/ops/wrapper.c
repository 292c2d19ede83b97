/* wrapper.c: what the generated wrappers share. */
#include "wrapper.h"

#include <stdio.h>

#include "autograd/graph.h"
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

bool tj__takes_history(const tj__scope *scope, const tj_tensor *result) {
  return tj__is_fresh(scope, result) && tj__differentiable((tj_dtype)result->dtype);
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
    return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_inplace_error_shape_changes_1, sizes, tj__sizes_text(result));
  }
  if (!tj_can_cast(result->dtype, self->dtype))
    return tj__fail(TJ_ERROR_RUNTIME, "result type %s can't be cast to the desired output type %s", tj__dtype_legacy(result->dtype),
                    tj__dtype_legacy(self->dtype));
  return tj__copy_into(self, result) ? self : NULL;
}

/* Do their bytes meet? Of tensors with holes nothing is said, as in PyTorch. */
static bool share_memory(const tj_tensor *a, const tj_tensor *b) {
  if (a == b) return true;
  if (a->storage != b->storage || a->numel == 0 || b->numel == 0 || !tj__is_dense(a) || !tj__is_dense(b)) return false;
  const int64_t a_size = (int64_t)tj__itemsize(a), b_size = (int64_t)tj__itemsize(b);
  return a->offset * a_size < (b->offset + b->numel) * b_size && b->offset * b_size < (a->offset + a->numel) * a_size;
}

static bool fail_with_dtypes(const char *message, const tj_tensor *out, const tj_tensor *result) {
  const struct {
    const char *key, *value;
  } words[] = {{"{Result}", tj__dtype_legacy((tj_dtype)result->dtype)},
               {"{Out}", tj__dtype_legacy((tj_dtype)out->dtype)},
               {"{result}", tj__dtype_cpp(result->dtype)},
               {"{out}", tj__dtype_cpp(out->dtype)}};
  char text[512];
  size_t n = 0;
  while (*message && n + 32 < sizeof text) {
    int k = 0;
    while (k < 4 && strncmp(message, words[k].key, strlen(words[k].key)) != 0) k++;
    if (k == 4) {
      text[n++] = *message++;
    } else {
      n += (size_t)snprintf(text + n, sizeof text - n, "%s", words[k].value);
      message += strlen(words[k].key);
    }
  }
  text[n] = 0;
  return tj__fail(TJ_ERROR_RUNTIME, "%s", text) != NULL;
}

bool tj__out_suits(tj_tensor *out, const tj_tensor *result, const char *message, tj_tensor *const *apart, int64_t n_apart) {
  if (message && out->dtype != result->dtype) return fail_with_dtypes(message, out, result);
  if (!tj_can_cast(result->dtype, out->dtype))
    return tj__fail(TJ_ERROR_RUNTIME, "result type %s can't be cast to the desired output type %s", tj__dtype_legacy(result->dtype),
                    tj__dtype_legacy(out->dtype)) != NULL;
  if (tj__has_internal_overlap(out))
    return tj__fail(TJ_ERROR_RUNTIME,
                    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
                    "Please clone() the tensor before performing the operation.") != NULL;
  if (!tj__same_sizes(out, result) && !tj__resize(out, tj__sizes(result))) return false;
  for (int64_t i = 0; i < n_apart; i++)
    if (apart[i] && share_memory(out, apart[i]))
      return tj__fail(
                 TJ_ERROR_RUNTIME,
                 "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
                 "Please clone() the tensor before performing the operation.") != NULL;
  return true;
}

tj_tensor *tj__copy_out(tj_tensor *out, tj_tensor *result) { return tj__copy_into(out, result) ? out : NULL; }

bool tj__node_set_str(tj__node *node, int arg, const char *text) {
  if (!text) return tj__node_set_ints(node, arg, TJ_NO_INTS);
  int64_t packed[16] = {0};
  const size_t length = strlen(text);
  if (length >= sizeof packed) return tj__fail(TJ_ERROR_VALUE, "'%.40s...' is not a valid option", text) != NULL;
  memcpy(packed, text, length);
  return tj__node_set_ints(node, arg, (tj_ints){packed, 16});
}
