// The TypeScript compiler as a library: what types the names of a file have, and what is wrong with it.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const OPTIONS = {
  target: 'ES2022',
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  lib: ['lib.es2022.d.ts', 'lib.es2023.array.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
  types: ['node'],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
}

export function compilerOptions(ts) {
  const { options, errors } = ts.convertCompilerOptionsFromJson({ ...OPTIONS, lib: OPTIONS.lib.map((l) => l.slice(4, -5)) }, ROOT)
  if (errors.length) throw new Error(ts.flattenDiagnosticMessageText(errors[0].messageText, '\n'))
  return options
}

/** A host that has `files` (path below tests/types -> text) beside those on disk. */
export function virtualHost(ts, files) {
  const host = ts.createCompilerHost(compilerOptions(ts))
  const read = host.readFile.bind(host)
  const exists = host.fileExists.bind(host)
  const source = host.getSourceFile.bind(host)
  host.readFile = (f) => files.get(f) ?? read(f)
  host.fileExists = (f) => files.has(f) || exists(f)
  host.getSourceFile = (f, language, ...rest) =>
    files.has(f) ? ts.createSourceFile(f, files.get(f), language, true) : source(f, language, ...rest)
  return host
}

/** Compiles texts: { checker, types: Map(name -> type of each const), errors: Map(line -> messages) by file, program }. */
export function compile(ts, texts) {
  const files = new Map(Object.entries(texts).map(([name, text]) => [join(ROOT, 'tests/types', name), text]))
  const program = ts.createProgram([...files.keys()], compilerOptions(ts), virtualHost(ts, files))
  const checker = program.getTypeChecker()
  const types = new Map()
  const errors = new Map()
  for (const file of files.keys()) {
    const source = program.getSourceFile(file)
    for (const d of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
      const line = source.getLineAndCharacterOfPosition(d.start).line
      const key = `${file.slice(ROOT.length + 13)}:${line}`
      errors.set(key, [...(errors.get(key) ?? []), ts.flattenDiagnosticMessageText(d.messageText, '\n')])
    }
    const visit = (node) => {
      if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name)) types.set(node.name.text, checker.getTypeAtLocation(node.name))
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return { program, checker, types, errors }
}

/** What a type says of a tensor: { shape: [numbers, null for unknown] | null, dtype: text | null }, or { error: name, message }, or null. */
export function describe(ts, checker, type) {
  const property = (t, name) => {
    const p = t.getProperty(name)
    return p && checker.getTypeOfSymbol(p)
  }
  if (property(type, '__isShapeError')) {
    const message = property(type, 'message')
    return {
      error: type.symbol?.name ?? '?',
      message: (message.isUnion() ? message.types : [message]).map((m) =>
        checker.typeToString(m, undefined, ts.TypeFormatFlags.NoTruncation),
      ),
    }
  }
  const shape = property(type, 'shape')
  const dtype = property(type, 'dtype')
  if (!shape || !dtype) return null
  const sizes = checker.isTupleType(shape) ? checker.getTypeArguments(shape).map((t) => (t.isNumberLiteral() ? t.value : null)) : null
  return { shape: sizes, dtype: dtype.isStringLiteral() ? dtype.value : null }
}

/** A message's type as a pattern for the engine's message: `${number}` and `${string}` stand for anything of their kind. open: it may go on. */
export function pattern(typeText, open = false) {
  const text = typeText.slice(1, -1).replace(/\\(n|[`"'\\$])/g, (m, c) => (c === 'n' ? '\n' : c))
  const source = text
    .split(/(\$\{number\}|\$\{string\})/)
    .map((part) => (part === '${number}' ? '-?\\d+' : part === '${string}' ? '[^]*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${source}${open ? '' : '$'}`)
}
