/* generate.h: calls made up from bytes. The same bytes make the same call, so that it can be run again: on another instruction set, with
 * a failing allocation. Arguments are chosen so that most calls are good: tensors share a size, indices are small, and a name such as
 * `bias` or `dim` says what is meant. */
#ifndef TJ__GENERATE_H
#define TJ__GENERATE_H

#include <math.h>
#include <stdio.h>

#include "bindings/common/calls.h"
#include "forms.h"
#include "ops.h"

typedef struct source {
  const uint8_t *data;
  size_t size, at;
} source;

static inline unsigned byte_of(source *s) { return s->at < s->size ? s->data[s->at++] : 0; }
static inline int pick(source *s, int n) { return (int)(byte_of(s) % (unsigned)n); }
static inline bool once_in(source *s, unsigned n) { return byte_of(s) % n == n - 1; }

enum { MAX_TENSORS = 24, SLOTS = 1024, MAX_RANK = 5, MAX_ELEMENTS = 6000 };

typedef enum values { SMALL_INTS, GRID, UNIT, POSITIVE, SPECIAL, WILD, VALUE_KINDS } values;

typedef struct call {
  const tj__form *form;
  int index;
  double slots[SLOTS];
  int n;                           /* slots in use */
  tj_tensor *tensors[MAX_TENSORS]; /* arguments; the host's handles hold them */
  double handles[MAX_TENSORS];
  int count;
  bool failed;   /* a tensor could not be made */
  bool wild;     /* numbers of every size: results are not compared */
  bool backward; /* floating arguments require gradients */
  bool special;
  int64_t k; /* the size that most dimensions have */
  int rank;
  int64_t sizes[MAX_RANK];
  tj_dtype dtype;
  values values;
  double largest; /* of the arguments' magnitudes */
} call;

static inline void put_slot(call *c, double v) {
  if (c->n < SLOTS) c->slots[c->n++] = v;
}
static inline void put_int(call *c, int64_t v) {
  if (v > -(1LL << 53) && v < 1LL << 53) {
    put_slot(c, (double)v);
  } else {
    double bits;
    memcpy(&bits, &v, sizeof bits);
    put_slot(c, NAN);
    put_slot(c, bits);
  }
}
static inline bool is_name(const char *name, const char *list) { /* list: " a b c " */
  char padded[120];
  snprintf(padded, sizeof padded, " %s ", name);
  return strstr(list, padded) != NULL;
}

/* ---- tensors --------------------------------------------------------------------------------------------------- */

static inline double make_value(call *c, source *s, values kind) {
  static const double specials[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1, -1, 0.5};
  static const double wilds[] = {1e300,        -1e300,        3e38,   -3e38,   65504, 1e-310, 1e-40, 6e-8,
                                 2147483648.0, -2147483648.0, 9.3e18, -9.3e18, 1e5,   -128,   255,   0};
  unsigned b = byte_of(s);
  (void)c;
  switch (kind) {
    case SMALL_INTS: return (double)(b % 7) - 3;
    case GRID: return ((double)(b % 64) - 32) / 4;
    case UNIT: return (b % 65) / 64.0;
    case POSITIVE: return (1 + b % 32) / 4.0;
    case SPECIAL: return specials[b % 8];
    default: return wilds[b % 16];
  }
}

