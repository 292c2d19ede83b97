// Programs made up at random: what the compiler infers is what the engine computes, and what one refuses the other refuses too.
//   node tests/types/differential.mjs [count] [seed]
import ts from 'typescript'
import { compile, describe, pattern } from './compiler.mjs'
import { programs } from './programs.mjs'

export function differential(count, seed, compiler = ts) {
  const all = programs(count, seed)
  const lines = [`import torch from 'torch.js'`]
  const where = new Map()
  for (const program of all)
    for (const line of program) {
      where.set(line.name, lines.length)
      lines.push(`const ${line.name} = ${line.text}`)
    }
  lines.push('export {}')
  const { checker, types, errors } = compile(compiler, { 'made_up.ts': lines.join('\n') })
  const findings = []
  const counts = {
    programs: all.length,
    steps: 0,
    refused: 0,
    unknownSizes: 0,
    unknownRank: 0,
    unknownDType: 0,
    otherMessages: 0,
    errors: new Map(),
  }
  for (const program of all) {
    let known = true
    for (const line of program) {
      counts.steps++
      const complaints = errors.get(`made_up.ts:${where.get(line.name)}`)
      const told = complaints ? { error: 'diagnostic', message: complaints } : describe(compiler, checker, types.get(line.name))
      const find = (what) =>
        findings.push(
          `${what}\n    ${line.text}\n    in: ${program.map((l) => l.text).join(' ; ')}\n    compiler: ${checker.typeToString(types.get(line.name))} ${complaints ?? ''}\n    engine: ${line.error ?? `[${line.shape}] ${line.dtype}`}`,
        )
      if (!told) find('no tensor')
      else if (line.error && !told.error) find(`only the engine refuses (${line.kind})`)
      else if (!line.error && told.error) find(`only the compiler refuses (${line.kind})`)
      else if (line.error) {
        counts.refused++
        counts.errors.set(told.error, (counts.errors.get(told.error) ?? 0) + 1)
        if (told.error !== 'diagnostic' && !told.message.some((m) => m === 'string' || pattern(m).test(line.error))) {
          counts.otherMessages++
          if (process.env.MESSAGES) find(`another message: ${told.message.join(' | ')}`)
        }
      } else {
        if (told.shape === null) counts.unknownRank++
        else if (told.shape.length !== line.shape.length || told.shape.some((n, i) => n !== null && n !== line.shape[i]))
          find(`another shape (${line.kind})`)
        else if (told.shape.includes(null)) counts.unknownSizes++
        if (told.dtype === null) {
          counts.unknownDType++
          if (process.env.DTYPES && (line === program[0] || known)) find(`unknown dtype (${line.kind})`)
          known = false
        } else if (told.dtype !== line.dtype) find(`another dtype (${line.kind})`)
      }
      if (process.env.UNKNOWN && !line.error && told && (told.shape === null || told.shape.includes(null))) find('unknown')
    }
  }
  return { findings, counts }
}

if (process.argv[1]?.endsWith('differential.mjs')) {
  const { findings, counts } = differential(Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 1))
  for (const f of findings) console.log(f)
  console.log(counts, 'findings', findings.length)
}
