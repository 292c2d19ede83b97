/* ops/product.c: matrix and vector products: checks, and what is made of mm, bmm and addmm. */
#include "kernels/gemm.h"
#include "impl.h"
#include "ops.h"
#include "ops/copy.h"

static bool supported(int dtype, const char *kernel) {
  if (dtype != TJ_BOOL && dtype != TJ_UINT16 && dtype != TJ_UINT32 && dtype != TJ_UINT64) return true;
  tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "\"%s\" not implemented for '%s'", kernel, tj__dtype_legacy((tj_dtype)dtype));
  return false;
}

#define RUNTIME(condition, ...) TJ__CHECK(condition, TJ_ERROR_RUNTIME, __VA_ARGS__)
#define LL(x) ((long long)(x))

/* c = alpha a b + beta c for matrices or batches of matrices; c does not share memory with a and b. */
static tj_tensor *product_from(tj_tensor *c, const tj_tensor *a, const tj_tensor *b, tj_scalar alpha, tj_scalar beta,
                               const tj_tensor *start) {
  if (!c || !a || !b) return NULL;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){c, (tj_tensor *)a, (tj_tensor *)b}, 3);
  if (!backend) return NULL;
  int d = c->ndim - 2;
  tj__gemm_args g = {.dtype = c->dtype,
                     .batches = d ? c->sizes[0] : 1,
                     .m = c->sizes[d],
                     .n = c->sizes[d + 1],
                     .k = a->sizes[d + 1],
                     .a = tj__read(a),
                     .a_row = a->strides[d],
                     .a_col = a->strides[d + 1],
                     .a_batch = d ? a->strides[0] : 0,
                     .b = tj__read(b),
                     .b_row = b->strides[d],
                     .b_col = b->strides[d + 1],
                     .b_batch = d ? b->strides[0] : 0,
                     .c = tj__write(c),
                     .c_row = c->strides[d],
                     .c_col = c->strides[d + 1],
                     .c_batch = d ? c->strides[0] : 0,
                     .alpha = alpha,
                     .beta = beta};
  if (start) {
    g.start = tj__read(start);
    g.start_row = start->strides[d], g.start_col = start->strides[d + 1], g.start_batch = d ? start->strides[0] : 0;
  }
  return backend->gemm->gemm(&g) ? c : NULL;
}

static tj_tensor *product(tj_tensor *c, const tj_tensor *a, const tj_tensor *b, tj_scalar alpha, tj_scalar beta) {
  return product_from(c, a, b, alpha, beta, NULL);
}

static tj_device device_of(const tj_tensor *t) { return t->storage->device; }

/* A new tensor of these sizes that starts as self, broadcast; without self's values when beta is 0. */
static tj_tensor *start_from(tj_tensor *self, tj_ints sizes, tj_scalar beta) {
  if (!tj__can_expand(tj__sizes(self), sizes)) return tj_expand(self, sizes, false); /* fails with the right words */
  tj_tensor *c = tj__empty(sizes, self->dtype, device_of(self));
  if (!c || tj__scalar_is_zero(beta)) return c;
  return tj__copy_into(c, self);
}

/* alpha a b + beta self, broadcast to these sizes. */
static tj_tensor *started_product(tj_tensor *self, tj_ints sizes, const tj_tensor *a, const tj_tensor *b, tj_scalar alpha, tj_scalar beta) {
  const tj__backend *backend = tj__backend_for(&self, 1);
  if (!backend || !(backend->gemm->starts >> self->dtype & 1) || tj__scalar_is_zero(beta) || !tj__can_expand(tj__sizes(self), sizes))
    return product(start_from(self, sizes, beta), a, b, alpha, beta);
  return product_from(tj__empty(sizes, self->dtype, device_of(self)), a, b, alpha, beta, tj_expand(self, sizes, false));
}