/* Its elements follow from two bytes: values of the kind, mixed by a small generator. */
static tj_tensor *make_tensor(call *c, source *s, const int64_t *sizes, int rank, tj_dtype dtype, values kind, int64_t below) {
  int64_t strides[8], extent = 1, offset = 0, numel = 1;
  int order[8];
  for (int i = 0; i < rank; i++) numel *= sizes[i], order[i] = i;
  unsigned layout = byte_of(s) % 16;
  if (layout >= 4 && layout <= 6)
    for (int i = rank - 1; i > 0; i--) { /* a permuted storage */
      int j = layout == 4 ? rank - 1 - i : pick(s, i + 1), t = order[i];
      if (layout == 4 && j >= i) break;
      order[i] = order[j], order[j] = t;
    }
  int64_t step = layout == 7 || layout == 8 ? 2 : 1;
  int expanded = (layout == 9 || layout == 10) && rank ? pick(s, rank) : -1;
  if (step == 2) offset = 1 + pick(s, 3);
  if (layout == 11 && rank == 4) order[0] = 0, order[1] = 2, order[2] = 3, order[3] = 1; /* channels last */
  for (int i = rank - 1; i >= 0; i--) {
    int d = order[i];
    if (d == expanded) {
      strides[d] = 0;
      continue;
    }
    strides[d] = layout == 12 ? 1 : extent * (i == rank - 1 ? step : 1); /* 12: overlapping */
    if (sizes[d] > 0) extent *= sizes[d] * (i == rank - 1 ? step : 1) + (layout == 8);
  }
  int64_t stored = offset + 1;
  for (int i = 0; i < rank; i++) stored += (sizes[i] > 0 ? sizes[i] - 1 : 0) * strides[i];
  if (numel == 0 && rank == 0) stored = 1;
  static double elements[64];
  for (int i = 0; i < 8; i++) {
    double v = make_value(c, s, kind);
    if (below < 0) v = 1; /* row numbers, from 1 */
    if (below > 0) v = (double)(byte_of(s) % (unsigned)below);
    for (int j = i; j < 64; j += 8) elements[(j * 5 + i * 3) % 64] = below != 0 || kind >= UNIT || j < 8 ? v : v + (j / 8 % 3) * 0.25;
  }
  static double flat[1 << 17];
  if (stored > (int64_t)(sizeof flat / sizeof *flat) / 2) return tj__fail(TJ_ERROR_VALUE, "the made up tensor is too large");
  unsigned mix = byte_of(s);
  for (int64_t i = 0; i < stored * 2; i++) {
    mix = mix * 1103515245u + 12345u;
    flat[i] = elements[mix >> 16 & 63];
    if (isfinite(flat[i]) && fabs(flat[i]) > c->largest) c->largest = fabs(flat[i]);
  }
  tj_dtype wide = tj_dtype_is_complex(dtype) ? TJ_COMPLEX128 : TJ_FLOAT64;
  tj_tensor *memory = tj_from_data(flat, wide, TJ_INTS(stored));
  if (memory && dtype != wide) memory = tj_to_dtype(memory, dtype, false, true, NULL);
  tj_tensor *t = memory ? tj__alias(memory, (tj_ints){sizes, rank}, (tj_ints){strides, rank}, offset) : NULL;
  return t;
}

static double give_handle(call *c, tj__host *h, tj_tensor *t) {
  if (!t || c->count == MAX_TENSORS) {
    c->failed = true;
    return 0;
  }
  double handle = tj__return_tensor(h, t);
  if (!handle) {
    c->failed = true;
    return 0;
  }
  c->tensors[c->count] = t;
  c->handles[c->count++] = handle;
  return handle;
}

