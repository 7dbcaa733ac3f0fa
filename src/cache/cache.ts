/**
 * The cache of a site's values: what took long to make is kept for the next one who asks. Views call it
 * (`cache(req)`), and whoever else has the site's services.
 */
import { createHash } from 'node:crypto'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { hintNearest } from '../core/nearest.ts'
import type { ServiceKey, Services } from '../core/services.ts'
import { checkTags } from './tags.ts'
import type { Entry, Lifetime, ValueStore } from './value-store.ts'
import { keep } from './values.ts'

/** How long a value is kept, and what ends it before. */
export interface SetOptions {
  /** Seconds for which it is used. Default: until it is invalidated, or others need its memory more. */
  readonly seconds?: number
  /** What it was made of: `invalidate` with one of them ends it. At most 1000, of 1 to 200 characters. */
  readonly tags?: readonly string[]
  /**
   * `cache.mark` from before the value's data were read: one that was invalidated since is not kept. Default:
   * the value is as of now.
   */
  readonly since?: number
}

/** How long `remember` uses what was made, and when an old value is better than none. */
export interface RememberOptions extends Pick<SetOptions, 'seconds' | 'tags'> {
  /** Seconds after that in which it is still used, while one caller's `make` runs for the next. Default 0. */
  readonly staleSeconds?: number
  /** Seconds after `seconds` in which it is used where `make` fails. Default 0. */
  readonly graceSeconds?: number
}

/** What `make` may say of the value that it makes. */
export interface Making {
  /** Adds tags that are known only from the data. */
  tag(...tags: string[]): void
}

/** Who looks on what a request is made of: `dependsOn` of a page that is being cached. */
interface Observer {
  dependsOn?(...tags: string[]): void
}

/** Longer keys are kept by their hash. */
const MAX_KEY_LENGTH = 250
/** A maker that takes longer keeps nobody else waiting. */
const MAX_WAIT_MS = 30_000
/** How often a maker that fails is called while there is an old value to use. */
const RETRY_MS = 2000
const OPTIONS = ['seconds', 'tags', 'since', 'staleSeconds', 'graceSeconds']
/** Stands in no prefix, so that a key of one namespace is never one of another. */
const END = '\u0001'

/**
 * Values by key. They are the site's own for this process: with several processes each has its own. Anything
 * may be forgotten at any time, when others are asked for more often.
 */
export class Cache {
  readonly #store: ValueStore
  readonly #log: Log
  readonly #prefix: string
  readonly #observer: Observer | null
  readonly #generation: number

  /** For `createCache` and `namespace`. */
  constructor(store: ValueStore, log: Log, prefix = '', observer: Observer | null = null) {
    this.#store = store
    this.#log = log
    this.#prefix = prefix
    this.#observer = observer
    this.#generation = store.generation
  }

