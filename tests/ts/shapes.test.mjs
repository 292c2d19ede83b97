// Shapes at compile time against the engine and in the editor. What compiles and what must not stands in tests/types.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { parse } from 'yaml'
import torch from '../../dist/index.js'
import { compile, compilerOptions, describe, pattern, ROOT } from '../types/compiler.mjs'
import { differential } from '../types/differential.mjs'

const HEAD = `import torch from 'torch.js'\n`
const run = (text) => new Function('torch', `return ${text}`)(torch)
const ERRORS = parse(readFileSync(join(ROOT, 'schema/shape_errors.yaml'), 'utf8')).filter((e) => e.error)

test('2000 programs: compiler and engine agree', () => {
  const { findings, counts } = differential(2000, 1)
  assert.equal(findings.join('\n'), '')
  assert.ok(counts.refused > 500, `${counts.refused} programs were refused`)
  assert.equal(counts.unknownRank + counts.unknownSizes + counts.unknownDType, 0)
})

test('each error has a program that the compiler and the engine refuse in the same words, and one that both take', () => {
  const text = `${HEAD}${ERRORS.flatMap((e) => [`const wrong_${e.error} = ${e.wrong}`, `const right_${e.error} = ${e.right}`]).join('\n')}\nexport {}`
  const { checker, types, errors } = compile(ts, { 'errors.ts': text })
  // What is no function any more, or has no such argument, is a complaint at its place.
  const known = /not callable|No overload matches|not assignable/
  assert.deepEqual(
    [...errors.values()].flat().filter((m) => !known.test(m)),
    [],
  )
  for (const { error, wrong, right } of ERRORS) {
    const told = describe(ts, checker, types.get(`wrong_${error}`))
    const complaints = errors.get(`errors.ts:${1 + 2 * ERRORS.findIndex((e) => e.error === error)}`)
    assert.ok(told?.error === error || (complaints && !told), `${wrong}: ${checker.typeToString(types.get(`wrong_${error}`))}`)
    assert.equal(errors.get(`errors.ts:${2 + 2 * ERRORS.findIndex((e) => e.error === error)}`), undefined, right)
    const fine = describe(ts, checker, types.get(`right_${error}`))
    assert.equal(fine?.error, undefined, right)
    const value = run(right)
    if (value instanceof torch.Tensor) assert.deepEqual(fine, { shape: [...value.shape], dtype: value.dtype }, right)
    let message = null
    try {
      run(wrong)
    } catch (e) {
      message = e.message
    }
    assert.ok(message, `${wrong} runs`)
    // There may be no second device here: then the message is about that.
    if (error === 'device_error_mismatch') continue
    if (told === null) continue
    assert.ok(
      told.message.some((m) => m === 'string' || pattern(m).test(message)),
      `${wrong}: the engine says '${message}', the compiler ${told.message.join(' | ')}`,
    )
  }
})

test('the table of promotions is the engine’s', () => {
  const names = 'bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128'.split(' ')
  const pairs = names.flatMap((a) => names.map((b) => [a, b]))
  const text = `import type { Promote } from 'torch.js'\n${pairs.map(([a, b]) => `const ${a}_${b} = null! as Promote<'${a}', '${b}'>`).join('\n')}\nexport {}`
  const { checker, types } = compile(ts, { 'promotions.ts': text })
  for (const [a, b] of pairs) {
    const type = types.get(`${a}_${b}`)
    let expected
    try {
      expected = torch.promote_types(a, b)
    } catch {
      expected = null
    }
    assert.equal(type.isStringLiteral() ? type.value : null, expected, `${a}, ${b}`)
  }
})

// ---- the editor ----------------------------------------------------------------------------------------------------

function editor(text) {
  const file = join(ROOT, 'tests/types/editor.ts')
  const marks = []
  const plain = text.replace(/‹(\w+)›/g, (m, name, at) => {
    marks.push([name, at])
    return ''
  })
  const at = Object.fromEntries(
    marks.map(([name, offset], i) => [name, offset - marks.slice(0, i).reduce((n, [x]) => n + x.length + 2, 0)]),
  )
  const service = ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (f) => {
      const content = f === file ? plain : ts.sys.readFile(f)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => ROOT,
    getCompilationSettings: () => compilerOptions(ts),
    getDefaultLibFileName: (o) => ts.getDefaultLibFilePath(o),
    fileExists: (f) => f === file || ts.sys.fileExists(f),
    readFile: (f) => (f === file ? plain : ts.sys.readFile(f)),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
  })
  return {
    plain,
    service,
    file,
    hoverAt: (position) => ts.displayPartsToString(service.getQuickInfoAtPosition(file, position).displayParts),
    hover: (mark) => ts.displayPartsToString(service.getQuickInfoAtPosition(file, at[mark]).displayParts),
    complete: (mark) => service.getCompletionsAtPosition(file, at[mark], {})?.entries.map((e) => e.name) ?? [],
    problems: () =>
      service.getSemanticDiagnostics(file).map((d) => ({
        under: plain.slice(d.start, d.start + d.length),
        line: plain.slice(0, d.start).split('\n').length,
        message: ts.flattenDiagnosticMessageText(d.messageText, '\n'),
      })),
  }
}