tj_tensor *tj__impl_mm(tj_tensor *self, tj_tensor *mat2) {
  RUNTIME(self->ndim == 2, "self must be a matrix");
  RUNTIME(mat2->ndim == 2, "mat2 must be a matrix");
  RUNTIME(self->sizes[1] == mat2->sizes[0], TJ__TEXT_matmul_error_inner_dimensions_do_not_match_1, LL(self->sizes[0]), LL(self->sizes[1]),
          LL(mat2->sizes[0]), LL(mat2->sizes[1]));
  RUNTIME(self->dtype == mat2->dtype, "expected m1 and m2 to have the same dtype, but got: %s != %s", tj__dtype_cpp(self->dtype),
          tj__dtype_cpp(mat2->dtype));
  if (!supported(self->dtype, "addmm_impl_cpu_")) return NULL;
  return product(tj__empty(TJ_INTS(self->sizes[0], mat2->sizes[1]), self->dtype, device_of(self)), self, mat2, tj_int(1), tj_int(0));
}

tj_tensor *tj__impl_int_mm(tj_tensor *self, tj_tensor *mat2) {
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){self, mat2}, 2);
  if (!backend || tj__wrap_dim(0, self->ndim) < 0 || (mat2->ndim < 2 && tj__wrap_dim(1, mat2->ndim) < 0)) return NULL;
  RUNTIME(self->ndim == 2, "int_mm_out_cpu: Expected self to be of dimension 2 but got %d", self->ndim);
  RUNTIME(mat2->ndim == 2, "int_mm_out_cpu: Expected mat2 to be of dimension 2 but got %d", mat2->ndim);
  RUNTIME(self->sizes[1] == mat2->sizes[0], "int_mm_out_cpu: self.size(1) needs to match mat2.size(0) but got %lld and %lld",
          LL(self->sizes[1]), LL(mat2->sizes[0]));
  RUNTIME(self->dtype == TJ_INT8, "int_mm_out_cpu: Expected self dtype to be of type int8 but got %s", tj__dtype_cpp(self->dtype));
  RUNTIME(mat2->dtype == TJ_INT8, "int_mm_out_cpu: Expected mat2 dtype to be of type int8 but got %s", tj__dtype_cpp(mat2->dtype));
  TJ__CHECK(backend->gemm->int8, TJ_ERROR_NOT_IMPLEMENTED, "_int_mm is not implemented on this device");
  tj_tensor *out = tj__empty(TJ_INTS(self->sizes[0], mat2->sizes[1]), TJ_INT32, device_of(self));
  if (!out) return NULL;
  return backend->gemm->int8(self->sizes[0], mat2->sizes[1], self->sizes[1], tj__read(self), self->strides[0], self->strides[1],
                             tj__read(mat2), mat2->strides[0], mat2->strides[1], tj__write(out))
             ? out
             : NULL;
}

tj_tensor *tj__impl_mm_laid_out(tj_tensor *self, tj_tensor *mat2, tj_ints strides) {
  if (strides.n == 2 && strides.data[0] == 1 && strides.data[1] > 1) return tj_t(tj_mm(tj_t(mat2), tj_t(self)));
  return tj_mm(self, mat2);
}

tj_tensor *tj__impl_scaled(tj_tensor *self, tj_scalar factor) {
  if (factor.kind == TJ_SCALAR_COMPLEX) factor.c.im = -factor.c.im;
  if (tj__scalar_equals(factor, 1)) return self;
  return tj_mul(self, tj_scalar_tensor(factor));
}

/* A second batch without a third dimension: asking for that dimension's size fails first where PyTorch asks. */
static void *batch2_error(const tj_tensor *b, bool asks_size) {
  if (b->ndim < 3 && asks_size) {
    tj__wrap_dim(2, b->ndim);
    return NULL;
  }
  return tj__fail(TJ_ERROR_RUNTIME, "batch2 must be a 3D tensor");
}

