// What the compiler knows of einops patterns. Checked by `tsc -p tests/types`; never run.
import torch, { type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

// ---- rearrange -----------------------------------------------------------------------------------------------------

const images = torch.zeros(2, 224, 224, 3)
const patches = torch.rearrange(images, 'b (h p) (w q) c -> b (h w) (p q c)', { p: 16, q: 16 })
is<Equal<typeof patches, Tensor<readonly [2, 196, 768], 'float32', 'cpu'>>>()
const back = torch.rearrange(patches, 'b (h w) (p q c) -> b (h p) (w q) c', { h: 14, p: 16, q: 16 })
is<Equal<typeof back.shape, readonly [2, 224, 224, 3]>>()
const asOption = torch.rearrange(images, 'b (h p) w c -> b h p w c', { axes: { p: 7 } })
is<Equal<typeof asOption.shape, readonly [2, 32, 7, 224, 3]>>()
const dots = torch.rearrange(images, '... h c -> c (...) h')
is<Equal<typeof dots.shape, readonly [3, 448, 224]>>()
const middle = torch.rearrange(images, 'b ... c -> c ... b')
is<Equal<typeof middle.shape, readonly [3, 224, 224, 2]>>()
const ones = torch.rearrange(torch.zeros(1, 5), '1 a -> a () 1')
is<Equal<typeof ones.shape, readonly [5, 1, 1]>>()
const scalar = torch.rearrange(torch.zeros([]), '-> 1')
is<Equal<typeof scalar.shape, readonly [1]>>()
const stacked = torch.rearrange([torch.zeros(2, 3), torch.zeros(2, 3)], 'n a b -> b (n a)')
is<Equal<typeof stacked.shape, readonly [3, number]>>()

// Sizes or ranks that are not known pass; what the pattern tells is still known.
declare const batch: number
const some = torch.rearrange(torch.zeros(batch, 6), 'b (h w) -> h w b', { h: 2 })
is<Equal<typeof some.shape, readonly [2, 3, number]>>()
declare const anything: Tensor
const ranked = torch.rearrange(anything, 'b c -> c b')
is<Equal<typeof ranked.shape, readonly [number, number]>>()
const unranked = torch.rearrange(anything, '... c -> c ...')
is<Equal<typeof unranked.shape, readonly number[]>>()
declare const text: string
const untold = torch.rearrange(images, text)
is<Equal<typeof untold.shape, readonly number[]>>()
declare const records: Record<string, number>
const unsized = torch.rearrange(torch.zeros(6), '(a b) -> a b', records)
is<Equal<typeof unsized.shape, readonly [number, number]>>()
export const attention = <B extends number>(x: Tensor<readonly [B, 10, 64]>) => {
  const heads = torch.rearrange(x, 'b t (h d) -> b h t d', { h: 8 })
  return heads
}

// Refused, with the numbers.
const a = torch.zeros(2, 3)
const lost = torch.rearrange(a, 'a b -> a')
is<Equal<typeof lost, torch.einops_error_undefined_axis<'b', 'a b -> a'>>>()
// @ts-expect-error b is on one side only
lost.sum()
const invented = torch.rearrange(a, 'a b -> a b c')
is<Equal<typeof invented, torch.einops_error_undefined_axis<'c', 'a b -> a b c'>>>()
const unused = torch.rearrange(a, 'a b -> b a', { c: 3 })
is<Equal<typeof unused, torch.einops_error_undefined_axis<'c', 'a b -> b a'>>>()
const anonymous = torch.rearrange(a, 'a b -> a b 2')
is<Equal<typeof anonymous, torch.einops_error_anonymous_in_output<'2', 'a b -> a b 2'>>>()
const ambiguous = torch.rearrange(a, '(x y) b -> x y b')
is<Equal<typeof ambiguous, torch.einops_error_ambiguous_decomposition<readonly ['x', 'y'], '(x y) b -> x y b'>>>()
const uneven = torch.rearrange(a, 'a (x y) -> a x y', { x: 2 })
is<Equal<typeof uneven, torch.einops_error_dimension_mismatch<2, 3, 'a (x y) -> a x y'>>>()
const other = torch.rearrange(a, 'a b -> b a', { a: 4 })
is<Equal<typeof other, torch.einops_error_dimension_mismatch<4, 2, 'a b -> b a'>>>()
const ranks = torch.rearrange(a, 'a b c -> c b a')
is<Equal<typeof ranks, torch.einops_error_dimension_mismatch<'3 dimensions', readonly [2, 3], 'a b c -> c b a'>>>()
const fewer = torch.rearrange(a, 'a ... b c -> ...')
is<Equal<typeof fewer, torch.einops_error_undefined_axis<'a' | 'b' | 'c', 'a ... b c -> ...'>>>()
const atLeast = torch.rearrange(a, 'a ... b c -> a b c ...')
is<Equal<typeof atLeast, torch.einops_error_dimension_mismatch<'>=3 dimensions', readonly [2, 3], 'a ... b c -> a b c ...'>>>()
const open = torch.rearrange(a, '(a b -> a b')
is<Equal<typeof open, torch.einops_error_invalid_pattern<'(a b -> a b', 'Imbalanced parentheses in expression: "(a b "'>>>()
const twice = torch.rearrange(a, 'a a -> a')
is<
  Equal<
    typeof twice,
    torch.einops_error_invalid_pattern<'a a -> a', `Indexing expression contains duplicate dimension "a" at position ${number}`>
  >
>()
const word = torch.rearrange(a, 'a b? -> a b')
is<Equal<typeof word, torch.einops_error_invalid_pattern<'a b? -> a b', `Unknown character '?' at position ${number}`>>>()
const arrowless = torch.rearrange(a, 'a b')
is<Equal<typeof arrowless, torch.einops_error_invalid_pattern<'a b', 'The pattern has no arrow (->) between its two sides'>>>()
const ellipsis = torch.rearrange(a, 'a b -> ...')
is<
  Equal<
    typeof ellipsis,
    torch.einops_error_invalid_pattern<'a b -> ...', 'Ellipsis found in right side, but not left side of a pattern a b -> ...'>
  >
>()

// ---- reduce --------------------------------------------------------------------------------------------------------

const pooled = torch.reduce(torch.zeros(2, 3, 8, 6), 'b c (h 2) (w 2) -> b c h w', 'max')
is<Equal<typeof pooled, Tensor<readonly [2, 3, 4, 3], 'float32', 'cpu'>>>()
const mean = torch.reduce(torch.zeros(2, 3, 8, 6), 'b c ... -> b c', 'mean')
is<Equal<typeof mean.shape, readonly [2, 3]>>()
const total = torch.reduce(a, 'a b ->', 'sum')
is<Equal<typeof total.shape, readonly []>>()
const kept = torch.reduce(a, 'a b -> a 1', 'any')
is<Equal<typeof kept, Tensor<readonly [2, 1], 'bool', 'cpu'>>>()
const undefinedOutput = torch.reduce(a, 'a b -> a c', 'sum')
is<Equal<typeof undefinedOutput, torch.einops_error_reduce_undefined_output<'c', 'a b -> a c'>>>()
const numberOut = torch.reduce(a, 'a b -> a 2', 'sum')
is<Equal<typeof numberOut, torch.einops_error_anonymous_in_output<'2', 'a b -> a 2'>>>()
// @ts-expect-error there is no reduction of this name
torch.reduce(a, 'a b -> a', 'average')

// ---- repeat --------------------------------------------------------------------------------------------------------

const repeated = torch.repeat(a, 'h w -> (h 2) w c', { c: 3 })
is<Equal<typeof repeated, Tensor<readonly [4, 3, 3], 'float32', 'cpu'>>>()
const missing = torch.repeat(a, 'h w -> h w c')
is<Equal<typeof missing, torch.einops_error_repeat_missing_size<'c', 'h w -> h w c'>>>()
const dropped = torch.repeat(a, 'h w -> h c', { c: 2 })
is<Equal<typeof dropped, torch.einops_error_undefined_axis<'w', 'h w -> h c'>>>()

// ---- pack, unpack --------------------------------------------------------------------------------------------------

const [packed, shapes] = torch.pack([torch.zeros(2, 3, 5), torch.zeros(2, 7, 7, 5), torch.zeros(2, 5)], 'b * c')
is<Equal<typeof packed.shape, readonly [2, 53, 5]>>()
is<Equal<typeof shapes, readonly [readonly [3], readonly [7, 7], readonly []]>>()
const parts = torch.unpack(packed, shapes, 'b * c')
is<Equal<(typeof parts)[0]['shape'], readonly [2, 3, 5]>>()
is<Equal<(typeof parts)[1]['shape'], readonly [2, 7, 7, 5]>>()
is<Equal<(typeof parts)[2]['shape'], readonly [2, 5]>>()
const [rest] = torch.unpack(packed, [[-1]], 'b * c')
is<Equal<typeof rest.shape, readonly [2, number, 5]>>()
const differ = torch.pack([torch.zeros(2, 3), torch.zeros(3, 3)], 'b *')
is<Equal<(typeof differ)[0], torch.einops_error_dimension_mismatch<readonly [2], readonly [3], 'b *'>>>()
const starless = torch.pack([a], 'a b')
is<Equal<(typeof starless)[0], torch.einops_error_invalid_pattern<'a b', `No *-axis in ${string}(..., "a b")`>>>()
const short = torch.unpack(packed, [[3], [7, 7]], 'b * c')
is<Equal<typeof short, torch.einops_error_dimension_mismatch<readonly [readonly [3], readonly [7, 7]], 53, 'b * c'>>>()
