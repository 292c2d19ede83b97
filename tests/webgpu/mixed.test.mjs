// Tensors of two devices in one call: for every operator of which a recorded case takes more than one tensor, the error is PyTorch's.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import torch from 'torch.js'
import { callable } from '../golden/ops.mjs'
import { Builder, call, tensorsIn } from '../golden/values.mjs'

const CASES = process.env.TORCHJS_CASES
const MIXED =
  /^Expected all tensors to be on the same device, but found at least two devices, (webgpu:0 and cpu|cpu and webgpu:0)!|^torch.block_diag: input tensors must all be on the same device/
// Indices may be on the cpu, as in PyTorch; copies between devices are what these are for; of these PyTorch uses sizes or dtypes alone.
const ALLOWED = new Set([
  '__getitem__',
  'index_put',
  'to',
  'copy_',
  'type_as',
  'resize_as_',
  'view_as',
  'expand_as',
  'reshape_as',
  'broadcast_shapes',
  'meshgrid',
  'broadcast_tensors',
  'atleast_1d',
  'atleast_2d',
  'atleast_3d',
  'result_type',
  'tensor_split',
  'unflatten',
  'linspace',
  'logspace',
])
const lines = (name) =>
  gunzipSync(readFileSync(join(CASES, `${name}.jsonl.gz`)))
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((l) => JSON.parse(l))

test('every operator refuses tensors of two devices in the words of PyTorch', { skip: !CASES || !existsSync(CASES) }, async () => {
  await torch.webgpu.init()
  const infos = new Map(lines('ops').map((o) => [`${o.op}|${o.variant}`, o]))
  const blob = gunzipSync(readFileSync(join(CASES, 'op_float32.bin.gz')))
  const seen = new Map() // operator -> what went wrong in its cases so far; '' once one was refused
  for (const c of lines('op_float32')) {
    if (ALLOWED.has(c.op) || seen.get(c.op) === '') continue
    const info = infos.get(`${c.op}|${c.variant}`)
    torch.scope(() => {
      let count = 0
      class Split extends Builder {
        storage(flat) {
          return count++ === 0 ? flat.to('webgpu') : flat
        }
      }
      let outcome
      try {
        const b = new Split(torch, blob)
        const args = c.args.map((a) => b.value(a))
        const kwargs = b.kwargs(c.kwargs)
        const tensors = tensorsIn(torch, [args, Object.values(kwargs)])
        const onDevice = tensors.filter((t) => t.device !== 'cpu')
        // Numbers (0-d) of the cpu may stand beside tensors of the device.
        const apart = tensors.filter((t) => t.device === 'cpu' && t.ndim > 0)
        if (onDevice.length === 0 || apart.length === 0 || onDevice.every((t) => t.ndim === 0)) return
        try {
          call(callable(torch, info, c), args, kwargs)
          outcome = `${c.id}: took tensors of two devices`
        } catch (e) {
          // A name that is not there at all is the golden runner's to report.
          if (e.missing || e.code === 'NotImplementedError' || /not implemented|Cannot convert a webgpu/.test(e.message)) return
          outcome = MIXED.test(e.message) ? '' : `${c.id}: ${e.message.slice(0, 200)}`
        }
      } catch {
        return // the case cannot be built here
      }
      seen.set(c.op, outcome)
    })
  }
  const wrong = [...seen.values()].filter(Boolean)
  assert.ok(seen.size > 150, `only ${seen.size} operators were tried`)
  assert.deepEqual(wrong, [])
})
