/**
 * An application of the web's own kind, `(request: Request) => Response`, below a prefix of the URL conf:
 * Hono and friends. The request is translated as it is, its body streams; the answer goes the way of every
 * view that returns a `Response`.
 */

import type { Request } from '../http/request.ts'
import { encodePath } from '../http/target.ts'
import type { View } from '../http/view.ts'
import { type IncludeEntry, METHODS, type PathOptions } from '../route/entry.ts'
import { capturePlace } from '../route/place.ts'
import { include, path, urlconf } from '../route/urlconf.ts'

/** What answers below the prefix. */
export type FetchHandler = (request: globalThis.Request) => Response | Promise<Response>

/** What may be said of a mounted application. Its forms have no token of ours: `csrf` is `fetchMetadata` by default. */
export interface MountOptions extends Pick<PathOptions, 'maxBodyBytes' | 'timeoutMs' | 'csrf'> {
  /** Whether the handler sees the prefix in the request's URL. Default false: its routes begin at `/`. */
  readonly keepsPrefix?: boolean
}

const mounted = new WeakSet<View>()

/** True for the view that `mount` has made. */
export function isMounted(view: View): boolean {
  return mounted.has(view)
}

/**
 * All that begins with `prefix` and is no file, every method, answered by `handler`. It sees an absolute URL
 * with scheme and host as the client names them, all fields, a body that streams, and a signal that fires when
 * the client goes away. Middleware of the site runs around it.
 */
export function mount(
  prefix: string,
  handler: FetchHandler,
  options: MountOptions = {},
): IncludeEntry<Record<never, never>> {
  const { keepsPrefix = false, ...limits } = options
  const base = prefix.replace(/\/$/, '')
  const view = (req: Request) => handler(webRequest(req, keepsPrefix ? 0 : base.length))
  mounted.add(view as View)
  const routes = { ...limits, methods: METHODS }
  const conf = urlconf(
    path('/', view as never, routes),
    path('/<path:rest>', view as never, routes),
  )
  const entry = include(prefix as '/', conf as never) as IncludeEntry<Record<never, never>>
  // Messages and `uwas routes` name the line of the site, not of this file.
  const place = capturePlace(mount)
  const entries = entry.conf.entries.map((one) => Object.freeze({ ...one, place }))
  return Object.freeze({ ...entry, place, conf: { ...entry.conf, entries } })
}

/** The request as the web standard has it; `from` is how much of the path is left out at its beginning. */
export function webRequest(req: Request, from = 0): globalThis.Request {
  const { scheme, host } = req.client
  const search = req.search === '' ? '' : `?${req.search}`
  const rest = encodePath(req.path.slice(from) || '/')
  const url = `${scheme}://${host === '' ? 'localhost' : host}${rest}${search}`
  const headers = new Headers()
  for (const [name, value] of req.headers) headers.append(name, value)
  const isRead = req.method === 'GET' || req.method === 'HEAD'
  const hasBody =
    !isRead && (headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0)
  return new globalThis.Request(url, {
    method: req.method,
    headers,
    signal: req.signal,
    ...(hasBody && { body: ReadableStream.from(req.stream()), duplex: 'half' }),
  } as RequestInit)
}
