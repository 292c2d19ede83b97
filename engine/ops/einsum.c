/* einsum.c: sums of products in Einstein's notation, through permutations, diagonals and batched matrix products.
 *
 * Every operand gets all dimensions, of size 1 where it has not got one, in one order: those of the result first. Operands are contracted in
 * pairs, as engine/ops/einsum_path.c says, and a dimension is summed with the last pair that has it. */
#include "impl.h"
#include "shape_errors.h"
#include "ops.h"
#include "ops/einsum.h"

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

enum { LABELS = 52, ELLIPSIS = LABELS };

static int label_of(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1; }
static char name_of(int label) { return (char)(label < 26 ? 'A' + label : 'a' + label - 26); }
#define LABEL(label) ((const char[]){name_of(label), 0})

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

static bool bad_subscript(size_t at) { return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_subscript, LL(at)) != NULL; }

/* Reads the subscripts of an operand from *at up to a comma, an arrow or the end. */
static bool read_operand(const char *equation, size_t *at, subscripts *s, int64_t operand) {
  *s = (subscripts){.n = 0};
  for (;; (*at)++) {
    const char c = equation[*at];
    if (c == 0 || c == ',' || c == '-') return true;
    if (c == ' ') continue;
    if (c == '.') {
      if (s->ellipsis) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_second_ellipsis, LL(operand)) != NULL;
      if (strncmp(equation + *at, "...", 3)) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_stray_dot, LL(operand)) != NULL;
      *at += 2;
      s->ellipsis = true;
      if (!push(s, ELLIPSIS)) return false;
      continue;
    }
    const int label = label_of(c);
    if (label < 0) return bad_subscript(*at);
    if (!push(s, label)) return false;
  }
}

/* Where each label and the ellipsis are among the dimensions: those of the output, then those that are summed. */
typedef struct places {
  int of[LABELS];   /* -1: the label is not there */
  int ellipsis_at;  /* -1 before it is known */
  int widest;       /* dimensions of the ellipsis */
  int kept, all;    /* dimensions of the output; of everything */
  int uses[LABELS]; /* in all operands */
} places;

/* Reads the output's subscripts from `at` to the end. */
static bool read_output(const char *equation, size_t at, places *p) {
  for (; equation[at]; at++) {
    const char c = equation[at];
    if (c == ' ') continue;
    if (c == '.') {
      if (p->ellipsis_at >= 0) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_output_second_ellipsis) != NULL;
      if (strncmp(equation + at, "...", 3)) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_output_stray_dot) != NULL;
      at += 2;
      p->ellipsis_at = p->kept;
      p->kept += p->widest;
      continue;
    }
    const int label = label_of(c);
    if (label < 0) return bad_subscript(at);
    if (p->of[label] >= 0) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_output_twice, LABEL(label)) != NULL;
    if (!p->uses[label]) return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_error_unknown_output_index_1, LABEL(label)) != NULL;
    p->of[label] = p->kept++;
  }
  return true;
}

/* Operand i with all dimensions: diagonals of repeated labels, dimensions of size 1 for what it has not got, in the common order. */
static tj_tensor *spread(tj_tensor *t, const subscripts *s, const places *p, int64_t i) {
  const int hidden = t->ndim - (s->n - s->ellipsis);
  int64_t from[TJ_MAX_DIMS];
  int of_label[LABELS], dim = 0;
  for (int l = 0; l < LABELS; l++) of_label[l] = -1;
  for (int d = 0; d < p->all; d++) from[d] = -1;
  for (int k = 0; k < s->n; k++) {
    const int l = s->items[k];
    if (l == ELLIPSIS) {
      for (int h = 0; h < hidden; h++) from[p->ellipsis_at + p->widest - hidden + h] = dim++;
      continue;
    }
    if (of_label[l] < 0) {
      of_label[l] = dim;
      from[p->of[l]] = dim++;
      continue;
    }
    /* a subscript that is repeated: the diagonal of its two dimensions takes the first one's place */
    const int64_t first = of_label[l];
    RUNTIME(t->sizes[first] == t->sizes[dim], TJ__TEXT_einsum_error_dimension_mismatch_1, LABEL(l), LL(i), LL(t->sizes[dim]),
            LL(t->sizes[first]));
    t = tj_movedim_int(tj_diagonal(t, 0, first, dim), -1, first);
    if (!t) return NULL;
  }
  for (int d = 0; d < p->all; d++)
    if (from[d] < 0) {
      t = tj_unsqueeze(t, dim);
      from[d] = dim++;
    }
  return tj_permute(t, (tj_ints){from, p->all});
}

