/** How much code nodes become, so that no function of a compiled template grows without bound. */
import type { Node } from './ast.ts'

const SIZES = new WeakMap<readonly Node[], number>()

/** Nodes, those inside of them counted; partials count as one. */
export function sizeOf(nodes: readonly Node[]): number {
  const known = SIZES.get(nodes)
  if (known !== undefined) return known
  let size = 0
  for (const node of nodes) size += sizeOfNode(node)
  SIZES.set(nodes, size)
  return size
}

export function sizeOfNode(node: Node): number {
  return node.kind === 'section' || node.kind === 'block' ? 1 + sizeOf(node.nodes) : 1
}
