/**
 * Request lines with a method that llhttp does not know: it stops at the first byte that tells, so whether
 * the line is one of an unknown method (501) or none at all (400) may be for later packets to say. Called
 * by the strict lane.
 */
import type { Socket } from 'node:net'
import type { ParserError } from './strict-errors.ts'

/** A request line whose method is a token (RFC 9110 section 9.1). */
const LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ \S+ HTTP\/1\.[01]\r\n/
/** What may still become one. */
const BEGINNING = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?: (?:\S+(?: [HTP/1.0]*\r?)?)?)?$/

export class UnknownMethods {
  readonly #begun = new WeakMap<Socket, string>()
  readonly #onEnd: (socket: Socket) => void

  /** `onEnd`: the client has ended with a line that is not whole. */
  constructor(onEnd: (socket: Socket) => void) {
    this.#onEnd = onEnd
  }

  /** 501 or 400; null while the rest of the line, of at most `maxBytes`, is yet to come. */
  statusOf(error: ParserError, socket: Socket, maxBytes: number): number | null {
    const before = this.#begun.get(socket)
    const packet = error.rawPacket?.toString('latin1') ?? ''
    // llhttp says so again of each packet that comes after, and has parsed nothing of it.
    const line = before === undefined ? lineOf(packet, error.bytesParsed) : before + packet
    if (line.length > maxBytes || !BEGINNING.test(line)) return LINE.test(line) ? 501 : 400
    // Before Node's own listener, which closes.
    if (before === undefined) socket.prependOnceListener('end', () => this.#onEnd(socket))
    this.#begun.set(socket, line)
    return null
  }
}

/** The packet from the start of the line in which the parser stopped: requests of a pipeline share one. */
function lineOf(packet: string, bytesParsed = 0): string {
  const start = bytesParsed === 0 ? 0 : packet.lastIndexOf('\n', bytesParsed - 1) + 1
  return packet.slice(start)
}
