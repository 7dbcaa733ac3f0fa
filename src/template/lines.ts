/**
 * Lines of a template: where each begins is marked in the tree, so that indentation can be put in
 * (partials, blocks) or taken off (blocks) without looking at the source again. Used by `parse.ts`.
 */
import type { Node } from './ast.ts'

/**
 * Appends `source.slice(from, to)`, with a line mark at the start of each of its lines. With `tail` 1
 * something follows on the last line, which is then marked even when it is still empty.
 */
export function pushText(
  nodes: Node[],
  source: string,
  from: number,
  to: number,
  tail: 0 | 1,
): void {
  let position = from
  while (position < to + tail) {
    if (position === 0 || source[position - 1] === '\n') nodes.push({ kind: 'line' })
    if (position >= to) return
    const newline = source.indexOf('\n', position)
    const next = newline === -1 || newline >= to ? to : newline + 1
    nodes.push({ kind: 'text', text: source.slice(position, next) })
    if (next === to && source[to - 1] !== '\n') return
    position = next
  }
}

/** Takes `indent` off every line that begins with it, those of enclosed sections and tags included. */
export function stripIndent(nodes: readonly Node[], indent: string): void {
  if (indent === '') return
  for (const [i, node] of nodes.entries()) {
    switch (node.kind) {
      case 'line': {
        const next = nodes[i + 1]
        if (next?.kind === 'text') next.text = strip(next.text, indent)
        break
      }
      case 'section':
        stripIndent(node.nodes, indent)
        break
      case 'partial':
      case 'parent':
        if (node.indent !== null) node.indent = strip(node.indent, indent)
        break
      case 'block':
        if (node.indent !== null) node.indent = strip(node.indent, indent)
        else stripIndent(node.nodes, indent)
        break
      case 'text':
      case 'value':
      case 'url':
      case 'cached':
        break
      default:
        node satisfies never
    }
  }
}

function strip(text: string, indent: string): string {
  return text.startsWith(indent) ? text.slice(indent.length) : text
}