test('hovering shows shapes, and errors with their numbers', () => {
  const e = editor(`import torch from 'torch.js'
const ‹a›a = torch.zeros(2, 3)
const ‹b›b = a.matmul(torch.zeros(5, 4))
const ‹c›c = new torch.nn.Linear(784, 10).forward(torch.zeros(32, 784))
const ‹d›d = torch.zeros(32, 3, 28, 28).flatten(1)
`)
  assert.equal(e.hover('a'), 'const a: torch.Tensor<readonly [2, 3], "float32", "cpu">')
  assert.equal(e.hover('b'), 'const b: torch.matmul_error_inner_dimensions_do_not_match<3, 5, [2, 3], [5, 4]>')
  assert.equal(e.hover('c'), 'const c: torch.Tensor<readonly [32, 10], "float32", "cpu">')
  assert.equal(e.hover('d'), 'const d: torch.Tensor<readonly [32, 2352], "float32", "cpu">')
  assert.deepEqual(e.problems(), [])
})

test('the squiggle is under what is wrong', () => {
  const e = editor(`import torch, { type Tensor } from 'torch.js'
const a = torch.zeros(2, 3)
a.matmul(torch.zeros(5, 4)).relu()
const b: Tensor = a.add(torch.zeros(4))
a.sum({ dims: 1 })
torch.nn.functional.relu6(a.reshape([4]))
`)
  const [first, second, third, fourth, ...rest] = e.problems()
  assert.deepEqual(rest, [])
  assert.equal(first.under, 'relu')
  assert.match(first.message, /does not exist on type 'matmul_error_inner_dimensions_do_not_match<3, 5, \[2, 3\], \[5, 4\]>'/)
  assert.equal(second.under, 'b')
  assert.match(second.message, /broadcast_error_incompatible_dimensions<3, 4>/)
  assert.equal(third.line, 5)
  assert.match(third.message, /dims/)
  assert.equal(fourth.under, 'a.reshape([4])')
  assert.match(fourth.message, /reshape_error_incompatible<\[2, 3\], \[4\]>/)
})

test('completion offers dimensions, option keys and their words, in under 300 ms of computing', () => {
  const e = editor(`import torch from 'torch.js'
const a = torch.zeros(2, 3)
a.sum({ ‹key› })
a.softmax(‹dim›)
torch.cumsum(a, ‹cumsum›)
a.transpose(0, ‹dim1›)
torch.nn.functional.mse_loss(a, a, { reduction: '‹word›' })
torch.zeros(2, { ‹creation› })
a.‹method›
`)
  for (const key of ['dim', 'keepdim', 'dtype']) assert.ok(e.complete('key').includes(key), key)
  assert.deepEqual(e.complete('word').sort(), ['mean', 'none', 'sum'])
  for (const place of ['dim', 'cumsum', 'dim1'])
    assert.deepEqual(
      e
        .complete(place)
        .filter((x) => /^-?\d/.test(x))
        .sort(),
      ['-1', '-2', '0', '1'],
      place,
    )
  for (const key of ['dtype', 'device', 'requires_grad']) assert.ok(e.complete('creation').includes(key), key)
  const before = process.cpuUsage()
  const methods = e.complete('method')
  const used = process.cpuUsage(before)
  for (const name of ['matmul', 'sum', 'shape']) assert.ok(methods.includes(name), name)
  assert.ok((used.user + used.system) / 1000 < 300, `${(used.user + used.system) / 1000} ms`)
})

test('every tensor of the examples has its shape in the editor', () => {
  for (const name of ['transformer-block', 'resnet-block', 'patch-embedding']) {
    const text = readFileSync(join(ROOT, `examples/${name}.ts`), 'utf8')
    const e = editor(text)
    assert.deepEqual(e.problems(), [], name)
    const source = e.service.getProgram().getSourceFile(e.file)
    const checker = e.service.getProgram().getTypeChecker()
    let tensors = 0
    const visit = (node) => {
      // A name, or a step of a chain of calls: what the editor shows where it stands.
      const at = ts.isVariableDeclaration(node)
        ? node.name
        : ts.isPropertyAccessExpression(node) && ts.isCallExpression(node.parent)
          ? node
          : null
      const type = at && checker.getTypeAtLocation(ts.isPropertyAccessExpression(at) ? at.parent : at)
      if (type && type.getProperty('storage_offset') && type.getProperty('shape')) {
        tensors++
        const shown = checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation)
        assert.match(shown, /Tensor<readonly \[/, `${name}: ${at.getText()} is ${shown}`)
        if (ts.isIdentifier(at)) assert.match(e.hoverAt(at.getStart()), /Tensor<readonly \[/)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
    assert.ok(tensors >= 10, `${name}: ${tensors} tensors`)
  }
})
