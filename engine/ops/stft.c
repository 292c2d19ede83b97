/* stft.c: transforms of the windows of a signal, and back (Griffin and Lim 1984). */
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/reduce.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* The window in the middle of n_fft values; ones where none is given. */
static tj_tensor *whole_window(tj_tensor *window, tj_tensor *like, int64_t win_length, int64_t n_fft) {
  if (!window) window = tj_ones(TJ_INTS(win_length), tj__real_of(like->dtype), like->storage->device, false);
  if (!window || win_length == n_fft) return window;
  const int64_t left = (n_fft - win_length) / 2;
  return tj_pad(window, TJ_INTS(left, n_fft - win_length - left), "constant", tj_float(0));
}

tj_tensor *tj__impl_stft(tj_tensor *self, int64_t n_fft, int64_t hop_length, int64_t win_length, tj_tensor *window, bool center,
                         const char *pad_mode, bool normalized, int onesided, int return_complex) {
  const bool complex_input = tj_dtype_is_complex(self->dtype), complex = complex_input || (window && tj_dtype_is_complex(window->dtype));
  RUNTIME(
      return_complex != TJ_NO_BOOL || complex,
      "stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True in a future "
      "PyTorch release.");
  const int64_t hop = hop_length == TJ_NO_INT ? n_fft / 4 : hop_length, length = win_length == TJ_NO_INT ? n_fft : win_length;
  RUNTIME(tj__class_of(self->dtype) >= TJ__CLASS_FLOAT, "stft: expected a tensor of floating point or complex values");
  RUNTIME(self->ndim == 1 || self->ndim == 2, "stft: expected a 1D or 2D tensor");
  const bool single = self->ndim == 1;
  tj_tensor *x = single ? tj_unsqueeze(self, 0) : self;
  if (center && x) {
    tj_tensor *padded = tj_pad(tj_unsqueeze(x, 0), TJ_INTS(n_fft / 2, n_fft / 2), pad_mode, tj_float(0));
    x = tj_squeeze_dim(padded, 0);
  }
  if (!x) return NULL;
  const int64_t n = x->sizes[1];
  RUNTIME(n_fft > 0 && n_fft <= n, "stft: expected 0 < n_fft < %lld, but got n_fft=%lld", LL(n), LL(n_fft));
  RUNTIME(hop > 0, "stft: expected hop_length > 0, but got hop_length=%lld", LL(hop));
  RUNTIME(length > 0 && length <= n_fft, "stft: expected 0 < win_length <= n_fft, but got win_length=%lld", LL(length));
  RUNTIME(!window || (window->ndim == 1 && window->sizes[0] == length),
          "stft: expected a 1D window tensor of size equal to win_length=%lld, but got window with size %s", LL(length),
          window ? tj__sizes_text(window) : "");
  const bool one_sided = onesided == TJ_NO_BOOL ? !complex : onesided != 0;
  RUNTIME(!one_sided || !complex, "Cannot have onesided output if window or input is complex");
  x = tj_unfold(x, -1, n_fft, hop);
  if (window || length < n_fft) x = tj_mul(x, whole_window(window, self, length, n_fft));
  const char *norm = normalized ? "ortho" : NULL;
  tj_tensor *out = one_sided ? tj_fft_rfft(x, TJ_NO_INT, -1, norm) : tj_fft_fft(x, TJ_NO_INT, -1, norm);
  out = tj_transpose(out, 1, 2);
  if (single) out = tj_squeeze_dim(out, 0);
  return return_complex == 0 ? tj_view_as_real(out) : out;
}

tj_tensor *tj__impl_istft(tj_tensor *self, int64_t n_fft, int64_t hop_length, int64_t win_length, tj_tensor *window, bool center,
                          bool normalized, int onesided, int64_t length, bool return_complex) {
  RUNTIME(tj_dtype_is_complex(self->dtype),
          "istft requires a complex-valued input tensor matching the output from stft with return_complex=True.");
  const int64_t hop = hop_length == TJ_NO_INT ? n_fft / 4 : hop_length, width = win_length == TJ_NO_INT ? n_fft : win_length;
  RUNTIME(self->numel > 0, "istft: input tensor cannot be empty.");
  RUNTIME(self->ndim == 2 || self->ndim == 3, "istft: expected a tensor with 2 or 3 dimensions, but got %d", self->ndim);
  const bool single = self->ndim == 2;
  tj_tensor *x = single ? tj_unsqueeze(self, 0) : self;
  if (!x) return NULL;
  const int64_t rows = x->sizes[1], frames = x->sizes[2], expected = n_fft + hop * (frames - 1);
  const bool one_sided = onesided == TJ_NO_BOOL ? rows != n_fft : onesided != 0;
  if (one_sided)
    RUNTIME(
        n_fft / 2 + 1 == rows,
        "istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 when onesided=True, but got "
        "%lld",
        LL(rows));
  else
    RUNTIME(
        n_fft == rows,
        "istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when onesided=False, but got %lld",
        LL(rows));
  RUNTIME(hop > 0 && hop <= width, "istft: expected 0 < hop_length <= win_length");
  RUNTIME(width > 0 && width <= n_fft, "istft: expected 0 < win_length <= n_fft");
  RUNTIME(!window || (window->ndim == 1 && window->sizes[0] == width),
          "istft: Invalid window shape. window has to be 1D and length of `win_length`");
  RUNTIME(!return_complex || !one_sided, "cannot have onesided output if window or input is complex");
  RUNTIME(return_complex || !window || !tj_dtype_is_complex(window->dtype), "Complex windows are incompatible with return_complex=False");
  tj_tensor *w = whole_window(window, self, width, n_fft);
  const char *norm = normalized ? "ortho" : NULL;
  x = tj_transpose(x, 1, 2);
  if (return_complex) x = tj_fft_ifft(x, TJ_NO_INT, -1, norm);
  else x = tj_fft_irfft(one_sided ? x : tj_narrow(x, -1, 0, n_fft / 2 + 1), n_fft, -1, norm);
  if (!x || !w) return NULL;
  tj_tensor *y = tj_unfold_backward(tj_mul(x, w), TJ_INTS(x->sizes[0], expected), 1, n_fft, hop);
  tj_tensor *weights = tj_expand(tj_mul(w, w), TJ_INTS(1, frames, n_fft), false);
  tj_tensor *envelope = tj_unfold_backward(weights, TJ_INTS(1, expected), 1, n_fft, hop);
  const int64_t start = center ? n_fft / 2 : 0;
  int64_t end = length != TJ_NO_INT ? start + length : center ? expected - n_fft / 2 : expected;
  end = TJ__MIN(end, expected);
  RUNTIME(end >= start, "istft: the signal would have a negative length");
  y = tj_narrow(y, 1, start, end - start);
  envelope = tj_narrow(envelope, 1, start, end - start);
  if (!y || !envelope) return NULL;
  if (envelope->numel && tj__can_look(envelope)) {
    const double least = tj__scalar_to_double(tj_item(tj_amin(tj_abs(tj_detach(envelope)), TJ_NO_DIMS, false)));
    RUNTIME(least > 1e-11, "istft: window overlap add min: %g", least);
  }
  y = tj_div(y, envelope);
  if (single) y = tj_squeeze_dim(y, 0);
  if (length != TJ_NO_INT && length > end - start) y = tj_pad(y, TJ_INTS(0, length - (end - start)), "constant", tj_float(0));
  return y;
}
