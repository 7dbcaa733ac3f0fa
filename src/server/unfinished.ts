/** The exchanges of a lane that go on after the engine's call, and what becomes of files that cannot be sent. */
import { statusOf } from '../http/http-error.ts'
import type { Application } from './application.ts'
import type { Exchange } from './exchange.ts'
import type { FileHost } from './file-writer.ts'
import type { Heads } from './heads.ts'
import { writeReply } from './native-writer.ts'
import { refusal } from './refusal.ts'

export class Unfinished implements FileHost {
  /** Replies that have been begun and not finished. */
  count: number
  readonly #lane: { readonly application: Application }
  readonly #heads: Heads

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

  /** A file that is no longer what it was, or cannot be read, and of which nothing has been sent. */
  fail(exchange: Exchange, error: unknown): void {
    const status = statusOf(error)
    if (status >= 500) this.#lane.application.log.error('reading a file failed', error)
    const reply = refusal(status)
    this.begin(exchange)
    writeReply(exchange, reply, this.#heads.of(reply))
  }

  logCut(error: unknown): void {
    this.#lane.application.log.error('sending a file failed', error)
  }
}
