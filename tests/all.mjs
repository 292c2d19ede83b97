// Runs every suite and adds up: C tests (plain, under the address and undefined-behaviour sanitizers, under the thread sanitizer),
// TypeScript tests, examples, the golden cases; natively and on WebAssembly. The last line is "N passed, N failed".
//   node tests/all.mjs [--cases DIR] [--only c,asan,tsan,fuzz,ts,wasm,types,golden]
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({ options: { cases: { type: 'string', default: '../shared/golden' }, only: { type: 'string' } } })
const chosen = options.only?.split(',')
const totals = { passed: 0, failed: 0 }

function run(command, args, env = {}) {
  const r = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 1 << 28 })
  return { status: r.status ?? 1, out: (r.stdout ?? '') + (r.stderr ?? '') }
}

// A suite prints its failures and adds to the totals. One that breaks off counts as a failure of its own.
function suite(name, body) {
  if (chosen && !chosen.includes(name.split(' ')[0])) return
  const before = { ...totals },
    start = Date.now()
  body()
  console.log(
    `${name}: ${totals.passed - before.passed} passed, ${totals.failed - before.failed} failed  (${((Date.now() - start) / 1e3).toFixed(0)} s)\n`,
  )
}
function broke(what, out) {
  totals.failed++
  console.log(`${what}\n${out.slice(-6000)}`)
}

function make(goals, variables = []) {
  const r = run('make', ['--no-print-directory', '-s', '-j2', ...goals, ...variables])
  if (r.status) broke(`make ${goals.join(' ')} ${variables.join(' ')} failed`, r.out)
  return r.status === 0
}

function cTests(build, variables, env) {
  if (!make(['test-c'], [`BUILD=${build}`, ...variables])) return
  for (const source of readdirSync('tests/c')
    .filter((f) => f.endsWith('_test.c'))
    .sort()) {
    const r = run(`${build}/tests/${source.slice(0, -2)}`, [], env)
    const passed = Number(/\[  PASSED  \] (\d+) test/.exec(r.out)?.[1] ?? 0),
      failed = Number(/\[  FAILED  \] (\d+) test/.exec(r.out)?.[1] ?? 0)
    totals.passed += passed
    totals.failed += failed
    if (failed)
      console.log(
        r.out
          .split('\n')
          .filter((l) => !/\[ RUN|\[       OK/.test(l))
          .join('\n')
          .slice(-6000),
      )
    else if (r.status || passed === 0) broke(`${build}/tests/${source.slice(0, -2)} ended with status ${r.status}`, r.out)
  }
}

suite('c tests', () => cTests('build', [], {}))
const SANITIZED = ['CC=clang', 'ISAS=base', 'OPT=-O1']
suite('asan (C tests under the address and undefined-behaviour sanitizers)', () =>
  cTests('build/asan', [...SANITIZED, 'SANITIZE=address,undefined'], {
    ASAN_OPTIONS: 'detect_leaks=1:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  }),
)
suite('tsan (C tests under the thread sanitizer)', () =>
  cTests('build/tsan', [...SANITIZED, 'SANITIZE=thread'], { TSAN_OPTIONS: 'halt_on_error=1:allocator_may_return_null=1' }),
)

// What was found once, and a short search for more.
suite('fuzz', () => {
  if (!make(['fuzz-build'])) return
  for (const goal of ['fuzz-replay', 'fuzz-short']) {
    const r = run('make', ['--no-print-directory', goal])
    if (r.status) broke(`make ${goal} ended with status ${r.status}`, r.out)
    else totals.passed++
  }
})

const built =
  !chosen || chosen.some((c) => ['ts', 'types', 'wasm', 'golden', 'webgpu'].includes(c))
    ? make(['examples', 'package', 'site-files'])
    : false
/** Tests of Node's runner. */
function nodeTests(paths, env = {}) {
  if (!built) return
  const r = run('node', ['--expose-gc', '--test', '--test-concurrency=2', '--test-timeout=600000', ...paths], {
    TORCHJS_CASES: options.cases,
    TJ_MAKE_LOCKED: '1',
    ...env,
  })
  const count = (word) => Number(new RegExp(`^. ${word} (\\d+)`, 'm').exec(r.out)?.[1] ?? 0)
  totals.passed += count('pass')
  totals.failed += count('fail')
  if (count('fail')) console.log([...r.out.matchAll(/^ *not ok .*\n(?:(?!^ *(?:not )?ok ).*\n){0,24}/gm)].join('\n').slice(0, 12000))
  else if (r.status || count('pass') === 0) broke(`node --test ended with status ${r.status}`, r.out)
}
suite('ts tests', () => nodeTests(['tests/ts/']))
// What depends on the engine's host: calls, threads, lifetimes, callbacks, random streams, training. Kernels are judged by the recorded cases.
const ON_WASM = 'autograd calls curves data errors footprint indexing module optim random tensor training workers'
suite('wasm (TypeScript tests on WebAssembly)', () =>
  nodeTests(
    ON_WASM.split(' ').map((name) => `tests/ts/${name}.test.mjs`),
    { TORCHJS_BACKEND: 'wasm' },
  ),
)
suite('types (what compiles, and what must not)', () => {
  if (!built) return
  // A statement that checks a type is an assertion; so is a line that has to be refused, which tsc checks by @ts-expect-error.
  const files = readdirSync('tests/types').filter((f) => f.endsWith('.ts'))
  const count = files
    .map((f) => readFileSync(`tests/types/${f}`, 'utf8').match(/^.*(@ts-expect-error|\bEqual<|\bexpect\w*[(<]).*$/gm)?.length ?? 0)
    .reduce((a, b) => a + b, 0)
  const r = run('node', ['node_modules/typescript/bin/tsc', '-p', 'tests/types', '--pretty', 'false'])
  const errors = r.out.match(/error TS\d+/g)?.length ?? 0
  totals.failed += errors
  totals.passed += Math.max(0, count - errors)
  if (errors) console.log(r.out.slice(0, 6000))
  else if (r.status || count === 0) broke(`tsc over tests/types ended with status ${r.status}`, r.out)
})
function goldenCases(args, env = {}) {
  if (!built) return
  if (!existsSync(options.cases)) return broke(`the recorded cases are not at ${options.cases} (--cases names another folder)`, '')
  const r = run('node', ['tests/golden/run.mjs', '--cases', options.cases, '--baseline', 'tests/golden/passed.txt', ...args], env)
  const last = /^(\d+) passed, (\d+) failed$/m.exec(r.out)
  if (!last) return broke('the golden runner broke off', r.out)
  totals.passed += Number(last[1])
  totals.failed += Number(last[2])
  console.log(
    r.out
      .split('\n')
      .filter((l) => /^FAILED|missing|open/i.test(l))
      .slice(0, 200)
      .join('\n'),
  )
}
suite('golden cases', () => goldenCases([]))
suite('golden cases on WebAssembly', () => goldenCases([], { TORCHJS_BACKEND: 'wasm' }))
suite('golden cases in Chromium', () => goldenCases(['--chromium']))
suite('webgpu (tests, training curves, every third recorded case, on whatever adapter there is)', () => {
  if (!built) return
  const r = run('node', ['tests/webgpu/run.mjs', '--cases', options.cases, '--part', '0/3'])
  const last = /^(\d+) passed, (\d+) failed$/m.exec(r.out)
  if (!last) return broke('tests/webgpu/run.mjs broke off', r.out)
  totals.passed += Number(last[1])
  totals.failed += Number(last[2])
  if (Number(last[2])) console.log(r.out.slice(0, 8000))
})

console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed || totals.passed === 0 ? 1 : 0
