// A WebAssembly module as a JavaScript module, compressed by gzip, in base64: `node embed.mjs IN.wasm OUT.js`.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const [from, to] = process.argv.slice(2)
writeFileSync(to, `export default '${gzipSync(readFileSync(from), { level: 9 }).toString('base64')}'\n`)
