/**
 * A request's body on its way from a lane's chunks, which are copied because they die with their
 * callback, to the view: as a whole, or piece by piece as fast as the view takes it. While nobody takes
 * any, the client is made to wait.
 */
import { createError } from '../core/errors.ts'
import { handled } from '../core/handled.ts'
import type { Reply } from '../http/reply.ts'
import type { BodySource } from '../http/request.ts'
import type { EngineResponse } from './engine-types.ts'
import { type Upload, UploadPace } from './upload-pace.ts'

/** Bytes that are kept for a view that has not asked for them, or not taken the last ones. */
const MAX_AHEAD_BYTES = 256 * 1024

/**
 * A body that nobody reads is let go of by the engine up to here, so that its client is still there for
 * the reply; of a longer one the connection is closed.
 */
export const MAX_DRAINED_BYTES = 256 * 1024 * 1024

type Mode = 'waiting' | 'whole' | 'stream' | 'dropped'

export class NativeBody implements BodySource, Upload {
  readonly #res: EngineResponse
  readonly #limit: number
  readonly #sharedBefore: number
  #mode: Mode
  #chunks: Uint8Array[]
  #kept: number
  #received: number
  #isComplete: boolean
  #isPaused: boolean
  #isStreamed: boolean
  #failure: unknown
  #pace: UploadPace | null
  #whole: Promise<Uint8Array> | null
  /** Ends the present wait for bytes. */
  #wake: (() => void) | null

