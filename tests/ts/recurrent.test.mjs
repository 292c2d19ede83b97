// Recurrent layers: every kind against its cell, step by step, values and gradients; results do not depend on the number of threads.
import test from 'node:test'
import assert from 'node:assert/strict'
import torch from 'torch.js'

const { nn } = torch
const close = (a, b, tolerance, what) => {
  assert.deepEqual([...a.shape], [...b.shape], what)
  const error = a.sub(b).abs().max().item()
  assert.ok(error <= tolerance, `${what}: ${error}`)
}

const kinds = {
  lstm: [nn.LSTM, {}],
  'lstm with a projection': [nn.LSTM, { proj_size: 21 }],
  gru: [nn.GRU, {}],
  tanh: [nn.RNN, {}],
  relu: [nn.RNN, { nonlinearity: 'relu' }],
}
// [steps, batch, input, hidden]: whole and cut-off tiles, more columns of k than a block has, few steps
const shapes = [
  [5, 3, 7, 41],
  [6, 17, 12, 64],
  [2, 50, 8, 33],
  [4, 5, 3, 130],
  [1, 2, 3, 24],
  [9, 1, 4, 32],
]
const tensorsOf = (x) => (Array.isArray(x) ? x.flatMap(tensorsOf) : [x])

for (const [name, [Kind, options]] of Object.entries(kinds))
  test(`${name}: threads, steps`, () => {
    for (const [steps, batch, inputs, hidden] of shapes) {
      torch.manual_seed(steps + hidden)
      const layer = new Kind(inputs, hidden, 1, { ...options, bidirectional: true })
      const x = torch.randn([steps, batch, inputs]).requires_grad_()
      const weights = [x, ...layer.parameters()]
      const run = () => {
        const outs = tensorsOf(layer.forward(x))
        const loss = outs.map((o) => o.square().sum()).reduce((a, b) => a.add(b))
        return [...outs, ...torch.autograd.grad([loss], weights)]
      }
      const before = torch.get_num_threads()
      torch.set_num_threads(1)
      const one = run()
      for (const threads of [2, 3]) {
        torch.set_num_threads(threads)
        const more = run()
        one.forEach((t, i) => assert.ok(t.equal(more[i]), `${steps}x${batch}x${hidden}: ${i} on ${threads} threads`))
      }
      torch.set_num_threads(before)

      // the same in operators, by the definitions
      const h = options.proj_size ?? hidden
      const step = (gates, w, b, hx, c, w_hr) => {
        if (name === 'gru') {
          const [ir, iz, inn] = gates.chunk(3, -1),
            [hr, hz, hn] = torch.nn.functional.linear(hx, w, b).chunk(3, -1)
          const r = ir.add(hr).sigmoid(),
            z = iz.add(hz).sigmoid(),
            n = inn.add(r.mul(hn)).tanh()
          return [n.mul(z.neg().add(1)).add(z.mul(hx)), c]
        }
        const sum = gates.add(torch.nn.functional.linear(hx, w, b))
        if (name === 'tanh') return [sum.tanh(), c]
        if (name === 'relu') return [sum.relu(), c]
        const [i, f, g, o] = sum.chunk(4, -1)
        const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()))
        const out = o.sigmoid().mul(cell.tanh())
        return [w_hr ? out.matmul(w_hr.t()) : out, cell]
      }
      const plain = () => {
        const named = Object.fromEntries([...layer.named_parameters()])
        const outputs = [],
          lasts = [],
          cells = []
        for (const suffix of ['', '_reverse']) {
          const p = (key) => named[`${key}_l0${suffix}`]
          const out = Array(steps)
          let hx = torch.zeros([batch, h]),
            c = torch.zeros([batch, hidden])
          for (let s = 0; s < steps; s++) {
            const t = suffix ? steps - 1 - s : s
            ;[hx, c] = step(
              torch.nn.functional.linear(x.select(0, t), p('weight_ih'), p('bias_ih')),
              p('weight_hh'),
              p('bias_hh'),
              hx,
              c,
              p('weight_hr'),
            )
            out[t] = hx
          }
          outputs.push(torch.stack(out))
          lasts.push(hx)
          cells.push(c)
        }
        const outs = [torch.cat(outputs, -1), torch.stack(lasts), ...(Kind === nn.LSTM ? [torch.stack(cells)] : [])]
        const loss = outs.map((o) => o.square().sum()).reduce((a, b) => a.add(b))
        return [...outs, ...torch.autograd.grad([loss], weights)]
      }
      plain().forEach((t, i) => close(one[i], t, 1e-4 * (1 + t.abs().max().item()), `${steps}x${batch}x${hidden}: ${i}`))
    }
  })
