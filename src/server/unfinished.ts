/** The exchanges of a lane that go on after the engine's call, and what becomes of files that cannot be sent. */
import type { OpenFile } from '../files/entry.ts'
import { statusOf } from '../http/http-error.ts'
import type { Application } from './application.ts'
import type { Exchange } from './exchange.ts'
import type { FileHost } from './file-writer.ts'
import type { Heads } from './heads.ts'
import { writeReply } from './native-writer.ts'
import { refusal } from './refusal.ts'

/** Changes are served within a second. */
const RETRY_AFTER_SECONDS = '1'

export class Unfinished implements FileHost {
  /** Replies that have been begun and not finished. */
  count: number
  readonly #lane: { readonly application: Application }
  readonly #heads: Heads
  /** A version of a file has one, and takes it along. */
  readonly #told = new WeakSet<OpenFile>()

  constructor(lane: { readonly application: Application }, heads: Heads) {
    this.count = 0
    this.#lane = lane
    this.#heads = heads
  }

  /** Counts the exchange as unfinished until it is done. */
  begin(exchange: Exchange): void {
    if (exchange.onDone !== null) return
    this.count++
    exchange.onDone = () => {
      this.count--
    }
  }

  /**
   * A file that is no longer what it was, or cannot be read, and of which nothing has been sent. One that has
   * changed is there again in a moment: until then all its clients are told so, and the log once.
   */
  fail(exchange: Exchange, error: unknown, opening: OpenFile | null = null): void {
    const status = statusOf(error)
    const reply = refusal(status)
    if (status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS)
    if (status >= 500) this.#tell(status, error, opening)
    this.begin(exchange)
    writeReply(exchange, reply, this.#heads.of(reply))
  }

  #tell(status: number, error: unknown, opening: OpenFile | null): void {
    const { log } = this.#lane.application
    if (status !== 503 || opening === null) return log.error('reading a file failed', error)
    if (this.#told.has(opening)) return
    this.#told.add(opening)
    log.warn(`a file could not be sent: ${(error as Error).message}`)
  }

  logCut(error: unknown): void {
    this.#lane.application.log.error('sending a file failed', error)
  }
}
