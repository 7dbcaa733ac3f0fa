/**
 * A folder of `*.mustache` files → one render function each, all compiled and linked at start.
 * `app.ts` makes it and puts it into the services; `was/` renders with it; `dev` reloads it.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import type { ServiceKey } from '../core/services.ts'
import { DEFAULT_DELIMITERS, type Template } from './ast.ts'
import { type Built, buildModule, hashOfTemplates } from './built.ts'
import { checkLinks } from './check.ts'
import { checkContexts } from './contexts.ts'
import type { Mistakes } from './errors.ts'
import type { Fragments } from './fragments.ts'
import type { Library } from './generate.ts'
import { parseTemplate } from './parse.ts'
import { createBuiltProgram, createProgram, type Render } from './program.ts'
import { readTemplateFiles } from './read-folder.ts'
import { hasCached } from './site-tags.ts'
import { checkBlocks } from './unknown-blocks.ts'
import { checkUrlTags } from './url-tags.ts'

export interface TemplatesOptions {
  /** The folder; its sub-folders belong to it. */
  readonly dir: string
  /** What every template sees behind its data: `static`. Default nothing. */
  readonly helpers?: object
  /** A value's name that nothing has is an error: development. Default: it is empty, as the specification says. */
  readonly isStrict?: boolean
  /** The site's named routes, for `{{#url}}`. Default: none. */
  readonly urls?: TemplateUrls | undefined
  /** Templates that are there besides the folder's, by name; a file of the same name takes its place. Default: none. */
  readonly partials?: Readonly<Record<string, string>>
  /** A module of `uwas build`; used when it is of just these templates. Default: compiled here. */
  readonly built?: Built | null
}

/** What templates know of the site's routes. */
export interface TemplateUrls {
  readonly reverse: (name: string, params: Readonly<Record<string, unknown>>) => string
  /** Names of the parameters of each named route. */
  readonly parameters: ReadonlyMap<string, readonly string[]>
}

/** All templates of a site. A name is the path below the folder without `.mustache`: `posts/list`. */
export interface Templates {
  /**
   * The template's text for `data`, and what stands `behind` it for this page alone. Throws UWAS_ERR_TEMPLATE_UNKNOWN for a name that is not there, and
   * what `compile`'s functions throw. `fragments` keeps what `{{#cached}}` names; without it all is rendered.
   */
  render(name: string, data: unknown, behind?: object, fragments?: Fragments): string
  has(name: string): boolean
  /** Whether a template has a `{{#cached}}`. */
  readonly hasFragments: boolean
  /** Sorted; without `partials`. */
  names(): readonly string[]
  /**
   * Reads the folder again. The new templates are used together from the next render on; on an error
   * (those of `createTemplates`) it throws and the old ones stay.
   */
  reload(): void
}

export const TEMPLATES: ServiceKey<Templates> = {
  name: 'templates',
  hint: 'set `templates` in uwas.config.ts to the folder of its *.mustache files',
}

/**
 * Reads, checks and compiles a folder. Files and folders whose names begin with a dot are left out, and
 * so are symbolic links. Throws UWAS_ERR_TEMPLATE_DIRECTORY when the folder cannot be read, and all
 * mistakes of all files together (UWAS_ERR_TEMPLATE_MANY) or the only one: among them
 * UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL and _UNKNOWN_BLOCK, which here, unlike in `compile`, are mistakes.
 */
export function createTemplates(options: TemplatesOptions): Templates {
  const { dir } = options
  let { renders, hasFragments } = compileFolder(options)
  const isOwn = (name: string) => !Object.hasOwn(options.partials ?? {}, name)
  return {
    render(name, data, behind, fragments) {
      const render = renders.get(name)
      if (render === undefined) {
        const hint = hintNearest(name, renders.keys())
        throw createError('UWAS_ERR_TEMPLATE_UNKNOWN', { name, dir, hint })
      }
      return render(data, behind, fragments)
    },
    has: (name) => renders.has(name),
    get hasFragments() {
      return hasFragments
    },
    names: () => [...renders.keys()].filter(isOwn),
    reload() {
      ;({ renders, hasFragments } = compileFolder(options))
    },
  }
}

/** All templates of a folder by name, for tools; with mistakes in them they are not complete. */
export function parseFolder(
  dir: string,
  partials: Readonly<Record<string, string>> = {},
): {
  templates: ReadonlyMap<string, Template>
  mistakes: Mistakes
} {
  const templates = new Map<string, Template>()
  const { files, mistakes } = readTemplateFiles(dir)
  const own = Object.entries(partials).map(([name, source]) => ({ name, file: name, source }))
  for (const { name, file, source } of [...own, ...files]) {
    const options = { isText: name.endsWith('.txt'), isSite: true }
    const result = parseTemplate(source, name, file, DEFAULT_DELIMITERS, options)
    mistakes.addAll(result.mistakes)
    templates.set(name, result.template)
  }
  return { templates, mistakes }
}

function compileFolder({
  dir,
  helpers,
  isStrict = false,
  built = null,
  urls,
  partials,
}: TemplatesOptions): { renders: ReadonlyMap<string, Render>; hasFragments: boolean } {
  const { all, library } = linkFolder(dir, urls, partials)
  const options = { helpers, isStrict, isSite: true, route: urls?.reverse }
  const hasFragments = all.some(({ nodes }) => hasCached(nodes))
  if (built !== null && !isStrict && built.hash === hashOfTemplates(all)) {
    return { renders: createBuiltProgram(all, library, built, options), hasFragments }
  }
  try {
    return { renders: createProgram(all, library, options), hasFragments }
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    const problem = built === null ? 'there is none' : 'it is not of the templates as they are now'
    throw createError('UWAS_ERR_TEMPLATE_NOT_BUILT', { problem }, error)
  }
}

/** What `uwas build` writes for the templates of a folder. Throws as `createTemplates`. */
export function buildFolder(
  dir: string,
  urls?: TemplateUrls,
  partials?: Readonly<Record<string, string>>,
): { code: string; count: number } {
  const { all, library } = linkFolder(dir, urls, partials)
  const count = all.filter(({ name }) => !Object.hasOwn(partials ?? {}, name)).length
  return { code: buildModule(all, library), count }
}

/**
 * All templates of a folder, checked as a whole: each tag knows how it is escaped, each dynamic name what it cannot
 * choose. For tools, too. Throws as `createTemplates`.
 */
export function linkFolder(
  dir: string,
  urls?: TemplateUrls,
  partials?: Readonly<Record<string, string>>,
): { all: readonly Template[]; library: Library } {
  const { templates, mistakes } = parseFolder(dir, partials)
  const library = { find: (name: string) => templates.get(name), names: () => templates.keys() }
  const all = [...templates.values()]
  mistakes.addAll(checkLinks(all, library, { missing: 'error', isClosed: false }))
  mistakes.addAll(checkBlocks(all, library))
  if (mistakes.count === 0) mistakes.addAll(checkUrlTags(all, urls?.parameters ?? new Map()))
  if (mistakes.count === 0) mistakes.addAll(checkContexts(all, library))
  mistakes.throw()
  return { all, library }
}
