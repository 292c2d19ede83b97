/* promotion.c: which dtype several operands are computed in. */
#include "core.h"

static bool is_bare_unsigned(tj_dtype d) { return d == TJ_UINT16 || d == TJ_UINT32 || d == TJ_UINT64; }

/* The integers that promote, in the order of the table below. */
static tj_dtype promote_integers(tj_dtype a, tj_dtype b) {
  if (a == TJ_BOOL) return b;
  if (b == TJ_BOOL) return a;
  /* uint8 and int8 meet in int16; otherwise the wider one, and the signed types are declared in the order of their widths */
  if ((a == TJ_UINT8 && b == TJ_INT8) || (a == TJ_INT8 && b == TJ_UINT8)) return TJ_INT16;
  return TJ__MAX(a, b);
}

static tj_dtype promote_floats(tj_dtype a, tj_dtype b) {
  if ((a == TJ_FLOAT16 && b == TJ_BFLOAT16) || (a == TJ_BFLOAT16 && b == TJ_FLOAT16)) return TJ_FLOAT32;
  return TJ__MAX(a, b);
}

/* TJ_DTYPE_NONE where there is no common dtype. */
static tj_dtype promote(tj_dtype a, tj_dtype b) {
  if (a == b) return a;
  tj__dtype_class ca = tj__class_of(a), cb = tj__class_of(b);
  if (is_bare_unsigned(a) || is_bare_unsigned(b)) return ca == TJ__CLASS_FLOAT ? a : cb == TJ__CLASS_FLOAT ? b : TJ_DTYPE_NONE;
  if (ca == TJ__CLASS_COMPLEX || cb == TJ__CLASS_COMPLEX)
    return a == TJ_COMPLEX128 || b == TJ_COMPLEX128 || a == TJ_FLOAT64 || b == TJ_FLOAT64 ? TJ_COMPLEX128 : TJ_COMPLEX64;
  if (ca == TJ__CLASS_FLOAT && cb == TJ__CLASS_FLOAT) return promote_floats(a, b);
  if (ca == TJ__CLASS_FLOAT) return a;
  if (cb == TJ__CLASS_FLOAT) return b;
  return promote_integers(a, b);
}

tj_dtype tj_promote_types(tj_dtype a, tj_dtype b) {
  if (!tj_dtype_name(a) || !tj_dtype_name(b)) {
    tj__fail(TJ_ERROR_TYPE, "promote_types(): expected two dtypes");
    return TJ_DTYPE_NONE;
  }
  tj_dtype result = promote(a, b);
  if (result == TJ_DTYPE_NONE) tj__fail(TJ_ERROR_RUNTIME, TJ__TEXT_dtype_error_cannot_promote_1, tj__dtype_legacy(a), tj__dtype_legacy(b));
  return result;
}

bool tj_can_cast(tj_dtype from, tj_dtype to) {
  if (!tj_dtype_name(from) || !tj_dtype_name(to)) return false;
  return tj__class_of(from) <= tj__class_of(to);
}

/* ---- operands -------------------------------------------------------------------------------------------------- */

static bool merge(tj_dtype *into, tj_dtype dtype) {
  *into = *into == TJ_DTYPE_NONE ? dtype : tj_promote_types(*into, dtype);
  return *into != TJ_DTYPE_NONE;
}

/* Plain numbers count with the default dtype of their kind. */
static tj_dtype of_number(tj__dtype_class class) {
  switch (class) {
    case TJ__CLASS_BOOL: return TJ_BOOL;
    case TJ__CLASS_INT: return TJ_INT64;
    case TJ__CLASS_FLOAT: return tj_get_default_dtype();
    default: return tj__complex_of(tj_get_default_dtype());
  }
}

bool tj__promotion_add(tj__promotion *p, const tj_tensor *t) {
  if (t->wrapped_number) return merge(&p->number, of_number(tj__class_of((tj_dtype)t->dtype)));
  return merge(t->ndim ? &p->dims : &p->zero_dim, (tj_dtype)t->dtype);
}

bool tj__promotion_add_scalar(tj__promotion *p, tj_scalar s) {
  switch (s.kind) {
    case TJ_SCALAR_BOOL: return merge(&p->number, of_number(TJ__CLASS_BOOL));
    case TJ_SCALAR_INT: return merge(&p->number, of_number(TJ__CLASS_INT));
    case TJ_SCALAR_FLOAT: return merge(&p->number, of_number(TJ__CLASS_FLOAT));
    case TJ_SCALAR_COMPLEX: return merge(&p->number, of_number(TJ__CLASS_COMPLEX));
    default: return true;
  }
}

/* The lower category only matters where it is of a higher class than the higher one. */
static tj_dtype combine(tj_dtype higher, tj_dtype lower) {
  if (higher == TJ_DTYPE_NONE || lower == TJ_DTYPE_NONE) return higher == TJ_DTYPE_NONE ? lower : higher;
  tj__dtype_class ch = tj__class_of(higher), cl = tj__class_of(lower);
  if (ch == TJ__CLASS_COMPLEX) return higher;
  if (ch == TJ__CLASS_FLOAT) return cl == TJ__CLASS_COMPLEX ? tj__complex_of(higher) : higher;
  if (cl == TJ__CLASS_COMPLEX && is_bare_unsigned(higher)) return lower;
  if (ch == TJ__CLASS_BOOL || cl >= TJ__CLASS_FLOAT) return tj_promote_types(higher, lower);
  return higher;
}

tj_dtype tj__promotion_result(const tj__promotion *p) {
  if (p->dims != TJ_DTYPE_NONE && p->zero_dim == TJ_DTYPE_NONE && p->number == TJ_DTYPE_NONE) return p->dims;
  tj_dtype lower = combine(p->zero_dim, p->number);
  if (lower == TJ_DTYPE_NONE && p->zero_dim != TJ_DTYPE_NONE) return lower; /* the error of the two is set */
  return combine(p->dims, lower);
}

tj_dtype tj_result_type(const tj_tensor *a, const tj_tensor *b) {
  tj__promotion p = TJ__PROMOTION_START;
  if (!a || !b || !tj__promotion_add(&p, a) || !tj__promotion_add(&p, b)) return TJ_DTYPE_NONE;
  return tj__promotion_result(&p);
}
