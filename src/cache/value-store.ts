/**
 * The values of all caches of a process by their whole keys, within one budget. Called by `cache.ts`, which
 * decides what is made and when.
 */
import { Budget, type Memory, type Resident } from './budget.ts'
import { Frequency } from './frequency.ts'
import { type Tagged, Tags } from './tags.ts'
import type { Kept } from './values.ts'

/** When a value may be used, in milliseconds of `performance.now()`. */
export interface Lifetime {
  freshUntil: number
  /** Until then it is used while it is made anew. */
  readonly staleUntil: number
  /** Until then it is used where making it anew fails. */
  readonly graceUntil: number
}

/** What an entry takes besides its key and its value, in bytes, about: objects, places in maps. */
const OVERHEAD = 300
const TAG_OVERHEAD = 100
const MAX_USES = 255
/** Entries that are looked at for each one that is put in: those that nobody asks for any more leave. */
const SWEEP = 2

/** A value that is being made, for all who wait for it. */
export interface Flight {
  readonly promise: Promise<unknown>
  /** When it began: `Tags.mark`. */
  readonly mark: number
  /** Those that are known by now. */
  readonly tags: ReadonlySet<string>
  readonly startedAt: number
}

export class Entry implements Resident, Tagged {
  readonly key: string
  readonly kept: Kept
  readonly tags: readonly string[]
  readonly lifetime: Lifetime
  readonly length: number
  uses: number
  place: number
  readonly #isEndless: boolean
  readonly #drop: (entry: Entry) => void

  constructor(
    key: string,
    kept: Kept,
    tags: readonly string[],
    lifetime: Lifetime,
    drop: (entry: Entry) => void,
  ) {
    this.key = key
    this.kept = kept
    this.tags = tags
    this.lifetime = lifetime
    const tagBytes = tags.reduce((sum, tag) => sum + 2 * tag.length + TAG_OVERHEAD, 0)
    this.length = kept.length + 2 * key.length + tagBytes + OVERHEAD
    this.uses = 0
    this.place = -1
    this.#isEndless = lifetime.freshUntil === Number.POSITIVE_INFINITY
    this.#drop = drop
  }

  /** Whether it may be used as it is. Where that never ends, the clock is not asked. */
  get isFresh(): boolean {
    return this.#isEndless || performance.now() < this.lifetime.freshUntil
  }

  /** Until when anybody may get it. */
  get until(): number {
    return Math.max(this.lifetime.staleUntil, this.lifetime.graceUntil)
  }

  use(): void {
    if (this.uses < MAX_USES) this.uses++
  }

  evict(): void {
    this.#drop(this)
  }

  drop(): void {
    this.#drop(this)
  }
}

export class ValueStore {
  readonly tags: Tags
  readonly budget: Budget
  readonly flights = new Map<string, Flight>()
  hits = 0
  misses = 0
  readonly #entries = new Map<string, Entry>()
  readonly frequency: Frequency
  #sweeping: Iterator<Entry>
  /** What an earlier one puts in is not taken: its code may have meant something else by the same key. */
  #generation = 0

  constructor(maxBytes: number, memory: Memory) {
    this.tags = new Tags()
    this.budget = new Budget(maxBytes, { memory })
    this.frequency = new Frequency()
    this.#sweeping = this.#entries.values()
  }

  get generation(): number {
    return this.#generation
  }

  get count(): number {
    return this.#entries.size
  }

  /** What is there and may be used as it is. */
  findFresh(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.isFresh) return entry
    this.find(key)
    return undefined
  }

  /** What is there, perhaps stale; undefined when nobody may use it any more. */
  find(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || performance.now() < entry.until) return entry
    this.#remove(entry)
    return undefined
  }

  /** False when the budget has no room for it: others are asked for more often. `uses`: what is known of its key. */
  put(
    key: string,
    kept: Kept,
    tags: readonly string[],
    lifetime: Lifetime,
    generation: number,
    uses = this.frequency.count(key),
  ): boolean {
    this.delete(key)
    if (generation !== this.#generation) return false
    this.#sweep()
    const entry = new Entry(key, kept, tags, lifetime, (one) => this.#remove(one))
    entry.uses = uses
    if (!this.budget.admit(entry)) return false
    this.#entries.set(key, entry)
    this.tags.hold(entry)
    return true
  }

  /** What is being made for the key is not kept either. True when there was something. */
  delete(key: string): boolean {
    this.flights.delete(key)
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  /** All whose key begins with `prefix`. */
  clear(prefix: string): void {
    for (const key of [...this.flights.keys()]) {
      if (key.startsWith(prefix)) this.flights.delete(key)
    }
    for (const entry of [...this.#entries.values()]) {
      if (entry.key.startsWith(prefix)) this.#remove(entry)
    }
  }

  /** Nothing is kept of what is there, or is being made. */
  forgetAll(): void {
    this.clear('')
    this.tags.invalidateAll()
  }

  /** Begins anew, for new code of the site. */
  renew(): void {
    this.#generation++
    this.forgetAll()
  }

  #remove(entry: Entry): void {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key)
    this.budget.remove(entry)
    this.tags.release(entry)
  }

  #sweep(): void {
    for (let i = 0; i < SWEEP; i++) {
      const next = this.#sweeping.next()
      if (next.done === true) {
        this.#sweeping = this.#entries.values()
        return
      }
      if (performance.now() >= next.value.until) this.#remove(next.value)
    }
  }
}
