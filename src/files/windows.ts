/**
 * Reads a file that is too large to be stored: its original, window by window, through one descriptor.
 * Made by `OpenFile` for one reply; the server's writer reads where the client is, as fast as that takes.
 */
import { closeSync, read as readCallback } from 'node:fs'
import { promisify } from 'node:util'
import { createError } from '../core/errors.ts'
import { type FileIdentity, identityOfFd } from './identity.ts'

const read = promisify(readCallback)

/** Longest part that one `read` gives. */
export const WINDOW_BYTES = 256 * 1024
/** Of all replies together: 8 MiB. More readers wait for a window, not for their clients. */
const MAX_WINDOWS = 32
const MAX_IDLE_WINDOWS = 16

const idle: Uint8Array[] = []
const waiting: ((window: Uint8Array) => void)[] = []
let taken = 0

/** Windows that are in use now. */
export function windowsInUse(): number {
  return taken
}

function takeWindow(): Uint8Array | Promise<Uint8Array> {
  if (taken >= MAX_WINDOWS) return new Promise((resolve) => waiting.push(resolve))
  taken++
  return idle.pop() ?? new Uint8Array(WINDOW_BYTES)
}

function giveWindow(window: Uint8Array): void {
  const next = waiting.shift()
  if (next !== undefined) return next(window)
  taken--
  if (idle.length < MAX_IDLE_WINDOWS) idle.push(window)
}

export class FileReader {
  readonly #fd: number
  readonly #identity: FileIdentity
  readonly #path: string
  #window: Uint8Array | null
  #isReading: boolean
  #isClosed: boolean

  /** Takes over `fd`, which shows `identity`. `path` names the file in errors. */
  constructor(fd: number, identity: FileIdentity, path: string) {
    this.#fd = fd
    this.#identity = identity
    this.#path = path
    this.#window = null
    this.#isReading = false
    this.#isClosed = false
  }

  /** Of the whole file, in bytes. */
  get length(): number {
    return this.#identity.size
  }

  /**
   * Up to `maxBytes` bytes (at most `WINDOW_BYTES`, at least one) from `position` on, which lies before the
   * end. One read at a time; its memory is used again after `release`, which has to come before the next.
   * Rejects with UWAS_ERR_FILES_CUT_SHORT as soon as the file is seen to have changed (a reply never mixes two
   * versions), or with the system's error. Null after `close`.
   */
  async read(position: number, maxBytes: number): Promise<Uint8Array | null> {
    this.#isReading = true
    try {
      const window = await takeWindow()
      this.#window = window
      return this.#isClosed ? null : await this.#fill(window, position, maxBytes)
    } finally {
      this.#isReading = false
      if (this.#isClosed) this.#end()
    }
  }

  /** Gives back the memory of the last read. */
  release(): void {
    if (this.#window === null || this.#isReading) return
    giveWindow(this.#window)
    this.#window = null
  }

  /** Closes the descriptor, once a read that is going on has ended: the kernel may still be writing. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (!this.#isReading) this.#end()
  }

  async #fill(window: Uint8Array, position: number, maxBytes: number): Promise<Uint8Array | null> {
    const length = Math.min(this.length - position, maxBytes, window.byteLength)
    const { bytesRead } = await read(this.#fd, window, 0, length, position)
    if (this.#isClosed) return null
    // Looked at after the read: what was read before a change is still of the old version.
    if (bytesRead === 0 || identityOfFd(this.#fd)?.contentKey !== this.#identity.contentKey) {
      throw createError('UWAS_ERR_FILES_CUT_SHORT', {
        path: this.#path,
        sent: position,
        length: this.length,
      })
    }
    return window.subarray(0, bytesRead)
  }

  #end(): void {
    this.release()
    closeSync(this.#fd)
  }
}
