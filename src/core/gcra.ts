/**
 * The generic cell rate algorithm (ITU-T I.371, appendix I; also "leaky bucket as a meter") over two typed
 * arrays: of each key one number is kept, the time at which all that it has had would have been due. A full
 * bucket of keys gives up the one that is owed least, so memory is bounded, and a flood of fresh keys does not
 * wash away those that are held back. Called by `rate-limiter.ts`.
 *
 * The arrays may lie in memory that processes share: a race between two of them costs one count at most.
 */

/** So much at a steady pace, so much at once. */
export interface Rate {
  /** Time for one unit, in milliseconds. */
  readonly intervalMs: number
  /** Units at once, at least 1. */
  readonly burst: number
}

/** What became of the last `take`; overwritten by the next one. */
export interface Verdict {
  allowed: boolean
  /** Units that are left now. */
  remaining: number
  /** Until this one would be allowed, in milliseconds; 0 where it is. */
  retryMs: number
  /** Until all of the burst is there again, in milliseconds. */
  resetMs: number
}

/** Slots of one bucket, which a key's hash chooses. */
const WAYS = 8
const SLOT_BYTES = Float64Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT

export class GcraTable {
  readonly #due: Float64Array
  readonly #prints: Uint32Array
  readonly #mask: number
  readonly #verdict: Verdict

  /** `buffer` of `bytesFor(keys)` zeros, where it is shared; by default one of its own. */
  constructor(keys: number, buffer: ArrayBufferLike = new ArrayBuffer(GcraTable.bytesFor(keys))) {
    const slots = slotsFor(keys)
    this.#due = new Float64Array(buffer, 0, slots)
    this.#prints = new Uint32Array(buffer, slots * Float64Array.BYTES_PER_ELEMENT, slots)
    this.#mask = slots / WAYS - 1
    this.#verdict = { allowed: true, remaining: 0, retryMs: 0, resetMs: 0 }
  }

  /** Bytes of a table for so many keys. */
  static bytesFor(keys: number): number {
    return slotsFor(keys) * SLOT_BYTES
  }

  /**
   * Takes `cost` units for the key of these two hashes (32 bits each), or nothing when they are not there. The
   * verdict is valid until the next call.
   */
  take(bucket: number, print: number, nowMs: number, rate: Rate, cost: number): Readonly<Verdict> {
    const mark = print >>> 0 || 1
    const slot = this.#slotOf(bucket, mark)
    const known = this.#prints[slot] === mark
    const due = Math.max(known ? (this.#due[slot] as number) : 0, nowMs)
    const span = rate.intervalMs * rate.burst
    const next = due + rate.intervalMs * cost
    // Sums of a hundred tenths are no whole: a thousandth of an interval is nothing.
    const retryMs = next - span - nowMs
    const allowed = retryMs <= rate.intervalMs / 1000
    if (allowed) {
      this.#prints[slot] = mark
      this.#due[slot] = next
    }
    return this.#tell(allowed, allowed ? 0 : retryMs, (allowed ? next : due) - nowMs, rate)
  }

  /** Gives `cost` units back, as if they had not been taken. */
  giveBack(bucket: number, print: number, rate: Rate, cost: number): void {
    const mark = print >>> 0 || 1
    const slot = this.#slotOf(bucket, mark)
    if (this.#prints[slot] === mark) {
      this.#due[slot] = (this.#due[slot] as number) - rate.intervalMs * cost
    }
  }

  /** The key's slot, or the one that it may have. */
  #slotOf(bucket: number, mark: number): number {
    const from = (bucket & this.#mask) * WAYS
    let least = from
    for (let slot = from; slot < from + WAYS; slot++) {
      if (this.#prints[slot] === mark) return slot
      if ((this.#due[slot] as number) < (this.#due[least] as number)) least = slot
    }
    return least
  }

  #tell(allowed: boolean, retryMs: number, resetMs: number, rate: Rate): Verdict {
    const verdict = this.#verdict
    verdict.allowed = allowed
    verdict.retryMs = retryMs
    verdict.resetMs = Math.max(0, resetMs)
    verdict.remaining = Math.max(0, Math.floor(rate.burst - resetMs / rate.intervalMs + 0.001))
    return verdict
  }
}

/** A power of two of buckets. */
function slotsFor(keys: number): number {
  return WAYS * 2 ** Math.max(0, Math.ceil(Math.log2(keys / WAYS)))
}
