/**
 * Requests with Upgrade on connections that Node reads: Node hands such a connection over with what it has read. A
 * handshake of a WebSocket is answered here, by the same code as on the engine's lane; everything else goes back to be
 * read as the ordinary request that it is. Called by `strict-lane.ts`.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { EngineSocketBehavior, EngineSocketContext, Sendable } from './engine-types.ts'
import { openNodeSocket } from './node-socket.ts'
import { StrictResponse } from './strict-response.ts'

/** What a client may send before it has heard that its handshake is accepted. */
const MAX_EARLY_BYTES = 64 * 1024

/** The connection of a request with Upgrade, and what was read behind its head. */
export interface Handed {
  readonly message: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
}

/** The bytes of the request without its Upgrade, which Node can read anew. The connection ends with its reply. */
export function bytesWithoutUpgrade({ message, head }: Omit<Handed, 'socket'>): Buffer {
  const { method, url, httpVersion, rawHeaders } = message
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (!/^(?:upgrade|connection)$/i.test(name)) lines.push(`${name}: ${rawHeaders[i + 1]}`)
  }
  const bytes = Buffer.from([...lines, 'Connection: close', '', ''].join('\r\n'), 'latin1')
  return Buffer.concat([bytes, head])
}

/** Of a handshake: either a reply that refuses it, with which the connection ends, or the socket. */
export class HandshakeResponse extends StrictResponse {
  readonly #handed: Handed
  readonly #res: ServerResponse
  readonly #early: Buffer[]
  #earlyBytes: number
  #lines: readonly string[]

  constructor(handed: Handed) {
    const res = new ServerResponse(handed.message)
    super(handed.message, res, { mustClose: true, expectsContinue: false })
    this.#handed = handed
    this.#res = res
    this.#early = [handed.head]
    this.#earlyBytes = 0
    this.#lines = []
  }

  /** From here on the connection is this response's. */
  begin(): void {
    const { socket } = this.#handed
    const res = this.#res
    socket.setTimeout(0)
    socket.on('data', this.#keep)
    socket.once('end', this.#leave)
    res.assignSocket(socket)
    res.once('finish', () => {
      res.detachSocket(socket)
      socket.destroySoon()
    })
  }

  override writeStatus(status: Sendable): this {
    this.#lines = Buffer.from(status as Uint8Array)
      .toString('latin1')
      .split('\r\n')
      .slice(1)
    return super.writeStatus(status)
  }

  upgrade<D>(
    userData: D,
    _key: string,
    protocol: string,
    extensions: string,
    context: EngineSocketContext,
  ): void {
    const { message, socket } = this.#handed
    socket.off('data', this.#keep)
    socket.off('end', this.#leave)
    this.#res.detachSocket(socket)
    const behavior = context as EngineSocketBehavior
    const compress = behavior.compression !== 0 && extensions !== ''
    const head = Buffer.concat(this.#early)
    const lines = this.#lines
    openNodeSocket({ message, socket, head, lines, protocol, userData, behavior, compress })
  }

  readonly #keep = (bytes: Buffer): void => {
    this.#early.push(bytes)
    this.#earlyBytes += bytes.length
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#handed.socket.destroy()
  }

  /** Half a connection is no WebSocket. */
  readonly #leave = (): void => {
    this.#handed.socket.destroy()
  }
}
