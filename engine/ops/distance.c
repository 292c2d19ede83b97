/* distance.c: distances between rows, cross products, norms of slices. */
#include "kernels/distance.h"

#include <math.h>

#include "autograd/node.h"
#include "impl.h"
#include "iter/convert.h"
#include "reduce.h"

/* ---- distances -------------------------------------------------------------------------------------------------- */

/* Both matrices with the batch dimensions that they broadcast to, contiguous. */
typedef struct pair {
  tj_tensor *a, *b;
  int64_t sizes[TJ_MAX_DIMS]; /* of the distances */
  int ndim;
  int64_t batch, n, m, width;
} pair;

static bool pair_of(tj_tensor *x1, tj_tensor *x2, pair *p) {
  int64_t batch[TJ_MAX_DIMS];
  int nb = tj__broadcast_sizes((tj_ints){x1->sizes, x1->ndim - 2}, (tj_ints){x2->sizes, x2->ndim - 2}, batch);
  if (nb < 0) return false;
  p->ndim = nb + 2;
  p->n = x1->sizes[x1->ndim - 2], p->m = x2->sizes[x2->ndim - 2], p->width = x1->sizes[x1->ndim - 1];
  p->batch = 1;
  for (int k = 0; k < nb; k++) p->batch *= batch[k], p->sizes[k] = batch[k];
  batch[nb] = p->n, batch[nb + 1] = p->width;
  p->a = tj_expand(x1, (tj_ints){batch, p->ndim}, false);
  batch[nb] = p->m;
  p->b = tj_expand(x2, (tj_ints){batch, p->ndim}, false);
  p->sizes[nb] = p->n, p->sizes[nb + 1] = p->m;
  return p->a && p->b && (p->a = tj__contiguous(p->a)) && (p->b = tj__contiguous(p->b));
}

/* |a - b|^2 = |a|^2 - 2 a b + |b|^2 as one matrix product. */
static tj_tensor *euclidean_by_product(const pair *p) {
  tj_tensor *last[2], *rows[2] = {p->a, p->b};
  for (int k = 0; k < 2; k++)
    if (!(last[k] = tj_sum_dim(tj_mul(rows[k], rows[k]), TJ_INTS(-1), true, TJ_DTYPE_NONE))) return NULL;
  tj_tensor *left =
      tj_cat(TJ_TENSORS(tj_mul(p->a, tj__number(-2)), last[0], tj_ones_like(last[0], TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL)), -1);
  tj_tensor *right = tj_cat(TJ_TENSORS(p->b, tj_ones_like(last[1], TJ_DTYPE_NONE, TJ_DEVICE_NONE, false, NULL), last[1]), -1);
  return tj_sqrt(tj_clamp_min(tj_matmul(left, tj_transpose(right, -2, -1)), tj_int(0)));
}

tj_tensor *tj__impl_cdist(tj_tensor *x1, tj_tensor *x2, double p, int64_t compute_mode) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){x1, x2}, 2);
  tj_tensor *given[] = {x1, x2};
  if (!backend) return NULL;
  for (int k = 0; k < 2; k++)
    TJ__CHECK(given[k]->ndim >= 2, TJ_ERROR_RUNTIME, "cdist only supports at least 2D tensors, X%d got: %dD", k + 1, given[k]->ndim);
  TJ__CHECK(x1->sizes[x1->ndim - 1] == x2->sizes[x2->ndim - 1], TJ_ERROR_RUNTIME,
            "X1 and X2 must have the same number of columns. X1: %lld X2: %lld", (long long)x1->sizes[x1->ndim - 1],
            (long long)x2->sizes[x2->ndim - 1]);
  for (int k = 0; k < 2; k++)
    TJ__CHECK(tj__class_of((tj_dtype)given[k]->dtype) == TJ__CLASS_FLOAT, TJ_ERROR_RUNTIME,
              "cdist only supports floating-point dtypes, X%d got: %s", k + 1, tj__dtype_legacy((tj_dtype)given[k]->dtype));
  TJ__CHECK(p >= 0, TJ_ERROR_RUNTIME, "cdist only supports non-negative p values");
  TJ__CHECK(x1->dtype == x2->dtype, TJ_ERROR_RUNTIME, "expected scalar type %s but found %s", tj__dtype_legacy((tj_dtype)x1->dtype),
            tj__dtype_legacy((tj_dtype)x2->dtype));
  TJ__CHECK(x1->dtype == TJ_FLOAT32 || x1->dtype == TJ_FLOAT64, TJ_ERROR_NOT_IMPLEMENTED, "\"cdist\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)x1->dtype));
  int64_t mode = compute_mode == TJ_NO_INT ? 0 : compute_mode;
  TJ__CHECK(mode >= 0 && mode <= 2, TJ_ERROR_RUNTIME, "possible modes: 0, 1, 2, but was: %lld", (long long)mode);
  pair rows;
  if (!pair_of(x1, x2, &rows)) return NULL;
  if (p == 2 && rows.width > 0 && rows.batch * rows.n * rows.m > 0 && (mode == 1 || (mode == 0 && (rows.n > 25 || rows.m > 25))))
    return euclidean_by_product(&rows);
  tj_tensor *out = tj__empty((tj_ints){rows.sizes, rows.ndim}, (tj_dtype)x1->dtype, x1->storage->device);
  if (!out) return NULL;
  backend->distance->distances(p, out, rows.a, rows.b, rows.batch, rows.n, rows.m, rows.width);
  return out;
}

