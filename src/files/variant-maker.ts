/**
 * Makes encoded representations in the background: at once for what a client asks for, and for small
 * sites all of them after the start. What was made once is found again by the hash of the file.
 */
import type { Log } from '../core/log.ts'
import { strongEtag } from '../http/etag.ts'
import { CODINGS, Compressor } from './compress.ts'
import type { Contents, Origin } from './contents.ts'
import type { Encoded, FileEntry, VariantMaker } from './entry.ts'
import { hashOf, type Store } from './store.ts'
import { type Made, VariantIndex } from './variant-index.ts'

export interface MakerOptions {
  readonly store: Store
  readonly contents: Contents
  readonly log: Log
  /** Whether what is offered is made, too. */
  readonly isAhead: boolean
}

/** Of what is offered and not asked for: as much as takes a few seconds of an idle core. */
const MAX_OFFERED_BYTES = 8 * 1024 * 1024
/** The start has better things to do. */
const OFFER_DELAY_MS = 500

/** Reads what earlier servers of the same store have made. */
export async function createVariantMaker(options: MakerOptions): Promise<BackgroundMaker> {
  return new BackgroundMaker(options, await VariantIndex.open(options.store.dir, CODINGS))
}

/** Made by `createVariantMaker`. */
export class BackgroundMaker implements VariantMaker {
  readonly #options: MakerOptions
  readonly #index: VariantIndex
  readonly #compressor = new Compressor()
  readonly #wanted: FileEntry[] = []
  #offered: FileEntry[] = []
  #offeredBytes = 0
  #timer: NodeJS.Timeout | null = null
  #isRunning = false
  #isClosed = false
  /** Without a folder the store keeps what somebody else keeps. */
  readonly #kept = new WeakMap<FileEntry, readonly ArrayBuffer[]>()

  constructor(options: MakerOptions, index: VariantIndex) {
    this.#options = options
    this.#index = index
  }

  offer(entry: FileEntry): void {
    const bytes = entry.ok.length
    if (!this.#options.isAhead) return
    if (this.#isClosed || this.#offeredBytes + bytes > MAX_OFFERED_BYTES) return
    if (this.#index.get(sourceOf(entry)) !== undefined) return
    this.#offeredBytes += bytes
    this.#offered.push(entry)
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#run()
    }, OFFER_DELAY_MS).unref()
  }

  want(entry: FileEntry): void {
    entry.maker = null
    const made = this.#index.get(sourceOf(entry))
    if (made !== undefined) this.#apply(entry, made)
    else if (!this.#isClosed) {
      this.#wanted.push(entry)
      this.#run()
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#wanted.length = 0
    this.#offered = []
    this.#compressor.close()
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#work().finally(() => {
      this.#isRunning = false
    })
  }

  async #work(): Promise<void> {
    for (let entry = this.#next(); entry !== undefined; entry = this.#next()) {
      try {
        await this.#make(entry)
      } catch (error) {
        if (this.#isClosed) return
        const { message } = error as Error
        this.#options.log.warn(`a file is sent without compression: ${message}`)
      }
    }
  }

  #next(): FileEntry | undefined {
    const entry = this.#wanted.shift() ?? this.#offered.shift()
    if (entry === undefined) this.#offeredBytes = 0
    return entry
  }

  async #make(entry: FileEntry): Promise<void> {
    entry.maker = null
    if (entry.made.length > 0 || hasAllSiblings(entry)) return
    const source = sourceOf(entry)
    const known = await this.#index.look(source)
    if (known !== undefined) this.#apply(entry, known)
    else await this.#compress(entry, source)
  }

  async #compress(entry: FileEntry, source: string): Promise<void> {
    const { store, log } = this.#options
    const { content } = entry.ok
    if (content === null) return
    const made: Made[] = []
    const fresh = new Map<string, ArrayBuffer>()
    const encoded = await this.#compressor.compress(await content.load())
    for (const [coding, bytes] of encoded) {
      if (!isWorthIt(bytes.byteLength, content.length)) continue
      const hash = hashOf(bytes)
      fresh.set(hash, await store.put(hash, bytes))
      made.push({ coding, hash, length: bytes.byteLength })
    }
    await this.#index.set(source, made).catch((error: Error) => {
      log.warn(`the next start will compress again: ${error.message}`)
    })
    if (store.dir === null) this.#kept.set(entry, [...fresh.values()])
    if (!this.#isClosed) this.#apply(entry, made, fresh)
  }

  #apply(
    entry: FileEntry,
    made: readonly Made[],
    fresh: ReadonlyMap<string, ArrayBuffer> = new Map(),
  ): void {
    const { contents } = this.#options
    const encoded = made.map(({ coding, hash, length }): Encoded => {
      const origin = this.#originOf(entry)
      const bytes = fresh.get(hash)
      const content =
        bytes === undefined
          ? contents.reserve(hash, length, origin)
          : contents.acquire(hash, bytes, origin)
      return { coding, etag: strongEtag(hash), content, open: null, length }
    })
    if (encoded.length > 0) contents.attach(entry, encoded)
  }

  /** The store has lost the object: whoever waits for it is told to come back, all others get the file. */
  #originOf(entry: FileEntry): Origin {
    const source = sourceOf(entry)
    const weak = new WeakRef(entry)
    return {
      path: 'a compressed file',
      read: async () => {
        this.#index.forget(source)
        const lost = weak.deref()
        if (lost !== undefined) {
          this.#options.contents.attach(lost, [])
          lost.maker = this
        }
        return null
      },
    }
  }
}

/** The hash of a stored file, which is its tag. */
function sourceOf(entry: FileEntry): string {
  return entry.etag.slice(1, -1)
}

function hasAllSiblings({ siblings }: FileEntry): boolean {
  return CODINGS.every((coding) => siblings.some((one) => one.coding === coding))
}

/** A sixteenth, and more than the fields cost that an encoded reply has in addition. */
function isWorthIt(encodedBytes: number, bytes: number): boolean {
  return bytes - encodedBytes >= Math.max(64, bytes / 16)
}
