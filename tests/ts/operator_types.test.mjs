// tests/types/operators.tsv has for each operator a program that is right, with its type, and one that is wrong. Both are true.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operators, rows, untrue } from '../types/operators.mjs'

const table = rows()

test('every operator has a right and a wrong program (node tests/types/operators.mjs --update)', () => {
  const names = new Set(operators().map((op) => op.cname))
  assert.deepEqual(
    [...names].filter((n) => !table.has(n)),
    [],
  )
  assert.deepEqual(
    [...table.keys()].filter((n) => !names.has(n)),
    [],
  )
})

test('the right ones have the type, shape and dtype that they say, and the wrong ones are refused by compiler and engine', () => {
  assert.deepEqual(untrue(table), [])
})
