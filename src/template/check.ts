/** Follows partial and parent tags from template to template and reports those that lead nowhere. */
import type { CodedError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import type { Node, ParentNode, PartialNode, Template } from './ast.ts'
import { Mistakes } from './errors.ts'
import type { Library } from './generate.ts'
import { errorAt } from './place.ts'

export interface LinkRules {
  readonly missing: 'empty' | 'error'
  /** The library cannot list its names: dynamic names are refused. */
  readonly isClosed: boolean
}

/** Every broken link in `start` and whatever it reaches. */
export function checkLinks(
  start: readonly Template[],
  library: Library,
  rules: LinkRules,
): Mistakes {
  const mistakes = new Mistakes()
  let isEverySeen = false
  const seen = new Set(start)
  // The set grows while it is walked.
  for (const template of seen) {
    for (const node of links(template.nodes)) {
      const { target, at } = node
      if ('dynamic' in target) {
        if (rules.isClosed) {
          const { text: name } = target.dynamic
          mistakes.add(() => errorAt('UWAS_ERR_TEMPLATE_DYNAMIC', template, at, { name }))
        }
        if (isEverySeen) continue
        isEverySeen = true
        for (const name of library.names()) seen.add(library.find(name) as Template)
        continue
      }
      const found = library.find(target.fixed)
      if (found !== undefined) seen.add(found)
      else if (rules.missing === 'error')
        mistakes.add(() => unknownLink(template, node, target.fixed, library))
    }
  }
  return mistakes
}

function unknownLink(
  template: Template,
  node: PartialNode | ParentNode,
  name: string,
  library: Library,
): CodedError {
  const values = { kind: node.kind, name, hint: hintNearest(name, library.names()) }
  return errorAt('UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL', template, node.at, values)
}

/** Every tag that names a template, `{{#cached}}` as the partial that it is. */
export function* links(nodes: readonly Node[]): Generator<PartialNode | ParentNode> {
  for (const node of nodes) {
    if (node.kind === 'partial' || node.kind === 'parent') yield node
    if (node.kind === 'cached') {
      const target = { fixed: node.template }
      yield { kind: 'partial', target, indent: null, unfit: new Map(), at: node.at }
    }
    if (node.kind === 'parent') yield* links(node.blocks)
    if (node.kind === 'section' || node.kind === 'block') yield* links(node.nodes)
  }
}
