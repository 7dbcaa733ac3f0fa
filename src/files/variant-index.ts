/**
 * Remembers which encodings were made of which content, so that a restart makes none again. One line of
 * JSON each in a file beside the objects, shared by all servers of the folder; whatever is wrong with
 * it, it is ignored.
 */
import { appendFile, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Coding } from '../http/accept-encoding.ts'

/** An encoding that was worth keeping. */
export interface Made {
  readonly coding: Coding
  /** Of the encoded bytes: their name in the store. */
  readonly hash: string
  readonly length: number
}

const NAME = 'variants-1.jsonl'
const HASH = /^[0-9a-f]{32}$/
/** A file of that size holds mostly contents that are no longer served. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

export class VariantIndex {
  readonly #path: string | null
  readonly #tried: string
  readonly #made: Map<string, readonly Made[]>
  /** What the file tells of these is no longer so. */
  readonly #lost: Set<string>
  /** Of the file, that have been read. */
  #readBytes: number

  private constructor(path: string | null, tried: string) {
    this.#path = path
    this.#tried = tried
    this.#made = new Map()
    this.#lost = new Set()
    this.#readBytes = 0
  }

  /** Reads what is known in `dir`; null keeps it in memory only. `codings` are those that can be made. */
  static async open(dir: string | null, codings: readonly Coding[]): Promise<VariantIndex> {
    const path = dir === null ? null : join(dir, NAME)
    const index = new VariantIndex(path, codings.join())
    await index.#readOn()
    if (path !== null && index.#readBytes > MAX_FILE_BYTES) await rm(path, { force: true })
    return index
  }

  /** What was made of the content of that hash, perhaps nothing; undefined when nobody has tried yet. */
  get(source: string): readonly Made[] | undefined {
    return this.#made.get(source)
  }

  /** The same with what other servers of the folder have made since: before it is made once more. */
  async look(source: string): Promise<readonly Made[] | undefined> {
    if (!this.#made.has(source)) await this.#readOn()
    return this.#made.get(source)
  }

  /** Rejects when it cannot be written down; it is known until the end of the process all the same. */
  async set(source: string, made: readonly Made[]): Promise<void> {
    this.#made.set(source, made)
    this.#lost.delete(source)
    if (this.#path === null) return
    const rows = made.map(({ coding, hash, length }) => [coding, hash, length])
    await appendFile(this.#path, `${JSON.stringify([source, this.#tried, rows])}\n`)
  }

  /** An object was lost: all of it is made anew. */
  forget(source: string): void {
    this.#made.delete(source)
    this.#lost.add(source)
  }

  /** Takes whole lines alone: one that is being written is read the next time. */
  async #readOn(): Promise<void> {
    if (this.#path === null) return
    const { bytes, from } = await readFrom(this.#path, this.#readBytes)
    const end = bytes.lastIndexOf(10) + 1
    this.#readBytes = from + end
    for (const line of bytes.toString('utf8', 0, end).split('\n')) {
      const entry = parseLine(line, this.#tried)
      if (entry !== null && !this.#lost.has(entry.source)) this.#made.set(entry.source, entry.made)
    }
  }
}

/** The file's bytes from there on; all where it is shorter, for then it has been begun anew; none when it cannot be read. */
async function readFrom(path: string, offset: number): Promise<{ bytes: Buffer; from: number }> {
  const file = await open(path).catch(() => null)
  if (file === null) return { bytes: Buffer.alloc(0), from: 0 }
  try {
    const { size } = await file.stat()
    const from = size < offset ? 0 : offset
    const bytes = Buffer.alloc(size - from)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
    return { bytes: bytes.subarray(0, bytesRead), from }
  } catch {
    return { bytes: Buffer.alloc(0), from: offset }
  } finally {
    await file.close()
  }
}

function parseLine(line: string, tried: string): { source: string; made: Made[] } | null {
  if (line === '') return null
  try {
    const [source, codings, rows] = JSON.parse(line)
    if (!HASH.test(source) || codings !== tried) return null
    const made = rows.map(([coding, hash, length]: [Coding, string, number]) => {
      if (!tried.split(',').includes(coding) || !HASH.test(hash) || !Number.isSafeInteger(length)) {
        throw new TypeError('not an encoding')
      }
      return { coding, hash, length }
    })
    return { source, made }
  } catch {
    return null
  }
}
