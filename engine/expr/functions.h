/* functions.h: the functions that expressions can call, by name: the table is generated (build/gen/ops/expression_functions.c). */
#ifndef TJ__EXPR_FUNCTIONS_H
#define TJ__EXPR_FUNCTIONS_H

#include "../core/core.h"

/* An argument as the C function takes it. */
typedef union tj__bound {
  tj_tensor *tensor;
  tj_scalar scalar;
  int64_t i;
  double f;
  int b;
  const char *s;
  tj_dtype dtype;
  tj_device device;
  tj_generator *generator;
  tj_tensors tensors;
  tj_ints ints;
  tj_floats floats;
} tj__bound;

enum {
  TJ__ARG_LIST = 1,
  TJ__ARG_OPTIONAL = 2, /* may be null */
  TJ__ARG_HOLES = 4,    /* a list whose items may be null */
  TJ__ARG_DEFAULT = 8,
  TJ__ARG_KEYWORD = 16,
  TJ__ARG_NUMBER = 32,  /* a Tensor for which a number may stand */
  TJ__ARG_VARIADIC = 64 /* ints that may be given one by one */
};

typedef struct tj__function_argument {
  const char *name;
  char type; /* T S i f b s t d g: Tensor, Scalar, int, float, bool, str, ScalarType, Device, Generator */
  uint8_t flags;
  int size; /* int[2]: one int stands for two */
  tj__bound otherwise;
} tj__function_argument;

enum { TJ__MOST_RESULTS = 8, TJ__MOST_ARGUMENTS = 24 };
typedef struct tj__returned {
  tj_tensor *tensors[TJ__MOST_RESULTS];
  int n;
  tj_list *list;
  tj_scalar scalar;
} tj__returned;

typedef struct tj__function {
  const char *name;
  int rank; /* of its namespace: torch, nn.functional, special, linalg, fft */
  int n;
  const tj__function_argument *args;
  char returns; /* T: a tensor, M: several with names, L: a list, S: a number */
  const char *const *fields;
  bool (*call)(const tj__bound *args, tj__returned *r); /* false: failed */
} tj__function;

extern const tj__function tj__functions[]; /* by name, then rank; overloads in the order in which they are tried */
extern const int tj__function_count;

#endif
