// Groups module, optim and sched: classes constructed with recorded arguments, run, and compared.
import { judgeError } from './ops.mjs'
import { Python } from './python.mjs'
import { Builder, construct, cotangent, differs, Inexpressible, lookup, Missing, tensorsIn } from './values.mjs'

// Where PyTorch's own gradients carry more rounding noise than the tolerance of float32: against float64, CTCLoss's are off by 3.5e-5 and ours
// by 5e-8, since it adds logarithms in float32.
const WIDER = { 'nn.CTCLoss': [1e-3, 5e-5] }

export function runModule(torch, c, blob) {
  const b = new Builder(torch, blob)
  const Class = lookup(torch, c.module.startsWith('nn.') ? c.module : `nn.${c.module}`)
  if (c.error) return moduleError(torch, c, b, Class)
  torch.manual_seed(0)
  const module = construct(
    Class,
    c.ctor_args.map((a) => b.value(a)),
    b.kwargs(c.ctor_kwargs),
  )
  // A lazy module is recorded as what its first call makes of it.
  if (c.lazy) torch.no_grad(() => module.forward(...c.args.map((a) => b.value(a))))
  const failures = []
  if (c.repr !== undefined && String(module) !== c.repr && !reprDiffersByVersion(c))
    failures.push(`repr ${JSON.stringify(String(module))}, expected ${JSON.stringify(c.repr)}`)
  module.to(c.dtype)
  const names = [...module.named_parameters()].map(([n]) => n)
  if (JSON.stringify(names) !== JSON.stringify(c.param_names)) failures.push(`parameters ${names}, expected ${c.param_names}`)
  const state = Object.fromEntries(Object.entries(c.state).map(([k, v]) => [k, b.tensor(v.tensor ?? v)]))
  module.load_state_dict(state)
  if (c.mode === 'eval') module.eval()
  else module.train()
  let args = c.args.map((a) => b.value(a)),
    kwargs = b.kwargs(c.kwargs)
  // forward has no keywords where it has no options: what Python names is then simply next.
  if (args.length === 0) ((args = Object.values(kwargs)), (kwargs = {}))
  const out = Object.keys(kwargs).length ? module.forward(...args, kwargs) : module.forward(...args)
  const wrong = differs(torch, out, c.out, blob)
  if (wrong) return [...failures, wrong]
  for (const [k, v] of Object.entries(c.state_after ?? {})) {
    const r = differs(torch, module.state_dict()[k], v.tensor ? v : { tensor: v }, blob)
    if (r) failures.push(`state ${k}: ${r}`)
  }
  if (!c.grads && !c.param_grads) return failures
  const outputs = [],
    cotangents = []
  tensorsIn(torch, out).forEach((t, k) => {
    if (t.requires_grad) (outputs.push(t), cotangents.push(cotangent(torch, t, k)))
  })
  if (outputs.length === 0) return failures
  const wanted = []
  for (const g of c.grads ?? []) wanted.push([`input ${g.id}`, b.byId.get(g.id), g.grad])
  const parameters = new Map(module.named_parameters())
  for (const [k, g] of Object.entries(c.param_grads ?? {})) wanted.push([k, parameters.get(k), g])
  const got = torch.autograd.grad(
    outputs,
    wanted.map((w) => w[1]),
    { grad_outputs: cotangents, allow_unused: true },
  )
  wanted.forEach(([name, , g], i) => {
    if (g === null) return
    const r = got[i] ? differs(torch, got[i], g.tensor ? g : { tensor: g }, blob, { tolerance: WIDER[c.module] }) : 'none'
    if (r) failures.push(`gradient of ${name}: ${r}`)
  })
  return failures
}

const reprDiffersByVersion = (c) => c.other_versions?.['2.6.0']?.why === 'repr'

function moduleError(torch, c, b, Class) {
  let raised = null
  try {
    const module = construct(
      Class,
      c.ctor_args.map((a) => b.value(a)),
      b.kwargs(c.ctor_kwargs),
    )
    if (c.error_on !== 'construction') module.forward(...c.args.map((a) => b.value(a)))
  } catch (e) {
    if (e instanceof Missing) throw e
    raised = e
  }
  if (!raised && b.floatIntegers && /should be of type int, got: float/.test(c.raised?.message ?? ''))
    throw new Inexpressible('a float that is whole')
  return judgeError(torch, raised, c)
}

// What the constructor is given: a list, whatever else the case passes in its place, or a parameter where it says nothing.
const params = (b, c) => (c.params ? b.value(c.params) : [new b.torch.nn.Parameter(b.torch.ones(1))])

