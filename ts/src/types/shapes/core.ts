// What all shape rules are made of. A shape is a readonly tuple of sizes; a size that is not known is `number`; a shape whose rank is not
// known is DynamicShape, which every rule lets pass: the engine checks it when the program runs. A rule that is given an error passes it on.
import type { dimension_error_out_of_range } from '../../generated/shape_errors.js'
import type { ShapeError } from '../shape_error.js'

/**
 * Sizes of a tensor.
 *
 *     const shape: torch.Shape = torch.zeros(2, 3).shape
 *     type Image = torch.Tensor<readonly [3, 224, 224]>
 *     const known: Image['shape'] extends torch.Shape ? true : false = true
 */
export type Shape = readonly number[]
/**
 * Whatever has a shape: a tensor, or a module's parameter. A function that asks only for sizes takes this.
 *
 *     function rows<B extends number>(x: torch.ShapedTensor<readonly [B, ...number[]]>): B { return x.shape[0] }
 *     const batch: 32 = rows(torch.zeros(32, 784))
 */
export interface ShapedTensor<S extends Shape = Shape> {
  readonly shape: S
}
/** What is no error. A shape with a type parameter among its sizes is an array of anything at once, and of numbers only once it is known. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyShape = readonly any[]
/**
 * A shape whose rank is not known. Operators take it, and the engine checks it when the program runs.
 *
 *     const x: torch.Tensor<torch.DynamicShape> = torch.zeros(2, 3).masked_select(torch.ones(2, 3).gt(0))
 *     const y: torch.Tensor<torch.DynamicShape> = x.add(1)
 */
export type DynamicShape = readonly number[]

/**
 * A size that has a name instead of a value: two sizes of the same name are equal, everything else is checked at run time.
 *
 *     function attend<B extends Dim<'batch'>>(x: Tensor<readonly [B, 784]>) { ... }
 *     const batch = x.shape[0] as Dim<'batch'>
 */
export type Dim<Name extends string = string> = number & { readonly __dim: Name }

/** Whether the rank is unknown: `IsDynamic<DynamicShape>` is true. */
export type IsDynamic<S extends Shape> = number extends S['length'] ? true : false

/** How many dimensions there are: `Rank<readonly [2, 3]>` is 2. */
export type Rank<S extends Shape> = S['length']

interface DimsOfRank {
  readonly 1: 0 | -1
  readonly 2: 0 | 1 | -1 | -2
  readonly 3: 0 | 1 | 2 | -1 | -2 | -3
  readonly 4: 0 | 1 | 2 | 3 | -1 | -2 | -3 | -4
  readonly 5: 0 | 1 | 2 | 3 | 4 | -1 | -2 | -3 | -4 | -5
  readonly 6: 0 | 1 | 2 | 3 | 4 | 5 | -1 | -2 | -3 | -4 | -5 | -6
}

/**
 * Any number, of which an editor offers the dimensions that the shape has, up to six:
 *
 *     function last<S extends Shape, const D extends DimOf<S>>(x: Tensor<S>, dim: D) { ... } // last(torch.zeros(2, 3), ) offers 0, 1, -1, -2
 */
export type DimOf<S extends Shape> = (number & {}) | (S['length'] extends keyof DimsOfRank ? DimsOfRank[S['length']] : never)

/** Whether the shape has two dimensions; an unknown shape may have them: `Is2D<readonly [2, 3]>` is true. */
export type Is2D<S extends Shape> = number extends S['length'] ? true : S['length'] extends 2 ? true : false

/** False for a tensor without dimensions alone: `IsAtLeast1D<readonly []>` is false. */
export type IsAtLeast1D<S extends Shape> = S extends readonly [] ? false : true

