/**
 * WebSockets on connections that Node reads (TLS), by the library ws, in the shape of the engine's: the same code is
 * behind both. Where a client breaks the protocol, ws sends the Close frame that the engine leaves out.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { EngineSocket, EngineSocketBehavior, Sendable } from './engine-types.ts'

/** What is known of a handshake that a site has accepted. */
export interface Accepted {
  readonly message: IncomingMessage
  readonly socket: Socket
  /** What has been read behind the handshake. */
  readonly head: Buffer
  /** Fields of the site for the 101: `Name: value`. */
  readonly lines: readonly string[]
  /** The subprotocol; empty for none. */
  readonly protocol: string
  readonly userData: unknown
  readonly behavior: EngineSocketBehavior
  /** Whether messages may be compressed, where the client offers it. */
  readonly compress: boolean
}

/** Answers with 101 and opens the socket; what ws refuses has been answered when it returns. */
export function openNodeSocket(accepted: Accepted): void {
  const { message, socket, head, lines, protocol, behavior, compress } = accepted
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: behavior.maxPayloadLength,
    autoPong: false,
    handleProtocols: () => protocol || false,
    // Which message is worth it is decided where it is sent; nothing is kept between two.
    perMessageDeflate: compress && {
      threshold: 0,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    },
  })
  server.on('headers', (fields: string[]) => fields.push(...lines))
  let client: WebSocket | undefined
  server.handleUpgrade(message, socket, head, (opened) => {
    client = opened
  })
  const own = new NodeSocket(client, socket, accepted)
  if (client === undefined) own.lose()
  else own.open()
}

/** Codes for what ws has found wrong, by its own (ws, doc/ws.md, "Error codes"); all others are 1002. */
const CODES: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
}

const NO_BYTES = new ArrayBuffer(0)

class NodeSocket implements EngineSocket {
  readonly #client: WebSocket | undefined
  readonly #socket: Socket
  readonly #userData: unknown
  readonly #behavior: EngineSocketBehavior
  #isClosed: boolean
  #heardAt: number
  #timer: NodeJS.Timeout | undefined

  constructor(
    client: WebSocket | undefined,
    socket: Socket,
    { userData, behavior }: Pick<Accepted, 'userData' | 'behavior'>,
  ) {
    this.#client = client
    this.#socket = socket
    this.#userData = userData
    this.#behavior = behavior
    this.#isClosed = false
    this.#heardAt = performance.now()
    this.#timer = undefined
  }

  open(): void {
    const client = this.#client as WebSocket
    client.on('message', (data: Buffer, isBinary) => {
      if (!this.#isClosed) this.#behavior.message(this, bufferOf(data), isBinary)
    })
    // Who sends pings and reads no pongs would fill the memory with them.
    client.on('ping', (data: Buffer) => {
      if (client.bufferedAmount <= this.#behavior.maxBackpressure) client.pong(data)
    })
    client.on('error', (error: Error & { code?: string }) => {
      // What befalls the connection itself is 1006, which `close` says.
      if (error.code?.startsWith('WS_ERR_')) this.#close(CODES[error.code] ?? 1002, error.message)
    })
    client.on('close', (code, reason) => this.#close(code, reason.toString()))
    this.#socket.on('data', () => {
      this.#heardAt = performance.now()
    })
    this.#socket.on('drain', () => {
      if (!this.#isClosed) this.#behavior.drain(this)
    })
    const idleMs = this.#behavior.idleTimeout * 1000
    this.#timer = setInterval(() => this.#look(client, idleMs), idleMs / 4)
    this.#timer.unref()
    this.#behavior.open(this)
  }

  /** The connection has ended before it was a socket. */
  lose(): void {
    this.#close(1006, '')
  }

  send(message: Sendable, isBinary: boolean, compress: boolean): number {
    const client = this.#client as WebSocket
    if (client.bufferedAmount > this.#behavior.maxBackpressure) return 2
    client.send(message, { binary: isBinary, compress })
    return client.bufferedAmount > 0 ? 0 : 1
  }

  getBufferedAmount(): number {
    return this.#client?.bufferedAmount ?? 0
  }

  /** Where the client does not answer its Close frame, ws ends the connection after half a minute. */
  end(code: number, reason: string): void {
    this.#client?.close(code, reason)
    this.#close(code, reason)
  }

  getUserData(): unknown {
    return this.#userData
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#behavior.close(this, code, reason === '' ? NO_BYTES : bufferOf(Buffer.from(reason)))
  }

  /** A ping is sent when half the time is over, so that a client that is there is heard in time. */
  #look(client: WebSocket, idleMs: number): void {
    const quietMs = performance.now() - this.#heardAt
    if (quietMs >= idleMs) client.terminate()
    else if (this.#behavior.sendPingsAutomatically && quietMs >= idleMs / 2) client.ping()
  }
}

/** A buffer of its own: Node's are windows of a pool. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}
