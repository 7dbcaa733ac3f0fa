/**
 * How often keys were asked for lately, kept or not: what a newcomer is judged by before it pushes others out.
 * In 64 KiB, however many keys there are.
 */
import { randomBytes } from 'node:crypto'

const ROWS = 4
const WIDTH = 16_384
/** Questions between two halvings of all counters. */
const AGING = 10 * WIDTH
const MOST = 255

/**
 * A count-min sketch (Cormode, Muthukrishnan: "An Improved Data Stream Summary", 2005). Seeded anew in each
 * process, so that nobody can choose keys that share their counters.
 */
export class Frequency {
  readonly #counters: Uint8Array
  readonly #seed: number
  #questions: number

  constructor() {
    this.#counters = new Uint8Array(ROWS * WIDTH)
    this.#seed = randomBytes(4).readUInt32LE()
    this.#questions = 0
  }

  /** Counts one more question for `key`; gives the number with it, up to 255, at times more than it is. */
  count(key: string): number {
    if (++this.#questions >= AGING) this.#halve()
    const counters = this.#counters
    const first = this.#hash(key, this.#seed)
    const step = this.#hash(key, ~this.#seed) | 1
    let least = MOST
    for (let row = 0; row < ROWS; row++) {
      const at = row * WIDTH + (((first + row * step) >>> 0) % WIDTH)
      const counted = Math.min(MOST, (counters[at] as number) + 1)
      counters[at] = counted
      if (counted < least) least = counted
    }
    return least
  }

  #halve(): void {
    this.#questions = 0
    const counters = this.#counters
    for (let i = 0; i < counters.length; i++) counters[i] = (counters[i] as number) >> 1
  }

  /** FNV-1a over the code units, mixed at the end (as MurmurHash3 does). */
  #hash(key: string, seed: number): number {
    let hash = seed ^ 0x811c9dc5
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return hash ^ (hash >>> 13)
  }
}
