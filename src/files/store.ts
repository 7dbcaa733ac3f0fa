/**
 * Keeps the contents of static files where nobody changes them: immutable objects named by their hash,
 * mapped read-only and shared by all servers of one folder through the page cache. The catalogue puts
 * bytes in and gets the buffer that is sent to sockets.
 */
import { hash as digest, randomUUID } from 'node:crypto'
import { constants, renameSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { access, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Log } from '../core/log.ts'
import type { Native } from '../native/skin.ts'

export interface Store {
  /** The folder of the objects, or null when they are kept in private memory. */
  readonly dir: string | null
  /**
   * The object of `size` bytes, or null when it is missing or of another size. With `verify` its
   * contents are hashed as well.
   */
  find(hash: string, size: number, verify: boolean): ArrayBuffer | null
  /**
   * As `find`, but the disk is waited for without blocking. Unless `shared`, the result is memory of this
   * process that ends with the last reference: for what is sent seldom.
   */
  load(hash: string, size: number, shared: boolean, verify: boolean): Promise<ArrayBuffer | null>
  /** Stores bytes under their hash, in place of an object that differs. `bytes` may be kept: do not reuse. */
  put(hash: string, bytes: Uint8Array): Promise<ArrayBuffer>
}

const EMPTY = new ArrayBuffer(0)
const MAX_SYNC_BYTES = 64 * 1024
/** Linux allows a process 65,530 mappings by default, and V8 and libraries need theirs. */
const MAX_MAPPINGS = 30_000
/** An unfinished object of this age belongs to no running server. */
const STALE_MS = 3_600_000

/** Names contents: the first 128 bits of SHA-256 in hex, in lower case for file systems that fold it. */
export function hashOf(bytes: Uint8Array): string {
  return digest('sha256', bytes, 'hex').slice(0, 32)
}

/**
 * A store in `dir`, which is made when missing. Without a folder, or when it cannot be written to,
 * contents are kept in private memory, with one warning.
 */
export async function createStore(dir: string | null, native: Native, log: Log): Promise<Store> {
  if (dir === null) {
    log.warn('static files are copied to private memory: there is no folder to keep them in')
    return new MemoryStore()
  }
  try {
    await mkdir(join(dir, 'tmp'), { recursive: true })
    await access(join(dir, 'tmp'), constants.W_OK)
    await removeStale(join(dir, 'tmp'))
    return new FolderStore(dir, native, log)
  } catch (error) {
    log.warn(`static files are copied to private memory: ${(error as Error).message}`)
    return new MemoryStore()
  }
}

/** Buffers that are in use, so that files of equal content share one. */
class SharedBodies {
  readonly #byHash = new Map<string, WeakRef<ArrayBuffer>>()
  readonly #registry = new FinalizationRegistry<string>((hash) => {
    if (this.get(hash) === null) this.#byHash.delete(hash)
  })

  get size(): number {
    return this.#byHash.size
  }

  get(hash: string): ArrayBuffer | null {
    return this.#byHash.get(hash)?.deref() ?? null
  }

  set(hash: string, body: ArrayBuffer): ArrayBuffer {
    this.#byHash.set(hash, new WeakRef(body))
    this.#registry.register(body, hash)
    return body
  }
}

class MemoryStore implements Store {
  readonly dir = null
  readonly #bodies = new SharedBodies()

  find(hash: string): ArrayBuffer | null {
    return this.#bodies.get(hash)
  }

  async load(hash: string): Promise<ArrayBuffer | null> {
    return this.#bodies.get(hash)
  }

  async put(hash: string, bytes: Uint8Array): Promise<ArrayBuffer> {
    return this.#bodies.get(hash) ?? this.#bodies.set(hash, ownBuffer(bytes))
  }
}

class FolderStore implements Store {
  readonly dir: string
  readonly #native: Native
  readonly #log: Log
  readonly #bodies = new SharedBodies()
  #hasFailed = false

  constructor(dir: string, native: Native, log: Log) {
    this.dir = dir
    this.#native = native
    this.#log = log
  }

