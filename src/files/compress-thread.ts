/** The thread of `Compressor`: contents come in, their encodings go out. */
import type { Coding } from '../http/accept-encoding.ts'

export interface Job {
  readonly bytes: ArrayBuffer
  readonly codings: readonly Coding[]
}

export type Outcome =
  | { readonly encoded: readonly (readonly [Coding, Uint8Array])[] }
  | { readonly problem: string }

/** In Node since 22.15: the types of the oldest Node that is supported do not have it. */
interface WithZstd {
  zstdCompressSync(bytes: Uint8Array, options: object): Uint8Array
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

/**
 * What the thread runs, given to it as text, so that it is the same from the compiled file and from its
 * source: it uses nothing from outside of itself, and has no functions with names inside.
 */
export function compressThread(): void {
  const fs = process.getBuiltinModule('node:fs')
  const os = process.getBuiltinModule('node:os')
  const zlib = process.getBuiltinModule('node:zlib')
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  // Above it the best effort would take seconds, for a per cent or two, and the process could not end.
  const maxBestBytes = 1024 * 1024
  try {
    // On Linux a thread has a priority of its own, by its number.
    os.setPriority(Number(fs.readlinkSync('/proc/thread-self').split('/').pop()), 19)
  } catch {
    // Elsewhere the work is done at the priority of the process.
  }
  parentPort?.on('message', ({ bytes, codings }: Job) => {
    try {
      const content = new Uint8Array(bytes)
      const isSmall = content.byteLength <= maxBestBytes
      const encoded: [Coding, Uint8Array][] = []
      for (const coding of codings) {
        if (coding === 'br') {
          const { constants } = zlib
          const params = {
            [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
            [constants.BROTLI_PARAM_QUALITY]: isSmall ? 11 : 9,
            [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength,
          }
          encoded.push([coding, Uint8Array.from(zlib.brotliCompressSync(content, { params }))])
        } else if (coding === 'gzip') {
          encoded.push([coding, Uint8Array.from(zlib.gzipSync(content, { level: 9 }))])
        } else {
          const { zstdCompressSync, constants } = zlib as unknown as WithZstd
          const params = { [constants.ZSTD_c_compressionLevel]: isSmall ? 19 : 12 }
          encoded.push([coding, Uint8Array.from(zstdCompressSync(content, { params }))])
        }
      }
      parentPort.postMessage({ encoded } satisfies Outcome)
    } catch (error) {
      parentPort.postMessage({ problem: (error as Error).message } satisfies Outcome)
    }
  })
}
