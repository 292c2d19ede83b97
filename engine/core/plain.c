/* plain.c: a tensor as PyTorch's C++ writes it into messages: matrices of numbers in columns, and its type and sizes. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

typedef struct writer {
  char *text;
  size_t n, size; /* what does not fit is left out */
} writer;

__attribute__((format(printf, 2, 3))) static void put(writer *w, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(w->text + w->n, w->size - w->n, format, arguments);
  va_end(arguments);
  if (n > 0) w->n = TJ__MIN(w->n + (size_t)n, w->size - 1);
}

static double element(const tj_tensor *t, const int64_t *index) {
  int64_t at = 0;
  for (int d = 0; d < t->ndim; d++) at += index[d] * t->strides[d];
  return tj__scalar_to_double(tj__load_scalar((const char *)tj__read(t) + at * (int64_t)tj__itemsize(t), (tj_dtype)t->dtype));
}

/* The next place of the last two dimensions; false once they are through, and index is back at the first. */
static bool next(const tj_tensor *t, int64_t *index) {
  for (int d = t->ndim - 1; d >= t->ndim - 2; d--) {
    if (++index[d] < t->sizes[d]) return true;
    index[d] = 0;
  }
  return false;
}

/* How all numbers of a matrix are written: in `width` columns, divided by scale. */
typedef struct style {
  int width;
  char kind; /* e: scientific, f: four decimals, g: integers */
  double scale;
} style;

static int digits(double x) { return x != 0 ? (int)floor(log10(x)) + 1 : 1; }

static style style_of(const tj_tensor *t, int64_t *index) {
  bool whole = true, any = false;
  double least = 1, most = 1;
  do {
    double v = element(t, index);
    if (!isfinite(v)) continue;
    whole &= v == ceil(v);
    v = fabs(v);
    least = any ? fmin(least, v) : v;
    most = any ? fmax(most, v) : v;
    any = true;
  } while (next(t, index));
  const int low = digits(least), high = digits(most);
  if (whole) return high > 9 ? (style){11, 'e', 1} : (style){high + 1, 'g', 1};
  if (high - low > 4) return (style){abs(high) > 99 || abs(low) > 99 ? 12 : 11, 'e', 1};
  if (high > 5 || high < 0) return (style){7, 'f', pow(10, high - 1)};
  return (style){high == 0 ? 7 : high + 6, 'f', 1};
}

/* The last two dimensions of t at `index`. */
static void put_matrix(writer *w, const tj_tensor *t, int64_t *index, int indent) {
  const int rows = t->ndim - 2, columns = t->ndim - 1;
  const style s = style_of(t, index);
  const int64_t fit = TJ__MAX(1, (80 - indent) / (s.width + 1)), n = t->sizes[columns];
  for (int64_t first = 0; first < n; first += fit) {
    const int64_t end = TJ__MIN(first + fit, n);
    if (fit < n) {
      if (first) put(w, "\n");
      put(w, "Columns %lld to %lld%*s", (long long)first + 1, (long long)end, indent, "");
    }
    if (s.scale != 1) put(w, "%.0e *\n%*s", s.scale, indent, "");
    for (int64_t r = 0; r < t->sizes[rows]; r++) {
      index[rows] = r;
      for (int64_t c = first; c < end; c++) {
        index[columns] = c;
        const double v = element(t, index) / s.scale;
        if (s.kind == 'e') put(w, "%*.4e", s.width, v);
        else if (s.kind == 'f') put(w, "%*.4f", s.width, v);
        else put(w, "%*g", s.width, v);
        if (c < end - 1) put(w, " ");
      }
      put(w, "\n");
      if (r < t->sizes[rows] - 1) put(w, "%*s", s.scale != 1 ? indent + 1 : indent, "");
    }
  }
  index[rows] = index[columns] = 0;
}

void tj__plain_text(const tj_tensor *t, char *text, size_t size) {
  writer w = {text, 0, size};
  int64_t index[TJ_MAX_DIMS] = {0};
  text[0] = 0;
  if (t->ndim == 2) {
    if (t->numel) put_matrix(&w, t, index, 0);
  } else if (t->numel) { /* matrix by matrix, the first dimension running fastest */
    const int n = t->ndim - 2;
    for (bool first = true, more = true; more; first = false) {
      if (!first) put(&w, "\n");
      put(&w, "(");
      for (int d = 0; d < n; d++) put(&w, "%lld,", (long long)index[d] + 1);
      put(&w, ".,.) = \n ");
      put_matrix(&w, t, index, 1);
      more = false;
      for (int d = 0; d < n && !more; d++) {
        if (++index[d] < t->sizes[d]) more = true;
        else index[d] = 0;
      }
    }
  }
  const char *name = tj__dtype_legacy((tj_dtype)t->dtype);
  const bool old = strstr("Byte Char Short Int Long Half Float Double", name) != NULL; /* those that Python has a class of tensors for */
  if (old) put(&w, "[ torch.%sTensor{", name);
  else put(&w, "[ CPU%sType{", name);
  for (int d = 0; d < t->ndim; d++) put(&w, "%s%lld", d ? "," : "", (long long)t->sizes[d]);
  put(&w, "} ]");
}