static double make_argument(call *c, tj__host *h, source *s, const char *name, bool item) {
  static const tj_dtype common[] = {TJ_FLOAT32, TJ_FLOAT64, TJ_INT64, TJ_BOOL, TJ_FLOAT16, TJ_COMPLEX64, TJ_INT32, TJ_UINT8};
  int64_t sizes[8];
  int rank = c->rank;
  for (int i = 0; i < rank; i++) sizes[i] = c->sizes[i];
  tj_dtype dtype = c->dtype;
  int64_t below = 0;
  values kind = c->values;
  const char *family = c->form->family;
  unsigned b = byte_of(s);
  bool norm = !strcmp(family, "norm");
  if (is_name(name, " index indices sorter target tensor_indices_or_sections start ") || (item && is_name(name, " indices "))) {
    if (strcmp(family, "loss") || b & 1) {
      dtype = b % 8 == 7 ? TJ_INT32 : TJ_INT64;
      below = c->k > 0 ? c->k : 1;
      if (b % 16 == 12) dtype = TJ_BOOL, below = 2;
      if (b % 32 == 9) below = 0, kind = SMALL_INTS; /* out of range */
    }
    int r = pick(s, 6);
    if (is_name(name, " index indices ") && r < 2 && rank > 1) rank = r, sizes[0] = c->k;
    if (is_name(name, " start tensor_indices_or_sections ") && r < 4) rank = 0;
    if (!strcmp(family, "loss") && rank > 1 && r < 3) { /* classes: without the second dimension */
      for (int i = 1; i + 1 < rank; i++) sizes[i] = sizes[i + 1];
      rank--;
    }
  } else if (!strcmp(family, "embedding_bag") && is_name(name, " input offsets ")) {
    dtype = TJ_INT64, below = c->k > 0 && strcmp(name, "offsets") ? c->k : 1;
    rank = 1 + (!strcmp(name, "input") && b % 2), sizes[0] = c->k, sizes[1] = c->k;
  } else if (!strcmp(family, "embedding_bag") && !strcmp(name, "weight")) {
    rank = 2, sizes[0] = sizes[1] = c->k;
  } else if (is_name(name, " pivots LU_pivots ")) {
    dtype = TJ_INT32, below = -1, rank = rank > 1 ? rank - 1 : rank;
  } else if (is_name(name, " mask condition attn_mask ")) {
    dtype = b % 16 == 15 ? c->dtype : TJ_BOOL;
  } else if (is_name(name, " bias vec vec1 vec2 running_mean running_var pos_weight weights repeats boundaries sorted_sequence ") ||
             (is_name(name, " weight ") && (norm || !strcmp(family, "loss")))) {
    if (b % 16 != 15) rank = 1, sizes[0] = c->rank > 1 ? c->sizes[1] : c->k;
  } else if (is_name(name, " mat mat1 mat2 ") && b % 16 != 15 && strcmp(c->form->name, "bmm") && strncmp(c->form->name, "bmm_", 4)) {
    rank = 2, sizes[0] = sizes[1] = c->k;
  } else if (is_name(name, " batch1 batch2 ") && b % 16 != 15) {
    rank = 3, sizes[0] = sizes[1] = sizes[2] = c->k;
  } else if (c->count > 0 || item || !strcmp(name, "out")) {
    switch (b % 16) {
      case 8: rank = 0; break;
      case 9: /* without leading dimensions */
        for (int drop = pick(s, rank + 1); drop > 0; drop--) {
          for (int i = 0; i + 1 < rank; i++) sizes[i] = sizes[i + 1];
          rank--;
        }
        break;
      case 10:
      case 11:
        for (int i = 0; i < rank; i++)
          if (byte_of(s) & 1) sizes[i] = 1;
        break;
      case 12:
        rank = pick(s, MAX_RANK);
        for (int i = 0; i < rank; i++) sizes[i] = pick(s, 4);
        break;
      case 13: rank = 1, sizes[0] = c->k; break;
      case 14: dtype = common[pick(s, 8)]; break;
      case 15: dtype = (tj_dtype)pick(s, TJ_DTYPE_COUNT); break;
      default: break;
    }
  }
  int64_t numel = 1;
  for (int i = 0; i < rank; i++) numel *= sizes[i];
  if (numel > MAX_ELEMENTS) rank = 1, sizes[0] = c->k;
  if (tj_scope_begin()) return c->failed = true, 0;
  tj_tensor *t = make_tensor(c, s, sizes, rank, dtype, kind, below);
  if (t && c->backward && (tj_dtype_is_floating(dtype) || tj_dtype_is_complex(dtype)) && b < 224) {
    if (tj_set_requires_grad(t, true)) t = NULL;
    if (t && c->form->result == 'I' && c->count == 0) t = tj_clone(t, NULL); /* leaves may not be written to */
  }
  double handle = give_handle(c, h, t);
  tj_scope_end();
  return handle;
}

/* ---- the other kinds of argument ------------------------------------------------------------------------------- */

/* No numbers of absurd size: where nothing bounds what a call may allocate. */
static bool modest;

