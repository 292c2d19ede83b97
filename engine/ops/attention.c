/* ops/attention.c: attention, distances, and the losses made of margins. Compositions of public operators. */
#include "kernels/attention.h"

#include "autograd/node.h"
#include "core/core.h"
#include "impl.h"
#include "ops.h"
#include "ops/arithmetic.h"
#include "ops/copy.h"
#include "ops/loss.h"

#include <math.h>

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)

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

/* ---- attention in blocks ------------------------------------------------------------------------------------------ */

/* Kernel arguments of query, key, value (contiguous). offsets: room for `batches` numbers. */
static bool describe(tj__attention *a, tj_dtype dtype, tj_ints sizes, const tj_tensor *mask, bool causal, double scale, int64_t *offsets) {
  *a = (tj__attention){.dtype = dtype,
                       .batches = sizes.data[0],
                       .group = sizes.data[1],
                       .rows = sizes.data[2],
                       .columns = sizes.data[3],
                       .width = sizes.data[4],
                       .value_width = sizes.data[5],
                       .causal = causal,
                       .scale = scale};
  if (!mask) return true;
  a->mask = tj__read(mask);
  a->mask_offsets = offsets;
  a->mask_row = mask->strides[mask->ndim - 2];
  a->mask_column = mask->strides[mask->ndim - 1];
  for (int64_t b = 0; b < a->batches; b++) {
    int64_t rest = b, at = 0;
    for (int d = mask->ndim - 3; d >= 0; d--) {
      at += rest % mask->sizes[d] * mask->strides[d];
      rest /= mask->sizes[d];
    }
    offsets[b] = at;
  }
  return true;
}

/* Room for the offsets, as a tensor of the scope. */
static int64_t *room_for(const tj_tensor *mask, int64_t batches, bool *ok) {
  if (!mask) return NULL;
  tj_tensor *t = tj__empty(TJ_INTS(batches), TJ_INT64, TJ_CPU);
  *ok = t != NULL;
  return t ? tj__write(t) : NULL;
}

tj_status tj__impl_attention(tj_tensor *packed, tj_ints sizes, tj_tensor *mask, bool is_causal, double scale, tj_tensor **output,
                             tj_tensor **logs) {
  const tj__backend *backend = tj__backend_for(&packed, 1);
  bool ok = true;
  int64_t *offsets = room_for(mask, sizes.data[0], &ok);
  if (!backend || !ok || !(packed = tj__contiguous(packed))) return tj_error_code();
  tj__attention a;
  describe(&a, (tj_dtype)packed->dtype, sizes, mask, is_causal, scale, offsets);
  const char *p = tj__read(packed);
  const size_t size = tj__itemsize(packed), keys = (size_t)(a.batches / a.group * a.columns);
  a.query = p, p += (size_t)(a.batches * a.rows * a.width) * size;
  a.key = p, p += keys * (size_t)a.width * size;
  a.value = p;
  *output = tj__empty(TJ_INTS(a.batches, a.rows, a.value_width), a.dtype, packed->storage->device);
  *logs = tj__empty(TJ_INTS(a.batches, a.rows), a.dtype, packed->storage->device);
  return *output && *logs && backend->attention->forward(&a, tj__write(*output), tj__write(*logs)) ? TJ_OK : tj_error_code();
}

tj_tensor *tj__impl_attention_backward(tj_tensor *grad_output, tj_tensor *packed, tj_tensor *output, tj_tensor *logs, tj_ints sizes,
                                       tj_tensor *mask, bool is_causal, double scale) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){grad_output, packed}, 2);
  bool ok = true;
  int64_t *offsets = room_for(mask, sizes.data[0], &ok);
  if (!backend || !ok || !(packed = tj__contiguous(packed)) || !(grad_output = tj__contiguous(grad_output))) return NULL;
  tj__attention a;
  describe(&a, (tj_dtype)packed->dtype, sizes, mask, is_causal, scale, offsets);
  tj_tensor *result = tj__empty(TJ_INTS(packed->numel), a.dtype, packed->storage->device);
  if (!result) return NULL;
  const size_t size = tj__itemsize(packed), key_at = (size_t)(a.batches * a.rows * a.width) * size,
               value_at = key_at + (size_t)(a.batches / a.group * a.columns * a.width) * size;
  const char *p = tj__read(packed);
  char *to = tj__write(result);
  a.query = p, a.key = p + key_at, a.value = p + value_at;
  ok = backend->attention->backward(&a, tj__read(grad_output), tj__read(output), tj__read(logs), to, to + key_at, to + value_at);
  return ok ? result : NULL;
}