  find(hash: string, size: number, verify: boolean): ArrayBuffer | null {
    if (size === 0) return EMPTY
    const shared = this.#bodies.get(hash)
    if (shared !== null) return shared
    if (this.#bodies.size >= MAX_MAPPINGS) return null
    const body = this.#map(hash)
    if (body === null || body.byteLength !== size) return null
    if (verify && hashOf(new Uint8Array(body)) !== hash) return null
    return this.#bodies.set(hash, body)
  }

  async load(
    hash: string,
    size: number,
    shared: boolean,
    verify: boolean,
  ): Promise<ArrayBuffer | null> {
    if (size === 0) return EMPTY
    const known = this.#bodies.get(hash)
    if (known !== null) return known
    // Read before it is mapped, so that nobody waits for the disk while the mapping is sent.
    const bytes = await readFile(this.#pathOf(hash)).catch(() => null)
    if (bytes?.byteLength !== size || (verify && hashOf(bytes) !== hash)) return null
    // Known while somebody sends it, so that slow readers of one file do not hold a copy each.
    return shared
      ? this.find(hash, size, false)
      : (this.#bodies.get(hash) ?? this.#bodies.set(hash, ownBuffer(bytes)))
  }

  async put(hash: string, bytes: Uint8Array): Promise<ArrayBuffer> {
    if (bytes.byteLength === 0) return EMPTY
    const shared = this.#bodies.get(hash)
    if (shared !== null) return shared
    if (this.#bodies.size >= MAX_MAPPINGS) return ownBuffer(bytes)
    let body = await this.#mapIfEqual(hash, bytes)
    if (body === null && (await this.#write(hash, bytes))) {
      // Not compared with what was just written: that would only bring all of it into memory.
      body = this.#map(hash)
      if (body?.byteLength !== bytes.byteLength) body = null
    }
    return this.#bodies.get(hash) ?? this.#bodies.set(hash, body ?? ownBuffer(bytes))
  }

  /** The object, or null when it is missing or does not hold exactly these bytes. */
  async #mapIfEqual(hash: string, bytes: Uint8Array): Promise<ArrayBuffer | null> {
    const path = this.#pathOf(hash)
    const found = lookAt(path)
    if (found?.size !== bytes.byteLength) return null
    const body = this.#map(hash)
    if (body === null || Buffer.compare(new Uint8Array(body), bytes) !== 0) return null
    // Says that it is in use again, before a manifest does: see `removeUnused`.
    if (Date.now() - found.mtimeMs > STALE_MS)
      await utimes(path, new Date(), new Date()).catch(() => undefined)
    return body
  }

  #map(hash: string): ArrayBuffer | null {
    try {
      return this.#native.mapFile(this.#pathOf(hash))
    } catch {
      return null
    }
  }

  /**
   * Not synced to the disk: after a power failure the manifest's boot id makes every object be verified
   * before it is used again.
   */
  async #write(hash: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(hash)
    const temporary = join(this.dir, 'tmp', `${process.pid}-${randomUUID()}`)
    try {
      const options = { flag: 'wx', mode: 0o444 }
      // A small file is in the page cache sooner than another thread could begin with it.
      if (bytes.byteLength <= MAX_SYNC_BYTES) writeFileSync(temporary, bytes, options)
      else await writeFile(temporary, bytes, options)
      try {
        renameSync(temporary, path)
      } catch {
        await mkdir(dirname(path), { recursive: true })
        renameSync(temporary, path)
      }
      return true
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      this.#warnOnce(error as Error)
      return false
    }
  }

  #warnOnce(error: Error): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#log.warn(`some static files are copied to private memory: ${error.message}`)
  }

  #pathOf(hash: string): string {
    const name = hash.slice(2)
    return join(this.dir, hash.slice(0, 2), name.includes('.') ? name : `${name}.raw`)
  }
}

/** Cheaper than to fail to map it, which makes an error with words. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
  return (whole ? bytes.buffer : Uint8Array.from(bytes).buffer) as ArrayBuffer
}

async function removeStale(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const path = join(dir, name)
    const found = await stat(path).catch(() => null)
    if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true })
  }
}
