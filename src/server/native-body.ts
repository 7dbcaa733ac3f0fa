/**
 * A request's body on the native lane: collected from the engine's chunks, which are copied because
 * they die with their callback. Bounded by the site's `maxBodyBytes`.
 */
import { createError } from '../core/errors.ts'
import type { BodySource } from '../http/request.ts'
import type { EngineResponse } from './engine-types.ts'

export class NativeBody implements BodySource {
  readonly #limit: number
  readonly #result: Promise<Uint8Array>
  #chunks: Uint8Array[]
  #received: number
  #resolve!: (body: Uint8Array) => void
  #reject!: (error: unknown) => void

  /**
   * Starts to collect at once: the engine drops chunks that nobody listens for. `declaredBytes` is
   * the request's Content-Length; above `limit` nothing is kept and `read` rejects.
   */
  constructor(res: EngineResponse, declaredBytes: number, limit: number) {
    this.#limit = limit
    this.#chunks = []
    this.#received = 0
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // A view that never asks for its body must not fail the process when the body does not arrive.
    this.#result.catch(() => {})
    if (declaredBytes > limit) this.#reject(createError('UWAS_ERR_HTTP_BODY_TOO_LARGE', { limit }))
    else res.onData((chunk, isLast) => this.#take(chunk, isLast))
  }

  read(): Promise<Uint8Array> {
    return this.#result
  }

  abort(): void {
    this.#chunks = []
    this.#reject(createError('UWAS_ERR_HTTP_BODY_ABORTED', {}))
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    this.#received += chunk.byteLength
    if (this.#received > this.#limit) {
      this.#chunks = []
      this.#reject(createError('UWAS_ERR_HTTP_BODY_TOO_LARGE', { limit: this.#limit }))
      return
    }
    this.#chunks.push(new Uint8Array(chunk.slice(0)))
    if (isLast) this.#resolve(this.#join())
  }

  #join(): Uint8Array {
    const [first] = this.#chunks
    if (this.#chunks.length === 1 && first !== undefined) return first
    const body = new Uint8Array(this.#received)
    let at = 0
    for (const chunk of this.#chunks) {
      body.set(chunk, at)
      at += chunk.byteLength
    }
    this.#chunks = []
    return body
  }
}
