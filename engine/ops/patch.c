/* ops/patch.c: sliding blocks (unfold, fold) as strided views of the padded image; shuffles of channels and pixels. */
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* ---- blocks --------------------------------------------------------------------------------------------------------- */

typedef struct blocks {
  int64_t kernel[2], dilation[2], padding[2], stride[2], size[2], count[2]; /* size: of the image */
} blocks;

static bool two(tj_ints list, const char *name, int64_t *out) {
  if (list.n != 2 && list.n != 1) {
    tj__fail(TJ_ERROR_RUNTIME, "It is expected %s equals to 2, but got size %lld", name, LL(list.n));
    return false;
  }
  out[0] = list.data[0], out[1] = list.data[list.n - 1];
  if (out[0] == (int32_t)out[0] && out[1] == (int32_t)out[1]) return true; /* products of two stay exact */
  tj__fail(TJ_ERROR_RUNTIME, "%s has to be below 2^31, but got %s", name, tj__ints_text(out, 2));
  return false;
}

static void *read_blocks(blocks *b, tj_ints kernel, tj_ints dilation, tj_ints padding, tj_ints stride) {
  if (!two(kernel, "kernel_size", b->kernel) || !two(dilation, "dilation", b->dilation) || !two(padding, "padding", b->padding) ||
      !two(stride, "stride", b->stride))
    return NULL;
  RUNTIME(b->kernel[0] > 0 && b->kernel[1] > 0, "kernel size should be greater than zero, but got kernel_height: %lld kernel_width: %lld",
          LL(b->kernel[0]), LL(b->kernel[1]));
  RUNTIME(b->dilation[0] > 0 && b->dilation[1] > 0,
          "dilation should be greater than zero, but got dilation_height: %lld dilation_width: %lld", LL(b->dilation[0]),
          LL(b->dilation[1]));
  RUNTIME(b->padding[0] >= 0 && b->padding[1] >= 0, "padding should be non-negative, but got pad_height: %lld pad_width: %lld",
          LL(b->padding[0]), LL(b->padding[1]));
  RUNTIME(b->stride[0] > 0 && b->stride[1] > 0, "stride should be greater than zero, but got stride_height: %lld stride_width: %lld",
          LL(b->stride[0]), LL(b->stride[1]));
  return b;
}

static void count_blocks(blocks *b) {
  for (int i = 0; i < 2; i++) {
    int64_t room = b->size[i] + 2 * b->padding[i] - b->dilation[i] * (b->kernel[i] - 1) - 1;
    b->count[i] = room < 0 ? -((-room + b->stride[i] - 1) / b->stride[i]) + 1 : room / b->stride[i] + 1;
  }
}

static bool implemented(const tj_tensor *t, const char *name) {
  if (t->dtype == TJ_BOOL || tj_dtype_is_floating((tj_dtype)t->dtype) || tj_dtype_is_complex((tj_dtype)t->dtype)) return true;
  tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'", name, tj__dtype_legacy((tj_dtype)t->dtype));
  return false;
}

/* The blocks of a padded image [N, C, H, W] as a view [N, C, kernel, kernel, count, count]. */
static tj_tensor *block_view(tj_tensor *t, const blocks *b) {
  const int64_t *s = t->strides;
  return tj__alias(t, TJ_INTS(t->sizes[0], t->sizes[1], b->kernel[0], b->kernel[1], b->count[0], b->count[1]),
                   TJ_INTS(s[0], s[1], s[2] * b->dilation[0], s[3] * b->dilation[1], s[2] * b->stride[0], s[3] * b->stride[1]), t->offset);
}

