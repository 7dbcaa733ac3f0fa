/**
 * `uwas collect DIR`: writes the static files of a site as it would serve them, by their own and by their fingerprinted
 * names, compressed beside them: for a CDN or another server. Called by `cli.ts`.
 */
import { mkdirSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { createError } from '../core/errors.ts'
import { type Catalogue, createCatalogue } from '../files/catalogue.ts'
import { Compressor } from '../files/compress.ts'
import type { FileEntry } from '../files/entry.ts'
import { WINDOW_BYTES } from '../files/windows.ts'
import type { Coding } from '../http/accept-encoding.ts'
import { isCompressible } from '../http/compressible.ts'
import { loadNative } from '../native/load.ts'
import type { SiteConfig } from '../was/config.ts'
import { count } from './count.ts'
import { createCommandLog } from './log.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'

/** Which file has which URL, beside the files themselves. */
const MANIFEST = 'manifest.json'

const ENDINGS: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' }
/** What is in memory at a time; the others are read again. */
const MAX_BYTES = 64 * 1024 * 1024

export async function collectCommand(dir: string, flags: SiteFlags): Promise<number> {
  const config = await loadSite(flags)
  const target = resolve(dir)
  checkTarget(dir, target, config)
  const log = createCommandLog()
  const files = await createCatalogue({
    mounts: config.static,
    storeDir: join(config.stateDir, 'objects'),
    maxBytes: MAX_BYTES,
    ceilingBytes: config.files.maxFileBytes,
    deployments: 0,
    compressesAhead: false,
    native: loadNative(),
    log,
  })
  const compressor = new Compressor()
  try {
    const collector = new Collector(files, target, compressor)
    await collector.collect()
    const { written, compressed } = collector
    log.info(
      `${showPath(target)}: ${count(files.stats.files, 'file')} by ${count(written, 'name')}, ${compressed} of them compressed as well`,
    )
    return 0
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code?.startsWith('UWAS_') ? error : refuse(dir, message, error)
  } finally {
    compressor.close()
    await files.close()
  }
}

/** In a folder that is served it would find itself the next time. */
function checkTarget(dir: string, target: string, config: SiteConfig): void {
  if (config.static.length === 0) throw refuse(dir, 'the site has no static files: add "static"')
  for (const mount of config.static) {
    const inside = `${target}${sep}`.startsWith(mount.dir + sep)
    const around = `${mount.dir}${sep}`.startsWith(target + sep)
    if (!inside && !around) continue
    throw refuse(
      dir,
      `it is ${inside ? 'in' : 'around'} ${showPath(mount.dir)}, which the site serves`,
    )
  }
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw refuse(dir, 'it is no folder')
  }
}

function refuse(dir: string, problem: string, cause?: unknown): Error {
  return createError('UWAS_ERR_COMMANDS_COLLECT', { dir: JSON.stringify(dir), problem }, cause)
}

class Collector {
  /** Names, fingerprinted ones included, and how many have compressed ones beside them. */
  written = 0
  compressed = 0
  readonly #files: Catalogue
  readonly #target: string
  readonly #compressor: Compressor

  constructor(files: Catalogue, target: string, compressor: Compressor) {
    this.#files = files
    this.#target = target
    this.#compressor = compressor
  }

  async collect(): Promise<void> {
    const urls: Record<string, string> = {}
    for (const [entry, path] of this.#own()) {
      const name = nameOf(path, entry)
      const url = this.#files.staticUrl(name) ?? path
      await this.#write(entry, new Set([name, decodeURIComponent(url)]))
      urls[name] = url
    }
    const sorted = Object.fromEntries(Object.entries(urls).sort(([a], [b]) => (a < b ? -1 : 1)))
    await writeTo(join(this.#target, MANIFEST), [
      Buffer.from(`${JSON.stringify(sorted, null, 2)}\n`),
    ])
  }

  /** Each file once, by the path that is its name: an index also answers for its folder, `/a` for `a.html`. */
  #own(): Map<FileEntry, string> {
    const own = new Map<FileEntry, string>()
    for (const path of this.#files.paths()) {
      const entry = this.#files.lookup(path)
      if (entry === undefined || entry.redirect) continue
      const before = own.get(entry)
      if (before === undefined || path.length > before.length) own.set(entry, path)
    }
    return own
  }

  async #write(entry: FileEntry, names: ReadonlySet<string>): Promise<void> {
    const parts: [ending: string, bytes: () => AsyncIterable<Uint8Array> | Uint8Array[]][] = []
    const { content } = entry.ok
    if (content === null) parts.push(['', () => pieces(entry)])
    else {
      const bytes = await content.load()
      parts.push(['', () => [new Uint8Array(bytes)]])
      for (const [ending, encoded] of await this.#encoded(entry, bytes)) {
        parts.push([ending, () => [encoded]])
      }
    }
    for (const name of names) {
      for (const [ending, bytes] of parts) await writeTo(join(this.#target, name + ending), bytes())
    }
    this.written += names.size
    if (parts.length > 1) this.compressed += names.size
  }

  /** What lies beside the file counts; the rest is made. */
  async #encoded(entry: FileEntry, bytes: ArrayBuffer): Promise<[string, Uint8Array][]> {
    const found = new Map<Coding, Uint8Array>()
    for (const { coding, content } of entry.siblings) {
      if (content !== null) found.set(coding, new Uint8Array(await content.load()))
    }
    if (isCompressible(entry.fields.type) && bytes.byteLength > 0) {
      for (const [coding, encoded] of await this.#compressor.compress(bytes)) {
        const isSmaller =
          bytes.byteLength - encoded.byteLength >= Math.max(64, bytes.byteLength / 16)
        if (isSmaller && !found.has(coding)) found.set(coding, encoded)
      }
    }
    return [...found].map(([coding, encoded]) => [ENDINGS[coding], encoded])
  }
}

/** The path of the file itself, as its folder has it: an index and clean URLs leave something out. */
function nameOf(path: string, { fields }: FileEntry): string {
  const decoded = decodeURIComponent(path)
  if (decoded.endsWith('/')) return `${decoded}index.html`
  const isShort = fields.type.startsWith('text/html') && !/\.[^/]*$/.test(decoded)
  return isShort ? `${decoded}.html` : decoded
}

/** A file above the ceiling, piece by piece. */
async function* pieces(entry: FileEntry): AsyncIterable<Uint8Array> {
  if (entry.open === null) return
  const reader = entry.open()
  try {
    for (let at = 0; at < reader.length; ) {
      const piece = await reader.read(at, WINDOW_BYTES)
      if (piece === null) return
      at += piece.byteLength
      yield piece
      reader.release()
    }
  } finally {
    reader.close()
  }
}

/** In one step: who copies the folder meanwhile finds the old file or the new one. */
async function writeTo(
  file: string,
  bytes: AsyncIterable<Uint8Array> | Uint8Array[],
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.new`
  try {
    const handle = await open(temporary, 'w')
    try {
      for await (const piece of bytes) await handle.writeFile(piece)
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
