/* elements.h: the element types of the dtypes, for kernels that are written once and made for every dtype.
 *
 * X(DTYPE, tag, T, A, LOAD, STORE, EXTRA): T is how an element is stored, A the type it is computed in, LOAD and STORE lead from one to
 * the other. float16 and bfloat16 compute in float. */
#ifndef TJ__ELEMENTS_H
#define TJ__ELEMENTS_H

#include <complex.h>
#undef I /* complex.h's; too short a name to keep */

#include "../core/core.h"

typedef float _Complex tj__c64;
typedef double _Complex tj__c128;

#define TJ__SAME(x) (x)
#define TJ__TO_BOOL(x) ((uint8_t)((x) != 0))

#define TJ__ELEMENTS_BOOL(X, E) X(TJ_BOOL, b8, uint8_t, uint8_t, TJ__SAME, TJ__TO_BOOL, E)
#define TJ__ELEMENTS_INT(X, E)                                 \
  X(TJ_UINT8, u8, uint8_t, uint8_t, TJ__SAME, TJ__SAME, E)     \
  X(TJ_INT8, i8, int8_t, int8_t, TJ__SAME, TJ__SAME, E)        \
  X(TJ_INT16, i16, int16_t, int16_t, TJ__SAME, TJ__SAME, E)    \
  X(TJ_INT32, i32, int32_t, int32_t, TJ__SAME, TJ__SAME, E)    \
  X(TJ_INT64, i64, int64_t, int64_t, TJ__SAME, TJ__SAME, E)    \
  X(TJ_UINT16, u16, uint16_t, uint16_t, TJ__SAME, TJ__SAME, E) \
  X(TJ_UINT32, u32, uint32_t, uint32_t, TJ__SAME, TJ__SAME, E) \
  X(TJ_UINT64, u64, uint64_t, uint64_t, TJ__SAME, TJ__SAME, E)
#define TJ__ELEMENTS_HALF(X, E)                                                \
  X(TJ_FLOAT16, f16, uint16_t, float, tj__half_to_float, tj__float_to_half, E) \
  X(TJ_BFLOAT16, bf16, uint16_t, float, tj__bfloat16_to_float, tj__float_to_bfloat16, E)
#define TJ__ELEMENTS_FLOAT(X, E)                          \
  X(TJ_FLOAT32, f32, float, float, TJ__SAME, TJ__SAME, E) \
  X(TJ_FLOAT64, f64, double, double, TJ__SAME, TJ__SAME, E)
#define TJ__ELEMENTS_COMPLEX(X, E)                              \
  X(TJ_COMPLEX64, c64, tj__c64, tj__c64, TJ__SAME, TJ__SAME, E) \
  X(TJ_COMPLEX128, c128, tj__c128, tj__c128, TJ__SAME, TJ__SAME, E)

#define TJ__ELEMENTS_FLOATING(X, E) TJ__ELEMENTS_HALF(X, E) TJ__ELEMENTS_FLOAT(X, E)
#define TJ__ELEMENTS_REAL(X, E) TJ__ELEMENTS_BOOL(X, E) TJ__ELEMENTS_INT(X, E) TJ__ELEMENTS_FLOATING(X, E)
#define TJ__ELEMENTS_ALL(X, E) TJ__ELEMENTS_REAL(X, E) TJ__ELEMENTS_COMPLEX(X, E)

#endif
