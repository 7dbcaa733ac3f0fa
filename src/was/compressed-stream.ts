/**
 * A body that is compressed while it is made. Each chunk of the source leaves before the next one is
 * asked for, so an event or a half page reaches the reader when it was written.
 */
import type { Coding } from '../http/accept-encoding.ts'
import { type Compressor, createCompressor } from './codings.ts'

type Source = AsyncIterable<string | Uint8Array>

/** The compressor is made with the first `next()`: a HEAD request never needs it. */
export class CompressedStream implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<string | Uint8Array>
  readonly #coding: Coding
  #compressor: Compressor | null
  #made: Uint8Array[]
  #isDone: boolean

  constructor(source: Source, coding: Coding) {
    this.#source = source[Symbol.asyncIterator]()
    this.#coding = coding
    this.#compressor = null
    this.#made = []
    this.#isDone = false
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Rejects with what the source rejects with. */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      while (!this.#isDone) {
        const item = await this.#source.next()
        if (this.#isDone) break
        this.#isDone = item.done === true
        await (item.done ? this.#end() : this.#feed(item.value))
        const made = this.#take()
        if (made !== null) return { done: false, value: made }
      }
    } catch (error) {
      this.#close()
      // Harmless where the source itself has failed; needed where the compressor has.
      Promise.resolve(this.#source.return?.()).catch(() => {})
      throw error
    }
    this.#close()
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#close()
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  #feed(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length === 0) return Promise.resolve()
    const { stream, flush } = this.#open()
    return new Promise((resolve, reject) => {
      stream.once('error', reject)
      stream.write(chunk)
      stream.flush(flush, () => {
        stream.off('error', reject)
        resolve()
      })
    })
  }

  #end(): Promise<void> {
    const { stream } = this.#open()
    return new Promise((resolve, reject) => {
      stream.once('error', reject)
      stream.once('end', resolve)
      stream.end()
    })
  }

  #open(): Compressor {
    if (this.#compressor === null) {
      this.#compressor = createCompressor(this.#coding)
      this.#compressor.stream.on('data', (bytes: Uint8Array) => this.#made.push(bytes))
    }
    return this.#compressor
  }

  #take(): Uint8Array | null {
    const made = this.#made
    if (made.length === 0) return null
    this.#made = []
    return made.length === 1 ? (made[0] as Uint8Array) : Buffer.concat(made)
  }

  #close(): void {
    this.#isDone = true
    this.#made = []
    this.#compressor?.stream.destroy()
    this.#compressor = null
  }
}