  /**
   * Starts to listen at once: the engine drops chunks that nobody listens for. `declaredBytes` is the
   * request's Content-Length; above `limit` nothing is kept and every read rejects.
   */
  constructor(res: EngineResponse, declaredBytes: number, limit: number) {
    this.#res = res
    this.#limit = limit
    this.#sharedBefore = res.sharedBytes ?? 0
    this.#mode = 'waiting'
    this.#chunks = []
    this.#kept = 0
    this.#received = 0
    this.#isComplete = false
    this.#isPaused = false
    this.#isStreamed = false
    this.#failure = undefined
    this.#pace = null
    this.#whole = null
    this.#wake = null
    if (declaredBytes > limit) this.#fail(createError('UWAS_ERR_HTTP_BODY_TOO_LARGE', { limit }))
    else res.onData((chunk, isLast) => this.#take(chunk, isLast))
  }

  read(): Promise<Uint8Array> {
    if (this.#isStreamed) return Promise.reject(createError('UWAS_ERR_HTTP_BODY_USED', {}))
    this.#whole ??= this.#collect()
    return this.#whole
  }

  stream(): AsyncGenerator<Uint8Array, void> {
    const isUsed = this.#isStreamed
    if (this.#whole === null && !isUsed) {
      this.#isStreamed = true
      if (this.#mode === 'waiting') this.#mode = 'stream'
    }
    const pieces = this.#pieces(isUsed)
    const next = pieces.next.bind(pieces)
    const end = pieces.return.bind(pieces)
    pieces.next = () => handled(next())
    // A generator that has not begun ends without a word.
    pieces.return = (value) => {
      if (this.#mode === 'stream' && !isUsed) this.#drop()
      return end(value)
    }
    return pieces
  }

  async *#pieces(isUsed: boolean): AsyncGenerator<Uint8Array, void> {
    if (isUsed) throw createError('UWAS_ERR_HTTP_BODY_USED', {})
    if (this.#whole !== null) {
      yield await this.#whole
      return
    }
    try {
      for (;;) {
        const chunk = await this.#next()
        if (chunk === null) return
        yield chunk
      }
    } finally {
      this.#drop()
    }
  }

  get isAwaited(): boolean {
    const isOver = this.#isComplete || this.#failure !== undefined || this.#mode === 'dropped'
    return !isOver && !this.#isPaused
  }

  isTooSlow(bytesPerSecond: number, now: number): boolean {
    const { sharedBytes, hiddenBytes = 0 } = this.#res
    this.#pace ??= new UploadPace(now, hiddenBytes)
    // Bodies that share a connection share its speed.
    const received = sharedBytes === undefined ? this.#received : sharedBytes - this.#sharedBefore
    return this.#pace.isTooSlow(received, this.isAwaited, bytesPerSecond, now)
  }

  giveUp(bytesPerSecond: number): void {
    this.#fail(createError('UWAS_ERR_HTTP_BODY_SLOW', { bytesPerSecond }))
  }

  /** The exchange has ended, or the client has gone: the engine's response is not touched any more. */
  abort(): void {
    this.#fail(createError('UWAS_ERR_HTTP_BODY_ABORTED', {}))
  }

  /**
   * `reply` is about to leave. When it has, the engine's response must not be touched any more, and a client
   * that has been made to wait would wait for ever: what is still to come is let go of, now, or when a reply
   * that may be made of it calls the result before its last bytes. Who reads on gets _BODY_ABORTED.
   */
  yieldTo({ body }: Reply): (() => void) | null {
    const isStreamed = body !== null && typeof body === 'object' && !(body instanceof Uint8Array)
    if (!isStreamed) this.#release()
    // The reply's iterator has begun by then: it reads the body from its first step on, or never.
    else setImmediate(() => this.#mode === 'waiting' && this.#drop())
    return isStreamed ? () => this.#release() : null
  }

  #release(): void {
    if (this.#mode !== 'whole') this.#drop()
  }

  #drop(): void {
    if (this.#mode === 'dropped') return
    this.#mode = 'dropped'
    this.#forget()
    this.#resume()
    this.#wake?.()
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    this.#received += chunk.byteLength
    if (isLast) this.#isComplete = true
    if (this.#received > this.#limit) {
      return this.#fail(createError('UWAS_ERR_HTTP_BODY_TOO_LARGE', { limit: this.#limit }))
    }
    if (this.#mode !== 'dropped' && this.#failure === undefined && chunk.byteLength > 0) {
      this.#chunks.push(new Uint8Array(chunk.slice(0)))
      this.#kept += chunk.byteLength
      const isAhead = this.#mode !== 'whole' && this.#kept >= MAX_AHEAD_BYTES
      if (isAhead && !this.#isComplete && !this.#isPaused) {
        this.#isPaused = true
        this.#res.pause()
      }
    }
    this.#wake?.()
  }

  async #collect(): Promise<Uint8Array> {
    if (this.#mode === 'dropped') throw createError('UWAS_ERR_HTTP_BODY_ABORTED', {})
    this.#mode = 'whole'
    this.#resume()
    while (!this.#isComplete && this.#failure === undefined) await this.#more()
    if (this.#failure !== undefined) throw this.#failure
    const body = join(this.#chunks, this.#kept)
    this.#forget()
    return body
  }

  /** The next piece, or null at the end. */
  async #next(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#mode === 'dropped') throw createError('UWAS_ERR_HTTP_BODY_ABORTED', {})
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#kept -= chunk.byteLength
        if (this.#kept < MAX_AHEAD_BYTES / 2) this.#resume()
        return chunk
      }
      if (this.#isComplete) return null
      await this.#more()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null
        resolve()
      }
    })
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    // After the end of the exchange the engine's response must not be touched.
    if (this.#failure === undefined) this.#res.resume()
  }

  #fail(failure: unknown): void {
    if (this.#failure !== undefined) return
    const wasPaused = this.#isPaused
    this.#forget()
    this.#failure = failure
    this.#isPaused = false
    // Only while bytes arrive can there be too many: a client that sends too much goes on to be read, or it would not see why it is refused.
    if (wasPaused && this.#received > this.#limit) this.#res.resume()
    this.#wake?.()
  }

  #forget(): void {
    this.#chunks = []
    this.#kept = 0
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks
  if (chunks.length === 1 && first !== undefined) return first
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}
