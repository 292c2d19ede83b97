/* print.c: the text of a tensor, character for character as PyTorch prints it. Only the elements that are shown are looked at. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/core.h"

/* ---- growing text -------------------------------------------------------------------------------------------- */

typedef struct text {
  char *data;
  size_t n, capacity;
  size_t line; /* where the last line begins */
  bool failed;
} text;

static bool reserve(text *s, size_t more) {
  if (s->failed) return false;
  if (s->n + more + 1 <= s->capacity) return true;
  size_t capacity = TJ__MAX(s->capacity * 2, s->n + more + 256);
  char *data = tj__grow(s->data, capacity);
  if (!data) {
    s->failed = true;
    tj__fail(TJ_ERROR_MEMORY, "not enough memory: could not allocate %lld bytes", (long long)capacity);
    return false;
  }
  s->data = data;
  s->capacity = capacity;
  return true;
}

static void put(text *s, const char *bytes, size_t n) {
  if (!reserve(s, n)) return;
  memcpy(s->data + s->n, bytes, n);
  s->n += n;
  s->data[s->n] = 0;
}
static void puts_(text *s, const char *string) { put(s, string, strlen(string)); }

static void repeat(text *s, char c, int64_t n) {
  if (n <= 0 || !reserve(s, (size_t)n)) return;
  memset(s->data + s->n, c, (size_t)n);
  s->n += (size_t)n;
  s->data[s->n] = 0;
}

/* `count` line ends, and the spaces that begin the next line. */
static void new_lines(text *s, int64_t count, int64_t indent) {
  repeat(s, '\n', count);
  s->line = s->n;
  repeat(s, ' ', indent);
}

__attribute__((format(printf, 2, 3))) static void putf(text *s, const char *format, ...) {
  char buffer[512];
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int n = vsnprintf(buffer, sizeof buffer, format, arguments);
  if (n >= 0 && (size_t)n < sizeof buffer) {
    put(s, buffer, (size_t)n);
  } else if (n >= 0 && reserve(s, (size_t)n)) {
    vsnprintf(s->data + s->n, (size_t)n + 1, format, again);
    s->n += (size_t)n;
  }
  va_end(again);
  va_end(arguments);
}

/* ---- how numbers are written --------------------------------------------------------------------------------- */

/* Decided from all numbers that are shown: whether they are whole, need an exponent, and how wide they get. */
typedef struct format {
  bool floating, whole, exponent;
  int64_t width;
  double least, most; /* magnitudes of the finite numbers that are not zero */
  int64_t counted;    /* how many of those */
} format;

typedef struct printer {
  const tj_print_options *options;
  tj_dtype dtype;
  int ndim;
  const int64_t *sizes;
  int64_t strides[TJ_MAX_DIMS]; /* in bytes */
  bool summarize;
  format parts[2]; /* real, imaginary */
  text out;
} printer;

static double part_of(tj_scalar s, int part) {
  if (s.kind == TJ_SCALAR_COMPLEX) return part ? s.c.im : s.c.re;
  return s.kind == TJ_SCALAR_FLOAT ? s.f : (double)s.i;
}

static void put_integer(text *s, tj_dtype dtype, tj_scalar value) {
  if (dtype == TJ_BOOL) puts_(s, value.i ? "True" : "False");
  else if (dtype == TJ_UINT64) putf(s, "%llu", (unsigned long long)value.i);
  else putf(s, "%lld", (long long)value.i);
}

static int64_t integer_width(tj_dtype dtype, tj_scalar value) {
  if (dtype == TJ_BOOL) return value.i ? 4 : 5;
  bool negative = dtype != TJ_UINT64 && value.i < 0;
  uint64_t rest = negative ? 0 - (uint64_t)value.i : (uint64_t)value.i;
  int64_t width = negative;
  do width++;
  while (rest /= 10);
  return width;
}

