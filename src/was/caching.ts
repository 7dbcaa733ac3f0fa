/**
 * What caches are told about replies: by views that know, and by what a view has looked at. Called by views
 * and, last, by `finish.ts`.
 */
import { createError } from '../core/errors.ts'
import { withVary } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { ownCopy } from './own-reply.ts'

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
 * For `finish.ts`: a reply whose view has looked at what belongs to the client (`req.personal`) is one for this
 * client. It varies with the fields that told it, and is private unless the view says what caches may do. One
 * that was chosen by a field (`req.accepts`) varies with that.
 */
export function markPersonal(req: Request, reply: Reply): Reply {
  const { personal, chosenBy } = req
  if (personal === null && chosenBy === null) return reply
  const own = ownCopy(reply)
  if (chosenBy !== null) vary(own, ...chosenBy)
  if (personal === null) return own
  if (!has(own, 'cache-control')) own.append('Cache-Control', 'private')
  if (req.hasRead('authorization')) vary(own, 'Authorization')
  const isByCookie = req.hasRead('cookie') || req.hasRead('session') || req.hasRead('user')
  return isByCookie ? vary(own, 'Cookie') : own
}

function has({ headers }: Reply, name: string): boolean {
  return headers?.some(([other]) => other.toLowerCase() === name) ?? false
}

function whole(seconds: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds
  const problem = `${seconds} is no whole number of seconds`
  throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where: 'cacheControl()', problem })
}
