// The types under the oldest TypeScript that is supported, the one that builds the package, and the newest; and what they cost. Budgets are
// counted in type instantiations: times depend on what else the machine does.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import ts from 'typescript'
import { ROOT } from '../types/compiler.mjs'
import { BUDGETS, costs, FEATURES } from '../types/features.mjs'
import { modelFile } from '../types/model_file.mjs'

const COMPILERS = ['typescript-5.4', 'typescript', 'typescript-7']
const dir = mkdtempSync(join(ROOT, 'tests/types/model-'))
after(() => rmSync(dir, { recursive: true }))
writeFileSync(join(dir, 'models.ts'), modelFile(500))
writeFileSync(
  join(dir, 'tsconfig.json'),
  JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions: { noEmit: true, rootDir: '../../..' }, include: ['*.ts'] }),
)

function check(compiler, project) {
  const r = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', compiler, 'bin/tsc'), '-p', project, '--extendedDiagnostics', '--pretty', 'false'],
    {
      encoding: 'utf8',
      cwd: ROOT,
    },
  )
  const number = (name) => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(r.stdout)?.[1])
  return {
    errors: r.stdout.split('\n').filter((l) => / error TS/.test(l)),
    instantiations: number('Instantiations'),
    seconds: number('Check time'),
    status: r.status,
  }
}

for (const compiler of COMPILERS)
  describe(compiler, () => {
    it('accepts and refuses what tests/types says', () => {
      const { errors, status } = check(compiler, 'tests/types')
      assert.deepEqual(errors, [])
      assert.equal(status, 0)
    })
    it('checks 500 lines of models within 200000 instantiations', (t) => {
      const { errors, instantiations, seconds } = check(compiler, dir)
      assert.deepEqual(errors, [])
      t.diagnostic(`${instantiations} instantiations, ${seconds} s`)
      assert.ok(instantiations < 200000, `${instantiations} instantiations`)
    })
  })

it('each feature stays within its budget of instantiations', (t) => {
  const found = costs(ts)
  t.diagnostic(JSON.stringify(found))
  assert.deepEqual(Object.keys(BUDGETS), Object.keys(FEATURES))
  assert.deepEqual(
    Object.entries(found).filter(([name, n]) => n > BUDGETS[name]),
    [],
  )
})
