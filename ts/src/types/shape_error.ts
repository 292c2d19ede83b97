// What stands in a result's place where shapes do not fit. The errors themselves are in schema/shape_errors.yaml.

/**
 * A wrong program's result type: it is no Tensor, and the editor shows its name and numbers. `message` is what the engine would say.
 *
 *     const y = torch.zeros(2, 3).matmul(torch.zeros(5, 4))
 *     // y: matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>
 */
export interface ShapeError {
  readonly __isShapeError: true
  readonly error: string
  readonly parameters: readonly unknown[]
  readonly message: string
}

/** Whether a type is a shape error: `IsShapeError<MatmulShape<readonly [2, 3], readonly [5, 4]>>` is true. */
export type IsShapeError<T> = [T] extends [never] ? false : [T] extends [{ readonly __isShapeError: true }] ? true : false

/** Whether one of several types is a shape error: `HasShapeError<[Shape, BroadcastShape<readonly [2], readonly [3]>]>` is true. */
export type HasShapeError<Types extends readonly unknown[]> = Types extends readonly [infer First, ...infer Rest]
  ? IsShapeError<First> extends true
    ? true
    : HasShapeError<Rest>
  : false

/**
 * The type itself, which has to be no shape error: it does not compile where it is one.
 *
 *     AssertNoShapeError<MatmulShape<readonly [2, 3], readonly [3, 4]>> // readonly [2, 4]
 */
export type AssertNoShapeError<T extends NoShapeError> = T
type NoShapeError = readonly unknown[] | string | number | boolean | null | undefined | { readonly __isShapeError?: never }
/** AssertNoShapeError under its newer name: `AssertNotError<BroadcastShape<[2, 1], [3]>>`. */
export type AssertNotError<T extends NoShapeError> = T

/** The type, or never where it is a shape error: `CheckShapeError<MatmulShape<[2, 3], [5, 4]>>` is never. */
export type CheckShapeError<T> = IsShapeError<T> extends true ? never : T

/** A number, text or shape as it is written in messages: `Written<readonly [2, 3]>` is '[2, 3]'. */
export type Written<T> = T extends readonly unknown[]
  ? `[${WrittenList<T>}]`
  : T extends string | number | bigint | boolean | null
    ? `${T}`
    : string
type WrittenList<T extends readonly unknown[], Out extends string = ''> = number extends T['length']
  ? '...'
  : T extends readonly [infer First, ...infer Rest]
    ? WrittenList<Rest, Out extends '' ? Written<First> : `${Out}, ${Written<First>}`>
    : Out

/**
 * A shape error as one line of text: `ShapeErrorMessage<typeof y>` is
 * 'SHAPE_ERROR: matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>'.
 */
export type ShapeErrorMessage<E> = E extends ShapeError ? `SHAPE_ERROR: ${E['error']}<${WrittenList<E['parameters']>}>` : never
