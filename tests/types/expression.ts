// What the compiler knows of expressions. Checked by `tsc -p tests/types`; never run.
import torch, { $, type Tensor } from 'torch.js'
import type { tx } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

const x = torch.zeros(2, 3)
const w = torch.zeros(3, 4)
const b = torch.zeros(4)
const mask = torch.ones([2, 3], { dtype: 'bool' })

// ---- shapes --------------------------------------------------------------------------------------------------------

const layer = $('relu(x @ w + b)')
const y = layer({ x, w, b })
is<Equal<typeof y, Tensor<readonly [2, 4], 'float32', 'cpu'>>>()
is<Equal<typeof layer.pattern, 'relu(x @ w + b)'>>()
is<Equal<typeof layer.variables, readonly ('x' | 'w' | 'b')[]>>()
const scaled = $('2 * x + 1')({ x })
is<Equal<typeof scaled, Tensor<readonly [2, 3], 'float32', 'cpu'>>>()
const compared = $('(x > 0) & ~mask')({ x, mask })
is<Equal<typeof compared, Tensor<readonly [2, 3], 'bool', 'cpu'>>>()
const chosen = $('mask ? x : row')({ mask, x, row: torch.zeros(1, 3) })
is<Equal<typeof chosen.shape, readonly [2, 3]>>()
const power = $('-x ** 2 // 3 % y')({ x, y: torch.zeros(5, 1, 3) })
is<Equal<typeof power.shape, readonly [5, 2, 3]>>()
const numbers = $('a * x + c')({ a: 2, x, c: 0.5 })
is<Equal<typeof numbers.shape, readonly [2, 3]>>()
const row = $('x[0]')({ x })
is<Equal<typeof row.shape, readonly [3]>>()
const transposed = $('transpose(x, 0, 1) @ x')({ x })
is<Equal<typeof transposed.shape, readonly [3, 3]>>()
const named = $('transpose(x, dim1=1, dim0=0)')({ x })
is<Equal<typeof named.shape, readonly [3, 2]>>()
const viewed = $('view(x, [3, 2])')({ x })
is<Equal<typeof viewed.shape, readonly [3, 2]>>()
const variadic = $('permute(x, 1, 0)')({ x })
is<Equal<typeof variadic.shape, readonly [3, 2]>>()
const clamped = $('where(mask, clamp(x, 0, 1), -inf)')({ x, mask })
is<Equal<typeof clamped.shape, readonly [2, 3]>>()
const made = $('zeros([2, 5]) + x')({ x: torch.zeros(5) })
is<Equal<typeof made.shape, readonly [2, 5]>>()
const field = $('max(x, 1).values')({ x })
is<Equal<typeof field, Tensor<readonly [2], 'float32', 'cpu'>>>()
const places = $('max(x, 1, keepdim=true).indices')({ x })
is<Equal<typeof places, Tensor<readonly [2, 1], 'int64', 'cpu'>>>()
const summed = $('sum(x, 1, true)')({ x })
is<Equal<typeof summed, Tensor<readonly [2, 1], 'float32', 'cpu'>>>()
const total = $('sum(x > 0)')({ x })
is<Equal<typeof total, Tensor<readonly [], 'int64', 'cpu'>>>()
const joined = $('cat([x, y], dim=0)')({ x, y: torch.zeros(5, 3) })
is<Equal<typeof joined.shape, readonly [7, 3]>>()
const half = $('split(x, 1)[1]')({ x })
is<Equal<typeof half.shape, readonly [1, 3]>>()
const image = $('conv2d(x, w, stride=2, padding=[1, 1])')({ x: torch.zeros(1, 3, 32, 32), w: torch.zeros(8, 3, 3, 3) })
is<Equal<typeof image.shape, readonly [1, 8, 16, 16]>>()
const mixed = $('i + x')({ i: torch.zeros([2, 3], { dtype: 'int64' }), x })
is<Equal<typeof mixed.dtype, 'float32'>>()
const asked = $("zeros([2], dtype='int64')")({})
is<Equal<typeof asked, Tensor<readonly [2], 'int64', 'cpu'>>>()
const plain = $('1 + 2 * 3')({})
is<Equal<typeof plain.shape, readonly []>>()
const conditional = $('flag ? x : w')({ flag: true, x, w })
is<Equal<typeof conditional.shape, readonly [2, 3]>>()

