// Linear algebra whose form depends on an argument's value, or that draws random numbers: lu, svd_lowrank, pca_lowrank.
import { matmul, randn } from './generated/functions.js'
import { lu_factor, lu_factor_ex, qr, svd } from './generated/linalg.js'
import { scope } from './memory.js'
import { valueError } from './nn/errors.js'
import { isOptions, typeName } from './runtime/arguments.js'
import { TorchError } from './runtime/errors.js'
import { Tensor } from './tensor.js'
import { isOnDevice } from './webgpu/reading.js'

/** A matrix, or a batch of them. */
function matrix(name: string, A: unknown): Tensor {
  if (!(A instanceof Tensor)) throw new TorchError(`${name}(): argument 'A' (position 1) must be Tensor, not ${typeName(A)}`, 'TypeError')
  if (A.ndim < 2) throw new TorchError(`${name}: The input tensor A must have at least 2 dimensions, but got ${A.ndim}`, 'RuntimeError')
  return A
}

const adjoint = (x: Tensor): Tensor => x.transpose(-2, -1).conj()

export interface LuOptions {
  /** Exchange rows. Default: true. */
  readonly pivot?: boolean
  /** Give `info` back and do not complain about singular matrices. Default: false. */
  readonly get_infos?: boolean
}

/**
 * The LU factors of a matrix in one, and the exchanges of rows; with get_infos also where U has a zero on its diagonal.
 *
 * `lu(A, pivot=True, get_infos=False)`. Throws a RuntimeError for a singular matrix, unless get_infos.
 */
export function lu(A: Tensor, pivot: boolean, get_infos: true): [LU: Tensor, pivots: Tensor, info: Tensor]
export function lu(A: Tensor, options: LuOptions & { readonly get_infos: true }): [LU: Tensor, pivots: Tensor, info: Tensor]
export function lu(A: Tensor, pivot?: boolean | LuOptions, get_infos?: boolean | LuOptions): [LU: Tensor, pivots: Tensor]
export function lu(A: Tensor, second?: boolean | LuOptions, third?: boolean | LuOptions): Tensor[] {
  const options = (isOptions(second) ? second : isOptions(third) ? third : {}) as LuOptions
  const pivot = typeof second === 'boolean' ? second : (options.pivot ?? true)
  const infos = typeof third === 'boolean' ? third : (options.get_infos ?? false)
  if (!infos && isOnDevice(A)) return [...lu_factor(A, { pivot })] // the next read tells
  const { LU, pivots, info } = lu_factor_ex(A, { pivot })
  if (infos) return [LU, pivots, info]
  if (info.ne(0).any().item())
    throw new TorchError(
      'torch.linalg.lu_factor: U[i,i] is zero for some i and using it on lu_solve would result in a division by zero. If you still want to ' +
        'perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)',
      'RuntimeError',
    )
  return [LU, pivots]
}

export interface SvdLowrankOptions {
  readonly q?: number | null
  readonly niter?: number
  readonly M?: Tensor | null
}
export interface PcaLowrankOptions {
  readonly q?: number | null
  readonly center?: boolean
  readonly niter?: number
}

// Halko, Martinsson and Tropp 2009, algorithms 4.4 and 5.1.
function lowRank(A: Tensor, q: number, niter: number, M: Tensor | null): [U: Tensor, S: Tensor, V: Tensor] {
  const [m, n] = [A.shape.at(-2)!, A.shape.at(-1)!]
  const wide = m < n
  const a = wide ? adjoint(A) : A
  const mean = M ? (wide ? adjoint(M.expand(A.shape as number[])) : M.expand(A.shape as number[])) : null
  const product = (x: Tensor, adj: boolean): Tensor => {
    const y = matmul(adj ? adjoint(a) : a, x)
    return mean ? y.sub(matmul(adj ? adjoint(mean) : mean, x)) : y
  }
  const basis = (x: Tensor): Tensor => qr(x).Q
  let Q = basis(product(randn([a.shape.at(-1)!, q], { dtype: a.dtype, device: a.device } as object), false))
  for (let i = 0; i < niter; i++) Q = basis(product(basis(product(Q, true)), false))
  let B = matmul(adjoint(Q), a)
  if (mean) B = B.sub(matmul(adjoint(Q), mean))
  const { U, S, Vh } = svd(B, false)
  const left = matmul(Q, U),
    right = adjoint(Vh)
  return wide ? [right, S, left] : [left, S, right]
}

/**
 * The largest q singular values of A - M, approximately, by random projection.
 *
 * `svd_lowrank(A, q=6, niter=2, M=None)`
 */
export function svd_lowrank(
  A: Tensor,
  q?: number | null | SvdLowrankOptions,
  niter?: number | SvdLowrankOptions,
  M?: Tensor | null | SvdLowrankOptions,
): [U: Tensor, S: Tensor, V: Tensor] {
  matrix('svd_lowrank', A)
  const options = ([q, niter, M].find((x) => isOptions(x) && !(x instanceof Tensor)) ?? {}) as SvdLowrankOptions
  const mean = M instanceof Tensor ? M : (options.M ?? null)
  return scope(() =>
    lowRank(A, (typeof q === 'number' ? q : options.q) ?? 6, typeof niter === 'number' ? niter : (options.niter ?? 2), mean),
  )
}

/**
 * The first q principal components of the rows of A, approximately.
 *
 * `pca_lowrank(A, q=None, center=True, niter=2)`
 */
export function pca_lowrank(
  A: Tensor,
  q?: number | null | PcaLowrankOptions,
  center?: boolean | PcaLowrankOptions,
  niter?: number | PcaLowrankOptions,
): [U: Tensor, S: Tensor, V: Tensor] {
  matrix('pca_lowrank', A)
  const options = ([q, center, niter].find((x) => isOptions(x)) ?? {}) as PcaLowrankOptions
  const least = Math.min(A.shape.at(-2)!, A.shape.at(-1)!)
  const given = typeof q === 'number' ? q : (options.q ?? null)
  if (given !== null && !(given >= 0 && given <= least))
    throw valueError(`q(=${given}) must be non-negative integer and not greater than min(m, n)=${least}`)
  const sweeps = typeof niter === 'number' ? niter : (options.niter ?? 2)
  if (!(sweeps >= 0)) throw valueError(`niter(=${sweeps}) must be non-negative integer`)
  const centered = typeof center === 'boolean' ? center : (options.center ?? true)
  return scope(() => lowRank(centered ? A.sub(A.mean([-2], true)) : A, given ?? Math.min(6, least), sweeps, null))
}
