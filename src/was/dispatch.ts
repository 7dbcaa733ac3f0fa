/**
 * From a request to its reply: middleware around the view that the URL conf names, errors turned into
 * pages. What leaves here is always a `Reply`; nothing is thrown or rejected.
 */
import { createError } from '../core/errors.ts'
import type { Step } from '../core/trace.ts'
import { HttpError, notFound } from '../http/http-error.ts'
import { empty, Reply, redirect } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { Middleware, View } from '../http/view.ts'
import type { CompiledUrls } from '../route/compile.ts'
import type { Route } from '../route/flatten.ts'
import type { UrlMatch } from '../route/route-match.ts'
import { withContext } from './context.ts'
import type { ErrorPages } from './error-pages.ts'
import type { HealthReplies } from './health/health.ts'
import { inTransaction } from './in-transaction.ts'
import type { LoadShedder } from './limits/load-shedder.ts'
import { replyOf } from './reply-of.ts'
import { ViewDeadlines } from './view-deadlines.ts'

export type Handler = (req: Request) => Reply | Promise<Reply>

export interface DispatchOptions {
  readonly urls: CompiledUrls
  /** Outermost first. They run around every reply of the dispatcher, 404 and 405 included. */
  readonly middleware: readonly Middleware[]
  readonly errorPages: ErrorPages
  /** What the 413 page says. */
  readonly maxBodyBytes: number
  /** Longest time until a view returns its reply, where its route says nothing; 0: none. */
  readonly viewTimeoutMs: number
  /** Whether `currentRequest()` works. Default false: it costs every promise a little. */
  readonly hasContext?: boolean
  /** What stands before a view of a route, outside of the route's own middleware; null: nothing. Default nothing. */
  readonly guardOf?: (route: Route, view: View) => Middleware | null
  /** Methods of a file of this path, when the catalogue has one: what 405 says of a POST to a file. */
  readonly fileMethods: (path: string) => string | undefined
  /** Around what a cached route does to answer a GET. Default: nothing is cached. */
  readonly pages?: (route: Route, inner: Handler) => Handler
  /** What answers there first, outside of all middleware. Default nothing. */
  readonly health?: HealthReplies
  /** Refuses views, and handshakes of WebSockets, while there is too much to do; null: nobody does. Default null. */
  readonly shedder?: Pick<LoadShedder, 'around'> | null
  /** What answers where no route and no file does: listings, single-page applications. Default nothing. */
  readonly fallback?: (req: Request) => Reply | Promise<Reply> | undefined
}

/** What stands around a view. */
export interface ComposeOptions {
  /** Longest time until its reply, in milliseconds; 0: none. Default: the site's. */
  readonly limitMs?: number | undefined
  /** Inside of the site's own, outermost first. Default none. */
  readonly middleware?: readonly Middleware[]
  /** Whether it is refused while there is too much to do. Default true. */
  readonly isShed?: boolean | undefined
}

export interface Dispatcher {
  readonly dispatch: Handler
  readonly notFound: Handler
  /** For a body that is too long by its own word. */
  readonly tooLarge: Handler
  /** Middleware, error pages and timings around a view that is found elsewhere. */
  readonly compose: (view: View, pattern: string, options?: ComposeOptions) => Handler
  /** Longest body for a route, in bytes; `host` as `req.client` has it. */
  readonly bodyLimit: (method: string, path: string, host: () => string) => number
}

/** Composes everything once; a request then costs its match and its calls. */
export function createDispatcher(options: DispatchOptions): Dispatcher {
  const { urls, errorPages, fileMethods } = options
  const bodyLimit = limitOf(urls, options.maxBodyBytes)
  const wrap = (inner: Handler): Handler =>
    timed('middleware', around(options.middleware, inner, errorPages))
  const compose = composing(options, wrap)
  const handlers = new Map(urls.routes.map((route) => [route, composeRoute(route)]))
  const missing = wrap((req) => errorPages(req, notFound()))
  const fallen = wrap(
    guard(
      (req) => options.fallback?.(req) ?? errorPages(req, notFound()),
      'a fallback',
      errorPages,
    ),
  )
  const notAllowed = wrap((req) => errorPages(req, methodNotAllowed(allowedFor(req) ?? '')))
  const options204 = wrap((req) => empty({ headers: { Allow: allowedFor(req) ?? '' } }))
  const tooLarge = wrap((req) => {
    const limit = bodyLimit(req.method, req.path, () => req.client.host)
    return errorPages(req, createError('UWAS_ERR_HTTP_BODY_TOO_LARGE', { limit }))
  })
  const slashed = wrap((req) => toSlash(req, findRoute(urls, req)?.redirect ?? '/'))

  function allowedFor(req: Request): string | undefined {
    const found = findRoute(urls, req)
    return found?.allow?.join(', ') ?? fileMethods(req.path)
  }

  /** Methods that share a view (HEAD and GET) share its handler. */
  function composeRoute(route: Route): ReadonlyMap<View, Handler> {
    const { pattern, views, options: own, middleware } = route
    const composed = [...new Set(Object.values(views))].map((view) => {
      const before = options.guardOf?.(route, view) ?? null
      const handler = compose(inTransaction(view, own.atomic), pattern, {
        limitMs: own.timeoutMs,
        middleware: before === null ? middleware : [before, ...middleware],
        isShed: own.shed,
      })
      return [view, view === views.GET ? cached(options, route, handler) : handler] as const
    })
    return new Map(composed)
  }

  function dispatch(req: Request): Reply | Promise<Reply> {
    const from = req.trace === null ? 0 : performance.now()
    const found = findRoute(urls, req)
    req.trace?.add('route', from, found?.route?.pattern ?? '')
    if (found?.route !== undefined) {
      req.params = found.params
      req.route = found.route.pattern
      const handler = handlers.get(found.route)?.get(found.view) ?? missing
      return handler(req)
    }
    if (found?.redirect !== undefined) return slashed(req)
    if (found === undefined && fileMethods(req.path) === undefined) {
      return options.health?.(req) ?? fallen(req)
    }
    return req.method === 'OPTIONS' ? options204(req) : notAllowed(req)
  }

  const guarded = catching(dispatch, (req, error) => wrap(() => errorPages(req, error))(req))
  return {
    dispatch: options.hasContext ? withContext(guarded) : guarded,
    notFound: missing,
    tooLarge,
    compose,
    bodyLimit,
  }
}

