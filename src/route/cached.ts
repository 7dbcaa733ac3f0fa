/** What the option `cached` of a route may hold: checked once, at start. `pages/` keeps what it says. */
import { createError } from '../core/errors.ts'
import { isToken } from '../http/headers.ts'
import { refuseUnknown } from './declaration.ts'
import type { Method, Views } from './entry.ts'

/** What a page depends on besides its host and path. A cached view sees of its request only what is named here. */
export interface CachedVary {
  /** Parameters of the query, in any order. Default none. */
  readonly query?: readonly string[]
  /** Fields of the request. Each value has pages of its own, so name few. Default none. */
  readonly headers?: readonly string[]
  /** The site's languages, the first one for who takes none: the view sees the chosen one as Accept-Language. */
  readonly languages?: readonly string[]
  /** Cookies that choose between pages and name nobody: a theme, a language. Default none. */
  readonly cookies?: readonly string[]
}

/**
 * Keeps the pages of a GET view and sends them as static files are sent, without asking anything of the site.
 * Kept is a 200 with its whole body that belongs to nobody: a view, or middleware around it, that looks at a
 * cookie, a session, a user, the client's address or a field that is not named here, or sets a cookie, makes
 * a page that is not kept, and the log says why. Requests with Authorization always go to the view.
 */
export interface CachedOptions {
  /** Seconds for which a page is sent without being made anew. */
  readonly seconds: number
  /** What its pages are made of; views add to it with `req.dependsOn`. `cache(req).invalidate(tag)` ends them. */
  readonly tags?: readonly string[]
  readonly vary?: CachedVary
  /**
   * Parameters that `vary.query` does not name: `bypass`: their requests go to the view; `ignore`: for this view
   * they do not exist. Default `bypass`.
   */
  readonly otherQuery?: 'bypass' | 'ignore'
  /**
   * Requests with one of these cookies, or the same with `__Host-` or `__Secure-` in front, go to the view: the
   * name of the session's, for pages of those who have none.
   */
  readonly bypassCookies?: readonly string[]
  /** Seconds after `seconds` in which the old page is sent while one request makes the next. Default 0. */
  readonly staleSeconds?: number
  /** Seconds after `seconds` in which it is sent where the view fails (5xx). Default 0. */
  readonly graceSeconds?: number
}

const OPTIONS = [
  'seconds',
  'tags',
  'vary',
  'otherQuery',
  'bypassCookies',
  'staleSeconds',
  'graceSeconds',
]
const VARY = ['query', 'headers', 'languages', 'cookies']
const TIMES = ['seconds', 'staleSeconds', 'graceSeconds'] as const
/** Fields that the server answers by itself, or that belong to one client. */
const NOT_VARIED = /^(?:cookie|authorization|host|accept-encoding|range|if-.*)$/i

/** Throws UWAS_ERR_CORE_INVALID_OPTION, _UNKNOWN_OPTION. */
export function checkCached(
  where: string,
  cached: CachedOptions | undefined,
  methods: readonly Method[],
  views: Views,
): void {
  if (cached === undefined) return
  const refuse = (problem: string) =>
    createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem: `cached: ${problem}` })
  if (cached === null || typeof cached !== 'object') throw refuse('it has to be { seconds, … }')
  refuseUnknown(`${where}, cached`, cached, OPTIONS)
  refuseUnknown(`${where}, cached.vary`, cached.vary ?? {}, VARY)
  if (!methods.includes('GET')) throw refuse('pages of GET are kept, which the route has not')
  if (views.HEAD !== views.GET) throw refuse('HEAD is answered from the page; drop its own view')
  for (const name of TIMES) {
    const value = cached[name] ?? (name === 'seconds' ? Number.NaN : 0)
    if (Number.isFinite(value) && value >= 0) continue
    throw refuse(`${name} is ${String(cached[name])}; it has to be a number from 0 on`)
  }
  if (!['bypass', 'ignore', undefined].includes(cached.otherQuery)) {
    throw refuse(`otherQuery is ${String(cached.otherQuery)}; it is "bypass" or "ignore"`)
  }
  checkLists(cached, refuse)
}

function checkLists(cached: CachedOptions, refuse: (problem: string) => Error): void {
  const { tags, bypassCookies, vary = {} } = cached
  const lists = { tags, bypassCookies, ...vary }
  for (const [name, list] of Object.entries(lists)) {
    const isList = Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== '')
    if (list !== undefined && !isList) throw refuse(`${name} has to be a list of names`)
  }
  for (const name of vary.headers ?? []) {
    if (!isToken(name)) throw refuse(`"${name}" is no name of a field`)
    if (!NOT_VARIED.test(name)) continue
    throw refuse(`pages do not vary with the field ${name}: the server sees to it by itself`)
  }
}
