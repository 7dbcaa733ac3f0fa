/**
 * Bytes from PostgreSQL → whole messages, wherever the packets are cut (PostgreSQL 18, section 54.7).
 * Used by `session.ts`.
 */

/** Called with a message's type, and where in `buffer` its content stands; valid during the call. */
export type OnMessage = (type: number, buffer: Buffer, at: number, end: number) => void

const HEADER_BYTES = 5
/** PostgreSQL's own limit of a message (PQ_LARGE_MESSAGE_LIMIT). */
const MAX_MESSAGE_BYTES = 0x3fffffff

export class Input {
  readonly #onMessage: OnMessage
  /** Pieces of a message that is not whole yet. */
  #pieces: Buffer[]
  #pieceBytes: number
  /** Bytes from which on another look is worth while. */
  #neededBytes: number

  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage
    this.#pieces = []
    this.#pieceBytes = 0
    this.#neededBytes = 0
  }

  /** Throws what `onMessage` throws, and RangeError for a length that no message has. */
  push(chunk: Buffer): void {
    let buffer = chunk
    if (this.#pieceBytes > 0) {
      this.#pieces.push(chunk)
      this.#pieceBytes += chunk.byteLength
      if (this.#pieceBytes < this.#neededBytes) return
      buffer = Buffer.concat(this.#pieces, this.#pieceBytes)
      this.#pieces = []
      this.#pieceBytes = 0
    }
    const end = buffer.byteLength
    let at = 0
    while (end - at >= HEADER_BYTES) {
      const next = at + 1 + lengthAt(buffer, at + 1)
      if (next > end) {
        this.#keep(buffer.subarray(at), next - at)
        return
      }
      this.#onMessage(buffer[at] as number, buffer, at + HEADER_BYTES, next)
      at = next
    }
    if (at < end) this.#keep(buffer.subarray(at), HEADER_BYTES)
  }

  #keep(rest: Buffer, neededBytes: number): void {
    this.#pieces = [rest]
    this.#pieceBytes = rest.byteLength
    this.#neededBytes = neededBytes
  }
}

function lengthAt(buffer: Buffer, at: number): number {
  const length = int32At(buffer, at)
  if (length < 4 || length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`PostgreSQL sent a message of ${length} bytes, which is none`)
  }
  return length
}

export function int32At(buffer: Buffer, at: number): number {
  return (
    ((buffer[at] as number) << 24) |
    ((buffer[at + 1] as number) << 16) |
    ((buffer[at + 2] as number) << 8) |
    (buffer[at + 3] as number)
  )
}

export function int16At(buffer: Buffer, at: number): number {
  return ((buffer[at] as number) << 8) | (buffer[at + 1] as number)
}
