/**
 * All static files of a site, by the path that a client asks for. Gets the mounts at start, answers
 * `lookup` for every request of the server with one `Map` look-up, and follows the folders' changes.
 */
import { Budget, type Memory } from '../cache/budget.ts'
import type { Log } from '../core/log.ts'
import type { HeaderList } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { Native } from '../native/skin.ts'
import { Contents } from './contents.ts'
import { Deployments } from './deployments.ts'
import type { FileEntry, Prepared } from './entry.ts'
import { fallBack, type OtherPaths } from './fallback.ts'
import { createHeads, type Heads } from './heads.ts'
import { Loader } from './loader.ts'
import { makeRedirect } from './make-entry.ts'
import { loadManifest, type Manifest, manifestPath } from './manifest.ts'
import { type Mount, type MountOptions, resolveMounts } from './mounts.ts'
import { createNames, type NamesOf } from './names.ts'
import { Record } from './record.ts'
import { REMOVE_DEFAULTS, removeUnused } from './remove-unused.ts'
import { Scanner } from './scanner.ts'
import { createStore } from './store.ts'
import { Updater, type WatchMode } from './updater.ts'
import { type BackgroundMaker, createVariantMaker } from './variant-maker.ts'
import { Versions } from './versions.ts'
import { Watcher } from './watch.ts'

export interface CatalogueOptions {
  readonly mounts: readonly MountOptions[]
  /** Folder of the content-addressed store, shared between servers; null keeps private copies. */
  readonly storeDir: string | null
  /** Files above this size are streamed from the original. Default 16 MiB. */
  readonly ceilingBytes?: number
  /** Contents in memory together; the others are loaded when they are asked for. Default 512 MiB. */
  readonly maxBytes?: number
  /** What contents share with others; they have to fit in both. Default: nothing is shared. */
  readonly memory?: Memory
  /**
   * How changes are noticed: by the system's watches with a look at everything from time to time
   * (`auto`; as `poll` on network folders), by looking only (`poll`), or only by `refresh` (`off`).
   * Default `off`.
   */
  readonly watch?: WatchMode
  /** Deployments before the present one whose fingerprinted URLs still answer. Default 3. */
  readonly deployments?: number
  /** Whether files are compressed before somebody asks: of servers that share a store one does it. Default true. */
  readonly compressesAhead?: boolean
  readonly native: Native
  readonly log: Log
  /** Fields of every static reply: the security headers. */
  readonly baseHeaders?: Readonly<HeaderList>
}

export interface CatalogueStats {
  /** Files that answer at least one path, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** Files whose contents were read and hashed by the last scan of everything. */
  readonly hashed: number
  /** Files that it knew from the scan or the start before. */
  readonly reused: number
  /** Files above the ceiling. */
  readonly streamed: number
}

/** What is in memory. */
export interface CatalogueMemory {
  readonly contents: number
  readonly bytes: number
  readonly maxBytes: number
  /** Contents that have left memory since the start. */
  readonly evicted: number
  /** Replies with contents that were in memory, and that had to wait for them; 304 and larger files are neither. */
  readonly hits: number
  readonly misses: number
}

export const DEFAULT_CEILING_BYTES = 16 * 1024 * 1024
export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024
export const DEFAULT_DEPLOYMENTS = 3
/** Linux allows a process 65,530 mappings by default, and V8 and libraries need theirs. */
const MAX_CONTENTS = 28_000
const NO_MANIFEST: Manifest = { files: new Map(), sameBoot: false }

/**
 * Reads and stores all files of the mounts. Rejects with UWAS_ERR_FILES_PREFIX or
 * UWAS_ERR_FILES_FOLDER, or for headers or types that cannot be sent; a single file that cannot be read
 * is left out with a warning.
 */
export async function createCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const { native, log } = options
  const mounts = resolveMounts(options.mounts)
  const heads = createHeads(options.baseHeaders ?? [])
  const store = await createStore(options.storeDir, native, log)
  const path = store.dir === null ? null : manifestOf(store.dir, mounts)
  const manifest = path === null ? NO_MANIFEST : await loadManifest(path)
  const { maxBytes = DEFAULT_MAX_BYTES, memory } = options
  const contents = new Contents(
    store,
    (known) =>
      new Budget(maxBytes, {
        known,
        maxCount: MAX_CONTENTS,
        ...(memory !== undefined && { memory }),
      }),
  )
  const isAhead = options.compressesAhead ?? true
  const maker = await createVariantMaker({ store, contents, log, isAhead })
  const watcher: Watcher = new Watcher({
    onChange: (dirty) => updater.change(dirty),
    onFailure: (problem) => updater.watchFailed(problem),
  })
  const mode = options.watch ?? 'off'
  const loader = new Loader({
    ceilingBytes: options.ceilingBytes ?? DEFAULT_CEILING_BYTES,
    native,
    heads,
    maker,
    store,
    contents,
    manifest,
    holds: mode !== 'off',
    onStale: (mount, relative) => watcher.mark(mount, relative),
  })
  const scanner = new Scanner({
    mounts,
    loader,
    log,
    onFolder: (mount, relative, real) => {
      if (mode === 'auto') watcher.add(mount, relative, real)
    },
    onMoved: (real) => watcher.forgetBelow(real),
  })
  const deployments = await Deployments.open(path, options.deployments ?? DEFAULT_DEPLOYMENTS)
  const versions = new Versions({ mounts, heads, maker, contents, deployments })
  const updater: Updater = new Updater({
    mounts,
    scanner,
    watcher,
    mode,
    log,
    contents,
    versions,
    record: new Record({ path, manifest, scanner, deployments, log }),
    redirectTo: (location) => makeRedirect(heads, location),
  })
  const catalogue = new Catalogue(mounts, heads, contents, updater, versions, maker)
  try {
    await updater.start()
  } catch (error) {
    await catalogue.close()
    throw error
  }
  if (store.dir !== null) catalogue.cleanLater(store.dir, log)
  return catalogue
}

