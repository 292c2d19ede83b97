/* einops.c: rearrange, reduce, repeat, pack, unpack: patterns become reshape, permute, a reduction, expand and reshape. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "impl.h"
#include "shape_errors.h"
#include "ops.h"
#include "ops/reduce.h"
#include "text/axes.h"
#include "text/word.h"

#define LL(x) ((long long)(x))

/* ---- messages ------------------------------------------------------------------------------------------------ */

/* What all messages of a call begin with. */
typedef struct call {
  tj_tensor *self;
  const char *operation; /* "rearrange", "repeat" or the name of the reduction */
  const char *pattern;
  const char *names; /* the names of the axes that have sizes, */
  tj_ints sizes;     /* and their sizes */
} call;

/* The next name in a list of them: its length (0 at the end) and where it begins; *at moves behind it. */
static int next_name(const char *names, int *at, const char **name) {
  while (names[*at] == ' ') (*at)++;
  *name = names + *at;
  int length = 0;
  while ((*name)[length] && (*name)[length] != ' ') length++;
  *at += length;
  return length;
}

__attribute__((format(printf, 2, 3))) static void *fail(const call *c, const char *format, ...) {
  char detail[1024], given[512];
  va_list arguments;
  va_start(arguments, format);
  if (vsnprintf(detail, sizeof detail, format, arguments) < 0) detail[0] = 0;
  va_end(arguments);
  size_t used = 0;
  int at = 0;
  for (int64_t i = 0; i < c->sizes.n && used + 64 < sizeof given; i++) {
    const char *name;
    const int length = next_name(c->names, &at, &name);
    const int wrote =
        snprintf(given + used, sizeof given - used, "%s'%.*s': %lld", i ? ", " : "", TJ__MIN(length, 200), name, LL(c->sizes.data[i]));
    used = TJ__MIN(used + (size_t)TJ__MAX(wrote, 0), sizeof given - 1);
  }
  given[used] = 0;
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einops_frame, c->operation, c->pattern, tj__sizes_text(c->self), given, detail);
}

/* "{'a', 'b'}": the axes of `in` that are not in `out` (named ones, and numbers if asked for); false when there are none. */
typedef struct names_text {
  char text[512];
  size_t used;
} names_text;
static bool missing(const tj__axes *in, const tj__axes *out, bool numbers, names_text *t) {
  for (int i = 0; i < in->n; i++) {
    const tj__axis *axis = &in->items[i];
    if (axis->size >= 0 ? !numbers : tj__axes_find(out, axis) >= 0) continue;
    const int wrote = snprintf(t->text + t->used, sizeof t->text - t->used, axis->size >= 0 ? "%s%.*s" : "%s'%.*s'", t->used ? ", " : "",
                               TJ__MIN(axis->length, 100), axis->name);
    t->used = TJ__MIN(t->used + (size_t)TJ__MAX(wrote, 0), sizeof t->text - 1);
  }
  return t->used > 0;
}

/* ---- sizes of axes ------------------------------------------------------------------------------------------- */

enum { UNKNOWN = -1 };

/* The given size of an axis, its number, or UNKNOWN. */
static int64_t known_size(const call *c, const tj__axis *axis) {
  if (axis->size >= 0) return axis->size;
  int at = 0;
  for (int64_t i = 0; i < c->sizes.n; i++) {
    const char *name;
    const int length = next_name(c->names, &at, &name);
    if (length == axis->length && !memcmp(name, axis->name, (size_t)length)) return c->sizes.data[i];
  }
  return UNKNOWN;
}

/* Each given size belongs to an axis of the pattern. */
static bool check_given(const call *c, const tj__axes *left, const tj__axes *right) {
  int at = 0;
  for (int64_t i = 0; i < c->sizes.n; i++) {
    const char *name;
    const int length = next_name(c->names, &at, &name);
    if (!length) return fail(c, "%lld sizes are given for %lld names of axes", LL(c->sizes.n), LL(i)) != NULL;
    if (tj__axis_name_problem(name, length)) return fail(c, "Invalid name for an axis: %.*s", TJ__MIN(length, 200), name) != NULL;
    const tj__axis axis = {name, length, TJ__AXES_NAMED};
    if (tj__axes_find(left, &axis) < 0 && tj__axes_find(right, &axis) < 0)
      return fail(c, TJ__TEXT_einops_error_undefined_axis_2, tj__word_of(name, length).text) != NULL;
    if (c->sizes.data[i] < 0)
      return fail(c, "Axis %.*s has a negative size, %lld", TJ__MIN(length, 200), name, LL(c->sizes.data[i])) != NULL;
  }
  const char *name;
  if (next_name(c->names, &at, &name))
    return fail(c, "there are more names of axes than the %lld sizes that are given", LL(c->sizes.n)) != NULL;
  return true;
}