/* PyTorch's checks of bmm, baddbmm: both batches of matrices that fit. */
static bool check_batches(const tj_tensor *a, const tj_tensor *b, bool asks_size) {
  if (a->ndim != 3) return tj__fail(TJ_ERROR_RUNTIME, "batch1 must be a 3D tensor") != NULL;
  if (b->ndim != 3) return batch2_error(b, asks_size) != NULL;
  if (b->sizes[0] != a->sizes[0] || b->sizes[1] != a->sizes[2])
    return tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_matmul_error_inner_dimensions_do_not_match_2, LL(a->sizes[0]), LL(a->sizes[2]),
                    LL(b->sizes[0]), LL(b->sizes[1])) != NULL;
  return true;
}

tj_tensor *tj__impl_bmm(tj_tensor *self, tj_tensor *mat2) {
  if (!check_batches(self, mat2, false)) return NULL;
  RUNTIME(self->dtype == mat2->dtype, "expected scalar type %s but found %s", tj__dtype_legacy(self->dtype), tj__dtype_legacy(mat2->dtype));
  if (!supported(self->dtype, "bmm")) return NULL;
  return product(tj__empty(TJ_INTS(self->sizes[0], self->sizes[1], mat2->sizes[2]), self->dtype, device_of(self)), self, mat2, tj_int(1),
                 tj_int(0));
}

static tj_tensor *as_column(const tj_tensor *v) { return tj__alias(v, TJ_INTS(v->sizes[0], 1), TJ_INTS(v->strides[0], 1), v->offset); }

static tj_tensor *add_mv(tj_tensor *self, tj_tensor *mat, tj_tensor *vec, tj_scalar beta, tj_scalar alpha) {
  int ndim = self ? self->ndim : 1;
  RUNTIME(mat->ndim == 2 && vec->ndim == 1 && ndim <= 1, "vector + matrix @ vector expected, got %d, %d, %d", ndim, mat->ndim, vec->ndim);
  int64_t n = self ? self->numel : mat->sizes[0];
  RUNTIME(mat->sizes[1] == vec->sizes[0] && (n == mat->sizes[0] || n == 1), TJ__TEXT_matmul_error_inner_dimensions_do_not_match_3, LL(n),
          LL(mat->sizes[0]), LL(mat->sizes[1]), LL(vec->sizes[0]));
  RUNTIME(mat->dtype == vec->dtype, "expected scalar type %s but found %s", tj__dtype_legacy(mat->dtype), tj__dtype_legacy(vec->dtype));
  if (!supported(mat->dtype, "addmv_impl_cpu")) return NULL;
  tj_tensor *c = tj__empty(TJ_INTS(mat->sizes[0]), mat->dtype, device_of(mat));
  if (!c) return NULL;
  if (self && !tj__scalar_is_zero(beta) && !tj__copy_into(c, self)) return NULL;
  return product(as_column(c), mat, as_column(vec), alpha, beta) ? c : NULL;
}

tj_tensor *tj__impl_mv(tj_tensor *self, tj_tensor *vec) { return add_mv(NULL, self, vec, tj_int(0), tj_int(1)); }

tj_tensor *tj__impl_addmv(tj_tensor *self, tj_tensor *mat, tj_tensor *vec, tj_scalar beta, tj_scalar alpha) {
  return add_mv(self, mat, vec, beta, alpha);
}

static tj_tensor *dot(tj_tensor *a, tj_tensor *b, bool conj) {
  RUNTIME(a->ndim == 1 && b->ndim == 1, "1D tensors expected, but got %dD and %dD tensors", a->ndim, b->ndim);
  RUNTIME(a->dtype == b->dtype, "dot : expected both vectors to have same dtype, but found %s and %s", tj__dtype_legacy(a->dtype),
          tj__dtype_legacy(b->dtype));
  RUNTIME(a->numel == b->numel, TJ__TEXT_matmul_error_inner_dimensions_do_not_match_4, LL(a->numel), LL(b->numel), LL(a->numel),
          LL(b->numel));
  if (!supported(a->dtype, "dot")) return NULL;
  const tj__backend *backend = tj__backend_for((tj_tensor *[]){a, b}, 2);
  tj_tensor *out = backend ? tj__empty(TJ_NO_DIMS, a->dtype, device_of(a)) : NULL;
  if (!out) return NULL;
  backend->gemm->dot(a->dtype, a->numel, tj__read(a), a->strides[0], tj__read(b), b->strides[0], conj, tj__write(out));
  return out;
}

