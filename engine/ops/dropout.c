/* dropout.c: dropout of elements and of channels. */
#include <math.h>
#include <stdio.h>

#include "../kernels/backend.h"
#include "../kernels/random.h"
#include "copy.h"
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"

tj_status tj__impl_native_dropout(tj_tensor *input, double p, bool train, tj_tensor **output, tj_tensor **mask) {
  tj_dtype dtype = (tj_dtype)input->dtype;
  TJ__CHECK_STATUS(p >= 0 && p <= 1, TJ_ERROR_RUNTIME, "dropout probability has to be between 0 and 1, but got %g", p);
  TJ__CHECK_STATUS(tj_dtype_is_floating(dtype), TJ_ERROR_RUNTIME, "result type Float can't be cast to the desired output type %s",
                   tj__dtype_legacy(dtype));
  const tj__backend *backend = tj__backend_of(input->storage->device);
  tj_tensor *dense = tj__is_dense(input) ? input : tj__clone(input);
  *output = dense ? tj__empty_like(dense, dtype) : NULL;
  *mask = dense ? tj__empty_like(dense, TJ_BOOL) : NULL;
  if (!backend || !*output || !*mask) return tj_error_code();
  if (!train || p == 1) {
    if (!tj__fill(*mask, tj_bool(!train)) || !(train ? tj__fill(*output, tj_int(0)) : tj__copy_into(*output, input)))
      return tj_error_code();
    return TJ_OK;
  }
  tj__generator_lock();
  backend->random->dropout(tj__write(*output), tj__write(*mask), tj__read(dense), dtype, input->numel, 1 - p, tj__generator(NULL));
  tj__generator_unlock();
  return TJ_OK;
}

tj_tensor *tj__impl_native_dropout_backward(tj_tensor *grad_output, tj_tensor *mask, double scale) {
  TJ__CHECK(mask->dtype == TJ_BOOL, TJ_ERROR_RUNTIME, "Mask should be Bool Scalar Type%s", tj__dtype_legacy((tj_dtype)mask->dtype));
  TJ__CHECK(tj__same_sizes(grad_output, mask), TJ_ERROR_RUNTIME, "native_dropout_backward: grad has sizes %s, mask %s",
            tj__sizes_text(grad_output), tj__sizes_text(mask));
  tj_dtype dtype = (tj_dtype)grad_output->dtype;
  if (tj__class_of(dtype) < TJ__CLASS_FLOAT) dtype = tj_get_default_dtype(); /* scaling an integer gives a float */
  const tj__backend *backend = tj__backend_of(grad_output->storage->device);
  tj_tensor *grad = tj__to_dtype(grad_output, dtype), *dense = mask;
  if (!grad || !backend) return NULL;
  /* both in one dense layout, the mask's if it has one */
  if (!tj__is_dense(mask)) dense = tj__contiguous(mask);
  tj_tensor *in = dense ? tj__empty_like(dense, dtype) : NULL, *result = dense ? tj__empty_like(dense, dtype) : NULL;
  if (!in || !result || !tj__copy_into(in, grad)) return NULL;
  backend->random->scale_masked(tj__write(result), tj__read(dense), tj__read(in), dtype, result->numel, scale);
  return result;
}

/* ---- nn.functional --------------------------------------------------------------------------------------------- */

/* Zeros and ones for each element, or for each channel of each example, in the layout and the order of PyTorch. */
static tj_tensor *draw_noise(tj_tensor *input, double p, bool channels) {
  tj_tensor *noise;
  if (channels) {
    int64_t sizes[TJ_MAX_DIMS];
    TJ__CHECK(input->ndim >= 2, TJ_ERROR_RUNTIME, "Feature dropout requires at least 2 dimensions in the input");
    for (int i = 0; i < input->ndim; i++) sizes[i] = i < 2 ? input->sizes[i] : 1;
    noise = tj__empty((tj_ints){sizes, input->ndim}, (tj_dtype)input->dtype, input->storage->device);
  } else {
    noise = tj__empty_like(input, (tj_dtype)input->dtype);
  }
  return tj_bernoulli_(noise, 1 - p, NULL);
}

static tj_tensor *times(tj_tensor *input, tj_tensor *noise, bool inplace) { return inplace ? tj_mul_(input, noise) : tj_mul(input, noise); }