/* Sizes of the axes of dimension d of the left side, which has `length` elements. */
static bool split(const call *c, const tj__axes *left, int d, int64_t length, int64_t *sizes) {
  int64_t product = 1;
  int unknown = -1, count = 0;
  char open[256] = "";
  size_t used = 0;
  for (int i = left->first[d]; i < left->first[d + 1]; i++) {
    const int64_t size = sizes[i] = known_size(c, &left->items[i]);
    if (size == UNKNOWN) {
      const int wrote =
          snprintf(open + used, sizeof open - used, "%s'%.*s'", used ? ", " : "", TJ__MIN(left->items[i].length, 60), left->items[i].name);
      used = TJ__MIN(used + (size_t)TJ__MAX(wrote, 0), sizeof open - 1);
      unknown = i;
      count++;
    } else if (__builtin_mul_overflow(product, size, &product)) {
      return fail(c, "the sizes of the axes of dimension %d are too large", d) != NULL;
    }
  }
  if (count > 1) return fail(c, TJ__TEXT_einops_error_ambiguous_decomposition_1, open) != NULL;
  if (count == 0) {
    if (length == product) return true;
    return fail(c, TJ__TEXT_einops_error_dimension_mismatch_1, LL(length), LL(product)) != NULL;
  }
  if (product == 0 || length % product) return fail(c, TJ__TEXT_einops_error_dimension_mismatch_2, LL(length), LL(product)) != NULL;
  sizes[unknown] = length / product;
  return true;
}

/* ---- rearrange, reduce, repeat ------------------------------------------------------------------------------- */

static bool check_sides(const call *c, const tj__axes *left, const tj__axes *right, bool rearranges, bool repeats) {
  if (right->has_ellipsis && !left->has_ellipsis) return fail(c, TJ__TEXT_einops_ellipsis_right, c->pattern) != NULL;
  if (left->has_ellipsis && left->enclosed) return fail(c, TJ__TEXT_einops_ellipsis_enclosed, c->pattern) != NULL;
  names_text t = {.used = 0};
  if (rearranges) {
    if (left->numbers || right->numbers) return fail(c, TJ__TEXT_einops_error_anonymous_in_output_1) != NULL;
    const bool some = missing(left, right, false, &t), more = missing(right, left, false, &t);
    if (some || more) return fail(c, TJ__TEXT_einops_error_undefined_axis_1, t.text) != NULL;
  } else if (repeats) {
    if (missing(left, right, true, &t)) return fail(c, TJ__TEXT_einops_error_undefined_axis_3, t.text) != NULL;
    for (int i = 0; i < right->n; i++) {
      const tj__axis *axis = &right->items[i];
      if (axis->size != TJ__AXES_NAMED || tj__axes_find(left, axis) >= 0 || known_size(c, axis) != UNKNOWN) continue;
      return fail(c, TJ__TEXT_einops_error_repeat_missing_size_1, tj__word_of(axis->name, axis->length).text) != NULL;
    }
  } else if (missing(right, left, true, &t)) {
    return fail(c, TJ__TEXT_einops_error_reduce_undefined_output_1, c->operation, t.text) != NULL;
  }
  const int others = left->dims - left->has_ellipsis, ndim = c->self->ndim;
  if (left->has_ellipsis && ndim < others) return fail(c, TJ__TEXT_einops_error_dimension_mismatch_4, LL(others), LL(ndim)) != NULL;
  if (!left->has_ellipsis && ndim != others) return fail(c, TJ__TEXT_einops_error_dimension_mismatch_3, LL(others), LL(ndim)) != NULL;
  return true;
}

