/**
 * Refuses views while there is too much to do, so that those that are taken are answered in time. How late the event loop
 * is and how far the database is behind come in every 20 ms; the share of views that are refused leaves. Made by
 * `app.ts`; the dispatcher puts it around views.
 */
import type { Log } from '../../core/log.ts'
import type { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import { watchLoopDelay } from '../../observe/loop-delay.ts'
import type { ErrorPages } from '../error-pages.ts'
import type { SiteShed } from './options.ts'
import { markShed, Overloaded } from './overloaded.ts'

type Handler = (req: Request) => Reply | Promise<Reply>

/** What a request was refused for, as metrics name it. */
export type ShedReason = 'event_loop_delay' | 'pool_wait'

export interface ShedderParts {
  /** Null: there is none. */
  readonly database: { oldestWaitMs(): number } | null
  readonly log: Log
}

/** Of its limit: below it there is room for more. Between it and the limit it falls slowly, or one spike would refuse all for ever. */
const CALM = 2 / 3
/** By how much the share grows, each time it is too much; so many times as fast where it is so many times too much. */
const STEP_UP = 0.1
const MOST_STEPS = 5
/** By how much it falls: in a second from all to none; in between, in ten. */
const STEP_DOWN = 0.02
const STEP_AROUND = 0.002
/** Refusing that begins anew before that is one with what was before, as the log tells it. */
const QUIET_MS = 10_000

/** A time of refusing, as the log tells it. */
interface Spell {
  readonly since: number
  lastAt: number
  refused: number
}

/** Null where a site wants none. */
export function createLoadShedder(
  limits: SiteShed | null,
  parts: ShedderParts,
): LoadShedder | null {
  return limits === null ? null : new LoadShedder(limits, parts)
}

export class LoadShedder {
  /** Share of views that are refused now: 0 to 1. */
  share: number
  /** Requests that were refused so far. */
  readonly counts: Record<ShedReason, number>
  readonly #limits: SiteShed
  readonly #parts: ShedderParts
  readonly #refusal: Overloaded
  readonly #stop: () => void
  /** Half of it is what was measured last, a quarter what was before that. */
  #delayMs: number
  /** What was too much last, and how much it was. */
  #reason: ShedReason
  #tooMuchMs: number
  /** What of a refusal is due; at 1 one is. */
  #due: number
  #spell: Spell | null

  /** Measures until it is closed. */
  constructor(limits: SiteShed, parts: ShedderParts) {
    this.share = 0
    this.counts = { event_loop_delay: 0, pool_wait: 0 }
    this.#limits = limits
    this.#parts = parts
    this.#refusal = new Overloaded(limits.retryAfterSeconds)
    this.#delayMs = 0
    this.#reason = 'event_loop_delay'
    this.#tooMuchMs = 0
    this.#due = 0
    this.#spell = null
    this.#stop = watchLoopDelay((lateMs) => this.hear(lateMs, parts.database?.oldestWaitMs() ?? 0))
  }

  /** `inner`, or the 503 page in its place. */
  around(inner: Handler, errorPages: ErrorPages): Handler {
    return (req) =>
      this.share > 0 && this.#refuses() ? markShed(errorPages(req, this.#refusal)) : inner(req)
  }

  /** One measurement, in milliseconds, of this moment. */
  hear(lateMs: number, poolMs: number, now = performance.now()): void {
    const { maxEventLoopDelayMs, maxPoolWaitMs } = this.#limits
    this.#delayMs = (this.#delayMs + lateMs) / 2
    const delay = maxEventLoopDelayMs === 0 ? 0 : this.#delayMs / maxEventLoopDelayMs
    const pool = maxPoolWaitMs === 0 ? 0 : poolMs / maxPoolWaitMs
    const pressure = Math.max(delay, pool)
    if (pressure > 1) {
      this.#reason = delay >= pool ? 'event_loop_delay' : 'pool_wait'
      this.#tooMuchMs = Math.round(delay >= pool ? this.#delayMs : poolMs)
      this.share = Math.min(1, this.share + STEP_UP * Math.min(pressure, MOST_STEPS))
    } else if (this.share > 0) {
      this.share = Math.max(0, this.share - (pressure < CALM ? STEP_DOWN : STEP_AROUND))
    }
    if (this.#spell !== null && this.share === 0) this.#tellEnd(this.#spell, now)
  }

  close(): void {
    this.#stop()
  }

  /** Evenly spread: of a share of a third each third one. */
  #refuses(): boolean {
    this.#due += this.share
    if (this.#due < 1) return false
    this.#due -= 1
    this.counts[this.#reason]++
    const now = performance.now()
    this.#spell ??= this.#begin(now)
    this.#spell.lastAt = now
    this.#spell.refused++
    return true
  }

  #begin(now: number): Spell {
    const { maxEventLoopDelayMs, maxPoolWaitMs } = this.#limits
    const why =
      this.#reason === 'pool_wait'
        ? `the database has kept requests waiting for ${this.#tooMuchMs} ms, and limits.shed.maxPoolWaitMs is ${maxPoolWaitMs}`
        : `the event loop was ${this.#tooMuchMs} ms late, and limits.shed.maxEventLoopDelayMs is ${maxEventLoopDelayMs}`
    this.#parts.log.warn(`too much to do, so views are answered 503: ${why}`)
    return { since: now, lastAt: now, refused: 0 }
  }

  #tellEnd({ since, lastAt, refused }: Spell, now: number): void {
    if (now - lastAt < QUIET_MS) return
    this.#spell = null
    const seconds = ((lastAt - since) / 1000).toFixed(1)
    this.#parts.log.info(
      `views are answered again; within ${seconds} s 503 was said ${refused} times`,
    )
  }
}