/* grad times the derivative of each distance by each difference [.., n, m, width], added up over m. */
static tj_tensor *gradient_over_pairs(tj_tensor *grad, tj_tensor *x1, tj_tensor *x2, double p, tj_tensor *dist) {
  tj_tensor *zero = tj__number(0), *one = tj__number(1);
  tj_tensor *d = tj_sub(tj_unsqueeze(x1, -2), tj_unsqueeze(x2, -3), TJ__ONE), *g = tj_unsqueeze(grad, -1), *r = tj_unsqueeze(dist, -1);
  tj_tensor *value, *no_r = tj_eq(tj_detach(r), zero), *safe = tj_where(no_r, one, r);
  if (p == 0) value = tj_mul(g, tj_mul(d, zero));
  else if (p == 1) value = tj_mul(g, tj_sgn(tj_detach(d)));
  else if (p == 2) value = tj_where(no_r, zero, tj_mul(g, tj_div(d, safe)));
  else if (isinf(p)) value = tj_mul(g, tj_mul(tj_sgn(tj_detach(d)), tj_eq(tj_abs(tj_detach(d)), tj_detach(r))));
  else { /* a difference of zero adds nothing, and neither does its power's derivative */
    tj_tensor *none = tj_logical_or(no_r, tj_eq(tj_detach(d), zero));
    tj_tensor *ratio = tj_pow(tj_abs(tj_div(tj_where(none, one, d), safe)), tj__number(p - 1));
    value = tj_where(none, zero, tj_mul(g, tj_mul(tj_sgn(tj_detach(d)), ratio)));
  }
  return tj_sum_dim(value, TJ_INTS(-2), false, TJ_DTYPE_NONE);
}

tj_tensor *tj__impl_cdist_backward(tj_tensor *grad_output, tj_tensor *x1, tj_tensor *x2, double p, tj_tensor *cdist) {
  tj_tensor *all[] = {grad_output, x1, x2, cdist};
  if (tj__needs_grad(all, 4)) return gradient_over_pairs(grad_output, x1, x2, p, cdist);
  const tj__backend *backend = tj__backend_for(all, 4);
  pair rows;
  if (!backend || !pair_of(x1, x2, &rows) || !(grad_output = tj__contiguous(grad_output)) || !(cdist = tj__contiguous(cdist))) return NULL;
  tj_tensor *out = tj__empty(tj__sizes(rows.a), (tj_dtype)x1->dtype, x1->storage->device);
  if (!out || p == 0) return out ? tj__fill(out, tj_int(0)) : NULL;
  backend->distance->gradient(p, out, grad_output, cdist, rows.a, rows.b, rows.batch, rows.n, rows.m, rows.width);
  return out;
}

tj_tensor *tj__impl_pdist(tj_tensor *self, double p) {
  TJ__CHECK(self->ndim == 2, TJ_ERROR_RUNTIME, "pdist only supports 2D tensors, got: %dD", self->ndim);
  TJ__CHECK(tj__class_of((tj_dtype)self->dtype) == TJ__CLASS_FLOAT, TJ_ERROR_RUNTIME, "pdist only supports floating-point dtypes");
  TJ__CHECK(p >= 0, TJ_ERROR_RUNTIME, "pdist only supports non-negative p values");
  TJ__CHECK(self->dtype == TJ_FLOAT32 || self->dtype == TJ_FLOAT64, TJ_ERROR_NOT_IMPLEMENTED, "\"pdist\" not implemented for '%s'",
            tj__dtype_legacy((tj_dtype)self->dtype));
  const int64_t n = self->sizes[0];
  tj_tensor *at = tj_triu_indices(n, n, 1, TJ_INT64, self->storage->device, false);
  tj_tensor *flat = at ? tj_add(tj_mul(tj_select(at, 0, 0), tj_scalar_tensor(tj_int(n))), tj_select(at, 0, 1), TJ__ONE) : NULL;
  return flat ? tj_index_select(tj_reshape(tj_cdist(self, self, p, 2), TJ_INTS(n * n)), 0, flat) : NULL;
}

