/**
 * A body in pieces: literal bytes and parts of a file, one after the other, read from any offset on. The
 * server's writer asks for what comes next whenever its client takes more; nothing is held in between.
 */
import type { Segment } from './entry.ts'

/** Where a representation's bytes come from: `FileReader`, or memory. */
export interface ByteSource {
  /** At least one byte from `position` on, at most `maxBytes`; null when the source was closed. */
  read(position: number, maxBytes: number): Uint8Array | Promise<Uint8Array | null>
  /** The memory of the last read may be used again. */
  release(): void
  close(): void
}

/** Bytes that are in memory already. */
export function memorySource(bytes: ArrayBuffer): ByteSource {
  return {
    read: (position, maxBytes) =>
      new Uint8Array(bytes, position, Math.min(maxBytes, bytes.byteLength - position)),
    release() {},
    close() {},
  }
}

export class SegmentedBody {
  readonly #segments: readonly Segment[]
  readonly #source: ByteSource

  /** Takes over `source`. */
  constructor(segments: readonly Segment[], source: ByteSource) {
    this.#segments = segments
    this.#source = source
  }

  /** What follows the first `offset` bytes of the body, which has more; as `ByteSource.read`. */
  read(offset: number, maxBytes: number): Uint8Array | Promise<Uint8Array | null> {
    let before = 0
    for (const { bytes, start, end } of this.#segments) {
      const within = offset - before
      const length = end - start
      if (within < length) {
        if (bytes !== null) return bytes.subarray(within)
        return this.#source.read(start + within, Math.min(maxBytes, length - within))
      }
      before += length
    }
    throw new RangeError(`a body of ${before} bytes has nothing at ${offset}`)
  }

  release(): void {
    this.#source.release()
  }

  close(): void {
    this.#source.close()
  }
}

/** All of a body whose representation is in memory. */
export function joinSegments(segments: readonly Segment[], content: ArrayBuffer): Uint8Array {
  return Buffer.concat(
    segments.map(({ bytes, start, end }) => bytes ?? new Uint8Array(content, start, end - start)),
  )
}