static tj_tensor *transposed(tj_tensor *t) { return tj_transpose(t, -2, -1); }
static tj_tensor *along_rows(tj_tensor *t) { return tj_sum_dim(t, TJ_INTS(-1), true, TJ_DTYPE_NONE); }

/* query, key, value out of packed, as [key batches, group * rows, width] and so on. */
static bool unpack(tj_tensor *packed, tj_ints sizes, tj_tensor **parts) {
  const int64_t keys = sizes.data[0] / sizes.data[1], rows = sizes.data[1] * sizes.data[2], columns = sizes.data[3];
  const int64_t width = sizes.data[4], value_width = sizes.data[5], nq = keys * rows * width, nk = keys * columns * width;
  parts[0] = tj_reshape(tj_narrow(packed, 0, 0, nq), TJ_INTS(keys, rows, width));
  parts[1] = tj_reshape(tj_narrow(packed, 0, nq, nk), TJ_INTS(keys, columns, width));
  parts[2] = tj_reshape(tj_narrow(packed, 0, nq + nk, keys * columns * value_width), TJ_INTS(keys, columns, value_width));
  return parts[0] && parts[1] && parts[2];
}

static tj_tensor *pack(tj_tensor *query, tj_tensor *key, tj_tensor *value) {
  tj_tensor *q = tj_reshape(query, TJ_INTS(-1)), *k = tj_reshape(key, TJ_INTS(-1)), *v = tj_reshape(value, TJ_INTS(-1));
  return q && k && v ? tj_cat(TJ_TENSORS(q, k, v), 0) : NULL;
}

/* softmax of the scores; rows that see nothing are zero. */
static tj_tensor *weights_of(tj_tensor *scores, bool masked) {
  tj_tensor *weights = tj_softmax(scores, -1, TJ_DTYPE_NONE);
  if (!weights || !masked) return weights;
  tj_tensor *none = tj_all_dim(tj_eq(scores, tj__number(-INFINITY)), TJ_INTS(-1), true);
  return none ? tj_masked_fill(weights, none, tj_int(0)) : NULL;
}

static tj_tensor *causal_mask(int64_t rows, int64_t columns, tj_device device) {
  return tj_tril(tj_ones(TJ_INTS(rows, columns), TJ_BOOL, device, false), 0);
}

/* With P the weights, S = scale Q K' + mask the scores, G the gradient of O = P V:
 *   gV = P' G,  D = G V',  gS = P (D - sum(P D)),  gQ = scale gS K,  gK = scale gS' Q.
 * For cotangents A, B, C of gQ, gK, gV and E = scale (A K' + Q B') the function to differentiate is
 *   sum(gS E) + sum(P (G C')) = sum(P D E) - sum over rows of sum(P E) sum(P D) + sum(P (G C')). */
