/* ops/attention.c: attention, distances, and the losses made of margins. Compositions of public operators. */
#include "core/core.h"
#include "impl.h"
#include "ops.h"
#include "ops/loss.h"

#include <math.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)

static tj_tensor *number(double v) { return tj_scalar_tensor(tj_float(v)); }
static tj_tensor *add(tj_tensor *a, tj_tensor *b) { return tj_add(a, b, tj_int(1)); }
static tj_tensor *sub(tj_tensor *a, tj_tensor *b) { return tj_sub(a, b, tj_int(1)); }

static const char *type_name(int dtype) {
  static const char *const names[TJ_DTYPE_COUNT] = {"bool",
                                                    "unsigned char",
                                                    "signed char",
                                                    "short int",
                                                    "int",
                                                    "long int",
                                                    "short unsigned int",
                                                    "unsigned int",
                                                    "long unsigned int",
                                                    "c10::Half",
                                                    "c10::BFloat16",
                                                    "float",
                                                    "double",
                                                    "c10::complex<float>",
                                                    "c10::complex<double>"};
  return names[dtype];
}

/* Heads of key and value repeated so that there are as many as the query has. */
static tj_tensor *repeat_heads(tj_tensor *t, int64_t heads) {
  int64_t have = t->sizes[t->ndim - 3];
  RUNTIME(have > 0 && heads % have == 0, "Number of heads in key and value must divide the number of heads in query");
  if (have == heads) return t;
  int64_t sizes[TJ_MAX_DIMS];
  int at = t->ndim - 3;
  memcpy(sizes, t->sizes, (size_t)(at + 1) * sizeof *sizes);
  sizes[at + 1] = heads / have, sizes[at + 2] = t->sizes[at + 1], sizes[at + 3] = t->sizes[at + 2];
  tj_tensor *wide = tj_expand(tj_unsqueeze(t, at + 1), (tj_ints){sizes, t->ndim + 1}, false);
  return wide ? tj_flatten(wide, at, at + 1) : NULL;
}

tj_tensor *tj__impl_scaled_dot_product_attention(tj_tensor *query, tj_tensor *key, tj_tensor *value, tj_tensor *attn_mask, double dropout_p,
                                                 bool is_causal, tj_scalar scale, bool enable_gqa) {
  RUNTIME(query->dtype == key->dtype && query->dtype == value->dtype,
          "Expected query, key, and value to have the same dtype, but got query.dtype: %s key.dtype: %s and value.dtype: %s instead.",
          type_name(query->dtype), type_name(key->dtype), type_name(value->dtype));
  RUNTIME(query->ndim >= 2 && key->ndim >= 2 && value->ndim >= 2,
          "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: %d key.dim: %d and value.dim: %d instead.",
          query->ndim, key->ndim, value->ndim);
  if (attn_mask)
    RUNTIME(
        attn_mask->dtype == TJ_BOOL || attn_mask->dtype == TJ_FLOAT32 || attn_mask->dtype == query->dtype,
        "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: %s and  query.dtype: %s instead.",
        type_name(attn_mask->dtype), type_name(query->dtype));
  RUNTIME(!is_causal || !attn_mask, "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  if (query->dtype == TJ_FLOAT16 || query->dtype == TJ_BFLOAT16) { /* in float32, rounded once */
    tj_tensor *in[] = {query, key, value, attn_mask};
    for (int i = 0; i < 4; i++)
      if (in[i] && in[i]->dtype != TJ_BOOL && !(in[i] = tj_to_dtype(in[i], TJ_FLOAT32, false, false, NULL))) return NULL;
    tj_tensor *y = tj_scaled_dot_product_attention(in[0], in[1], in[2], in[3], dropout_p, is_causal, scale, enable_gqa);
    return y ? tj_to_dtype(y, (tj_dtype)query->dtype, false, false, NULL) : NULL;
  }
  int64_t rows = query->sizes[query->ndim - 2], columns = key->sizes[key->ndim - 2], width = query->sizes[query->ndim - 1];
  if (enable_gqa && query->ndim >= 3) {
    key = repeat_heads(key, query->sizes[query->ndim - 3]);
    value = repeat_heads(value, query->sizes[query->ndim - 3]);
    if (!key || !value) return NULL;
  }
  if (is_causal) {
    attn_mask = tj_tril(tj_ones(TJ_INTS(rows, columns), TJ_BOOL, query->storage->device, false), 0);
    if (!attn_mask) return NULL;
  }
  /* half of the scale on each side keeps large products in range */
  double factor = scale.kind == TJ_SCALAR_NONE ? 1 / sqrt((double)width) : tj__scalar_to_double(scale);
  tj_tensor *side = number(sqrt(fabs(factor))), *negative = number(factor < 0 ? -sqrt(-factor) : sqrt(factor));
  tj_tensor *scores = tj_matmul(tj_mul(query, negative), tj_mul(tj_transpose(key, -2, -1), side));
  if (!scores) return NULL;
  if (attn_mask && attn_mask->dtype == TJ_BOOL) scores = tj_masked_fill(scores, tj_logical_not(attn_mask), tj_float(-INFINITY));
  else if (attn_mask) scores = add(scores, tj_to_dtype(attn_mask, (tj_dtype)query->dtype, false, false, NULL));
  tj_tensor *weights = tj_softmax(scores, -1, TJ_DTYPE_NONE);
  if (weights && attn_mask) { /* rows without any key are zero */
    tj_tensor *none = tj_all_dim(tj_eq(scores, number(-INFINITY)), TJ_INTS(-1), true);
    weights = none ? tj_masked_fill(weights, none, tj_int(0)) : NULL;
  }
  if (weights && dropout_p > 0) weights = tj_dropout(weights, dropout_p, true, false);
  return weights ? tj_matmul(weights, value) : NULL;
}