tj_tensor *tj__impl_im2col(tj_tensor *input, tj_ints kernel_size, tj_ints dilation, tj_ints padding, tj_ints stride) {
  blocks b;
  TJ__CHECK(input->ndim >= 3, TJ_ERROR_INDEX, "Dimension out of range (expected to be in range of [%d, %d], but got %d)",
            -TJ__MAX(1, (int)input->ndim), TJ__MAX(1, (int)input->ndim) - 1, input->ndim < 2 ? 1 : 2);
  if (!read_blocks(&b, kernel_size, dilation, padding, stride)) return NULL;
  bool batch = input->ndim == 4, valid = input->ndim == 3 || batch;
  for (int d = batch; d < input->ndim; d++) valid = valid && input->sizes[d] != 0;
  RUNTIME(valid, "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: %s",
          tj__sizes_text(input));
  tj_tensor *x = batch ? input : tj_unsqueeze(input, 0);
  if (!x) return NULL;
  b.size[0] = x->sizes[2], b.size[1] = x->sizes[3];
  count_blocks(&b);
  RUNTIME(b.count[0] >= 1 && b.count[1] >= 1,
          "Given input with spatial size (%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), padding=(%lld, %lld), calculated "
          "shape of the array of sliding blocks as (%lld, %lld), but its components must be at least one.",
          LL(b.size[0]), LL(b.size[1]), LL(b.kernel[0]), LL(b.kernel[1]), LL(b.dilation[0]), LL(b.dilation[1]), LL(b.padding[0]),
          LL(b.padding[1]), LL(b.count[0]), LL(b.count[1]));
  if (!implemented(input, "im2col_out_cpu")) return NULL;
  if (b.padding[0] || b.padding[1]) x = tj_constant_pad_nd(x, TJ_INTS(b.padding[1], b.padding[1], b.padding[0], b.padding[0]), tj_int(0));
  tj_tensor *view = x ? block_view(x, &b) : NULL;
  tj_tensor *out = view ? tj__empty(tj__sizes(view), (tj_dtype)x->dtype, x->storage->device) : NULL;
  if (!out || !tj__copy_into(out, view)) return NULL;
  out = tj_reshape(out, TJ_INTS(x->sizes[0], x->sizes[1] * b.kernel[0] * b.kernel[1], b.count[0] * b.count[1]));
  return batch || !out ? out : tj_squeeze_dim(out, 0);
}

tj_tensor *tj__impl_col2im(tj_tensor *input, tj_ints output_size, tj_ints kernel_size, tj_ints dilation, tj_ints padding, tj_ints stride) {
  blocks b;
  if (!two(output_size, "output_size", b.size) || !read_blocks(&b, kernel_size, dilation, padding, stride)) return NULL;
  const int d = input->ndim;
  bool batch = d == 3, valid = d == 2 || batch;
  for (int i = batch; i < d; i++) valid = valid && input->sizes[i] != 0;
  RUNTIME(valid,
          "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: %s",
          tj__sizes_text(input));
  const int64_t planes = input->sizes[d - 2], columns = input->sizes[d - 1], each = b.kernel[0] * b.kernel[1];
  RUNTIME(planes % each == 0,
          "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=%lld and "
          "kernel_size=(%lld, %lld).",
          LL(planes), LL(b.kernel[0]), LL(b.kernel[1]));
  count_blocks(&b);
  const int64_t n = b.count[0] * b.count[1];
  RUNTIME(columns == n && b.count[0] > 0 && b.count[1] > 0,
          "Given output_size=(%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), padding=(%lld, %lld), stride=(%lld, %lld), "
          "expected size of input's dimension 2 to match the calculated number of sliding blocks %lld * %lld = %lld, but got "
          "input.size(2)=%lld.",
          LL(b.size[0]), LL(b.size[1]), LL(b.kernel[0]), LL(b.kernel[1]), LL(b.dilation[0]), LL(b.dilation[1]), LL(b.padding[0]),
          LL(b.padding[1]), LL(b.stride[0]), LL(b.stride[1]), LL(b.count[0]), LL(b.count[1]), LL(n), LL(columns));
  if (!implemented(input, "col2im_out_cpu")) return NULL;
  const tj_dtype dtype = (tj_dtype)input->dtype;
  const bool half = dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16;
  tj_tensor *x = batch ? input : tj_unsqueeze(input, 0);
  if (x && half) x = tj__to_dtype(x, TJ_FLOAT32);
  if (!x) return NULL;
  const int64_t batches = x->sizes[0], channels = planes / each;
  x = tj_reshape(x, TJ_INTS(batches, channels, b.kernel[0], b.kernel[1], b.count[0], b.count[1]));
  tj_tensor *image = x ? tj__empty(TJ_INTS(batches, channels, b.size[0] + 2 * b.padding[0], b.size[1] + 2 * b.padding[1]),
                                   (tj_dtype)x->dtype, x->storage->device)
                       : NULL;
  tj_tensor *view = image && tj__fill(image, tj_int(0)) ? block_view(image, &b) : NULL;
  /* one place of the kernel after another: its blocks do not overlap */
  for (int64_t i = 0; view && i < b.kernel[0]; i++)
    for (int64_t j = 0; j < b.kernel[1]; j++) {
      tj_tensor *to = tj_select(tj_select(view, 2, i), 2, j), *from = tj_select(tj_select(x, 2, i), 2, j);
      if (!to || !from || !tj_add_(to, from, tj_int(1))) return NULL;
    }
  if (!view) return NULL;
  tj_tensor *out = tj_narrow(tj_narrow(image, 2, b.padding[0], b.size[0]), 3, b.padding[1], b.size[1]);
  out = out ? tj__to_dtype(out, dtype) : NULL;
  if (out && !batch) out = tj_squeeze_dim(out, 0);
  return out ? tj__contiguous(out) : NULL;
}

