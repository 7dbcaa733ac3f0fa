/** One template text → a function: `compile`, for tests, mails and tools. Sites use `templates.ts`. */
import type { Template } from './ast.ts'
import { checkLinks } from './check.ts'
import { Mistakes } from './errors.ts'
import type { Library } from './generate.ts'
import { parseTemplate } from './parse.ts'
import { createProgram, type Render } from './program.ts'

/** How a single template is compiled. */
export interface CompileOptions {
  /** Stands in error messages. Default `template`. */
  readonly name?: string
  /**
   * The texts that `{{>x}}` and `{{<x}}` name: a record, or a function that gives the text of a name.
   * A function cannot be asked which names there are, so dynamic names (`{{>*x}}`) need a record.
   */
  readonly partials?: Readonly<Record<string, string>> | ((name: string) => string | undefined)
  /**
   * A partial or parent that does not exist: renders nothing, as the Mustache specification has it
   * (`empty`, the default), or is UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL (`error`).
   */
  readonly missing?: 'empty' | 'error'
}

/**
 * Compiles Mustache (specification 1.4 with ~lambdas, ~inheritance, ~dynamic-names) to a function of
 * the data. Partials are read and linked now; later changes of the record have no effect.
 *
 * Throws every mistake of the text and of the partials that it uses: one coded error, or
 * UWAS_ERR_TEMPLATE_MANY with the first 20 of them in `errors`. The function throws UWAS_ERR_TEMPLATE_RENDER when a
 * getter or lambda of the data throws, UWAS_ERR_TEMPLATE_PROMISE for a value that was not awaited, and
 * UWAS_ERR_TEMPLATE_RECURSION for partials that go deeper than 256.
 */
export function compile(source: string, options: CompileOptions = {}): Render {
  const { name = 'template', partials = {}, missing = 'empty' } = options
  const main = parseTemplate(source, name)
  const mistakes = new Mistakes()
  mistakes.addAll(main.mistakes)
  const library = createLibrary(partials, mistakes)
  const used = checkLinks([main.template], library, {
    missing,
    isClosed: typeof partials === 'function',
  })
  mistakes.addAll(used)
  mistakes.throw()
  return createProgram([main.template], library).get(name) as Render
}

/** Parses a partial when it is first asked for, once. */
function createLibrary(
  partials: NonNullable<CompileOptions['partials']>,
  mistakes: Mistakes,
): Library {
  const parsed = new Map<string, Template | undefined>()
  const textOf =
    typeof partials === 'function'
      ? partials
      : (name: string) => (Object.hasOwn(partials, name) ? partials[name] : undefined)
  return {
    names: () => (typeof partials === 'function' ? [] : Object.keys(partials)),
    find(name) {
      if (parsed.has(name)) return parsed.get(name)
      const text = textOf(name)
      const result = text === undefined ? undefined : parseTemplate(text, name)
      if (result !== undefined) mistakes.addAll(result.mistakes)
      parsed.set(name, result?.template)
      return result?.template
    },
  }
}