// Equality that also holds for a type parameter and itself, and is false at once for a type parameter and anything else.
/** Whether two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Whether a size is one number, and not unknown or a name: `IsFixed<3>` is true. */
export type IsFixed<N extends number> = number extends N ? false : {} extends { readonly [K in N]: 1 } ? false : true
/** Whether all sizes are fixed: `AllFixed<readonly [2, 3]>` is true. */
export type AllFixed<S extends Shape> = number extends S['length']
  ? false
  : S extends readonly [infer H extends number, ...infer T extends Shape]
    ? IsFixed<H> extends true
      ? AllFixed<T>
      : false
    : true

/** Whether two sizes may be equal: unknown ones may. */
export type MayEqual<A extends number, B extends number> =
  Same<A, B> extends true ? true : IsFixed<A> extends true ? (IsFixed<B> extends true ? false : true) : true

/** Of two sizes that have to be equal, the one that is known. */
export type Known<A extends number, B extends number> = IsFixed<B> extends true ? B : A

// ---- dimensions ----------------------------------------------------------------------------------------------------

/** Rank - n, for a dimension that is counted from the end. */
type FromEnd = {
  0: { 1: 0 }
  1: { 1: 0 }
  2: { 1: 1; 2: 0 }
  3: { 1: 2; 2: 1; 3: 0 }
  4: { 1: 3; 2: 2; 3: 1; 4: 0 }
  5: { 1: 4; 2: 3; 3: 2; 4: 1; 5: 0 }
  6: { 1: 5; 2: 4; 3: 3; 4: 2; 5: 1; 6: 0 }
  7: { 1: 6; 2: 5; 3: 4; 4: 3; 5: 2; 6: 1; 7: 0 }
  8: { 1: 7; 2: 6; 3: 5; 4: 4; 5: 3; 6: 2; 7: 1; 8: 0 }
  9: { 1: 8; 2: 7; 3: 6; 4: 5; 5: 4; 6: 3; 7: 2; 8: 1; 9: 0 }
}

/** A negative number without its sign, made a dimension: `NegativeDim<readonly [2, 3], -1>` is 1; never where there is none. */
export type NegativeDim<S extends Shape, Dim extends number> = `${Dim}` extends `-${infer N extends number}`
  ? S['length'] extends infer R extends keyof FromEnd
    ? N extends keyof FromEnd[R]
      ? FromEnd[R][N] & number
      : never
    : number
  : never

/** A dimension counted from either end, made positive. never: there is none; number: it is not known which. A tensor without dimensions has -1 and 0. */
export type NormalDim<S extends Shape, Dim extends number> = number extends Dim
  ? number
  : `${Dim}` extends keyof S
    ? Dim
    : `${Dim}` extends `-${string}`
      ? NegativeDim<S, Dim>
      : S extends readonly []
        ? Dim extends 0
          ? 0
          : never
        : never

/** Like NormalDim, for a place between dimensions: 0 to rank. */
export type NormalPlace<S extends Shape, Dim extends number> = NormalDim<readonly [...S, 1], Dim>

/** The size of a dimension; number where it is not known. */
export type SizeOf<S extends Shape, Dim extends number> = number extends S['length']
  ? number
  : NormalDim<S, Dim> extends infer At extends number
    ? number extends At
      ? number
      : S extends readonly []
        ? 1
        : S[At] & number
    : number

/** A shape as the editor shows it. */
export type Shown<S> = S extends AnyShape ? [...S] : never

/** A result that needs one dimension: S where it is there (or may be), Bad where it is not. */
export type WithDim<S, Dim extends number, Bad, Result = S> = S extends AnyShape
  ? number extends S['length']
    ? Result
    : [NormalDim<S, Dim>] extends [never]
      ? Bad
      : Result
  : S

/** The last size, and the shape without it. */
export type Last<S extends Shape> = S extends readonly [...AnyShape, infer L extends number] ? L : number
export type Init<S extends Shape> = S extends readonly [...infer I extends Shape, unknown] ? I : DynamicShape

