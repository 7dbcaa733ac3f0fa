/**
 * The content codings that this Node can write (zlib's), for whole bodies and as streams. Levels are those
 * at which a page costs less to compress than its bytes cost to send.
 */
import * as zlib from 'node:zlib'
import type { Coding } from '../http/accept-encoding.ts'

/** What newer versions of Node have beside the types of the oldest one. */
const ZSTD = zlib as typeof zlib & {
  readonly createZstdCompress?: (options?: object) => zlib.Gzip
  readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer
  readonly zstdCompress?: (
    bytes: Uint8Array,
    done: (error: Error | null, result: Buffer) => void,
  ) => void
}

/** In our order of preference. zstd is there from Node 22.15 on. */
export const CODINGS: readonly Coding[] =
  ZSTD.zstdCompressSync === undefined ? ['br', 'gzip'] : ['br', 'zstd', 'gzip']

const GZIP_LEVEL = 6
const BROTLI_QUALITY = 4
/** Windows of a stream: 2^16 bytes; the default of 2^22 would cost megabytes for every open stream. */
const STREAM_WINDOW_BITS = 16
const BROTLI_WINDOW = { least: 10, most: 20 }

const { constants } = zlib

/** Blocks the event loop meanwhile. */
export function compressNow(bytes: Uint8Array, coding: Coding): Uint8Array {
  if (coding === 'gzip') return zlib.gzipSync(bytes, { level: GZIP_LEVEL })
  if (coding === 'br') return zlib.brotliCompressSync(bytes, brotliOptions(bytes.byteLength))
  return requireZstd(ZSTD.zstdCompressSync)(bytes)
}

/** In zlib's own threads. */
export function compressAsync(bytes: Uint8Array, coding: Coding): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: Uint8Array): void =>
      error === null ? resolve(result) : reject(error)
    if (coding === 'gzip') zlib.gzip(bytes, { level: GZIP_LEVEL }, done)
    else if (coding === 'br') zlib.brotliCompress(bytes, brotliOptions(bytes.byteLength), done)
    else requireZstd(ZSTD.zstdCompress)(bytes, done)
  })
}

/** A compressor, and what its `flush` takes to let go of everything that it was given. */
export interface Compressor {
  readonly stream: zlib.Gzip | zlib.BrotliCompress
  readonly flush: number
}

export function createCompressor(coding: Coding): Compressor {
  if (coding === 'gzip') {
    return { stream: zlib.createGzip({ level: GZIP_LEVEL }), flush: constants.Z_SYNC_FLUSH }
  }
  if (coding === 'br') {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: STREAM_WINDOW_BITS,
    }
    return {
      stream: zlib.createBrotliCompress({ params }),
      flush: constants.BROTLI_OPERATION_FLUSH,
    }
  }
  // ZSTD_e_flush, by its number: the constant is absent where the types are the oldest Node's.
  return { stream: requireZstd(ZSTD.createZstdCompress)(), flush: 1 }
}

/** The window is no larger than the body, since the encoder clears all of it. */
function brotliOptions(length: number): zlib.BrotliOptions {
  const { least, most } = BROTLI_WINDOW
  const bits = Math.min(most, Math.max(least, Math.ceil(Math.log2(length + 1))))
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: length,
      [constants.BROTLI_PARAM_LGWIN]: bits,
    },
  }
}

/** Nobody asks for zstd where `CODINGS` is without it. */
function requireZstd<T>(member: T | undefined): T {
  if (member === undefined) throw new TypeError('this version of Node has no zstd')
  return member
}