tj_tensor *tj__impl_col2im_backward(tj_tensor *grad, tj_ints sizes, tj_ints kernel_size, tj_ints dilation, tj_ints padding,
                                    tj_ints stride) {
  return tj_col2im(grad, (tj_ints){sizes.data + sizes.n - 2, 2}, kernel_size, dilation, padding, stride);
}

/* ---- shuffles ------------------------------------------------------------------------------------------------------- */

/* t as [lead, middle..., rest of the last three]: permuted and given its new sizes. */
static tj_tensor *rearranged(tj_tensor *t, tj_ints split, tj_ints order, tj_ints last) {
  int64_t sizes[TJ_MAX_DIMS];
  const int lead = t->ndim - 3;
  memcpy(sizes, t->sizes, (size_t)lead * sizeof *sizes);
  memcpy(sizes + lead, last.data, 3 * sizeof *sizes);
  int64_t batch = 1, parts[8], places[8] = {0};
  for (int d = 0; d < lead; d++) batch *= t->sizes[d];
  parts[0] = batch;
  for (int64_t i = 0; i < split.n; i++) parts[i + 1] = split.data[i], places[i + 1] = order.data[i] + 1;
  tj_tensor *x = tj_permute(tj_reshape(t, (tj_ints){parts, split.n + 1}), (tj_ints){places, split.n + 1});
  return tj_reshape(tj_clone(x, "contiguous_format"), (tj_ints){sizes, t->ndim});
}

static tj_tensor *in_layout(tj_tensor *result, const char *format) { return format && result ? tj_contiguous(result, format) : result; }

tj_tensor *tj__impl_pixel_shuffle(tj_tensor *input, int64_t r) {
  RUNTIME(input->ndim >= 3, "pixel_shuffle expects input to have at least 3 dimensions, but got input with %d dimension(s)",
          (int)input->ndim);
  RUNTIME(r > 0, "pixel_shuffle expects a positive upscale_factor, but got %lld", LL(r));
  const int64_t *s = input->sizes + input->ndim - 3, square = r > INT32_MAX ? 0 : r * r;
  RUNTIME(square, "upscale factor is too large, (upscale_factor)^2 overflowed: upscale_factor=%lld", LL(r));
  RUNTIME(s[0] % square == 0,
          "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
          "input.size(-3)=%lld is not divisible by %lld",
          LL(s[0]), LL(square));
  const int64_t c = s[0] / square;
  return in_layout(rearranged(input, TJ_INTS(c, r, r, s[1], s[2]), TJ_INTS(0, 3, 1, 4, 2), TJ_INTS(c, s[1] * r, s[2] * r)),
                   tj__suggested_format(input));
}

tj_tensor *tj__impl_pixel_unshuffle(tj_tensor *input, int64_t r) {
  RUNTIME(input->ndim >= 3, "pixel_unshuffle expects input to have at least 3 dimensions, but got input with %d dimension(s)",
          (int)input->ndim);
  RUNTIME(r > 0, "pixel_unshuffle expects a positive downscale_factor, but got %lld", LL(r));
  const int64_t *s = input->sizes + input->ndim - 3;
  RUNTIME(s[1] % r == 0,
          "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=%lld is not divisible by %lld", LL(s[1]),
          LL(r));
  RUNTIME(s[2] % r == 0,
          "pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=%lld is not divisible by %lld", LL(s[2]),
          LL(r));
  return in_layout(
      rearranged(input, TJ_INTS(s[0], s[1] / r, r, s[2] / r, r), TJ_INTS(0, 2, 4, 1, 3), TJ_INTS(s[0] * r * r, s[1] / r, s[2] / r)),
      tj__suggested_format(input));
}

tj_tensor *tj__impl_channel_shuffle(tj_tensor *input, int64_t groups) {
  RUNTIME(input->ndim > 2, "channel_shuffle expects input with > 2 dims, but got input with sizes %s", tj__sizes_text(input));
  const int64_t c = input->sizes[1];
  RUNTIME(groups > 0, "Number of groups to divide channels in must be positive. Value of groups:%lld", LL(groups));
  RUNTIME(c % groups == 0, "Number of channels must be divisible by groups. Got %lld channels and %lld groups.", LL(c), LL(groups));
  int64_t rest = 1;
  for (int d = 2; d < input->ndim; d++) rest *= input->sizes[d];
  tj_tensor *x = tj_reshape(input, TJ_INTS(input->sizes[0], groups, c / groups, rest));
  x = tj_clone(tj_permute(x, TJ_INTS(0, 2, 1, 3)), "contiguous_format");
  return in_layout(tj_reshape(x, tj__sizes(input)), tj__suggested_format(input));
}