  /** For `cache()`: what is read is told to `observer`. */
  observedBy(observer: Observer): Cache {
    return new Cache(this.#store, this.#log, this.#prefix, observer)
  }

  /**
   * A cache of its own inside of this one, whose keys nobody else's are; another `version` finds nothing
   * of the last. `name` has no control characters. Throws UWAS_ERR_CACHE_OPTION.
   */
  namespace(name: string, version: number | string = 1): Cache {
    const part = `${name}\u0000${version}\u0000`
    if (name === '' || part.includes(END) || part.split('\u0000').length !== 3) {
      throw wrong(`${JSON.stringify(name)}, version ${JSON.stringify(version)} names no namespace`)
    }
    return new Cache(this.#store, this.#log, this.#prefix + part, this.#observer)
  }

  /**
   * The value, or undefined. Objects and lists are frozen, unless there are dates, maps or bytes in them: then
   * it is a copy. The caller says of which type it is.
   */
  get<T>(key: string): T | undefined {
    const entry = this.#store.findFresh(this.#id(key))
    if (entry !== undefined) return this.#hit(entry) as T
    this.#store.misses++
    return undefined
  }

  /**
   * Keeps plain data: UWAS_ERR_CACHE_VALUE for what would lose something. False when it is not kept: others are
   * asked for more often, or it is older than an invalidation. Throws UWAS_ERR_CACHE_TAG, _OPTION.
   */
  set(key: string, value: unknown, options: SetOptions = {}): boolean {
    checkOptions(options)
    const tags = checkTags(options.tags ?? [])
    const id = this.#id(key)
    const kept = keep(value, key)
    this.#observer?.dependsOn?.(...tags)
    if (options.since !== undefined && !this.#store.tags.isCurrent(tags, options.since))
      return false
    return this.#store.put(id, kept, tags, lifetimeOf(options), this.#generation)
  }

  /**
   * As `set`, where there is no value yet, or it is not used any more. False when there is one. An old value that
   * `remember` may still use for a while counts as none.
   */
  add(key: string, value: unknown, options: SetOptions = {}): boolean {
    if (this.#store.findFresh(this.#id(key)) !== undefined) return false
    return this.set(key, value, options)
  }

  /** True when there was one. What is being made for the key is not kept either. */
  delete(key: string): boolean {
    return this.#store.delete(this.#id(key))
  }

  /**
   * Adds to a number and gives the sum; one that is missing is 0. `options` count for one that is made: an old
   * one keeps its time. Throws UWAS_ERR_CACHE_NUMBER where the value or the sum is no number.
   */
  increment(key: string, by = 1, options: SetOptions = {}): number {
    const id = this.#id(key)
    const entry = this.#store.findFresh(id)
    const before = entry === undefined ? 0 : entry.kept.read()
    const sum = typeof before === 'number' && typeof by === 'number' ? before + by : Number.NaN
    if (!Number.isFinite(sum)) {
      const found = typeof before === 'number' ? `${before} + ${String(by)}` : `a ${typeof before}`
      const problem = `${JSON.stringify(key)} is ${found}, and not a number`
      throw createError('UWAS_ERR_CACHE_NUMBER', { problem })
    }
    if (entry === undefined) {
      this.set(key, sum, options)
      return sum
    }
    entry.use()
    const uses = entry.uses
    this.#store.put(id, keep(sum, key), entry.tags, entry.lifetime, this.#generation, uses)
    return sum
  }

  /**
   * The value, or what `make` returns, kept for the next ones. However many ask at a time, `make` runs once. A
   * value whose tags are invalidated while it is made is not kept, and nobody gets it who asked after that.
   * With `staleSeconds` an old value is used while the next one is made, with `graceSeconds` where that fails.
   * A failure is the failure of those who waited, after one more try; the next caller begins anew. Do not
   * make values from inside a transaction: others would see what may be rolled back.
   * Rejects with what `make` throws, and as `set`.
   */
  async remember<T>(
    key: string,
    options: RememberOptions,
    make: (making: Making) => T | Promise<T>,
  ): Promise<T> {
    const store = this.#store
    const id = this.#id(key)
    const fresh = store.findFresh(id)
    if (fresh !== undefined) return this.#hit(fresh) as T
    const stale = store.find(id)
    if (stale !== undefined && performance.now() < stale.lifetime.staleUntil) {
      if (!store.flights.has(id)) {
        this.#make(id, key, options, make).catch((error) => {
          this.#log.error(`the cached value ${JSON.stringify(key)} could not be made anew`, error)
        })
      }
      return this.#hit(stale) as T
    }
    store.misses++
    return this.#join(id, key, options, make)
  }

  /** Drops all values and pages that carry one of the tags. In `tx.onCommit` a writer reads what it has written. */
  invalidate(...tags: string[]): void {
    this.#store.tags.invalidate(checkTags(tags))
  }

  /** Drops all values of this cache, or of the namespace and those inside of it. */
  clear(): void {
    this.#store.clear(this.#prefix)
  }

  /**
   * A point in time, for `since` of `set`. What cannot wait, a fragment of a template, uses `get` and `set` with
   * the mark from before its page's data were read.
   */
  get mark(): number {
    return this.#store.tags.mark
  }

  /** Since the start, of all values of the process; `bytes` are about what they take now. */
  get stats(): { readonly values: number; bytes: number; hits: number; misses: number } {
    const { count, budget, hits, misses } = this.#store
    return { values: count, bytes: budget.bytes, hits, misses }
  }

  #hit(entry: Entry): unknown {
    this.#store.hits++
    return this.#read(entry)
  }

  #read(entry: Entry): unknown {
    entry.use()
    if (entry.tags.length > 0) this.#observer?.dependsOn?.(...entry.tags)
    return entry.kept.read()
  }

