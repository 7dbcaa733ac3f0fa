/** What the matcher hands to the dispatcher. One of the three shapes, or nothing: 404. */
import type { View } from '../http/view.ts'
import type { Route } from './flatten.ts'

/** The route that answers, its view for the method, and the values of its parameters. */
export class RouteMatch {
  readonly route: Route
  readonly view: View
  /** Frozen and shared between requests for a route without parameters. */
  readonly params: Record<string, unknown>
  declare readonly allow?: never
  declare readonly redirect?: never

  constructor(route: Route, view: View, params: Record<string, unknown>) {
    this.route = route
    this.view = view
    this.params = params
  }
}

/** The path is known, the method is not: 405, or the answer to OPTIONS. */
export interface AllowMatch {
  /** For the Allow field; OPTIONS is always there, HEAD with GET. */
  readonly allow: readonly string[]
  readonly route?: never
  readonly redirect?: never
}

/** Only the other spelling, with or without the slash at the end, is known (GET and HEAD only). */
export interface RedirectMatch {
  /** Encoded canonical path, without the query: add the request's own. */
  readonly redirect: string
  readonly route?: never
  readonly allow?: never
}

export type UrlMatch = RouteMatch | AllowMatch | RedirectMatch
