/**
 * Compresses contents in a thread of its own, at the lowest priority: brotli at its best takes a second
 * for a megabyte, and requests must not feel it. The thread is started for work and ends without it.
 */
import { Worker } from 'node:worker_threads'
import * as zlib from 'node:zlib'
import type { Coding } from '../http/accept-encoding.ts'
import { compressThread, type Job, type Outcome } from './compress-thread.ts'

/** Those that this Node knows, the best first: zstd since 22.15. */
export const CODINGS: readonly Coding[] =
  'zstdCompressSync' in zlib ? ['br', 'zstd', 'gzip'] : ['br', 'gzip']

/** A thread costs some megabytes; this long after its last work it ends. */
const IDLE_MS = 2000

/** One job at a time. */
export class Compressor {
  #worker: Worker | null = null
  #timer: NodeJS.Timeout | null = null
  #fail: ((error: Error) => void) | null = null

  /** `bytes` in each of `CODINGS`. Rejects when the thread fails or the compressor is closed. */
  async compress(bytes: ArrayBuffer): Promise<ReadonlyMap<Coding, Uint8Array>> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#worker ??= this.#start()
    const worker = this.#worker
    try {
      const outcome = await new Promise<Outcome>((resolve, reject) => {
        this.#fail = reject
        worker.once('message', resolve)
        worker.postMessage({ bytes, codings: CODINGS } satisfies Job)
      })
      if ('problem' in outcome) throw new Error(outcome.problem)
      return new Map(outcome.encoded)
    } finally {
      this.#fail = null
      this.#timer = setTimeout(() => this.#stop(), IDLE_MS).unref()
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#fail?.(new Error('the server stops'))
    this.#stop()
  }

  #start(): Worker {
    const worker = new Worker(`(${compressThread})()`, { eval: true })
    worker.unref()
    worker.on('error', (error) => {
      this.#worker = null
      this.#fail?.(error as Error)
    })
    return worker
  }

  #stop(): void {
    const worker = this.#worker
    this.#worker = null
    void worker?.terminate()
  }
}
