// The C library, installed as a user installs it and used from an empty folder through pkg-config.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const dir = mkdtempSync(join(tmpdir(), 'torchjs-install-'))
after(() => rmSync(dir, { recursive: true, force: true }))

// What the test runner hands down must not reach the tools.
const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(npm_|NODE_|MAKE|MFLAGS|TORCHJS_)/i.test(k)))
const run = (command, args, { cwd = dir, env = {} } = {}) =>
  execFileSync(command, args, { cwd, env: { ...clean, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
const make = (...args) => run('make', ['--no-print-directory', '-s', ...args], { cwd: ROOT })
const folder = (name) => {
  const path = join(dir, name)
  mkdirSync(path, { recursive: true })
  return path
}
const tree = (path, prefix = '') =>
  readdirSync(path)
    .sort()
    .flatMap((name) => (lstatSync(join(path, name)).isDirectory() ? tree(join(path, name), `${prefix}${name}/`) : [prefix + name]))
/** The programs of the README, by language. */
const block = (language) =>
  new RegExp('^```' + language + '\\n([\\s\\S]*?)^```', 'm').exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))[1]

describe('the C library', () => {
  const prefix = join(dir, 'prefix')
  const HEADERS = [...readdirSync(join(ROOT, 'include/torchjs')), 'ops.h'].sort().map((h) => `include/torchjs/${h}`)
  const FILES = [...HEADERS, 'lib/libtorchjs.a', 'lib/libtorchjs.so', 'lib/libtorchjs.so.0', 'lib/pkgconfig/torchjs.pc']
  before(() => make('install', `PREFIX=${prefix}`))

  it('installs its files and no others', () => assert.deepEqual(tree(prefix), FILES))
  it('is staged by DESTDIR, and names only the place where it will be', () => {
    const stage = join(dir, 'stage')
    make('install', `DESTDIR=${stage}`, 'PREFIX=/opt/torchjs')
    assert.deepEqual(
      tree(stage),
      FILES.map((f) => `opt/torchjs/${f}`),
    )
    const pc = readFileSync(join(stage, 'opt/torchjs/lib/pkgconfig/torchjs.pc'), 'utf8')
    assert.match(pc, /^prefix=\/opt\/torchjs$/m)
    assert.ok(!pc.includes(stage) && !pc.includes('@'), pc)
    const version = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version
    assert.match(pc, new RegExp(`^Version: ${version.replaceAll('.', '\\.')}$`, 'm'))
    make('uninstall', `DESTDIR=${stage}`, 'PREFIX=/opt/torchjs')
    assert.deepEqual(tree(stage), [])
  })
  it('shows what the headers declare, and nothing else', () => {
    const names = run('nm', ['-D', '--defined-only', '--format=just-symbols', join(prefix, 'lib/libtorchjs.so.0')])
      .split('\n')
      .filter(Boolean)
    assert.ok(names.length > 1000, `${names.length} names`)
    const declared = new Set(HEADERS.flatMap((h) => [...readFileSync(join(prefix, h), 'utf8').matchAll(/\b(tj_\w+)\(/g)].map((m) => m[1])))
    assert.deepEqual(
      names.filter((n) => !declared.has(n)),
      [],
    )
  })

  const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O1']
  for (const compiler of ['gcc', 'clang']) {
    const built = (name, source, extra = []) => {
      const cwd = folder(`${compiler}-${name}`)
      writeFileSync(join(cwd, `${name}.c`), source)
      const env = { PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') }
      const flags = run('pkg-config', ['--cflags', '--libs', 'torchjs'], { env }).trim().split(/\s+/)
      run(compiler, [...STRICT, `${name}.c`, ...flags, ...extra, '-o', name], { cwd })
      return (...args) => run(join(cwd, name), args, { cwd, env: { LD_LIBRARY_PATH: join(prefix, 'lib') } })
    }
    it(`${compiler}: the README's program`, () => assert.equal(built('first', block('c'))(), 'tensor([2., 4., 6.])\n'))
    it(`${compiler}: examples/digits.c`, () => {
      const digits = built('digits', readFileSync(join(ROOT, 'examples/digits.c'), 'utf8'), ['-lm'])
      const out = digits('--epochs', '1', join(ROOT, 'examples/data/digits.csv'))
      assert.match(out, /^epoch 1\/1 {2}loss 2\.\d+ {2}test accuracy 0\.\d+\n$/)
    })
    it(`${compiler}: against the static library`, () => {
      const cwd = folder(`${compiler}-static`)
      writeFileSync(join(cwd, 'first.c'), block('c'))
      run(
        compiler,
        [...STRICT, 'first.c', `-I${prefix}/include/torchjs`, `${prefix}/lib/libtorchjs.a`, '-lm', '-lpthread', '-o', 'first'],
        { cwd },
      )
      assert.equal(run(join(cwd, 'first'), [], { cwd }), 'tensor([2., 4., 6.])\n')
    })
    it(`${compiler}: every header on its own`, () => {
      const cwd = folder(`${compiler}-headers`)
      for (const header of HEADERS) {
        writeFileSync(join(cwd, 'one.c'), `#include <${header.slice('include/torchjs/'.length)}>\nint main(void) { return 0; }\n`)
        run(compiler, [...STRICT, '-fsyntax-only', `-I${prefix}/include/torchjs`, 'one.c'], { cwd })
      }
    })
  }
  it('is C++ as well', () => {
    const cwd = folder('cxx')
    writeFileSync(join(cwd, 'one.cc'), '#include <torchjs.h>\nint main() { return tj_version() == nullptr; }\n')
    const flags = ['-std=c++17', '-Wall', '-Wextra', '-Werror', `-I${prefix}/include/torchjs`, `-L${prefix}/lib`, '-ltorchjs']
    run('clang++', ['one.cc', ...flags, '-o', 'one'], { cwd })
    run(join(cwd, 'one'), [], { cwd, env: { LD_LIBRARY_PATH: `${prefix}/lib` } })
  })
})
