// What the generators share: the header line of generated files, complaints, C names.
export const HEADER = '/* Made from schema/ by codegen/. Changes belong there. */'

// A fault in an operator's entry that shows only when something is made from it.
export class SchemaBug extends Error {
  constructor(op, message) {
    super(`${op.file}:${op.line}: ${op.name}${op.overload && `.${op.overload}`}: ${message}`)
  }
}

export const comment = (text, indent = '') => {
  const words = text.split(/\s+/).filter(Boolean),
    lines = ['']
  for (const w of words) {
    if ((lines.at(-1) + ' ' + w).length > 110) lines.push(w)
    else lines[lines.length - 1] += (lines.at(-1) ? ' ' : '') + w
  }
  return lines.map((l) => `${indent} * ${l}`).join('\n')
}

export const title = (name) =>
  name
    .split('_')
    .map((p) => p.replace(/[a-z]+/gi, (w) => w[0].toUpperCase() + w.slice(1).toLowerCase()))
    .join('')
