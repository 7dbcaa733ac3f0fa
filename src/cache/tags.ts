/**
 * What cached things were made of: values and pages carry tags, and whoever changes what a tag stands for
 * invalidates it. Knows as well what has been invalidated while something was being made.
 */
import { createError } from '../core/errors.ts'

/** Something kept under tags. */
export interface Tagged {
  readonly tags: readonly string[]
  /** One of its tags has been invalidated: nobody may get it any more. */
  drop(): void
}

/** Other processes that keep things under the same tags. */
export interface TagPeers {
  /** Something is kept here under a tag. */
  kept(): void
  /** These have been invalidated here. */
  invalidated(tags: readonly string[]): void
}

/** Of one value or page. */
export const MAX_TAGS = 1000
const MAX_TAG_LENGTH = 200
/** Tags whose last invalidation is remembered one by one: as many as can change while one page is made. */
const MAX_REMEMBERED = 10_000

export class Tags {
  /** Null: what is invalidated here is nobody else's business. */
  peers: TagPeers | null = null
  readonly #holders = new Map<string, Set<Tagged>>()
  /** Tag → number of its last invalidation, the latest last. */
  readonly #last = new Map<string, number>()
  #count = 0
  /** What began at or after this number can be judged; older makings cannot, and are never kept. */
  #floor = 0

  /** A point in time, for `isCurrent`: take it before you read what you cache. */
  get mark(): number {
    return this.#count
  }

  hold(one: Tagged): void {
    if (one.tags.length > 0) this.peers?.kept()
    for (const tag of one.tags) {
      const holders = this.#holders.get(tag)
      if (holders === undefined) this.#holders.set(tag, new Set([one]))
      else holders.add(one)
    }
  }

  release(one: Tagged): void {
    for (const tag of one.tags) {
      const holders = this.#holders.get(tag)
      if (holders?.delete(one) && holders.size === 0) this.#holders.delete(tag)
    }
  }

  /** Drops what carries one of `tags`, and what is being made of them is not kept; here and by all peers. */
  invalidate(tags: readonly string[]): void {
    this.invalidateHere(tags)
    this.peers?.invalidated(tags)
  }

  /** As `invalidate`, of what a peer has invalidated. */
  invalidateHere(tags: readonly string[]): void {
    const number = ++this.#count
    for (const tag of tags) {
      this.#last.delete(tag)
      this.#last.set(tag, number)
      for (const one of [...(this.#holders.get(tag) ?? [])]) one.drop()
    }
    for (const [tag, at] of this.#last) {
      if (this.#last.size <= MAX_REMEMBERED) break
      this.#last.delete(tag)
      this.#floor = at
    }
  }

  /** Drops all that carries tags: any of them may have been invalidated. */
  dropAll(): void {
    this.invalidateAll()
    for (const holders of [...this.#holders.values()]) for (const one of [...holders]) one.drop()
  }

  /** Nothing that is being made now is kept. */
  invalidateAll(): void {
    this.#floor = ++this.#count
    this.#last.clear()
  }

  /** Whether none of `tags` has been invalidated since `mark`. False also where that is not known any more. */
  isCurrent(tags: Iterable<string>, mark: number): boolean {
    if (mark < this.#floor) return false
    for (const tag of tags) if ((this.#last.get(tag) ?? 0) > mark) return false
    return true
  }
}

/** Throws UWAS_ERR_CACHE_TAG for what is no tag, or more of them than one thing can have. */
export function checkTags(tags: Iterable<string>): readonly string[] {
  const set = new Set(tags)
  const problem = problemOfTags(set)
  if (problem !== undefined) throw createError('UWAS_ERR_CACHE_TAG', { problem })
  return [...set]
}

/** Why nothing can be kept under these tags; undefined where it can. */
export function problemOfTags(tags: ReadonlySet<string>): string | undefined {
  for (const tag of tags) {
    if (typeof tag === 'string' && tag !== '' && tag.length <= MAX_TAG_LENGTH) continue
    return `${show(tag)} is none: it has 1 to ${MAX_TAG_LENGTH} characters`
  }
  return tags.size <= MAX_TAGS ? undefined : `${tags.size} are more than ${MAX_TAGS}`
}

function show(tag: unknown): string {
  if (typeof tag !== 'string') return `a value of type ${typeof tag}`
  return tag.length > 40 ? `${JSON.stringify(tag.slice(0, 40))}…` : JSON.stringify(tag)
}
