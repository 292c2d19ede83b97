/* torchjs/types.h: the plain values that every call of the library is made of: dtypes, devices, scalars, lists, errors.
 *
 * Nothing here owns memory. A tj_ints or tj_tensors passed to a function is only read during that call. */
#ifndef TORCHJS_TYPES_H
#define TORCHJS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define TJ_API __declspec(dllexport)
#else
#define TJ_API __attribute__((visibility("default")))
#endif

/* The largest number of dimensions of a tensor. */
#define TJ_MAX_DIMS 64

/* ---- dtypes -------------------------------------------------------------------------------------------------- */

/* X(SUFFIX, name, bytes, legacy) once per dtype. `name` is PyTorch's ("float32"), `legacy` the word its error texts use ("Float").
 * float16 and bfloat16 are stored as their 16 bits, complex numbers as (real, imaginary). */
#define TJ_DTYPES(X)                       \
  X(BOOL, bool, 1, Bool)                   \
  X(UINT8, uint8, 1, Byte)                 \
  X(INT8, int8, 1, Char)                   \
  X(INT16, int16, 2, Short)                \
  X(INT32, int32, 4, Int)                  \
  X(INT64, int64, 8, Long)                 \
  X(UINT16, uint16, 2, UInt16)             \
  X(UINT32, uint32, 4, UInt32)             \
  X(UINT64, uint64, 8, UInt64)             \
  X(FLOAT16, float16, 2, Half)             \
  X(BFLOAT16, bfloat16, 2, BFloat16)       \
  X(FLOAT32, float32, 4, Float)            \
  X(FLOAT64, float64, 8, Double)           \
  X(COMPLEX64, complex64, 8, ComplexFloat) \
  X(COMPLEX128, complex128, 16, ComplexDouble)

typedef enum tj_dtype {
  TJ_DTYPE_NONE = -1, /* "not given": the operator's default (Python's None) */
#define TJ__X(SUFFIX, name, bytes, legacy) TJ_##SUFFIX,
  TJ_DTYPES(TJ__X)
#undef TJ__X
      TJ_DTYPE_COUNT
} tj_dtype;

TJ_API const char *tj_dtype_name(tj_dtype dtype);     /* "float32"; NULL for a value that is no dtype */
TJ_API tj_dtype tj_dtype_from_name(const char *name); /* TJ_DTYPE_NONE for a name that is no dtype */
TJ_API size_t tj_dtype_size(tj_dtype dtype);          /* bytes of one element */
TJ_API bool tj_dtype_is_floating(tj_dtype dtype);     /* float16 bfloat16 float32 float64 */
TJ_API bool tj_dtype_is_complex(tj_dtype dtype);
TJ_API bool tj_dtype_is_signed(tj_dtype dtype);

/* The dtype that both promote to (torch.promote_types). TJ_DTYPE_NONE and an error for uint16, uint32 or uint64 with another dtype. */
TJ_API tj_dtype tj_promote_types(tj_dtype a, tj_dtype b);
TJ_API bool tj_can_cast(tj_dtype from, tj_dtype to); /* torch.can_cast */
TJ_API tj_dtype tj_get_default_dtype(void);
TJ_API int tj_set_default_dtype(tj_dtype dtype); /* floating dtypes only; 0, or a negative tj_status */

/* ---- devices ------------------------------------------------------------------------------------------------- */

/* A device is a type in the high byte and an index in the low one. */
typedef int32_t tj_device;
#define TJ_DEVICE_NONE ((tj_device)-1) /* "not given" */
#define TJ_CPU ((tj_device)0x000)
#define TJ_WEBGPU(index) ((tj_device)(0x100 + (index)))
/* The device of tensors that are made without one, of this thread (torch.set_default_device). TJ_CPU at first. */
TJ_API tj_device tj_get_default_device(void);
TJ_API int tj_set_default_device(tj_device device); /* 0, or a negative tj_status for a device that is not there */

/* ---- scalars ------------------------------------------------------------------------------------------------- */

typedef enum tj_scalar_kind { TJ_SCALAR_NONE, TJ_SCALAR_BOOL, TJ_SCALAR_INT, TJ_SCALAR_FLOAT, TJ_SCALAR_COMPLEX } tj_scalar_kind;

/* A number with the kind it was written with: kinds matter in type promotion. */
typedef struct tj_scalar {
  tj_scalar_kind kind;
  union {
    int64_t i; /* BOOL (0 or 1), INT */
    double f;  /* FLOAT */
    struct {
      double re, im;
    } c; /* COMPLEX */
  };
} tj_scalar;

