/**
 * Replies that are made only when the client does not have them yet, and what caches are told about replies.
 * Called by views, before the work that a 304 saves.
 */

import { evaluatePreconditions } from '../http/conditional.ts'
import { formatHttpDate } from '../http/date.ts'
import { weakEtag } from '../http/etag.ts'
import { withVary } from '../http/headers.ts'
import { HttpError } from '../http/http-error.ts'
import { empty, type Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'

/** What the present state of a page is known by: at least one of both. */
export interface StateOf {
  /**
   * Anything that changes when the page does: a version, a time, several joined. Sent as a weak tag, since
   * the same state may be written in other bytes (compressed, another date format).
   */
  readonly version?: string | number | bigint | undefined
  readonly lastModified?: Date | undefined
}

/**
 * The reply of `make`, with its validators; or, without calling it, 304 for a client that has this state
 * already, 412 for one that meant another (RFC 9110 section 13.2.2). With a version from one indexed row a
 * page that has not changed costs that row. `Cache-Control: private, no-cache` where the reply says nothing.
 */
export function condition(
  req: Request,
  state: StateOf,
  make: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const etag = state.version === undefined ? '' : tagOf(String(state.version))
  const time = state.lastModified?.getTime() ?? Number.NaN
  const lastModifiedMs = Math.floor(Math.min(time, Date.now()) / 1000) * 1000
  const field = (name: string) => req.header(name) ?? ''
  const verdict = evaluatePreconditions(
    {
      ifMatch: field('if-match'),
      ifUnmodifiedSince: field('if-unmodified-since'),
      ifNoneMatch: field('if-none-match'),
      ifModifiedSince: field('if-modified-since'),
    },
    { etag, lastModifiedMs },
    req.method === 'GET' || req.method === 'HEAD',
  )
  const mark = (reply: Reply) => withValidators(reply, etag, lastModifiedMs)
  if (verdict === 'notModified') return mark(empty({ status: 304 }))
  if (verdict === 'failed') throw new HttpError(412)
  const made = make()
  return made instanceof Promise ? made.then(mark) : mark(made)
}

/** Characters that a tag cannot hold are written as their code (RFC 9110 section 8.8.3). */
function tagOf(version: string): string {
  const opaque = version.replace(
    /[^\x21\x23-\x7e]/gu,
    (char) => `~${char.codePointAt(0)?.toString(16)}~`,
  )
  return weakEtag(opaque)
}

function withValidators(reply: Reply, etag: string, lastModifiedMs: number): Reply {
  if (reply.status !== 200 && reply.status !== 304) return reply
  if (etag !== '' && !has(reply, 'etag')) reply.append('ETag', etag)
  if (!Number.isNaN(lastModifiedMs) && !has(reply, 'last-modified')) {
    reply.append('Last-Modified', formatHttpDate(lastModifiedMs))
  }
  if (!has(reply, 'cache-control')) reply.append('Cache-Control', 'private, no-cache')
  return reply
}

/** What caches may do with a reply (RFC 9111 section 5.2.2; RFC 5861; RFC 8246). */
export interface CachePolicy {
  /** `public`: shared caches may keep it. `private`: the client's own only. `no-store`: nobody. */
  readonly scope: 'public' | 'private' | 'no-store'
  /** Seconds for which it is used without asking; 0, the default, asks each time (`no-cache`). */
  readonly maxAgeSeconds?: number
  /** The same for shared caches. */
  readonly sharedMaxAgeSeconds?: number
  /** Seconds after that in which it is used while it is asked for anew. */
  readonly staleWhileRevalidateSeconds?: number
  /** It never changes at its URL. */
  readonly immutable?: boolean
}

/** Sets Cache-Control in place of any; gives the reply back. */
export function cacheControl(reply: Reply, policy: CachePolicy): Reply {
  const { scope, maxAgeSeconds = 0, sharedMaxAgeSeconds, immutable = false } = policy
  if (scope === 'no-store') return reply.header('Cache-Control', 'no-store')
  const stale = policy.staleWhileRevalidateSeconds
  const parts: string[] = [
    scope,
    maxAgeSeconds === 0 ? 'no-cache' : `max-age=${whole(maxAgeSeconds)}`,
    ...(sharedMaxAgeSeconds === undefined ? [] : [`s-maxage=${whole(sharedMaxAgeSeconds)}`]),
    ...(stale === undefined ? [] : [`stale-while-revalidate=${whole(stale)}`]),
    ...(immutable ? ['immutable'] : []),
  ]
  return reply.header('Cache-Control', parts.join(', '))
}

/** Adds fields of the request to the reply's Vary; gives the reply back. */
export function vary(reply: Reply, ...fields: string[]): Reply {
  for (const field of fields) reply.headers = withVary(reply.headers ?? [], field)
  return reply
}

/**
 * For `finish.ts`: a reply whose view has looked at cookies is one for this client. It varies with them, and is
 * private unless the view says what caches may do.
 */
export function markPersonal(req: Request, reply: Reply): Reply {
  if (!req.hasReadCookies) return reply
  if (!has(reply, 'cache-control')) reply.append('Cache-Control', 'private')
  return vary(reply, 'Cookie')
}

function has({ headers }: Reply, name: string): boolean {
  return headers?.some(([other]) => other.toLowerCase() === name) ?? false
}

function whole(seconds: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds
  throw new RangeError(`cacheControl(): ${seconds} is no whole number of seconds`)
}
