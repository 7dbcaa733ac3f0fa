/**
 * Blocks that a template puts into a parent which has no place for them: the specification shows them nowhere, and whoever
 * wrote them looks at an empty page. Called by `templates.ts` for a site, whose parents are all known.
 */
import { hintNearest } from '../core/nearest.ts'
import type { Node, Template } from './ast.ts'
import { links } from './check.ts'
import { Mistakes } from './errors.ts'
import type { Library } from './generate.ts'
import { errorAt } from './place.ts'

/** Names of blocks; null where any name may be meant, since a value names a template. */
type Names = Set<string> | null

export function checkBlocks(templates: readonly Template[], library: Library): Mistakes {
  const mistakes = new Mistakes()
  const known = new Map<Template, Names>()
  for (const template of templates) {
    for (const node of links(template.nodes)) {
      if (node.kind !== 'parent' || !('fixed' in node.target)) continue
      const parent = library.find(node.target.fixed)
      if (parent === undefined) continue
      const names = known.has(parent) ? (known.get(parent) as Names) : blocksOf(parent, library)
      known.set(parent, names)
      if (names === null) continue
      for (const { name, at } of node.blocks) {
        if (names.has(name)) continue
        const values = { parent: parent.name, name, hint: hintNearest(name, names) }
        mistakes.add(() => errorAt('UWAS_ERR_TEMPLATE_UNKNOWN_BLOCK', template, at, values))
      }
    }
  }
  return mistakes
}

/** All blocks that a template shows: its own, and those of its parents and partials. */
function blocksOf(template: Template, library: Library): Names {
  const names = new Set<string>()
  const seen = new Set([template])
  // The set grows while it is walked.
  for (const { nodes } of seen) {
    for (const name of blocksIn(nodes)) names.add(name)
    for (const { target } of links(nodes)) {
      const found = 'fixed' in target ? library.find(target.fixed) : undefined
      if (found === undefined) return null
      seen.add(found)
    }
  }
  return names
}

/** What a parent tag replaces is a place of its own only where the parent has it. */
function* blocksIn(nodes: readonly Node[]): Generator<string> {
  for (const node of nodes) {
    if (node.kind === 'block') yield node.name
    if (node.kind === 'section' || node.kind === 'block') yield* blocksIn(node.nodes)
    if (node.kind === 'parent') for (const block of node.blocks) yield* blocksIn(block.nodes)
  }
}
