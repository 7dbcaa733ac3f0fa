/** A response on a stream of Node's `http2`, in the shape of the engine's. Made by `http2-lane.ts`. */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { type Content, NodeResponse, peerBytes } from '../node-response.ts'
import { RECORD_BYTES } from '../upload-pace.ts'

/**
 * Of a body that is given to Node at a time: a client that opens all its streams and reads none of them must not
 * have much kept for it.
 */
const PART_BYTES = 32 * 1024

/** Fields of a connection of HTTP/1.1, which have no place here (RFC 9113 section 8.2.2): `Upgrade` of a 426 is one. */
const OF_CONNECTIONS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** The other end of the connection; its address as it was when it began. */
export interface Peer {
  readonly remoteAddress: string
  /** Of the bodies of its requests, as far as somebody reads them. */
  receivedBytes: number
}

/** Lists (RFC 9110 sections 8.4 and 8.5) that Node takes once alone. */
const LISTS: ReadonlySet<string> = new Set(['content-encoding', 'content-language'])

export class Http2Response extends NodeResponse {
  readonly hiddenBytes = RECORD_BYTES
  readonly #stream: ServerHttp2Stream
  readonly #peer: Peer
  /** Whether it was closed before its end. */
  isCut: boolean

  constructor(stream: ServerHttp2Stream, peer: Peer, expectsContinue: boolean) {
    super(stream, stream, expectsContinue, PART_BYTES)
    this.#stream = stream
    this.#peer = peer
    this.isCut = false
  }

  /**
   * Of this request alone: the others of its connection go on. Node ends a stream before it resets it, which alone would
   * make the content look whole: so of content in parts the end is sent apart, in place of trailers.
   */
  close(): this {
    this.isCut = true
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    return this
  }

  get sharedBytes(): number {
    return this.#peer.receivedBytes
  }

  override onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this {
    return super.onData((chunk, isLast) => {
      this.#peer.receivedBytes += chunk.byteLength
      handler(chunk, isLast)
    })
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return peerBytes(this.#peer)
  }

  protected get hasSentHead(): boolean {
    return this.#stream.headersSent
  }

  /** A connection ends by GOAWAY, never by a field (RFC 9113 section 8.2.2). */
  protected closeAfterwards(): void {}

  protected sendHead(status: string, fields: string[], content: Content): void {
    // What has been reset since takes no head; its end is told by an event.
    if (this.#stream.destroyed || this.#stream.closed) return
    const headers: OutgoingHttpHeaders = { ':status': Number(status.slice(0, status.indexOf(' '))) }
    for (let i = 0; i < fields.length; i += 2) {
      const name = (fields[i] as string).toLowerCase()
      if (OF_CONNECTIONS.has(name)) continue
      const value = fields[i + 1] as string
      const before = headers[name]
      if (before === undefined) headers[name] = value
      else if (LISTS.has(name)) headers[name] = `${before}, ${value}`
      else headers[name] = [before as string | string[], value].flat()
    }
    const stream = this.#stream
    if (content === 'parts')
      stream.once('wantTrailers', () => this.isCut || stream.sendTrailers({}))
    stream.respond(headers, { endStream: content === 'none', waitForTrailers: content === 'parts' })
  }

  protected sendContinue(): void {
    if (!this.#stream.destroyed && !this.#stream.closed)
      this.#stream.additionalHeaders({ ':status': 100 })
  }
}