tj_tensor *tj__impl_dot(tj_tensor *self, tj_tensor *tensor) { return dot(self, tensor, false); }
tj_tensor *tj__impl_vdot(tj_tensor *self, tj_tensor *other) { return dot(self, other, true); }

tj_tensor *tj__impl_addmm(tj_tensor *self, tj_tensor *mat1, tj_tensor *mat2, tj_scalar beta, tj_scalar alpha) {
  RUNTIME(self->dtype == mat2->dtype, "self and mat2 must have the same dtype, but got %s and %s", tj__dtype_legacy(self->dtype),
          tj__dtype_legacy(mat2->dtype));
  RUNTIME(mat1->ndim == 2, "mat1 must be a matrix, got %d-D tensor", mat1->ndim);
  RUNTIME(mat2->ndim == 2, "mat2 must be a matrix, got %d-D tensor", mat2->ndim);
  RUNTIME(mat1->sizes[1] == mat2->sizes[0], TJ__TEXT_matmul_error_inner_dimensions_do_not_match_1, LL(mat1->sizes[0]), LL(mat1->sizes[1]),
          LL(mat2->sizes[0]), LL(mat2->sizes[1]));
  RUNTIME(mat1->dtype == mat2->dtype, "expected m1 and m2 to have the same dtype, but got: %s != %s", tj__dtype_cpp(mat1->dtype),
          tj__dtype_cpp(mat2->dtype));
  if (!supported(self->dtype, "addmm_impl_cpu_")) return NULL;
  return started_product(self, TJ_INTS(mat1->sizes[0], mat2->sizes[1]), mat1, mat2, alpha, beta);
}

tj_tensor *tj__impl_baddbmm(tj_tensor *self, tj_tensor *batch1, tj_tensor *batch2, tj_scalar beta, tj_scalar alpha) {
  if (!check_batches(batch1, batch2, true)) return NULL;
  RUNTIME(self->dtype == batch1->dtype, "Input dtypes must be the same, got: input %s, batch1: %s, batch2: %s", tj__dtype_cpp(self->dtype),
          tj__dtype_cpp(batch1->dtype), tj__dtype_cpp(batch2->dtype));
  RUNTIME(batch1->dtype == batch2->dtype, "expected scalar type %s but found %s", tj__dtype_legacy(batch1->dtype),
          tj__dtype_legacy(batch2->dtype));
  if (!supported(self->dtype, "baddbmm")) return NULL;
  tj_ints sizes = TJ_INTS(batch1->sizes[0], batch1->sizes[1], batch2->sizes[2]);
  return started_product(self, sizes, batch1, batch2, alpha, beta);
}

/* ---- compositions ---------------------------------------------------------------------------------------------- */

tj_tensor *tj__impl_outer(tj_tensor *self, tj_tensor *vec2) {
  RUNTIME(self->ndim == 1, "outer: Expected 1-D argument self, but got %d-D", self->ndim);
  RUNTIME(vec2->ndim == 1, "outer: Expected 1-D argument vec2, but got %d-D", vec2->ndim);
  return tj_mul(tj_unsqueeze(self, 1), vec2);
}

