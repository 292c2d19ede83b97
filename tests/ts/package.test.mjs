// The packages as users have them: packed, installed into empty folders without a network, used from Node with and without the addon, from Deno and
// Bun, from a plain page, and through bundlers without a configuration. And what is packed: no stray files, nothing that is not needed, no
// more bytes than the budgets.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { browse, serve } from '../browser/server.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const dir = mkdtempSync(join(tmpdir(), 'torchjs-package-'))
after(() => rmSync(dir, { recursive: true, force: true }))

// What the test runner hands down must not reach the tools.
const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(npm_|NODE_|MAKE|MFLAGS|TORCHJS_)/i.test(k)))
const run = (command, args, { cwd = dir, env = {} } = {}) =>
  execFileSync(command, args, { cwd, env: { ...clean, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
const node = (...args) => run(process.execPath, args.slice(0, -1), args.at(-1))
const tool = (path) => join(ROOT, 'node_modules', path)
const tree = (path, prefix = '') =>
  readdirSync(path)
    .sort()
    .flatMap((name) => (lstatSync(join(path, name)).isDirectory() ? tree(join(path, name), `${prefix}${name}/`) : [prefix + name]))
/** The program of the README. */
const PROGRAM = /^```ts\n([\s\S]*?)^```/m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))[1]
const PRINTS = 'tensor([[0.2869]], grad_fn=<AddmmBackward0>)' // PyTorch's number

const PLATFORM = join(ROOT, 'packages/linux-x64')
let main, addon
const installed = new Map()
/** A folder with the packages installed, and nothing else; the second of a kind is a copy of the first. */
function user(name, { native }) {
  const cwd = join(dir, name)
  if (installed.has(native)) {
    cpSync(join(installed.get(native), 'node_modules'), join(cwd, 'node_modules'), { recursive: true })
    cpSync(join(installed.get(native), 'package.json'), join(cwd, 'package.json'))
    return cwd
  }
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  const files = (native ? [main, addon] : [main]).map((p) => join(dir, p.filename))
  const omit = native ? [] : ['--omit=optional']
  run('npm', ['install', '--no-audit', '--no-fund', '--offline', '--ignore-scripts', ...omit, ...files], { cwd })
  installed.set(native, cwd)
  return cwd
}
before(() => {
  run('make', ['--no-print-directory', '-s', 'package'], { cwd: ROOT })
  const pack = (folder) =>
    JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir, folder], { cwd: ROOT }))[0]
  main = pack(ROOT)
  addon = pack(PLATFORM)
})

describe('what is packed', () => {
  it('is compiled sources, their types and the modules, and no stray files', () => {
    const sources = tree(join(ROOT, 'ts/src'))
      .filter((f) => !f.endsWith('.d.ts'))
      .map((f) => f.replace(/\.ts$/, ''))
    const modules = ['simd.wasm', 'simd.js', 'simd-threads.wasm', 'simd-threads.js', 'relaxed.wasm', 'relaxed-threads.wasm']
    const expected = [
      ...sources.flatMap((f) => [`dist/${f}.js`, `dist/${f}.d.ts`]),
      ...modules.map((f) => `dist/wasm/torchjs-${f}`),
      'dist/page/all.js',
      'dist/page/torch.js',
      'LICENSE',
      'README.md',
      'package.json',
    ]
    assert.deepEqual(main.files.map((f) => f.path).sort(), expected.sort())
    assert.deepEqual(addon.files.map((f) => f.path).sort(), ['LICENSE', 'package.json', 'torchjs.node'])
  })
  it('runs no script on installation, and is of one version', () => {
    const manifests = [ROOT, PLATFORM].map((p) => JSON.parse(readFileSync(join(p, 'package.json'), 'utf8')))
    for (const { scripts = {} } of manifests) assert.ok(!Object.keys(scripts).some((s) => /install|prepare/.test(s)))
    assert.equal(manifests[0].optionalDependencies[manifests[1].name], manifests[1].version)
    assert.equal(manifests[0].version, manifests[1].version)
  })
  it('holds a stripped addon of at most 10 MB', () => {
    const path = join(PLATFORM, 'torchjs.node'),
      bytes = statSync(path).size
    assert.ok(bytes > 1e6 && bytes <= 10e6, `${bytes} bytes`)
    assert.doesNotMatch(run('readelf', ['-SW', path]), /\.debug_|\.symtab/)
    assert.ok(!readFileSync(path).includes(ROOT), 'the addon holds the path of the build')
  })
  // With all operators of PyTorch that are there: for those of a usual network, 500 kB would do.
  it('holds modules of at most 900 kB, compressed', () => {
    for (const name of ['simd', 'simd-threads', 'relaxed', 'relaxed-threads']) {
      const bytes = readFileSync(join(ROOT, `dist/wasm/torchjs-${name}.wasm`))
      assert.ok(!bytes.includes(ROOT), 'the module holds the path of the build')
      const size = gzipSync(bytes, { level: 9 }).length
      assert.ok(size <= 900_000, `torchjs-${name}.wasm: ${size} bytes`)
    }
  })
})

