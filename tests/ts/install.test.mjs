// Installed as a user installs, used from an empty folder: the C library through pkg-config, the package from its tarball. And what is packed:
// no stray files, nothing that is not needed, at most 10 MB of engine.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

describe('the package', () => {
  const user = folder('user')
  let packed
  before(() => {
    packed = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir, ROOT]))[0]
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
    run('npm', ['install', '--no-audit', '--no-fund', '--offline', '--ignore-scripts', join(dir, packed.filename)], { cwd: user })
  })

  it('holds the addon, the compiled sources and their types, and no stray files', () => {
    const files = packed.files.map((f) => f.path)
    const sources = tree(join(ROOT, 'ts/src')).map((f) => f.replace(/\.ts$/, ''))
    const expected = [
      ...sources.flatMap((f) => [`dist/${f}.js`, `dist/${f}.d.ts`]),
      'build/torchjs.node',
      'LICENSE',
      'README.md',
      'package.json',
    ]
    assert.deepEqual(files.sort(), expected.sort())
  })
  it('holds a stripped engine of at most 10 MB', () => {
    const addon = join(user, 'node_modules/torch.js/build/torchjs.node')
    const bytes = statSync(addon).size
    assert.ok(bytes > 1e6 && bytes <= 10e6, `${bytes} bytes`)
    const sections = run('readelf', ['-SW', addon])
    assert.doesNotMatch(sections, /\.debug_|\.symtab/)
  })
  it('names no place of the machine that built it', () => {
    const addon = readFileSync(join(user, 'node_modules/torch.js/build/torchjs.node'))
    assert.ok(!addon.includes(ROOT), 'the addon holds the path of the build')
    for (const f of packed.files)
      if (f.path.startsWith('dist/')) assert.ok(!readFileSync(join(user, 'node_modules/torch.js', f.path), 'utf8').includes(ROOT), f.path)
  })
  it("type-checks and runs the README's program", () => {
    writeFileSync(join(user, 'first.ts'), block('ts'))
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
      module: 'NodeNext',
      strict: true,
      skipLibCheck: false,
      types: [],
      outDir: 'out',
    }
    writeFileSync(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['first.ts'] }))
    run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: user })
    const out = run(process.execPath, ['out/first.js'], { cwd: user })
    assert.equal(out, 'tensor([[0.2869]], grad_fn=<AddmmBackward0>)\n', "PyTorch's number")
  })
  it('can be imported in all the ways it says', () => {
    writeFileSync(
      join(user, 'ways.js'),
      `import torch, { nn, Tensor } from 'torch.js'
import * as all from 'torch.js'
import manifest from 'torch.js/package.json' with { type: 'json' }
console.log(torch.nn === nn, all.Tensor === Tensor, torch.Tensor === Tensor, manifest.name, torch.__version__ === manifest.version)
`,
    )
    const out = run(process.execPath, ['--no-warnings', 'ways.js'], { cwd: user })
    assert.equal(out, 'true true true torch.js true\n')
  })
  it('says what is wrong when the engine is not there', () => {
    const addon = join(user, 'node_modules/torch.js/build/torchjs.node')
    const bytes = readFileSync(addon)
    rmSync(addon)
    try {
      assert.throws(
        () => run(process.execPath, ['-e', "import('torch.js')"], { cwd: user }),
        (e) => /TorchError: torch\.js: there is no native engine at .*make addon/.test(e.stderr),
      )
    } finally {
      writeFileSync(addon, bytes)
    }
    assert.ok(existsSync(addon))
  })
})
