/* einsum.c: sums of products in Einstein's notation, through permutations, diagonals and batched matrix products. */
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"
#include "ops/reduce.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

enum { LABELS = 52, ELLIPSIS = LABELS };

static int label_of(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1; }
static char name_of(int label) { return (char)(label < 26 ? 'A' + label : 'a' + label - 26); }

/* Subscripts of one operand (or of the output): labels, and ELLIPSIS once at most. */
typedef struct subscripts {
  uint8_t items[TJ_MAX_DIMS + 1];
  int n;
  bool ellipsis;
} subscripts;

static bool push(subscripts *s, int item) {
  if (s->n > TJ_MAX_DIMS) return tj__fail(TJ_ERROR_RUNTIME, "einsum(): an operand has more than %d subscripts", TJ_MAX_DIMS) != NULL;
  s->items[s->n++] = (uint8_t)item;
  return true;
}

/* Reads one list of subscripts from *at up to a comma, an arrow or the end. operand < 0: the output. */
static bool read_subscripts(const char *equation, size_t *at, subscripts *s, int64_t operand) {
  *s = (subscripts){.n = 0};
  for (;; (*at)++) {
    const char c = equation[*at];
    if (c == 0 || (operand >= 0 && (c == ',' || c == '-'))) return true;
    if (c == ' ') continue;
    if (c == '.') {
      if (s->ellipsis) {
        if (operand >= 0)
          return tj__fail(TJ_ERROR_RUNTIME, "einsum(): found '.' for operand %lld for which an ellipsis was already found", LL(operand)) !=
                 NULL;
        return tj__fail(TJ_ERROR_RUNTIME, "einsum(): found '.' for output but an ellipsis (...) was already found") != NULL;
      }
      if (strncmp(equation + *at, "...", 3)) {
        if (operand >= 0)
          return tj__fail(TJ_ERROR_RUNTIME, "einsum(): found '.' for operand %lld that is not part of any ellipsis", LL(operand)) != NULL;
        return tj__fail(TJ_ERROR_RUNTIME, "einsum(): found '.' for output that is not part of any ellipsis (...)") != NULL;
      }
      *at += 2;
      s->ellipsis = true;
      if (!push(s, ELLIPSIS)) return false;
      continue;
    }
    const int label = label_of(c);
    if (label < 0)
      return tj__fail(TJ_ERROR_RUNTIME,
                      "einsum(): invalid subscript given at index %lld in the equation string, subscripts must be in [a-zA-Z]", (long long)*at) != NULL;
    if (!push(s, label)) return false;
  }
}

/* The product of a and b over dimensions that both have (size 1 where one has not got them), summed over those marked. */
static tj_tensor *contract(tj_tensor *a, tj_tensor *b, const bool *sum) {
  const int n = a->ndim;
  int64_t only_a[TJ_MAX_DIMS], only_b[TJ_MAX_DIMS];
  int na = 0, nb = 0;
  for (int d = 0; d < n; d++) /* what only one of them has is summed before */
    if (sum[d] && a->sizes[d] == 1 && b->sizes[d] != 1) only_b[nb++] = d;
    else if (sum[d] && b->sizes[d] == 1 && a->sizes[d] != 1) only_a[na++] = d;
  if (na) a = tj_sum_dim(a, (tj_ints){only_a, na}, true, TJ_DTYPE_NONE);
  if (nb) b = tj_sum_dim(b, (tj_ints){only_b, nb}, true, TJ_DTYPE_NONE);
  if (!a || !b) return NULL;
  /* order: batch, rows of a, summed, columns of b */
  int64_t order[TJ_MAX_DIMS], out[TJ_MAX_DIMS], back[TJ_MAX_DIMS], batch = 1, rows = 1, columns = 1, inner = 1;
  int group[TJ_MAX_DIMS], k = 0;
  for (int d = 0; d < n; d++) {
    const bool has_a = a->sizes[d] != 1, has_b = b->sizes[d] != 1;
    group[d] = sum[d] ? 2 : has_a == has_b ? 0 : has_a ? 1 : 3;
    if (group[d] == 0) batch *= a->sizes[d];
    else if (group[d] == 1) rows *= a->sizes[d];
    else if (group[d] == 2) inner *= a->sizes[d];
    else columns *= b->sizes[d];
  }
  for (int g = 0; g < 4; g++)
    for (int d = 0; d < n; d++)
      if (group[d] == g) {
        back[d] = k;
        out[k] = g == 2 ? 1 : g == 3 ? b->sizes[d] : a->sizes[d];
        order[k++] = d;
      }
  tj_tensor *x = tj_reshape(tj_permute(a, (tj_ints){order, n}), TJ_INTS(batch, rows, inner));
  /* b has rows of size 1: its order is batch, summed, columns as well */
  tj_tensor *y = tj_reshape(tj_permute(b, (tj_ints){order, n}), TJ_INTS(batch, inner, columns));
  tj_tensor *product = tj_reshape(tj_bmm(x, y), (tj_ints){out, n});
  return tj_permute(product, (tj_ints){back, n});
}

