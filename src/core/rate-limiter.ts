/**
 * How often each of many keys may do something: keys are texts of any kind, and of any number, since a fixed
 * table holds what is known of them. All workers of a server count in one. Called by `was/limit.ts` and by accounts.
 */
import { hash } from 'node:crypto'
import { GcraTable, type Rate, type Verdict } from './gcra.ts'
import { tableMemory } from './table-memory.ts'

/** Keys that are told apart, 12 bytes each; of more, those are forgotten first that have done least. */
export const MAX_KEYS = 65_536

export interface RateLimiterOptions {
  /** Rounded up to a power of two. Default `MAX_KEYS`. */
  readonly maxKeys?: number
  /** In milliseconds, by a clock that all processes share. Default the system's monotonic one. */
  readonly now?: () => number
}

interface Table {
  readonly counts: GcraTable
  /** Nobody outside can tell which keys share a bucket. */
  readonly seed: string
}

/** How often each name was given: several limits may look the same. */
const named = new Map<string, number>()

/** From the start of this process's clock to that of the system's. */
const CLOCK_OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now()

export class RateLimiter {
  readonly rate: Rate
  readonly #name: string
  readonly #maxKeys: number
  readonly #now: () => number
  #table: Table | null

  /**
   * Limiters with the same name and rate are, in the order in which they are made, the same in all workers: they are
   * made at start, by the same code.
   */
  constructor(name: string, rate: Rate, options: RateLimiterOptions = {}) {
    const { maxKeys = MAX_KEYS, now = () => performance.now() + CLOCK_OFFSET_MS } = options
    const same = `${name} ${rate.intervalMs} ${rate.burst}`
    const count = named.get(same) ?? 0
    named.set(same, count + 1)
    this.rate = rate
    this.#name = `${same} ${count}`
    this.#maxKeys = maxKeys
    this.#now = now
    this.#table = null
  }

  /**
   * Takes `cost` units of the key, or none when they are not there within `maxDelayMs`. Valid until the next
   * call.
   */
  take(key: string, cost = 1, maxDelayMs = 0): Readonly<Verdict> {
    const { counts, seed } = this.#open()
    const digest = hash('sha256', seed + key, 'buffer')
    const bucket = digest.readUInt32LE(0)
    return counts.take(bucket, digest.readUInt32LE(4), this.#now(), this.rate, cost, maxDelayMs)
  }

  /** Gives units back that were taken for nothing. */
  giveBack(key: string, cost = 1): void {
    const { counts, seed } = this.#open()
    const digest = hash('sha256', seed + key, 'buffer')
    counts.giveBack(digest.readUInt32LE(0), digest.readUInt32LE(4), this.rate, cost)
  }

  /** With the first key: a limit that nobody asks takes no memory. */
  #open(): Table {
    if (this.#table === null) {
      const { buffer, seed } = tableMemory(this.#name, GcraTable.bytesFor(this.#maxKeys))
      this.#table = { counts: new GcraTable(this.#maxKeys, buffer), seed }
    }
    return this.#table
  }
}
