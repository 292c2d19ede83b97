// torch.profiler on the cpu: what is recorded, its table, its schedule and its trace.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import torch, { nn } from 'torch.js'

const { profile, record_function, ProfilerAction, ProfilerActivity, schedule } = torch.profiler
const byName = (list, name) => list.find((e) => e.key === name)

test('operators, nodes of backward and ranges are recorded, those inside others too', () => {
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2))
  const x = torch.randn(3, 4)
  const prof = new profile({ activities: [ProfilerActivity.CPU] })
  prof.start()
  record_function('step', () => model.forward(x).sum().backward())
  prof.stop()
  const sums = prof.key_averages()
  const step = byName(sums, 'step'),
    linear = byName(sums, 'aten::linear'),
    addmm = byName(sums, 'aten::addmm')
  assert.equal(linear.count, 2)
  assert.equal(addmm.count, 2)
  assert.equal(byName(sums, 'autograd::engine::evaluate_function: AddmmBackward0').count, 2)
  assert.equal(byName(sums, 'autograd::engine::evaluate_function: ReluBackward0').count, 1)
  assert.ok(linear.cpu_time_total >= addmm.cpu_time_total, 'what is inside counts')
  assert.ok(linear.self_cpu_time_total <= linear.cpu_time_total)
  // Self times are those of the whole, shared out.
  assert.ok(Math.abs(sums.self_cpu_time_total - step.cpu_time_total) < 1e-6 * step.cpu_time_total + 0.01)
  const events = prof.events()
  assert.equal(events[0].name, 'step')
  assert.equal(events.filter((e) => !e.cpu_parent).length, 1)
  assert.equal(byName(events, 'aten::addmm').cpu_parent.name, 'aten::linear')
  for (const e of events) assert.ok(e.time_range.end >= e.time_range.start && e.self_cpu_time_total >= -0.01)
})

test('nothing is recorded before or after', async () => {
  const prof = new profile({ activities: ['CPU'] })
  torch.ones(2).add(1)
  const result = await prof.run(() => torch.ones(2).mul(3).toArray())
  torch.ones(2).sub(1)
  assert.deepEqual(result, [3, 3])
  const names = prof.key_averages().map((e) => e.key)
  assert.ok(names.includes('aten::mul') && !names.includes('aten::add') && !names.includes('aten::sub'))
  record_function('outside', () => torch.ones(1))
})

test('an operator that fails ends too', () => {
  const prof = new profile({ activities: ['CPU'] })
  prof.start()
  assert.throws(() => torch.ones(2, 3).matmul(torch.ones(2, 3)))
  torch.ones(2).exp()
  prof.stop()
  assert.equal(byName(prof.events(), 'aten::exp').cpu_parent, null)
})

test('the table is as PyTorch prints it', () => {
  const prof = new profile({ activities: ['CPU'] })
  prof.start()
  const x = torch.ones(8)
  for (let i = 0; i < 3; i++) x.add(1)
  x.mul(2)
  prof.stop()
  const lines = prof.key_averages().table({ sort_by: 'count', row_limit: 2 }).split('\n')
  assert.match(lines[0], /^-+ ( -{12} ){5} -{12}  $/)
  assert.equal(lines[1].trim().replace(/ {2,}/g, '|'), 'Name|Self CPU %|Self CPU|CPU total %|CPU total|CPU time avg|# of Calls')
  assert.match(lines[3], /^ *aten::add +[\d.]+% +[\d.]+(us|ms|s) +[\d.]+% +[\d.]+(us|ms|s) +[\d.]+(us|ms|s) +3 {2}$/)
  assert.equal(lines.length, 8)
  assert.match(lines[6], /^Self CPU time total: [\d.]+(us|ms|s)$/)
  assert.throws(() => prof.key_averages().table({ sort_by: 'nothing' }), /sort_by has to be one of cpu_time_total/)
})

test('a schedule chooses the steps', () => {
  const plan = schedule({ wait: 1, warmup: 1, active: 2, repeat: 1, skip_first: 1 })
  const { NONE, WARMUP, RECORD, RECORD_AND_SAVE } = ProfilerAction
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(plan), [NONE, NONE, WARMUP, RECORD, RECORD_AND_SAVE, NONE, NONE])
  assert.throws(() => schedule({ wait: 0, warmup: 0, active: 0 }), /Invalid profiler schedule arguments/)
  const seen = []
  const prof = new profile({
    activities: ['CPU'],
    schedule: schedule({ wait: 1, warmup: 1, active: 2 }),
    on_trace_ready: (p) =>
      seen.push([
        p.step_num,
        p
          .events()
          .filter((e) => !e.cpu_parent)
          .map((e) => e.name),
      ]),
  })
  prof.start()
  for (let i = 0; i < 9; i++) {
    torch.ones(2).add(i)
    prof.step()
  }
  prof.stop()
  assert.deepEqual(seen, [
    [4, ['ProfilerStep#2', 'ProfilerStep#3']],
    [8, ['ProfilerStep#6', 'ProfilerStep#7']],
  ])
})

test('a trace that browsers show', () => {
  const dir = mkdtempSync(join(tmpdir(), 'torchjs-trace-'))
  const prof = new profile({ activities: ['CPU'] })
  prof.start()
  record_function('a "range"\tof\nmine', () => torch.ones(3).add(1))
  prof.stop()
  const file = join(dir, 'trace.json')
  prof.export_chrome_trace(file)
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8'))
  rmSync(dir, { recursive: true })
  const events = traceEvents.filter((e) => e.ph === 'X')
  assert.deepEqual(
    [events[0].name, events[0].cat, events.at(-1).name, events.at(-1).cat],
    ['a "range" of mine', 'user_annotation', 'aten::add', 'cpu_op'],
  )
  assert.ok(events[0].ts <= events.at(-1).ts && events[0].dur >= events.at(-1).dur)
})

test('one at a time, and bad arguments', () => {
  const a = new profile({ activities: ['CPU'] }),
    b = new profile({ activities: ['CPU'] })
  a.start()
  assert.throws(() => a.start(), /runs already/)
  assert.throws(() => b.start(), /Profiler is already enabled on this thread/)
  a.stop()
  assert.throws(() => b.step(), /start\(\) first/)
  assert.throws(() => new profile({ activities: [] }), /No valid profiler activities found/)
  assert.deepEqual([...torch.profiler.supported_activities()], ['CPU'])
})
