// The schema's reader and the generator: faults are refused with file and line; two runs give the same bytes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cFiles } from '../../codegen/c.mjs'
import { loadSchemaText, SchemaError } from '../../codegen/schema.mjs'
import { SchemaBug } from '../../codegen/text.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const GOOD = '- op: first(Tensor self) -> Tensor\n  doc: The operator before.\n'
// An entry behind a good one: it begins in line 3.
const entry = (op, ...lines) => `${GOOD}- op: ${op}\n${lines.map((l) => `  ${l}\n`).join('')}`
const DOC = 'doc: A test.'

const refused = (source, line, message) =>
  assert.throws(
    () => loadSchemaText(source, 'some/test.yaml'),
    (e) => {
      assert.ok(e instanceof SchemaError, e.stack)
      assert.ok(e.message.startsWith(`some/test.yaml:${line}: `), `file and line of: ${e.message}`)
      assert.match(e.message, message)
      return true
    },
  )

describe('a schema entry', () => {
  it('is read when it is right', () => {
    const ops = loadSchemaText(
      entry('bad.over(Tensor self, int dim=-1, *, bool keepdim=False) -> Tensor', DOC, 'backward: { self: grad }'),
      'x.yaml',
    )
    assert.equal(ops.length, 2)
    assert.equal(ops[1].cname, 'bad_over')
    assert.equal(ops[1].line, 3)
    assert.deepEqual(
      ops[1].args.map((a) => [a.name, a.default, a.kwonly]),
      [
        ['self', undefined, false],
        ['dim', -1, false],
        ['keepdim', false, true],
      ],
    )
  })

  const faults = {
    'an unknown key': [entry('bad(Tensor self) -> Tensor', DOC, 'colour: red'), 5, /unknown key 'colour'/],
    'no op': [`${GOOD}- doc: No name.\n`, 3, /an entry needs 'op/],
    'no doc': [entry('bad(Tensor self) -> Tensor'), 3, /bad: 'doc' is missing/],
    'an unknown type': [entry('bad(Tensr self) -> Tensor', DOC), 3, /unknown type 'Tensr'.* at column 5 of/],
    'an unknown result type': [entry('bad(Tensor self) -> Tenso', DOC), 3, /unknown type 'Tenso'/],
    'a default of another type': [entry('bad(Tensor self, int dim=1.5) -> Tensor', DOC), 3, /'1\.5' is no default for int/],
    'a text as default of a number': [entry('bad(Tensor self, float p=half) -> Tensor', DOC), 3, /'half' is no default for float/],
    'None for what is not optional': [entry('bad(Tensor self, int dim=None) -> Tensor', DOC), 3, /'None' is no default for int/],
    'no default after =': [entry('bad(Tensor self, int dim=) -> Tensor', DOC), 3, /a default value is missing after =/],
    'an argument without a name': [entry('bad(Tensor) -> Tensor', DOC), 3, /an argument has no name/],
    'an argument twice': [entry('bad(Tensor self, int self) -> Tensor', DOC), 3, /argument 'self' appears twice/],
    'a required argument after a default': [entry('bad(Tensor self, int dim=0, int k) -> Tensor', DOC), 3, /'k' without a default follows/],
    'two stars': [entry('bad(Tensor self, *, int a=0, *, int b=0) -> Tensor', DOC), 3, /a second \*/],
    'no arrow': [entry('bad(Tensor self)', DOC), 3, /expected '->'/],
    'something after the signature': [entry('bad(Tensor self) -> Tensor, yes', DOC), 3, /follows the signature/],
    'an unknown namespace': [entry('bad(Tensor self) -> Tensor', DOC, 'namespace: nowhere'), 5, /unknown namespace 'nowhere'/],
    'a flag that is no flag': [entry('bad(Tensor self) -> Tensor', DOC, 'method: maybe'), 5, /'method' has to be true or false/],
    'a method without a tensor': [entry('bad(int n) -> Tensor', DOC, 'method: true'), 5, /a method needs a Tensor/],
    'an unknown argument in numbers': [
      entry('bad(Tensor self) -> Tensor', DOC, 'numbers: [other]'),
      5,
      /'other' is no Tensor argument of bad/,
    ],
    'numbers that is no list': [entry('bad(Tensor self) -> Tensor', DOC, 'numbers: self'), 5, /'numbers' has to be a list/],
    'an unknown out': [entry('bad(Tensor self) -> Tensor', DOC, 'out: perhaps'), 5, /'out' has to be kernel, copy or none/],
    'inplace with several results': [entry('bad(Tensor self) -> (Tensor a, Tensor b)', DOC, 'inplace: true'), 5, /an in-place form needs/],
    'an in-place name without a tensor': [entry('bad_(int n) -> Tensor', DOC), 3, /an in-place operator takes and returns a Tensor/],
    'a composite with out: kernel': [
      entry('bad(Tensor self) -> Tensor', DOC, 'composite: true', 'out: kernel'),
      6,
      /a composite has no kernel/,
    ],
    'a composite with a derivative': [
      entry('bad(Tensor self) -> Tensor', DOC, 'composite: true', 'backward: { self: grad }'),
      6,
      /differentiated through its parts/,
    ],
    'an unknown dtype rule': [
      entry('bad(Tensor self) -> Tensor', DOC, 'dtype: guess(self)', 'pointwise: { float: self }'),
      5,
      /needs a dtype rule/,
    ],
    'an unknown dtype class': [
      entry('bad(Tensor self) -> Tensor', DOC, 'dtype: promote(self)', 'pointwise: { quaternion: self }'),
      6,
      /unknown dtype class 'quaternion'/,
    ],
    'a pointwise text that cannot be read': [
      entry('bad(Tensor self) -> Tensor', DOC, 'dtype: promote(self)', 'pointwise: { float: "self +" }'),
      6,
      /float: .*ends too early/,
    ],
    'a derivative of no argument': [
      entry('bad(Tensor self) -> Tensor', DOC, 'backward: { other: grad }'),
      5,
      /'other' is no Tensor argument of bad/,
    ],
    'a derivative of a number': [
      entry('bad(Tensor self, int n) -> Tensor', DOC, 'backward: { n: grad }'),
      5,
      /'n' is no Tensor argument of bad/,
    ],
    'a derivative of an argument twice': [
      entry('bad(Tensor self, Tensor other) -> Tensor', DOC, 'backward: { "self, other": grad, self: grad }'),
      5,
      /self has two derivatives/,
    ],
    'a derivative that cannot be read': [
      entry('bad(Tensor self) -> Tensor', DOC, 'backward: { self: "grad * (self" }'),
      5,
      /self: expected '\)' before 'the end'/,
    ],
    'a derivative with a strange sign': [
      entry('bad(Tensor self) -> Tensor', DOC, 'backward: { self: "grad # 2" }'),
      5,
      /self: cannot read/,
    ],
    'a derivative that is a word': [
      entry('bad(Tensor self) -> Tensor', DOC, 'backward: later'),
      5,
      /maps arguments to expressions, or is none/,
    ],
    'YAML that cannot be read': [`${GOOD}- op: [\n`, 4, /./],
    'a file that is no list': ['word\n', 1, /a schema file is a list/],
    'an entry that is no mapping': [`${GOOD}- word\n`, 3, /an entry is a mapping/],
  }
  for (const [what, [source, line, message]] of Object.entries(faults)) it(`is refused with ${what}`, () => refused(source, line, message))
})

describe('a derivative', () => {
  const compile = (expression, extra = '') =>
    cFiles(
      loadSchemaText(
        `${entry(`bad(Tensor self, int n=1${extra}) -> Tensor`, DOC, `backward: { self: "${expression}" }`)}- op: mul(Tensor self, Tensor other) -> Tensor\n  doc: Product.\n`,
        'some/test.yaml',
      ),
    )
  it('is compiled when it is right', () => {
    assert.match(compile('mul(grad, other=self)')['ops/test.c'], /inputs\[0\] = tj_mul\(grads\[0\], self\)/)
  })
  const faults = {
    'calls no operator': ['multiply(grad, self)', /the derivative calls 'multiply', which is no operator/],
    'names nothing that is there': [
      'mul(grad, weight)',
      /the derivative of self names 'weight', which is neither an argument nor a result/,
    ],
    'names an unknown property': ['mul(grad, self.length)', /unknown property '\.length'/],
    'leaves out an argument': ['mul(grad)', /the call of 'mul' lacks other/],
    'gives too many': ['mul(grad, self, self)', /'mul' takes 2 arguments/],
    'gives an unknown keyword': ['mul(grad, self, scale=2)', /'mul' has no argument 'scale'/],
    'gives a list for a tensor': ['mul(grad, [1, 2])', /a list stands where a tensor is needed/],
    'has an infix that tensors lack': ['grad % self', /'%' between tensors/],
    'keeps a generator': ['mul(grad, generator)', /Generator argument cannot be kept/, ', Generator? generator=None'],
  }
  const together = (expression) =>
    cFiles(
      loadSchemaText(
        `- op: both(Tensor self, Tensor other) -> Tensor\n  doc: Two.\n  backward: { "self, other": "${expression}" }\n` +
          '- op: back(Tensor grad, Tensor self, bool[2] output_mask) -> (Tensor? a, Tensor? b)\n  doc: Both gradients.\n  backward: { grad: "grad_a" }\n',
        'some/test.yaml',
      ),
    )['ops/test.c']
  it('of several arguments is one call, whose results they are', () => {
    const text = together('back(grad, self, grad_input_mask)')
    assert.match(
      text,
      /if \(tj_back\(grads\[0\], self, TJ_INTS\(tj__node_needs\(node, 0\), tj__node_needs\(node, 1\)\), &inputs\[0\], &inputs\[1\]\)\) return false;/,
    )
    assert.match(text, /back_node = \{"BackBackward0", back_backward, false, NULL\}/, 'no zeros for results that may be missing')
    assert.throws(() => together('grad'), /the derivative of self, other has to be a call with 2 results/)
  })
  for (const [what, [expression, message, extra]] of Object.entries(faults))
    it(`is refused when it ${what}`, () =>
      assert.throws(
        () => compile(expression, extra),
        (e) => {
          assert.ok(e instanceof SchemaBug, e.stack)
          assert.ok(e.message.startsWith('some/test.yaml:3: bad: '), e.message)
          assert.match(e.message, message)
          return true
        },
      ))
})

describe('the generator', () => {
  const temporary = (body) => {
    const dir = mkdtempSync(join(tmpdir(), 'torchjs-schema-'))
    try {
      return body(dir)
    } finally {
      rmSync(dir, { recursive: true })
    }
  }
  const generate = (...args) => spawnSync(process.execPath, [join(ROOT, 'codegen/main.mjs'), ...args], { encoding: 'utf8' })
  const check = (files) =>
    temporary((dir) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
      const r = generate('--schema', dir, '--check')
      return { ...r, dir }
    })

  it('refuses a name that is there already, and says where', () => {
    const r = check({ 'a.yaml': GOOD, 'b.yaml': `\n${GOOD}` })
    assert.equal(r.status, 1)
    assert.equal(r.stderr.trim(), `${r.dir}/b.yaml:2: tj_first is already defined at ${r.dir}/a.yaml:1`)
  })
  it('refuses a name that another entry makes by its in-place form', () => {
    const r = check({ 'a.yaml': `${GOOD}  inplace: true\n- op: first_(Tensor self) -> Tensor\n  doc: Again.\n` })
    assert.equal(r.status, 1)
    assert.equal(r.stderr.trim(), `${r.dir}/a.yaml:4: tj_first_ is already defined at ${r.dir}/a.yaml:1`)
  })
  it('ends with status 1 and one line for a fault, without a stack', () => {
    const r = check({ 'a.yaml': entry('bad(Tensor self) -> Tensor', DOC, 'backward: { self: nothing(grad) }') })
    assert.equal(r.status, 1)
    assert.equal(r.stdout, '')
    assert.equal(r.stderr.trim(), `${r.dir}/a.yaml:3: bad: the derivative calls 'nothing', which is no operator`)
  })
  it('gives the same bytes twice', () =>
    temporary((dir) => {
      const tree = (folder, prefix = '') =>
        readdirSync(folder)
          .sort()
          .flatMap((name) =>
            statSync(join(folder, name)).isDirectory()
              ? tree(join(folder, name), `${prefix}${name}/`)
              : [[prefix + name, readFileSync(join(folder, name), 'utf8')]],
          )
      const [first, second] = ['one', 'two'].map((name) => {
        mkdirSync(join(dir, name))
        const r = generate('--out', join(dir, name, 'c'), '--ts', join(dir, name, 'ts'))
        assert.equal(r.status, 0, r.stderr)
        return tree(join(dir, name))
      })
      assert.ok(first.length > 40, `${first.length} files`)
      for (const wanted of ['c/ops.h', 'c/impl.h', 'c/sources.mk', 'ts/methods.ts', 'ts/functions.ts'])
        assert.ok(
          first.some(([path]) => path === wanted),
          wanted,
        )
      assert.deepEqual(
        first.map(([path]) => path),
        second.map(([path]) => path),
      )
      first.forEach(([path, text], i) => assert.ok(text === second[i][1], `${path} differs`))
    }))
})
