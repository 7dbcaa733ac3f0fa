/** The routes as a table, for `uwas routes`. */

import type { CompiledUrls } from './compile.ts'
import { METHODS } from './entry.ts'
import { formatPlace } from './place.ts'

export interface RouteRow {
  /** What it answers: HEAD with GET; OPTIONS only where a view of its own answers it; `WS` of `socket()`. */
  readonly methods: readonly string[]
  readonly pattern: string
  /** With namespaces; empty for a route without a name. */
  readonly name: string
  /** `urls.ts:12`, relative to the current folder. */
  readonly place: string
}

/** One row a route, in the order of declaration: the first that matches answers. */
export function listRoutes({ routes }: Pick<CompiledUrls, 'routes'>): RouteRow[] {
  return routes.map(({ views, pattern, name = '', place, socket }) => ({
    methods:
      socket !== undefined ? ['WS'] : METHODS.filter((method) => views[method] !== undefined),
    pattern,
    name,
    place: formatPlace(place),
  }))
}
