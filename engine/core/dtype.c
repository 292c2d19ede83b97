/* dtype.c: what is known about each dtype, and single elements to and from scalars. */
#include "core.h"

const uint8_t tj__dtype_sizes[TJ_DTYPE_COUNT] = {
#define TJ__X(SUFFIX, name, bytes, legacy) bytes,
    TJ_DTYPES(TJ__X)
#undef TJ__X
};

static const char *const names[TJ_DTYPE_COUNT] = {
#define TJ__X(SUFFIX, name, bytes, legacy) #name,
    TJ_DTYPES(TJ__X)
#undef TJ__X
};

static inline bool known(tj_dtype dtype) { return dtype >= 0 && dtype < TJ_DTYPE_COUNT; }

const char *tj_dtype_name(tj_dtype dtype) { return known(dtype) ? names[dtype] : NULL; }

tj_dtype tj_dtype_from_name(const char *name) {
  for (int i = 0; name && i < TJ_DTYPE_COUNT; i++)
    if (!strcmp(name, names[i])) return (tj_dtype)i;
  return TJ_DTYPE_NONE;
}

size_t tj_dtype_size(tj_dtype dtype) { return known(dtype) ? tj__dtype_sizes[dtype] : 0; }

tj__dtype_class tj__class_of(tj_dtype dtype) {
  if (dtype == TJ_BOOL) return TJ__CLASS_BOOL;
  if (dtype < TJ_FLOAT16) return TJ__CLASS_INT;
  return dtype < TJ_COMPLEX64 ? TJ__CLASS_FLOAT : TJ__CLASS_COMPLEX;
}

bool tj_dtype_is_floating(tj_dtype dtype) { return known(dtype) && tj__class_of(dtype) == TJ__CLASS_FLOAT; }
bool tj_dtype_is_complex(tj_dtype dtype) { return known(dtype) && tj__class_of(dtype) == TJ__CLASS_COMPLEX; }
bool tj_dtype_is_signed(tj_dtype dtype) {
  switch (dtype) {
    case TJ_BOOL:
    case TJ_UINT8:
    case TJ_UINT16:
    case TJ_UINT32:
    case TJ_UINT64: return false;
    default: return known(dtype);
  }
}

tj_dtype tj__real_of(tj_dtype dtype) { return dtype == TJ_COMPLEX64 ? TJ_FLOAT32 : dtype == TJ_COMPLEX128 ? TJ_FLOAT64 : dtype; }

tj_dtype tj__complex_of(tj_dtype dtype) {
  switch (dtype) {
    case TJ_FLOAT16:
    case TJ_BFLOAT16:
    case TJ_FLOAT32: return TJ_COMPLEX64;
    case TJ_FLOAT64: return TJ_COMPLEX128;
    default: return dtype;
  }
}

/* ---- the default dtype: one for the process, as in PyTorch ----------------------------------------------------- */

static _Atomic int default_dtype = TJ_FLOAT32;

tj_dtype tj_get_default_dtype(void) { return (tj_dtype)atomic_load_explicit(&default_dtype, memory_order_relaxed); }

int tj_set_default_dtype(tj_dtype dtype) {
  TJ__CHECK_STATUS(tj_dtype_is_floating(dtype), TJ_ERROR_TYPE, "only floating-point types are supported as the default type");
  atomic_store_explicit(&default_dtype, (int)dtype, memory_order_relaxed);
  return TJ_OK;
}

/* ---- scalars --------------------------------------------------------------------------------------------------- */

/* Casts that would be undefined in C give what x86-64 gives: the smallest int64, of which narrower types keep the low bits. */
double tj__scalar_to_double(tj_scalar s) {
  switch (s.kind) {
    case TJ_SCALAR_BOOL:
    case TJ_SCALAR_INT: return (double)s.i;
    case TJ_SCALAR_FLOAT: return s.f;
    case TJ_SCALAR_COMPLEX: return s.c.re;
    default: return 0;
  }
}

int64_t tj__scalar_to_int(tj_scalar s) {
  return s.kind == TJ_SCALAR_BOOL || s.kind == TJ_SCALAR_INT ? s.i : tj__whole64(tj__scalar_to_double(s));
}

static double imaginary(tj_scalar s) { return s.kind == TJ_SCALAR_COMPLEX ? s.c.im : 0; }

bool tj__scalar_is_zero(tj_scalar s) { return tj__scalar_equals(s, 0); }

bool tj__scalar_equals(tj_scalar s, double value) { return tj__scalar_to_double(s) == value && imaginary(s) == 0; }

