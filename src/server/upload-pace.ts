/**
 * How fast the body of a request comes, by looks once a second. Only the time counts in which the client was to send: a
 * view that takes its time is not its client's fault. Made by `native-body.ts`; `deadlines.ts` looks.
 */

/** The body of a request. */
export interface Upload {
  /** Whether the client is to send: neither made to wait nor done, and somebody may still want it. */
  readonly isAwaited: boolean
  /** As of `now`, since the first such call. */
  isTooSlow(bytesPerSecond: number, now: number): boolean
  /** It comes too slowly for `bytesPerSecond`: who reads it gets UWAS_ERR_HTTP_BODY_SLOW. */
  giveUp(bytesPerSecond: number): void
}

export interface Pace {
  /** How long a client may stand still before its speed counts. */
  readonly graceMs: number
  /** In each so much waiting it has to send half of what its speed asks for, however fast it was before. */
  readonly stretchMs: number
}

const PACE: Pace = { graceMs: 10_000, stretchMs: 20_000 }
/** Bytes come in bursts. */
const PART = 0.5
export const LOOK_MS = 1_000
/**
 * After a longer time without a look the event loop had stood still. Timers run before sockets are read: what has come
 * meanwhile counts with the next look.
 */
export const LATE_MS = 2 * LOOK_MS

/** Of bytes that come by TLS: a record is handed over when it is whole. */
export const RECORD_BYTES = 16 * 1024

export class UploadPace {
  readonly #pace: Pace
  readonly #hiddenBytes: number
  #lookedAt: number
  #waitedMs: number
  /** `received` and `#waitedMs` at the begin of the present stretch. */
  #markBytes: number
  #markMs: number

  /** `hiddenBytes`: so many may have come that nobody sees yet. */
  constructor(now: number, hiddenBytes: number, pace: Pace = PACE) {
    this.#pace = pace
    this.#hiddenBytes = hiddenBytes
    this.#lookedAt = now
    this.#waitedMs = 0
    this.#markBytes = 0
    this.#markMs = 0
  }

  /** `received`: bytes that have come. */
  isTooSlow(received: number, isAwaited: boolean, bytesPerSecond: number, now: number): boolean {
    const passedMs = now - this.#lookedAt
    this.#lookedAt = now
    if (isAwaited) this.#waitedMs += Math.min(passedMs, LATE_MS)
    if (!isAwaited || bytesPerSecond === 0 || passedMs > LATE_MS) return false
    const { graceMs, stretchMs } = this.#pace
    const most = received + this.#hiddenBytes
    if (this.#waitedMs > graceMs && most < (this.#waitedMs / 1000) * bytesPerSecond) return true
    const part = PART * (stretchMs / 1000) * bytesPerSecond
    if (received - this.#markBytes < part) {
      const stretch = this.#waitedMs - this.#markMs
      const asked = PART * (stretch / 1000) * bytesPerSecond
      return stretch > stretchMs && most - this.#markBytes < asked
    }
    this.#markBytes = received
    this.#markMs = this.#waitedMs
    return false
  }
}
