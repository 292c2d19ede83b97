// Shapes at compile time. A shape is a readonly tuple of sizes; a size that is not known is `number`; a shape whose rank is not known is
// DynamicShape, which every rule lets pass (the engine checks it when the program runs).

export type Shape = readonly number[]
export type DynamicShape = readonly number[]

/** A wrong program's result type: it is no Tensor, and the editor shows its name and numbers. */
export interface ShapeError<Name extends string, Details extends readonly unknown[]> {
  readonly __isShapeError: true
  readonly error: Name
  readonly details: Details
}
export type broadcast_error_incompatible_dimensions<A, B, ShapeA, ShapeB> = ShapeError<
  'broadcast_error_incompatible_dimensions',
  readonly [A, B, ShapeA, ShapeB]
>
export type matmul_error_inner_dimensions_do_not_match<A, B, ShapeA, ShapeB> = ShapeError<
  'matmul_error_inner_dimensions_do_not_match',
  readonly [A, B, ShapeA, ShapeB]
>

export type IsDynamic<S extends Shape> = number extends S['length'] ? true : false

/** The last size, and the shape without it. */
export type Last<S extends Shape> = S extends readonly [...Shape, infer L extends number] ? L : number
export type Init<S extends Shape> = S extends readonly [...infer I extends Shape, number] ? I : DynamicShape

// ---- broadcasting --------------------------------------------------------------------------------------------------

type BroadcastSize<A extends number, B extends number> = number extends A
  ? B extends 1
    ? number
    : B
  : number extends B
    ? A extends 1
      ? number
      : A
    : A extends B
      ? A
      : A extends 1
        ? B
        : B extends 1
          ? A
          : never

type BroadcastTail<A extends Shape, B extends Shape, Out extends Shape, WholeA extends Shape, WholeB extends Shape> = A extends readonly [
  ...infer InitA extends Shape,
  infer LastA extends number,
]
  ? B extends readonly [...infer InitB extends Shape, infer LastB extends number]
    ? [BroadcastSize<LastA, LastB>] extends [never]
      ? broadcast_error_incompatible_dimensions<LastA, LastB, WholeA, WholeB>
      : BroadcastTail<InitA, InitB, readonly [BroadcastSize<LastA, LastB>, ...Out], WholeA, WholeB>
    : readonly [...A, ...Out]
  : readonly [...B, ...Out]

/** The shape of an elementwise operator's result. */
export type BroadcastShape<A extends Shape, B extends Shape> =
  IsDynamic<A> extends true ? DynamicShape : IsDynamic<B> extends true ? DynamicShape : BroadcastTail<A, B, readonly [], A, B>

// ---- matrix products -----------------------------------------------------------------------------------------------

type SameSize<A extends number, B extends number> = number extends A ? true : number extends B ? true : A extends B ? true : false

type MatmulTail<A extends Shape, B extends Shape> = A extends readonly [infer K extends number]
  ? B extends readonly [infer L extends number]
    ? SameSize<K, L> extends true
      ? readonly []
      : matmul_error_inner_dimensions_do_not_match<K, L, A, B>
    : B extends readonly [...infer Batch extends Shape, infer L extends number, infer N extends number]
      ? SameSize<K, L> extends true
        ? readonly [...Batch, N]
        : matmul_error_inner_dimensions_do_not_match<K, L, A, B>
      : DynamicShape
  : A extends readonly [...infer BatchA extends Shape, infer M extends number, infer K extends number]
    ? B extends readonly [infer L extends number]
      ? SameSize<K, L> extends true
        ? readonly [...BatchA, M]
        : matmul_error_inner_dimensions_do_not_match<K, L, A, B>
      : B extends readonly [...infer BatchB extends Shape, infer L extends number, infer N extends number]
        ? SameSize<K, L> extends true
          ? BroadcastShape<BatchA, BatchB> extends infer Batch
            ? Batch extends Shape
              ? readonly [...Batch, M, N]
              : Batch
            : never
          : matmul_error_inner_dimensions_do_not_match<K, L, A, B>
        : DynamicShape
    : DynamicShape

/** mm: two matrices. */
export type MmShape<A extends Shape, B extends Shape> = MatmulShape<A, B>
/** The shape of matmul, with its rules for vectors and batches. */
export type MatmulShape<A extends Shape, B extends Shape> =
  IsDynamic<A> extends true ? DynamicShape : IsDynamic<B> extends true ? DynamicShape : MatmulTail<A, B>

// ---- counting ------------------------------------------------------------------------------------------------------
// Tuples serve as numbers for dimensions (small), sizes are never counted.

type Take<S extends Shape, N extends number, Out extends Shape = readonly []> = Out['length'] extends N
  ? Out
  : S extends readonly [infer H extends number, ...infer T extends Shape]
    ? Take<T, N, readonly [...Out, H]>
    : never
type Drop<S extends Shape, N extends number, Count extends Shape = readonly []> = Count['length'] extends N
  ? S
  : S extends readonly [number, ...infer T extends Shape]
    ? Drop<T, N, readonly [...Count, 0]>
    : never
/** A dimension counted from the end (-1 is the last), made positive. `never` where it is out of range. */
export type NormalDim<S extends Shape, Dim extends number> = `${Dim}` extends `-${infer N extends number}` ? Drop<S, N>['length'] : Dim