describe('what a bundle keeps', () => {
  let cwd
  before(() => (cwd = user('bundle', { native: false })))
  /** The files of the package that esbuild keeps for a program, and the bytes of the bundle, minified and compressed. */
  function bundle(name, program) {
    writeFileSync(join(cwd, `${name}.mjs`), program)
    run(
      tool('esbuild/bin/esbuild'),
      [
        `${name}.mjs`,
        '--bundle',
        '--format=esm',
        '--minify',
        '--external:*torchjs-simd.js',
        '--external:*torchjs-simd-threads.js',
        `--outfile=out/${name}.mjs`,
        `--metafile=${name}.json`,
      ],
      { cwd },
    )
    const { inputs } = Object.values(JSON.parse(readFileSync(join(cwd, `${name}.json`), 'utf8')).outputs)[0]
    const kept = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    return {
      kept: kept.map(([path]) => path.replace('node_modules/torch.js/dist/', '')),
      size: gzipSync(readFileSync(join(cwd, `out/${name}.mjs`)), { level: 9 }).length,
    }
  }
  const runs = (name) => node(`out/${name}.mjs`, { cwd })

  it('everything: at most 155 kB', () => {
    const { size } = bundle('everything', "import torch from 'torch.js'\nglobalThis.torch = torch\n")
    assert.ok(size <= 155_000, `${size} bytes`)
  })
  it('a few names: tensors, their methods and gradients, in at most 45 kB; no modules, optimizers, data, devices', () => {
    const { kept, size } = bundle(
      'few',
      `import { randn, tensor } from 'torch.js'
const x = tensor([1, 2, 3], { requires_grad: true })
x.pow(2).at([0, 2]).sum().backward()
console.log(String(x.grad), randn(2, 3).shape, String(x.to('float64').nonzero().at([0, 1])))
`,
    )
    assert.ok(size <= 45_000, `${size} bytes`)

    const dropped =
      /^(nn|optim|data|signal|types)\/|^webgpu\/(driver|index)|^(einops|einsum|expression|unique|windows|linalg_forms)\.js|^generated\/(functional|linalg|fft|special)\.js/
    assert.deepEqual(
      kept.filter((f) => dropped.test(f)),
      [],
    )
    // The modules are beside the bundle's folder, as they are beside the package's.
    cpSync(join(cwd, 'node_modules/torch.js/dist/wasm'), join(cwd, 'wasm'), { recursive: true })
    assert.equal(runs('few'), 'tensor([2., 4., 0.]) [ 2, 3 ] tensor([[0]])\n')
  })
  it('modules without optimizers, optimizers without modules', () => {
    const modules = bundle('modules', "import { nn } from 'torch.js'\nconsole.log(new nn.Linear(2, 3).weight.shape)\n")
    assert.deepEqual(
      modules.kept.filter((f) => /^(optim|data)\/|^webgpu\/(driver|index)/.test(f)),
      [],
    )
    assert.equal(runs('modules'), '[ 3, 2 ]\n')
    const optimizers = bundle(
      'optimizers',
      "import { ones, optim } from 'torch.js'\nconsole.log(new optim.SGD([ones(2)], { lr: 1 }).param_groups.length)\n",
    )
    assert.deepEqual(
      optimizers.kept.filter((f) => /^(nn\/(activation|conv|loss|rnn|pooling)|data\/|webgpu\/(driver|index))/.test(f)),
      [],
    )
    assert.equal(runs('optimizers'), '1\n')
  })
})