/* Without padding. C's printf and Python agree but for the sign of a NaN. */
static void put_float(text *s, const format *f, int precision, double value) {
  if (isnan(value)) puts_(s, "nan");
  else if (isinf(value)) puts_(s, value < 0 ? "-inf" : "inf");
  else if (f->exponent) putf(s, "%.*e", precision, value);
  else if (f->whole) putf(s, "%.0f.", value);
  else putf(s, "%.*f", precision, value);
}

/* Digits before the point of a number that %.Nf prints; close to a power of ten, where rounding decides, printf is asked. */
static int64_t float_width(const format *f, int precision, double value) {
  double magnitude = fabs(value);
  int64_t tail = f->whole ? 1 : precision > 0 ? precision + 1 : 0;
  if (!f->exponent && magnitude < 1e15) {
    double power = 10;
    int64_t digits = 1;
    while (magnitude >= power) power *= 10, digits++;
    /* below 1 - 2^-4 of the next power no rounding gets there when at least one digit follows; whole numbers are exact */
    if (f->whole || (precision > 0 && magnitude < power * 0.9375)) return digits + tail + (signbit(value) ? 1 : 0);
  }
  char buffer[512];
  int n = f->exponent ? snprintf(buffer, sizeof buffer, "%.*e", precision, value)
                      : snprintf(buffer, sizeof buffer, "%.*f", f->whole ? 0 : precision, value);
  return n + (f->whole && !f->exponent ? 1 : 0);
}

/* ---- visiting what is shown ---------------------------------------------------------------------------------- */

typedef void (*visitor)(printer *p, tj_scalar value);

/* Items [0, first) and [second, size) of a dimension are shown. */
static void shown(const printer *p, int dim, int64_t *first, int64_t *second) {
  int64_t size = p->sizes[dim], edge = p->options->edgeitems;
  bool cut = p->summarize && size > 2 * edge;
  *first = cut ? edge : size;
  *second = cut ? size - edge : size;
}

static void visit(printer *p, const char *data, int dim, visitor see) {
  if (dim == p->ndim) {
    see(p, tj__load_scalar(data, p->dtype));
    return;
  }
  int64_t first, second;
  shown(p, dim, &first, &second);
  for (int64_t i = 0; i < first; i++) visit(p, data + i * p->strides[dim], dim + 1, see);
  for (int64_t i = second; i < p->sizes[dim]; i++) visit(p, data + i * p->strides[dim], dim + 1, see);
}

static int part_count(const printer *p) { return tj_dtype_is_complex(p->dtype) ? 2 : 1; }

static void see_range(printer *p, tj_scalar value) {
  for (int part = 0; part < part_count(p); part++) {
    format *f = &p->parts[part];
    double v = part_of(value, part), magnitude = fabs(v);
    if (v == 0 || !isfinite(v)) continue;
    if (v != ceil(v)) f->whole = false;
    f->least = f->counted ? fmin(f->least, magnitude) : magnitude;
    f->most = f->counted ? fmax(f->most, magnitude) : magnitude;
    f->counted++;
  }
}

static void see_width(printer *p, tj_scalar value) {
  for (int part = 0; part < part_count(p); part++) {
    format *f = &p->parts[part];
    if (!f->floating) {
      f->width = TJ__MAX(f->width, integer_width(p->dtype, value));
    } else {
      double v = part_of(value, part);
      if (v != 0 && isfinite(v)) f->width = TJ__MAX(f->width, float_width(f, p->options->precision, v));
    }
  }
}

