// Recurrent networks: RNN, LSTM, GRU and their cells.

import type { DeviceInput } from '../device.js'
import { zeros } from '../generated/functions.js'
import { Tensor } from '../tensor.js'
import type { DeviceType, DType } from '../types/dtype.js'
import type { CellForward, CellRule, LSTMCellForward, LSTMForward, RecurrentForward, RecurrentRule } from '../types/modules.js'
import type { Shape } from '../types/shapes.js'
import { recurrent_error_features_do_not_match, recurrent_error_features_do_not_match_2 } from '../generated/error_texts.js'
import { runtimeError, typeError, valueError } from './errors.js'
import { uniform_ } from './init.js'
import { newParameter, type FactoryOptions } from './linear.js'
import { Module } from './module.js'
import { operator } from './operators.js'
import { readArguments, type Arguments } from './options.js'
import type { Parameter } from './parameter.js'

type States = readonly [Tensor, Tensor]
type Network = (input: Tensor, hx: Tensor | States, params: Parameter[], ...options: (boolean | number)[]) => Iterable<Tensor>
type Cell<Result> = (
  input: Tensor,
  hx: Tensor | States,
  w_ih: Parameter,
  w_hh: Parameter,
  b_ih: Parameter | null,
  b_hh: Parameter | null,
) => Result
const networks = {
  LSTM: operator('lstm') as unknown as Network,
  GRU: operator('gru') as unknown as Network,
  RNN_TANH: operator('rnn_tanh') as unknown as Network,
  RNN_RELU: operator('rnn_relu') as unknown as Network,
}
const cells = {
  lstm: operator('lstm_cell') as unknown as Cell<Iterable<Tensor>>,
  gru: operator('gru_cell') as unknown as Cell<Tensor>,
  tanh: operator('rnn_tanh_cell') as unknown as Cell<Tensor>,
  relu: operator('rnn_relu_cell') as unknown as Cell<Tensor>,
}
const GATES = { LSTM: 4, GRU: 3, RNN_TANH: 1, RNN_RELU: 1 }
type Mode = keyof typeof GATES

export interface RNNBaseOptions<
  In extends number = number,
  Hidden extends number = number,
  Layers extends number = number,
  First = boolean,
  Both = boolean,
> extends RNNExtraOptions<Layers, First, Both> {
  input_size: In
  hidden_size: Hidden
}
/** Those options of recurrent networks that have defaults. */
export interface RNNExtraOptions<Layers extends number = number, First = boolean, Both = boolean> extends FactoryOptions {
  /** Layers on top of each other. Default: 1. */
  num_layers?: Layers
  /** Default: true. */
  bias?: boolean
  /** Input and output are [batch, time, features] and not [time, batch, features]. Default: false. */
  batch_first?: First
  /** Dropout between layers while training. Default: 0. */
  dropout?: number
  /** A second direction, from the end to the beginning. Default: false. */
  bidirectional?: Both
}
export interface RNNOptions<
  In extends number = number,
  Hidden extends number = number,
  Layers extends number = number,
  First = boolean,
  Both = boolean,
> extends RNNBaseOptions<In, Hidden, Layers, First, Both> {
  /** 'tanh' (the default) or 'relu'. */
  nonlinearity?: 'tanh' | 'relu'
}
export interface LSTMOptions<
  In extends number = number,
  Hidden extends number = number,
  Layers extends number = number,
  First = boolean,
  Both = boolean,
  Projected extends number = number,
> extends RNNBaseOptions<In, Hidden, Layers, First, Both> {
  /** Outputs are projected to this size; 0 (the default) for none. */
  proj_size?: Projected
}

