/** Where a site puts HTML into its pages as it is: what a reader of its safety has to look at. */
import type ts from 'typescript'
import type { Node, Template } from '../../template/ast.ts'
import { isHtml } from '../../template/contexts.ts'
import { placeOf } from '../../template/place.ts'
import { showPath } from '../site-place.ts'
import type { TypeScript } from './compiler.ts'
import { calledSymbol, callsIn, exportOfUwas, isOfSite } from './renders.ts'

/** `{{{x}}}` and `{{&x}}`, by template: `posts/post.mustache:3:5: {{{body}}}`. */
export function rawTags(templates: ReadonlyMap<string, Template>): string[] {
  const found: string[] = []
  for (const template of templates.values()) {
    if (!isHtml(template)) continue
    const visit = (nodes: readonly Node[]): void => {
      for (const node of nodes) {
        if (node.kind === 'value' && node.raw)
          found.push(placeOfTag(template, node.at, node.name.text))
        if (node.kind === 'section' || node.kind === 'block') visit(node.nodes)
        if (node.kind === 'parent') visit(node.blocks)
      }
    }
    visit(template.nodes)
  }
  return found
}

function placeOfTag(template: Template, at: number, name: string): string {
  const { line, column } = placeOf(template, at)
  return `${showPath(template.file)}:${line}:${column}: {{{${name}}}}`
}

/** Calls of `safeHtml` in the site's modules. */
export function safeHtmlCalls(compiler: TypeScript, program: ts.Program): string[] {
  const symbol = exportOfUwas(compiler, program, 'template/safe-html', 'safeHtml')
  if (symbol === undefined) return []
  const checker = program.getTypeChecker()
  return program
    .getSourceFiles()
    .filter((file) => isOfSite(program, file))
    .flatMap((file) =>
      callsIn(compiler, file)
        .filter((call) => calledSymbol(compiler, checker, call) === symbol)
        .map((call) => {
          const { line } = file.getLineAndCharacterOfPosition(call.getStart())
          return `${showPath(file.fileName)}:${line + 1}: safeHtml()`
        }),
    )
}
