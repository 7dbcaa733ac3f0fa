/**
 * Answers to pipelined requests leave together. The engine collects what its handlers write in a buffer of
 * 16 KiB; once a batch has overflowed it, each further call on a response of that batch is a system call of
 * its own, unless it is made within `cork`.
 */
import type { Prepared } from '../files/entry.ts'
import type { ReplyBody } from '../http/reply.ts'
import type { EngineResponse } from './engine-types.ts'

/** Sixteen answers of this size, the usual depth of a pipeline, fit into the engine's buffer. */
const MAX_UNCORKED_BYTES = 1024
/** What a reply's head takes of it, about. */
const HEAD_BYTES = 512

/** Whether a batch of such bodies may be more than the engine's buffer holds. */
export function mayOverflow(body: ReplyBody): boolean {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    return body.length > MAX_UNCORKED_BYTES - HEAD_BYTES
  }
  return body !== null
}

/** Sends files that are in memory, one function for all of them. */
export class Corked {
  #res: EngineResponse | null = null
  #prepared: Prepared | null = null
  readonly #write = () => {
    const { head, content } = this.#prepared as Prepared
    ;(this.#res as EngineResponse).writeStatus(head).end(content?.take() as ArrayBuffer)
  }

  send(res: EngineResponse, prepared: Prepared): void {
    const { head, content } = prepared
    if (head.byteLength + prepared.length <= MAX_UNCORKED_BYTES) {
      res.writeStatus(head).end(content?.take() as ArrayBuffer)
      return
    }
    this.#res = res
    this.#prepared = prepared
    res.cork(this.#write)
  }
}