// What is not known passes.
declare const text: string
const unknownText = $(text)({ x })
is<Equal<typeof unknownText.shape, readonly number[]>>()
declare const anything: Tensor
const unknownShape = $('anything + x')({ anything, x })
is<Equal<typeof unknownShape.shape, readonly number[]>>()

// ---- trees ---------------------------------------------------------------------------------------------------------

is<
  Equal<
    tx.ParseExprPattern<'a + b * c'>,
    {
      readonly op: '+'
      readonly left: { readonly var: 'a' }
      readonly right: { readonly op: '*'; readonly left: { readonly var: 'b' }; readonly right: { readonly var: 'c' } }
    }
  >
>()
is<
  Equal<
    tx.ParseExprPattern<'f(x, dim=1).values'>,
    {
      readonly field: 'values'
      readonly arg: {
        readonly fn: 'f'
        readonly args: readonly [{ readonly var: 'x' }]
        readonly named: { readonly dim: { readonly literal: 1 } }
      }
    }
  >
>()
is<Equal<tx.ExtractVariables<'relu(x @ w) ? 1 : [a, true, "b"]'>, 'x' | 'w' | 'a'>>()
is<Equal<tx.EvalExprShape<tx.ParseExprPattern<'x @ w'>, { x: Tensor<readonly [2, 3]>; w: Tensor<readonly [3, 4]> }>, readonly [2, 4]>>()

// ---- refused -------------------------------------------------------------------------------------------------------

const inner = $('x @ w')({ x, w: torch.zeros(5, 4) })
is<Equal<typeof inner, torch.matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>>>()
// @ts-expect-error the inner dimensions do not match
inner.sum()
const sizes = $('x + b')({ x, b })
is<Equal<typeof sizes, torch.broadcast_error_incompatible_dimensions<3, 4>>>()
const deep = $('relu(sigmoid(x @ w) + x)')({ x, w })
is<Equal<typeof deep, torch.broadcast_error_incompatible_dimensions<4, 3>>>()
const missing = $('x @ w')({ x })
is<Equal<typeof missing, tx.pattern_error_missing_variables<'w', 'x @ w'>>>()
const extra = $('x + 1')({ x, w })
is<Equal<typeof extra, tx.pattern_error_extra_variables<'w', 'x + 1'>>>()
const syntax = $('x @')
is<Equal<typeof syntax, tx.expression_error_syntax<'x @', 'expected an operand, but the expression ends'>>>()
// @ts-expect-error an error is no function
syntax({ x })
const closing = $('(x + 1')
is<Equal<typeof closing, tx.expression_error_syntax<'(x + 1', 'expected ")", but the expression ends'>>>()
const chained = $('a < b < c')
is<Equal<typeof chained, tx.expression_error_syntax<'a < b < c', 'comparisons cannot be chained: write (a < b) & (b < c)'>>>()
const operator = $('x + * y')
is<Equal<typeof operator, tx.expression_error_syntax<'x + * y', 'expected an operand, but got "*"'>>>()
const unknownFunction = $('rleu(x)')({ x })
is<Equal<typeof unknownFunction, tx.expression_error_unknown_function<'rleu'>>>()
const wrongArguments = $('relu(x, "a", 3, 4)')({ x })
is<Equal<typeof wrongArguments, tx.expression_error_wrong_arguments<'relu'>>>()
const operand = $('x + "a"')({ x })
is<Equal<typeof operand, tx.expression_error_operand<'+', 'text'>>>()
const channels = $('conv2d(x, w)')({ x: torch.zeros(1, 4, 8, 8), w: torch.zeros(8, 3, 3, 3) })
is<Equal<typeof channels, torch.conv_error_channels_do_not_match<4, 3>>>()
const out = $('x[2]')({ x })
is<Equal<typeof out, torch.select_error_index_out_of_bounds<2, 0, 2>>>()

// ---- templates and lazy expressions --------------------------------------------------------------------------------

const direct = $`${x} @ ${w} + ${1}`
export const directTensor: Tensor = direct
export function nothing(): never {
  return $`1 + 1`
}
// @ts-expect-error a text is no operand
$`${x} + ${'a'}`

const lazy = $.lazy('x @ w + b')
const bound = lazy.with({ x, w })
const result = bound.execute({ b })
is<Equal<typeof result, Tensor<readonly [2, 4], 'float32', 'cpu'>>>()
const incomplete = bound.execute()
is<Equal<typeof incomplete, tx.pattern_error_missing_variables<'b', 'x @ w + b'>>>()