/* ---- distances --------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_cosine_similarity(tj_tensor *x1, tj_tensor *x2, int64_t dim, double eps) {
  tj_dtype dtype = tj_promote_types(x1->dtype, x2->dtype);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  RUNTIME(tj_dtype_is_floating(dtype), "expected common dtype to be floating point, yet common dtype is %s", tj__dtype_legacy(dtype));
  int64_t sizes[TJ_MAX_DIMS];
  int n = tj__broadcast_sizes(tj__sizes(x1), tj__sizes(x2), sizes);
  if (n < 0) return NULL;
  tj_tensor *a = tj_expand(tj_to_dtype(x1, dtype, false, false, NULL), (tj_ints){sizes, n}, false);
  tj_tensor *b = tj_expand(tj_to_dtype(x2, dtype, false, false, NULL), (tj_ints){sizes, n}, false);
  tj_tensor *na = tj_clamp_min(tj_linalg_vector_norm(a, tj_int(2), TJ_INTS(dim), true, TJ_DTYPE_NONE), tj_float(eps));
  tj_tensor *nb = tj_clamp_min(tj_linalg_vector_norm(b, tj_int(2), TJ_INTS(dim), true, TJ_DTYPE_NONE), tj_float(eps));
  return tj_sum_dim(tj_mul(tj_div(a, na), tj_div(b, nb)), TJ_INTS(dim), false, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_pairwise_distance(tj_tensor *x1, tj_tensor *x2, double p, double eps, bool keepdim) {
  return tj_linalg_vector_norm(add(sub(x1, x2), number(eps)), tj_float(p), TJ_INTS(-1), keepdim, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_normalize(tj_tensor *input, double p, int64_t dim, double eps) {
  tj_tensor *norm = tj_clamp_min(tj_linalg_vector_norm(input, tj_float(p), TJ_INTS(dim), true, TJ_DTYPE_NONE), tj_float(eps));
  return tj_div(input, norm);
}

/* ---- losses with margins ----------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_hinge_embedding_loss(tj_tensor *input, tj_tensor *target, double margin, int size_average, int reduce,
                                         const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  tj_tensor *zero = number(0), *lacking = tj_clamp_min(sub(number(margin), input), tj_int(0));
  tj_tensor *apart = tj_where(tj_ne(target, number(1)), lacking, zero), *near = tj_where(tj_ne(target, number(-1)), input, zero);
  return tj__loss_reduce(add(apart, near), reduction);
}

tj_tensor *tj__impl_margin_ranking_loss(tj_tensor *input1, tj_tensor *input2, tj_tensor *target, double margin, int size_average,
                                        int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  const char *one = tj__sizes_text(input1), *two = tj__sizes_text(input2);
  RUNTIME(input1->ndim == input2->ndim && input1->ndim == target->ndim,
          "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: torch.Size(%s), input2: "
          "torch.Size(%s), target: "
          "torch.Size(%s) ",
          one, two, tj__sizes_text(target));
  return tj__loss_reduce(tj_clamp_min(add(tj_mul(tj_neg(target), sub(input1, input2)), number(margin)), tj_int(0)), reduction);
}

tj_tensor *tj__impl_soft_margin_loss(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  return tj__loss_reduce(tj_neg(tj_logsigmoid(tj_mul(input, target))), reduction);
}

tj_tensor *tj__impl_poisson_nll_loss(tj_tensor *input, tj_tensor *target, bool log_input, bool full, int size_average, double eps,
                                     int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  tj_tensor *t = log_input ? sub(tj_exp(input), tj_mul(target, input)) : sub(input, tj_mul(target, tj_log(add(input, number(eps)))));
  if (t && full) { /* Stirling's approximation of log(target!) */
    const double tau = 6.283185307179586;
    tj_tensor *stirling = add(sub(tj_mul(target, tj_log(target)), target), tj_mul(number(0.5), tj_log(tj_mul(number(tau), target))));
    t = add(t, tj_masked_fill(stirling, tj_le(target, number(1)), tj_int(0)));
  }
  return tj__loss_reduce(t, reduction);
}

tj_tensor *tj__impl_cosine_embedding_loss(tj_tensor *input1, tj_tensor *input2, tj_tensor *target, double margin, int size_average,
                                          int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  const double eps = 1e-12;
  tj_ints last = TJ_INTS(-1);
  tj_tensor *product = tj_sum_dim(tj_mul(input1, input2), last, false, TJ_DTYPE_NONE);
  tj_tensor *squares1 = add(tj_sum_dim(tj_mul(input1, input1), last, false, TJ_DTYPE_NONE), number(eps));
  tj_tensor *squares2 = add(tj_sum_dim(tj_mul(input2, input2), last, false, TJ_DTYPE_NONE), number(eps));
  tj_tensor *cosine = tj_div(product, tj_sqrt(tj_mul(squares1, squares2))), *zero = number(0);
  tj_tensor *near = tj_where(tj_eq(target, number(1)), sub(number(1), cosine), zero);
  tj_tensor *apart = tj_where(tj_eq(target, number(-1)), tj_clamp_min(sub(cosine, number(margin)), tj_int(0)), zero);
  return tj__loss_reduce(add(near, apart), reduction);
}