type Replace<S extends Shape, At extends number, Size extends number> = [Drop<S, At>] extends [
  readonly [number, ...infer Rest extends Shape],
]
  ? readonly [...Take<S, At>, Size, ...Rest]
  : DynamicShape
type Known<S extends Shape, Dim extends number> = IsDynamic<S> extends true ? false : number extends Dim ? false : true

/** The size of a dimension. */
export type SizeOf<S extends Shape, Dim extends number> =
  Known<S, Dim> extends true ? Extract<S[NormalDim<S, Dim> & keyof S], number> : number

/** Two dimensions exchanged. */
export type TransposeShape<S extends Shape, Dim0 extends number, Dim1 extends number> =
  Known<S, Dim0> extends true
    ? Known<S, Dim1> extends true
      ? Replace<Replace<S, NormalDim<S, Dim0>, SizeOf<S, Dim1>>, NormalDim<S, Dim1>, SizeOf<S, Dim0>>
      : DynamicShape
    : DynamicShape

type PermuteSizes<S extends Shape, Dims extends Shape> = { readonly [K in keyof Dims]: SizeOf<S, Dims[K] & number> }
/** A matrix transposed; fewer dimensions stay as they are. */
export type MatrixTransposeShape<S extends Shape> =
  IsDynamic<S> extends true ? DynamicShape : S extends readonly [infer M extends number, infer N extends number] ? readonly [N, M] : S
/** The dimensions in another order. */
export type PermuteShape<S extends Shape, Dims extends Shape> =
  IsDynamic<S> extends true ? DynamicShape : IsDynamic<Dims> extends true ? DynamicShape : PermuteSizes<S, Dims>

type OneUnknown<Size extends Shape> = { readonly [K in keyof Size]: Size[K] extends -1 ? number : Size[K] & number }
/** The sizes that a view or reshape asks for; -1 is found at run time. */
export type ReshapeShape<S extends Shape, Size extends Shape> = IsDynamic<Size> extends true ? DynamicShape : OneUnknown<Size>

/** A dimension of size 1 put in. */
export type UnsqueezeShape<S extends Shape, Dim extends number> =
  Known<S, Dim> extends true
    ? NormalDim<readonly [...S, 1], Dim> extends infer At extends number
      ? [Take<S, At>] extends [never]
        ? DynamicShape
        : readonly [...Take<S, At>, 1, ...Drop<S, At>]
      : DynamicShape
    : DynamicShape

type WithoutOnes<S extends Shape, Out extends Shape = readonly []> = S extends readonly [infer H extends number, ...infer T extends Shape]
  ? number extends H
    ? DynamicShape
    : H extends 1
      ? WithoutOnes<T, Out>
      : WithoutOnes<T, readonly [...Out, H]>
  : Out
type WithoutDim<S extends Shape, At extends number> = [Drop<S, At>] extends [readonly [infer H extends number, ...infer T extends Shape]]
  ? number extends H
    ? DynamicShape
    : H extends 1
      ? readonly [...Take<S, At>, ...T]
      : S
  : DynamicShape
/** Dimensions of size 1 taken out: all, or one. */
export type SqueezeShape<S extends Shape, Dim extends number | undefined = undefined> =
  IsDynamic<S> extends true
    ? DynamicShape
    : Dim extends number
      ? number extends Dim
        ? DynamicShape
        : WithoutDim<S, NormalDim<S, Dim>>
      : WithoutOnes<S>

/** A result of as many dimensions as before, sizes unknown. */
export type SameRank<S extends Shape> = IsDynamic<S> extends true ? DynamicShape : { readonly [K in keyof S]: number }

type FlattenAll<S extends Shape> = S extends readonly []
  ? readonly [1]
  : S extends readonly [infer N extends number]
    ? readonly [N]
    : readonly [number]
/** Dimensions from start to end joined into one, whose size is found at run time. */
export type FlattenShape<S extends Shape, StartDim extends number = 0, EndDim extends number = -1> =
  IsDynamic<S> extends true
    ? DynamicShape
    : EndDim extends -1
      ? StartDim extends 0
        ? FlattenAll<S>
        : number extends StartDim
          ? DynamicShape
          : [Take<S, NormalDim<S, StartDim>>] extends [never]
            ? DynamicShape
            : Drop<S, NormalDim<S, StartDim>> extends readonly [infer Only extends number]
              ? readonly [...Take<S, NormalDim<S, StartDim>>, Only]
              : readonly [...Take<S, NormalDim<S, StartDim>>, number]
      : DynamicShape

/** A dimension taken out by a reduction, or kept with size 1. */
export type ReduceShape<S extends Shape, Dim extends number, Keep extends boolean = false> =
  Known<S, Dim> extends true
    ? Keep extends true
      ? Replace<S, NormalDim<S, Dim>, 1>
      : Keep extends false
        ? readonly [
            ...Take<S, NormalDim<S, Dim>>,
            ...(Drop<S, NormalDim<S, Dim>> extends readonly [number, ...infer T extends Shape] ? T : readonly []),
          ]
        : DynamicShape
    : DynamicShape
/** The sizes that were asked for. */
export type SizeShape<Size extends Shape> = Size
/** The sizes as they are. */
export type SameShape<S extends Shape> = S
