// Sets the global __tls_base of a module without shared memory to 0: `node tls_base.mjs FILE...`. There wasm-ld resolves thread-local variables to their
// addresses, but still gives __tls_base, which the code adds, the address of the segment that they are in.
import { readFileSync, writeFileSync } from 'node:fs'

const GLOBALS = 6,
  EXPORTS = 7

function patch(path) {
  const bytes = readFileSync(path)
  let at = 8
  const number = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const initial = [] // where the constant of each global is
  let base = -1
  while (at < bytes.length) {
    const id = bytes[at++],
      end = number() + at
    if (id === GLOBALS) {
      for (let n = number(); n > 0; n--) {
        at += 2 // type and mutability
        if (bytes[at++] !== 0x41) throw new Error(`${path}: a global is no i32.const`)
        const start = at
        number()
        initial.push([start, at++])
      }
    } else if (id === EXPORTS) {
      for (let n = number(); n > 0; n--) {
        const length = number()
        const name = bytes.toString('latin1', at, at + length)
        at += length
        const kind = bytes[at++],
          index = number()
        if (name === '__tls_base' && kind === 3) base = index
      }
    }
    at = end
  }
  if (!initial[base]) throw new Error(`${path} exports no global __tls_base`)
  const [start, end] = initial[base]
  bytes.fill(0x80, start, end - 1)
  bytes[end - 1] = 0
  writeFileSync(path, bytes)
}

process.argv.slice(2).forEach(patch)
