// Loading a state_dict: what fits is copied, what does not is told in PyTorch's words.

import { Tensor } from '../tensor.js'
import { no_grad } from '../autograd/modes.js'
import { runtimeError, typeError } from './errors.js'
import type { Module } from './module.js'
import { Parameter } from './parameter.js'
import { isPlainObject, sizeText, typeName } from './text.js'

/** Tensors by dotted name, in order. */
export type StateDict = Record<string, Tensor>

/** What load_state_dict returns: the keys that the state lacked, and those that it had too many. */
export class IncompatibleKeys {
  constructor(
    readonly missing_keys: readonly string[],
    readonly unexpected_keys: readonly string[],
  ) {}

  *[Symbol.iterator](): IterableIterator<readonly string[]> {
    yield this.missing_keys
    yield this.unexpected_keys
  }

  toString(): string {
    if (this.missing_keys.length === 0 && this.unexpected_keys.length === 0) return '<All keys matched successfully>'
    const list = (keys: readonly string[]): string => `[${keys.map((key) => `'${key}'`).join(', ')}]`
    return `_IncompatibleKeys(missing_keys=${list(this.missing_keys)}, unexpected_keys=${list(this.unexpected_keys)})`
  }
}

interface Report {
  readonly missing: string[]
  readonly unexpected: string[]
  readonly errors: string[]
}

export function loadStateDict(
  module: Module,
  given: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  strict: boolean,
  assign: boolean,
): IncompatibleKeys {
  if (!(given instanceof Map) && !isPlainObject(given))
    throw typeError(`Expected state_dict to be dict-like, got <class '${typeName(given)}'>.`)
  const state = new Map<string, unknown>(given instanceof Map ? given : Object.entries(given))
  const report: Report = { missing: [], unexpected: [], errors: [] }
  no_grad(() => {
    loadModule(module, '', state, assign, report)
  })
  if (strict) {
    const quoted = (keys: string[]): string => keys.map((key) => `"${key}"`).join(', ')
    if (report.unexpected.length > 0) report.errors.unshift(`Unexpected key(s) in state_dict: ${quoted(report.unexpected)}. `)
    if (report.missing.length > 0) report.errors.unshift(`Missing key(s) in state_dict: ${quoted(report.missing)}. `)
  }
  if (report.errors.length > 0) {
    throw runtimeError(`Error(s) in loading state_dict for ${module.constructor.name}:\n\t${report.errors.join('\n\t')}`)
  }
  return new IncompatibleKeys(report.missing, report.unexpected)
}

/** Loads one module and then those below it. Only keys that begin with `prefix` are in `state`. */
function loadModule(module: Module, prefix: string, state: ReadonlyMap<string, unknown>, assign: boolean, report: Report): void {
  const locals: [string, Tensor][] = []
  const buffers: [string, Tensor][] = []
  const children: [string, Module][] = []
  const known = new Set<string>()
  const names = new Set<string>()
  for (const [name, member] of module.members()) {
    if (member.kind === 'module') {
      names.add(name)
      if (member.value) children.push([name, member.value])
    } else if (member.value && member.kind === 'parameter') {
      locals.push([name, member.value])
    } else if (member.value && member.kind === 'buffer' && member.persistent) {
      buffers.push([name, member.value])
    }
  }
  locals.push(...buffers)
  const optional = module.optional_state_keys()
  for (const [name, tensor] of locals) {
    known.add(name)
    const key = prefix + name
    if (!state.has(key)) {
      if (!optional.includes(name)) report.missing.push(key)
      continue
    }
    loadTensor(module, name, key, tensor, state.get(key), assign, report)
  }
  for (const key of state.keys()) {
    const rest = key.slice(prefix.length)
    const dot = rest.indexOf('.')
    const first = dot < 0 ? rest : rest.slice(0, dot)
    if (dot < 0 ? !known.has(first) : !names.has(first)) report.unexpected.push(key)
  }
  for (const [name, child] of children) {
    const childPrefix = `${prefix}${name}.`
    const below = new Map([...state].filter(([key]) => key.startsWith(childPrefix)))
    loadModule(child, childPrefix, below, assign, report)
  }
}

function loadTensor(module: Module, name: string, key: string, tensor: Tensor, given: unknown, assign: boolean, report: Report): void {
  if (!(given instanceof Tensor)) {
    report.errors.push(
      `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but received <class '${typeName(given)}'>`,
    )
    return
  }
  // Before version 0.4 PyTorch saved a number as a tensor of one element.
  const input = tensor.ndim === 0 && given.ndim === 1 && given.numel() === 1 ? given.reshape([]) : given
  if (sizeText(input.shape) !== sizeText(tensor.shape)) {
    report.errors.push(
      `size mismatch for ${key}: copying a param with shape ${sizeText(input.shape)} from checkpoint, the shape in current model is ${sizeText(tensor.shape)}.`,
    )
    return
  }
  try {
    if (!assign) {
      tensor.copy_(input)
    } else if (tensor instanceof Parameter) {
      module.replace_member(name, input instanceof Parameter ? input : new Parameter(input, tensor.requires_grad))
    } else {
      module.replace_member(name, input)
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    report.errors.push(
      `While copying the parameter named "${key}", whose dimensions in the model are ${sizeText(tensor.shape)} and ` +
        `whose dimensions in the checkpoint are ${sizeText(input.shape)}, an exception occurred : ('${reason}',).`,
    )
  }
}
