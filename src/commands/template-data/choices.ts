/**
 * Which templates a dynamic name (`{{>*part}}`) cannot choose where it stands: a page on which a value names one of
 * them is an error, so whoever writes the data has to know. Used by `uwas check`.
 */
import type { Node, ParentNode, PartialNode, Template } from '../../template/ast.ts'
import { placeOf } from '../../template/place.ts'
import { showPath } from '../site-place.ts'

/** Names that are shown of one tag. */
const MAX_SHOWN = 10

/** `posts/list.mustache:3:5: {{>*part}} cannot choose mail.txt, which …`; `templates` are linked. */
export function refusedChoices(templates: Iterable<Template>): string[] {
  const found: string[] = []
  for (const template of templates) {
    const visit = (nodes: readonly Node[]): void => {
      for (const node of nodes) {
        if (node.kind === 'partial' || node.kind === 'parent') {
          if (node.unfit.size > 0) found.push(refusedBy(node, template))
        }
        if (node.kind === 'section' || node.kind === 'block') visit(node.nodes)
        if (node.kind === 'parent') visit(node.blocks)
      }
    }
    visit(template.nodes)
  }
  return found
}

function refusedBy(node: PartialNode | ParentNode, template: Template): string {
  const { line, column } = placeOf(template, node.at)
  const name = 'dynamic' in node.target ? node.target.dynamic.text : node.target.fixed
  const tag = `{{${node.kind === 'partial' ? '>' : '<'}*${name}}}`
  const all = [...node.unfit].sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = all.slice(0, MAX_SHOWN).map(([name, problem]) => `${name}, which ${problem}`)
  const more = all.length > MAX_SHOWN ? [`and ${all.length - MAX_SHOWN} more`] : []
  const place = `${showPath(template.file)}:${line}:${column}`
  return `${place}: ${tag} cannot choose ${[...shown, ...more].join('; ')}`
}
