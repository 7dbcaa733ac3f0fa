/** One request and its reply on the native lane, from the engine's call to the last byte that is handed over. */
import type { ExchangeRecord } from '../observe/exchange-record.ts'
import type { Deadlines, Watched } from './deadlines.ts'
import type { EngineResponse } from './engine-types.ts'
import type { Upload } from './upload-pace.ts'

/** One exchange on a connection: the engine's response and what has become of it. */
export class Exchange implements Watched {
  readonly res: EngineResponse
  readonly isHead: boolean
  /** True when the reply ends the connection. */
  close: boolean
  /** True when the client's own field made the engine close: it then announces nothing. */
  readonly closesByItself: boolean
  /** The client has gone: `res` must not be touched any more. */
  aborted: boolean
  /** Called when the client goes away before the reply is complete. */
  onAbort: (() => void) | null
  /** Called when a body fails while it is sent; the connection is cut. */
  onError: ((error: unknown) => void) | null
  /** Called before the last bytes of a streamed reply are handed over, while `res` may be touched. */
  onEnding: (() => void) | null
  /** Called once, when the reply has been handed over completely, cut or given up. */
  onDone: (() => void) | null
  /** For the lane: its request hears of its end. */
  hasRequest: boolean
  /** The reply has been handed over completely, cut or given up. */
  isDone: boolean
  /** Ends the writer's present wait. */
  wake: (() => void) | null
  startedAt: number
  waitedMs: number
  waitingSince: number
  markBytes: number
  markAt: number
  /** Bytes of chunks that have been taken; sized bodies are counted by the engine. */
  chunkBytes: number
  /** Who is to hear of the end; null: nobody, or it has heard. */
  record: ExchangeRecord | null
  /** Of the head that was written; 0 before. */
  status: number
  /** Bytes of content that were handed over, as far as is known. */
  bodyBytes: number
  /** The body of its request, where that had not come whole. */
  upload: Upload | null
  readonly #deadlines: Deadlines
  #watched: boolean
  #writable: (() => void) | null
  #watchesWritable: boolean
  /** See `retryBy`. */
  retry: (() => void) | null

  constructor(
    res: EngineResponse,
    deadlines: Deadlines,
    isHead: boolean,
    close: boolean,
    closesByItself = false,
  ) {
    this.res = res
    this.isHead = isHead
    this.close = close
    this.closesByItself = closesByItself
    this.aborted = false
    this.onAbort = null
    this.onError = null
    this.onEnding = null
    this.onDone = null
    this.hasRequest = false
    this.isDone = false
    this.wake = null
    this.startedAt = 0
    this.waitedMs = 0
    this.waitingSince = 0
    this.markBytes = 0
    this.markAt = 0
    this.chunkBytes = 0
    this.record = null
    this.status = 0
    this.bodyBytes = 0
    this.upload = null
    this.#deadlines = deadlines
    this.#watched = false
    this.#writable = null
    this.#watchesWritable = false
    this.retry = null
  }

  /** Registers for the client's going away; needed before anything is left for later. */
  watch(): void {
    if (this.#watched) return
    this.#watched = true
    this.#deadlines.add(this)
    this.res.onAborted(() => {
      this.aborted = true
      const { refused } = this.res
      if (refused !== undefined) {
        this.status = refused.status
        this.bodyBytes = refused.length
      }
      this.onAbort?.()
      this.wake?.()
      this.done()
    })
  }

  /**
   * Calls `resume` when the kernel takes bytes again. The engine gets one handler for all waits: one
   * that is registered while another runs is lost, since the engine puts the running one back. `retries`: it may be called
   * before that, to find the kernel as it was.
   */
  watchWritable(resume: () => void, retries: boolean): void {
    this.#writable = resume
    this.waitingSince = performance.now()
    const go = (): void => {
      // The kernel may say that it takes bytes when nobody waits any more: a retry was there before it.
      if (this.waitingSince !== 0) this.waitedMs += performance.now() - this.waitingSince
      this.waitingSince = 0
      this.#writable?.()
    }
    this.retryBy(retries ? go : null)
    if (this.#watchesWritable) return
    this.#watchesWritable = true
    this.res.onWritable(() => {
      go()
      return true
    })
  }

  /**
   * `retry` tries again to hand over what the kernel has refused; null where the engine keeps that, or would. Node does keep it,
   * so nothing shows what its readers take sooner than Node itself hears of it.
   */
  retryBy(retry: (() => void) | null): void {
    this.retry = this.res.closesAfterEnd === true ? null : retry
  }

  /**
   * The engine cuts who takes nothing for 10 seconds, and sees nothing of a reader of 20 KB/s for longer, since the kernel
   * wants bytes again when half of what it holds has left. Each attempt to write sets its clock back, and so does a pause; who
   * is too slow is judged by `Deadlines`.
   */
  keep(): void {
    if (this.res.closesAfterEnd === true) return
    // A sized stream leaves its last one behind when it waits for its reader no longer.
    if (this.waitingSince !== 0 && this.retry !== null) this.res.cork(this.retry)
    else this.#setClockBack()
  }

  /**
   * Without an attempt. A pause stops the engine's sending, too, so it never lasts: not for the sake of a body that its view
   * does not take, of which as much may come as the limit lets in.
   */
  #setClockBack(): void {
    this.res.pause()
    this.res.resume()
  }

  /** The reply, if there is none yet, is then for who reads on: 408. It ends the connection, on which the rest may still come. */
  giveUpUpload(upload: Upload, bytesPerSecond: number): void {
    this.close = true
    upload.giveUp(bytesPerSecond)
    if (this.status !== 0) this.cut()
  }

  taken(): number {
    return Math.max(this.chunkBytes, this.res.getWriteOffset())
  }

  done(): void {
    if (this.#watched) this.#deadlines.remove(this)
    this.isDone = true
    if (this.record !== null) this.#endRecord(false)
    const { onDone } = this
    this.onDone = null
    onDone?.()
  }

  #endRecord(isCut: boolean): void {
    const { record } = this
    this.record = null
    record?.end(this.status, this.bodyBytes, this.aborted, isCut)
  }

  /** An unfinished reply must not look finished: the connection is cut. */
  cut(error?: unknown): void {
    if (this.isDone) return
    if (error !== undefined && !this.aborted) this.onError?.(error)
    // Closing runs the handler of a client that has gone: that it was us is said before.
    if (!this.aborted && this.record !== null) this.#endRecord(true)
    if (!this.aborted) this.res.close()
    this.done()
  }
}
