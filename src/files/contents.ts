/**
 * All contents of a catalogue by their hash: equal files share one. Gets bytes from the store, or, when
 * the object has vanished, from the file once more. Called by the loader and by the makers of entries.
 */
import type { Budget } from '../cache/budget.ts'
import { createError } from '../core/errors.ts'
import { Content, type ContentOwner, type TakenCounts } from './content.ts'
import type { Encoded, FileEntry } from './entry.ts'
import { hashOf, type Store } from './store.ts'
import { refreshVariants } from './variants.ts'

/** Where to look when the store has lost an object. */
export interface Origin {
  /** Names the file in messages. */
  readonly path: string
  /** Its present bytes, whatever they are; null when it cannot be read. */
  read(): Promise<Uint8Array | null>
  /** True for a version of the past: without its object it is gone for good. */
  readonly isPast?: boolean
}

interface Known {
  readonly hash: string
  readonly content: Content
  origin: Origin | null
  /** Whether the object may be believed without hashing it. */
  isTrusted: boolean
}

export class Contents implements ContentOwner {
  readonly taken: TakenCounts = { takes: 0, misses: 0 }
  readonly #store: Store
  readonly #budget: Budget
  readonly #byHash = new Map<string, Known>()
  /** Contents of the variants of an entry. */
  readonly #attached = new WeakMap<FileEntry, readonly Content[]>()
  /** Entries that have been replaced. */
  readonly #dropped = new WeakSet<FileEntry>()
  /** Outlives the last user: a reply that was begun may still want the bytes. */
  readonly #known = new WeakMap<Content, Known>()

  constructor(store: Store, createBudget: (known: () => Iterable<Content>) => Budget) {
    this.#store = store
    this.#budget = createBudget(() => this.#all())
  }

  get budget(): Budget {
    return this.#budget
  }

  /**
   * The content of these bytes, for one more user, who gives it back with `release`. It keeps `bytes` if
   * the budget allows.
   */
  acquire(hash: string, bytes: ArrayBuffer, origin: Origin | null): Content {
    const known = this.#acquire(hash, bytes.byteLength, origin)
    known.isTrusted = true
    this.#keep(known.content, bytes)
    return known.content
  }

  /**
   * The content of an object that the store should have, for one more user: in memory when the budget
   * allows, else loaded on demand. Null when there is room for it, and the store does not have it.
   */
  recall(hash: string, length: number, trusted: boolean, origin: Origin | null): Content | null {
    const known = this.#acquire(hash, length, origin)
    const { content } = known
    known.isTrusted ||= trusted
    if (content.bytes !== null || !this.#budget.admit(content)) return content
    const bytes = this.#store.find(hash, length, !known.isTrusted)
    if (bytes === null) {
      this.#budget.remove(content)
      this.release(content)
      return null
    }
    known.isTrusted = true
    content.bytes = bytes
    return content
  }

  /** As `recall`, but never in memory before somebody asks: for what will hardly be asked for. */
  reserve(hash: string, length: number, origin: Origin | null = null): Content {
    return this.#acquire(hash, length, origin).content
  }

  release(content: Content): void {
    if (--content.users > 0) return
    this.#byHash.delete((this.#known.get(content) as Known).hash)
    this.#budget.remove(content)
  }

  /**
   * Gives an entry the encodings that were made of it, whose contents it uses from then on. Those
   * that it had, or these when the entry has been replaced meanwhile, are released.
   */
  attach(entry: FileEntry, encoded: readonly Encoded[]): void {
    const contents = encoded.flatMap(({ content }) => content ?? [])
    if (this.#dropped.has(entry)) return this.#releaseAll(contents)
    const before = this.#attached.get(entry) ?? []
    entry.made = encoded
    refreshVariants(entry)
    this.#attached.set(entry, contents)
    this.#releaseAll(before)
  }

  /** Releases what an entry uses but for its own content, which belongs to its source. */
  drop(entry: FileEntry): void {
    this.#dropped.add(entry)
    this.#releaseAll(this.#attached.get(entry) ?? [])
    this.#attached.delete(entry)
  }

  #releaseAll(contents: readonly Content[]): void {
    for (const content of contents) this.release(content)
  }

  async load(content: Content): Promise<ArrayBuffer> {
    const known = this.#known.get(content) as Known
    const isKept = content.users > 0 && this.#budget.admit(content)
    try {
      const bytes = await this.#read(known, isKept)
      if (isKept && content.place >= 0) content.bytes = bytes
      return bytes
    } catch (error) {
      this.#budget.remove(content)
      throw error
    }
  }

  async #read(known: Known, isKept: boolean): Promise<ArrayBuffer> {
    const { hash, content } = known
    const stored = await this.#store.load(hash, content.length, isKept, !known.isTrusted)
    if (stored !== null) {
      known.isTrusted = true
      return stored
    }
    const bytes = (await known.origin?.read()) ?? null
    if (bytes === null || hashOf(bytes) !== hash) {
      const code = known.origin?.isPast ? 'UWAS_ERR_FILES_GONE' : 'UWAS_ERR_FILES_CHANGED'
      throw createError(code, { path: known.origin?.path ?? 'the file' })
    }
    return this.#store.put(hash, bytes)
  }

  #acquire(hash: string, length: number, origin: Origin | null): Known {
    let known = this.#byHash.get(hash)
    if (known === undefined) {
      known = { hash, content: new Content(length, null, this), origin, isTrusted: false }
      this.#byHash.set(hash, known)
      this.#known.set(known.content, known)
    }
    known.origin = origin ?? known.origin
    known.content.users++
    return known
  }

  *#all(): Iterable<Content> {
    for (const { content } of this.#byHash.values()) yield content
  }

  #keep(content: Content, bytes: ArrayBuffer): void {
    if (content.bytes === null && this.#budget.admit(content)) content.bytes = bytes
  }
}