static tj_tensor *reduced(const call *c, tj_tensor *x, int64_t first) {
  int64_t dims[TJ_MAX_DIMS];
  const int n = (int)(x->ndim - first);
  for (int i = 0; i < n; i++) dims[i] = first + i;
  const tj_ints all = {dims, n};
  const char *name = c->operation;
  if (!strcmp(name, "mean") && !tj_dtype_is_floating(x->dtype))
    return tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "reduce_mean is not available for non-floating tensors");
  if (!n) return x;
  if (!strcmp(name, "sum")) return tj_sum_dim(x, all, false, TJ_DTYPE_NONE);
  if (!strcmp(name, "mean")) return tj_mean_dim(x, all, false, TJ_DTYPE_NONE);
  if (!strcmp(name, "min")) return tj_amin(x, all, false);
  if (!strcmp(name, "max")) return tj_amax(x, all, false);
  if (!strcmp(name, "any")) return tj_any_dim(x, all, false);
  if (!strcmp(name, "all")) return tj_all_dim(x, all, false);
  for (int i = n; i-- > 0 && x;) x = tj_prod_dim(x, dims[i], false, TJ_DTYPE_NONE);
  return x;
}

static bool is_identity(const int64_t *order, int n) {
  for (int i = 0; i < n; i++)
    if (order[i] != i) return false;
  return true;
}

static bool same(const tj_tensor *x, const int64_t *sizes, int n) {
  return x->ndim == n && (n == 0 || !memcmp(x->sizes, sizes, (size_t)n * sizeof *sizes));
}

static tj_tensor *transform(const call *c, bool rearranges, bool repeats) {
  tj__axes left, right;
  char problem[512];
  if (strlen(c->pattern) > INT_MAX / 2) return fail(c, "The pattern is too long");
  const char *arrow = strstr(c->pattern, "->");
  if (!arrow) return fail(c, TJ__TEXT_einops_no_arrow);
  const int at = (int)(arrow - c->pattern);
  const char *second = strstr(arrow + 2, "->");
  if (second) return fail(c, TJ__TEXT_einops_second_arrow, LL(second - c->pattern));
  if (!tj__axes_parse(c->pattern, 0, at, &left, problem, sizeof problem)) return fail(c, "%s", problem);
  if (!tj__axes_parse(c->pattern, at + 2, (int)strlen(c->pattern), &right, problem, sizeof problem)) return fail(c, "%s", problem);
  if (!check_sides(c, &left, &right, rearranges, repeats) || !check_given(c, &left, &right)) return NULL;

  /* The sizes of all axes of the left side, those of the ellipsis apart, and where each begins among the split dimensions. */
  const int hidden = c->self->ndim - (left.dims - left.has_ellipsis);
  int64_t sizes[TJ__AXES_MAX] = {0}, parts[TJ_MAX_DIMS];
  int place[TJ__AXES_MAX], n = 0, dim = 0;
  const char *const too_many = "The pattern makes more than %d dimensions";
  for (int d = 0; d < left.dims; d++) {
    if (d == left.ellipsis) {
      place[left.first[d]] = n;
      if (n + hidden > TJ_MAX_DIMS) return fail(c, too_many, TJ_MAX_DIMS);
      for (int h = 0; h < hidden; h++) parts[n++] = c->self->sizes[dim++];
      continue;
    }
    if (!split(c, &left, d, c->self->sizes[dim++], sizes)) return NULL;
    for (int i = left.first[d]; i < left.first[d + 1]; i++) {
      if (n == TJ_MAX_DIMS) return fail(c, too_many, TJ_MAX_DIMS);
      place[i] = n;
      parts[n++] = sizes[i];
    }
  }
  tj_tensor *x = c->self;
  if (!same(x, parts, n)) x = tj_reshape(x, (tj_ints){parts, n});

  /* The order of the right side, then what is reduced; the sizes with new axes; the sizes of the joined dimensions. */
  int64_t order[TJ_MAX_DIMS], wide[TJ_MAX_DIMS], joined[TJ_MAX_DIMS];
  bool used[TJ_MAX_DIMS] = {false}, fresh[TJ_MAX_DIMS];
  int kept = 0, wides = 0, dims = 0;
  for (int d = 0; d < right.dims; d++) {
    int64_t product = 1;
    for (int i = right.first[d]; i < right.first[d + 1]; i++) {
      const tj__axis *axis = &right.items[i];
      const int from = tj__axes_find(&left, axis), count = axis->size == TJ__AXES_ELLIPSIS ? hidden : 1;
      if (wides + count > TJ_MAX_DIMS) return fail(c, too_many, TJ_MAX_DIMS);
      for (int k = 0; k < count; k++) {
        const int64_t size = from < 0 ? known_size(c, axis) : parts[place[from] + k];
        fresh[wides] = from < 0;
        wide[wides++] = size;
        if (from >= 0) {
          order[kept++] = place[from] + k;
          used[place[from] + k] = true;
        }
        if (d == right.ellipsis) {
          if (dims == TJ_MAX_DIMS) return fail(c, too_many, TJ_MAX_DIMS);
          joined[dims++] = size;
        } else if (__builtin_mul_overflow(product, size, &product)) {
          return fail(c, "dimension %d of the result is too large", d);
        }
      }
    }
    if (d == right.ellipsis) continue;
    if (dims == TJ_MAX_DIMS) return fail(c, too_many, TJ_MAX_DIMS);
    joined[dims++] = product;
  }
  int all = kept;
  for (int i = 0; i < n; i++)
    if (!used[i]) order[all++] = i;
  if (!is_identity(order, n)) x = tj_permute(x, (tj_ints){order, n});
  if (!x) return NULL;
  if (!rearranges && !repeats && !(x = reduced(c, x, kept))) return NULL;
  if (repeats && wides > kept) {
    for (int d = 0; d < wides && x; d++)
      if (fresh[d]) x = tj_unsqueeze(x, d);
    x = tj_expand(x, (tj_ints){wide, wides}, false);
  }
  if (!x || same(x, joined, dims)) return x;
  return tj_reshape(x, (tj_ints){joined, dims});
}