describe('in Node', () => {
  let native, wasm
  before(() => {
    native = user('native', { native: true })
    wasm = user('wasm', { native: false })
    for (const cwd of [native, wasm]) writeFileSync(join(cwd, 'first.mjs'), `${PROGRAM}\nconsole.log(torch.backend)\n`)
  })

  it('runs on the addon', () => assert.equal(node('first.mjs', { cwd: native }), `${PRINTS}\nnative\n`))
  it('runs on WebAssembly where there is no addon', () => {
    assert.equal(node('first.mjs', { cwd: wasm }), `${PRINTS}\nwasm-simd-threads\n`)
  })
  it('runs on WebAssembly where the user says so: by a variable, a condition, a name', () => {
    const backend = (args, code, env = {}) => node(...args, '--input-type=module', '-e', code, { cwd: native, env }).trim()
    const code = "import torch from 'torch.js'; console.log(torch.backend)"
    assert.equal(backend([], code, { TORCHJS_BACKEND: 'wasm-simd' }), 'wasm-simd')
    assert.equal(backend(['--conditions=wasm'], code), 'wasm-simd-threads')
    assert.equal(backend([], code.replace("'torch.js'", "'torch.js/wasm'")), 'wasm-simd-threads')
    assert.equal(backend(['--experimental-wasm-relaxed-simd'], code, { TORCHJS_BACKEND: 'wasm' }), 'wasm-relaxed-threads')
    assert.throws(() => backend([], code, { TORCHJS_BACKEND: 'abacus' }), /there is no backend 'abacus'/)
  })
  it('says what is wrong when the engine that was asked for is not there', () => {
    const error = (env, cwd) => {
      try {
        node('-e', "import('torch.js')", { cwd, env })
      } catch (e) {
        return e.stderr
      }
    }
    assert.match(
      error({ TORCHJS_BACKEND: 'native' }, wasm),
      /TorchError: torch\.js: there is no native engine: .*torch\.js-linux-x64.*make addon/,
    )
    assert.match(
      error({ TORCHJS_ADDON: '/nowhere/torchjs.node' }, wasm),
      /TorchError: torch\.js: the native engine at \/nowhere\/torchjs\.node could not be loaded/,
    )
  })
  it('can be imported in all the ways it says', () => {
    writeFileSync(
      join(native, 'ways.js'),
      `import torch, { nn, Tensor } from 'torch.js'
import * as all from 'torch.js'
import manifest from 'torch.js/package.json' with { type: 'json' }
console.log(torch.nn === nn, all.Tensor === Tensor, torch.Tensor === Tensor, manifest.name, torch.__version__ === manifest.version)
`,
    )
    assert.equal(node('--no-warnings', 'ways.js', { cwd: native }), 'true true true torch.js true\n')
  })
  it('frees by `using`, compiled for a JavaScript that has no Symbol.dispose', () => {
    writeFileSync(
      join(native, 'using.ts'),
      `import torch from 'torch.js'
const before = torch.memory_stats().live_bytes
const more = (): boolean => torch.memory_stats().live_bytes - before >= 4000
{
  using x = torch.ones(1000)
  using _ = torch.no_grad()
  console.log(more(), torch.is_grad_enabled(), x.sum().item())
}
console.log(more(), torch.is_grad_enabled())
`,
    )
    // Symbol as it was before: all but the two.
    writeFileSync(
      join(native, 'old.mjs'),
      `const Now = Symbol
const Then = (...args) => Now(...args)
for (const name of Object.getOwnPropertyNames(Now))
  if (!/^(length|name|dispose|asyncDispose)$/.test(name)) Object.defineProperty(Then, name, { value: Now[name], configurable: true })
globalThis.Symbol = Then
if (Symbol.dispose) throw new Error('Symbol.dispose is there')
`,
    )
    const compilers = {
      typescript: () =>
        node(
          tool('typescript/bin/tsc'),
          'using.ts',
          '--target',
          'es2022',
          '--module',
          'nodenext',
          '--lib',
          'es2022,esnext.disposable,dom',
          '--strict',
          '--outDir',
          'typescript',
          {
            cwd: native,
          },
        ),
      esbuild: () =>
        run(tool('esbuild/bin/esbuild'), ['using.ts', '--target=es2022', '--format=esm', '--outfile=esbuild/using.js'], { cwd: native }),
    }
    for (const [name, compile] of Object.entries(compilers)) {
      compile()
      assert.doesNotMatch(readFileSync(join(native, name, 'using.js'), 'utf8'), /\busing x\b/)
      for (const flags of [[], ['--import', './old.mjs']])
        assert.equal(node(...flags, `${name}/using.js`, { cwd: native }), 'true false 1000\nfalse true\n', `${name} ${flags.join(' ')}`)
    }
  })
  it('names no place of the machine that built it', () => {
    for (const f of main.files)
      if (/\.(js|ts)$/.test(f.path)) assert.ok(!readFileSync(join(native, 'node_modules/torch.js', f.path), 'utf8').includes(ROOT), f.path)
  })
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['Node16', 'Node16'],
    ['ESNext', 'Bundler'],
  ])
    it(`has types for ${moduleResolution}`, () => {
      const compilerOptions = {
        target: 'ES2022',
        lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
        module,
        moduleResolution,
        strict: true,
        skipLibCheck: false,
        types: [],
        outDir: 'out',
      }
      writeFileSync(
        join(native, 'first.ts'),
        `${PROGRAM}\nimport same from 'torch.js/wasm'\nimport { inWorker } from 'torch.js/worker'\nexport const start = (worker: Worker) => inWorker<{ loss: number }, string>(worker, 1).result\nexport const shape: readonly [2, 3] = same.zeros(2, 3).shape\n`,
      )
      writeFileSync(join(native, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['first.ts'] }))
      node(tool('typescript/bin/tsc'), '-p', '.', { cwd: native })
      assert.equal(node('out/first.js', { cwd: native }), `${PRINTS}\n`)
    })
})