static int64_t make_int(call *c, source *s, const char *name, const tj__argument *a) {
  static const int64_t extremes[] = {INT64_MAX, INT64_MIN + 1, INT32_MAX, INT32_MIN, 1LL << 32,
                                     1LL << 40, -(1LL << 40),  1LL << 62, 100,       -100};
  unsigned b = byte_of(s);
  if (b >= 252 && !modest) return extremes[pick(s, 10)];
  if (b >= 240) return pick(s, 16) - 6;
  if (a->has_default && !a->optional && b < 96) return (int64_t)a->number;
  if (is_name(name, " dim dim0 dim1 dim2 dimension start_dim end_dim axis "))
    return c->rank ? (int64_t)(b % (unsigned)(2 * c->rank)) - c->rank : (int64_t)(b % 2) - 1;
  if (is_name(name, " source destination dims ")) return c->rank ? b % (unsigned)c->rank : 0;
  if (is_name(name, " stride dilation groups group ")) return 1 + (b % 8 == 7) + (b % 32 == 31);
  if (is_name(name, " kernel_size output_size ")) return 1 + b % 3;
  if (is_name(name, " padding output_padding ")) return b % 16 == 15 ? 2 : b % 8 == 7;
  if (is_name(name, " step sections chunks split_size k r ")) return 1 + b % 3;
  if (is_name(name, " size length num_groups N C num_classes ") && b % 4) return c->k;
  if (is_name(name, " HxW ")) return b % 4 == 0 ? c->k : b % 4 == 1 ? 1 : c->k * c->k;
  static const int64_t small[] = {0, 1, 2, 0, 1, 3, -1, -2};
  return b % 16 == 8 ? c->k : small[b % 8];
}

static double make_float(source *s, const tj__argument *a) {
  static const double floats[] = {0.5, 0, 1, 2, 0.1, 0.25, -1, 1e-5, 3, 0.75, INFINITY, NAN};
  unsigned b = byte_of(s);
  if (a->has_default && !a->optional && b < 96) return a->number;
  return floats[b % (b > 240 ? 12 : 10)];
}

static void put_string(call *c, source *s, const tj__argument *a) {
  static const struct {
    const char *name, *words[9];
  } choices[] = {
      {"reduction", {"none", "mean", "sum", "batchmean"}},
      {"reduce", {"sum", "prod", "mean", "amax", "amin", "add", "multiply"}},
      {"padding", {"valid", "same"}},
      {"rounding_mode", {"floor", "trunc"}},
      {"memory_format", {"preserve_format", "contiguous_format", "channels_last", "channels_last_3d"}},
      {"approximate", {"none", "tanh"}},
      {"indexing", {"ij", "xy"}},
      {"UPLO", {"L", "U"}},
      {"driver", {"gels", "gelsy", "gelsd", "gelss"}},
      {"side", {"left", "right"}},
      {"p", {"fro", "nuc"}},
  };
  unsigned b = byte_of(s);
  const char *word = a->text ? a->text : "";
  if (a->optional && b % 4 == 3) return put_slot(c, -1);
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    if (!strcmp(choices[i].name, a->name)) {
      int n = 0;
      while (n < 9 && choices[i].words[n]) n++;
      word = choices[i].words[b % (unsigned)n];
    }
  if (!strcmp(a->name, "mode")) {
    static const char *const ways[] = {"reduced", "complete",      "r",        "constant",  "reflect", "replicate", "circular",
                                       "nearest", "nearest-exact", "bilinear", "trilinear", "linear",  "bicubic",   "area"};
    static const char *const sums[] = {"sum", "mean", "max"};
    word = !strcmp(c->form->family, "embedding_bag") ? sums[b % 3] : ways[strcmp(c->form->family, "linalg") ? 3 + b % 11 : b % 3];
  }
  char pattern[64];
  if (is_name(a->name, " pattern equation ")) { /* of einops and einsum: out of their words, good ones at times */
    static const char *const pieces[] = {"a",     "b", "c", " ", "(", ")", "...", "->", ",", "1", "2", "*", "a b -> b a", "... a -> a ...",
                                         "a * b", "-"};
    size_t used = 0;
    for (int n = 1 + pick(s, 9); n > 0; n--) {
      const char *piece = pieces[pick(s, 16)];
      used += (size_t)snprintf(pattern + used, sizeof pattern - used, "%s ", piece);
      if (used > sizeof pattern - 20) break;
    }
    word = pattern;
  } else if (!strcmp(a->name, "axes")) {
    word = b % 4 ? "" : "a";
  }
  if (b == 255) word = "no such word";
  size_t bytes = strlen(word);
  put_slot(c, (double)bytes);
  for (size_t i = 0; i < bytes; i += 8) {
    double piece = 0;
    memcpy(&piece, word + i, bytes - i < 8 ? bytes - i : 8);
    put_slot(c, piece);
  }
}

