/**
 * How often views may be asked: middleware around routes, and a function for views that count something of their
 * own. What is too much is 429 with the time to wait. Called by sites, and by accounts for log-ins.
 */
import { createError } from '../core/errors.ts'
import type { Verdict } from '../core/gcra.ts'
import { wholeOption } from '../core/options.ts'
import { RateLimiter } from '../core/rate-limiter.ts'
import type { HeaderList } from '../http/headers.ts'
import { HttpError } from '../http/http-error.ts'
import { clientNetwork } from '../http/network.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { Middleware } from '../http/view.ts'
import { refuseUnknown } from '../route/declaration.ts'
import { ownCopy } from './own-reply.ts'

/** Who is counted together. Undefined: this request is not counted. */
export type LimitKey = (req: Request) => string | undefined | Promise<string | undefined>

/** How much, for whom. */
export interface LimitOptions {
  /** Names it in the `RateLimit` fields: letters, digits, `-`, `_`. Default `default`. */
  readonly name?: string
  /** So many requests … */
  readonly requests: number
  /** … in so many seconds, at a steady pace. */
  readonly perSeconds: number
  /** So many at once, for who has been quiet. Default `requests`. */
  readonly burst?: number
  /**
   * Who is counted together; default `address`: the client (`req.client`, so behind `trustedProxies` too), of IPv6
   * the /64.
   */
  readonly key?: 'address' | LimitKey
  /** Keys that are told apart, 12 bytes each; of more, those forget first that have done least. Default 65,536. */
  readonly maxKeys?: number
}

/** What `limit()` returns: middleware, with two functions for views. */
export interface Limit extends Middleware {
  /**
   * Counts `cost` (default 1) for a key of the view's own. Throws 429 (HttpError) when that is too much, with
   * Retry-After and the `RateLimit` fields.
   */
  spend(key: string, cost?: number): void
  /** Takes the counting back: what succeeded is not held against the key. */
  giveBack(key: string, cost?: number): void
}

const OPTION_NAMES = ['name', 'requests', 'perSeconds', 'burst', 'key', 'maxKeys']

/**
 * A limit with counts of its own, by the generic cell rate algorithm: in `path(…, { middleware: [limit({ requests: 60,
 * perSeconds: 60 })] })` it is the route's, in two routes it is theirs together. Replies say what is left
 * (draft-ietf-httpapi-ratelimit-headers): `RateLimit-Policy: "default";q=60;w=60` and `RateLimit: "default";r=59;t=1`.
 * Counts are of one process. Throws UWAS_ERR_CORE_UNKNOWN_OPTION, UWAS_ERR_CORE_INVALID_OPTION.
 */
export function limit(options: LimitOptions): Limit {
  const { name, limiter, keyOf } = read(options)
  const policy = `"${name}";q=${options.requests};w=${options.perSeconds}`
  const fieldsOf = ({ remaining, resetMs }: Verdict): HeaderList => [
    ['RateLimit-Policy', policy],
    ['RateLimit', `"${name}";r=${remaining};t=${seconds(resetMs)}`],
  ]
  const spend = (key: string, cost = 1): HeaderList => {
    const verdict = limiter.take(key, cost)
    const fields = fieldsOf(verdict)
    if (verdict.allowed) return fields
    throw tooMany(verdict.retryMs, fields)
  }
  const around = (next: () => Reply | Promise<Reply>, key: string | undefined) => {
    if (key === undefined) return next()
    const fields = spend(key)
    const result = next()
    return result instanceof Promise
      ? result.then((reply) => tell(reply, fields))
      : tell(result, fields)
  }
  const middleware: Middleware = (req, next) => {
    const key = keyOf(req)
    return key instanceof Promise ? key.then((known) => around(next, known)) : around(next, key)
  }
  return Object.assign(middleware, {
    spend(key: string, cost?: number): void {
      spend(key, cost)
    },
    giveBack: (key: string, cost?: number) => limiter.giveBack(key, cost),
  })
}

/** The client of a request as a key: who is counted together by address. */
export function addressKey(req: Request): string {
  return clientNetwork(req.client.address)
}

/** 429 (RFC 6585 section 4) with the time to wait. */
export function tooMany(retryMs: number, fields: HeaderList = []): HttpError {
  const wait = seconds(retryMs)
  const message = `too many requests; try again in ${wait} ${wait === 1 ? 'second' : 'seconds'}`
  return new HttpError(429, message, { headers: [['Retry-After', String(wait)], ...fields] })
}

function read(options: LimitOptions) {
  const where = 'limit()'
  refuseUnknown(where, options, OPTION_NAMES)
  const { name = 'default', key = 'address', maxKeys = 65_536 } = options
  const requests = wholeOption(where, 'requests', options.requests, 1, 1_000_000)
  const perSeconds = wholeOption(where, 'perSeconds', options.perSeconds, 1, 31_536_000)
  const burst = wholeOption(where, 'burst', options.burst ?? requests, 1, 1_000_000)
  wholeOption(where, 'maxKeys', maxKeys, 8, 16_777_216)
  if (!/^[\w-]{1,64}$/.test(name)) throw wrong('name is no word of letters, digits, "-" and "_"')
  if (key !== 'address' && typeof key !== 'function') {
    throw wrong('key is "address" or a function (req) => text')
  }
  const rate = { intervalMs: (perSeconds * 1000) / requests, burst }
  return {
    name,
    limiter: new RateLimiter(rate, maxKeys),
    keyOf: key === 'address' ? addressKey : key,
  }
}

function tell(reply: Reply, fields: HeaderList): Reply {
  const copy = ownCopy(reply)
  for (const [name, value] of fields) copy.append(name, value)
  return copy
}

/** Never 0: who comes back at once would be told the same. */
function seconds(ms: number): number {
  // Sums of clock readings are no whole numbers: a hundredth of a millisecond is no second more.
  return Math.max(1, Math.ceil((ms - 0.01) / 1000))
}

function wrong(problem: string): Error {
  return createError('UWAS_ERR_CORE_INVALID_OPTION', { where: 'limit()', problem })
}
