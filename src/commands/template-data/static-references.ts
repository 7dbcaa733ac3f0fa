/**
 * Finds the static files that a site names: `{{#static}}…{{/static}}` in templates, `staticUrl(req, '…')` in
 * its modules. Leaves each with the error for the case that there is no such file. Called by `uwas check`.
 */
import type ts from 'typescript'
import { type CodedError, createError } from '../../core/errors.ts'
import type { Node, SectionNode, Template } from '../../template/ast.ts'
import { errorAt } from '../../template/place.ts'
import { showPath } from '../site-place.ts'
import type { TypeScript } from './compiler.ts'
import { calledSymbol, callsIn, exportOfUwas, isOfSite } from './renders.ts'

export interface StaticReference {
  /** As `staticUrl` takes it; null where it can never be one, since a tag stands in it. */
  readonly path: string | null
  /** UWAS_ERR_COMMANDS_STATIC, not thrown. */
  readonly error: () => CodedError
}

export function staticTags(templates: ReadonlyMap<string, Template>): StaticReference[] {
  const found: StaticReference[] = []
  for (const template of templates.values()) {
    const visit = (nodes: readonly Node[]): void => {
      for (const node of nodes) {
        if (node.kind === 'section' && node.name.text === 'static') {
          if (!node.inverted) found.push(referenceOf(template, node))
        } else if (node.kind === 'section' || node.kind === 'block') visit(node.nodes)
        else if (node.kind === 'parent') visit(node.blocks)
      }
    }
    visit(template.nodes)
  }
  return found
}

function referenceOf(template: Template, { from, to, at }: SectionNode): StaticReference {
  const text = template.source.slice(from, to)
  const path = text.includes('{{') ? null : text.trim()
  const problem =
    path === null
      ? `a tag stands inside of the section "static", which holds a fixed path; give the template the result of staticUrl(req, path)`
      : missing(path)
  return { path, error: () => errorAt('UWAS_ERR_COMMANDS_STATIC', template, at, { problem }) }
}

/** Calls whose path is written there. */
export function staticUrlCalls(compiler: TypeScript, program: ts.Program): StaticReference[] {
  const symbol = exportOfUwas(compiler, program, 'was/static-url', 'staticUrl')
  if (symbol === undefined) return []
  const checker = program.getTypeChecker()
  return program
    .getSourceFiles()
    .filter((file) => isOfSite(program, file))
    .flatMap((file) => callsIn(compiler, file))
    .filter((call) => calledSymbol(compiler, checker, call) === symbol)
    .flatMap((call) => {
      const path = call.arguments[1]
      if (path === undefined || !compiler.isStringLiteralLike(path)) return []
      const file = call.getSourceFile()
      const { line } = file.getLineAndCharacterOfPosition(call.getStart())
      const place = `${showPath(file.fileName)}:${line + 1}`
      const values = { place, problem: missing(path.text), excerpt: '' }
      return [{ path: path.text, error: () => createError('UWAS_ERR_COMMANDS_STATIC', values) }]
    })
}

function missing(path: string): string {
  return `there is no static file ${JSON.stringify(path)}`
}