static void put_ints(call *c, source *s, const tj__argument *a) {
  unsigned b = byte_of(s);
  if (a->optional && b % 4 == 3) return put_slot(c, -1);
  if (is_name(a->name, " size shape sizes repeats ") && b % 4) { /* the sizes of the first tensor, or the elements in one dimension */
    int64_t numel = 1;
    for (int i = 0; i < c->rank; i++) numel *= c->sizes[i];
    if (b % 4 == 1) {
      put_slot(c, 1);
      put_int(c, b % 8 == 1 ? -1 : numel);
    } else {
      put_slot(c, c->rank);
      for (int i = 0; i < c->rank; i++) put_int(c, !strcmp(a->name, "repeats") ? pick(s, 3) : c->sizes[i]);
    }
    return;
  }
  if (is_name(a->name, " normalized_shape ") && c->rank && b % 16 != 15) {
    int n = 1 + (int)(b % (unsigned)c->rank);
    put_slot(c, n);
    for (int i = c->rank - n; i < c->rank; i++) put_int(c, c->sizes[i]);
    return;
  }
  if (is_name(a->name, " split_sizes split_size ") && b % 8 != 7) {
    put_slot(c, 2);
    int64_t first = c->k ? (int64_t)(b / 8 % (unsigned)c->k) : 0;
    put_int(c, first);
    put_int(c, c->k - first);
    return;
  }
  if (is_name(a->name, " dims dim source destination physical_layout ") && c->rank && b % 8 < 5) { /* different dimensions */
    int order[MAX_RANK], n = b % 8 < 3 ? c->rank : 1 + pick(s, c->rank);
    for (int i = 0; i < c->rank; i++) order[i] = i;
    for (int i = c->rank - 1; i > 0; i--) {
      int j = pick(s, i + 1), t = order[i];
      order[i] = order[j], order[j] = t;
    }
    put_slot(c, n);
    for (int i = 0; i < n; i++) put_int(c, order[i]);
    return;
  }
  if (!strcmp(a->name, "pad")) {
    int n = 2 * (1 + pick(s, c->rank > 2 ? c->rank - 1 : c->rank + 1));
    put_slot(c, n);
    for (int i = 0; i < n; i++) put_int(c, b % 32 == 31 ? make_int(c, s, a->name, a) : pick(s, 4) - 1);
    return;
  }
  bool sizes_of_space = !strcmp(c->form->family, "resample") && c->rank > 2 && b % 8;
  if (sizes_of_space) {
    put_slot(c, c->rank - 2);
    for (int i = 0; i < c->rank - 2; i++) put_int(c, 1 + pick(s, 5));
    return;
  }
  int n = a->size ? (b % 16 == 15 ? pick(s, 4) : b % 4 == 2 ? 1 : a->size) : b % 4 == 0 ? pick(s, 5) : c->rank;
  if (!a->size && !strcmp(c->form->family, "conv") && b % 8 && c->rank > 2) n = c->rank - 2;
  put_slot(c, n);
  for (int i = 0; i < n; i++) put_int(c, make_int(c, s, a->name, a));
}

static void put_scalar(call *c, source *s, const tj__argument *a) {
  unsigned b = byte_of(s);
  if (a->optional && b % 4 == 3) return put_slot(c, TJ_SCALAR_NONE);
  if (a->has_default && !a->optional && b < 80) {
    put_slot(c, TJ_SCALAR_INT);
    return put_int(c, (int64_t)a->number);
  }
  switch (a->base == 'f' ? 0 : b % 16) {
    case 15:
      put_slot(c, TJ_SCALAR_COMPLEX);
      put_slot(c, 0.5);
      return put_slot(c, -1);
    case 14: put_slot(c, TJ_SCALAR_BOOL); return put_slot(c, b / 16 & 1);
    case 1:
    case 2:
    case 3:
    case 4: put_slot(c, TJ_SCALAR_INT); return put_int(c, make_int(c, s, a->name, a));
    default: put_slot(c, TJ_SCALAR_FLOAT); return put_slot(c, make_float(s, a));
  }
}