// The name of a value's type in Python.
function pythonType(value: unknown): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return { boolean: 'bool', string: 'str', bigint: 'int' }[typeof value as string] ?? (Array.isArray(value) ? 'list' : typeof value)
}
function checkType(name: string, value: unknown, wanted: 'int' | 'bool'): void {
  if (pythonType(value) !== wanted) throw typeError(`${name} should be of type ${wanted}, got: ${pythonType(value)}`)
}
const tuple = (sizes: readonly number[]): string => `(${sizes.join(', ')}${sizes.length === 1 ? ',' : ''})`
const list = (sizes: Iterable<number>): string => `[${[...sizes].join(', ')}]`
const python = (value: unknown): string => (value === true ? 'True' : value === false ? 'False' : String(value))

/** What RNN, LSTM and GRU share: parameters `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, ..., uniform in ±1/√hidden_size at first. */
export abstract class RNNBase extends Module {
  readonly mode: Mode
  readonly input_size: number
  readonly hidden_size: number
  readonly num_layers: number
  readonly bias: boolean
  readonly batch_first: boolean
  readonly dropout: number
  readonly bidirectional: boolean
  readonly proj_size: number
  readonly all_weight_names: string[][] = []

  constructor(mode: Mode, o: RNNBaseOptions & { proj_size?: number }) {
    super()
    this.mode = mode
    this.input_size = o.input_size
    this.hidden_size = o.hidden_size
    this.num_layers = o.num_layers ?? 1
    this.bias = o.bias ?? true
    this.batch_first = o.batch_first ?? false
    this.dropout = o.dropout ?? 0
    this.bidirectional = o.bidirectional ?? false
    this.proj_size = o.proj_size ?? 0
    const directions = this.bidirectional ? 2 : 1
    if (typeof this.dropout !== 'number' || !(this.dropout >= 0 && this.dropout <= 1))
      throw valueError('dropout should be a number in range [0, 1] representing the probability of an element being zeroed')
    checkType('input_size', this.input_size, 'int')
    if (this.input_size <= 0) throw valueError('input_size must be greater than zero')
    checkType('hidden_size', this.hidden_size, 'int')
    if (this.hidden_size <= 0) throw valueError('hidden_size must be greater than zero')
    if (this.num_layers <= 0) throw valueError('num_layers must be greater than zero')
    checkType('bias', this.bias, 'bool')
    checkType('batch_first', this.batch_first, 'bool')
    if (this.proj_size < 0) throw valueError('proj_size should be a positive integer or zero to disable projections')
    if (this.proj_size >= this.hidden_size) throw valueError('proj_size has to be smaller than hidden_size')
    const rows = GATES[mode] * this.hidden_size
    const out = this.proj_size || this.hidden_size
    for (let layer = 0; layer < this.num_layers; layer++)
      for (let d = 0; d < directions; d++) {
        const suffix = `_l${layer}${d ? '_reverse' : ''}`
        const shapes: [string, number[]][] = [
          [`weight_ih${suffix}`, [rows, layer === 0 ? this.input_size : out * directions]],
          [`weight_hh${suffix}`, [rows, out]],
        ]
        if (this.bias) shapes.push([`bias_ih${suffix}`, [rows]], [`bias_hh${suffix}`, [rows]])
        if (this.proj_size) shapes.push([`weight_hr${suffix}`, [out, this.hidden_size]])
        for (const [name, shape] of shapes) this.register_parameter(name, newParameter(shape, o))
        this.all_weight_names.push(shapes.map(([name]) => name))
      }
    this.reset_parameters()
  }

  /** Draws the initial values anew. */
  reset_parameters(): void {
    const bound = this.hidden_size > 0 ? 1 / Math.sqrt(this.hidden_size) : 0
    for (const p of this.parameters()) uniform_(p, -bound, bound)
  }

  /** Parameters are where they should be; kept for programs that call it. */
  flatten_parameters(): void {}

  /** The parameters by layer and direction. */
  get all_weights(): Parameter[][] {
    return this.all_weight_names.map((names) => names.map((name) => (this as unknown as Record<string, Parameter>)[name]!))
  }