// Their packages of tests/hosts hold the programs; nothing of them is run on installation.
describe('in other hosts', () => {
  const HOSTS = join(ROOT, 'tests/hosts')
  const programs = {
    Deno: ['@deno', 'deno', 'run', '--quiet', '--allow-all', '--cached-only', '--no-lock', '--node-modules-dir=manual'],
    Bun: ['@oven', 'bin/bun', 'run'],
  }
  before(() => {
    const [wanted, there] = ['package-lock.json', 'node_modules/.package-lock.json'].map((f) =>
      statSync(join(HOSTS, f), { throwIfNoEntry: false }),
    )
    if (!there || there.mtimeMs < wanted.mtimeMs)
      run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], { cwd: HOSTS })
  })
  for (const [name, [scope, program, ...args]] of Object.entries(programs))
    for (const native of [true, false])
      it(`runs in ${name}, ${native ? 'on the addon' : 'on WebAssembly'}`, () => {
        const folder = join(HOSTS, 'node_modules', scope)
        const [platform] = readdirSync(folder)
        const cwd = user(`${name}-${native}`, { native })
        writeFileSync(join(cwd, 'first.mjs'), `${PROGRAM}\n{ using y = torch.ones(2); console.log(torch.backend, y.shape) }\n`)
        // No home, so that they keep nothing and know of nothing.
        const env = { HOME: cwd, DENO_DIR: join(cwd, '.deno'), DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1', NO_COLOR: '1' }
        const out = run(join(folder, platform, program), [...args, 'first.mjs'], { cwd, env })
        assert.equal(out.replace('relaxed', 'simd'), `${PRINTS}\n${native ? 'native' : 'wasm-simd-threads'} [ 2 ]\n`)
      })
})