static void put_argument(call *c, tj__host *h, source *s, const tj__argument *a) {
  if (a->base == 'T') {
    if (a->list) {
      unsigned b = byte_of(s);
      int n = b % 16 == 15 ? 0 : 1 + (int)(b % 3);
      put_slot(c, n);
      for (int i = 0; i < n; i++) put_slot(c, a->item_optional && once_in(s, 4) ? 0 : make_argument(c, h, s, a->name, true));
    } else {
      put_slot(c, a->optional && byte_of(s) % 3 == 2 ? 0 : make_argument(c, h, s, a->name, false));
    }
    return;
  }
  if (a->list && a->base == 'i') return put_ints(c, s, a);
  if (a->list) {
    unsigned b = byte_of(s);
    if (a->optional && b % 4 == 3) return put_slot(c, -1);
    int n = b % 4 == 2 ? (int)(b / 8 % 4) : c->rank > 2 ? c->rank - 2 : a->size;
    put_slot(c, n);
    for (int i = 0; i < n; i++) put_slot(c, make_float(s, a));
    return;
  }
  switch (a->base) {
    case 'i':
      if (a->optional && byte_of(s) % 4 == 3) put_int(c, TJ_NO_INT);
      else put_int(c, make_int(c, s, a->name, a));
      return;
    case 'f':
      if (a->optional) put_scalar(c, s, a);
      else put_slot(c, make_float(s, a));
      return;
    case 'S': put_scalar(c, s, a); return;
    case 'b': {
      unsigned b = byte_of(s);
      put_slot(c, a->optional && b % 4 == 3 ? -1 : (double)(b & 1));
      return;
    }
    case 's': put_string(c, s, a); return;
    case 't': {
      unsigned b = byte_of(s);
      put_slot(c, a->optional && b % 2 ? -1 : b % 8 < 5 ? (double)c->dtype : (double)(b / 8 % TJ_DTYPE_COUNT));
      return;
    }
    case 'd': put_slot(c, a->optional && (byte_of(s) & 1) ? -1 : TJ_CPU); return;
    default: put_slot(c, 0); return; /* Generator: the default one */
  }
}

/* The form that four bytes say. Rendezvous hashing: every form is as likely as any other, and where one is added to the schema or renamed,
 * old bytes go on to mean what they meant, but for those that now mean the new one. */
static int choose_form(source *s) {
  static uint32_t names[8192]; /* FNV-1a */
  if (!names[0])
    for (int i = 0; i < tj__form_count; i++) {
      names[i] = 2166136261u;
      for (const char *at = tj__forms[i].name; *at; at++) names[i] = (names[i] ^ (unsigned char)*at) * 16777619u;
    }
  uint32_t choice = 0, most = 0;
  for (int i = 0; i < 4; i++) choice = choice << 8 | byte_of(s);
  int best = 0;
  for (int i = 0; i < tj__form_count; i++) {
    uint32_t weight = names[i] ^ choice * 2654435761u;
    weight = (weight ^ weight >> 16) * 0x7feb352du;
    weight = (weight ^ weight >> 15) * 0x846ca68bu;
    if (weight > most) most = weight, best = i;
  }
  return best;
}

