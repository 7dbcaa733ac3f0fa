/**
 * The strict lane: connections whose first request is not plainly ordinary, on Node's own `http`
 * (llhttp without leniency). Sockets come in; requests leave to the same code that serves the native
 * lane, in the engine's shape. Framing errors end here, with a reply and without a view.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { endLingering } from './linger.ts'
import type { NativeLane } from './native-lane.ts'
import { bytesWithoutUpgrade, type Handed, HandshakeResponse } from './node-handshake.ts'
import { peerOf } from './node-response.ts'
import { answerOptionsStar } from './options-star.ts'
import type { SocketLane } from './socket-lane.ts'
import { type ParserError, statusOfParserError } from './strict-errors.ts'
import { fieldsOf, ParsedRequest, strictRequest, unjudged } from './strict-request.ts'
import { StrictResponse } from './strict-response.ts'
import { judgeHead } from './strict-target.ts'
import { Turns } from './turns.ts'
import { UnknownMethods } from './unknown-method.ts'

export interface StrictOptions {
  /** Longest block of request line and fields, in bytes. */
  readonly maxHeaderBytes: number
  /** For a head to be complete, in milliseconds. Default 10,000. */
  readonly headersTimeoutMs?: number
  /** For what still comes of a request that has been answered, in milliseconds. Default 120,000. */
  readonly requestTimeoutMs?: number
  /** Between two requests, in milliseconds. Default 10,000, as on the native lane. */
  readonly keepAliveTimeoutMs?: number
  /** Of connections by TLS: whether the one of `socket` is for this host, as a request names it. Default: in clear. */
  readonly secure?: { readonly isFor: (socket: Socket, host: string) => boolean }
  /** Of the site's WebSockets. Default: their URLs answer 426. */
  readonly sockets?: SocketLane | undefined
}

/** How often the deadlines are looked at, in milliseconds. */
const CHECK_MS = 1_000
/** Fields of one request, as many as the largest header block of a browser could hold. */
const MAX_FIELDS = 256

export class StrictLane {
  /** Requests whose replies have not left yet. */
  active: number
  /** Open ones, WebSockets too. */
  connections: number
  readonly #lane: NativeLane
  readonly #server: Server
  readonly #turns: WeakMap<Socket, Turns>
  readonly #unknownMethods: UnknownMethods
  readonly #secure: StrictOptions['secure']
  readonly #restMs: number

  /** `lane` answers the requests, and says how replies look. */
  constructor(lane: NativeLane, options: StrictOptions) {
    this.active = 0
    this.connections = 0
    this.#lane = lane
    this.#turns = new WeakMap()
    this.#unknownMethods = new UnknownMethods((socket) => this.#fail(socket, 400))
    this.#secure = options.secure
    this.#restMs = options.requestTimeoutMs ?? 120_000
    this.#server = createHttpServer(options)
    this.#server
      .on('request', (message, res) => this.#take(message, res, false))
      .on('checkContinue', (message, res) => this.#take(message, res, true))
      .on('checkExpectation', (message, res) => this.#refuseTurn(message, res, 417))
      .on('connect', (_message, socket) => this.#fail(socket as Socket, 501))
      .on('clientError', (error: ParserError, socket) => this.#onError(error, socket as Socket))
    const { sockets } = options
    if (sockets === undefined) return
    this.#server.on('upgrade', (message, socket, head) =>
      this.#upgrade(sockets, { message, socket: socket as Socket, head }),
    )
  }

  /** Serves a connection of which nothing has been read yet. */
  adopt(socket: Socket): void {
    socket.setNoDelay(true)
    this.#count(socket)
    this.#turns.set(socket, new Turns(socket))
    // Node closes by `destroySoon`, which resets a client that is still sending.
    socket.destroySoon = () => {
      this.#turnsOf(socket).end()
      endLingering(socket)
    }
    this.#server.emit('connection', socket)
  }

  /** Closes connections that wait for a request. */
  closeIdle(): void {
    this.#server.closeIdleConnections()
  }

  /** Closes all connections, and stops looking at deadlines. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Once: a handshake that is for no WebSocket comes back. */
  #count(socket: Socket): void {
    if (this.#turns.has(socket)) return
    this.connections++
    socket.once('close', () => {
      this.connections--
    })
  }

  #turnsOf(socket: Socket): Turns {
    return this.#turns.get(socket) as Turns
  }

  #take(message: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    // The parser stops behind a request with Upgrade, whether or not somebody upgrades.
    const mustClose = message.headers.upgrade !== undefined
    const response = new StrictResponse(message, res, { mustClose, expectsContinue })
    this.#enqueue(message, res, response, () => this.#run(message, response))
  }

  /** Node reads nothing more of the connection, and has let go of it. */
  #upgrade(sockets: SocketLane, handed: Handed): void {
    const { message, socket } = handed
    const turns = this.#turnsOf(socket)
    // Somebody pipelines it: what comes behind could be anything until those before it are answered.
    if (turns.current !== null || turns.closing) return void socket.destroy()
    const request = this.#judge(message)
    const isHandshake = message.headers.upgrade?.toLowerCase() === 'websocket'
    if (isHandshake && request instanceof ParsedRequest && !request.isChunked) {
      const response = new HandshakeResponse(handed)
      const begin = (): void => response.begin()
      if (sockets.upgradeOther(this.#lane, response, request, begin)) return
    }
    socket.unshift(bytesWithoutUpgrade(handed))
    this.adopt(socket)
  }

  #refuseTurn(message: IncomingMessage, res: ServerResponse, status: number): void {
    const response = new StrictResponse(message, res, { mustClose: true, expectsContinue: false })
    this.#enqueue(message, res, response, () => this.#refuse(message, response, status))
  }

  #enqueue(
    message: IncomingMessage,
    res: ServerResponse,
    response: StrictResponse,
    run: () => void,
  ): void {
    this.active++
    res.once('close', () => {
      this.active--
      endWithRest(message, this.#restMs)
    })
    this.#turnsOf(message.socket).add({
      message,
      res,
      run,
      refuse: (status) => response.refuse(status),
    })
  }

