// What a page loads without a bundler, in two files: dist/page/torch.js begins to compile the engine, and meanwhile loads dist/page/all.js, which is
// everything else. `node scripts/page.mjs`, after the compiler.
import { build } from 'esbuild'

const settings = {
  bundle: true,
  format: 'esm',
  minify: true,
  // They stay beside: at ../wasm from dist/page/.
  external: ['../wasm/*', './all.js'],
  logLevel: 'error',
  metafile: true,
}
const { metafile } = await build({ ...settings, entryPoints: ['dist/index.js'], outfile: 'dist/page/all.js' })
const names = Object.values(metafile.outputs)[0].exports.filter((name) => name !== 'default')
const program = `import { start as __start } from './runtime/wasm_start.js'
__start()
const __all = await import('./all.js')
export default __all.default
export const { ${names.join(', ')} } = __all
`
await build({ ...settings, stdin: { contents: program, resolveDir: 'dist' }, outfile: 'dist/page/torch.js' })