function manifestOf(storeDir: string, mounts: readonly Mount[]): string {
  return manifestPath(
    storeDir,
    mounts.map(({ dir }) => dir),
  )
}

/** Old objects are removed when the start and its first requests are over. */
const CLEAN_DELAY_MS = 10_000
const ALL_OPEN: OtherPaths = { before: (_req, _path, next) => next(), isOpen: () => true }

/** A fingerprint in a file's name, before its ending or at its end: all that a miss costs more. */
const FINGERPRINTED = /\.[0-9a-f]{8}(?:\.[^./]*)?$/

/** Made by `createCatalogue`. */
export class Catalogue {
  readonly mounts: readonly Mount[]
  /** The paths that are names of the same content. */
  readonly namesOf: NamesOf
  readonly #heads: Heads
  readonly #contents: Contents
  readonly #updater: Updater
  readonly #versions: Versions
  #cleaning: NodeJS.Timeout | undefined
  readonly #maker: BackgroundMaker

  constructor(
    mounts: readonly Mount[],
    heads: Heads,
    contents: Contents,
    updater: Updater,
    versions: Versions,
    maker: BackgroundMaker,
  ) {
    this.mounts = mounts
    this.namesOf = createNames(mounts)
    this.#heads = heads
    this.#contents = contents
    this.#updater = updater
    this.#versions = versions
    this.#maker = maker
  }

  /** For `createCatalogue`: removes what the store holds in vain, in a while. */
  cleanLater(dir: string, log: Log): void {
    this.#cleaning = setTimeout(() => {
      removeUnused({ dir, ...REMOVE_DEFAULTS }).catch((error: Error) => {
        log.warn(`old static files are not removed from ${dir}: ${error.message}`)
      })
    }, CLEAN_DELAY_MS).unref()
  }

  /** The entry at an encoded canonical path (`Target.canonical`), or undefined: not a static file. */
  lookup(canonicalPath: string): FileEntry | undefined {
    const { map } = this.#updater
    const entry = map.get(canonicalPath)
    if (entry !== undefined || !FINGERPRINTED.test(canonicalPath)) return entry
    return this.#versions.lookup(map, canonicalPath)
  }

  /** `files`, `bytes` as of now; the others of the last complete scan. */
  get stats(): CatalogueStats {
    return this.#updater.stats
  }

  get memory(): CatalogueMemory {
    const { count, bytes, maxBytes, evicted } = this.#contents.budget
    const { takes, misses } = this.#contents.taken
    return { contents: count, bytes, maxBytes, evicted, hits: takes - misses, misses }
  }

  /** Encoded canonical paths that answer, redirects included, fingerprinted ones left out. */
  paths(): IterableIterator<string> {
    return this.#updater.map.paths()
  }

  /**
   * The reply for a redirect entry with the query of the request (without `?`, as sent) kept. What may
   * not stand in a field is percent-encoded.
   */
  redirect(entry: FileEntry, search: string): Prepared {
    if (search === '') return entry.ok
    const query = search.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()))
    return this.#heads.redirect(`${entry.location}?${query}`)
  }

  /**
   * What answers where neither a file nor a route does: the listing of a folder, or a single-page application's shell,
   * as far as `others` lets. Undefined for nothing. Throws or rejects as its `before`, and with 405 where GET alone is answered.
   */
  fallBack(req: Request): Reply | undefined
  fallBack(req: Request, others: OtherPaths | undefined): Reply | Promise<Reply> | undefined
  fallBack(req: Request, others: OtherPaths = ALL_OPEN): Reply | Promise<Reply> | undefined {
    const { map } = this.#updater
    const shellOf = (mount: Mount) => this.#versions.shellOf(map, mount)
    return fallBack(req, { map, shellOf, others })
  }

  /**
   * The fingerprinted URL of a file, for pages: `/app.3f2a91c0.css` for `app.css`, or for `/app.css`. A path
   * without `/` at its start is looked for in all mounts, in their order. What stands behind `?` or `#` is
   * kept. Undefined when there is no such file; its plain URL when it is above the ceiling, or when
   * `fingerprinted` is false.
   */
  staticUrl(path: string, fingerprinted = true): string | undefined {
    return this.#versions.urlOf(this.#updater.map, path, fingerprinted)
  }

  /**
   * Scans the folders again and puts the result in place in one step; unchanged files keep their entry
   * objects. A call during a scan waits for one more, so that it sees what was there when it was made.
   * Rejects as `createCatalogue`; the old entries then stay.
   */
  refresh(): Promise<void> {
    return this.#updater.refresh()
  }

  /** Forgets all entries: `lookup` finds nothing any more. Replies that are being sent are not harmed. */
  close(): Promise<void> {
    clearTimeout(this.#cleaning)
    this.#maker.close()
    return this.#updater.close()
  }
}