  /** @internal Checks, states, layout; `given`: the states that the caller passed. */
  protected run(input: Tensor, given: (Tensor | null)[], stateSizes: number[]): Tensor[] {
    const name = this.constructor.name
    if (input.ndim !== 2 && input.ndim !== 3)
      throw valueError(`${name}: Expected input to be 2D or 3D, got ${input.ndim}D ${this.mode === 'LSTM' ? '' : 'tensor '}instead`)
    const batched = input.ndim === 3
    const time = batched && this.batch_first ? 1 : 0
    const x = batched ? input : input.unsqueeze(time === 1 ? 0 : 1)
    const batch = batched ? input.shape[this.batch_first ? 0 : 1]! : 1
    const first = batched && this.batch_first
    const cellCount = this.num_layers * (this.bidirectional ? 2 : 1)
    const states = given.map((state, k) => {
      if (!state) return zeros([cellCount, batch, stateSizes[k]!], { dtype: input.dtype, device: input.device } as object)
      return batched ? state : state.unsqueeze(1)
    })
    if (given[0]) {
      const dims = given.map((s) => s!.ndim)
      if (dims.some((n) => n !== input.ndim)) {
        const kind = batched ? 'batched 3-D' : 'unbatched 2-D'
        throw runtimeError(
          this.mode === 'LSTM'
            ? `For ${kind} input, hx and cx should also be ${input.ndim}-D but got (${dims[0]}-D, ${dims[1]}-D) tensors`
            : `For ${kind} input, hx should also be ${input.ndim}-D but got ${dims[0]}-D tensor`,
        )
      }
    }
    if (input.shape.at(-1) !== this.input_size)
      throw runtimeError(recurrent_error_features_do_not_match(String(this.input_size), String(input.shape.at(-1))))
    states.forEach((state, k) => {
      const expected = [cellCount, batch, stateSizes[k]!]
      if (state.shape.some((n, i) => n !== expected[i]))
        throw runtimeError(
          `Expected hidden${this.mode === 'LSTM' ? `[${k}]` : ''} size ${tuple(expected)}, got ${list(state.shape as readonly number[])}`,
        )
    })
    const results = [
      ...networks[this.mode](
        x,
        this.mode === 'LSTM' ? [states[0]!, states[1]!] : states[0]!,
        this.all_weights.flat(),
        this.bias,
        this.num_layers,
        this.dropout,
        this.training,
        this.bidirectional,
        first,
      ),
    ]
    return batched ? results : results.map((t) => t.squeeze(1))
  }

  override extra_repr(): string {
    let s = `${this.input_size}, ${this.hidden_size}`
    if (this.proj_size !== 0) s += `, proj_size=${this.proj_size}`
    if (this.num_layers !== 1) s += `, num_layers=${this.num_layers}`
    if (!this.bias) s += `, bias=${python(this.bias)}`
    if (this.batch_first) s += `, batch_first=${python(this.batch_first)}`
    if (this.dropout !== 0) s += `, dropout=${this.dropout}`
    if (this.bidirectional) s += `, bidirectional=${python(this.bidirectional)}`
    return s
  }
}

const REST = ['bias', 'batch_first', 'dropout', 'bidirectional'] as const

/**
 * An Elman network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu. Input [T, B, input_size] (or [T, input_size]), result [output, h_n] with
 * output [T, B, directions * hidden_size] and h_n [layers * directions, B, hidden_size].
 */
export class RNN<
  const In extends number = number,
  const Hidden extends number = number,
  const Layers extends number = 1,
  const First extends boolean = false,
  const Both extends boolean = false,
