// Everything of the device webgpu: its tests, the training curves and the recorded cases. The last line says how many passed and failed.
//   node tests/webgpu/run.mjs --cases DIR [--part 0/3]     part: of the recorded cases
// Without a GPU that Vulkan knows, the software adapter of Debian's chromium computes.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({ options: { cases: { type: 'string' }, part: { type: 'string', default: '0/1' } } })
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'
const env = { ...process.env, TORCHJS_CASES: options.cases, TJ_MAKE_LOCKED: '1' }
if (!env.VK_ICD_FILENAMES && !existsSync('/usr/share/vulkan/icd.d') && existsSync(SOFTWARE)) env.VK_ICD_FILENAMES = SOFTWARE
const totals = { passed: 0, failed: 0 }
let ended = 0 // how the last process ended
const run = (args) => {
  const r = spawnSync('node', args, { env, encoding: 'utf8', maxBuffer: 2 ** 28 })
  ended = r.status
  return r.stdout + r.stderr
}

{
  const out = run(['--expose-gc', '--test', '--test-concurrency=1', '--test-timeout=600000', 'tests/webgpu/'])
  const count = (word) => Number(new RegExp(`^. ${word} (\\d+)`, 'm').exec(out)?.[1] ?? 0)
  totals.passed += count('pass')
  totals.failed += count('fail') || (count('pass') ? 0 : 1)
  if (!count('pass') || count('fail'))
    console.log([...out.matchAll(/^ *not ok .*\n(?:(?!^ *(?:not )?ok ).*\n){0,24}/gm)].join('\n').slice(0, 8000) || out.slice(-2000))
}

const missing = new Map()
// In Node; with all cases in Chromium too, where the WebAssembly is built.
const inPage = options.part === '0/1' && existsSync('dist/wasm/torchjs-simd.wasm') ? [['--chromium']] : []
for (const where of [[], ...inPage]) {
  const json = join(mkdtempSync(join(tmpdir(), 'torchjs-webgpu-')), 'cases.json')
  const out = run([
    'tests/golden/run.mjs',
    '--cases',
    options.cases,
    '--device',
    'webgpu',
    '--part',
    options.part,
    '--json',
    json,
    ...where,
  ])
  const last = /^(\d+) passed, (\d+) failed$/m.exec(out)
  if (!last || ended !== Number(last[2] > 0)) {
    totals.failed++
    console.log(`the golden runner broke off:\n${out.slice(-2000)}`)
  }
  if (last) {
    totals.passed += Number(last[1])
    totals.failed += Number(last[2])
  }
  for (const line of out.split('\n')) {
    if (line.startsWith('FAILED')) console.log(line)
    if (where.length) continue
    for (const [, name, n] of /^Missing names/.test(line) ? line.matchAll(/([\w.' ]+) \((\d+)\)/g) : []) missing.set(name.trim(), Number(n))
  }
  if (where.length || !last) continue
  // Of the names that the cpu has wholly, at most one in ten may be missing here.
  const known = new Set(readFileSync('tests/golden/passed.txt', 'utf8').split('\n').filter(Boolean))
  const names = Object.entries(JSON.parse(readFileSync(json, 'utf8')).names).filter(([name]) => known.has(name))
  const absent = names.filter(([, n]) => n.missing > 0 && n.passed === 0).map(([name]) => name.replace(/^op /, ''))
  console.log(`${absent.length} of ${names.length} names of the cpu have no case that passes on webgpu: ${absent.join(', ')}`)
  totals[absent.length * 10 <= names.length ? 'passed' : 'failed']++
}
console.log(
  `missing on webgpu (cases): ${[...missing]
    .sort((a, b) => b[1] - a[1])
    .map(([name, n]) => `${name} (${n})`)
    .join(', ')}`,
)
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed ? 1 : 0
