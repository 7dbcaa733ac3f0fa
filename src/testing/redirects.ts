/** What a client asks next when a reply sends it somewhere else, for the test client. */
import type { TestReply, TestRequest } from './test-client.ts'

/** A request as it was sent. */
export interface Sent {
  readonly method: string
  readonly request: TestRequest
}

const CONTENT_FIELDS = /^(?:content-|transfer-encoding$)/i

export function isRedirect({ status, headers }: TestReply): boolean {
  return [301, 302, 303, 307, 308].includes(status) && headers.has('location')
}

/**
 * As browsers do it (Fetch standard, "HTTP-redirect fetch"): 307 and 308 keep method and body; after 303, and after
 * 301 or 302 of a POST, it is a GET without one. The Location of any other reply is asked for with GET.
 */
export function afterRedirect(status: number, { method, request }: Sent): Sent {
  const isKept =
    status === 307 ||
    status === 308 ||
    (status === 303 && method === 'HEAD') ||
    ((status === 301 || status === 302) && method !== 'POST')
  if (isKept) return { method, request }
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => !CONTENT_FIELDS.test(name),
  )
  return { method: 'GET', request: { headers: Object.fromEntries(headers) } }
}

/** The path and query of a reply's Location, which is read from where the reply came. It stays on the site. */
export function placeOf(reply: TestReply, { request }: Sent, site: string): string {
  const location = reply.headers.get('location')
  if (location === null) throw new TypeError(`a ${reply.status} has no Location to follow`)
  const base = new URL(reply.url)
  const host = new Headers(request.headers).get('host')
  if (host !== null) base.host = host
  const { protocol, host: target, pathname, search } = new URL(location, base)
  const isOwn =
    protocol === base.protocol && (target === base.host || target === new URL(site).host)
  if (!isOwn) throw new TypeError(`${location} leaves the site, which is ${site}`)
  return pathname + search
}