/* What the sizes of operand i make of those seen so far; false and an error where they do not broadcast. */
static bool merge_sizes(const tj_tensor *t, const subscripts *s, int ndim, const places *p, int64_t i, int64_t *sizes) {
  for (int d = 0; d < p->all; d++) {
    const int64_t size = t->sizes[d];
    if (size == 1) continue;
    if (sizes[d] == 1 || sizes[d] == size) {
      sizes[d] = size;
      continue;
    }
    for (int l = 0; l < LABELS; l++)
      if (p->of[l] == d)
        return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_error_dimension_mismatch_2, LABEL(l), LL(size), LL(i), LL(sizes[d])) != NULL;
    int dim = d - p->ellipsis_at - p->widest + ndim - (s->n - s->ellipsis); /* of the operand */
    for (int k = 0; s->items[k] != ELLIPSIS; k++) dim++;
    return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_einsum_error_dimension_mismatch_3, LL(dim), LL(i), LL(size), LL(sizes[d])) != NULL;
  }
  return true;
}

/* The order of the dimensions that a matrix product sums, in which the larger operand, or else the other, need not be copied: by strides. */
static void order_summed(const tj_tensor *a, const tj_tensor *b, int64_t *dims, int n) {
  const tj_tensor *t = a->numel >= b->numel ? a : b;
  for (int i = 1; i < n; i++)
    for (int k = i; k > 0 && t->strides[dims[k - 1]] < t->strides[dims[k]]; k--) {
      const int64_t d = dims[k];
      dims[k] = dims[k - 1];
      dims[k - 1] = d;
    }
}

/* The product of a and b, summed over `sum`, of which both have more than 1. The batched matrix product's result is laid out as PyTorch lays
 * it out: batch, rows of a, columns of b, each in the order of the dimensions. */
static tj_tensor *contract(tj_tensor *a, tj_tensor *b, uint64_t sum) {
  if (!a || !b) return NULL;
  if (!sum) return tj_mul(a, b);
  enum { BATCH, ROWS, SUMMED, COLUMNS };
  const int n = a->ndim;
  int64_t groups[4][TJ_MAX_DIMS], length[4] = {1, 1, 1, 1};
  int count[4] = {0};
  for (int d = 0; d < n; d++) {
    const bool has_a = a->sizes[d] != 1, has_b = b->sizes[d] != 1;
    const int g = sum >> d & 1 ? SUMMED : has_a && has_b ? BATCH : has_a ? ROWS : COLUMNS;
    groups[g][count[g]++] = d;
    length[g] *= g == COLUMNS ? b->sizes[d] : a->sizes[d];
  }
  order_summed(a, b, groups[SUMMED], count[SUMMED]);
  static const int of_a[] = {BATCH, ROWS, SUMMED, COLUMNS}, of_b[] = {BATCH, SUMMED, COLUMNS, ROWS};
  int64_t a_order[TJ_MAX_DIMS], b_order[TJ_MAX_DIMS], out[TJ_MAX_DIMS], back[TJ_MAX_DIMS];
  int ka = 0, kb = 0, k = 0;
  for (int g = 0; g < 4; g++) {
    for (int i = 0; i < count[of_a[g]]; i++) {
      const int64_t d = groups[of_a[g]][i];
      a_order[ka++] = d;
      out[k] = g == SUMMED ? 1 : g == COLUMNS ? b->sizes[d] : a->sizes[d];
      back[d] = k++;
    }
    for (int i = 0; i < count[of_b[g]]; i++) b_order[kb++] = groups[of_b[g]][i];
  }
  tj_tensor *x = tj_reshape(tj_permute(a, (tj_ints){a_order, n}), TJ_INTS(length[BATCH], length[ROWS], length[SUMMED]));
  tj_tensor *y = tj_reshape(tj_permute(b, (tj_ints){b_order, n}), TJ_INTS(length[BATCH], length[SUMMED], length[COLUMNS]));
  return tj_permute(tj_view(tj_bmm(x, y), (tj_ints){out, n}), (tj_ints){back, n});
}

