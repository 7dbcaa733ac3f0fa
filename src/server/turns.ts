/**
 * The requests of one connection of the strict lane, one at a time: Node hands over every request of a
 * pipeline at once, and a view must not run before the one in front of it has been answered
 * (RFC 9112 section 9.3.2). Once the connection is closing nothing more runs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface Turn {
  readonly message: IncomingMessage
  readonly res: ServerResponse
  readonly run: () => void
  /** The rest of the request will never come: its client gets `status`. */
  readonly refuse: (status: number) => void
}

/** Requests that may wait; reading stops until they have been answered. */
const MAX_WAITING = 16

export class Turns {
  readonly #socket: Socket
  #waiting: Turn[]
  /** The request that is being answered. */
  current: Turn | null
  /** The last reply has been decided: what else arrives is read and dropped. */
  closing: boolean
  #onIdle: (() => void) | null
  #last: IncomingMessage | null

  constructor(socket: Socket) {
    this.#socket = socket
    this.#waiting = []
    this.current = null
    this.closing = false
    this.#onIdle = null
    this.#last = null
  }

  /** A request has been answered before it had come whole: what comes next belongs to it. */
  get isAhead(): boolean {
    return this.current === null && this.#last?.complete === false
  }

  add(turn: Turn): void {
    if (this.closing) return
    if (this.current === null) return this.#start(turn)
    this.#waiting.push(turn)
    if (this.#waiting.length >= MAX_WAITING) this.#socket.pause()
  }

  /** Runs `then` when all requests that have come whole are answered; no further one is taken. */
  finish(then: () => void): void {
    this.closing = true
    this.#waiting = this.#waiting.filter(({ message }) => message.complete)
    if (this.current === null) then()
    else this.#onIdle = then
  }

  /** The reply that ends the connection has been written. */
  end(): void {
    this.closing = true
    this.#waiting = []
    this.#onIdle = null
  }

  #start(turn: Turn): void {
    this.current = turn
    this.#last = turn.message
    turn.res.once('close', () => this.#next())
    turn.run()
  }

  #next(): void {
    const next = this.#waiting.shift()
    this.current = null
    if (this.#socket.destroyed) return
    if (next === undefined) {
      this.#onIdle?.()
      return
    }
    if (this.#waiting.length < MAX_WAITING && this.#socket.isPaused()) this.#socket.resume()
    this.#start(next)
  }
}