static bool check_probability(double p) {
  if (p >= 0 && p <= 1) return true;
  char text[32]; /* Python writes 2.0 where C would write 2 */
  snprintf(text, sizeof text, p == floor(p) && fabs(p) < 1e16 ? "%.1f" : "%.15g", p);
  tj__fail(TJ_ERROR_VALUE, "dropout probability has to be between 0 and 1, but got %s", text);
  return false;
}

static tj_tensor *all_dropped(tj_tensor *input, bool inplace) {
  tj_tensor *zero = tj__empty(TJ_NO_DIMS, (tj_dtype)input->dtype, input->storage->device);
  return zero && tj__fill(zero, tj_int(0)) ? times(input, zero, inplace) : NULL;
}

static tj_tensor *dropout(tj_tensor *input, double p, bool training, bool inplace, bool channels) {
  if (!check_probability(p)) return NULL;
  if (p == 0 || !training || input->numel == 0) return input;
  if (p == 1) return all_dropped(input, inplace);
  if (!channels && !inplace) {
    tj_tensor *output, *mask;
    return tj_native_dropout(input, p, true, &output, &mask) ? NULL : output;
  }
  tj_tensor *noise = draw_noise(input, p, channels);
  return times(input, tj_div_(noise, tj__number(1 - p)), inplace);
}

/* One channel dimension more for inputs without a batch dimension. */
static tj_tensor *unbatched(tj_tensor *input, double p, bool training, bool inplace) {
  tj_tensor *batch = tj_unsqueeze(input, 0), *result = batch ? dropout(batch, p, training, inplace, true) : NULL;
  if (!result) return NULL;
  return inplace || result == batch ? input : tj_squeeze_dim(result, 0);
}

tj_tensor *tj__impl_dropout(tj_tensor *input, double p, bool training, bool inplace) { return dropout(input, p, training, inplace, false); }

tj_tensor *tj__impl_dropout1d(tj_tensor *input, double p, bool training, bool inplace) {
  if (!check_probability(p)) return NULL;
  TJ__CHECK(input->ndim == 2 || input->ndim == 3, TJ_ERROR_RUNTIME,
            "dropout1d: Expected 2D or 3D input, but received a %dD input. Note that dropout1d exists to provide channel-wise dropout on "
            "inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).",
            input->ndim);
  return input->ndim == 2 ? unbatched(input, p, training, inplace) : dropout(input, p, training, inplace, true);
}
tj_tensor *tj__impl_dropout2d(tj_tensor *input, double p, bool training, bool inplace) {
  return dropout(input, p, training, inplace, true);
}
tj_tensor *tj__impl_dropout3d(tj_tensor *input, double p, bool training, bool inplace) {
  if (!check_probability(p)) return NULL;
  return input->ndim == 5 ? dropout(input, p, training, inplace, true) : unbatched(input, p, training, inplace);
}

/* Klambauer and others, "Self-normalizing neural networks", 2017: what is dropped becomes -scale * alpha of SELU. */
static tj_tensor *alpha_dropout(tj_tensor *input, double p, bool training, bool inplace, bool channels) {
  const double alpha = 1.7580993408473766;
  if (!check_probability(p)) return NULL;
  if (p == 0 || !training || input->numel == 0) return input;
  if (p == 1) return all_dropped(input, inplace);
  double a = 1 / sqrt((alpha * alpha * p + 1) * (1 - p));
  tj_tensor *noise = draw_noise(input, p, channels);
  tj_tensor *shift =
      tj_add_(tj_mul_(tj_add(noise, tj__number(-1), tj_int(1)), tj__number(alpha * a)), tj__number(alpha * a * p), tj_int(1));
  tj_tensor *scaled = times(input, tj_mul_(noise, tj__number(a)), inplace);
  return tj_add_(scaled, shift, tj_int(1));
}
tj_tensor *tj__impl_alpha_dropout(tj_tensor *input, double p, bool training, bool inplace) {
  return alpha_dropout(input, p, training, inplace, false);
}
tj_tensor *tj__impl_feature_alpha_dropout(tj_tensor *input, double p, bool training, bool inplace) {
  return alpha_dropout(input, p, training, inplace, true);
}