tj_tensor *tj__impl_attention_double_backward(tj_tensor *cotangent, tj_tensor *grad_output, tj_tensor *packed, tj_ints sizes,
                                              tj_tensor *mask, bool is_causal, double scale, bool by_grad) {
  const int64_t keys = sizes.data[0] / sizes.data[1], rows = sizes.data[2], columns = sizes.data[3], all_rows = sizes.data[1] * rows;
  tj_tensor *in[3], *co[3], *factor = tj__number(scale);
  if (!unpack(packed, sizes, in) || !unpack(cotangent, sizes, co) || !factor) return NULL;
  tj_tensor *q = in[0], *k = in[1], *v = in[2], *g = tj_reshape(grad_output, TJ_INTS(keys, all_rows, sizes.data[5]));
  tj_tensor *scores = tj_mul(tj_matmul(q, transposed(k)), factor);
  if (scores && is_causal) {
    tj_tensor *hidden = tj_logical_not(causal_mask(rows, columns, packed->storage->device));
    scores = tj_reshape(tj_masked_fill(tj_reshape(scores, TJ_INTS(sizes.data[0], rows, columns)), hidden, tj_float(-INFINITY)),
                        TJ_INTS(keys, all_rows, columns));
  }
  if (scores && mask) scores = tj__plus(scores, tj_reshape(mask, TJ_INTS(keys, all_rows, columns)));
  tj_tensor *p = scores ? weights_of(scores, mask != NULL) : NULL, *d = tj_matmul(g, transposed(v));
  tj_tensor *e = tj_mul(tj__plus(tj_matmul(co[0], transposed(k)), tj_matmul(q, transposed(co[1]))), factor);
  if (!p || !d || !e) return NULL;
  tj_tensor *pe = along_rows(tj_mul(p, e)), *pd = along_rows(tj_mul(p, d));
  tj_tensor *by_d = tj_mul(p, tj__minus(e, pe));
  if (by_grad) {
    tj_tensor *result = tj__plus(tj_matmul(by_d, v), tj_matmul(p, co[2]));
    return result ? tj_reshape(result, tj__sizes(grad_output)) : NULL;
  }
  tj_tensor *by_p = tj__plus(tj__minus(tj__minus(tj_mul(d, e), tj_mul(e, pd)), tj_mul(d, pe)), tj_matmul(g, transposed(co[2])));
  tj_tensor *by_s = tj_mul(p, tj__minus(by_p, along_rows(tj_mul(p, by_p)))), *gs = tj_mul(p, tj__minus(d, pd));
  tj_tensor *to_q = tj_mul(tj__plus(tj_matmul(by_s, k), tj_matmul(gs, co[1])), factor);
  tj_tensor *to_k = tj_mul(tj__plus(tj_matmul(transposed(by_s), q), tj_matmul(transposed(gs), co[0])), factor);
  tj_tensor *to_v = tj_matmul(transposed(by_d), g);
  return to_q && to_k && to_v ? pack(to_q, to_k, to_v) : NULL;
}

/* Do the blocks apply? Same leading sizes (heads of key and value may be fewer, when repeated), and something to compute. */
static bool in_blocks(const tj_tensor *query, const tj_tensor *key, const tj_tensor *value, const tj_tensor *mask, double dropout_p,
                      bool gqa, int64_t *group) {
  const int n = query->ndim;
  if (dropout_p > 0 || key->ndim != n || value->ndim != n || query->numel == 0 || key->numel == 0 || value->numel == 0) return false;
  if (query->dtype != TJ_FLOAT32 && query->dtype != TJ_FLOAT64) return false;
  if (key->sizes[n - 1] != query->sizes[n - 1] || value->sizes[n - 2] != key->sizes[n - 2]) return false;
  *group = 1;
  for (int d = 0; d < n - 2; d++) {
    if (key->sizes[d] != value->sizes[d]) return false;
    if (query->sizes[d] == key->sizes[d]) continue;
    if (!gqa || d != n - 3 || query->sizes[d] % key->sizes[d]) return false;
    *group = query->sizes[d] / key->sizes[d];
  }
  return !mask || (mask->ndim <= n && !(tj_is_grad_enabled() && tj__requires_grad(mask)));
}

static tj_tensor *attention_in_blocks(tj_tensor *query, tj_tensor *key, tj_tensor *value, tj_tensor *mask, bool is_causal, double scale,
                                      int64_t group) {
  const int n = query->ndim;
  int64_t sizes[TJ_MAX_DIMS], batches = 1;
  for (int d = 0; d < n - 2; d++) batches *= query->sizes[d];
  memcpy(sizes, query->sizes, (size_t)n * sizeof *sizes);
  sizes[n - 1] = key->sizes[n - 2];
  if (mask) {
    if (mask->dtype == TJ_BOOL) {
      tj_tensor *zeros = tj_zeros(tj__sizes(mask), (tj_dtype)query->dtype, query->storage->device, false);
      mask = zeros ? tj_masked_fill(zeros, tj_logical_not(mask), tj_float(-INFINITY)) : NULL;
    } else {
      mask = tj_to_dtype(mask, (tj_dtype)query->dtype, false, false, NULL);
    }
    mask = mask ? tj_expand(mask, (tj_ints){sizes, n}, false) : NULL;
    if (!mask) return NULL;
  }
  tj_ints shape = TJ_INTS(batches, group, query->sizes[n - 2], key->sizes[n - 2], query->sizes[n - 1], value->sizes[n - 1]);
  sizes[n - 1] = value->sizes[n - 1];
  tj_tensor *output, *logs, *all[] = {query, key, value};
  if (tj__needs_grad(all, 3)) {
    tj_tensor *packed = pack(query, key, value);
    if (!packed || tj_attention(packed, shape, mask, is_causal, scale, &output, &logs)) return NULL;
    return tj_reshape(output, (tj_ints){sizes, n});
  }
  const tj__backend *backend = tj__backend_for(all, 3);
  bool ok = true;
  int64_t *offsets = room_for(mask, batches, &ok);
  for (int i = 0; i < 3; i++)
    if (!(all[i] = tj__contiguous(all[i]))) return NULL;
  if (!backend || !ok) return NULL;
  tj__attention a;
  describe(&a, (tj_dtype)query->dtype, shape, mask, is_causal, scale, offsets);
  a.query = tj__read(all[0]), a.key = tj__read(all[1]), a.value = tj__read(all[2]);
  output = tj__empty((tj_ints){sizes, n}, a.dtype, query->storage->device);
  logs = tj__empty(TJ_INTS(batches, a.rows), a.dtype, query->storage->device);
  return output && logs && backend->attention->forward(&a, tj__write(output), tj__write(logs)) ? output : NULL;
}