tj_tensor *tj__impl_einops_rearrange(tj_tensor *self, const char *pattern, const char *axes, tj_ints sizes) {
  return transform(&(call){self, "rearrange", pattern, axes, sizes}, true, false);
}

tj_tensor *tj__impl_einops_repeat(tj_tensor *self, const char *pattern, const char *axes, tj_ints sizes) {
  return transform(&(call){self, "repeat", pattern, axes, sizes}, false, true);
}

tj_tensor *tj__impl_einops_reduce(tj_tensor *self, const char *pattern, const char *reduction, const char *axes, tj_ints sizes) {
  static const char *const reductions[] = {"min", "max", "sum", "mean", "prod", "any", "all"};
  const call c = {self, reduction, pattern, axes, sizes};
  for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
    if (!strcmp(reduction, reductions[i])) return transform(&c, false, false);
  return fail(&c, "Unknown reduction %.100s. Expect one of ('min', 'max', 'sum', 'mean', 'prod', 'any', 'all').", reduction);
}

/* ---- pack, unpack -------------------------------------------------------------------------------------------- */

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)

/* How many axes the pattern has before and behind its star. */
static bool star(const char *pattern, const char *name, int *before, int *after) {
  int at = 0, n = 0, length;
  const char *axis;
  *before = -1;
  while ((length = next_name(pattern, &at, &axis))) {
    int from = 0, other;
    const char *earlier;
    while ((other = next_name(pattern, &from, &earlier)) && earlier < axis)
      if (other == length && !memcmp(earlier, axis, (size_t)length))
        return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einops_packed_duplicate, name, pattern, tj__word_of(axis, length).text,
                        LL(axis - pattern)) != NULL;
    if (length == 1 && *axis == '*') *before = n;
    else if (tj__axis_name_problem(axis, length))
      return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einops_packed_name, tj__word_of(axis, length).text, name, pattern, LL(axis - pattern)) !=
             NULL;
    n++;
  }
  if (*before < 0) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einops_no_star, name, pattern) != NULL;
  *after = n - *before - 1;
  return true;
}

tj_tensor *tj__impl_einops_pack(tj_tensors tensors, const char *pattern) {
  int before, after;
  if (!star(pattern, "pack", &before, &after)) return NULL;
  RUNTIME(tensors.n > 0, "pack(..., \"%s\") needs at least one tensor", pattern);
  tj_list *parts = tj__list_new(tensors.n);
  if (!parts) return NULL;
  for (int64_t i = 0; i < tensors.n; i++) {
    tj_tensor *t = tensors.data[i];
    RUNTIME(t->ndim >= before + after, TJ__TEXT_einops_error_dimension_mismatch_5, LL(i), tj__sizes_text(t), pattern, LL(before + after));
    RUNTIME(before + after < TJ_MAX_DIMS, "pack(..., \"%s\"): more than %d dimensions", pattern, TJ_MAX_DIMS);
    int64_t sizes[TJ_MAX_DIMS];
    sizes[before] = 1;
    for (int d = 0; d < t->ndim; d++) {
      if (d < before) sizes[d] = t->sizes[d];
      else if (d < t->ndim - after) sizes[before] *= t->sizes[d];
      else sizes[before + 1 + d - (t->ndim - after)] = t->sizes[d];
    }
    t = tj_reshape(t, (tj_ints){sizes, before + 1 + after});
    if (!t) return NULL;
    tj__list_set(parts, i, t);
  }
  return tj_cat((tj_tensors){parts->items, parts->n}, before);
}

