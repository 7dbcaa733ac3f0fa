/**
 * How often views may be asked: middleware around routes, and a function for views that count something of their
 * own. What is too much is 429 with the time to wait. Called by sites, and for `limits.requests` by `guards/`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../../core/errors.ts'
import type { Rate, Verdict } from '../../core/gcra.ts'
import { wholeOption } from '../../core/options.ts'
import { RateLimiter } from '../../core/rate-limiter.ts'
import type { HeaderList } from '../../http/headers.ts'
import type { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { Middleware } from '../../http/view.ts'
import { refuseUnknown } from '../../route/declaration.ts'
import { ownCopy } from '../own-reply.ts'
import { countsOf, type LimitCounts } from './counts.ts'
import { KEY_WORDS, type LimitKey, type LimitKeyFunction, readKey } from './keys.ts'
import { tooMany, wholeSeconds } from './too-many.ts'

/** How much, for whom. */
export interface LimitOptions {
  /** Names it in the `RateLimit` fields and in metrics: letters, digits, `-`, `_`. Default `default`. */
  readonly name?: string | undefined
  /** So many requests … */
  readonly requests: number
  /** … in so many seconds, at a steady pace. */
  readonly perSeconds: number
  /** So many at once, for who has been quiet. Default `requests`. */
  readonly burst?: number | undefined
  /** Who is counted together. Default `address`. */
  readonly key?: LimitKey | undefined
  /**
   * What is too much waits until it is its turn, so many milliseconds at most, 0 to 60,000; beyond that it is 429. Default
   * 0: it never waits.
   */
  readonly maxDelayMs?: number | undefined
  /** Count, and refuse nobody: to find the right numbers. Default false. */
  readonly dryRun?: boolean | undefined
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

const OPTION_NAMES = ['name', 'requests', 'perSeconds', 'burst', 'key', 'maxDelayMs', 'dryRun']

/** Requests that wait at a time, of all limits of this process; more are 429. */
const MAX_DELAYED = 10_000
let delayed = 0

/**
 * A limit with counts of its own, by the generic cell rate algorithm: in `path(…, { middleware: [limit({ requests: 60,
 * perSeconds: 60 })] })` it is the route's, in two routes it is theirs together. Replies say what is left
 * (draft-ietf-httpapi-ratelimit-headers-10): `RateLimit-Policy: "default";q=60;w=60` and `RateLimit: "default";r=59;t=1`.
 * All workers of a server count together; a reload or a worker's end forgets nothing. 65,536 keys are told apart; of
 * more, those are forgotten first that have done least. Throws UWAS_ERR_CORE_UNKNOWN_OPTION,
 * UWAS_ERR_CORE_INVALID_OPTION.
 */
export function limit(options: LimitOptions): Limit {
  const one = new RequestLimit('limit()', options)
  const middleware: Middleware = (req, next) => one.around(req, next)
  // What `uwas explain` shows.
  const { requests, perSeconds } = options
  Object.defineProperty(middleware, 'name', { value: `limit(${requests} in ${perSeconds} s)` })
  return Object.assign(middleware, {
    spend: (key: string, cost?: number) => one.spend(key, cost),
    giveBack: (key: string, cost?: number) => one.giveBack(key, cost),
  })
}

/** One limit, wherever it stands. */
export class RequestLimit {
  readonly #name: string
  readonly #policy: string
  readonly #limiter: RateLimiter
  readonly #keyOf: LimitKeyFunction
  readonly #maxDelayMs: number
  readonly #isDry: boolean
  readonly #counts: LimitCounts

  /** `where` begins messages. Throws UWAS_ERR_CORE_UNKNOWN_OPTION, UWAS_ERR_CORE_INVALID_OPTION. */
  constructor(where: string, options: LimitOptions) {
    const { name, rate, keyOf, maxDelayMs, isDry } = read(where, options)
    this.#name = name
    this.#policy = `"${name}";q=${options.requests};w=${options.perSeconds}`
    this.#limiter = new RateLimiter(`${where} ${name}`, rate)
    this.#keyOf = keyOf
    this.#maxDelayMs = maxDelayMs
    this.#isDry = isDry
    this.#counts = countsOf(name)
  }