tj_tensor *tj__impl_addr(tj_tensor *self, tj_tensor *vec1, tj_tensor *vec2, tj_scalar beta, tj_scalar alpha) {
  RUNTIME(vec1->ndim == 1, "addr: Expected 1-D argument vec1, but got %d-D", vec1->ndim);
  RUNTIME(vec2->ndim == 1, "addr: Expected 1-D argument vec2, but got %d-D", vec2->ndim);
  tj_dtype dtype = tj_promote_types(tj_promote_types(vec1->dtype, vec2->dtype), self->dtype);
  if (dtype == TJ_DTYPE_NONE) return NULL;
  bool integral = tj__class_of(dtype) == TJ__CLASS_INT || tj__class_of(dtype) == TJ__CLASS_BOOL;
  RUNTIME(!integral || beta.kind <= TJ_SCALAR_INT, "For integral input tensors, argument beta must not be a floating point number.");
  RUNTIME(!integral || alpha.kind <= TJ_SCALAR_INT, "For integral input tensors, argument alpha must not be a floating point number.");
  if (dtype == TJ_BOOL) beta = tj_bool(!tj__scalar_is_zero(beta)), alpha = tj_bool(!tj__scalar_is_zero(alpha));
  tj_tensor *start = tj_expand(self, TJ_INTS(vec1->sizes[0], vec2->sizes[0]), false);
  if (!tj__scalar_equals(alpha, 1)) vec1 = tj_mul(vec1, tj_scalar_tensor(alpha));
  tj_tensor *product = vec1 ? tj_mul(tj_unsqueeze(vec1, 1), vec2) : NULL;
  if (!start || !product) return NULL;
  if (tj__scalar_is_zero(beta)) return tj_to_dtype(product, dtype, false, false, NULL);
  if (!tj__scalar_equals(beta, 1)) start = tj_mul(start, tj_scalar_tensor(beta));
  return tj_add(start, product, tj_int(1));
}

tj_tensor *tj__impl_addbmm(tj_tensor *self, tj_tensor *batch1, tj_tensor *batch2, tj_scalar beta, tj_scalar alpha) {
  RUNTIME(batch1->ndim == 3, "batch1 must be a 3D tensor");
  if (batch2->ndim != 3) return batch2_error(batch2, true);
  RUNTIME(batch1->sizes[0] == batch2->sizes[0], TJ__TEXT_batch_dimensions_do_not_match_error_3, LL(batch1->sizes[0]), LL(batch2->sizes[0]));
  RUNTIME(batch1->sizes[2] == batch2->sizes[1], "Incompatible matrix sizes for bmm (%lldx%lld and %lldx%lld)", LL(batch1->sizes[1]),
          LL(batch1->sizes[2]), LL(batch2->sizes[1]), LL(batch2->sizes[2]));
  if (batch1->dtype == TJ_FLOAT16 || batch1->dtype == TJ_BFLOAT16) {
    /* rounded after every product, as PyTorch does */
    tj_tensor *sum = self;
    for (int64_t i = 0; sum && i < batch1->sizes[0]; i++)
      sum = tj_addmm(sum, tj_select(batch1, 0, i), tj_select(batch2, 0, i), i ? tj_int(1) : beta, alpha);
    if (batch1->sizes[0]) return sum;
  }
  /* the sum over the batch is a sum over a longer inner dimension */
  int64_t inner = batch1->sizes[0] * batch1->sizes[2];
  tj_tensor *a = tj_reshape(tj_permute(batch1, TJ_INTS(1, 0, 2)), TJ_INTS(batch1->sizes[1], inner));
  tj_tensor *b = tj_reshape(batch2, TJ_INTS(inner, batch2->sizes[2]));
  return tj_addmm(self, a, b, beta, alpha);
}

