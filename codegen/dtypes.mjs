// schema/dtypes.tsv: the dtypes that each operator takes and differentiates, as tests/calls/dtypes.mjs found by calling them.
import { existsSync, readFileSync } from 'node:fs'

const INTEGERS = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64']
const COUNT = 15

/** -> Map: C name of an operator -> { forward, derivative }, lists of names. */
export function readDtypes(file) {
  const rows = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(1).filter(Boolean) : []
  return new Map(
    rows.map((row) => {
      const [name, forward, derivative] = row.split('\t')
      return [name, { forward: forward.split(' ').filter(Boolean), derivative: derivative.split(' ').filter(Boolean) }]
    }),
  )
}

export function dtypesText(names) {
  if (names.length === COUNT) return 'all'
  if (!INTEGERS.every((d) => names.includes(d))) return names.join(' ') || 'none'
  return [...names.filter((d) => d === 'bool'), 'integers', ...names.filter((d) => d !== 'bool' && !INTEGERS.includes(d))].join(' ')
}
