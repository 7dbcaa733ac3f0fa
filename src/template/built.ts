/**
 * Templates as a module that `uwas build` has written: the same generated code, in a file, so that a process
 * that may not make code from strings can serve pages. Written by `commands/build.ts`, read by `app.ts`.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { createError } from '../core/errors.ts'
import type { Template } from './ast.ts'
import { type Generated, generate, type Library } from './generate.ts'
import type { RenderUnit } from './render-problem.ts'
import type { Runtime } from './runtime.ts'

/** What the module exports. */
export interface Built {
  /** Of all templates, by `hashOfTemplates`. */
  readonly hash: string
  /** For each line of `make`'s body: which template, and where in it; null for none. */
  readonly marks: readonly (readonly [template: number, at: number] | null)[]
  /** Names of the templates, as `marks` counts them. */
  readonly names: readonly string[]
  readonly make: (runtime: Runtime) => Readonly<Record<string, RenderUnit>>
}

/** Goes up when generated code of one version cannot run with the runtime of another. */
const FORMAT = 3
/** Name of the module's file; frames of its code are known by it. */
export const BUILT_FILE = 'templates.mjs'
/** Lines of the module before the body of `make`. */
export const LINES_BEFORE_BODY = 7

/** Equal for the same templates, however they were read. */
export function hashOfTemplates(templates: Iterable<Template>): string {
  const hash = createHash('sha256').update(`${FORMAT}\n`)
  for (const { name, source } of templates) {
    hash.update(`${JSON.stringify(name)} ${source.length}\n${source}\n`)
  }
  return hash.digest('hex')
}

/** The module's text, for checked and linked templates. */
export function buildModule(templates: readonly Template[], library: Library): string {
  const { code, marks } = generate(templates, library)
  const names = templates.map(({ name }) => name)
  const text = `// Made by "uwas build" of the site's templates: do not edit. Build it again when a template has changed;
// "uwas serve" passes it over when it is not of the templates that are there.
export const hash = ${JSON.stringify(hashOfTemplates(templates))}
export const names = ${JSON.stringify(names)}
export const marks = ${JSON.stringify(numbered(marks, names))}

export function make($) {
${code}
}
`
  return text
}

function numbered(marks: Generated['marks'], names: readonly string[]): Built['marks'] {
  const numbers = new Map(names.map((name, i) => [name, i]))
  return marks.map((mark) =>
    mark === undefined ? null : [numbers.get(mark.template.name) ?? -1, mark.at],
  )
}

/** The module at `file`, or null where there is none. Rejects with UWAS_ERR_TEMPLATE_BUILT. */
export async function loadBuilt(file: string): Promise<Built | null> {
  if (!existsSync(file)) return null
  try {
    const built = (await import(pathToFileURL(file).href)) as Built
    if (typeof built.make === 'function' && typeof built.hash === 'string') return built
  } catch (error) {
    const problem = (error as Error).message
    throw createError('UWAS_ERR_TEMPLATE_BUILT', { file, problem }, error)
  }
  throw createError('UWAS_ERR_TEMPLATE_BUILT', { file, problem: 'it is no module of "uwas build"' })
}
