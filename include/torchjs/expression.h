/* torchjs/expression.h: formulas as texts: "relu(x @ w + b)" is parsed once and evaluated as often as one likes, with gradients.
 *
 *     tj_expression *e = tj_expression_parse("where(mask, x, -inf)");
 *     tj_tensor *y = tj_expression_evaluate(e, TJ_TENSORS(mask, x));
 *     tj_expression_free(e);
 *
 * Operators, from the loosest to the tightest:
 *     c ? a : b       torch.where; associates to the right
 *     |   ^   &       bitwise
 *     == != <= >= < > not in chains: (a < b) & (b < c)
 *     + -
 *     // * / % @      as in Python
 *     -x ~x
 *     **              associates to the right; -x ** 2 is -(x ** 2)
 *     f(x, dim=0).field[0]
 * Numbers and their arithmetic among themselves are Python's. true, false, null, inf and nan are constants; 'text' is for options. Every function of
 * torch, torch.nn.functional, torch.special, torch.linalg and torch.fft that works out of place can be called by its name, linalg.norm by the full
 * one. Functions with several results are followed by the name of one, max(x, 1).values, lists of tensors by a number, split(x, 2)[0].
 * Everything else is a variable. Errors are RuntimeErrors with the position in the text (from 0); those of operators have it at their end. */
#ifndef TORCHJS_EXPRESSION_H
#define TORCHJS_EXPRESSION_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A parsed formula: it never changes, and may be evaluated from several threads at once. */
typedef struct tj_expression tj_expression;

TJ_API tj_expression *tj_expression_parse(const char *text); /* NULL and an error that says where */
TJ_API void tj_expression_free(tj_expression *e);            /* NULL is a no-op */
/* The variables in the order in which they first appear. */
TJ_API int64_t tj_expression_variable_count(const tj_expression *e);
TJ_API const char *tj_expression_variable(const tj_expression *e, int64_t i); /* NULL out of range; valid as long as e */
/* The value, with one tensor for each variable, in their order. Numbers are passed as tj_scalar_tensor(..): they count as numbers in type promotion
 * and may stand where a function wants a number. */
TJ_API tj_tensor *tj_expression_evaluate(const tj_expression *e, tj_tensors values);
/* The tree as JSON, for inspection: {"op":"+","left":..,"right":..}, {"op":"neg","arg":..}, {"op":"?:","cond":..,"then":..,"else":..},
 * {"fn":"sum","args":[..],"named":{"dim":..}}, {"var":"x"}, {"literal":2}, {"string":"mean"}, {"list":[..]}, {"field":"values","arg":..},
 * {"index":..,"arg":..}. Free it with tj_string_free. */
TJ_API char *tj_expression_tree(const tj_expression *e);

#ifdef __cplusplus
}
#endif
#endif