function composing(
  { errorPages, viewTimeoutMs, shedder = null }: DispatchOptions,
  wrap: (inner: Handler) => Handler,
): Dispatcher['compose'] {
  const deadlines = new ViewDeadlines(errorPages)
  return (view, pattern, { limitMs = viewTimeoutMs, middleware = [], isShed = true } = {}) => {
    const inner = timed('view', guard(view, pattern, errorPages), pattern)
    const whole = deadlines.around(wrap(around(middleware, inner, errorPages)), limitMs)
    // Outside of middleware, which may ask the database; inside of the page cache, whose pages cost nothing.
    return isShed && shedder !== null ? shedder.around(whole, errorPages) : whole
  }
}

/** Sites without hosts do not ask for one. */
function findRoute(urls: CompiledUrls, req: Request): UrlMatch | undefined {
  const { method, path } = req
  return urls.hasHosts ? urls.match(method, path, req.client.host) : urls.match(method, path)
}

/** A cached view runs for a request of its own, which is the current one then. */
function cached({ pages, hasContext }: DispatchOptions, route: Route, handler: Handler): Handler {
  if (route.options.cached === undefined || pages === undefined) return handler
  return pages(route, hasContext ? withContext(handler) : handler)
}

/** What converters throw, and conditions of cached pages; views and middleware are guarded by themselves. */
function catching(
  inner: Handler,
  failed: (req: Request, error: unknown) => Reply | Promise<Reply>,
): Handler {
  return (req) => {
    try {
      const reply = inner(req)
      return reply instanceof Promise ? reply.catch((error) => failed(req, error)) : reply
    } catch (error) {
      return failed(req, error)
    }
  }
}

/** Sites without routes of their own limit are not asked about the path. */
function limitOf(urls: CompiledUrls, usual: number): Dispatcher['bodyLimit'] {
  if (urls.routes.every(({ options }) => options.maxBodyBytes === undefined)) return () => usual
  return (method, path, host) => {
    try {
      return (
        urls.match(method, path, urls.hasHosts ? host() : '')?.route?.options.maxBodyBytes ?? usual
      )
    } catch {
      // A converter of the site; its error becomes a page where the view is looked for.
      return usual
    }
  }
}

/** 405 with the methods that the path has (RFC 9110 section 15.5.6). */
function methodNotAllowed(allow: string): HttpError {
  return new HttpError(405, undefined, { headers: [['Allow', allow]] })
}

/** The same path with its slash set right, the query kept; never `//host`, since the path is canonical. */
function toSlash(req: Request, path: string): Reply {
  return redirect(path + (req.search === '' ? '' : `?${req.search}`), { status: 308 })
}

/** `middleware` around `inner`, outermost first. What one of them throws becomes a page there. */
function around(
  middleware: readonly Middleware[],
  inner: Handler,
  errorPages: ErrorPages,
): Handler {
  return middleware.reduceRight<Handler>(
    (next, run) => guard((req) => run(req, () => next(req)), 'a middleware', errorPages),
    inner,
  )
}

/** Makes a handler of a view: its result is a `Reply`, its errors are pages. Stays synchronous when the view is. */
function guard(view: View, route: string, errorPages: ErrorPages): Handler {
  return (req) => {
    try {
      const result = view(req)
      if (result instanceof Reply) return result
      if (!isThenable(result)) return replyOf(result, route)
      return Promise.resolve(result)
        .then((value) => replyOf(value, route))
        .catch((error) => errorPages(req, error))
    } catch (error) {
      return errorPages(req, error)
    }
  }
}

/** Adds a span, with everything inside of it, to requests that carry a trace. */
function timed(step: Step, handler: Handler, detail = ''): Handler {
  return (req) => {
    const { trace } = req
    if (trace === null) return handler(req)
    const from = performance.now()
    const result = handler(req)
    if (result instanceof Reply) {
      trace.add(step, from, detail)
      return result
    }
    return result.finally(() => trace.add(step, from, detail))
  }
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return value !== null && typeof value === 'object' && 'then' in value
}