  #run(message: IncomingMessage, response: StrictResponse): void {
    const request = this.#judge(message)
    if (typeof request === 'number') return this.#refuse(message, response, request)
    if (request === '*') {
      message.resume()
      const fields = fieldsOf(message.rawHeaders)
      return answerOptionsStar(this.#lane, response, unjudged(message), fields)
    }
    this.#lane.handleOther(response, request)
    if (!request.isChunked && request.getHeader('content-length') === '') message.resume()
  }

  /** What is to be answered, or the status with which it is refused. */
  #judge(message: IncomingMessage): ParsedRequest | '*' | number {
    const fields = fieldsOf(message.rawHeaders)
    if (fields.length > MAX_FIELDS) return 431
    const { httpVersion: version, method = '', url: target = '' } = message
    const secure = this.#secure !== undefined
    const verdict = judgeHead({ version, method, target, fields, secure })
    if (typeof verdict === 'number' || verdict === '*') return verdict
    const request = strictRequest(message, fields, verdict)
    const isFor = this.#secure?.isFor(message.socket, request.getHeader('host')) ?? true
    return isFor ? request : 421
  }

  #refuse(message: IncomingMessage, response: StrictResponse, status: number): void {
    this.#turnsOf(message.socket).closing = true
    message.resume()
    this.#lane.refuse(response, unjudged(message), status)
  }

  #onError(error: ParserError, socket: Socket): void {
    const { maxUrlBytes } = this.#lane.application.limits
    const status =
      error.code === 'HPE_INVALID_METHOD'
        ? this.#unknownMethods.statusOf(error, socket, maxUrlBytes)
        : statusOfParserError(error, maxUrlBytes)
    if (status === null) return
    if (status === 0) socket.destroy()
    else this.#fail(socket, status)
  }

  /** Nothing that follows on this connection can be understood: one last reply, in its turn. */
  #fail(socket: Socket, status: number): void {
    const turns = this.#turnsOf(socket)
    if (turns.closing) return
    const { current, isAhead } = turns
    const bytes = this.#lane.refusalBytes(status)
    if (current === null || current.message.complete) {
      turns.finish(() => {
        endLingering(socket, bytes)
        if (!isAhead) this.#lane.records.senseless(status, peerOf(socket))
      })
    } else if (current.res.headersSent) {
      socket.destroy()
    } else {
      turns.closing = true
      current.refuse(status)
      endLingering(socket, bytes)
    }
  }
}

/** Nobody judges the speed of what still comes of a request that has been answered. */
function endWithRest(message: IncomingMessage, restMs: number): void {
  const { socket } = message
  if (message.complete || socket.destroyed) return
  const timer = setTimeout(() => message.complete || socket.destroy(), restMs).unref()
  const stop = (): void => {
    clearTimeout(timer)
    socket.off('close', stop)
    message.off('end', stop)
  }
  socket.once('close', stop)
  message.once('end', stop)
}

function createHttpServer(options: StrictOptions): Server {
  const server = createServer({
    insecureHTTPParser: false,
    // Host is judged by the fences, which know more of its grammar.
    requireHostHeader: false,
    maxHeaderSize: options.maxHeaderBytes,
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    // A body that somebody waits for is judged by its speed.
    requestTimeout: 0,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 10_000,
    connectionsCheckingInterval: CHECK_MS,
  })
  // A client may end its half after its request and still wait for the reply (RFC 9112 section 9.6).
  ;(server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true
  // Beyond its own limit Node drops fields without a word.
  server.maxHeadersCount = 0
  // Node looks at its deadlines once a server listens; this one gets its connections from the gate.
  server.emit('listening')
  return server
}