/** The shape with another size at a dimension (not negative). */
export type ReplaceAt<S extends Shape, At extends number, Size extends number> = {
  readonly [K in keyof S]: K extends `${At}` ? Size : S[K]
}

/** Dimensions whose positions are in At (a union) taken out. */
export type RemoveAt<
  S extends Shape,
  At extends number,
  Count extends Shape = readonly [],
  Out extends Shape = readonly [],
> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? RemoveAt<T, At, readonly [...Count, 0], Count['length'] extends At ? Out : readonly [...Out, H]>
  : Out

/** A size put in before dimension At. */
export type InsertAt<
  S extends Shape,
  At extends number,
  Size extends number,
  Before extends Shape = readonly [],
> = Before['length'] extends At
  ? readonly [...Before, Size, ...S]
  : S extends readonly [infer H extends number, ...infer T extends Shape]
    ? InsertAt<T, At, Size, readonly [...Before, H]>
    : readonly [...Before, ...S]

/** The first N sizes; all where there are fewer. */
export type Take<S extends Shape, N extends number, Out extends Shape = readonly []> = Out['length'] extends N
  ? Out
  : S extends readonly [infer H extends number, ...infer T extends Shape]
    ? Take<T, N, readonly [...Out, H]>
    : Out
/** The sizes after the first N. */
export type Drop<S extends Shape, N extends number, Count extends Shape = readonly []> = Count['length'] extends N
  ? S
  : S extends readonly [unknown, ...infer T extends Shape]
    ? Drop<T, N, readonly [...Count, 0]>
    : readonly []

/** As many dimensions as before, sizes unknown. */
export type SameRank<S extends Shape> = number extends S['length'] ? DynamicShape : { readonly [K in keyof S]: number }

/** A list of dimensions or one, as a list. */
export type AsList<T> = T extends readonly unknown[] ? T : readonly [T]

/** The positions of a list of dimensions, as a union; never where one of them is out of range: see FirstBad. */
export type Positions<S extends Shape, Dims extends Shape, Out extends number = never> = Dims extends readonly [
  infer H extends number,
  ...infer T extends Shape,
]
  ? Positions<S, T, Out | NormalDim<S, H>>
  : Out

/** What is wrong with a list of dimensions: the first that is out of range or named twice; null: nothing. */
export type DimsError<S extends Shape, Dims extends Shape, Seen extends number = never> = Dims extends readonly [
  infer H extends number,
  ...infer T extends Shape,
]
  ? [NormalDim<S, H>] extends [never]
    ? dimension_error_out_of_range<H, [...S]>
    : NormalDim<S, H> extends Seen
      ? 'repeated'
      : DimsError<S, T, number extends NormalDim<S, H> ? Seen : Seen | NormalDim<S, H>>
  : null

/** What a rule with several results gives: the shape error of any, or what is to be returned. */
export type Guard<S, Result> = S extends ShapeError ? S : Result

// ---- the plainest rules --------------------------------------------------------------------------------------------

/** The sizes that were asked for; a single number is one dimension. */
export type SizeShape<Size> = Size extends number ? readonly [Size] : Size extends AnyShape ? Readonly<Size> : DynamicShape
/** No dimensions. */
export type ScalarShape = readonly []
/** One dimension of a given size: `VectorShape<3>` is `readonly [3]`. */
export type VectorShape<N> = readonly [Count<N>]
/** A number of elements: what is no whole number is an unknown one. */
export type Count<N> = N extends number ? (IsCount<N> extends true ? N : number) : number
type IsCount<N extends number> = `${N}` extends `${string}${'.' | '-' | 'e' | 'n'}${string}` ? false : true
/** A matrix: `MatrixShape<2, 3>` is `readonly [2, 3]`. */
export type MatrixShape<N extends number, M extends number> = readonly [N, M]
/** The sizes as they are. */
export type SameShape<S> = S
/** A shape of unknown rank. */
export type UnknownShape = DynamicShape
