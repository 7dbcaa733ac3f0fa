/**
 * Where lines go: a file that may be renamed or removed under it, a pipe, or a stream of the process. Several workers
 * append to one file. Used by `line-writer.ts`.
 */
import {
  close,
  closeSync,
  constants,
  fstatSync,
  open,
  openSync,
  renameSync,
  type Stats,
  statSync,
  write,
  writeSync,
} from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LOG_STREAMS } from './options.ts'

const closeFile = promisify(close)
const openFile = promisify(open)
const writeFile = promisify(write) as unknown as (
  fd: number,
  bytes: Uint8Array,
) => Promise<{ bytesWritten: number }>

/** Appending is what keeps lines of several workers whole. Without a reader a pipe is an error, not a wait. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
/** Addresses and URLs of people are not everybody's to read. */
const MODE = 0o640
/** What the kernel writes to a pipe in one piece (POSIX, PIPE_BUF). */
const PIPE_BYTES = 4096
const QUIET = { throwIfNoEntry: false } as const

/** When a file gets another name, and how many of such are kept. 0: never. */
export interface Rotation {
  readonly maxFileBytes: number
  readonly maxFileSeconds: number
  readonly keepFiles: number
}

export class LogTarget {
  /** As messages name it. */
  readonly name: string
  readonly #path: string | null
  #fd: number | null
  #isFile: boolean
  #openedAt: number

  /** `file`: a path, `stdout` or `stderr`. */
  constructor(file: string) {
    const stream = LOG_STREAMS[file]
    this.name = file
    this.#path = stream === undefined ? file : null
    this.#fd = stream ?? null
    this.#isFile = false
    this.#openedAt = 0
  }

  /** Most bytes for one write of whole lines; Infinity where every write is in one piece. */
  get pieceBytes(): number {
    return this.#isFile ? Number.POSITIVE_INFINITY : PIPE_BYTES
  }

  /** At once, for the start. Throws what the system says. */
  openNow(): void {
    if (this.#path !== null && this.#fd === null) this.#use(openSync(this.#path, FLAGS, MODE))
  }

  /** Resolves to how many bytes were taken. */
  async write(bytes: Uint8Array): Promise<number> {
    return (await writeFile(this.#opened(), bytes)).bytesWritten
  }

  /** For the end of a process. */
  writeNow(bytes: Uint8Array): void {
    writeSync(this.#opened(), bytes)
  }

  /** Goes on in the file that has the name by now, if that is another one. Where it cannot be opened the one before stays: rejects. */
  async follow(): Promise<void> {
    const path = this.#path
    if (path === null || (this.#fd !== null && (await isStill(path, this.#fd)))) return
    const before = this.#fd
    this.#use(await openFile(path, FLAGS, MODE))
    if (before !== null) await closeFile(before)
  }

  /**
   * Where the file is too long or too old: gives it a name with the time, removes the oldest of such names but for those
   * that are kept, and goes on in a new one. Of several processes one does it.
   */
  async rotate({ maxFileBytes, maxFileSeconds, keepFiles }: Rotation): Promise<void> {
    const path = this.#path
    if (path === null || this.#fd === null || !this.#isFile) return
    const { size, birthtimeMs } = fstatSync(this.#fd)
    // Where the system knows no time of birth it names a later one.
    const ageMs = Date.now() - Math.min(birthtimeMs || Infinity, this.#openedAt)
    const isTooLong = maxFileBytes > 0 && size >= maxFileBytes
    const isTooOld = maxFileSeconds > 0 && size > 0 && ageMs >= maxFileSeconds * 1000
    if (!isTooLong && !isTooOld) return
    const old = `${path}.${new Date().toISOString().replace(/[-:Z]/g, '')}`
    // A worker that drains, or a server before this one, may have done it just now.
    if (statSync(old, QUIET) !== undefined || !isSame(statSync(path, QUIET), this.#fd)) return
    renameSync(path, old)
    await this.follow()
    await removeOldest(path, keepFiles)
  }

  close(): void {
    if (this.#path !== null && this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #use(fd: number): void {
    this.#fd = fd
    this.#isFile = fstatSync(fd).isFile()
    this.#openedAt = Date.now()
  }

  #opened(): number {
    if (this.#fd === null) throw new Error('it is not open')
    return this.#fd
  }
}

async function isStill(path: string, fd: number): Promise<boolean> {
  return isSame(await stat(path).catch(() => undefined), fd)
}

function isSame(named: Stats | undefined, fd: number): boolean {
  const own = fstatSync(fd)
  return named !== undefined && named.ino === own.ino && named.dev === own.dev
}

async function removeOldest(path: string, keep: number): Promise<void> {
  const own = `${basename(path)}.`
  const old = (await readdir(dirname(path)))
    .filter((name) => name.startsWith(own) && /^\d{8}T\d{6}\.\d{3}$/.test(name.slice(own.length)))
    .sort()
  for (const name of old.slice(0, Math.max(0, old.length - keep))) {
    await rm(join(dirname(path), name), { force: true })
  }
}
