/**
 * A response of Node's `http` in the shape of the engine's: the writer of the native lane writes both.
 * Framing is decided by the writer; Date, Keep-Alive and what HTTP/1.0 needs are Node's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EngineResponse, Sendable } from './engine-types.ts'

/** Bytes of a large body that are given to Node at a time; the rest waits for the reader. */
const PART_BYTES = 256 * 1024

const NO_BYTES = new ArrayBuffer(0)

export class StrictResponse implements EngineResponse {
  readonly keepsChunks = true
  readonly closesAfterEnd = true
  readonly #message: IncomingMessage
  readonly #res: ServerResponse
  /** Status line without its version. */
  #status: string
  readonly #fields: string[]
  #sent: number
  #ended: boolean
  #closes: boolean
  #expectsContinue: boolean
  #writable: ((offset: number) => boolean) | null
  #aborted: (() => void) | null

  /** `mustClose`: nothing that follows on this connection can be understood. */
  constructor(
    message: IncomingMessage,
    res: ServerResponse,
    { mustClose, expectsContinue }: { mustClose: boolean; expectsContinue: boolean },
  ) {
    this.#message = message
    this.#res = res
    this.#status = '200 OK'
    this.#fields = []
    this.#sent = 0
    this.#ended = false
    this.#closes = mustClose
    this.#expectsContinue = expectsContinue
    this.#writable = null
    this.#aborted = null
  }

  writeStatus(status: Sendable): this {
    const [line = '', ...fields] = textOf(status).split('\r\n')
    this.#status = line
    for (const field of fields) {
      const colon = field.indexOf(':')
      this.writeHeader(field.slice(0, colon), field.slice(colon + 1).trim())
    }
    return this
  }

  writeHeader(name: Sendable, value: Sendable): this {
    const field = textOf(name)
    const isClose = field.toLowerCase() === 'connection' && textOf(value).toLowerCase() === 'close'
    if (isClose) this.#closes = true
    else this.#fields.push(field, textOf(value))
    return this
  }

  write(chunk: Sendable): boolean {
    this.#sendHead(null)
    const bytes = bytesOf(chunk)
    this.#sent += bytes.byteLength
    return this.#res.write(bytes)
  }

  end(body: Sendable = '', closeConnection = false): this {
    if (closeConnection) this.#closes = true
    const bytes = bytesOf(body)
    this.#sendHead(bytes.byteLength)
    this.#finish(bytes)
    return this
  }

  endWithoutBody(): this {
    this.#sendHead(null)
    this.#finish(null)
    return this
  }

  tryEnd(chunk: Sendable, totalBytes: number): [ok: boolean, done: boolean] {
    this.#sendHead(totalBytes)
    const bytes = bytesOf(chunk)
    const part = bytes.subarray(0, PART_BYTES)
    this.#sent += part.byteLength
    if (this.#sent >= totalBytes) {
      this.#finish(part)
      return [true, true]
    }
    const taken = this.#res.write(part)
    return [taken && part.byteLength === bytes.byteLength, false]
  }

  getWriteOffset(): number {
    return this.#sent
  }

  onWritable(handler: (offset: number) => boolean): this {
    if (this.#writable === null)
      this.#res.on('drain', () => {
        if (!this.#ended) this.#writable?.(this.#sent)
      })
    this.#writable = handler
    return this
  }

  onAborted(handler: () => void): this {
    this.#aborted = handler
    this.#res.once('close', () => this.abort())
    return this
  }

  /** The client has gone, or what it sends is not to be understood. */
  abort(): void {
    const handler = this.#aborted
    this.#aborted = null
    if (!this.#ended) handler?.()
    this.#ended = true
  }

  /** Lets the client send what it holds back (RFC 9110 section 10.1.1): somebody reads it from here on. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this {
    if (this.#expectsContinue) {
      this.#expectsContinue = false
      this.#res.writeContinue()
    }
    this.#message.on('data', (chunk: Buffer) => handler(bufferOf(chunk), false))
    this.#message.once('end', () => handler(NO_BYTES, true))
    return this
  }

  pause(): void {
    this.#message.pause()
  }

  resume(): void {
    this.#message.resume()
  }

  cork(write: () => void): this {
    write()
    return this
  }

  /** A reset, where the end of the connection would look like the end of the content. */
  close(): this {
    const { socket } = this.#message
    if (this.#message.httpVersion === '1.0') socket.resetAndDestroy()
    else socket.destroy()
    return this
  }

  getRemoteAddressAsText(): ArrayBuffer {
    const address = this.#message.socket.remoteAddress ?? ''
    return bufferOf(Buffer.from(address.replace(/^::ffff:(?=\d+\.)/i, '')))
  }

  #sendHead(length: number | null): void {
    if (this.#res.headersSent) return
    if (length !== null) this.#fields.push('Content-Length', String(length))
    // A client that still waits for 100 may send the body or not: the next bytes could be either.
    if (this.#closes || this.#expectsContinue) this.#fields.push('Connection', 'close')
    const space = this.#status.indexOf(' ')
    const reason = this.#status.slice(space + 1)
    this.#res.writeHead(Number(this.#status.slice(0, space)), reason, this.#fields)
  }

  #finish(bytes: Uint8Array | null): void {
    this.#ended = true
    if (bytes === null || bytes.byteLength === 0) this.#res.end()
    else this.#res.end(bytes)
  }
}

function textOf(value: Sendable): string {
  return typeof value === 'string' ? value : Buffer.from(bytesOf(value)).toString('latin1')
}

function bytesOf(value: Sendable): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  return value instanceof Uint8Array ? value : new Uint8Array(value)
}

/** A buffer of its own: Node's chunks are windows of a pool. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}