/* ---- attention ----------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_scaled_dot_product_attention(tj_tensor *query, tj_tensor *key, tj_tensor *value, tj_tensor *attn_mask, double dropout_p,
                                                 bool is_causal, tj_scalar scale, bool enable_gqa) {
  RUNTIME(query->dtype == key->dtype && query->dtype == value->dtype,
          "Expected query, key, and value to have the same dtype, but got query.dtype: %s key.dtype: %s and value.dtype: %s instead.",
          tj__dtype_cpp(query->dtype), tj__dtype_cpp(key->dtype), tj__dtype_cpp(value->dtype));
  RUNTIME(query->ndim >= 2 && key->ndim >= 2 && value->ndim >= 2,
          "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: %d key.dim: %d and value.dim: %d instead.",
          query->ndim, key->ndim, value->ndim);
  if (attn_mask)
    RUNTIME(
        attn_mask->dtype == TJ_BOOL || attn_mask->dtype == TJ_FLOAT32 || attn_mask->dtype == query->dtype,
        "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: %s and  query.dtype: %s instead.",
        tj__dtype_cpp(attn_mask->dtype), tj__dtype_cpp(query->dtype));
  RUNTIME(!is_causal || !attn_mask, "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  if (query->dtype == TJ_FLOAT16 || query->dtype == TJ_BFLOAT16) { /* in float32, rounded once */
    tj_tensor *in[] = {query, key, value, attn_mask};
    for (int i = 0; i < 4; i++)
      if (in[i] && in[i]->dtype != TJ_BOOL && !(in[i] = tj_to_dtype(in[i], TJ_FLOAT32, false, false, NULL))) return NULL;
    tj_tensor *y = tj_scaled_dot_product_attention(in[0], in[1], in[2], in[3], dropout_p, is_causal, scale, enable_gqa);
    return y ? tj_to_dtype(y, (tj_dtype)query->dtype, false, false, NULL) : NULL;
  }
  int64_t rows = query->sizes[query->ndim - 2], columns = key->sizes[key->ndim - 2], width = query->sizes[query->ndim - 1];
  double factor = scale.kind == TJ_SCALAR_NONE ? 1 / sqrt((double)width) : tj__scalar_to_double(scale);
  int64_t group;
  if (in_blocks(query, key, value, attn_mask, dropout_p, enable_gqa, &group))
    return attention_in_blocks(query, key, value, attn_mask, is_causal, factor, group);
  if (enable_gqa && query->ndim >= 3) {
    key = repeat_heads(key, query->sizes[query->ndim - 3]);
    value = repeat_heads(value, query->sizes[query->ndim - 3]);
    if (!key || !value) return NULL;
  }
  if (is_causal) {
    attn_mask = causal_mask(rows, columns, query->storage->device);
    if (!attn_mask) return NULL;
  }
  /* half of the scale on each side keeps large products in range */
  tj_tensor *side = tj__number(sqrt(fabs(factor))), *negative = tj__number(factor < 0 ? -sqrt(-factor) : sqrt(factor));
  tj_tensor *scores = tj_matmul(tj_mul(query, negative), tj_mul(tj_transpose(key, -2, -1), side));
  if (!scores) return NULL;
  if (attn_mask && attn_mask->dtype == TJ_BOOL) scores = tj_masked_fill(scores, tj_logical_not(attn_mask), tj_float(-INFINITY));
  else if (attn_mask) scores = tj__plus(scores, tj_to_dtype(attn_mask, (tj_dtype)query->dtype, false, false, NULL));
  tj_tensor *weights = scores ? weights_of(scores, attn_mask != NULL) : NULL;
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
  return tj_linalg_vector_norm(tj__plus(tj__minus(x1, x2), tj__number(eps)), tj_float(p), TJ_INTS(-1), keepdim, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_normalize(tj_tensor *input, double p, int64_t dim, double eps) {
  tj_tensor *norm = tj_clamp_min(tj_linalg_vector_norm(input, tj_float(p), TJ_INTS(dim), true, TJ_DTYPE_NONE), tj_float(eps));
  return tj_div(input, norm);
}

/* ---- losses with margins ----------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_hinge_embedding_loss(tj_tensor *input, tj_tensor *target, double margin, int size_average, int reduce,
                                         const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  tj_tensor *zero = tj__number(0), *lacking = tj_clamp_min(tj__minus(tj__number(margin), input), tj_int(0));
  tj_tensor *apart = tj_where(tj_ne(target, tj__number(1)), lacking, zero), *near = tj_where(tj_ne(target, tj__number(-1)), input, zero);
  return tj__loss_reduce(tj__plus(apart, near), reduction);
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
  return tj__loss_reduce(tj_clamp_min(tj__plus(tj_mul(tj_neg(target), tj__minus(input1, input2)), tj__number(margin)), tj_int(0)),
                         reduction);
}

tj_tensor *tj__impl_soft_margin_loss(tj_tensor *input, tj_tensor *target, int size_average, int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  return tj__loss_reduce(tj_neg(tj_logsigmoid(tj_mul(input, target))), reduction);
}

tj_tensor *tj__impl_poisson_nll_loss(tj_tensor *input, tj_tensor *target, bool log_input, bool full, int size_average, double eps,
                                     int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  tj_tensor *t = log_input ? tj__minus(tj_exp(input), tj_mul(target, input))
                           : tj__minus(input, tj_mul(target, tj_log(tj__plus(input, tj__number(eps)))));
  if (t && full) { /* Stirling's approximation of log(target!) */
    const double tau = 6.283185307179586;
    tj_tensor *stirling =
        tj__plus(tj__minus(tj_mul(target, tj_log(target)), target), tj_mul(tj__number(0.5), tj_log(tj_mul(tj__number(tau), target))));
    t = tj__plus(t, tj_masked_fill(stirling, tj_le(target, tj__number(1)), tj_int(0)));
  }
  return tj__loss_reduce(t, reduction);
}

