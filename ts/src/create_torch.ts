// createTorch: the namespace once more, with defaults of one's own for the tensors that it makes.
import * as namespace from './namespace.js'
import { deviceCode, type DeviceInput } from './device.js'
import { dtypeIndex } from './dtype.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import type { Tensor } from './tensor.js'
import type { DeviceType, DType, DTypeOr } from './types/dtype.js'
import type { Checked, DeviceOr } from './types/results.js'
import type { SizeShape } from './types/shapes.js'

interface CreatorOptions<DT, On> {
  readonly dtype?: DT
  readonly device?: On
  readonly requires_grad?: boolean
}

/**
 * A function that makes a tensor of some sizes: `zeros`, `ones`, `empty`, `rand`, `randn`. D and Dev: what it gives without options.
 *
 *     function pair(create: torch.TensorCreator) { return [create(2, 3), create([2, 3], { dtype: 'float64' })] as const }
 *     const [a, b] = pair(torch.rand)
 *     const narrow: torch.Tensor<readonly [2, 3], 'float32'> = a
 *     const wide: torch.Tensor<readonly [2, 3], 'float64'> = b
 */
export interface TensorCreator<D extends DType = 'float32', Dev extends DeviceType = 'cpu'> {
  <const Size extends readonly number[]>(...size: Size): Checked<SizeShape<Size>, D, Dev>
  <const Size extends readonly number[], DT extends DType | null = null, On extends DeviceInput | string | null = null>(
    size: Size,
    options?: CreatorOptions<DT, On>,
  ): Checked<SizeShape<Size>, DTypeOr<NoInfer<DT>, D>, DeviceOr<NoInfer<On>, Dev>>
  <const Size extends readonly number[], DT extends DType | null = null, On extends DeviceInput | string | null = null>(
    ...args: readonly [...size: Size, options: CreatorOptions<DT, On>]
  ): Checked<SizeShape<Size>, DTypeOr<NoInfer<DT>, D>, DeviceOr<NoInfer<On>, Dev>>
}

const CREATORS = ['zeros', 'ones', 'empty', 'rand', 'randn'] as const
type Creator = (typeof CREATORS)[number]

/**
 * The namespace, as `createTorch` gives it: its creators make tensors of dtype D on the device Dev.
 *
 *     const double: torch.Torch<'float64'> = torch.createTorch({ dtype: 'float64' })
 *     const x: torch.Tensor<readonly [2, 3], 'float64'> = double.zeros(2, 3)
 */
export type Torch<D extends DType = 'float32', Dev extends DeviceType = 'cpu'> = Omit<typeof namespace, Creator> & {
  readonly [Name in Creator]: TensorCreator<D, Dev>
}

/** What `createTorch` takes. */
export interface TorchDefaults<D extends DType = DType, On extends DeviceInput | string = DeviceInput | string> {
  readonly dtype?: D
  readonly device?: On
}

/**
 * The namespace with defaults of its own: its `zeros`, `ones`, `empty`, `rand` and `randn` make tensors of that dtype, on that device, where a call
 * says nothing else. Everything else in it is what `torch` has.
 */
export function createTorch<D extends DType = 'float32', const On extends DeviceInput | string = 'cpu'>(
  defaults: TorchDefaults<D, On> = {},
): Torch<D, DeviceOr<On, 'cpu'> & DeviceType> {
  if (!isOptions(defaults))
    throw new TorchError(`createTorch(): the defaults must be an object { dtype, device }, not ${typeName(defaults)}`, 'TypeError')
  const { dtype, device }: TorchDefaults<D, On> = defaults
  if (dtype !== undefined) dtypeIndex(dtype)
  if (device !== undefined) deviceCode(device)
  const other = Object.keys(defaults).find((key) => key !== 'dtype' && key !== 'device')
  if (other !== undefined)
    throw new TorchError(`createTorch() got an unexpected keyword argument '${other}' (known: dtype, device)`, 'TypeError')
  const given = { ...(dtype !== undefined && { dtype }), ...(device !== undefined && { device }) }
  const creator = (name: Creator) => {
    const call = namespace[name] as (...args: unknown[]) => Tensor
    return (...args: unknown[]): Tensor => {
      const last = args.at(-1)
      if (!isOptions(last)) return call(...args, given)
      const said = Object.fromEntries(Object.entries(last).filter(([, v]) => v !== undefined && v !== null))
      return call(...args.slice(0, -1), { ...given, ...said })
    }
  }
  const own = Object.fromEntries(CREATORS.map((name) => [name, creator(name)]))
  return Object.freeze({ ...namespace, ...own }) as unknown as Torch<D, DeviceOr<On, 'cpu'> & DeviceType>
}