/* Makes the call of form `index` (-1: the bytes say which). Its tensors belong to the host's handles: drop_call gives them back. */
static void make_call(call *c, tj__host *h, source *s, int index) {
  static const tj_dtype dtypes[] = {TJ_FLOAT32, TJ_FLOAT32, TJ_FLOAT32, TJ_FLOAT32, TJ_FLOAT64, TJ_FLOAT64,   TJ_FLOAT16,   TJ_BFLOAT16,
                                    TJ_INT64,   TJ_INT64,   TJ_INT32,   TJ_BOOL,    TJ_UINT8,   TJ_COMPLEX64, TJ_COMPLEX128};
  static const int64_t tails[] = {5, 7, 8, 13, 16, 17, 19, 33, 36, 65};
  memset(c, 0, sizeof *c);
  c->index = index >= 0 ? index : choose_form(s);
  c->form = &tj__forms[c->index];
  unsigned b = byte_of(s);
  c->rank = pick(s, 10);
  if (c->rank >= 5) c->rank = c->rank == 9 ? 4 : c->rank == 8 ? 3 : 2;
  const char *spatial = strstr(c->form->name, "1d") ? "1" : strstr(c->form->name, "2d") ? "2" : strstr(c->form->name, "3d") ? "3" : NULL;
  if (spatial && b % 16 != 15 && (!strcmp(c->form->family, "conv") || !strcmp(c->form->family, "pool")))
    c->rank = *spatial - '0' + 2 - (b % 4 == 3); /* a batch, or one image */
  c->k = b >= 248 ? 0 : b >= 192 ? tails[b % 10] : 1 + b % 4;
  while (c->rank > 1 && pow((double)c->k, c->rank) > MAX_ELEMENTS) c->k = c->k > 5 ? 5 : c->k - 1;
  bool uniform = byte_of(s) % 3 != 2;
  for (int i = 0; i < c->rank; i++) c->sizes[i] = uniform ? c->k : pick(s, 6);
  b = byte_of(s);
  c->dtype = b >= 240 ? (tj_dtype)(b % TJ_DTYPE_COUNT) : dtypes[b % 15];
  c->values = (values)pick(s, VALUE_KINDS);
  c->wild = c->values == WILD;
  c->special = c->values == SPECIAL;
  c->backward = c->form->differentiable && (byte_of(s) & 1);
  for (int i = 0; i < c->form->count && !c->failed; i++) put_argument(c, h, s, &c->form->arguments[i]);
}

static void drop_call(call *c, tj__host *h) {
  for (int i = 0; i < c->count; i++) tj__handle_free(h, c->handles[i]);
  c->count = 0;
}

/* ---- running it ------------------------------------------------------------------------------------------------ */

typedef struct results {
  double handles[64];
  int count;
  bool scalar; /* kind and value are in values */
  double kind, values[2];
  bool done; /* no error */
} results;

static void drop_results(results *r, tj__host *h) {
  for (int i = 0; i < r->count; i++) tj__handle_free(h, r->handles[i]);
  r->count = 0;
}

/* Runs the call, and backward from its first floating result; false and an error when either failed. */
static bool run_call(const call *c, tj__host *h, results *r) {
  memset(r, 0, sizeof *r);
  tj_manual_seed(7);
  memcpy(h->slots, c->slots, (size_t)c->n * sizeof *c->slots);
  double result = tj__host_call(h, c->index);
  if (tj_error_code() != TJ_OK) return false;
  switch (c->form->result) {
    case 'T': r->handles[r->count++] = result; break;
    case 'M':
      for (int i = 0; i < c->form->results; i++) r->handles[r->count++] = h->slots[i];
      break;
    case 'L': {
      /* a long list is in the spill, of which the host keeps no copy once the buffer is set again: the buffer here is long enough */
      double copy[SLOTS];
      int n = (int)result;
      memcpy(copy, h->slots, sizeof copy);
      for (int i = 0; i < n && i < SLOTS; i++)
        if (r->count < 64) r->handles[r->count++] = copy[i];
        else tj__handle_free(h, copy[i]);
      break;
    }
    case 'S':
      r->scalar = true;
      r->kind = result;
      memcpy(r->values, h->slots, sizeof r->values);
      break;
    default: break;
  }
  if (c->backward) {
    tj_tensor *from[64];
    int n = 0;
    for (int i = 0; i < r->count; i++) {
      tj_tensor *t = r->handles[i] ? tj__handle_get(h, r->handles[i], TJ__HANDLE_TENSOR) : NULL;
      if (t && tj_requires_grad(t)) from[n++] = t;
    }
    if (c->form->result == 'I' && tj_requires_grad(c->tensors[0])) from[n++] = c->tensors[0];
    tj_tensor *grads[64];
    tj_scope_begin();
    bool good = true;
    for (int i = 0; i < n && good; i++) good = (grads[i] = tj_ones_like(from[i], TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL)) != NULL;
    if (good && n) good = tj_backward((tj_tensors){from, n}, (tj_tensors){grads, n}, false, false, (tj_tensors){0}) == TJ_OK;
    tj_scope_end();
    if (!good) return false;
  }
  return r->done = true;
}

#endif
