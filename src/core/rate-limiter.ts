/**
 * How often each of many keys may do something: keys are texts of any kind, and of any number, since a fixed
 * table holds what is known of them. Called by `was/limit.ts` and by accounts.
 */
import { hash, randomBytes } from 'node:crypto'
import { GcraTable, type Rate, type Verdict } from './gcra.ts'

export class RateLimiter {
  readonly rate: Rate
  readonly #table: GcraTable
  /** Nobody outside can tell which keys share a bucket. */
  readonly #seed: string
  readonly #now: () => number

  /** `maxKeys` are told apart, rounded up to a power of two: 12 bytes each. `now` in milliseconds, monotonic. */
  constructor(rate: Rate, maxKeys: number, now: () => number = () => performance.now()) {
    this.rate = rate
    this.#table = new GcraTable(maxKeys)
    this.#seed = randomBytes(16).toString('base64')
    this.#now = now
  }

  /** Takes `cost` units of the key, or none when they are not there. Valid until the next call. */
  take(key: string, cost = 1): Readonly<Verdict> {
    const digest = this.#hash(key)
    return this.#table.take(
      digest.readUInt32LE(0),
      digest.readUInt32LE(4),
      this.#now(),
      this.rate,
      cost,
    )
  }

  /** Gives units back that were taken for nothing. */
  giveBack(key: string, cost = 1): void {
    const digest = this.#hash(key)
    this.#table.giveBack(digest.readUInt32LE(0), digest.readUInt32LE(4), this.rate, cost)
  }

  #hash(key: string): Buffer {
    return hash('sha256', this.#seed + key, 'buffer')
  }
}
