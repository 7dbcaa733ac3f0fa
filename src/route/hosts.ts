/**
 * From the hosts of a URL conf to what finds a route at one of them, once, at start. compile.ts brings the
 * routes and what finds one among those of a host.
 */
import type { Route } from './flatten.ts'
import {
  compareHosts,
  exactHost,
  type HostPattern,
  labelsOf,
  matchHost,
  normalizeHost,
  sameHost,
} from './host-pattern.ts'
import type { RouteMatch } from './route-match.ts'

/** The route that answers a method at a path. */
export type Find = (method: string, path: string) => RouteMatch | undefined

/** The same with the values of the host's parameters. */
export type FindWith = (method: string, path: string, values?: unknown[]) => RouteMatch | undefined

/** What finds a route at a host; `anywhere` is asked last. */
type FindAt = (host: string, anywhere: Find) => Find

interface Site {
  readonly host: HostPattern
  readonly find: FindWith
}

/** Null for a URL conf without hosts. */
export function compileHosts(
  routes: readonly Route[],
  compile: (routes: readonly Route[]) => FindWith,
): FindAt | null {
  const groups: { host: HostPattern; routes: Route[] }[] = []
  for (const route of routes) {
    const { host } = route
    if (host === undefined) continue
    const group = groups.find((one) => sameHost(one.host, host))
    if (group === undefined) groups.push({ host, routes: [route] })
    else group.routes.push(route)
  }
  if (groups.length === 0) return null
  // `sort` keeps the order of declaration among equals.
  const sites = groups
    .map((group): Site => ({ host: group.host, find: compile(group.routes) }))
    .sort((a, b) => compareHosts(a.host, b.host))
  const exact = new Map(sites.map(({ host, find }) => [exactHost(host), find]))
  const patterns = sites.filter(({ host }) => exactHost(host) === undefined)

  return (host, anywhere) => {
    const name = normalizeHost(host)
    if (name === '') return anywhere
    const finds: Find[] = []
    const own = exact.get(name)
    if (own !== undefined) finds.push(own)
    const labels = labelsOf(name)
    for (const site of patterns) {
      const values = matchHost(site.host, labels)
      if (values !== undefined) finds.push((method, path) => site.find(method, path, values))
    }
    return finds.length === 0 ? anywhere : firstOf([...finds, anywhere])
  }
}

function firstOf(finds: readonly Find[]): Find {
  return (method, path) => {
    for (const find of finds) {
      const found = find(method, path)
      if (found !== undefined) return found
    }
    return undefined
  }
}