tj_tensor *tj__impl_matmul(tj_tensor *self, tj_tensor *other) {
  int da = self->ndim, db = other->ndim;
  RUNTIME(da && db, TJ__TEXT_expression_error_operand_11, (long long)da, (long long)db);
  if (da == 1 && db == 1) return tj_dot(self, other);
  if (da == 2 && db == 1) return tj_mv(self, other);
  if (da == 1 && db == 2) return tj_squeeze_dim(tj_mm(tj_unsqueeze(self, 0), other), 0);
  if (da == 2 && db == 2) return tj_mm(self, other);

  int64_t sizes[TJ_MAX_DIMS];
  if (da >= 3 && db <= 2) { /* one tall matrix */
    int64_t rows = 1;
    for (int i = 0; i < da - 1; i++) rows *= sizes[i] = self->sizes[i];
    tj_tensor *a = tj_reshape(self, TJ_INTS(rows, self->sizes[da - 1]));
    if (db == 1) return tj_reshape(tj_mv(a, other), (tj_ints){sizes, da - 1});
    sizes[da - 1] = other->sizes[1];
    return tj_reshape(tj_mm(a, other), (tj_ints){sizes, da});
  }

  /* batches that broadcast; a vector stands for a matrix of one row or column */
  tj_tensor *a = da == 1 ? tj_unsqueeze(self, 0) : self, *b = db == 1 ? tj_unsqueeze(other, 1) : other;
  if (!a || !b) return NULL;
  int na = a->ndim - 2, nb = b->ndim - 2;
  int64_t n = a->sizes[na], k = a->sizes[na + 1], kb = b->sizes[nb], p = b->sizes[nb + 1], batches = 1;
  int d = tj__broadcast_sizes((tj_ints){a->sizes, na}, (tj_ints){b->sizes, nb}, sizes);
  if (d < 0) return NULL;
  for (int i = 0; i < d; i++) batches *= sizes[i];
  sizes[d] = n, sizes[d + 1] = k;
  a = tj_reshape(tj_expand(a, (tj_ints){sizes, d + 2}, false), TJ_INTS(batches, n, k));
  sizes[d] = kb, sizes[d + 1] = p;
  b = tj_reshape(tj_expand(b, (tj_ints){sizes, d + 2}, false), TJ_INTS(batches, kb, p));
  int kept = d;
  if (da > 1) sizes[kept++] = n;
  if (db > 1) sizes[kept++] = p;
  return tj_reshape(tj_bmm(a, b), (tj_ints){sizes, kept});
}

tj_tensor *tj__impl_tensordot(tj_tensor *self, tj_tensor *other, tj_ints dims_self, tj_ints dims_other) {
  RUNTIME(dims_self.n == dims_other.n, "both dimension lists should have same length");
  RUNTIME(self->dtype == other->dtype, "both inputs should have same dtype");
  int64_t order_a[TJ_MAX_DIMS], order_b[TJ_MAX_DIMS], sizes[2 * TJ_MAX_DIMS], inner = 1, rows = 1, columns = 1;
  bool gone_a[TJ_MAX_DIMS] = {0}, gone_b[TJ_MAX_DIMS] = {0};
  int n = 0, na = 0, nb = 0;
  for (int64_t i = 0; i < dims_self.n; i++) {
    int a = tj__wrap_dim(dims_self.data[i], self->ndim), b = tj__wrap_dim(dims_other.data[i], other->ndim);
    if (a < 0 || b < 0) return NULL;
    TJ__CHECK(self->ndim && other->ndim, TJ_ERROR_INDEX, "Dimension specified as %lld but tensor has no dimensions",
              LL((self->ndim ? dims_other : dims_self).data[i]));
    /* a dimension of 1 broadcasts: the other one is summed first */
    if (self->sizes[a] == 1 && other->sizes[b] != 1) other = tj_sum_dim(other, TJ_INTS(b), true, (tj_dtype)other->dtype);
    else if (other->sizes[b] == 1 && self->sizes[a] != 1) self = tj_sum_dim(self, TJ_INTS(a), true, (tj_dtype)self->dtype);
    if (!self || !other) return NULL;
    RUNTIME(self->sizes[a] == other->sizes[b], TJ__TEXT_matmul_error_inner_dimensions_do_not_match_5, LL(self->sizes[a]),
            LL(dims_self.data[i]), LL(other->sizes[b]), LL(dims_other.data[i]));
    RUNTIME(!gone_a[a] && !gone_b[b], "dim %d appears multiple times in the list of dims", gone_a[a] ? a : b);
    gone_a[a] = gone_b[b] = true;
    inner *= self->sizes[a];
  }
  for (int i = 0; i < self->ndim; i++)
    if (!gone_a[i]) order_a[na++] = i, rows *= sizes[n++] = self->sizes[i];
  for (int64_t i = 0; i < dims_self.n; i++) {
    order_a[na++] = tj__wrap_dim(dims_self.data[i], self->ndim);
    order_b[nb++] = tj__wrap_dim(dims_other.data[i], other->ndim);
  }
  for (int i = 0; i < other->ndim; i++)
    if (!gone_b[i]) order_b[nb++] = i, columns *= sizes[n++] = other->sizes[i];
  tj_tensor *a = tj_reshape(tj_permute(self, (tj_ints){order_a, na}), TJ_INTS(rows, inner));
  tj_tensor *b = tj_reshape(tj_permute(other, (tj_ints){order_b, nb}), TJ_INTS(inner, columns));
  return tj_reshape(tj_mm(a, b), (tj_ints){sizes, n});
}

