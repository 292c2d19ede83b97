// Constructor arguments: positional in PyTorch's order, one options object, or some positional and then an options object.

import { isPlainObject } from './text.js'
import { typeError } from './errors.js'

/**
 * The arguments of a constructor: `Required` positionally, then any number of `Optional`, then an options object; or everything in one
 * options object. Example: `new Linear(4, 2)`, `new Linear(4, 2, false)`, `new Linear(4, 2, { bias: false })`,
 * `new Linear({ in_features: 4, out_features: 2 })`. The options stand beside each optional argument and not in a tuple of their own: type
 * parameters are inferred from either then. `Extra`: the options that are not required, where type parameters are among them.
 */
export type Arguments<Required extends readonly unknown[], Optional extends readonly unknown[], Options, Extra = Partial<Options>> =
  [...Required, ...Partial<{ [K in keyof Optional]: Optional[K] | Extra }>, options?: Extra] | [options: Options]

/**
 * Sorts the arguments of `name` into one object. `order`: the positional names, the first `required` of which have to be given;
 * `keywords`: names that only the options object may have. What was not given is undefined.
 * Throws a TypeError with Python's words for missing, surplus, doubled and unknown arguments.
 */
export function readArguments<Options extends object>(
  name: string,
  args: readonly unknown[],
  order: readonly (keyof Options & string)[],
  required = 0,
  keywords: readonly (keyof Options & string)[] = [],
): Options {
  const last = args[args.length - 1]
  const options = isPlainObject(last) ? last : undefined
  const positional = options ? args.length - 1 : args.length
  if (positional > order.length) {
    const most = order.length + 1
    const least = required + 1
    const takes = least === most ? String(most) : `from ${least} to ${most}`
    throw typeError(`${name}.__init__() takes ${takes} positional argument${most === 1 ? '' : 's'} but ${positional + 1} were given`)
  }
  const result: Record<string, unknown> = {}
  for (let i = 0; i < positional; i++) if (args[i] !== undefined) result[order[i] as string] = args[i]
  if (options) {
    for (const [key, value] of Object.entries(options)) {
      if (!(order as readonly string[]).includes(key) && !(keywords as readonly string[]).includes(key)) {
        throw typeError(
          `${name}.__init__() got an unexpected keyword argument '${key}'; known are: ${[...order, ...keywords].join(', ') || 'none'}`,
        )
      }
      if (value === undefined) continue
      if (key in result) throw typeError(`${name}.__init__() got multiple values for argument '${key}'`)
      result[key] = value
    }
  }
  const missing = order.slice(0, required).filter((key) => !(key in result))
  if (missing.length > 0) throw missingArguments(`${name}.__init__`, missing)
  return result as Options
}

function missingArguments(name: string, missing: readonly string[]): Error {
  const quoted = missing.map((key) => `'${key}'`)
  const list =
    quoted.length === 1
      ? quoted[0]
      : quoted.length === 2
        ? quoted.join(' and ')
        : `${quoted.slice(0, -1).join(', ')}, and ${quoted[quoted.length - 1]}`
  return typeError(`${name}() missing ${missing.length} required positional argument${missing.length === 1 ? '' : 's'}: ${list}`)
}

/** A size in n dimensions: one number for all, or one each. */
export type Size1 = number | readonly [number]
export type Size2 = number | readonly [number, number]
export type Size3 = number | readonly [number, number, number]

/** One number a dimension. */
export function repeated(value: number | readonly number[], n: number): readonly number[] {
  return typeof value === 'number' ? new Array<number>(n).fill(value) : value
}
