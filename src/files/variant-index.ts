/**
 * Remembers which encodings were made of which content, so that a restart makes none again. One line of
 * JSON each in a file beside the objects, shared by all servers of the folder; whatever is wrong with
 * it, it is ignored.
 */
import { appendFile, readFile, rm } from 'node:fs/promises'
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

  private constructor(path: string | null, tried: string, made: Map<string, readonly Made[]>) {
    this.#path = path
    this.#tried = tried
    this.#made = made
  }

  /** Reads what is known in `dir`; null keeps it in memory only. `codings` are those that can be made. */
  static async open(dir: string | null, codings: readonly Coding[]): Promise<VariantIndex> {
    const path = dir === null ? null : join(dir, NAME)
    const tried = codings.join()
    const made = new Map<string, readonly Made[]>()
    const text = path === null ? '' : await readFile(path, 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const entry = parseLine(line, tried)
      if (entry !== null) made.set(entry.source, entry.made)
    }
    if (path !== null && text.length > MAX_FILE_BYTES) await rm(path, { force: true })
    return new VariantIndex(path, tried, made)
  }

  /** What was made of the content of that hash, perhaps nothing; undefined when nobody has tried yet. */
  get(source: string): readonly Made[] | undefined {
    return this.#made.get(source)
  }

  /** Rejects when it cannot be written down; it is known until the end of the process all the same. */
  async set(source: string, made: readonly Made[]): Promise<void> {
    this.#made.set(source, made)
    if (this.#path === null) return
    const rows = made.map(({ coding, hash, length }) => [coding, hash, length])
    await appendFile(this.#path, `${JSON.stringify([source, this.#tried, rows])}\n`)
  }

  /** An object was lost: all of it is made anew. */
  forget(source: string): void {
    this.#made.delete(source)
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