  /** Waits for who makes the value already, or makes it. */
  async #join<T>(
    id: string,
    key: string,
    options: RememberOptions,
    make: (making: Making) => T | Promise<T>,
  ): Promise<T> {
    const { flights, tags } = this.#store
    let hasFailed = false
    for (let round = 0; round < 3; round++) {
      const flight = flights.get(id)
      const isStuck = flight !== undefined && performance.now() - flight.startedAt > MAX_WAIT_MS
      if (flight === undefined || isStuck) break
      const { mark } = tags
      try {
        const value = (await flight.promise) as T
        if (mark === flight.mark || tags.isCurrent(flight.tags, flight.mark)) {
          this.#observer?.dependsOn?.(...flight.tags)
          return value
        }
      } catch (error) {
        // It may have been the other's own: its client gone, its time over.
        if (hasFailed) throw error
        hasFailed = true
      }
    }
    return this.#make(id, key, options, make)
  }

  async #make<T>(
    id: string,
    key: string,
    options: RememberOptions,
    make: (making: Making) => T | Promise<T>,
  ): Promise<T> {
    checkOptions(options)
    const { flights, tags } = this.#store
    const own = new Set(checkTags(options.tags ?? []))
    const { mark } = tags
    const making: Making = {
      tag(...more) {
        for (const tag of checkTags(more)) own.add(tag)
      },
    }
    const run = async (): Promise<unknown> => {
      const value = await make(making)
      const kept = keep(value, key)
      const list = checkTags(own)
      if (flights.get(id) === flight && tags.isCurrent(list, mark)) {
        this.#store.put(id, kept, list, lifetimeOf(options), this.#generation)
      }
      return kept.read()
    }
    const promise = Promise.resolve().then(run)
    const flight = { promise, mark, tags: own, startedAt: performance.now() }
    flights.set(id, flight)
    try {
      const value = (await promise) as T
      this.#observer?.dependsOn?.(...own)
      return value
    } catch (error) {
      return this.#old<T>(id, key, error)
    } finally {
      if (flights.get(id) === flight) flights.delete(id)
    }
  }

  /** The value of before where it may still be used; else the error. */
  #old<T>(id: string, key: string, error: unknown): T {
    const entry = this.#store.find(id)
    if (entry === undefined) throw error
    const words = error instanceof Error ? error.message : String(error)
    this.#log.warn(`the cached value ${JSON.stringify(key)} is used on, making it anew: ${words}`)
    // Nobody waits for a maker that has just failed.
    entry.lifetime.freshUntil = Math.min(performance.now() + RETRY_MS, entry.until)
    return this.#read(entry) as T
  }

  #id(key: string): string {
    if (typeof key !== 'string' || key === '') {
      const value = key === '' ? 'empty' : `a value of type ${typeof key}`
      throw createError('UWAS_ERR_CACHE_KEY', { value })
    }
    if (key.length <= MAX_KEY_LENGTH) return `${this.#prefix}${END}${key}`
    const hash = createHash('sha256').update(key, 'utf16le').digest('base64')
    return `${this.#prefix}${END}${END}${hash}`
  }
}

/** Names the cache among the services of a site. */
export const CACHE: ServiceKey<Cache> = { name: 'cache', hint: 'serve it with uwas, which has one' }

/**
 * The cache of the site that `on` belongs to: a request, or anything with its services. What a view reads from
 * it becomes a part of what its page depends on, if that page is cached.
 */
export function cache(on: { readonly services: Services } & Observer): Cache {
  const found = on.services.get(CACHE)
  return on.dependsOn === undefined ? found : found.observedBy(on)
}

function lifetimeOf({ seconds, ...more }: SetOptions & RememberOptions): Lifetime {
  const { staleSeconds = 0, graceSeconds = 0 } = more
  const freshUntil =
    seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000
  return {
    freshUntil,
    staleUntil: freshUntil + staleSeconds * 1000,
    graceUntil: freshUntil + graceSeconds * 1000,
  }
}

function checkOptions(options: SetOptions & RememberOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.includes(name)) throw wrong(`no option "${name}"${hintNearest(name, OPTIONS)}`)
    if (name === 'tags' || value === undefined) continue
    const isNumber = typeof value === 'number' && value >= 0 && Number.isFinite(value)
    if (!isNumber) throw wrong(`${name} is ${String(value)}; it has to be a number from 0 on`)
  }
}

function wrong(problem: string): Error {
  return createError('UWAS_ERR_CACHE_OPTION', { problem })
}