describe('in pages', () => {
  let cwd, browser
  const printed = []
  const HTML = (script) => `<!doctype html><meta charset="utf-8"><title>torch.js</title>${script}`
  // What the README's program prints, and on what it ran.
  const MAIN = `${PROGRAM.replace('console.log(', 'const text = String(')}\nglobalThis.result = text + ' ' + torch.backend\n`
  before(async () => {
    cwd = user('page', { native: false })
    writeFileSync(join(cwd, 'main.js'), MAIN)
    writeFileSync(join(cwd, 'index.html'), HTML('<script type="module" src="/main.js"></script>'))
    writeFileSync(
      join(cwd, 'plain.html'),
      HTML(`<script type="module">${MAIN.replaceAll("'torch.js'", "'./node_modules/torch.js/dist/page/torch.js'")}</script>`),
    )
    browser = await browse({ log: (text) => printed.push(text) })
  })
  after(() => browser?.close())

  async function result(folder, path, options) {
    const server = await serve({ '/': join(cwd, folder) }, options)
    const page = await browser.page()
    try {
      await page.goto(`${server.origin}/${path}`)
      await page.waitForFunction('globalThis.result !== undefined', null, { timeout: 120_000 }).catch((e) => {
        throw new Error(`${e.message}\n${printed.join('\n')}`)
      })
      return await page.evaluate('globalThis.result')
    } finally {
      await page.close()
      server.close()
    }
  }

  it('runs from a plain script', async () => assert.equal(await result('.', 'plain.html'), `${PRINTS} wasm-relaxed-threads`))
  it('runs on one thread where the page is not isolated, and says why, once', async () => {
    printed.length = 0
    assert.equal(await result('.', 'plain.html', { isolated: false }), `${PRINTS} wasm-relaxed`)
    assert.equal(printed.filter((l) => /^torch\.js computes on one thread: the page is not cross-origin isolated/.test(l)).length, 1)
  })
  it('is bundled by Vite', async () => {
    node(tool('vite/bin/vite.js'), 'build', '--outDir', 'out-vite', { cwd })
    assert.equal(await result('out-vite', 'index.html'), `${PRINTS} wasm-relaxed-threads`)
  })
  it('is bundled by webpack', async () => {
    node(tool('webpack-cli/bin/cli.js'), 'build', './main.js', '--mode', 'production', '-o', 'out-webpack', { cwd })
    writeFileSync(join(cwd, 'out-webpack/index.html'), HTML('<script src="main.js"></script>'))
    assert.equal(await result('out-webpack', 'index.html'), `${PRINTS} wasm-relaxed-threads`)
  })
  // It copies no files: the modules come from inside the bundle.
  it('is bundled by esbuild', async () => {
    run(tool('esbuild/bin/esbuild'), ['main.js', '--bundle', '--format=esm', '--minify', '--outfile=out-esbuild/main.js'], { cwd })
    writeFileSync(join(cwd, 'out-esbuild/index.html'), HTML('<script type="module" src="main.js"></script>'))
    assert.equal(await result('out-esbuild', 'index.html'), `${PRINTS} wasm-simd-threads`)
  })
})