tj_scalar tj__load_scalar(const void *p, tj_dtype dtype) {
  if (TJ__UNLIKELY(tj__is_device_address(p))) {
    tj__fail(TJ_ERROR_NOT_IMPLEMENTED, "this needs a number that is on webgpu: reading is asynchronous there; pass `await x.item()`");
    return TJ_NO_SCALAR;
  }
#define INTEGER(type)          \
  {                            \
    type v;                    \
    memcpy(&v, p, sizeof v);   \
    return tj_int((int64_t)v); \
  }
  switch (dtype) {
    case TJ_BOOL: return tj_bool(*(const uint8_t *)p != 0);
    case TJ_UINT8: INTEGER(uint8_t)
    case TJ_INT8: INTEGER(int8_t)
    case TJ_INT16: INTEGER(int16_t)
    case TJ_INT32: INTEGER(int32_t)
    case TJ_INT64: INTEGER(int64_t)
    case TJ_UINT16: INTEGER(uint16_t)
    case TJ_UINT32: INTEGER(uint32_t)
    case TJ_UINT64: INTEGER(uint64_t)
    case TJ_FLOAT16: {
      uint16_t v;
      memcpy(&v, p, 2);
      return tj_float((double)tj__half_to_float(v));
    }
    case TJ_BFLOAT16: {
      uint16_t v;
      memcpy(&v, p, 2);
      return tj_float((double)tj__bfloat16_to_float(v));
    }
    case TJ_FLOAT32: {
      float v;
      memcpy(&v, p, 4);
      return tj_float((double)v);
    }
    case TJ_FLOAT64: {
      double v;
      memcpy(&v, p, 8);
      return tj_float(v);
    }
    case TJ_COMPLEX64: {
      float v[2];
      memcpy(v, p, 8);
      return tj_complex_number((double)v[0], (double)v[1]);
    }
    case TJ_COMPLEX128: {
      double v[2];
      memcpy(v, p, 16);
      return tj_complex_number(v[0], v[1]);
    }
    default: return TJ_NO_SCALAR;
  }
#undef INTEGER
}

void tj__store_scalar(void *p, tj_dtype dtype, tj_scalar value) {
#define INTEGER(type)                        \
  {                                          \
    type v = (type)tj__scalar_to_int(value); \
    memcpy(p, &v, sizeof v);                 \
    return;                                  \
  }
  switch (dtype) {
    case TJ_BOOL: *(uint8_t *)p = tj__scalar_to_double(value) != 0 || imaginary(value) != 0; return;
    case TJ_UINT8: INTEGER(uint8_t)
    case TJ_INT8: INTEGER(int8_t)
    case TJ_INT16: INTEGER(int16_t)
    case TJ_INT32: INTEGER(int32_t)
    case TJ_INT64: INTEGER(int64_t)
    case TJ_UINT16: INTEGER(uint16_t)
    case TJ_UINT32: INTEGER(uint32_t)
    case TJ_UINT64: {
      double d = tj__scalar_to_double(value); /* floats of 2^63 and more fit too */
      uint64_t v = value.kind >= TJ_SCALAR_FLOAT && d >= 0x1p63 && d < 0x1p64 ? (uint64_t)d : (uint64_t)tj__scalar_to_int(value);
      memcpy(p, &v, 8);
      return;
    }
    case TJ_FLOAT16: {
      uint16_t v = tj__float_to_half((float)tj__scalar_to_double(value));
      memcpy(p, &v, 2);
      return;
    }
    case TJ_BFLOAT16: {
      uint16_t v = tj__float_to_bfloat16((float)tj__scalar_to_double(value));
      memcpy(p, &v, 2);
      return;
    }
    case TJ_FLOAT32: {
      float v = value.kind <= TJ_SCALAR_INT ? (float)value.i : (float)tj__scalar_to_double(value); /* one rounding */
      memcpy(p, &v, 4);
      return;
    }
    case TJ_FLOAT64: {
      double v = tj__scalar_to_double(value);
      memcpy(p, &v, 8);
      return;
    }
    case TJ_COMPLEX64: {
      float v[2] = {(float)tj__scalar_to_double(value), (float)imaginary(value)};
      memcpy(p, v, 8);
      return;
    }
    case TJ_COMPLEX128: {
      double v[2] = {tj__scalar_to_double(value), imaginary(value)};
      memcpy(p, v, 16);
      return;
    }
    default: return;
  }
#undef INTEGER
}
