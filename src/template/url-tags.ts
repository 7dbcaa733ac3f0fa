/** Holds the `{{#url}}` tags of templates against the site's named routes, at start. */
import { hintNearest } from '../core/nearest.ts'
import type { Node, Template, UrlNode } from './ast.ts'
import { Mistakes } from './errors.ts'
import { errorAt } from './place.ts'

/** Every tag that names no route, or not just its parameters. */
export function checkUrlTags(
  templates: readonly Template[],
  routes: ReadonlyMap<string, readonly string[]>,
): Mistakes {
  const mistakes = new Mistakes()
  for (const template of templates) {
    for (const node of urlsIn(template.nodes)) {
      const problem = problemOf(node, routes)
      if (problem === undefined) continue
      const values = { route: node.route, problem }
      mistakes.add(() => errorAt('UWAS_ERR_TEMPLATE_URL', template, node.at, values))
    }
  }
  return mistakes
}

function problemOf(
  { route, params }: UrlNode,
  routes: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const wanted = routes.get(route)
  if (wanted === undefined) return `there is no such route${hintNearest(route, routes.keys())}`
  const given = params.map(({ key }) => key)
  const missing = wanted.find((key) => !given.includes(key))
  if (missing !== undefined) {
    const example = [route, ...wanted].join(' ')
    return `its parameter "${missing}" is missing; write {{#url}}${example}{{/url}}, or ${missing}=name`
  }
  const extra = given.find((key, i) => !wanted.includes(key) || given.indexOf(key) !== i)
  if (extra === undefined) return undefined
  return wanted.includes(extra)
    ? `"${extra}" stands twice`
    : `"${extra}" is no parameter of it${hintNearest(extra, wanted)}`
}

function* urlsIn(nodes: readonly Node[]): Generator<UrlNode> {
  for (const node of nodes) {
    if (node.kind === 'url') yield node
    else if (node.kind === 'section' || node.kind === 'block') yield* urlsIn(node.nodes)
    else if (node.kind === 'parent') yield* urlsIn(node.blocks)
  }
}