/* Which of the dimensions are not of size 1. */
static uint64_t wide(const tj_tensor *t) {
  uint64_t bits = 0;
  for (int d = 0; d < t->ndim; d++) bits |= (uint64_t)(t->sizes[d] != 1) << d;
  return bits;
}

static tj_tensor *sum_bits(tj_tensor *t, uint64_t bits, bool keepdim) {
  int64_t dims[TJ_MAX_DIMS];
  int n = 0;
  for (int d = 0; d < TJ_MAX_DIMS; d++)
    if (bits >> d & 1) dims[n++] = d;
  return n && t ? tj_sum_dim(t, (tj_ints){dims, n}, keepdim, TJ_DTYPE_NONE) : t;
}

/* Contracts pairs until one operand is left: those of `path`, or from left to right where there is none. needed: the dimensions of the result. */
static tj_tensor *contract_all(tj_list *operands, tj_ints path, uint64_t needed) {
  tj_tensor *left[TJ__EINSUM_MOST];
  int n = (int)operands->n;
  memcpy(left, operands->items, (size_t)n * sizeof *left);
  for (int64_t step = 0; n > 1; step++) {
    const bool given = path.n >= 0;
    const int64_t i = given ? path.data[2 * step] : 0, j = given ? path.data[2 * step + 1] : 1;
    RUNTIME(i >= 0 && i < n && j >= 0 && j < n, "einsum(): invalid contraction (%lld, %lld) operand index is out of bounds", LL(i), LL(j));
    RUNTIME(i != j, "einsum(): invalid contraction (%lld, %lld) cannot contract an operand with itself", LL(i), LL(j));
    tj_tensor *a = left[TJ__MIN(i, j)], *b = left[TJ__MAX(i, j)];
    uint64_t others = needed;
    int k = given ? 0 : 1; /* from left to right, the product is the first operand of the next pair */
    for (int o = 0; o < n; o++) {
      if (o == i || o == j) continue;
      others |= wide(left[o]);
      left[k++] = left[o];
    }
    const uint64_t a_wide = wide(a), b_wide = wide(b); /* what one of them alone has is summed before */
    a = sum_bits(a, a_wide & ~b_wide & ~others, true);
    b = sum_bits(b, b_wide & ~a_wide & ~others, true);
    tj_tensor *product = contract(a, b, a_wide & b_wide & ~others);
    if (!product) return NULL;
    if (given) left[k++] = product;
    else left[0] = product;
    n = k;
  }
  return left[0];
}

