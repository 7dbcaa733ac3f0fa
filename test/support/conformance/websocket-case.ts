/** One case of RFC 6455 or 7692: the frames that a client sends, and what the server has to make of them. */
import { connect } from 'node:net'
import { deflateRawSync, inflateRawSync, constants as zlib } from 'node:zlib'
import { BINARY, CLOSE, closing, frame, handshake, PING, PONG, TEXT } from '../sockets.ts'

export interface SocketCase {
  /** Numbered as the sections of the Autobahn test suite are. */
  readonly section: string
  readonly clause: string
  readonly name: string
  readonly send: readonly Buffer[]
  /** Each piece of so many bytes is a write of its own. Default: all in one. */
  readonly pieces?: number
  /** What the server sends, by `Outcome`; a Close that the clause asks for has its code. */
  readonly asked: string
  /** Fields of the handshake. */
  readonly fields?: Readonly<Record<string, string>>
}

/** `text 5`, `pong 0`, `close 1000`, …, then `end`; several of a kind are `3 × text 5`. */
export type Outcome = string

export const END = frame(CLOSE, closing(1000))
/** Of a case that goes well: it ends with `END`. */
export const WELL = 'close 1000, end'

const NAMES: Readonly<Record<number, string>> = {
  [TEXT]: 'text',
  [BINARY]: 'binary',
  [CLOSE]: 'close',
  [PING]: 'ping',
  [PONG]: 'pong',
}
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

/** A message as a client compresses it (RFC 7692 section 7.2.1). */
export function deflated(
  content: string | Uint8Array,
  opcode: number = typeof content === 'string' ? TEXT : BINARY,
  windowBits = 15,
): Buffer {
  return frame(opcode, compress(content, windowBits), { rsv: 4 })
}

export function compress(content: string | Uint8Array, windowBits = 15): Buffer {
  const options = { finishFlush: zlib.Z_SYNC_FLUSH, windowBits }
  const bytes = deflateRawSync(Buffer.from(content as string), options)
  return bytes.subarray(0, bytes.length - TAIL.length)
}

interface Frame {
  readonly first: number
  readonly content: Buffer
}

/** Sends the case's frames over a connection of its own; resolves when the server has ended it. */
export function outcomeOf(port: number, one: SocketCase): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    let head = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(handshake('/', one.fields)))
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const end = received.indexOf('\r\n\r\n')
      if (head !== '' || end < 0) return
      head = received.toString('latin1', 0, end)
      received = received.subarray(end + 4)
      if (head.startsWith('HTTP/1.1 101 ')) sendAll(socket, one)
      else socket.end()
    })
    // A server that cuts a connection resets what it has not read.
    socket.on('error', () => {})
    socket.on('close', () => {
      try {
        resolve(describe(head, received))
      } catch (error) {
        reject(error)
      }
    })
  })
}

function sendAll(socket: ReturnType<typeof connect>, { send, pieces }: SocketCase): void {
  const bytes = Buffer.concat(send)
  if (pieces === undefined) {
    socket.write(bytes)
    return
  }
  const next = (at: number): void => {
    if (at >= bytes.length || socket.destroyed) return
    socket.write(bytes.subarray(at, at + pieces), () => setImmediate(next, at + pieces))
  }
  next(0)
}

function describe(head: string, bytes: Buffer): Outcome {
  if (!head.startsWith('HTTP/1.1 101 ')) return head.slice(9, 12)
  const words: [count: number, word: string][] = []
  for (const one of framesOf(bytes)) {
    const word = wordOf(one)
    const last = words.at(-1)
    if (last?.[1] === word) last[0]++
    else words.push([1, word])
  }
  const told = words.map(([count, word]) => (count === 1 ? word : `${count} × ${word}`))
  const [, extension] = /^sec-websocket-extensions: *(.*)$/im.exec(head) ?? []
  return [...(extension === undefined ? [] : [`[${extension}]`]), ...told, 'end'].join(', ')
}

function wordOf({ first, content }: Frame): string {
  const name = NAMES[first & 15] ?? `opcode ${first & 15}`
  if (name === 'close') return content.length < 2 ? 'close' : `close ${content.readUInt16BE()}`
  if ((first & 0x40) === 0) return `${name} ${content.length}`
  const inflated = inflateRawSync(Buffer.concat([content, TAIL]), {
    finishFlush: zlib.Z_SYNC_FLUSH,
  })
  return `deflated ${name} ${inflated.length}`
}

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1)
    if (short > 127) throw new Error('a frame of the server is masked')
    const wide = short === 127 ? 8 : short === 126 ? 2 : 0
    const start = at + 2 + wide
    const length =
      wide === 8
        ? Number(bytes.readBigUInt64BE(at + 2))
        : wide === 2
          ? bytes.readUInt16BE(at + 2)
          : short
    if (start + length > bytes.length) throw new Error('the connection ended within a frame')
    frames.push({ first: bytes.readUInt8(at), content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return frames
}
