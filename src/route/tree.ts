/**
 * All routes in one tree of segments. A search visits only branches that match the path and leaves out
 * those whose routes were all declared later than one already found, so the first declared wins.
 * Built by compile.ts.
 */
import type { Method } from './entry.ts'
import type { Route } from './flatten.ts'
import { type DynamicSegment, type RestSegment, sameSegment } from './pattern.ts'
import { RouteMatch } from './route-match.ts'
import { matchSegment } from './segment.ts'

interface Node {
  /** Lowest rank of the routes in and below this node. */
  lowest: number
  readonly literals: Map<string, Node>
  readonly dynamics: { readonly segment: DynamicSegment; readonly node: Node }[]
  readonly rests: { readonly segment: RestSegment; readonly routes: Route[] }[]
  /** Routes that end here, by rank. */
  readonly routes: Route[]
}

export interface RouteTree {
  readonly root: Node
}

interface Search {
  readonly path: string
  readonly method: string
  /** Values of the parameters on the way to the current node. */
  readonly values: unknown[]
  found: RouteMatch | undefined
}

/** `routes` in the order of rank. */
export function compileTree(routes: readonly Route[]): RouteTree {
  const root = createNode()
  for (const route of routes) insert(root, route)
  return { root }
}

/**
 * The first declared route that matches the path and answers the method. `values` are those of the host's
 * parameters, and are left as they are. Throws what a converter throws.
 */
export function search(
  tree: RouteTree,
  method: string,
  path: string,
  values: unknown[] = [],
): RouteMatch | undefined {
  const state: Search = { path, method, values, found: undefined }
  descend(tree.root, 1, state)
  return state.found
}

function createNode(): Node {
  return {
    lowest: Number.POSITIVE_INFINITY,
    literals: new Map(),
    dynamics: [],
    rests: [],
    routes: [],
  }
}

function insert(root: Node, route: Route): void {
  let node = root
  node.lowest = Math.min(node.lowest, route.index)
  for (const segment of route.segments) {
    if (segment.kind === 'rest') {
      const known = node.rests.find((rest) => sameSegment(rest.segment, segment))
      if (known === undefined) node.rests.push({ segment, routes: [route] })
      else known.routes.push(route)
      return
    }
    node =
      segment.kind === 'literal' ? literalChild(node, segment.text) : dynamicChild(node, segment)
    node.lowest = Math.min(node.lowest, route.index)
  }
  node.routes.push(route)
}

function literalChild({ literals }: Node, text: string): Node {
  const known = literals.get(text)
  if (known !== undefined) return known
  const node = createNode()
  literals.set(text, node)
  return node
}

function dynamicChild({ dynamics }: Node, segment: DynamicSegment): Node {
  const known = dynamics.find((dynamic) => sameSegment(dynamic.segment, segment))
  if (known !== undefined) return known.node
  const node = createNode()
  dynamics.push({ segment, node })
  return node
}

/** `at` is where the next segment begins; past the end of the path when there is none. */
function descend(node: Node, at: number, state: Search): void {
  const { path, values } = state
  if (at > path.length) {
    accept(node.routes, state)
    return
  }
  const slash = path.indexOf('/', at)
  const end = slash < 0 ? path.length : slash
  const text = path.slice(at, end)
  const literal = node.literals.get(text)
  if (literal !== undefined && isOpen(literal.lowest, state)) descend(literal, end + 1, state)
  if (text === '') return
  const depth = values.length
  for (const { segment, node: child } of node.dynamics) {
    if (!isOpen(child.lowest, state)) continue
    if (matchSegment(segment, text, values)) descend(child, end + 1, state)
    values.length = depth
  }
  for (const { segment, routes } of node.rests) {
    if (!isOpen((routes[0] as Route).index, state)) continue
    const value = segment.parameter.converter.parse(path.slice(at))
    if (value === undefined) continue
    values.push(value)
    accept(routes, state)
    values.length = depth
  }
}

/** Whether a route of this rank would still win. */
function isOpen(rank: number, { found }: Search): boolean {
  return found === undefined || rank < found.route.index
}

function accept(routes: readonly Route[], state: Search): void {
  for (const route of routes) {
    if (!isOpen(route.index, state)) return
    const view = route.views[state.method as Method]
    if (view === undefined) continue
    const params: Record<string, unknown> = {}
    for (let i = 0; i < route.parameters.length; i++) {
      params[(route.parameters[i] as { name: string }).name] = state.values[i]
    }
    state.found = new RouteMatch(route, view, params)
    return
  }
}
