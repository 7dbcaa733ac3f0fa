/**
 * Compressed representations of cached pages: at once and quickly in the coding of whom a page is made for, soon in
 * the others, and at its best, in a thread of its own, for pages that are asked for often.
 */
import type { Log } from '../core/log.ts'
import { Compressor } from '../files/compress.ts'
import type { VariantMaker } from '../files/entry.ts'
import { acceptedCodings, type Coding } from '../http/accept-encoding.ts'
import { CODINGS, compressAsync, compressNow } from '../was/codings.ts'
import { chooseCoding } from '../was/compress.ts'
import type { Page } from './page.ts'
import type { PageStore } from './page-store.ts'

/** Up to here the event loop compresses by itself; above, other threads. */
const MAX_BYTES_ON_LOOP = 16 * 1024
/** A page that was sent as often is worth a core's time. */
const BEST_USES = 100
/** Pages that wait for it; more are sent as they are compressed already. */
const MAX_WAITING = 100

type Encodings = Map<Coding, Uint8Array>

export class PageVariants {
  readonly #store: PageStore
  readonly #log: Log
  readonly #compressor = new Compressor()
  readonly #waiting: Page[] = []
  #isRunning = false

  constructor(store: PageStore, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** For the entry of a page that may be compressed; `pageOf` gives it when the first client takes a coding. */
  makerFor(pageOf: () => Page): VariantMaker {
    return { offer: () => {}, want: () => this.#want(pageOf()) }
  }

  /** What the first client takes. Done at once for all but large pages. */
  async makeFirst(page: Page, acceptEncoding: string): Promise<void> {
    const coding = page.entry.isNegotiated ? chooseCoding(acceptedCodings(acceptEncoding)) : null
    if (coding === null || page.entry.maker === null) return
    const bytes = bytesOf(page)
    try {
      const encoded =
        bytes.byteLength <= MAX_BYTES_ON_LOOP
          ? compressNow(bytes, coding)
          : await compressAsync(bytes, coding)
      this.#apply(page, new Map([[coding, encoded]]))
    } catch (error) {
      this.#tell(page, error)
    }
  }

  close(): void {
    this.#waiting.length = 0
    this.#compressor.close()
  }

  #want(page: Page): void {
    const { entry } = page
    const missing = CODINGS.filter((one) => !entry.made.some(({ coding }) => coding === one))
    if (missing.length > 0 && page.variants === 'first') {
      page.variants = 'quick'
      void this.#makeQuick(page, missing)
    } else if (page.uses >= BEST_USES && this.#waiting.length < MAX_WAITING) {
      entry.maker = null
      this.#waiting.push(page)
      if (!this.#isRunning) void this.#run()
    }
  }

  async #makeQuick(page: Page, codings: readonly Coding[]): Promise<void> {
    try {
      const bytes = bytesOf(page)
      const made = await Promise.all(
        codings.map(async (coding) => [coding, await compressAsync(bytes, coding)] as const),
      )
      this.#apply(page, new Map(made))
    } catch (error) {
      this.#tell(page, error)
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let page = this.#waiting.shift(); page !== undefined; page = this.#waiting.shift()) {
      if (page.place < 0) continue
      try {
        const encoded = await this.#compressor.compress(page.entry.ok.content?.bytes as ArrayBuffer)
        this.#apply(page, new Map(encoded))
      } catch (error) {
        this.#tell(page, error)
      }
    }
    this.#isRunning = false
  }

  /** Those that save a sixteenth, and more than their fields cost; those that are there stay if they are as small. */
  #apply(page: Page, encoded: Encodings): void {
    const { length } = bytesOf(page)
    for (const [coding, bytes] of encoded) {
      if (length - bytes.byteLength < Math.max(64, length / 16)) encoded.delete(coding)
    }
    for (const { coding, content } of page.entry.made) {
      const fresh = encoded.get(coding)
      if (!content?.bytes || (fresh !== undefined && fresh.byteLength < content.length)) continue
      encoded.set(coding, new Uint8Array(content.bytes))
    }
    this.#store.resize(page, () => page.setEncoded(encoded))
  }

  #tell({ key }: Page, error: unknown): void {
    const { message } = error as Error
    this.#log.warn(`the cached page ${key.target} is sent without compression: ${message}`)
  }
}

function bytesOf(page: Page): Uint8Array {
  return new Uint8Array(page.entry.ok.content?.bytes as ArrayBuffer)
}
