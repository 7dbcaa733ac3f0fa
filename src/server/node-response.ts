/**
 * A response of Node's own streams in the shape of the engine's: what HTTP/1.1 on llhttp and HTTP/2 have in common.
 * The writer of the native lane writes them all. Framing is decided by the writer; Date is Node's.
 */
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { EngineResponse, Sendable } from './engine-types.ts'

const NO_BYTES = new ArrayBuffer(0)

/** What follows a head: nothing, all of the content at once, or parts of it. */
export type Content = 'none' | 'whole' | 'parts'

export abstract class NodeResponse implements EngineResponse {
  readonly keepsChunks = true
  readonly closesAfterEnd = true
  /** Takes the body of the reply. */
  readonly #out: Writable
  /** Gives the body of the request. */
  readonly #input: Readable
  readonly #partBytes: number
  /** Status line without its version. */
  #status: string
  /** Names and values by turns. */
  readonly #fields: string[]
  #sent: number
  #ended: boolean
  /** Somebody reads the body of the request, or did. */
  isRead: boolean
  #expectsContinue: boolean
  #writable: ((offset: number) => boolean) | null
  #aborted: (() => void) | null

  /** `partBytes`: of a large body that are given to Node at a time; the rest waits for the reader. */
  constructor(out: Writable, input: Readable, expectsContinue: boolean, partBytes: number) {
    this.#out = out
    this.#input = input
    this.#partBytes = partBytes
    this.#status = '200 OK'
    this.#fields = []
    this.#sent = 0
    this.#ended = false
    this.isRead = false
    this.#expectsContinue = expectsContinue
    this.#writable = null
    this.#aborted = null
  }

  abstract close(): this
  abstract getRemoteAddressAsText(): ArrayBuffer
  /** The reply ends the connection. */
  protected abstract closeAfterwards(): void
  protected abstract sendHead(status: string, fields: string[], content: Content): void
  /** Lets the client send what it holds back (RFC 9110 section 10.1.1). */
  protected abstract sendContinue(): void
  protected abstract get hasSentHead(): boolean

  /** Whether the client still waits to be told that it may send its body. */
  protected get expectsContinue(): boolean {
    return this.#expectsContinue
  }

  /** Whether the whole reply has been handed over, or has been given up. */
  get isEnded(): boolean {
    return this.#ended
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
    if (isClose) this.closeAfterwards()
    else this.#fields.push(field, textOf(value))
    return this
  }

  write(chunk: Sendable): boolean {
    this.#begin(null, 'parts')
    const bytes = bytesOf(chunk)
    this.#sent += bytes.byteLength
    return this.#out.write(bytes)
  }

  end(body: Sendable = '', closeConnection = false): this {
    if (closeConnection) this.closeAfterwards()
    const bytes = bytesOf(body)
    this.#begin(bytes.byteLength, bytes.byteLength === 0 ? 'none' : 'whole')
    this.#finish(bytes)
    return this
  }

  endWithoutBody(): this {
    this.#begin(null, 'none')
    this.#finish(null)
    return this
  }

  tryEnd(chunk: Sendable, totalBytes: number): [ok: boolean, done: boolean] {
    const bytes = bytesOf(chunk)
    const part = bytes.subarray(0, this.#partBytes)
    this.#begin(totalBytes, part.byteLength === totalBytes ? 'whole' : 'parts')
    this.#sent += part.byteLength
    if (this.#sent >= totalBytes) {
      this.#finish(part)
      return [true, true]
    }
    const taken = this.#out.write(part)
    return [taken && part.byteLength === bytes.byteLength, false]
  }

  getWriteOffset(): number {
    return this.#sent
  }

  onWritable(handler: (offset: number) => boolean): this {
    if (this.#writable === null)
      this.#out.on('drain', () => {
        if (!this.#ended) this.#writable?.(this.#sent)
      })
    this.#writable = handler
    return this
  }

  onAborted(handler: () => void): this {
    this.#aborted = handler
    this.#out.once('close', () => this.abort())
    return this
  }

  /** The client has gone, or what it sends is not to be understood. */
  abort(): void {
    const handler = this.#aborted
    this.#aborted = null
    if (!this.#ended) handler?.()
    this.#ended = true
  }

  /** Somebody reads the body from here on. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this {
    if (this.#expectsContinue) {
      this.#expectsContinue = false
      this.sendContinue()
    }
    this.isRead = true
    this.#input.on('data', (chunk: Buffer) => handler(bufferOf(chunk), false))
    this.#input.once('end', () => handler(NO_BYTES, true))
    return this
  }

  pause(): void {
    this.#input.pause()
  }

  resume(): void {
    this.#input.resume()
  }

  cork(write: () => void): this {
    write()
    return this
  }

  #begin(length: number | null, content: Content): void {
    if (this.hasSentHead) return
    if (length !== null) this.#fields.push('Content-Length', String(length))
    this.sendHead(this.#status, this.#fields, content)
  }

  #finish(bytes: Uint8Array | null): void {
    this.#ended = true
    if (bytes === null || bytes.byteLength === 0) this.#out.end()
    else this.#out.end(bytes)
  }
}

/**
 * The peer of a connection; IPv4 that came through an IPv6 socket as IPv4, a link-local one without its interface. Empty
 * when it has gone.
 */
export function peerOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

/** The same as the engine has it: bytes of a text. */
export function peerBytes(socket: Pick<Socket, 'remoteAddress'>): ArrayBuffer {
  return bufferOf(Buffer.from(peerOf(socket)))
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
