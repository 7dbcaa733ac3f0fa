/**
 * Runs generated code: templates in, render functions out, which say template and line when something
 * throws while they run. Called by `compile.ts` and `templates.ts`.
 */
import { type CodedError, createError, isCodedError } from '../core/errors.ts'
import type { LambdaPlace, Template } from './ast.ts'
import { BUILT_FILE, LINES_BEFORE_BODY as BUILT_LINES, type Built } from './built.ts'
import { checkLambdaContexts } from './contexts.ts'
import type { Fragments } from './fragments.ts'
import { type Generated, generate, type Library } from './generate.ts'
import type { Stack } from './lookup.ts'
import { parseTemplate } from './parse.ts'
import { errorAt } from './place.ts'
import { RenderProblem, type RenderUnit } from './render-problem.ts'
import { createRuntime, type Runtime } from './runtime.ts'

/** A compiled template. What the data do not have is looked for in `behind`; `fragments` keeps parts of it. */
export type Render = (data: unknown, behind?: object, fragments?: Fragments) => string

/** What the templates of a site have besides their data. */
export interface ProgramOptions {
  /** What every template sees behind its data. */
  readonly helpers?: object | undefined
  readonly isStrict?: boolean | undefined
  /** Values are escaped by their places, and the tags of a site are known, also in what lambdas return. */
  readonly isSite?: boolean | undefined
  /** The URL of a named route, for `{{#url}}`. */
  readonly route?: Runtime['route'] | undefined
}

/** Texts returned by lambdas that are kept compiled; the oldest go first. */
const MAX_LAMBDA_TEXTS = 200
/** `new Function` puts its parameters on two lines before the body. */
const LINES_BEFORE_BODY = 2
let programs = 0

/**
 * One render function for each of `entries`, by name. All partials are linked here. A name that the data
 * does not have is looked for in `helpers`; where `isStrict`, a value's name that nothing has is
 * UWAS_ERR_TEMPLATE_UNKNOWN_NAME.
 */
export function createProgram(
  entries: readonly Template[],
  library: Library,
  options: ProgramOptions = {},
): ReadonlyMap<string, Render> {
  const { helpers, isStrict = false, isSite = false, route } = options
  const runtime = createRuntime(
    createLambdaRenderer(library, isSite, () => runtime),
    route,
  )
  const running = run(generate(entries, library, isStrict), runtime)
  return rendersOf(entries, running, helpers, runtime)
}

/** The same of a module that was built of these entries. */
export function createBuiltProgram(
  entries: readonly Template[],
  library: Library,
  built: Built,
  { helpers, isSite = false, route }: ProgramOptions,
): ReadonlyMap<string, Render> {
  const runtime = createRuntime(
    createLambdaRenderer(library, isSite, () => runtime),
    route,
  )
  const marks = built.marks.map((mark) => {
    const template = entries[mark?.[0] ?? -1]
    return template === undefined || mark === null ? undefined : { template, at: mark[1] }
  })
  const explain = explainBy(BUILT_FILE, BUILT_LINES, marks)
  return rendersOf(entries, { units: built.make(runtime), explain }, helpers, runtime)
}

function rendersOf(
  entries: readonly Template[],
  { units, explain }: Running,
  helpers: object | undefined,
  { fragments: state }: Runtime,
): ReadonlyMap<string, Render> {
  const outer: Stack | null = helpers === undefined ? null : { v: helpers, up: null }
  const made = new Map<string, Render>()
  for (const { name } of entries) {
    const unit = units[name] as RenderUnit
    made.set(name, (data, behind, fragments) => {
      // Data may render another page while this one is being rendered.
      const before = state.keeper
      state.keeper = fragments
      try {
        return unit(data, behind === undefined ? outer : { v: behind, up: outer }, '', 0)
      } catch (error) {
        throw explain(name, error)
      } finally {
        state.keeper = before
      }
    })
  }
  return made
}

interface Running {
  readonly units: Readonly<Record<string, RenderUnit>>
  /** The error to throw for one that happened while `name` was rendered. */
  explain(name: string, error: unknown): unknown
}

function run(generated: Generated, runtime: Runtime): Running {
  programs += 1
  const url = `uwas-template-${programs}.js`
  const factory = new Function('$', `${generated.code}\n//# sourceURL=${url}`)
  return { units: factory(runtime), explain: explainBy(url, LINES_BEFORE_BODY, generated.marks) }
}

/** Finds the tag of an error by the line of the generated code in its stack. */
function explainBy(
  file: string,
  linesBefore: number,
  marks: Generated['marks'],
): Running['explain'] {
  const frame = new RegExp(`\\b${file.replaceAll('.', '\\.')}:(\\d+)`)
  return (name, error) => {
    const stack = error instanceof Error ? String(error.stack) : ''
    const line = Number(frame.exec(stack)?.[1] ?? 0) - linesBefore - 1
    return explainError(name, error, marks[line])
  }
}

function explainError(name: string, error: unknown, mark: Generated['marks'][number]): CodedError {
  if (isCodedError(error) && error.code === 'UWAS_ERR_TEMPLATE_RENDER') return error
  const origin = mark?.template ?? { file: name, source: '' }
  const at = mark?.at ?? 0
  if (error instanceof RenderProblem) {
    return errorAt(`UWAS_ERR_TEMPLATE_${error.what}`, origin, at, error.values)
  }
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (mark !== undefined)
    return errorAt('UWAS_ERR_TEMPLATE_RENDER', origin, at, { name, problem }, error)
  return createError('UWAS_ERR_TEMPLATE_RENDER', { place: name, name, problem, excerpt: '' }, error)
}

/** Compiles what lambdas return, with the same partials and rules; the newest texts stay compiled. */
function createLambdaRenderer(library: Library, isSite: boolean, runtimeOf: () => Runtime) {
  const compiled = new Map<string, RenderUnit>()
  return (text: string, place: LambdaPlace, stack: Stack, depth: number): string => {
    const key = JSON.stringify([text, place])
    let unit = compiled.get(key)
    if (unit === undefined) {
      try {
        unit = compileLambda(text, place)
      } catch (error) {
        if (error instanceof EvalError) throw new RenderProblem('LAMBDA')
        // The tag is found by the stack, which has to begin near it.
        if (error instanceof Error) Error.captureStackTrace(error)
        throw error
      }
      if (compiled.size >= MAX_LAMBDA_TEXTS) compiled.delete(compiled.keys().next().value as string)
      compiled.set(key, unit)
    }
    return unit(stack.v, stack.up, '', depth + 1)
  }

  function compileLambda(text: string, place: LambdaPlace): RenderUnit {
    const isText = place.isText === true
    const options = { isText, isSite }
    const parsed = parseTemplate(text, 'text of a lambda', undefined, place, options)
    const { template, mistakes } = parsed
    mistakes.throw()
    if (isSite && !isText) checkLambdaContexts(template, library, place.states).throw()
    return run(generate([template], library), runtimeOf()).units[template.name] as RenderUnit
  }
}
