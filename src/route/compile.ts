/**
 * From a URL conf to a matcher, once, at start. Routes without parameters are found by one look-up of
 * the path, all others by the tree. `app.ts` compiles; `was/` matches each request.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import { encodePath } from '../http/target.ts'
import { findProblems } from './check.ts'
import { BUILT_IN_CONVERTERS, type Converter } from './converters.ts'
import { refuseUnknown } from './declaration.ts'
import { METHODS, type Method, type UrlConf } from './entry.ts'
import { flatten, type Route } from './flatten.ts'
import { compileHosts, type Find, type FindWith } from './hosts.ts'
import { RouteMatch, type UrlMatch } from './route-match.ts'
import { matchSegment } from './segment.ts'
import { compileTree, search } from './tree.ts'

/** How a URL conf is compiled. */
export interface CompileOptions {
  /**
   * `redirect`: GET and HEAD of `/posts` where only `/posts/` is a route, or the other way round, give
   * the known spelling to redirect to. `strict`: they are 404. Default `redirect`.
   */
  readonly trailingSlash?: 'redirect' | 'strict'
}

export interface CompiledUrls {
  /** All routes in the order of declaration. */
  readonly routes: readonly Route[]
  /** Whether `match` has to know the host: there is a `host()`. */
  readonly hasHosts: boolean
  /**
   * What answers `method` (as sent) at `path` (decoded and canonical, see http/target.ts): of the routes
   * that match both, the one declared first. `undefined` is 404. Throws what a custom converter throws.
   * `host` as the client names it; of the hosts that fit, the narrowest with such a route answers.
   */
  readonly match: (method: string, path: string, host?: string) => UrlMatch | undefined
}

const BUILT_IN = new Set<Converter<unknown>>(Object.values(BUILT_IN_CONVERTERS))

/**
 * Throws the first error that checkUrls() finds: UWAS_ERR_ROUTE_NAME_DUPLICATE, _DUPLICATE, _UNDER,
 * _PARAMETER_DUPLICATE, _HOST; and UWAS_ERR_CORE_UNKNOWN_OPTION, _INVALID_OPTION.
 */
export function compileUrls(conf: UrlConf, options: CompileOptions = {}): CompiledUrls {
  const redirects = readTrailingSlash(options)
  const routes = flatten(conf)
  const mistake = findProblems(routes).find(({ level }) => level === 'error')
  if (mistake !== undefined) throw mistake.error
  const anywhere = compileFind(routes.filter(({ host }) => host === undefined))
  const hosted = compileHosts(routes, compileFind)
  const used = METHODS.filter((method) => routes.some(({ views }) => views[method] !== undefined))

  function match(method: string, path: string, host = ''): UrlMatch | undefined {
    if (hosted === null) return anywhere(method, path) ?? matchOther(anywhere, method, path)
    const find = hosted(host, anywhere)
    return find(method, path) ?? matchOther(find, method, path)
  }

  /** No route answers this method here: what else is known of the path? */
  function matchOther(find: Find, method: string, path: string): UrlMatch | undefined {
    const answered = used.filter((one) => find(one, path) !== undefined)
    if (answered.length > 0) {
      return { allow: METHODS.filter((one) => one === 'OPTIONS' || answered.includes(one)) }
    }
    if (!redirects || path === '/' || (method !== 'GET' && method !== 'HEAD')) return undefined
    const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
    return find(method, other) && { redirect: encodePath(other) }
  }

  return Object.freeze({ routes: Object.freeze(routes), hasHosts: hosted !== null, match })
}

/** Of the routes of one host: those without parameters by one look-up, the others by the tree. */
function compileFind(routes: readonly Route[]): FindWith {
  const tree = compileTree(routes)
  const staticRoutes = new Map(METHODS.map((method) => [method, collectStatic(routes, method)]))
  const staticGets = staticRoutes.get('GET')
  return (method, path, values) => {
    const known = method === 'GET' ? staticGets : staticRoutes.get(method as Method)
    return known?.get(path) ?? search(tree, method, path, values)
  }
}

function readTrailingSlash(options: CompileOptions): boolean {
  const { trailingSlash = 'redirect' } = options
  refuseUnknown('compileUrls()', options, ['trailingSlash'])
  if (trailingSlash !== 'redirect' && trailingSlash !== 'strict') {
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
      where: 'compileUrls()',
      problem: `trailingSlash is "${trailingSlash}"${hintNearest(trailingSlash, ['redirect', 'strict'])}`,
    })
  }
  return trailingSlash === 'redirect'
}

/**
 * Path → match of the routes without parameters. One that an earlier route with parameters may take
 * first is left to the tree.
 */
function collectStatic(routes: readonly Route[], method: Method): ReadonlyMap<string, RouteMatch> {
  const byPath = new Map<string, RouteMatch>()
  const dynamic: Route[] = []
  for (const route of routes) {
    const view = route.views[method]
    if (view === undefined) continue
    if (route.parameters.length > 0) {
      dynamic.push(route)
      continue
    }
    const texts = route.segments.map((segment) => (segment.kind === 'literal' ? segment.text : ''))
    const path = `/${texts.join('/')}`
    if (byPath.has(path) || dynamic.some((earlier) => mayMatch(earlier, texts))) continue
    byPath.set(path, Object.freeze(new RouteMatch(route, view, Object.freeze({}))))
  }
  return byPath
}

/** Built-in converters are asked; a custom one may always match: its answer now is not its answer later. */
function mayMatch({ segments }: Route, texts: readonly string[]): boolean {
  const last = segments.at(-1)
  if (last?.kind !== 'rest' && segments.length !== texts.length) return false
  return segments.every((segment, i) => {
    const text = texts[i]
    if (text === undefined) return false
    if (segment.kind === 'literal') return segment.text === text
    if (segment.kind === 'rest') return true
    const builtIn = segment.parameters.every(({ converter }) => BUILT_IN.has(converter))
    return builtIn ? matchSegment(segment, text, []) : text !== ''
  })
}
