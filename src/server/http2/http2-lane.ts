/**
 * HTTP/2 by TLS on Node's `http2` (nghttp2): connections that have agreed on it come in, their requests leave to the same
 * code that serves the native lane, in the engine's shape. Made by `tls-front.ts`.
 */
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { NativeLane } from '../native-lane.ts'
import { answerOptionsStar } from '../options-star.ts'
import { ParsedRequest } from '../strict-request.ts'
import { splitTarget } from '../strict-target.ts'
import { Http2Connection, type Http2Deadlines } from './http2-connection.ts'
import { type Http2Head, readHead } from './http2-request.ts'
import { Http2Response } from './http2-response.ts'

export interface Http2Options {
  /** Longest block of fields, in bytes. */
  readonly maxHeaderBytes: number
  /** Whether the certificate of a connection is for this host. */
  readonly isFor: (socket: Socket, host: string) => boolean
  readonly deadlines?: Partial<Http2Deadlines>
}

/** Node's types leave the last one out: names and values by turns, in the order of arrival. */
type StreamEvent = [
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: string[],
]

/** Requests that one connection may have open: RFC 9113 section 6.5.2 wants no fewer. */
const MAX_STREAMS = 100
const STREAM_WINDOW_BYTES = 256 * 1024
const CONNECTION_WINDOW_BYTES = 1024 * 1024
/** Fields beyond those that are told to be too many, before the stream is reset. */
const MAX_PAIRS = 300
/** Beyond what one connection may have done wrong it is closed (CVE-2019-9514, CVE-2019-9518). */
const MAX_INVALID_FRAMES = 100
const MAX_REJECTED_STREAMS = 100
const LOOK_MS = 1_000
const DEADLINES: Http2Deadlines = {
  firstMs: 10_000,
  idleMs: 60_000,
  requestMs: 120_000,
  // A network may stop for a moment.
  tailMs: 5_000,
  closeMs: 5_000,
}
/** What Node still keeps of a reply that has been handed over. */
const TAIL_BYTES = 64 * 1024

export class Http2Lane {
  /** Requests whose replies have not left yet. */
  active: number
  readonly #lane: NativeLane
  readonly #options: Http2Options
  readonly #server: Http2Server
  readonly #connections: Map<ServerHttp2Session, Http2Connection>
  #timer: NodeJS.Timeout | undefined
  #isDraining: boolean

  /** `lane` answers the requests, and says how replies look. */
  constructor(lane: NativeLane, options: Http2Options) {
    this.active = 0
    this.#lane = lane
    this.#options = options
    this.#connections = new Map()
    this.#timer = undefined
    this.#isDraining = false
    this.#server = createHttp2Server(options)
    this.#server.on('stream', (...all: StreamEvent) => this.#onStream(...all))
  }

  /** Serves a connection whose handshake is over. */
  adopt(socket: TLSSocket): void {
    if (socket.destroyed) return
    this.#server.once('session', (session) => {
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
      const connection = new Http2Connection(session, socket)
      this.#connections.set(session, connection)
      session.once('close', () => this.#connections.delete(session))
      if (this.#isDraining) connection.announceEnd()
    })
    // Half of a connection is worth nothing here, and Node would wait for the other one.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Tells all connections that they will end. */
  drain(): void {
    this.#isDraining = true
    for (const connection of this.#connections.values()) connection.announceEnd()
  }

  close(): void {
    clearInterval(this.#timer)
    for (const connection of [...this.#connections.values()]) connection.destroy()
  }

  #onStream(...[stream, headers, flags, rawHeaders]: StreamEvent): void {
    stream.on('error', () => {})
    const connection = this.#connections.get(stream.session as ServerHttp2Session)
    if (connection === undefined) return stream.close(constants.NGHTTP2_REFUSED_STREAM)
    const { expect } = headers
    const isContinue = expect?.toLowerCase() === '100-continue'
    const response = new Http2Response(stream, connection.peer, isContinue)
    this.active++
    stream.once('close', () => {
      this.active--
    })
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    connection.add(stream, response, isWhole)
    const head = readHead(rawHeaders)
    const refusal = expect === undefined || isContinue ? head.refusal : 417
    this.#run(response, connection, { ...head, refusal }, isWhole)
  }

  #run(
    response: Http2Response,
    { socket }: Http2Connection,
    { method, target, fields, refusal }: Omit<Http2Head, 'refusal'> & { readonly refusal: number },
    isWhole: boolean,
  ): void {
    const lane = this.#lane
    const isChunked = !isWhole && !fields.some(([name]) => name === 'content-length')
    const protocol = 'HTTP/2.0'
    const request = new ParsedRequest(method, splitTarget(target), fields, { isChunked, protocol })
    if (refusal !== 0) return lane.refuse(response, request, refusal)
    if (!this.#options.isFor(socket, request.getHeader('host')))
      return lane.refuse(response, request, 421)
    if (target === '*' && method === 'OPTIONS')
      return answerOptionsStar(lane, response, request, fields)
    if (!target.startsWith('/')) return lane.refuse(response, request, 400)
    lane.handleOther(response, request)
  }

  #look(): void {
    const { minSendBytesPerSecond } = this.#lane.application.limits
    const chosen = { ...DEADLINES, ...this.#options.deadlines }
    const tailMs = chosen.tailMs + (TAIL_BYTES / minSendBytesPerSecond) * 1000
    const deadlines = { ...chosen, tailMs }
    const now = performance.now()
    for (const connection of this.#connections.values()) connection.look(deadlines, now)
    if (this.#connections.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function createHttp2Server({ maxHeaderBytes }: Http2Options): Http2Server {
  const server = createServer({
    maxHeaderListPairs: MAX_PAIRS,
    maxSessionInvalidFrames: MAX_INVALID_FRAMES,
    maxSessionRejectedStreams: MAX_REJECTED_STREAMS,
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: maxHeaderBytes,
    },
  })
  // Its end is told by its own event.
  server.on('sessionError', () => {})
  return server
}
