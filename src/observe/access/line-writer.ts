/**
 * Writes lines off the hot path: they are gathered, and written together. What a disk does not take in time is dropped
 * and counted, and so is what it refuses; the log of the process says so once, and once more when it is over.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../core/log.ts'
import { LogTarget, type Rotation } from './log-target.ts'

export interface LineWriterOptions {
  readonly file: string
  readonly maxBufferBytes: number
  /** Null: somebody else does it. */
  readonly rotation: Rotation | null
  /** As messages call it: `access log`. */
  readonly what: string
  readonly log: Log
}

/** So much is written at once, without waiting for the next tick of its clock. */
const BATCH_BYTES = 64 * 1024
/** A batch with its last line, unless that is very long. */
const KEPT_BYTES = BATCH_BYTES + 4096
/** Longest time of a line in memory, in milliseconds. */
const FLUSH_MS = 100
/** Between two looks whether the file still has its name. */
const LOOK_MS = 1_000
/** Before a pipe that is full is tried again. */
const FULL_MS = 20
/** What the end of a process waits for a pipe that nobody reads. */
const CLOSE_MS = 1_000

const LINE_FEED = 0x0a

export class LineWriter {
  /** Lines that were lost since the start. */
  dropped: number
  readonly #options: LineWriterOptions
  readonly #target: LogTarget
  /** Lines that wait, printable ASCII: as many bytes as characters. */
  #waiting: string
  #timer: NodeJS.Timeout | null
  #looking: NodeJS.Timeout | undefined
  /** Bytes that are being written. */
  #inFlight: number
  #running: Promise<void> | null
  /** Where a batch stands while it is written, and the next one after it. */
  #batch: Buffer | null
  #lookedAt: number
  #mustReopen: boolean
  /** Lost since the log of the process was told that it is well. */
  #lost: number
  /** What the log was told last is wrong with its file; null: nothing. */
  #trouble: string | null
  /** The last byte that was written is not the end of a line. */
  #isTorn: boolean
  #isClosing: boolean
  readonly #onExit: () => void

  constructor(options: LineWriterOptions) {
    this.dropped = 0
    this.#options = options
    this.#target = new LogTarget(options.file)
    this.#waiting = ''
    this.#timer = null
    this.#looking = undefined
    this.#inFlight = 0
    this.#running = null
    this.#batch = null
    this.#lookedAt = performance.now()
    this.#mustReopen = false
    this.#lost = 0
    this.#trouble = null
    this.#isTorn = false
    this.#isClosing = false
    this.#onExit = () => this.#writeLast()
  }

  /** Opens the file. Where that fails the log says so, and it is tried again with the lines that come. */
  open(): void {
    // A reload opens it once more.
    if (process.listeners('exit').includes(this.#onExit)) return
    process.on('exit', this.#onExit)
    const { maxFileBytes = 0, maxFileSeconds = 0 } = this.#options.rotation ?? {}
    // Others write to the file, too, and it grows old while nobody does.
    if (maxFileBytes > 0 || maxFileSeconds > 0)
      this.#looking = setInterval(() => this.#flush(), LOOK_MS).unref()
    try {
      this.#target.openNow()
    } catch (error) {
      this.#complain(`cannot be opened: ${(error as Error).message}`)
    }
  }

  /** `line` ends with its line feed. */
  append(line: string): void {
    if (this.#isClosing) return
    if (this.#waiting.length + this.#inFlight + line.length > this.#options.maxBufferBytes) {
      this.#lose(1, 'it takes lines more slowly than they come')
      return
    }
    this.#waiting += line
    // Who writes looks again at its end.
    if (this.#running !== null) return
    if (this.#waiting.length >= BATCH_BYTES) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  /** Goes on in the file that has the name by now. */
  reopen(): void {
    this.#mustReopen = true
    this.#flush()
  }

  /** Writes what waits, as far as somebody takes it. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    clearInterval(this.#looking)
    this.#flush()
    const end = new AbortController()
    await Promise.race([
      this.#running,
      sleep(CLOSE_MS, undefined, { signal: end.signal, ref: false }).catch(() => {}),
    ])
    end.abort()
    process.off('exit', this.#onExit)
    if (this.#running === null) this.#target.close()
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#running ??= this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    do {
      await this.#follow()
      const text = this.#waiting
      this.#waiting = ''
      this.#inFlight = text.length
      await this.#write(text)
      this.#inFlight = 0
    } while (this.#mustGoOn())
    this.#running = null
    if (this.#waiting !== '') this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  #mustGoOn(): boolean {
    return this.#mustReopen || this.#waiting.length >= (this.#isClosing ? 1 : BATCH_BYTES)
  }

  /** Before a write: what a rotation from outside has taken away gets no line any more. */
  async #follow(): Promise<void> {
    const now = performance.now()
    if (!this.#mustReopen && now - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = now
    this.#mustReopen = false
    const { rotation } = this.#options
    try {
      await this.#target.follow()
      if (rotation !== null) await this.#target.rotate(rotation)
      if (this.#lost === 0) this.#trouble = null
    } catch (error) {
      this.#complain(`cannot be opened: ${(error as Error).message}`)
    }
  }

  async #write(text: string): Promise<void> {
    if (text === '') return
    let bytes = this.#bytesOf(this.#isTorn ? `\n${text}` : text)
    try {
      while (bytes.length > 0) {
        const taken = await this.#writePiece(bytes)
        if (taken > 0) this.#isTorn = bytes[taken - 1] !== LINE_FEED
        bytes = bytes.subarray(taken)
      }
      this.#recover()
    } catch (error) {
      this.#lose(countLines(bytes), (error as Error).message)
    }
  }

  /** Of the usual batch in memory that is used again: new memory costs a fault of each of its pages. */
  #bytesOf(text: string): Buffer {
    if (text.length > KEPT_BYTES) return Buffer.from(text, 'latin1')
    this.#batch ??= Buffer.allocUnsafeSlow(KEPT_BYTES)
    return this.#batch.subarray(0, this.#batch.write(text, 'latin1'))
  }

  /** Resolves to 0 where a pipe is full. */
  async #writePiece(bytes: Buffer): Promise<number> {
    const most = this.#target.pieceBytes
    let end = bytes.length
    if (end > most) end = bytes.lastIndexOf(LINE_FEED, most - 1) + 1 || bytes.indexOf(LINE_FEED) + 1
    try {
      return await this.#target.write(bytes.subarray(0, end))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await sleep(FULL_MS)
      return 0
    }
  }

  #lose(lines: number, why: string): void {
    this.dropped += lines
    this.#lost += lines
    this.#complain(`lines are lost until it can be written: ${why}`)
  }

  /** Once, until it is well again. */
  #complain(what: string): void {
    if (this.#trouble !== null) return
    this.#trouble = what
    this.#tell('error', what)
  }

  #recover(): void {
    if (this.#lost === 0) return
    const lines = this.#lost === 1 ? '1 line was' : `${this.#lost} lines were`
    this.#tell('warn', `is written again; ${lines} lost`)
    this.#lost = 0
    this.#trouble = null
  }

  #tell(level: 'warn' | 'error', text: string): void {
    const { log, what } = this.#options
    log[level](`${what} ${this.#target.name}: ${text}`)
  }

  /** The process exits without having closed it. */
  #writeLast(): void {
    try {
      if (this.#waiting !== '') this.#target.writeNow(Buffer.from(this.#waiting, 'latin1'))
    } catch {
      // There is nobody left to be told.
    }
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0
  for (const byte of bytes) if (byte === LINE_FEED) lines++
  return lines
}