export function runOptim(torch, c, blob) {
  const b = new Builder(torch, blob)
  const Class = lookup(torch, `optim.${c.optimizer}`)
  if (c.error) {
    let raised = null
    try {
      const list = params(b, c)
      new Class(list, b.kwargs(c.kwargs))
    } catch (e) {
      if (e instanceof Missing) throw e
      raised = e
    }
    if (/Warning$/.test(c.raised?.type ?? '')) return raised ? [`raised '${raised.message}', PyTorch warns`] : []
    return judgeError(torch, raised, c)
  }
  const kwargs = b.kwargs(c.kwargs)
  const ps = c.params.map((p) => new torch.nn.Parameter(b.value(p).clone()))
  const groups = c.param_groups?.map((g) => {
    const entries = g.dict ? Object.fromEntries(g.dict) : g
    const options = b.kwargs(Object.fromEntries(Object.entries(entries).filter(([k]) => k !== 'params')))
    return { params: entries.params.map((i) => ps[i]), ...options }
  })
  const failures = []
  const optimizer = new Class(groups ?? ps, kwargs)
  if (c.repr !== undefined && String(optimizer) !== c.repr && c.other_versions?.['2.6.0']?.same !== false) {
    failures.push(`repr ${JSON.stringify(String(optimizer))}, expected ${JSON.stringify(c.repr)}`)
  }
  if (c.closure !== undefined) throw new Missing(`optim.${c.optimizer} closure`)
  for (const [i, step] of c.steps.entries()) {
    step.grads.forEach((g, k) => {
      if (g?.sparse_coo) throw new Missing('sparse gradient')
      ps[k].grad = g === null ? null : b.value(g)
    })
    optimizer.step()
    for (const [k, p] of step.params.entries()) {
      const r = differs(torch, ps[k], p, blob)
      if (r) return [...failures, `step ${i}, parameter ${k}: ${r}`]
    }
  }
  return failures
}

function scheduler(torch, optimizer, name, kwargs, b) {
  const Class = lookup(torch, `optim.lr_scheduler.${name}`)
  const options = {}
  for (const [k, v] of Object.entries(kwargs)) {
    if (k === 'schedulers') options[k] = v.map((s) => scheduler(torch, optimizer, s.scheduler, s.kwargs, b))
    else if (Array.isArray(v)) options[k] = v.map((x) => lambda(x) ?? b.value(x))
    else options[k] = lambda(v) ?? b.value(v)
  }
  if (name === 'ChainedScheduler') return new Class(options.schedulers, { optimizer })
  if (name === 'SequentialLR') return new Class(optimizer, options.schedulers, options.milestones)
  return new Class(optimizer, options)
}
function lambda(v) {
  if (!v || typeof v !== 'object' || !('lambda' in v)) return undefined
  const f = new Python(null).run(`lambda ${v.arg ?? 'epoch'}: ${v.lambda}`)
  return (epoch) => Number(f(epoch))
}

export function runSched(torch, c) {
  const b = new Builder(torch, null)
  const groups = c.optimizer.lrs.map((lr) => ({ params: [new torch.nn.Parameter(torch.zeros(1))], lr }))
  const Optimizer = lookup(torch, `optim.${c.optimizer.class}`)
  const options = c.optimizer.class === 'SGD' ? { lr: c.optimizer.lrs[0], momentum: c.optimizer.momentum } : { lr: c.optimizer.lrs[0] }
  const optimizer = new Optimizer(groups, options)
  const s = scheduler(torch, optimizer, c.scheduler, c.kwargs, b)
  const lrs = () => optimizer.param_groups.map((g) => g.lr)
  const near = (got, want, what) =>
    want.every((w, i) => Math.abs(got[i] - w) <= 1e-12 + 1e-9 * Math.abs(w)) ? [] : [`${what}: ${got}, expected ${want}`]
  const failures = near(lrs(), c.lrs[0], 'before the first step')
  for (let t = 1; t < c.lrs.length && failures.length === 0; t++) {
    optimizer.step()
    if (c.metrics) s.step(c.metrics[t - 1]?.float ?? c.metrics[t - 1])
    else s.step()
    failures.push(...near(lrs(), c.lrs[t], `step ${t}`))
    if (c.momenta)
      failures.push(
        ...near(
          optimizer.param_groups.map((g) => g.momentum ?? g.betas[0]),
          c.momenta[t],
          `momentum at step ${t}`,
        ),
      )
  }
  return failures
}
