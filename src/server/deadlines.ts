/**
 * Ends replies that take too long: readers that take next to nothing, and whole replies past their time.
 * The lane's exchanges come in when they do not end at once; each look costs a few numbers for each of them.
 */

/** 0 is no limit. */
export interface SendLimits {
  readonly minSendBytesPerSecond: number
  readonly maxResponseSeconds: number
}

/** What is known of a reply that goes on. Times are of `performance.now()`. */
export interface Watched {
  /** When it was left for later. */
  startedAt: number
  /** Milliseconds for which it has waited for its reader, without the present wait. */
  waitedMs: number
  /** Begin of the present wait for the reader; 0 while it waits for nobody, or for the site. */
  waitingSince: number
  /** `taken()` when it was looked at last, and since when that has been the same while it waited for its reader. */
  seenBytes: number
  seenAt: number
  /** Bytes that the reader's side has taken. */
  taken(): number
  /** Cuts the connection. */
  cut(): void
  /** Called each second while it waits for its reader: the engine's own clock is set back. */
  keep(): void
}

/** How long a reader may stand still before its speed counts: a network may stop for a moment. */
const GRACE_MS = 5_000
const LOOK_MS = 1_000
/**
 * Who is fast on average may still have gone without a word. In clear the kernel holds 4 MiB and asks for more when half of it
 * has left, so of a stream nothing may be seen for so long of a reader of 7 KB/s.
 */
const STILL_MS = 300_000

export class Deadlines {
  readonly #limits: () => SendLimits
  readonly #stillMs: number
  readonly #watched: Set<Watched>
  #timer: NodeJS.Timeout | null

  /** `limits` are asked for with every look, since a reload may change them. */
  constructor(limits: () => SendLimits, stillMs: number = STILL_MS) {
    this.#limits = limits
    this.#stillMs = stillMs
    this.#watched = new Set()
    this.#timer = null
  }

  add(exchange: Watched): void {
    exchange.startedAt = performance.now()
    exchange.seenAt = exchange.startedAt
    this.#watched.add(exchange)
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
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
    const limits = this.#limits()
    for (const exchange of this.#watched) {
      see(exchange, now)
      if (isOverdue(exchange, limits, now, this.#stillMs)) exchange.cut()
      else if (exchange.waitingSince !== 0) exchange.keep()
    }
  }
}

function see(exchange: Watched, now: number): void {
  const taken = exchange.taken()
  if (exchange.waitingSince !== 0 && taken === exchange.seenBytes) return
  exchange.seenBytes = taken
  exchange.seenAt = now
}

/** The speed is that of the time in which bytes were there: a slow view is not its reader's fault. */
export function isOverdue(
  exchange: Watched,
  limits: SendLimits,
  now: number,
  stillMs: number = STILL_MS,
): boolean {
  const { minSendBytesPerSecond, maxResponseSeconds } = limits
  if (maxResponseSeconds > 0 && now - exchange.startedAt > maxResponseSeconds * 1000) return true
  if (minSendBytesPerSecond === 0) return false
  const { waitedMs, waitingSince, seenAt } = exchange
  if (now - seenAt > stillMs) return true
  const waited = waitingSince === 0 ? waitedMs : waitedMs + now - waitingSince
  return waited > GRACE_MS && exchange.taken() < (waited / 1000) * minSendBytesPerSecond
}