static void choose_formats(printer *p, const char *data) {
  bool floating = tj_dtype_is_floating(p->dtype) || tj_dtype_is_complex(p->dtype);
  for (int part = 0; part < 2; part++) p->parts[part] = (format){.floating = floating, .whole = true, .width = 1};
  if (floating) visit(p, data, 0, see_range);
  for (int part = 0; part < 2; part++) {
    format *f = &p->parts[part];
    if (f->counted == 0) continue;
    f->exponent = f->most / f->least > 1000.0 || f->most > 1.0e8 || (!f->whole && f->least < 1.0e-4);
    if (p->options->sci_mode != TJ_NO_BOOL) f->exponent = p->options->sci_mode != 0;
  }
  visit(p, data, 0, see_width);
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* Right-aligned in the width. */
static void put_part(printer *p, int part, tj_scalar value) {
  const format *f = &p->parts[part];
  size_t at = p->out.n;
  if (f->floating) put_float(&p->out, f, p->options->precision, part_of(value, part));
  else put_integer(&p->out, p->dtype, value);
  int64_t pad = f->width - (int64_t)(p->out.n - at);
  if (p->out.failed || pad <= 0 || !reserve(&p->out, (size_t)pad)) return;
  memmove(p->out.data + at + pad, p->out.data + at, p->out.n - at + 1);
  memset(p->out.data + at, ' ', (size_t)pad);
  p->out.n += (size_t)pad;
}

static void put_value(printer *p, tj_scalar value) {
  put_part(p, 0, value);
  if (part_count(p) == 1) return;
  /* "1.+2.j", "1.-2.j": the imaginary part is not padded, and brings its sign only when it is negative */
  size_t at = p->out.n;
  put_float(&p->out, &p->parts[1], p->options->precision, part_of(value, 1));
  if (p->out.failed) return;
  if (p->out.data[at] != '-' && reserve(&p->out, 1)) {
    memmove(p->out.data + at + 1, p->out.data + at, p->out.n - at + 1);
    p->out.data[at] = '+';
    p->out.n++;
  }
  puts_(&p->out, "j");
}

static void put_vector(printer *p, const char *data, int64_t indent) {
  int dim = p->ndim - 1;
  int64_t first, second, size = p->sizes[dim], stride = p->strides[dim];
  int64_t width = p->parts[0].width + 2 + (part_count(p) == 2 ? p->parts[1].width + 1 : 0);
  int64_t per_line = TJ__MAX(1, (p->options->linewidth - indent) / width);
  shown(p, dim, &first, &second);
  bool cut = second > first || (p->summarize && p->options->edgeitems == 0);
  int64_t count = first + cut + (size - second);
  put(&p->out, "[", 1);
  for (int64_t k = 0; k < count; k++) {
    if (k > 0) {
      put(&p->out, ",", 1);
      if (k % per_line == 0) new_lines(&p->out, 1, indent + 1);
      else put(&p->out, " ", 1);
    }
    if (cut && k == first) puts_(&p->out, p->options->edgeitems == 0 ? "..." : " ...");
    else put_value(p, tj__load_scalar(data + (k < first ? k : size - (count - k)) * stride, p->dtype));
  }
  put(&p->out, "]", 1);
}

static void put_nested(printer *p, const char *data, int dim, int64_t indent) {
  if (dim == p->ndim) {
    put_value(p, tj__load_scalar(data, p->dtype));
    return;
  }
  if (dim == p->ndim - 1) {
    put_vector(p, data, indent);
    return;
  }
  int64_t first, second, size = p->sizes[dim];
  shown(p, dim, &first, &second);
  bool cut = second > first;
  int64_t count = first + cut + (size - second);
  put(&p->out, "[", 1);
  for (int64_t k = 0; k < count && !p->out.failed; k++) {
    if (k > 0) {
      put(&p->out, ",", 1);
      new_lines(&p->out, p->ndim - dim - 1, indent + 1);
    }
    if (cut && k == first) puts_(&p->out, "...");
    else put_nested(p, data + (k < first ? k : size - (count - k)) * p->strides[dim], dim + 1, indent + 1);
  }
  put(&p->out, "]", 1);
}

/* ---- what follows the numbers -------------------------------------------------------------------------------- */

typedef struct suffixes {
  text *out;
  int64_t linewidth, indent, length; /* length of the last line, as PyTorch counts it */
} suffixes;

static void suffix(suffixes *s, const char *string) {
  int64_t n = (int64_t)strlen(string);
  if (s->length + n + 2 > s->linewidth) {
    put(s->out, ",", 1);
    new_lines(s->out, 1, s->indent);
    s->length = s->indent + n;
  } else {
    put(s->out, ", ", 2);
    s->length += n + 2;
  }
  puts_(s->out, string);
}

static void put_sizes(text *s, const tj_tensor *t) {
  puts_(s, "size=(");
  for (int d = 0; d < t->ndim; d++) putf(s, d ? ", %lld" : "%lld", (long long)t->sizes[d]);
  puts_(s, t->ndim == 1 ? ",)" : ")");
}

static bool is_default(tj_dtype dtype) {
  tj_dtype base = tj_get_default_dtype();
  return dtype == base || dtype == (base == TJ_FLOAT64 ? TJ_COMPLEX128 : TJ_COMPLEX64) || dtype == TJ_INT64 || dtype == TJ_BOOL;
}

/* hidden: of a tensor whose elements cannot be looked at; then nothing else tells sizes and dtype. */
static void put_suffixes(printer *p, const tj_tensor *t, int64_t indent, bool hidden) {
  text *out = &p->out;
  int64_t newline = out->line ? (int64_t)out->line - 1 : -1;
  suffixes s = {out, p->options->linewidth, indent, (int64_t)out->n - newline + 1};
  text piece = {0};
  tj_device device = tj_device_of(t);
  if (device != TJ_CPU) {
    putf(&piece, "device='webgpu:%d'", device & 0xff);
    if (!piece.failed) suffix(&s, piece.data);
    piece.n = 0;
  }
  if (hidden || (t->numel == 0 ? t->ndim != 1 : p->options->edgeitems == 0)) {
    put_sizes(&piece, t);
    if (!piece.failed) suffix(&s, piece.data);
    piece.n = 0;
  }
  /* Without elements nothing shows that integers are int64. */
  if (hidden || t->numel == 0 ? p->dtype != tj_get_default_dtype() : !is_default(p->dtype)) {
    putf(&piece, "dtype=torch.%s", tj_dtype_name(p->dtype));
    if (!piece.failed) suffix(&s, piece.data);
    piece.n = 0;
  }
  const char *grad_fn = tj_grad_fn_name(t);
  if (grad_fn) {
    putf(&piece, "grad_fn=<%s>", grad_fn);
    if (!piece.failed) suffix(&s, piece.data);
  } else if (tj_requires_grad(t)) {
    suffix(&s, "requires_grad=True");
  }
  out->failed |= piece.failed;
  free(piece.data);
  puts_(out, ")");
}

/* ---- entry points -------------------------------------------------------------------------------------------- */

char *tj_to_string_with(tj_tensor *t, const tj_print_options *options) {
  static const char prefix[] = "tensor(";
  const int64_t indent = sizeof prefix - 1;
  if (!t) return NULL;
  TJ__CHECK(options->precision >= 0 && options->edgeitems >= 0 && options->precision <= 400, TJ_ERROR_VALUE,
            "print options: precision (%d) has to be in [0, 400], edgeitems (%lld) not negative", options->precision,
            (long long)options->edgeitems);
  printer p = {
      .options = options, .dtype = (tj_dtype)t->dtype, .ndim = t->ndim, .sizes = t->sizes, .summarize = t->numel > options->threshold};
  const char *data = NULL;
  const bool hidden = !tj__can_look(t);
  if (!hidden) {
    for (int d = 0; d < t->ndim; d++) p.strides[d] = t->strides[d] * (int64_t)tj__itemsize(t);
    data = tj__read(t);
  }
  puts_(&p.out, prefix);
  if (hidden) {
    puts_(&p.out, "...");
  } else if (t->numel == 0) {
    puts_(&p.out, "[]");
  } else {
    choose_formats(&p, data);
    put_nested(&p, data, 0, indent);
  }
  put_suffixes(&p, t, indent, hidden);
  if (p.out.failed) {
    free(p.out.data);
    return NULL;
  }
  return p.out.data;
}

char *tj_to_string(tj_tensor *t) {
  const tj_print_options options = TJ_PRINT_OPTIONS;
  return tj_to_string_with(t, &options);
}
