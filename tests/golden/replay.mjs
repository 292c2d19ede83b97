// The cases of one folder, replayed: in Node (run.mjs) and in a page (browser.mjs) alike.
import { DEVICE_DTYPES, runOpOn } from './device.mjs'
import { runModule, runOptim, runSched } from './classes.mjs'
import { runOp, runOpError } from './ops.mjs'
import { runError, runPrint, runRng } from './programs.mjs'
import { Inexpressible, Missing, SUPPORTED_DTYPES } from './values.mjs'

export const GROUPS = ['op', 'op_error', 'module', 'optim', 'sched', 'print', 'error', 'rng', 'dist', 'serialization']

const groupOf = (file) => (file.startsWith('op_') && file !== 'op_error' ? 'op' : file)
const nameOf = (c) =>
  ({
    op: c.op && (c.variant ? `${c.op}.${c.variant}` : c.op),
    op_error: c.op,
    module: c.module,
    optim: `optim.${c.optimizer}`,
    sched: `lr_scheduler.${c.scheduler}`,
  })[c.group] ?? c.group

/**
 * `files`: names of the files with cases. `lines(name)`: the records of a file; `blob(name)`: the bytes beside it. Both may be promises. Prints failures
 * through `log`. `part`, `parts`: every how manieth case, beginning with which. The result goes through JSON.
 */
export async function replay(torch, { files, lines, blob, groups, only, device = 'cpu', part = 0, parts = 1, verbose, log }) {
  const ops = new Map((await lines('ops')).map((o) => [`${o.op}|${o.variant}`, o]))
  // Operators of which some call came out differently twice: their results are random.
  for (const file of files.filter((f) => groupOf(f) === 'op')) {
    for (const c of await lines(file)) if (c.random && ops.has(`${c.op}|${c.variant}`)) ops.get(`${c.op}|${c.variant}`).random = true
  }
  const pattern = only ? new RegExp(only) : null
  const info = (c) => ops.get(`${c.op}|${c.variant}`) ?? { op: c.op, call: { kind: 'function', path: `torch.${c.op}` } }
  const RUN = {
    op: (c, bytes) => runOp(torch, c, bytes, info(c)),
    op_error: (c, bytes) => runOpError(torch, c, bytes, info(c)),
    module: (c, bytes) => runModule(torch, c, bytes),
    optim: (c, bytes) => runOptim(torch, c, bytes),
    sched: (c) => runSched(torch, c),
    print: (c) => runPrint(torch, c),
    error: (c) => runError(torch, c),
    rng: (c, bytes) => runRng(torch, c, bytes),
  }

  const onDevice = device !== 'cpu'
  if (onDevice) await torch.webgpu.init()
  let count = 0
  const totals = { passed: 0, failed: 0, missing: 0, inexpressible: 0, version: 0 }
  const names = new Map() // "group name" -> counts
  const missing = new Map()
  const failures = []
  for (const file of files) {
    const group = groupOf(file)
    if (groups && !groups.includes(group)) continue
    const bytes = await blob(file)
    for (const c of await lines(file)) {
      c.group ??= group
      if (pattern && !pattern.test(c.id)) continue
      if (onDevice && (group !== 'op' || !DEVICE_DTYPES.includes(c.dtype))) continue
      if (count++ % parts !== part) continue
      const key = `${group} ${nameOf(c)}`
      if (!names.has(key)) names.set(key, { passed: 0, failed: 0, missing: 0, inexpressible: 0, version: 0 })
      let outcome = 'passed',
        why = ''
      try {
        if (!RUN[group]) throw new Missing(group)
        if (c.dtype && !SUPPORTED_DTYPES.includes(c.dtype)) throw new Missing(`dtype ${c.dtype}`)
        if (onDevice && !torch.webgpu.is_initialized()) await torch.webgpu.init() // a case before this one ended it
        const wrong = onDevice
          ? await torch.scope(() => runOpOn(torch, c, bytes, info(c), device))
          : torch.scope(() => {
              const r = RUN[group](c, bytes)
              return r
            })
        // PyTorch's own versions answer these differently; ours follows 2.6 in them.
        if (wrong.length && c.other_versions?.['2.6.0']?.same === false) outcome = 'version'
        else if (wrong.length) ((outcome = 'failed'), (why = wrong.join('; ')))
      } catch (e) {
        if (e instanceof Missing) ((outcome = 'missing'), missing.set(e.missing, (missing.get(e.missing) ?? 0) + 1))
        else if (e instanceof Inexpressible) outcome = 'inexpressible'
        else if (c.other_versions?.['2.6.0']?.same === false) outcome = 'version'
        else ((outcome = 'failed'), (why = `raised ${e.name ?? ''}: ${verbose ? e.stack : e.message}`))
      }
      totals[outcome]++
      names.get(key)[outcome]++
      if (outcome === 'failed') {
        failures.push({ id: c.id, group, why })
        log(`FAILED ${group} ${c.id}: ${why.slice(0, verbose ? 5000 : 300)}`)
      }
    }
  }
  return { backend: torch.backend, totals, names: Object.fromEntries(names), missing: Object.fromEntries(missing), failures }
}