tj_tensor *tj__impl_einsum(const char *equation, tj_tensors tensors, tj_ints path) {
  (void)path; /* the order of contraction changes rounding alone; it is from left to right */
  RUNTIME(tensors.n > 0, "einsum(): must provide at least one operand");
  enum { MOST = 64 };
  RUNTIME(tensors.n <= MOST, "einsum(): more than %d operands", MOST);
  subscripts in[MOST], output;
  size_t at = 0;
  int64_t count = 0;
  bool arrow = false;
  for (;;) {
    RUNTIME(count < tensors.n, "einsum(): fewer operands were provided than specified in the equation");
    if (!read_subscripts(equation, &at, &in[count], count)) return NULL;
    count++;
    if (equation[at] == ',') {
      at++;
      continue;
    }
    if (equation[at] == '-') {
      RUNTIME(equation[at + 1] == '>',
              "einsum(): invalid subscript given at index %lld in the equation string, subscripts must be in [a-zA-Z]", (long long)at);
      at += 2;
      arrow = true;
      if (!read_subscripts(equation, &at, &output, -1)) return NULL;
    }
    break;
  }
  RUNTIME(count == tensors.n, "einsum(): more operands were provided than specified in the equation");

  int uses[LABELS] = {0}, widest = 0;
  for (int64_t i = 0; i < count; i++) {
    const int labels = in[i].n - in[i].ellipsis, ndim = tensors.data[i]->ndim;
    RUNTIME(in[i].ellipsis || labels == ndim,
            "einsum(): the number of subscripts in the equation (%d) does not match the number of dimensions (%d) for operand %lld and no "
            "ellipsis was given",
            labels, ndim, LL(i));
    RUNTIME(labels <= ndim,
            "einsum(): the number of subscripts in the equation (%d) is more than the number of dimensions (%d) for operand %lld", labels,
            ndim, LL(i));
    if (in[i].ellipsis) widest = TJ__MAX(widest, ndim - labels);
    for (int k = 0; k < in[i].n; k++)
      if (in[i].items[k] != ELLIPSIS) uses[in[i].items[k]]++;
  }

  /* The dimension of each label in the common order: those of the output, then those that are summed. */
  int place[LABELS], dims = 0, ellipsis_at = 0;
  for (int l = 0; l < LABELS; l++) place[l] = -1;
  if (arrow) {
    if (!output.ellipsis) ellipsis_at = -1;
    for (int k = 0; k < output.n; k++) {
      const int l = output.items[k];
      if (l == ELLIPSIS) {
        ellipsis_at = dims;
        dims += widest;
        continue;
      }
      RUNTIME(uses[l] > 0, "einsum(): output subscript %c does not appear in the equation for any input operand", name_of(l));
      RUNTIME(place[l] < 0, "einsum(): output subscript %c appears more than once in the output", name_of(l));
      place[l] = dims++;
    }
  } else {
    dims = widest;
    for (int l = 0; l < LABELS; l++)
      if (uses[l] == 1) place[l] = dims++;
  }
  const int kept = dims;
  if (ellipsis_at < 0) ellipsis_at = dims, dims += widest;
  for (int l = 0; l < LABELS; l++)
    if (uses[l] && place[l] < 0) place[l] = dims++;
  RUNTIME(dims <= TJ_MAX_DIMS, "einsum(): more than %d different subscripts", TJ_MAX_DIMS);

  /* Every operand with all dimensions, 1 where it has not got one. */
  int64_t sizes[TJ_MAX_DIMS];
  int last[TJ_MAX_DIMS];
  for (int d = 0; d < dims; d++) sizes[d] = 1, last[d] = -1;
  tj_list *operands = tj__list_new(count);
  if (!operands) return NULL;
  for (int64_t i = 0; i < count; i++) {
    tj_tensor *t = tensors.data[i];
    const int hidden = t->ndim - (in[i].n - in[i].ellipsis);
    int64_t from[TJ_MAX_DIMS];
    int of_label[LABELS], dim = 0;
    for (int l = 0; l < LABELS; l++) of_label[l] = -1;
    for (int d = 0; d < dims; d++) from[d] = -1;
    for (int k = 0; k < in[i].n; k++) {
      const int l = in[i].items[k];
      if (l == ELLIPSIS) {
        for (int h = 0; h < hidden; h++) from[ellipsis_at + widest - hidden + h] = dim++;
        continue;
      }
      if (of_label[l] < 0) {
        of_label[l] = dim;
        from[place[l]] = dim++;
        continue;
      }
      /* a subscript that is repeated: the diagonal of its two dimensions takes the first one's place */
      const int64_t first = of_label[l];
      RUNTIME(t->sizes[first] == t->sizes[dim],
              "einsum(): subscript %c is repeated for operand %lld but the sizes don't match, %lld != %lld", name_of(l), LL(i),
              LL(t->sizes[dim]), LL(t->sizes[first]));
      t = tj_movedim_int(tj_diagonal(t, 0, first, dim), -1, first);
      if (!t) return NULL;
    }
    int64_t order[TJ_MAX_DIMS], shape[TJ_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < dims; d++)
      if (from[d] >= 0) order[n++] = from[d];
    for (int d = 0; d < dims; d++) {
      shape[d] = from[d] >= 0 ? t->sizes[from[d]] : 1;
      if (shape[d] == 1) continue;
      if (sizes[d] != 1 && sizes[d] != shape[d]) {
        int label = -1;
        for (int l = 0; l < LABELS; l++)
          if (place[l] == d) label = l;
        RUNTIME(label < 0, "einsum(): subscript %c has size %lld for operand %lld which does not broadcast with previously seen size %lld",
                name_of(label), LL(shape[d]), LL(i), LL(sizes[d]));
        return tj__fail(TJ_ERROR_RUNTIME, "einsum(): operands do not broadcast: an ellipsis has size %lld for operand %lld and %lld before",
                        LL(shape[d]), LL(i), LL(sizes[d]));
      }
      sizes[d] = shape[d];
      last[d] = (int)i;
    }
    t = tj_reshape(tj_permute(t, (tj_ints){order, n}), (tj_ints){shape, dims});
    if (!t) return NULL;
    tj__list_set(operands, i, t);
  }

  tj_tensor *result = operands->items[0];
  bool sum[TJ_MAX_DIMS];
  for (int64_t i = 0; i < count && result; i++) { /* a dimension is summed where it is met last */
    int64_t now[TJ_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < dims; d++)
      if ((sum[d] = d >= kept && last[d] == i)) now[n++] = d;
    if (i) result = contract(result, operands->items[i], sum);
    else if (n) result = tj_sum_dim(result, (tj_ints){now, n}, true, TJ_DTYPE_NONE);
  }
  if (!result) return NULL;
  int64_t shape[TJ_MAX_DIMS];
  memcpy(shape, result->sizes, (size_t)kept * sizeof *shape);
  return tj_reshape(result, (tj_ints){shape, kept});
}