tj_tensor *tj__impl_einsum(const char *equation, tj_tensors tensors, tj_ints path) {
  RUNTIME(tensors.n > 0, "einsum(): must provide at least one operand");
  RUNTIME(tensors.n <= TJ__EINSUM_MOST, "einsum(): more than %d operands", TJ__EINSUM_MOST);
  subscripts in[TJ__EINSUM_MOST];
  size_t at = 0;
  int64_t count = 0;
  bool arrow = false;
  for (;;) {
    RUNTIME(count < tensors.n, TJ__TEXT_einsum_error_operand_count_mismatch_1);
    if (!read_operand(equation, &at, &in[count], count)) return NULL;
    count++;
    if (equation[at] == ',') {
      at++;
      continue;
    }
    if (equation[at] == '-') {
      if (equation[at + 1] != '>') return bad_subscript(at), NULL;
      at += 2;
      arrow = true;
    }
    break;
  }
  RUNTIME(count == tensors.n, TJ__TEXT_einsum_error_operand_count_mismatch_2);

  places p = {.ellipsis_at = -1};
  for (int l = 0; l < LABELS; l++) p.of[l] = -1;
  for (int64_t i = 0; i < count; i++) {
    const int labels = in[i].n - in[i].ellipsis, ndim = tensors.data[i]->ndim;
    RUNTIME(in[i].ellipsis || labels == ndim, TJ__TEXT_einsum_error_subscript_rank_mismatch_1, LL(labels), LL(ndim), LL(i));
    RUNTIME(labels <= ndim, TJ__TEXT_einsum_error_subscript_rank_mismatch_2, LL(labels), LL(ndim), LL(i));
    if (in[i].ellipsis) p.widest = TJ__MAX(p.widest, ndim - labels);
    for (int k = 0; k < in[i].n; k++)
      if (in[i].items[k] != ELLIPSIS) p.uses[in[i].items[k]]++;
  }
  if (arrow) {
    if (!read_output(equation, at, &p)) return NULL;
  } else {
    p.ellipsis_at = 0;
    p.kept = p.widest;
    for (int l = 0; l < LABELS; l++)
      if (p.uses[l] == 1) p.of[l] = p.kept++;
  }
  p.all = p.kept;
  if (p.ellipsis_at < 0) p.ellipsis_at = p.all, p.all += p.widest;
  for (int l = 0; l < LABELS; l++)
    if (p.uses[l] && p.of[l] < 0) p.of[l] = p.all++;
  RUNTIME(p.all <= TJ_MAX_DIMS, "einsum(): more than %d different subscripts", TJ_MAX_DIMS);

  int64_t sizes[TJ_MAX_DIMS];
  for (int d = 0; d < p.all; d++) sizes[d] = 1;
  tj_list *operands = tj__list_new(count);
  if (!operands) return NULL;
  for (int64_t i = 0; i < count; i++) {
    tj_tensor *t = spread(tensors.data[i], &in[i], &p, i);
    if (!t || !merge_sizes(t, &in[i], tensors.data[i]->ndim, &p, i, sizes)) return NULL;
    tj__list_set(operands, i, t);
  }
  if (path.n >= 0) {
    const int64_t wanted = count == 1 ? 1 : 2 * (count - 1);
    RUNTIME(path.n == wanted, "einsum(): expected contraction path given in path parameter to have size %lld but got %lld", LL(wanted),
            LL(path.n));
  }
  const uint64_t every = p.all == TJ_MAX_DIMS ? UINT64_MAX : ((uint64_t)1 << p.all) - 1;
  const uint64_t needed = p.kept == TJ_MAX_DIMS ? UINT64_MAX : ((uint64_t)1 << p.kept) - 1;
  if (count == 1) return sum_bits(operands->items[0], every & ~needed, false);
  int64_t found[2 * TJ__EINSUM_MOST];
  if (path.n < 0) {
    uint64_t bits[TJ__EINSUM_MOST];
    for (int64_t i = 0; i < count; i++) bits[i] = wide(operands->items[i]);
    if (tj__einsum_path(bits, (int)count, sizes, needed, found)) path = (tj_ints){found, 2 * (count - 1)};
  }
  tj_tensor *result = contract_all(operands, path, needed);
  if (!result || p.kept == p.all) return result;
  /* all that is summed is of size 1 by now */
  int64_t kept[TJ_MAX_DIMS];
  memcpy(kept, result->sizes, (size_t)p.kept * sizeof *kept);
  return tj_view(result, (tj_ints){kept, p.kept});
}