tj_tensor *tj__impl_tensordot_int(tj_tensor *self, tj_tensor *other, int64_t dims) {
  RUNTIME(dims >= 0, "tensordot expects dims >= 0, but got dims=%lld", LL(dims));
  RUNTIME(dims <= self->ndim && dims <= other->ndim, "tensordot expects dims <= ndim_a and dims <= ndim_b, but got dims=%lld", LL(dims));
  int64_t last[TJ_MAX_DIMS], first[TJ_MAX_DIMS];
  for (int64_t i = 0; i < dims; i++) last[i] = i - dims, first[i] = i;
  return tj_tensordot(self, other, (tj_ints){last, dims}, (tj_ints){first, dims});
}

tj_tensor *tj__impl_inner(tj_tensor *self, tj_tensor *other) {
  if (!self->ndim || !other->ndim) return tj_mul(self, other);
  const char *sizes = tj__sizes_text(self);
  RUNTIME(self->sizes[self->ndim - 1] == other->sizes[other->ndim - 1],
          "inner() the last dimension must match on both input tensors but got shapes %s and %s", sizes, tj__sizes_text(other));
  return tj_tensordot(self, other, TJ_INTS(-1), TJ_INTS(-1));
}

tj_tensor *tj__impl_kron(tj_tensor *self, tj_tensor *other) {
  int n = TJ__MAX(self->ndim, other->ndim);
  RUNTIME(n <= TJ_MAX_DIMS / 2, "kron: too many dimensions");
  int64_t a[TJ_MAX_DIMS], b[TJ_MAX_DIMS], sizes[TJ_MAX_DIMS];
  for (int i = 0; i < n; i++) { /* a's sizes at even places, b's at odd ones */
    int ia = i - (n - self->ndim), ib = i - (n - other->ndim);
    a[2 * i] = ia < 0 ? 1 : self->sizes[ia], a[2 * i + 1] = 1;
    b[2 * i] = 1, b[2 * i + 1] = ib < 0 ? 1 : other->sizes[ib];
    sizes[i] = a[2 * i] * b[2 * i + 1];
  }
  return tj_reshape(tj_mul(tj_reshape(self, (tj_ints){a, 2 * n}), tj_reshape(other, (tj_ints){b, 2 * n})), (tj_ints){sizes, n});
}

#define CHAIN 64
/* The product of matrices i..j, split where the table says. */
static tj_tensor *chain(tj_tensors m, uint8_t split[CHAIN][CHAIN], int i, int j) {
  return i == j ? m.data[i] : tj_mm(chain(m, split, i, split[i][j]), chain(m, split, split[i][j] + 1, j));
}

