/**
 * The generic cell rate algorithm (ITU-T I.371, appendix I; also "leaky bucket as a meter") over two typed
 * arrays: of each key one number is kept, the time at which all that it has had would have been due. A full
 * bucket of keys gives up the one that is owed least, so memory is bounded, and who floods it with fresh keys has to
 * be owed more by each of them than by the one that he wants forgotten. Called by `rate-limiter.ts`.
 *
 * The arrays may lie in memory that processes share: each taking is one atomic exchange, so none is lost. Where a
 * bucket gives up a key in the very moment in which another process counts for it, one count may be.
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
  /** How long it has to wait all the same, in milliseconds; at most what `take` was told. */
  delayMs: number
  /** Units that are left now. */
  remaining: number
  /** Until this one would be allowed, in milliseconds; 0 where it is. */
  retryMs: number
  /** Until all of the burst is there again, in milliseconds. */
  resetMs: number
}

/** Slots of one bucket, which a key's hash chooses. */
const WAYS = 8
const SLOT_BYTES = Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT

/** The bits of a number, for exchanges of whole numbers. */
const number = new Float64Array(1)
const bits = new BigInt64Array(number.buffer)

export class GcraTable {
  /** Bits of numbers: when all that a key has had would have been due. */
  readonly #due: BigInt64Array
  readonly #prints: Int32Array
  readonly #mask: number
  readonly #verdict: Verdict

  /** `buffer` of `bytesFor(keys)` zeros, where it is shared; by default one of its own. */
  constructor(keys: number, buffer: ArrayBufferLike = new ArrayBuffer(GcraTable.bytesFor(keys))) {
    const slots = slotsFor(keys)
    this.#due = new BigInt64Array(buffer, 0, slots)
    this.#prints = new Int32Array(buffer, slots * Float64Array.BYTES_PER_ELEMENT, slots)
    this.#mask = slots / WAYS - 1
    this.#verdict = { allowed: true, delayMs: 0, remaining: 0, retryMs: 0, resetMs: 0 }
  }

  /** Bytes of a table for so many keys. */
  static bytesFor(keys: number): number {
    return slotsFor(keys) * SLOT_BYTES
  }

  /**
   * Takes `cost` units for the key of these two hashes (32 bits each), or nothing when they are not there within
   * `maxDelayMs`. The verdict is valid until the next call.
   */
  take(
    bucket: number,
    print: number,
    nowMs: number,
    rate: Rate,
    cost: number,
    maxDelayMs = 0,
  ): Readonly<Verdict> {
    const span = rate.intervalMs * rate.burst
    const mark = print | 0 || 1
    for (;;) {
      const slot = this.#find(bucket, mark)
      const before = slot < 0 ? 0n : Atomics.load(this.#due, slot)
      const due = Math.max(fromBits(before), nowMs)
      const next = due + rate.intervalMs * cost
      // Sums of a hundred tenths are no whole: a thousandth of an interval is nothing.
      const waitMs = next - span - nowMs
      const isNow = waitMs <= rate.intervalMs / 1000
      if (!isNow && waitMs > maxDelayMs) return this.#tell(0, waitMs, due - nowMs, rate)
      if (slot < 0) this.#claim(bucket, mark)
      else if (Atomics.compareExchange(this.#due, slot, before, toBits(next)) === before) {
        return this.#tell(isNow ? 0 : waitMs, 0, next - nowMs, rate)
      }
    }
  }

  /** Gives `cost` units back, as if they had not been taken. */
  giveBack(bucket: number, print: number, rate: Rate, cost: number): void {
    const slot = this.#find(bucket, print | 0 || 1)
    if (slot < 0) return
    for (;;) {
      const before = Atomics.load(this.#due, slot)
      const next = toBits(fromBits(before) - rate.intervalMs * cost)
      if (Atomics.compareExchange(this.#due, slot, before, next) === before) return
    }
  }

  /** The key's slot, or -1. */
  #find(bucket: number, mark: number): number {
    const from = (bucket & this.#mask) * WAYS
    for (let slot = from; slot < from + WAYS; slot++) {
      if (Atomics.load(this.#prints, slot) === mark) return slot
    }
    return -1
  }

  /** The slot of the key that is owed least becomes this key's, unless another process is faster. */
  #claim(bucket: number, mark: number): void {
    const from = (bucket & this.#mask) * WAYS
    let least = from
    let leastDue = Atomics.load(this.#due, from)
    for (let slot = from + 1; slot < from + WAYS; slot++) {
      const due = Atomics.load(this.#due, slot)
      if (fromBits(due) >= fromBits(leastDue)) continue
      least = slot
      leastDue = due
    }
    const other = Atomics.load(this.#prints, least)
    if (Atomics.compareExchange(this.#prints, least, other, mark) !== other) return
    // What was the other key's is nothing to this one, unless somebody has counted for it already.
    Atomics.compareExchange(this.#due, least, leastDue, 0n)
  }

  #tell(delayMs: number, retryMs: number, resetMs: number, rate: Rate): Verdict {
    const verdict = this.#verdict
    verdict.allowed = retryMs === 0
    verdict.delayMs = delayMs
    verdict.retryMs = retryMs
    verdict.resetMs = Math.max(0, resetMs)
    verdict.remaining = Math.max(0, Math.floor(rate.burst - resetMs / rate.intervalMs + 0.001))
    return verdict
  }
}

function fromBits(value: bigint): number {
  bits[0] = value
  return number[0] as number
}

function toBits(value: number): bigint {
  number[0] = value
  return bits[0] as bigint
}

/** A power of two of buckets. */
function slotsFor(keys: number): number {
  return WAYS * 2 ** Math.max(0, Math.ceil(Math.log2(keys / WAYS)))
}