tj_tensor *tj__impl_cosine_embedding_loss(tj_tensor *input1, tj_tensor *input2, tj_tensor *target, double margin, int size_average,
                                          int reduce, const char *reduction) {
  if (!(reduction = tj__loss_reduction(size_average, reduce, reduction))) return NULL;
  const double eps = 1e-12;
  tj_ints last = TJ_INTS(-1);
  tj_tensor *product = tj_sum_dim(tj_mul(input1, input2), last, false, TJ_DTYPE_NONE);
  tj_tensor *squares1 = tj__plus(tj_sum_dim(tj_mul(input1, input1), last, false, TJ_DTYPE_NONE), tj__number(eps));
  tj_tensor *squares2 = tj__plus(tj_sum_dim(tj_mul(input2, input2), last, false, TJ_DTYPE_NONE), tj__number(eps));
  tj_tensor *cosine = tj_div(product, tj_sqrt(tj_mul(squares1, squares2))), *zero = tj__number(0);
  tj_tensor *near = tj_where(tj_eq(target, tj__number(1)), tj__minus(tj__number(1), cosine), zero);
  tj_tensor *apart = tj_where(tj_eq(target, tj__number(-1)), tj_clamp_min(tj__minus(cosine, tj__number(margin)), tj_int(0)), zero);
  return tj__loss_reduce(tj__plus(near, apart), reduction);
}