  /** What `next` gives, or throws 429. Stays synchronous where nothing has to wait. */
  around(req: Request, next: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
    const key = this.#keyOf(req)
    return key instanceof Promise
      ? key.then((known) => this.#pass(req, known, next))
      : this.#pass(req, key, next)
  }

  spend(key: string, cost = 1): void {
    checkCost(cost)
    const verdict = this.#limiter.take(key, cost)
    if (verdict.allowed) this.#counts.passed++
    else this.#refuse(verdict)
  }

  giveBack(key: string, cost = 1): void {
    checkCost(cost)
    this.#limiter.giveBack(key, cost)
  }

  #pass(
    req: Request,
    key: string | undefined,
    next: () => Reply | Promise<Reply>,
  ): Reply | Promise<Reply> {
    if (key === undefined) return next()
    const maxDelayMs = delayed < MAX_DELAYED ? this.#maxDelayMs : 0
    const verdict = this.#limiter.take(key, 1, maxDelayMs)
    if (!verdict.allowed) {
      this.#refuse(verdict)
      return next()
    }
    const { delayMs } = verdict
    const fields = this.#fieldsOf(verdict)
    if (delayMs > 0 && !this.#isDry) {
      this.#counts.delayed++
      return wait(delayMs, req.signal).then(async () => tell(await next(), fields))
    }
    this.#counts.passed++
    const result = next()
    if (this.#isDry) return result
    return result instanceof Promise
      ? result.then((reply) => tell(reply, fields))
      : tell(result, fields)
  }

  /** Throws 429, but for a dry run. */
  #refuse(verdict: Verdict): void {
    if (this.#isDry) {
      this.#counts.wouldRefuse++
      return
    }
    this.#counts.refused++
    throw tooMany(verdict.retryMs, this.#fieldsOf(verdict))
  }

  #fieldsOf({ remaining, resetMs }: Verdict): HeaderList {
    return [
      ['RateLimit-Policy', this.#policy],
      ['RateLimit', `"${this.#name}";r=${remaining};t=${wholeSeconds(resetMs)}`],
    ]
  }
}

/** Rejects when the client goes: nobody waits for what would come. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  delayed++
  try {
    await sleep(ms, undefined, { signal })
  } finally {
    delayed--
  }
}

interface Read {
  readonly name: string
  readonly rate: Rate
  readonly keyOf: LimitKeyFunction
  readonly maxDelayMs: number
  readonly isDry: boolean
}

function read(where: string, options: LimitOptions): Read {
  refuseUnknown(where, options, OPTION_NAMES)
  const { name = 'default', key = 'address', maxDelayMs = 0, dryRun = false } = options
  const requests = wholeOption(where, 'requests', options.requests, 1, 1_000_000)
  const perSeconds = wholeOption(where, 'perSeconds', options.perSeconds, 1, 31_536_000)
  const burst = wholeOption(where, 'burst', options.burst ?? requests, 1, 1_000_000)
  wholeOption(where, 'maxDelayMs', maxDelayMs, 0, 60_000)
  if (!/^[\w-]{1,64}$/.test(name)) {
    throw wrong(where, 'name is no word of letters, digits, "-" and "_"')
  }
  if (typeof dryRun !== 'boolean') throw wrong(where, 'dryRun is true or false')
  const keyOf = readKey(key)
  if (keyOf === undefined) throw wrong(where, `key is ${KEY_WORDS}`)
  const rate = { intervalMs: (perSeconds * 1000) / requests, burst }
  return { name, rate, keyOf, maxDelayMs, isDry: dryRun }
}

function tell(reply: Reply, fields: HeaderList): Reply {
  const copy = ownCopy(reply)
  for (const [name, value] of fields) copy.append(name, value)
  return copy
}

function wrong(where: string, problem: string): Error {
  return createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
}

/** What a client has sent may be no number, and would lift the limit. */
function checkCost(cost: number): void {
  if (Number.isFinite(cost) && cost >= 0) return
  throw wrong('limit', `the cost is ${cost}; it has to be a number from 0 on`)
}
