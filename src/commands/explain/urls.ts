/**
 * What `uwas explain` says of a request that is no file: preflight, route, 405, redirect of a slash,
 * fallback, 404. The order is that of `was/finish.ts` and `was/dispatch.ts`.
 */
import { FILE_METHODS } from '../../files/entry.ts'
import type { HeaderList } from '../../http/headers.ts'
import { HttpError, statusOf } from '../../http/http-error.ts'
import { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import { encodePath } from '../../http/target.ts'
import type { Route } from '../../route/flatten.ts'
import { listRoutes } from '../../route/list.ts'
import type { RouteMatch, UrlMatch } from '../../route/route-match.ts'
import { csrfRuleOf } from '../../was/csrf/guard.ts'
import { HEALTH_METHODS } from '../../was/health/health.ts'
import { OWN_CHECKS } from '../../was/health/options.ts'
import { explainCache } from './cache.ts'
import type { ExplainedSite, RouteFacts, Verdict } from './explanation.ts'
import { explainMissing } from './missing.ts'

interface Found {
  readonly verdict: Verdict
  /** Of the URL conf. */
  readonly finding: string
}

/** Of every error page. */
export const ERROR_FIELDS: HeaderList = [
  ['Cache-Control', 'no-store'],
  ['Vary', 'Accept'],
]

export function explainUrls(site: ExplainedSite, req: Request): Found {
  const preflight = explainPreflight(site, req)
  if (preflight !== undefined) return { verdict: preflight, finding: 'not asked: a preflight' }
  let found: UrlMatch | undefined
  try {
    found = site.urls.match(req.method, req.path, req.client.host)
  } catch (error) {
    const summary = `a converter of the URL conf fails: ${String(error)}`
    return {
      verdict: { by: 'error', status: statusOf(error), summary, own: ERROR_FIELDS },
      finding: 'an error',
    }
  }
  if (found?.route !== undefined) {
    return { verdict: explainRoute(site, found, req), finding: `"${found.route.pattern}"` }
  }
  if (found?.redirect !== undefined) {
    const verdict: Verdict = {
      by: 'slash',
      status: 308,
      own: [['Location', found.redirect + (req.search === '' ? '' : `?${req.search}`)]],
      summary: `only ${found.redirect} is a route: the redirect to it`,
    }
    return { verdict, finding: `"${found.redirect}", the other spelling` }
  }
  const isFile = site.files.lookup(encodePath(req.path)) !== undefined
  const allow = found?.allow ?? (isFile ? [...FILE_METHODS.split(', '), 'OPTIONS'] : undefined)
  if (allow !== undefined) {
    const finding = found === undefined ? 'none' : `answers ${allow.join(', ')} here`
    return { verdict: explainMethods(site, req, found, allow), finding }
  }
  const verdict = explainHealth(site, req) ?? explainFallback(site, req)
  return { verdict, finding: 'no route fits' }
}

const A_SHELL = 'the page of a single-page application ("spa" in "static")'
const A_LISTING = 'the listing of a folder ("listing" in "static")'

/** The name of a function, for people. */
export function nameOf({ name }: { readonly name: string }): string {
  return name === '' ? '(anonymous)' : name
}

function explainPreflight({ rules }: ExplainedSite, req: Request): Verdict | undefined {
  const origin = req.header('origin')
  const asks = req.header('access-control-request-method') !== undefined
  if (req.method !== 'OPTIONS' || origin === undefined || !asks) return undefined
  const fields = rules?.preflight(req.path, origin) ?? null
  if (fields === null) return undefined
  const allows = fields.list.some(([name]) => name === 'Access-Control-Allow-Origin')
  return {
    by: 'preflight',
    status: 204,
    summary: `the CORS policy, which ${allows ? 'lets' : 'does not let'} ${origin} in`,
    headers: fields.list,
  }
}

function explainRoute(
  { config }: ExplainedSite,
  { route, view, params }: RouteMatch,
  req: Request,
): Verdict {
  const facts = factsOf(route, nameOf(view), params)
  if (route.socket === undefined) {
    return {
      by: 'view',
      status: null,
      summary: `the view ${facts.view} of route ${facts.pattern} (${facts.place})`,
      route: facts,
      cache: explainCache(route, req),
      options: route.options,
      csrf: csrfRuleOf(route, config.csrf),
      middleware: route.middleware,
    }
  }
  const { origins } = route.socket.options
  const who = typeof origins === 'string' ? origins : origins.join(' ')
  return {
    by: 'view',
    status: 426,
    summary: `the WebSocket ${facts.pattern} (${facts.place}): what is no handshake gets 426`,
    route: { ...facts, view: '(socket)' },
    middleware: route.middleware,
    hints: [`a handshake is answered with 101 for these origins: ${who}`],
  }
}

function factsOf(route: Route, view: string, params: Record<string, unknown>): RouteFacts {
  const [row] = listRoutes({ routes: [route] })
  const { methods = [], pattern = '', name = '', place = '' } = row ?? {}
  return { pattern, name, place, methods, view, params: { ...params } }
}

function explainMethods(
  site: ExplainedSite,
  req: Request,
  found: UrlMatch | undefined,
  allow: readonly string[],
): Verdict {
  const what = found === undefined ? 'a file is' : placesOf(site, req, allow)
  if (req.method === 'OPTIONS') {
    return {
      by: 'options',
      status: 204,
      own: [['Allow', allow.join(', ')]],
      summary: `the answer to OPTIONS, Allow: ${allow.join(', ')} (${what} at this path)`,
    }
  }
  return {
    by: 'methodNotAllowed',
    status: 405,
    own: [...ERROR_FIELDS, ['Allow', allow.join(', ')]],
    summary: `${what} at this path, which does not answer ${req.method}; Allow: ${allow.join(', ')}`,
  }
}

/** The routes that answer the path by other methods. */
function placesOf({ urls }: ExplainedSite, req: Request, allow: readonly string[]): string {
  const { path, client } = req
  const routes = new Set(
    allow.flatMap((method) => urls.match(method, path, client.host)?.route ?? []),
  )
  const rows = listRoutes({ routes: [...routes] })
  const told = rows.map(({ pattern, place }) => `${pattern} (${place})`).join(', ')
  return `route ${told} is`
}

function explainHealth({ config }: ExplainedSite, req: Request): Verdict | undefined {
  const { health, database, migrations } = config
  const { alivePath, readyPath, timeoutMs, checks } = health ?? {}
  if (req.path !== alivePath && req.path !== readyPath) return undefined
  const own: HeaderList = [
    ['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'],
  ]
  const allow: HeaderList = [['Allow', HEALTH_METHODS]]
  const summary = 'one of the two paths that tell the health of the site ("health")'
  if (req.method === 'OPTIONS') return { by: 'health', status: 204, own: allow, summary }
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    return { by: 'health', status: 405, own: allow, summary }
  }
  if (req.path === alivePath) {
    const alive = 'the site lives: 200 as long as the process answers ("health")'
    return { by: 'health', status: 200, own, summary: alive }
  }
  const names = [
    ...(database === null ? [] : migrations === null ? ['database'] : OWN_CHECKS),
    ...Object.keys(checks ?? {}),
  ]
  const asked =
    names.length === 0
      ? 'without checks'
      : `checks, each at most ${timeoutMs} ms: ${names.join(', ')}`
  const ready = `whether the site is ready ("health"): 200, or 503 also while it stops; ${asked}`
  return { by: 'health', status: null, own, summary: ready }
}

function explainFallback({ files, urls }: ExplainedSite, req: Request): Verdict {
  let shell: string | null = null
  const before = (_req: Request, path: string, next: () => Reply): Reply => {
    shell = path
    return next()
  }
  const what = () => (shell === null ? A_LISTING : A_SHELL)
  try {
    const reply = files.fallBack(req, { before, isOpen: () => true })
    if (reply instanceof Reply) {
      return {
        shell,
        by: reply.status === 204 ? 'options' : 'fallback',
        status: reply.status,
        own: reply.headers ?? [],
        summary: req.method === 'OPTIONS' ? `the methods of ${what()}` : what(),
      }
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    const { status, headers } = error
    // Its conditions, range or codings do not fit.
    if (status !== 405) return { shell, by: 'fallback', status, own: ERROR_FIELDS, summary: what() }
    return {
      shell,
      status,
      by: 'methodNotAllowed',
      own: [...ERROR_FIELDS, ...headers],
      summary: `${what()}, which does not answer ${req.method}`,
    }
  }
  return {
    by: 'notFound',
    status: 404,
    own: ERROR_FIELDS,
    summary: 'nothing: neither a file nor a route has this path',
    hints: explainMissing(urls, files, req),
  }
}
