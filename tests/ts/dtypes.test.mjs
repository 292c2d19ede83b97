// schema/dtypes.tsv says what the operators do today.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FILE, measure, text } from '../calls/dtypes.mjs'

const { found, missing } = await measure()

test('a call is known for every operator', () => assert.deepEqual(missing, []))

test('the dtypes of every operator are those of schema/dtypes.tsv (node tests/calls/dtypes.mjs --update)', () => {
  const rows = (t) => new Map(t.split('\n').map((line) => [line.split('\t')[0], line]))
  const recorded = rows(readFileSync(FILE, 'utf8'))
  const now = rows(text(found))
  assert.deepEqual(
    [...new Set([...now.keys(), ...recorded.keys()])].filter((name) => now.get(name) !== recorded.get(name)),
    [],
  )
})
