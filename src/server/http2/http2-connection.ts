/** One connection of HTTP/2: its open requests, its deadlines, and how much nonsense it has sent. Kept by `http2-lane.ts`. */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Bucket, CONTROLS, RESETS } from './abuse.ts'
import type { Http2Response, Peer } from './http2-response.ts'

/** In milliseconds. */
export interface Http2Deadlines {
  /** Until the first request. */
  readonly firstMs: number
  /** Between two. */
  readonly idleMs: number
  /** For a whole request, until somebody reads its body: then its speed counts. */
  readonly requestMs: number
  /** For a reply that has been handed over to leave, beside what its bytes need; Infinity: any. */
  readonly tailMs: number
  /** For a connection that has been told to end, and for a reply that has been cut, to be gone. */
  readonly closeMs: number
}

interface Open {
  readonly response: Http2Response
  readonly startedAt: number
  /** Whether the request had come whole with its head: nobody reads its end then. */
  readonly isWhole: boolean
  /** When its reply had been handed over, as far as it is known; 0 before. */
  endedAt: number
  /** When it had been cut, likewise. */
  cutAt: number
}

/** The highest id of a stream: a GOAWAY with it says that there will be another one (RFC 9113 section 6.8). */
const ANY_STREAM = 2 ** 31 - 1
/** What a client may still send of a request that has been answered (RFC 9113 section 8.1). */
const LINGER_MS = 2_000
/** For the last word to a connection that is cut to leave. */
const GOODBYE_MS = 100

export class Http2Connection {
  readonly session: ServerHttp2Session
  readonly socket: TLSSocket
  readonly peer: Peer
  readonly #open: Map<ServerHttp2Stream, Open>
  readonly #resets: Bucket
  readonly #controls: Bucket
  #hasServed: boolean
  #idleSince: number
  /** When it was told to end; 0 before. */
  #closingAt: number

  constructor(session: ServerHttp2Session, socket: TLSSocket) {
    this.session = session
    this.socket = socket
    this.peer = { remoteAddress: socket.remoteAddress ?? '', receivedBytes: 0 }
    this.#open = new Map()
    this.#resets = new Bucket(RESETS)
    this.#controls = new Bucket(CONTROLS)
    this.#hasServed = false
    this.#idleSince = performance.now()
    this.#closingAt = 0
    const control = (): void => {
      if (!this.#controls.take(performance.now())) this.#refuse()
    }
    session.on('ping', control)
    session.on('remoteSettings', control)
    session.on('error', () => {})
  }

  /** Until the stream closes. */
  add(stream: ServerHttp2Stream, response: Http2Response, isWhole: boolean): void {
    this.#hasServed = true
    const startedAt = performance.now()
    this.#open.set(stream, { response, startedAt, isWhole, endedAt: 0, cutAt: 0 })
    stream.once('finish', () => dropRest(stream))
    stream.once('close', () => {
      const now = performance.now()
      this.#open.delete(stream)
      this.#idleSince = now
      if (!hasLeft(stream) && !this.#resets.take(now)) this.#refuse()
    })
  }

  /** Says that it will end; what comes on its way is answered. */
  announceEnd(): void {
    if (!this.session.destroyed) this.session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM)
  }

  destroy(): void {
    this.session.destroy()
    setImmediate(() => this.socket.destroy())
  }

  look(deadlines: Http2Deadlines, now: number): void {
    const { firstMs, idleMs, closeMs } = deadlines
    if (this.#closingAt > 0 && now - this.#closingAt > closeMs) return this.destroy()
    const restMs = this.#hasServed ? idleMs : firstMs
    if (this.#open.size === 0 && this.#closingAt === 0 && now - this.#idleSince > restMs) {
      this.#closingAt = now
      this.session.close()
    }
    for (const [stream, open] of this.#open) {
      lookAt(stream, open, deadlines, now)
      // nghttp2 gives a connection up without a word to Node, which then neither reads nor closes it.
      if (open.cutAt > 0 && now - open.cutAt > closeMs) return this.destroy()
    }
  }

  #refuse(): void {
    if (this.session.destroyed) return
    // Without an error Node leaves the code out.
    this.session.destroy(new Error('too much nonsense'), constants.NGHTTP2_ENHANCE_YOUR_CALM)
    // Where replies had begun, Node waits for what it still has to write of them, and may wait for ever.
    setTimeout(() => this.socket.destroy(), GOODBYE_MS).unref()
  }
}

/** Whether the whole reply has: a client may reset without an error, and Node tells that from an end in no other way. */
function hasLeft({ rstCode, aborted, writableFinished }: ServerHttp2Stream): boolean {
  return rstCode === constants.NGHTTP2_NO_ERROR && writableFinished && !aborted
}

/** The reply has left, and nobody reads what may still come of its request: the client is told to leave that out. */
function dropRest(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.destroyed) return
  stream.resume()
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS)
  timer.unref()
  stream.once('close', () => clearTimeout(timer))
}

function lookAt(
  stream: ServerHttp2Stream,
  open: Open,
  { requestMs, tailMs }: Http2Deadlines,
  now: number,
): void {
  const { response, startedAt } = open
  const hasCome = open.isWhole || stream.readableEnded
  if (response.isEnded && open.endedAt === 0) open.endedAt = now
  const isUnread = !response.isRead && !response.isEnded && !hasCome
  const isLateRequest = isUnread && now - startedAt > requestMs
  const isLateReply = open.endedAt > 0 && now - open.endedAt > tailMs
  if (isLateRequest || isLateReply) response.close()
  if (response.isCut && open.cutAt === 0) open.cutAt = now
}
