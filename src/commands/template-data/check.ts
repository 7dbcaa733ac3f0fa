/**
 * Compares the tags of a site's templates with what its views give them, by their types. Gets the
 * configuration file and the parsed templates; leaves a problem for each name that nothing gives.
 * Called by `uwas check`.
 */
import { type CodedError, createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import type { Template } from '../../template/ast.ts'
import { errorAt } from '../../template/place.ts'
import { showPath } from '../site-place.ts'
import { createSiteProgram, findCompiler } from './compiler.ts'
import { findGenericViews } from './generic-views.ts'
import { rawTags, safeHtmlCalls } from './raw.ts'
import { findRenderings, type Rendering } from './renders.ts'
import { type StaticReference, staticUrlCalls } from './static-references.ts'
import { type Tag, TagWalk } from './tags.ts'
import { Values } from './values.ts'

export interface TemplateDataReport {
  /** UWAS_ERR_COMMANDS_TEMPLATE_UNKNOWN and _NAME, in the order of the views. */
  readonly problems: readonly CodedError[]
  /** How many templates were compared with at least one view, those that they link to not counted. */
  readonly compared: number
  /** Where HTML goes into pages as it is. */
  readonly raw: readonly string[]
  /** Static files that the site's modules name. */
  readonly files: readonly StaticReference[]
}

/** What is known of one tag after all renderings. */
interface Finding {
  readonly tag: Tag
  readonly view: Rendering
  readonly near: readonly string[]
}

/** Undefined where there is no TypeScript to ask. `helpers` are names that every template has. */
export function checkTemplateData(
  configFile: string,
  templates: ReadonlyMap<string, Template>,
  helpers: readonly string[],
): TemplateDataReport | undefined {
  const compiler = findCompiler(configFile)
  if (compiler === undefined) return undefined
  const program = createSiteProgram(compiler, configFile)
  const values = new Values(compiler, program.getTypeChecker())
  const renderings = [
    ...findRenderings(compiler, program, values),
    ...findGenericViews(compiler, program),
  ]
  const missing = renderings.filter(({ template }) => !templates.has(template))
  const unknown = new Map<string, Finding>()
  const known = new Set<string>()
  for (const view of renderings) {
    const template = templates.get(view.template)
    if (template === undefined) continue
    const walk = new TagWalk(
      values,
      (name) => templates.get(name),
      new Set(helpers),
      (tag, isKnown, near) => {
        const key = `${tag.template.name}:${tag.at}`
        if (isKnown) known.add(key)
        else if (!unknown.has(key)) unknown.set(key, { tag, view, near: near() })
      },
    )
    walk.walk(template, view.contexts)
  }
  const problems = [
    ...missing.map((view) => missingTemplate(view, templates)),
    ...[...unknown]
      .filter(([key, { tag }]) => tag.kind === 'value' || !known.has(key))
      .map(([, finding]) => missingName(finding)),
  ]
  const raw = [...rawTags(templates), ...safeHtmlCalls(compiler, program)]
  const files = staticUrlCalls(compiler, program)
  return { problems, compared: new Set(renderings.map((one) => one.template)).size, raw, files }
}

function missingName({ tag, view, near }: Finding): CodedError {
  return errorAt('UWAS_ERR_COMMANDS_TEMPLATE_NAME', tag.template, tag.at, {
    name: tag.name,
    view: placeOf(view),
    hint: hintNearest(tag.name.split('.').at(-1) as string, new Set(near)),
  })
}

function missingTemplate(view: Rendering, templates: ReadonlyMap<string, Template>): CodedError {
  return createError('UWAS_ERR_COMMANDS_TEMPLATE_UNKNOWN', {
    view: placeOf(view),
    name: view.template,
    hint: hintNearest(view.template, templates.keys()),
  })
}

function placeOf({ file, line }: Rendering): string {
  return `${showPath(file)}:${line}`
}