#define TJ_NO_SCALAR ((tj_scalar){.kind = TJ_SCALAR_NONE})
static inline tj_scalar tj_bool(bool v) { return (tj_scalar){.kind = TJ_SCALAR_BOOL, .i = v}; }
static inline tj_scalar tj_int(int64_t v) { return (tj_scalar){.kind = TJ_SCALAR_INT, .i = v}; }
static inline tj_scalar tj_float(double v) { return (tj_scalar){.kind = TJ_SCALAR_FLOAT, .f = v}; }
static inline tj_scalar tj_complex_number(double re, double im) { return (tj_scalar){.kind = TJ_SCALAR_COMPLEX, .c = {re, im}}; }

/* An optional int argument that is not given. */
#define TJ_NO_INT INT64_MIN
/* An optional bool argument (type int): not given. */
#define TJ_NO_BOOL (-1)

/* ---- lists --------------------------------------------------------------------------------------------------- */

typedef struct tj_tensor tj_tensor;
typedef struct tj_generator tj_generator;

typedef struct tj_ints {
  const int64_t *data;
  int64_t n; /* -1: not given */
} tj_ints;

typedef struct tj_floats {
  const double *data;
  int64_t n; /* -1: not given */
} tj_floats;

typedef struct tj_tensors {
  tj_tensor *const *data;
  int64_t n; /* -1: not given */
} tj_tensors;

/* TJ_INTS(2, 3): a list written in place. TJ_NO_DIMS: the empty list, the sizes of a 0-dimensional tensor. */
#define TJ_INTS(...) ((tj_ints){(const int64_t[]){__VA_ARGS__}, (int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))})
#define TJ_FLOATS(...) ((tj_floats){(const double[]){__VA_ARGS__}, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))})
#define TJ_TENSORS(...) \
  ((tj_tensors){(tj_tensor *const[]){__VA_ARGS__}, (int64_t)(sizeof((tj_tensor *[]){__VA_ARGS__}) / sizeof(tj_tensor *))})
#define TJ_NO_DIMS ((tj_ints){NULL, 0})
#define TJ_NO_INTS ((tj_ints){NULL, -1})
#define TJ_NO_FLOATS ((tj_floats){NULL, -1})

/* ---- errors -------------------------------------------------------------------------------------------------- */

/* X(CODE, name, text) once per kind of error; `name` is the exception that PyTorch raises. */
#define TJ_ERRORS(X)                                                            \
  X(RUNTIME, RuntimeError, "the operation cannot be done with these arguments") \
  X(INDEX, IndexError, "an index or a dimension is out of range")               \
  X(TYPE, TypeError, "an argument has a wrong type")                            \
  X(VALUE, ValueError, "an argument has a value that is not allowed")           \
  X(KEY, KeyError, "a name is not there")                                       \
  X(ATTRIBUTE, AttributeError, "an attribute is not there")                     \
  X(ASSERTION, AssertionError, "a condition that has to hold does not")         \
  X(NOT_IMPLEMENTED, NotImplementedError, "there is no implementation of this") \
  X(MEMORY, OutOfMemoryError, "memory could not be allocated")                  \
  X(DISPOSED, DisposedError, "a tensor was used after its disposal")            \
  X(DEVICE, DeviceError, "a device is missing or was lost")                     \
  X(INTERNAL, InternalError, "the library broke a rule of its own")

/* 0 for success, else the negative of one of the codes. */
typedef enum tj_status {
  TJ_OK = 0,
  TJ__STATUS_BASE = -100,
#define TJ__X(CODE, name, text) TJ_ERROR_##CODE,
  TJ_ERRORS(TJ__X)
#undef TJ__X
} tj_status;

/* The error of the calling thread. The first error is kept: until tj_error_clear, later failures do not replace it, and a call whose
 * required tensor is NULL fails without a new one. A chain of calls can therefore be checked once, at its end:
 *     tj_tensor *y = tj_relu(tj_linear(x, w, b));
 *     if (!y) { fprintf(stderr, "%s\n", tj_error_message()); tj_error_clear(); } */
TJ_API tj_status tj_error_code(void);      /* TJ_OK when there is none */
TJ_API const char *tj_error_name(void);    /* "RuntimeError", ...; "" when there is none */
TJ_API const char *tj_error_message(void); /* "" when there is none; valid until the next call into the library on this thread */
TJ_API void tj_error_clear(void);

#ifdef __cplusplus
}
#endif
#endif
