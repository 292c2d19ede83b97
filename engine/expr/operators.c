/* operators.c: operators of expressions: on tensors those of the schema, on numbers Python's. */
#include "expr.h"
#include "shape_errors.h"

#include "ops.h"

const char *tj__value_name(const tj__value *v) {
  static const char *const names[] = {"None",           "bool", "int", "float", "complex", "Tensor", "str", "list", "tuple of Tensors",
                                      "list of Tensors"};
  return names[v->kind];
}

tj__value tj__value_of_number(tj_scalar number) {
  return (tj__value){.kind = (uint8_t)(TJ__VALUE_BOOL + (number.kind - TJ_SCALAR_BOOL)), .number = number};
}

tj_tensor *tj__value_tensor(const tj__value *v) {
  if (v->kind == TJ__VALUE_TENSOR) return v->tensor;
  return tj__value_is_number(v) ? tj_scalar_tensor(v->number) : NULL;
}

static bool of_tensor(tj__value *out, tj_tensor *t) {
  *out = (tj__value){.kind = TJ__VALUE_TENSOR, .tensor = t};
  return t != NULL;
}
static bool of_number(tj__value *out, tj_scalar number) {
  *out = tj__value_of_number(number);
  return true;
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static bool whole(const tj__value *v) { return v->kind == TJ__VALUE_BOOL || v->kind == TJ__VALUE_INT; }

static int64_t floor_quotient(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

/* a ** b of integers, b not negative; false where it does not fit. */
static bool whole_power(int64_t a, int64_t b, int64_t *out) {
  int64_t result = 1;
  for (; b; b >>= 1) {
    if (b & 1 && __builtin_mul_overflow(result, a, &result)) return false;
    if (b > 1 && __builtin_mul_overflow(a, a, &a)) return false;
  }
  *out = result;
  return true;
}

/* 1: done, 0: to be done with floats, -1: an error. */
static int whole_binary(const tj_expression *e, const tj__expr_node *node, int64_t a, int64_t b, bool bools, tj__value *out) {
  int64_t r;
  switch (node->operation) {
    case TJ__OP_add: return !__builtin_add_overflow(a, b, &r) && of_number(out, tj_int(r));
    case TJ__OP_sub: return !__builtin_sub_overflow(a, b, &r) && of_number(out, tj_int(r));
    case TJ__OP_mul: return !__builtin_mul_overflow(a, b, &r) && of_number(out, tj_int(r));
    case TJ__OP_pow: return b >= 0 && whole_power(a, b, &r) && of_number(out, tj_int(r));
    case TJ__OP_floor_divide:
    case TJ__OP_remainder:
      if (b == 0) return tj__expr_fail(e, node->at, "division of %lld by zero", (long long)a), -1;
      if (b == -1 && a == INT64_MIN) return 0;
      return of_number(out, tj_int(node->operation == TJ__OP_remainder ? a - floor_quotient(a, b) * b : floor_quotient(a, b)));
    case TJ__OP_bitwise_and: return of_number(out, bools ? tj_bool(a & b) : tj_int(a & b));
    case TJ__OP_bitwise_or: return of_number(out, bools ? tj_bool(a | b) : tj_int(a | b));
    case TJ__OP_bitwise_xor: return of_number(out, bools ? tj_bool(a ^ b) : tj_int(a ^ b));
    case TJ__OP_eq: return of_number(out, tj_bool(a == b));
    case TJ__OP_ne: return of_number(out, tj_bool(a != b));
    case TJ__OP_lt: return of_number(out, tj_bool(a < b));
    case TJ__OP_le: return of_number(out, tj_bool(a <= b));
    case TJ__OP_gt: return of_number(out, tj_bool(a > b));
    case TJ__OP_ge: return of_number(out, tj_bool(a >= b));
    default: return 0;
  }
}

static bool float_binary(const tj_expression *e, const tj__expr_node *node, double a, double b, tj__value *out) {
  const bool divides = node->operation == TJ__OP_div || node->operation == TJ__OP_floor_divide || node->operation == TJ__OP_remainder;
  if (divides && b == 0) return tj__expr_fail(e, node->at, "division of %.17g by zero", a) != NULL;
  switch (node->operation) {
    case TJ__OP_add: return of_number(out, tj_float(a + b));
    case TJ__OP_sub: return of_number(out, tj_float(a - b));
    case TJ__OP_mul: return of_number(out, tj_float(a * b));
    case TJ__OP_div: return of_number(out, tj_float(a / b));
    case TJ__OP_floor_divide: return of_number(out, tj_float(floor(a / b)));
    case TJ__OP_remainder: {
      const double r = fmod(a, b);
      return of_number(out, tj_float(r != 0 && (r < 0) != (b < 0) ? r + b : r));
    }
    case TJ__OP_pow: return of_number(out, tj_float(pow(a, b)));
    case TJ__OP_eq: return of_number(out, tj_bool(a == b));
    case TJ__OP_ne: return of_number(out, tj_bool(a != b));
    case TJ__OP_lt: return of_number(out, tj_bool(a < b));
    case TJ__OP_le: return of_number(out, tj_bool(a <= b));
    case TJ__OP_gt: return of_number(out, tj_bool(a > b));
    case TJ__OP_ge: return of_number(out, tj_bool(a >= b));
    default: return tj__expr_fail(e, node->at, "this operator is not for two numbers of type float") != NULL;
  }
}

/* ---- tensors ------------------------------------------------------------------------------------------------- */

static tj_tensor *tensor_binary(int operation, tj_tensor *a, tj_tensor *b) {
  switch ((tj__operation)operation) {
    case TJ__OP_add: return tj_add(a, b, tj_int(1));
    case TJ__OP_sub: return tj_sub(a, b, tj_int(1));
    case TJ__OP_mul: return tj_mul(a, b);
    case TJ__OP_div: return tj_div(a, b);
    case TJ__OP_floor_divide: return tj_floor_divide(a, b);
    case TJ__OP_remainder: return tj_remainder(a, b);
    case TJ__OP_matmul: return tj_matmul(a, b);
    case TJ__OP_pow: return tj_pow(a, b);
    case TJ__OP_bitwise_and: return tj_bitwise_and(a, b);
    case TJ__OP_bitwise_or: return tj_bitwise_or(a, b);
    case TJ__OP_bitwise_xor: return tj_bitwise_xor(a, b);
    case TJ__OP_eq: return tj_eq(a, b);
    case TJ__OP_ne: return tj_ne(a, b);
    case TJ__OP_lt: return tj_lt(a, b);
    case TJ__OP_le: return tj_le(a, b);
    case TJ__OP_gt: return tj_gt(a, b);
    case TJ__OP_ge: return tj_ge(a, b);
    case TJ__OP_neg:
    case TJ__OP_bitwise_not: break; /* of one operand */
  }
  return tj__fail(TJ_ERROR_INTERNAL, "there is no binary operator %d", operation);
}

static const char *symbol(int operation) {
  switch (operation) {
#define TJ__X(text, function, level, associates) \
  case TJ__OP_##function: return text;
    TJ__BINARY_OPERATORS(TJ__X)
#undef TJ__X
#define TJ__X(text, function, level) \
  case TJ__OP_##function: return text;
    TJ__PREFIX_OPERATORS(TJ__X)
#undef TJ__X
    default: return "";
  }
}

static bool is_operand(const tj__value *v) { return v->kind == TJ__VALUE_TENSOR || tj__value_is_number(v); }

bool tj__expr_binary(const tj_expression *e, const tj__expr_node *node, const tj__value *a, const tj__value *b, tj__value *out) {
  if (!is_operand(a) || !is_operand(b))
    return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_1, symbol(node->operation), tj__value_name(a), tj__value_name(b)) !=
           NULL;
  if (a->kind == TJ__VALUE_TENSOR || b->kind == TJ__VALUE_TENSOR || a->kind == TJ__VALUE_COMPLEX || b->kind == TJ__VALUE_COMPLEX) {
    tj_tensor *x = tj__value_tensor(a), *y = tj__value_tensor(b);
    return of_tensor(out, x && y ? tensor_binary(node->operation, x, y) : NULL);
  }
  if (node->operation == TJ__OP_matmul)
    return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_1, "@", tj__value_name(a), tj__value_name(b)) != NULL;
  if (whole(a) && whole(b)) {
    const int done = whole_binary(e, node, a->number.i, b->number.i, a->kind == TJ__VALUE_BOOL && b->kind == TJ__VALUE_BOOL, out);
    if (done) return done > 0;
  }
  return float_binary(e, node, tj__scalar_to_double(a->number), tj__scalar_to_double(b->number), out);
}

bool tj__expr_prefix(const tj_expression *e, const tj__expr_node *node, const tj__value *a, tj__value *out) {
  const bool negates = node->operation == TJ__OP_neg;
  if (a->kind == TJ__VALUE_TENSOR) return of_tensor(out, negates ? tj_neg(a->tensor) : tj_bitwise_not(a->tensor));
  if (whole(a) && negates && a->number.i != INT64_MIN) return of_number(out, tj_int(-a->number.i));
  if (a->kind == TJ__VALUE_BOOL && !negates) return of_number(out, tj_bool(!a->number.i));
  if (a->kind == TJ__VALUE_INT && !negates) return of_number(out, tj_int(~a->number.i));
  if (a->kind == TJ__VALUE_FLOAT && negates) return of_number(out, tj_float(-a->number.f));
  if (a->kind == TJ__VALUE_COMPLEX && negates) return of_number(out, tj_complex_number(-a->number.c.re, -a->number.c.im));
  return tj__expr_fail(e, node->at, TJ__TEXT_expression_error_operand_3, symbol(node->operation), tj__value_name(a)) != NULL;
}