> extends RNNBase {
  /** @internal */
  declare readonly recurrent_rule?: RecurrentRule<In, Hidden, Layers, First, Both, 0>
  readonly nonlinearity: 'tanh' | 'relu'
  constructor(
    ...args: Arguments<
      [input_size: In, hidden_size: Hidden],
      [
        num_layers: Layers,
        nonlinearity: 'tanh' | 'relu',
        bias: boolean,
        batch_first: First,
        dropout: number,
        bidirectional: Both,
        proj_size: number,
        device: DeviceInput | null,
        dtype: DType | null,
      ],
      RNNOptions<In, Hidden, Layers, First, Both> & { proj_size?: number },
      Partial<Omit<RNNOptions<In, Hidden, Layers, First, Both>, 'input_size' | 'hidden_size'>> & { proj_size?: number }
    >
  ) {
    const order = ['input_size', 'hidden_size', 'num_layers', 'nonlinearity', ...REST, 'proj_size', 'device', 'dtype'] as const
    const o = readArguments<RNNOptions & { proj_size?: number }>('RNN', args, order, 2)
    if (o.proj_size) throw valueError('proj_size argument is only supported for LSTM, not RNN or GRU')
    const nonlinearity = o.nonlinearity ?? 'tanh'
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu')
      throw valueError(`Unknown nonlinearity '${String(nonlinearity)}'. Select from 'tanh' or 'relu'.`)
    super(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', o)
    this.nonlinearity = nonlinearity
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    hx?: Tensor | null,
  ): RecurrentForward<M, S, D, Dev>
  override forward(input: Tensor, hx: Tensor | null = null): unknown {
    return this.run(input, [hx], [this.hidden_size]) as [Tensor, Tensor]
  }
}

/** Gated recurrent units. Input and results as RNN's. */
export class GRU<
  const In extends number = number,
  const Hidden extends number = number,
  const Layers extends number = 1,
  const First extends boolean = false,
  const Both extends boolean = false,
> extends RNNBase {
  /** @internal */
  declare readonly recurrent_rule?: RecurrentRule<In, Hidden, Layers, First, Both, 0>
  constructor(
    ...args: Arguments<
      [input_size: In, hidden_size: Hidden],
      [
        num_layers: Layers,
        bias: boolean,
        batch_first: First,
        dropout: number,
        bidirectional: Both,
        device: DeviceInput | null,
        dtype: DType | null,
      ],
      RNNBaseOptions<In, Hidden, Layers, First, Both> & { proj_size?: number },
      RNNExtraOptions<Layers, First, Both> & { proj_size?: number }
    >
  ) {
    const order = ['input_size', 'hidden_size', 'num_layers', ...REST, 'device', 'dtype'] as const
    const o = readArguments<RNNBaseOptions & { proj_size?: number }>('GRU', args, order, 2, ['proj_size'])
    if (o.proj_size !== undefined) throw valueError('proj_size argument is only supported for LSTM, not RNN or GRU')
    super('GRU', o)
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    hx?: Tensor | null,
  ): RecurrentForward<M, S, D, Dev>
  override forward(input: Tensor, hx: Tensor | null = null): unknown {
    return this.run(input, [hx], [this.hidden_size]) as [Tensor, Tensor]
  }
}

/** Long short-term memory. Input as RNN's, result [output, [h_n, c_n]]. */
export class LSTM<
  const In extends number = number,
  const Hidden extends number = number,
  const Layers extends number = 1,
  const First extends boolean = false,
  const Both extends boolean = false,
  const Projected extends number = 0,
> extends RNNBase {
  /** @internal */
  declare readonly recurrent_rule?: RecurrentRule<In, Hidden, Layers, First, Both, Projected>
  constructor(
    ...args: Arguments<
      [input_size: In, hidden_size: Hidden],
      [
        num_layers: Layers,
        bias: boolean,
        batch_first: First,
        dropout: number,
        bidirectional: Both,
        proj_size: Projected,
        device: DeviceInput | null,
        dtype: DType | null,
      ],
      LSTMOptions<In, Hidden, Layers, First, Both, Projected>,
      Partial<Omit<LSTMOptions<In, Hidden, Layers, First, Both, Projected>, 'input_size' | 'hidden_size'>>
    >
  ) {
    const order = ['input_size', 'hidden_size', 'num_layers', ...REST, 'proj_size', 'device', 'dtype'] as const
    super('LSTM', readArguments<LSTMOptions>('LSTM', args, order, 2))
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    hx?: States | null,
  ): LSTMForward<M, S, D, Dev>
  override forward(input: Tensor, hx: States | null = null): unknown {
    const [output, h, c] = this.run(input, [hx?.[0] ?? null, hx?.[1] ?? null], [this.proj_size || this.hidden_size, this.hidden_size])
    return [output!, [h!, c!]]
  }
}

// ---- cells ----------------------------------------------------------------------------------------------------------

export interface RNNCellBaseOptions<In extends number = number, Hidden extends number = number> extends FactoryOptions {
  input_size: In
  hidden_size: Hidden
  /** Default: true. */
  bias?: boolean
}
export interface RNNCellOptions<In extends number = number, Hidden extends number = number> extends RNNCellBaseOptions<In, Hidden> {
  nonlinearity?: 'tanh' | 'relu'
}

/** What the cells share: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`, uniform in ±1/√hidden_size at first. */
export abstract class RNNCellBase extends Module {
  readonly input_size: number
  readonly hidden_size: number
  readonly bias: boolean
  declare weight_ih: Parameter
  declare weight_hh: Parameter
  declare bias_ih: Parameter | null
  declare bias_hh: Parameter | null
  constructor(o: RNNCellBaseOptions, gates: number) {
    super()
    this.input_size = o.input_size
    this.hidden_size = o.hidden_size
    this.bias = o.bias ?? true
    const rows = gates * this.hidden_size
    this.register_parameter('weight_ih', newParameter([rows, this.input_size], o))
    this.register_parameter('weight_hh', newParameter([rows, this.hidden_size], o))
    this.register_parameter('bias_ih', this.bias ? newParameter([rows], o) : null)
    this.register_parameter('bias_hh', this.bias ? newParameter([rows], o) : null)
    this.reset_parameters()
  }

  /** Draws the initial values anew. */
  reset_parameters(): void {
    const bound = this.hidden_size > 0 ? 1 / Math.sqrt(this.hidden_size) : 0
    for (const p of this.parameters()) uniform_(p, -bound, bound)
  }

  /** @internal Checks input and states, and gives both a batch dimension. */
  protected prepare(input: Tensor, given: (Tensor | null)[]): { x: Tensor; states: Tensor[]; batched: boolean } {
    const name = this.constructor.name
    if (input.ndim !== 1 && input.ndim !== 2) throw valueError(`${name}: Expected input to be 1D or 2D, got ${input.ndim}D instead`)
    given.forEach((s, k) => {
      if (s && s.ndim !== 1 && s.ndim !== 2)
        throw valueError(`${name}: Expected ${given.length > 1 ? `hx[${k}]` : 'hidden'} to be 1D or 2D, got ${s.ndim}D instead`)
    })
    const batched = input.ndim === 2
    const x = batched ? input : input.unsqueeze(0)
    const states = given.map((s) =>
      s ? (batched ? s : s.unsqueeze(0)) : zeros([x.shape[0]!, this.hidden_size], { dtype: input.dtype, device: input.device } as object),
    )
    if (x.shape[1] !== this.input_size)
      throw runtimeError(recurrent_error_features_do_not_match_2(String(x.shape[1]), String(this.input_size)))
    states.forEach((s, k) => {
      if (s.shape[0] !== x.shape[0]) throw runtimeError(`Input batch size ${x.shape[0]} doesn't match hidden${k} batch size ${s.shape[0]}`)
      if (s.shape[1] !== this.hidden_size)
        throw runtimeError(`hidden${k} has inconsistent hidden_size: got ${s.shape[1]}, expected ${this.hidden_size}`)
    })
    return { x, states, batched }
  }

  override extra_repr(): string {
    return `${this.input_size}, ${this.hidden_size}${this.bias ? '' : ', bias=False'}`
  }
}

type CellArguments<In extends number, Hidden extends number> = Arguments<
  [input_size: In, hidden_size: Hidden],
  [bias: boolean, device: DeviceInput | null, dtype: DType | null],
  RNNCellBaseOptions<In, Hidden>
>
const CELL_ORDER = ['input_size', 'hidden_size', 'bias', 'device', 'dtype'] as const

/** One step of an Elman network: input [B, input_size] and h [B, hidden_size] to the next h. */
export class RNNCell<const In extends number = number, const Hidden extends number = number> extends RNNCellBase {
  /** @internal */
  declare readonly recurrent_rule?: CellRule<In, Hidden>
  readonly nonlinearity: 'tanh' | 'relu'
  constructor(
    ...args: Arguments<
      [input_size: In, hidden_size: Hidden],
      [bias: boolean, nonlinearity: 'tanh' | 'relu', device: DeviceInput | null, dtype: DType | null],
      RNNCellOptions<In, Hidden>
    >
  ) {
    const order = ['input_size', 'hidden_size', 'bias', 'nonlinearity', 'device', 'dtype'] as const
    const o = readArguments<RNNCellOptions>('RNNCell', args, order, 2)
    super(o, 1)
    this.nonlinearity = o.nonlinearity ?? 'tanh'
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    hx?: Tensor | null,
  ): CellForward<M, S, D, Dev>
  override forward(input: Tensor, hx: Tensor | null = null): unknown {
    const { x, states, batched } = this.prepare(input, [hx])
    if (this.nonlinearity !== 'tanh' && this.nonlinearity !== 'relu')
      throw runtimeError(`Unknown nonlinearity: ${String(this.nonlinearity)}`)
    const h = cells[this.nonlinearity](x, states[0]!, this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh)
    return batched ? h : h.squeeze(0)
  }
  override extra_repr(): string {
    return super.extra_repr() + (this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`)
  }
}

/** One step of a gated recurrent unit. */
export class GRUCell<const In extends number = number, const Hidden extends number = number> extends RNNCellBase {
  /** @internal */
  declare readonly recurrent_rule?: CellRule<In, Hidden>
  constructor(...args: CellArguments<In, Hidden>) {
    super(readArguments<RNNCellBaseOptions>('GRUCell', args, CELL_ORDER, 2), 3)
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    hx?: Tensor | null,
  ): CellForward<M, S, D, Dev>
  override forward(input: Tensor, hx: Tensor | null = null): unknown {
    const { x, states, batched } = this.prepare(input, [hx])
    const h = cells.gru(x, states[0]!, this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh)
    return batched ? h : h.squeeze(0)
  }
}

/** One step of an LSTM: [h, c] to the next [h, c]. */
export class LSTMCell<const In extends number = number, const Hidden extends number = number> extends RNNCellBase {
  /** @internal */
  declare readonly recurrent_rule?: CellRule<In, Hidden>
  constructor(...args: CellArguments<In, Hidden>) {
    super(readArguments<RNNCellBaseOptions>('LSTMCell', args, CELL_ORDER, 2), 4)
  }
  override forward<M extends Module, S extends Shape, D extends DType, Dev extends DeviceType>(
    this: M,
    input: Tensor<S, D, Dev>,
    hx?: States | null,
  ): LSTMCellForward<M, S, D, Dev>
  override forward(input: Tensor, hx: States | null = null): unknown {
    const { x, states, batched } = this.prepare(input, [hx?.[0] ?? null, hx?.[1] ?? null])
    const [h, c] = cells.lstm(x, [states[0]!, states[1]!], this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh)
    return batched ? [h!, c!] : [h!.squeeze(0), c!.squeeze(0)]
  }
}
