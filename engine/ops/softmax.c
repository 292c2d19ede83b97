/* softmax.c: softmax, log_softmax and softmin. */
#include "kernels/softmax.h"

#include "impl.h"
#include "iter/convert.h"
#include "reduce.h"

static tj_tensor *forward(bool log, tj_tensor *self, int64_t dim, tj_dtype dtype) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  tj__lines lines;
  if (!backend || (dtype != TJ_DTYPE_NONE && !(self = tj__to_dtype(self, dtype)))) return NULL;
  if (tj__wrap_dim(dim, self->ndim) < 0) return NULL;
  TJ__CHECK(tj_dtype_is_floating((tj_dtype)self->dtype), TJ_ERROR_RUNTIME, "\"%s\" not implemented for '%s'",
            dim == self->ndim - 1 || dim == -1 ? (log ? "log_softmax_lastdim_kernel_impl" : "softmax_lastdim_kernel_impl")
                                               : "softmax_kernel_impl",
            tj__dtype_legacy((tj_dtype)self->dtype));
  tj_tensor *in = tj__lines_of(self, dim, &lines);
  tj_tensor *out = in ? tj__empty(tj__sizes(in), (tj_dtype)in->dtype, in->storage->device) : NULL;
  return out && backend->softmax->softmax(log, out, in, lines.outer, lines.n, lines.inner) ? out : NULL;
}

tj_tensor *tj__impl_softmax(tj_tensor *self, int64_t dim, tj_dtype dtype) { return forward(false, self, dim, dtype); }
tj_tensor *tj__impl_log_softmax(tj_tensor *self, int64_t dim, tj_dtype dtype) { return forward(true, self, dim, dtype); }

static tj_tensor *backward(bool log, tj_tensor *grad, tj_tensor *output, int64_t dim) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){grad, output}, 2);
  tj__lines lines;
  if (!backend || !(grad = tj__to_dtype(grad, (tj_dtype)output->dtype)) || !(output = tj__lines_of(output, dim, &lines)) ||
      !(grad = tj__contiguous(grad)))
    return NULL;
  TJ__CHECK(tj__same_sizes(grad, output), TJ_ERROR_RUNTIME, "softmax_backward: sizes of grad_output %s and output %s differ",
            tj__sizes_text(grad), tj__sizes_text(output));
  tj_tensor *out = tj__empty(tj__sizes(output), (tj_dtype)output->dtype, output->storage->device);
  return out && backend->softmax->backward(log, out, grad, output, lines.outer, lines.n, lines.inner) ? out : NULL;
}

tj_tensor *tj__impl_softmax_backward(tj_tensor *grad_output, tj_tensor *output, int64_t dim) {
  return backward(false, grad_output, output, dim);
}
tj_tensor *tj__impl_log_softmax_backward(tj_tensor *grad_output, tj_tensor *output, int64_t dim) {
  return backward(true, grad_output, output, dim);
}

/* d/doutput of output (g - sum(g output)), with grad v: v (g - sum(g output)) - g sum(v output) */
tj_tensor *tj__impl_softmax_double_backward(tj_tensor *grad, tj_tensor *grad_output, tj_tensor *output, int64_t dim) {
  tj_ints dims = TJ_INTS(dim);
  tj_tensor *inner = tj_sub(grad_output, tj_sum_dim(tj_mul(grad_output, output), dims, true, TJ_DTYPE_NONE), TJ__ONE);
  return tj_sub(tj_mul(grad, inner), tj_mul(grad_output, tj_sum_dim(tj_mul(grad, output), dims, true, TJ_DTYPE_NONE)), TJ__ONE);
}

/* nn.functional's default dimension. */
static int64_t implicit_dim(const tj_tensor *t, int64_t dim) {
  if (dim != TJ_NO_INT) return dim;
  return t->ndim == 0 || t->ndim == 1 || t->ndim == 3 ? 0 : 1;
}

tj_tensor *tj__impl_functional_softmax(tj_tensor *input, int64_t dim, int64_t stacklevel, tj_dtype dtype) {
  (void)stacklevel;
  return tj_softmax(input, implicit_dim(input, dim), dtype);
}
tj_tensor *tj__impl_functional_log_softmax(tj_tensor *input, int64_t dim, int64_t stacklevel, tj_dtype dtype) {
  (void)stacklevel;
  return tj_log_softmax(input, implicit_dim(input, dim), dtype);
}
tj_tensor *tj__impl_softmin(tj_tensor *input, int64_t dim, int64_t stacklevel, tj_dtype dtype) {
  (void)stacklevel;
  return tj_softmax(tj_neg(input), implicit_dim(input, dim), dtype);
}
