// Options of printing (torch.set_printoptions).
import { isOptions } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'

/**
 * How tensors are printed.
 *
 *     const before: torch.PrintOptions = torch.get_printoptions()
 *     torch.set_printoptions({ precision: 2 })
 */
export interface PrintOptions {
  /** Digits after the point. */
  readonly precision: number
  /** More elements than these are summarised. */
  readonly threshold: number
  /** Elements shown at each end of a dimension that is summarised. */
  readonly edgeitems: number
  /** Characters a line. */
  readonly linewidth: number
  /** Always (true), never (false) or by the values (null) with an exponent. */
  readonly sci_mode: boolean | null
}
export interface SetPrintOptions extends Partial<PrintOptions> {
  /** Named settings that the others start from. */
  readonly profile?: 'default' | 'short' | 'full'
}

const DEFAULT: PrintOptions = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sci_mode: null }
const PROFILES: Readonly<Record<string, Partial<PrintOptions>>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Infinity, edgeitems: 3, linewidth: 80 },
}

let current: PrintOptions = DEFAULT

export const printOptions = (): PrintOptions => current

/** How tensors print. Positional arguments in PyTorch's order, or options. */
export function set_printoptions(options?: SetPrintOptions): void
export function set_printoptions(
  precision?: number,
  threshold?: number,
  edgeitems?: number,
  linewidth?: number,
  profile?: 'default' | 'short' | 'full',
  sci_mode?: boolean | null,
): void
export function set_printoptions(
  first?: number | SetPrintOptions,
  threshold?: number,
  edgeitems?: number,
  linewidth?: number,
  profile?: 'default' | 'short' | 'full',
  sci_mode?: boolean | null,
): void {
  const o: SetPrintOptions = isOptions(first)
    ? first
    : { precision: first as number | undefined, threshold, edgeitems, linewidth, profile, sci_mode }
  const next: { -readonly [K in keyof PrintOptions]: PrintOptions[K] } = { ...current }
  if (o.profile !== undefined) Object.assign(next, PROFILES[o.profile])
  for (const key of Object.keys(o)) {
    if (key !== 'profile' && !(key in DEFAULT)) {
      throw new TorchError(
        `set_printoptions() got an unexpected keyword argument '${key}' (known: ${[...Object.keys(DEFAULT), 'profile'].join(', ')})`,
        'TypeError',
      )
    }
  }
  if (o.precision !== undefined) next.precision = o.precision
  if (o.threshold !== undefined) next.threshold = o.threshold
  if (o.edgeitems !== undefined) next.edgeitems = o.edgeitems
  if (o.linewidth !== undefined) next.linewidth = o.linewidth
  // As in PyTorch, a call that does not speak of sci_mode sets it back.
  next.sci_mode = o.sci_mode ?? null
  current = next
}

/** A copy of the current settings. */
export function get_printoptions(): PrintOptions {
  return { ...current }
}
