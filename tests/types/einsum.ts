// What the compiler knows of einsum. Checked by `tsc -p tests/types`; never run.
import torch, { type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

const a = torch.zeros(2, 3)
const b = torch.zeros(3, 4)

const product = torch.einsum('ij,jk->ik', a, b)
is<Equal<typeof product, Tensor<readonly [2, 4], 'float32', 'cpu'>>>()
const inArray = torch.einsum('ij,jk->ik', [a, b], { path: [0, 1] })
is<Equal<typeof inArray.shape, readonly [2, 4]>>()
const implicit = torch.einsum('ij, jk', a, b)
is<Equal<typeof implicit.shape, readonly [2, 4]>>()
const alphabetical = torch.einsum('bA', a)
is<Equal<typeof alphabetical.shape, readonly [3, 2]>>()
const trace = torch.einsum('ii->', torch.zeros(3, 3))
is<Equal<typeof trace.shape, readonly []>>()
const dot = torch.einsum('i,i->', torch.zeros(3), torch.zeros(3))
is<Equal<typeof dot.shape, readonly []>>()
const batched = torch.einsum('...ij,...jk->...ik', torch.zeros(5, 1, 2, 3), torch.zeros(7, 3, 4))
is<Equal<typeof batched.shape, readonly [5, 7, 2, 4]>>()
const lastDots = torch.einsum('i...j->j...', torch.zeros(2, 3, 4, 5))
is<Equal<typeof lastDots.shape, readonly [5, 3, 4]>>()
const ones = torch.einsum('ij,ij->ij', torch.zeros(1, 3), a)
is<Equal<typeof ones.shape, readonly [2, 3]>>()
const attention = torch.einsum('bhqd,bhkd->bhqk', torch.zeros(2, 8, 10, 64), torch.zeros(2, 8, 12, 64))
is<Equal<typeof attention.shape, readonly [2, 8, 10, 12]>>()
const chain = torch.einsum('ab,bc,cd,de->ae', a, b, torch.zeros(4, 5), torch.zeros(5, 6))
is<Equal<typeof chain.shape, readonly [2, 6]>>()

// Sublists.
const sublists = torch.einsum(a, [0, 1], b, [1, 2], [0, 2])
is<Equal<typeof sublists.shape, readonly [2, 4]>>()
const transposed = torch.einsum(a, [27, 26])
is<Equal<typeof transposed.shape, readonly [3, 2]>>()
const dots = torch.einsum(torch.zeros(2, 3, 4), [torch.Ellipsis, 0], torch.zeros(4, 5), [0, 1], [1, torch.Ellipsis])
is<Equal<typeof dots.shape, readonly [5, 2, 3]>>()

// Unknown sizes and ranks pass.
declare const n: number
declare const anything: Tensor
const unknownSize = torch.einsum('ij,jk->ik', torch.zeros(n, 3), b)
is<Equal<typeof unknownSize.shape, readonly [number, 4]>>()
const unknownRank = torch.einsum('ij,jk->ikj', anything, b)
is<Equal<typeof unknownRank.shape, readonly [number, 4, 3]>>()
const unknownDots = torch.einsum('...j,jk->...k', anything, b)
is<Equal<typeof unknownDots.shape, readonly number[]>>()
declare const text: string
const unknownEquation = torch.einsum(text, a, b)
is<Equal<typeof unknownEquation.shape, readonly number[]>>()
declare const list: Tensor[]
const unknownList = torch.einsum('ij,jk->ik', list)
is<Equal<typeof unknownList.shape, readonly number[]>>()

// Refused, with the numbers.
const sizes = torch.einsum('ij,jk->ik', a, torch.zeros(5, 4))
is<Equal<typeof sizes, torch.einsum_error_dimension_mismatch<'j', 3, 5, 'ij,jk->ik'>>>()
// @ts-expect-error j is 3 and 5
sizes.sum()
const diagonal = torch.einsum('ii->i', a)
is<Equal<typeof diagonal, torch.einsum_error_dimension_mismatch<'i', 2, 3, 'ii->i'>>>()
const diagonalOne = torch.einsum('ii->i', torch.zeros(1, 3))
is<Equal<typeof diagonalOne, torch.einsum_error_dimension_mismatch<'i', 1, 3, 'ii->i'>>>()
const hidden = torch.einsum('...,...->...', a, torch.zeros(2, 4))
is<Equal<typeof hidden, torch.einsum_error_dimension_mismatch<'...', readonly [2, 3], readonly [2, 4], '...,...->...'>>>()
const count = torch.einsum('ij,jk->ik', a)
is<Equal<typeof count, torch.einsum_error_operand_count_mismatch<2, 1, 'ij,jk->ik'>>>()
const rank = torch.einsum('ijk->i', a)
is<Equal<typeof rank, torch.einsum_error_subscript_rank_mismatch<readonly ['i', 'j', 'k'], readonly [2, 3], 'ijk->i'>>>()
const fewer = torch.einsum('i->i', a)
is<Equal<typeof fewer, torch.einsum_error_subscript_rank_mismatch<readonly ['i'], readonly [2, 3], 'i->i'>>>()
const output = torch.einsum('ij->ik', a)
is<Equal<typeof output, torch.einsum_error_unknown_output_index<'k', 'ij->ik'>>>()
const twice = torch.einsum('ij->ii', a)
is<
  Equal<typeof twice, torch.einsum_error_invalid_equation<'ij->ii', 'einsum(): output subscript i appears more than once in the output'>>
>()
const letter = torch.einsum('i?->i', a)
is<
  Equal<
    typeof letter,
    torch.einsum_error_invalid_equation<
      'i?->i',
      `einsum(): invalid subscript given at index ${number} in the equation string, subscripts must be in [a-zA-Z]`
    >
  >
>()
const second = torch.einsum('...i...', a)
is<
  Equal<
    typeof second,
    torch.einsum_error_invalid_equation<'...i...', "einsum(): found '.' for operand 0 for which an ellipsis was already found">
  >
>()
const range = torch.einsum(a, [0, 52])
is<Equal<typeof range, torch.einsum_error_index_out_of_range<52>>>()
const element = torch.einsum(a, ['i', 'j'])
is<Equal<typeof element, torch.einsum_error_invalid_sublist_element<'i'>>>()
// @ts-expect-error an operand is missing
torch.einsum('ij->ij')
