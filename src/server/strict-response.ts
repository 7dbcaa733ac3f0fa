/** A response of Node's `http` in the shape of the engine's. Keep-Alive and what HTTP/1.0 needs are Node's. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { EngineResponse } from './engine-types.ts'
import { NodeResponse, peerBytes } from './node-response.ts'
import { refusalLength } from './refusal.ts'
import { RECORD_BYTES } from './upload-pace.ts'

/** Of a body that is given to Node at a time. */
const PART_BYTES = 256 * 1024

export class StrictResponse extends NodeResponse {
  readonly hiddenBytes: number
  refused: EngineResponse['refused']
  readonly #message: IncomingMessage
  readonly #res: ServerResponse
  #closes: boolean

  /** `mustClose`: nothing that follows on this connection can be understood. */
  constructor(
    message: IncomingMessage,
    res: ServerResponse,
    { mustClose, expectsContinue }: { mustClose: boolean; expectsContinue: boolean },
  ) {
    super(res, message, expectsContinue, PART_BYTES)
    this.hiddenBytes = message.socket instanceof TLSSocket ? RECORD_BYTES : 0
    this.refused = undefined
    this.#message = message
    this.#res = res
    this.#closes = mustClose
  }

  /** What the client sends is not to be understood: it gets `status`, whatever its view does. */
  refuse(status: number): void {
    this.refused = { status, length: refusalLength(status) }
    this.abort()
  }

  /** A reset, where the end of the connection would look like the end of the content; TLS tells the two apart. */
  close(): this {
    const { socket, httpVersion } = this.#message
    if (httpVersion === '1.0' && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
    else socket.destroy()
    return this
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return peerBytes(this.#message.socket)
  }

  protected get hasSentHead(): boolean {
    return this.#res.headersSent
  }

  protected closeAfterwards(): void {
    this.#closes = true
  }

  protected sendHead(status: string, fields: string[]): void {
    // A client that still waits for 100 may send the body or not: the next bytes could be either.
    if (this.#closes || this.expectsContinue) fields.push('Connection', 'close')
    const space = status.indexOf(' ')
    this.#res.writeHead(Number(status.slice(0, space)), status.slice(space + 1), fields)
  }

  protected sendContinue(): void {
    this.#res.writeContinue()
  }
}