tj_tensor *tj__impl_dist(tj_tensor *self, tj_tensor *other, tj_scalar p) {
  return tj_norm(tj_sub(self, other, TJ__ONE), p, TJ_NO_INTS, false, TJ_DTYPE_NONE);
}

/* ---- cross products --------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_linalg_cross(tj_tensor *self, tj_tensor *other, int64_t dim) {
  TJ__CHECK(self->ndim == other->ndim, TJ_ERROR_RUNTIME, "linalg.cross: inputs must have the same number of dimensions.");
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  const int64_t n = self->ndim ? self->sizes[d] : 1, m = self->ndim ? other->sizes[d] : 1;
  TJ__CHECK(n == 3 && m == 3, TJ_ERROR_RUNTIME, "linalg.cross: inputs dimension %lld must have length 3. Got %lld and %lld", (long long)dim,
            (long long)n, (long long)m);
  TJ__CHECK(self->dtype == other->dtype, TJ_ERROR_RUNTIME, "expected scalar type %s but found %s", tj__dtype_legacy((tj_dtype)self->dtype),
            tj__dtype_legacy((tj_dtype)other->dtype));
  tj_dtype dtype = (tj_dtype)self->dtype;
  TJ__CHECK(dtype != TJ_BOOL, TJ_ERROR_NOT_IMPLEMENTED, "\"cross\" not implemented for 'Bool'");
  tj_tensor *a = self, *b = other;
  if (dtype == TJ_FLOAT16 || dtype == TJ_BFLOAT16) a = tj__to_dtype(a, TJ_FLOAT32), b = tj__to_dtype(b, TJ_FLOAT32);
  /* element k: a[k + 1] b[k + 2] - a[k + 2] b[k + 1] */
  tj_tensor *a1 = tj_roll(a, TJ_INTS(-1), TJ_INTS(d)), *a2 = tj_roll(a, TJ_INTS(-2), TJ_INTS(d));
  tj_tensor *b1 = tj_roll(b, TJ_INTS(-1), TJ_INTS(d)), *b2 = tj_roll(b, TJ_INTS(-2), TJ_INTS(d));
  tj_tensor *out = tj_sub(tj_mul(a1, b2), tj_mul(a2, b1), TJ__ONE);
  return out ? tj__to_dtype(out, dtype) : NULL;
}

tj_tensor *tj__impl_cross(tj_tensor *self, tj_tensor *other, int64_t dim) {
  for (int k = 0; dim == TJ_NO_INT && k < self->ndim; k++)
    if (self->sizes[k] == 3) dim = k;
  TJ__CHECK(dim != TJ_NO_INT, TJ_ERROR_RUNTIME, "no dimension of size 3 in input");
  return tj_linalg_cross(self, other, dim);
}

/* ---- renorm ----------------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_renorm(tj_tensor *self, tj_scalar p, int64_t dim, tj_scalar maxnorm) {
  TJ__CHECK(p.kind != TJ_SCALAR_COMPLEX, TJ_ERROR_RUNTIME, "renorm: p must be real-valued");
  TJ__CHECK(tj__scalar_to_double(p) > 0, TJ_ERROR_RUNTIME, "renorm: non-positive-norm not supported");
  TJ__CHECK(maxnorm.kind != TJ_SCALAR_COMPLEX, TJ_ERROR_RUNTIME, "renorm: maxnorm must be real-valued");
  const double most = tj__scalar_to_double(maxnorm);
  TJ__CHECK(most >= 0, TJ_ERROR_RUNTIME, "renorm: expected maxnorm to be >= 0 but got %g", most);
  TJ__CHECK(self->ndim > 1, TJ_ERROR_RUNTIME, "renorm: input needs at least 2 dimensions, got %d dimensions", self->ndim);
  int d = tj__wrap_dim(dim, self->ndim);
  if (d < 0) return NULL;
  int64_t others[TJ_MAX_DIMS];
  for (int k = 0, n = 0; k < self->ndim; k++)
    if (k != d) others[n++] = k;
  const bool half = self->dtype == TJ_FLOAT16 || self->dtype == TJ_BFLOAT16;
  tj_tensor *norm = tj_linalg_vector_norm(self, p, (tj_ints){others, self->ndim - 1}, true, half ? TJ_FLOAT32 : TJ_DTYPE_NONE);
  tj_tensor *above = tj_gt(tj_detach(norm), tj__number(most));
  tj_tensor *factor = tj_where(above, tj_div(tj__number(most), tj_add(norm, tj__number(1e-7), TJ__ONE)), tj__number(1));
  tj_tensor *out = tj_contiguous(tj_mul(self, factor), NULL);
  return half && out ? tj_to_dtype(out, (tj_dtype)self->dtype, false, false, NULL) : out;
}
