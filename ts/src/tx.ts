// torch.tx: the expression language and its types.
export {
  $,
  createLazyExpression,
  extractVariables,
  LazyExpression,
  parse,
  type Bindings,
  type Dollar,
  type PatternFunction,
  type PatternOf,
  type TensorExprResult,
} from './expression.js'
export type {
  EvalExprShape,
  ExpressionNode,
  ExtractVariables,
  ParseExprPattern,
  PatternExprResult,
  PatternExprShape,
  PatternVariables,
  TensorOrNumber,
} from './types/expression.js'
export type {
  expression_error_operand,
  expression_error_syntax,
  expression_error_unknown_function,
  expression_error_wrong_arguments,
  pattern_error_extra_variables,
  pattern_error_missing_variables,
} from './generated/shape_errors.js'
