// Generates everything that follows from the schema.
//   node codegen/main.mjs [--out build/gen] [--ts ts/src/generated] [--reference site/reference]
//   node codegen/main.mjs --check    only reads the schema, and complains when README.md's table is another than it would make
//   node codegen/main.mjs --readme   writes the table
// Files are only rewritten when their text changes, so that make rebuilds no more than it has to.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { callFiles } from './calls.mjs'
import { readDtypes } from './dtypes.mjs'
import { cFiles } from './c.mjs'
import { grammarFiles, grammarReference, grammarTypes } from './grammar.mjs'
import { pointwiseFiles } from './pointwise.mjs'
import { readmeText } from './readme.mjs'
import { referenceFiles } from './reference.mjs'
import { loadSchema, SchemaError } from './schema.mjs'
import { loadShapeErrors, shapeErrorHeader } from './shape_errors.mjs'
import { SchemaBug } from './text.mjs'
import { wgslFiles, wgslNames } from './wgsl.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const WGSL = join(ROOT, 'engine/webgpu/math.wgsl')

function write(dir, files) {
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, path)
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  // A file that the schema no longer asks for would still be compiled.
  const sweep = (folder, prefix) => {
    if (!existsSync(folder)) return
    for (const name of readdirSync(folder)) {
      const path = prefix ? `${prefix}/${name}` : name
      if (statSync(join(folder, name)).isDirectory()) sweep(join(folder, name), path)
      else if (!(path in files)) rmSync(join(folder, name))
    }
  }
  sweep(dir, '')
}

async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      ts: { type: 'string' },
      reference: { type: 'string' },
      schema: { type: 'string' },
      check: { type: 'boolean' },
      readme: { type: 'boolean' },
    },
  })
  const ops = loadSchema(values.schema ?? join(ROOT, 'schema/ops'))
  const dtypes = readDtypes(join(ROOT, 'schema/dtypes.tsv'))
  const c = {
    ...cFiles(ops, dtypes),
    ...pointwiseFiles(ops),
    ...callFiles(ops),
    ...wgslFiles(ops, WGSL),
    ...grammarFiles(ops, ROOT),
    'shape_errors.h': shapeErrorHeader(loadShapeErrors(ROOT)),
  }
  // What make has to compile: once, once an instruction set, for the baseline only.
  const named = (test) => Object.keys(c).filter(test).sort().join(' ')
  c['sources.mk'] = `GEN_OPS := ${named((f) => f.startsWith('ops/'))}
GEN_CPU := ${named((f) => f.startsWith('cpu/') && !f.endsWith('_cold.c'))}
GEN_COLD := ${named((f) => f.endsWith('_cold.c'))}
`
  const script = join(ROOT, 'codegen/typescript.mjs')
  const ts = existsSync(script) ? (await import('./typescript.mjs')).typescriptFiles(ops, ROOT) : null
  if (ts) Object.assign(ts, grammarTypes(ops, ROOT))
  if (values.schema && values.check) return console.log(`${ops.length} operators`)
  if (values.check || values.readme) {
    const [before, passed, missing] = ['README.md', 'tests/golden/passed.txt', 'tests/golden/missing.txt'].map((f) =>
      readFileSync(join(ROOT, f), 'utf8'),
    )
    const now = readmeText(before, ops, passed, missing)
    if (values.readme) writeFileSync(join(ROOT, 'README.md'), now)
    else if (now !== before) throw new SchemaError('README.md: its table is out of date, node codegen/main.mjs --readme makes it anew')
    return console.log(`${ops.length} operators`)
  }
  write(values.out ?? join(ROOT, 'build/gen'), c)
  if (ts) write(values.ts ?? join(ROOT, 'ts/src/generated'), ts)
  write(values.reference ?? join(ROOT, 'site/reference'), {
    ...referenceFiles(ops, dtypes, wgslNames(WGSL)),
    ...grammarReference(ops, ROOT),
  })
}

try {
  await main()
} catch (e) {
  if (!(e instanceof SchemaError || e instanceof SchemaBug)) throw e
  console.error(e.message)
  process.exitCode = 1
}
