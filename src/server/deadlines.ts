/**
 * Ends replies that take too long: readers that take next to nothing, whole replies past their time, and requests whose body
 * comes too slowly. The lane's exchanges come in when they do not end at once; each look costs a few numbers for each of them.
 */
import { LATE_MS, LOOK_MS, type Upload } from './upload-pace.ts'

/** 0 is no limit. */
export interface SendLimits {
  readonly minSendBytesPerSecond: number
  readonly maxResponseSeconds: number
}

export interface PaceLimits extends SendLimits {
  readonly minReceiveBytesPerSecond: number
}

/** What is known of a reply that goes on. Times are of `performance.now()`. */
export interface Watched {
  /** When it was left for later. */
  startedAt: number
  /** Milliseconds for which it has waited for its reader, without the present wait. */
  waitedMs: number
  /** Begin of the present wait for the reader; 0 while it waits for nobody, or for the site. */
  waitingSince: number
  /** `taken()` and the time at the begin of the present stretch, in which the reader has to take its part. */
  markBytes: number
  markAt: number
  /** Tries to hand over more; null where there is nothing to be tried. */
  readonly retry: (() => void) | null
  /** The body of its request, where one comes. */
  readonly upload: Upload | null
  /** The body of its request comes too slowly. */
  giveUpUpload(upload: Upload, bytesPerSecond: number): void
  /** Bytes that the reader's side has taken. */
  taken(): number
  /** Cuts the connection. */
  cut(): void
  /** Called each second while it waits for its reader, or for the body of its request: the engine's own clock is set back. */
  keep(): void
}

/** How long a reader may stand still before its speed counts: a network may stop for a moment. */
const GRACE_MS = 5_000
/** Milliseconds of a stretch: the average of a reply begins with the megabytes that the kernel has taken at once. */
export interface Stretches {
  /** Where each attempt shows what the reader takes. */
  readonly tried: number
  /** Where the kernel alone says that it takes more, of 4 MiB when half has left. */
  readonly untried: number
}

const STRETCHES: Stretches = { tried: 60_000, untried: 300_000 }
/** Of what its speed asks for in a stretch: bytes come in bursts. */
const PART = 0.5

export class Deadlines {
  readonly #limits: () => PaceLimits
  readonly #stretches: Stretches
  readonly #watched: Set<Watched>
  #timer: NodeJS.Timeout | null
  #lookedAt: number

  /** `limits` are asked for with every look, since a reload may change them. */
  constructor(limits: () => PaceLimits, stretches: Stretches = STRETCHES) {
    this.#limits = limits
    this.#stretches = stretches
    this.#watched = new Set()
    this.#timer = null
    this.#lookedAt = 0
  }

  add(exchange: Watched): void {
    exchange.startedAt = performance.now()
    exchange.markAt = exchange.startedAt
    this.#watched.add(exchange)
    if (this.#timer !== null) return
    this.#lookedAt = exchange.startedAt
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  remove(exchange: Watched): void {
    this.#watched.delete(exchange)
  }

  /** The timer ends when nobody was there to look at, not with each reply: most are short. */
  #look(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer as NodeJS.Timeout)
      this.#timer = null
      return
    }
    const now = performance.now()
    const isLate = now - this.#lookedAt > LATE_MS
    this.#lookedAt = now
    const limits = this.#limits()
    const speed = limits.minReceiveBytesPerSecond
    for (const exchange of this.#watched) {
      const { upload } = exchange
      if (!isLate && isOverdue(exchange, limits, now, this.#stretches)) exchange.cut()
      else if (upload?.isTooSlow(speed, now) === true) exchange.giveUpUpload(upload, speed)
      else if (exchange.waitingSince !== 0 || upload?.isAwaited === true) exchange.keep()
    }
  }
}

/**
 * The speed is that of the time in which bytes were there: a slow view is not its reader's fault. It counts on average since
 * the begin, and in each stretch of waiting, of which a new one begins here when the reader has taken its part.
 */
export function isOverdue(
  exchange: Watched,
  limits: SendLimits,
  now: number,
  stretches: Stretches = STRETCHES,
): boolean {
  const { minSendBytesPerSecond: speed, maxResponseSeconds } = limits
  if (maxResponseSeconds > 0 && now - exchange.startedAt > maxResponseSeconds * 1000) return true
  if (speed === 0) return false
  const { waitedMs, waitingSince } = exchange
  const taken = exchange.taken()
  const waited = waitingSince === 0 ? waitedMs : waitedMs + now - waitingSince
  if (waited > GRACE_MS && taken < (waited / 1000) * speed) return true
  const stretch = exchange.retry === null ? stretches.untried : stretches.tried
  const part = PART * (stretch / 1000) * speed
  if (waitingSince !== 0 && taken - exchange.markBytes < part)
    return now - exchange.markAt > stretch
  exchange.markBytes = taken
  exchange.markAt = now
  return false
}