tj_tensor *tj__impl_chain_matmul(tj_tensors matrices) {
  RUNTIME(matrices.n > 0, "chain_matmul(): Expected one or more matrices");
  RUNTIME(matrices.n <= CHAIN, "chain_matmul(): more than %d matrices", CHAIN);
  int n = (int)matrices.n;
  for (int i = 0; i < n; i++) RUNTIME(matrices.data[i]->ndim == 2, "Tensor dimension is %d, expected 2 instead.", matrices.data[i]->ndim);
  /* cost[i][j]: multiplications that i..j need at least (Cormen et al., 15.2) */
  double cost[CHAIN][CHAIN];
  uint8_t split[CHAIN][CHAIN] = {{0}};
  for (int i = 0; i < n; i++) cost[i][i] = 0;
  for (int length = 1; length < n; length++)
    for (int i = 0; i + length < n; i++) {
      int j = i + length;
      cost[i][j] = -1;
      for (int s = i; s < j; s++) {
        double c = cost[i][s] + cost[s + 1][j] +
                   (double)matrices.data[i]->sizes[0] * (double)matrices.data[s]->sizes[1] * (double)matrices.data[j]->sizes[1];
        if (cost[i][j] < 0 || c < cost[i][j]) cost[i][j] = c, split[i][j] = (uint8_t)s;
      }
    }
  return chain(matrices, split, 0, n - 1);
}

tj_tensor *tj__impl_linear(tj_tensor *input, tj_tensor *weight, tj_tensor *bias) {
  tj_tensor *w = tj_t(weight);
  if (!w) return NULL;
  if (bias && input->ndim == 2 && w->ndim == 2) return tj_addmm(bias, input, w, tj_int(1), tj_int(1));
  if (bias && input->ndim > 2 && w->ndim == 2) {
    int64_t sizes[TJ_MAX_DIMS], rows = 1, last = input->ndim - 1;
    for (int i = 0; i < last; i++) rows *= sizes[i] = input->sizes[i];
    sizes[last] = w->sizes[1];
    tj_tensor *flat = tj_reshape(input, TJ_INTS(rows, input->sizes[last]));
    return tj_reshape(tj_addmm(bias, flat, w, tj_int(1), tj_int(1)), (tj_ints){sizes, input->ndim});
  }
  tj_tensor *y = tj_matmul(input, w);
  return bias && y ? tj_add(y, bias, tj_int(1)) : y;
}

tj_tensor *tj__impl_bilinear(tj_tensor *input1, tj_tensor *input2, tj_tensor *weight, tj_tensor *bias) {
  RUNTIME(input1->ndim == input2->ndim, "bilinear(): input dimensions do not match: got %d and %d", input1->ndim, input2->ndim);
  RUNTIME(weight->ndim == 3 && input1->ndim, "bilinear(): expected a 3D weight and inputs of 1 dimension at least");
  int last = input1->ndim - 1;
  int64_t sizes[TJ_MAX_DIMS], rows = 1, k = weight->sizes[0], n1 = weight->sizes[1], n2 = weight->sizes[2];
  for (int i = 0; i < last; i++) {
    RUNTIME(input1->sizes[i] == input2->sizes[i], "bilinear(): input batch dimensions do not match at dim %d: got %lld and %lld", i,
            LL(input1->sizes[i]), LL(input2->sizes[i]));
    rows *= sizes[i] = input1->sizes[i];
  }
  sizes[last] = k;
  RUNTIME(input1->sizes[last] == n1, "bilinear(): input1 size does not match weight size: got %lld but expected %lld",
          LL(input1->sizes[last]), LL(n1));
  RUNTIME(input2->sizes[last] == n2, "bilinear(): input2 size does not match weight size: got %lld but expected %lld",
          LL(input2->sizes[last]), LL(n2));
  RUNTIME(!bias || bias->sizes[0] == k, "bilinear(): bias size does not match weight size: got %lld but expected %lld", LL(bias->sizes[0]),
          LL(k));
  tj_tensor *w = tj_reshape(tj_permute(weight, TJ_INTS(1, 0, 2)), TJ_INTS(n1, k * n2));
  tj_tensor *left = tj_reshape(tj_mm(tj_reshape(input1, TJ_INTS(rows, n1)), w), TJ_INTS(rows, k, n2));
  tj_tensor *y = tj_reshape(tj_bmm(left, tj_reshape(input2, TJ_INTS(rows, n2, 1))), (tj_ints){sizes, input1->ndim});
  return bias ? tj_add(y, bias, tj_int(1)) : y;
}