/* "[[2, 3], [], [-1]]" */
static void shapes_text(tj_ints sizes, tj_ints ndims, char *text, size_t size) {
  size_t used = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < ndims.n && used + 8 < size; at += ndims.data[i], i++) {
    const int wrote = snprintf(text + used, size - used, "%s%s", i ? ", " : "[", tj__ints_text(sizes.data + at, ndims.data[i]));
    used = TJ__MIN(used + (size_t)TJ__MAX(wrote, 0), size - 1);
  }
  snprintf(text + used, size - used, ndims.n ? "]" : "[]");
}

tj_list *tj__impl_einops_unpack(tj_tensor *self, tj_ints sizes, tj_ints ndims, const char *pattern) {
  int before, after;
  if (!star(pattern, "unpack", &before, &after)) return NULL;
  int64_t total = 0;
  for (int64_t i = 0; i < ndims.n; i++) {
    RUNTIME(ndims.data[i] >= 0 && ndims.data[i] <= TJ_MAX_DIMS, "unpack(..., \"%s\"): a tensor cannot have %lld packed dimensions", pattern,
            LL(ndims.data[i]));
    total += ndims.data[i];
  }
  RUNTIME(total == sizes.n, "unpack(..., \"%s\"): %lld packed sizes are given, but the tensors have %lld packed dimensions", pattern,
          LL(sizes.n), LL(total));
  RUNTIME(self->ndim == before + 1 + after, TJ__TEXT_einops_error_dimension_mismatch_6, pattern, tj__sizes_text(self));
  char text[512];
  const int64_t length = self->sizes[before];
  /* How long each part is along the packed dimension; what is left is for the one that holds a -1. */
  int64_t known = 0, at = 0, unknown = -1;
  bool fits = true;
  for (int64_t i = 0; i < ndims.n; at += ndims.data[i], i++) {
    int64_t product = 1;
    bool open = false;
    for (int64_t k = 0; k < ndims.data[i]; k++) {
      const int64_t size = sizes.data[at + k];
      if (size == -1) open = true;
      else if (size < 0 || __builtin_mul_overflow(product, size, &product)) fits = false;
    }
    if (!open) {
      if (__builtin_add_overflow(known, product, &known)) fits = false;
      continue;
    }
    if (unknown >= 0) {
      shapes_text(sizes, ndims, text, sizeof text);
      return tj__fail(TJ_ERROR_RUNTIME, "unpack(..., %s) received more than one -1 in %s and can't infer dimensions", pattern, text);
    }
    unknown = i;
  }
  if (!fits || known > length || (unknown < 0 && known != length)) goto no_split;
  tj_list *parts = tj__list_new(ndims.n);
  if (!parts) return NULL;
  int64_t from = 0;
  at = 0;
  for (int64_t i = 0; i < ndims.n; at += ndims.data[i], i++) {
    int64_t shape[3 * TJ_MAX_DIMS], product = 1;
    int n = 0, open = -1;
    for (int d = 0; d < before; d++) shape[n++] = self->sizes[d];
    for (int64_t k = 0; k < ndims.data[i]; k++) {
      const int64_t size = sizes.data[at + k];
      if (size == -1 && open >= 0) goto no_split;
      if (size == -1) open = n;
      else product *= size;
      shape[n++] = size;
    }
    for (int d = 0; d < after; d++) shape[n++] = self->sizes[before + 1 + d];
    if (open >= 0) {
      const int64_t rest = length - known;
      if (product == 0 || rest % product) goto no_split;
      shape[open] = rest / product;
      product = rest;
    }
    if (!tj__check_ndim(n)) return NULL;
    tj_tensor *part = tj_reshape(tj_narrow(self, before, from, product), (tj_ints){shape, n});
    if (!part) return NULL;
    tj__list_set(parts, i, part);
    from += product;
  }
  return parts;

no_split:
  shapes_text(sizes, ndims, text, sizeof text);
  return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einops_error_dimension_mismatch_7, pattern, LL(length), text);
}
