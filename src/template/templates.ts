/**
 * A folder of `*.mustache` files → one render function each, all compiled and linked at start.
 * `app.ts` makes it and puts it into the services; `was/` renders with it; `dev` reloads it.
 */
import { type CodedError, createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import type { ServiceKey } from '../core/services.ts'
import type { Template } from './ast.ts'
import { checkLinks } from './check.ts'
import { throwAll } from './errors.ts'
import { parseTemplate } from './parse.ts'
import { createProgram, type Render } from './program.ts'
import { readTemplateFiles } from './read-folder.ts'

export interface TemplatesOptions {
  /** The folder; its sub-folders belong to it. */
  readonly dir: string
  /** What every template sees behind its data: `static`. Default nothing. */
  readonly helpers?: object
}

/** All templates of a site. A name is the path below the folder without `.mustache`: `posts/list`. */
export interface Templates {
  /**
   * The template's text for `data`. Throws UWAS_ERR_TEMPLATE_UNKNOWN for a name that is not there, and
   * what `compile`'s functions throw.
   */
  render(name: string, data: unknown): string
  has(name: string): boolean
  /** Sorted. */
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
 * UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL, which here, unlike in `compile`, is a mistake.
 */
export function createTemplates({ dir, helpers }: TemplatesOptions): Templates {
  let renders = compileFolder(dir, helpers)
  return {
    render(name, data) {
      const render = renders.get(name)
      if (render === undefined) {
        const hint = hintNearest(name, renders.keys())
        throw createError('UWAS_ERR_TEMPLATE_UNKNOWN', { name, dir, hint })
      }
      return render(data)
    },
    has: (name) => renders.has(name),
    names: () => [...renders.keys()],
    reload() {
      renders = compileFolder(dir, helpers)
    },
  }
}

/** All templates of a folder by name, for tools; with mistakes in them they are not complete. */
export function parseFolder(dir: string): {
  templates: ReadonlyMap<string, Template>
  errors: CodedError[]
} {
  const templates = new Map<string, Template>()
  const { files, errors } = readTemplateFiles(dir)
  for (const { name, file, source } of files) {
    const result = parseTemplate(source, name, file)
    errors.push(...result.errors)
    templates.set(name, result.template)
  }
  return { templates, errors }
}

function compileFolder(dir: string, helpers?: object): ReadonlyMap<string, Render> {
  const { templates, errors } = parseFolder(dir)
  const library = { find: (name: string) => templates.get(name), names: () => templates.keys() }
  const all = [...templates.values()]
  errors.push(...checkLinks(all, library, { missing: 'error', isClosed: false }))
  throwAll(errors)
  return createProgram(all, library, helpers)
}
