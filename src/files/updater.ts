/**
 * Keeps the path map true to the folders: at start, when watches report a change, when a link on the
 * way to a folder leads elsewhere, and by looking at everything from time to time. One job at a time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Log } from '../core/log.ts'
import type { Contents } from './contents.ts'
import type { Version } from './deployments.ts'
import type { Mount } from './mounts.ts'
import { type Change, type MakeRedirect, PathMap } from './path-map.ts'
import { pathOf, type Record } from './record.ts'
import { isRemote } from './remote.ts'
import type { Scan, Scanner } from './scanner.ts'
import type { Source } from './source.ts'
import type { Versions } from './versions.ts'
import type { Dirty, Watcher } from './watch.ts'

export type WatchMode = 'auto' | 'poll' | 'off'

export interface UpdaterOptions {
  readonly mounts: readonly Mount[]
  readonly scanner: Scanner
  readonly watcher: Watcher
  readonly mode: WatchMode
  readonly log: Log
  readonly contents: Contents
  readonly versions: Versions
  readonly record: Record
  readonly redirectTo: MakeRedirect
}

/** Between two looks at where the mounts' folders really are. */
const ROOTS_MS = 400
/** Between two looks at everything, beside the watches: they miss network file systems and overflows. */
const VERIFY_MS = 30_000
/** Without watches: at least this, and as much time without looking as four looks take. */
const POLL_MS = 500
const POLL_REST = 4
/** More changed paths than this are found faster by looking at everything. */
const MAX_DIRTY = 2000
/** More changes than this are applied to a new map, so that requests do not wait for them. */
const MAX_IN_PLACE = 500

export class Updater {
  readonly #options: UpdaterOptions
  #map: PathMap
  #scan = { hashed: 0, reused: 0, streamed: 0 }
  /** The last job that was asked for. */
  #last: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null
  #timers: NodeJS.Timeout[] = []
  #isPolling: boolean
  #isClosed = false
  #warned = ''

  constructor(options: UpdaterOptions) {
    this.#options = options
    this.#map = new PathMap(options.mounts, options.redirectTo)
    this.#isPolling = options.mode === 'poll'
  }

  get map(): PathMap {
    return this.#map
  }

  get stats() {
    const { count: files, bytes } = this.#map
    return { files, bytes, ...this.#scan }
  }

  /** The first scan. Rejects as `createCatalogue`. */
  async start(): Promise<void> {
    const { record, mode, mounts } = this.#options
    await this.#exclusive(async () => {
      await this.#rescan()
      record.deployments.resume(record.currentOf(this.#map), Date.now())
      if (record.isRecorded(this.#map)) await record.touch()
      else await record.save(this.#map)
    })
    if (mode === 'off') return
    const remote = await Promise.all(mounts.map(({ dir }) => isRemote(dir)))
    if (this.#isClosed) return
    this.#isPolling ||= remote.includes(true)
    this.#every(ROOTS_MS, () => this.#checkRoots())
    if (this.#isPolling) this.#poll()
    else this.#every(VERIFY_MS, () => this.refresh())
  }

  /** What the watches say. */
  change(dirty: Dirty): void {
    const count = [...dirty.values()].reduce((sum, paths) => sum + paths.size, 0)
    const isWhole = [...dirty.values()].some((paths) => paths.has(''))
    const job = isWhole || count > MAX_DIRTY ? this.refresh() : this.#lookAt(dirty)
    job.catch((error) => this.#warn(error))
  }

  watchFailed(problem: string): void {
    this.#options.log.warn(
      `changes of static files are looked for every half second, because the system gives no more watches (${problem}); on Linux raise fs.inotify.max_user_watches`,
    )
    if (this.#isClosed || this.#isPolling) return
    this.#isPolling = true
    this.#poll()
  }

  /** See `Catalogue.refresh`. */
  refresh(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    if (this.#running === null) {
      this.#running = this.#exclusive(() => this.#rescan()).finally(() => {
        this.#running = null
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null
        return this.refresh()
      })
    return this.#next
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#options.watcher.close()
    await this.#last
    await this.#options.record.flush()
    this.#options.versions.reset()
    for (const mount of this.#map.mounts) {
      for (const source of this.#map.files(mount).values()) source.held?.close()
    }
    this.#map = new PathMap([], this.#options.redirectTo)
  }

  /** Runs when all jobs before it are done. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const job = this.#last.then(work)
    this.#last = job.catch(() => undefined)
    return job
  }

  async #rescan(): Promise<void> {
    const { scanner, watcher } = this.#options
    watcher.beginScan()
    const scan = await scanner.scan(this.#map)
    if (this.#isClosed) return
    watcher.endScan()
    await this.#apply(scan.changes)
    this.#scan = countsOf(scan)
    this.#warned = ''
  }

  #lookAt(dirty: Dirty): Promise<void> {
    return this.#exclusive(async () => {
      if (this.#isClosed) return
      const { scanner } = this.#options
      const changes = await Promise.all(
        Array.from(dirty, ([mount, paths]) => scanner.look(mount, paths, this.#map)),
      )
      if (!this.#isClosed) await this.#apply(changes.flat())
    })
  }

  /** Puts all changes in place in one step. */
  async #apply(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    const { versions, record, contents } = this.#options
    const isFirst = this.#map.count === 0
    const replaced = this.#replacedBy(changes)
    if (changes.length <= MAX_IN_PLACE) {
      for (const change of changes) release(contents, this.#map.set(change), change.source)
    } else {
      const next = await this.#rebuilt(changes)
      for (const { mount, relative, source } of changes) {
        release(contents, this.#map.files(mount).get(relative) ?? null, source)
      }
      this.#map = next
    }
    if (!isFirst) record.deployments.replaced(replaced, Date.now())
    versions.reset()
    if (!isFirst) record.later(this.#map)
  }

  /** The present map with the changes, made beside it a piece at a time. */
  async #rebuilt(changes: readonly Change[]): Promise<PathMap> {
    const { mounts, redirectTo } = this.#options
    const before = this.#map
    const next = new PathMap(
      mounts,
      (location) => before.redirectTo(location) ?? redirectTo(location),
    )
    const sources = mounts.map((mount) => new Map(before.files(mount)))
    for (const { mount, relative, source } of changes) {
      const files = sources[mounts.indexOf(mount)] as Map<string, NonNullable<typeof source>>
      if (source === null) files.delete(relative)
      else files.set(relative, source)
    }
    let sinceTurn = 0
    for (const [i, mount] of mounts.entries()) {
      for (const [relative, source] of sources[i] ?? []) {
        next.set({ mount, relative, source })
        if (++sinceTurn % MAX_IN_PLACE === 0) await nextTurn()
      }
    }
    return next
  }

  /** Versions that these changes put an end to. */
  #replacedBy(changes: readonly Change[]): [string, Version][] {
    const replaced: [string, Version][] = []
    for (const { mount, relative, source } of changes) {
      const before = this.#map.files(mount).get(relative)
      if (before === undefined || before.hash === '' || before.hash === source?.hash) continue
      replaced.push([pathOf(mount, relative), before])
    }
    return replaced
  }

  /** A release that is a link, turned to the next one, is one change; so is a folder in another's place. */
  async #checkRoots(): Promise<void> {
    for (const mount of this.#options.mounts) {
      if (await this.#options.scanner.hasMoved(mount)) return this.refresh()
    }
  }

  #poll(): void {
    const round = async () => {
      const from = performance.now()
      await this.refresh().catch((error) => this.#warn(error))
      if (this.#isClosed) return
      const rest = Math.max(POLL_MS, POLL_REST * (performance.now() - from))
      this.#timers.push(setTimeout(() => void round(), rest).unref())
    }
    void round()
  }

  /** Repeats `work`, with the pause between one end and the next beginning. */
  #every(pauseMs: number, work: () => Promise<void>): void {
    const round = async () => {
      await work().catch((error) => this.#warn(error))
      if (!this.#isClosed) timer.refresh()
    }
    const timer = setTimeout(() => void round(), pauseMs).unref()
    this.#timers.push(timer)
  }

  /** Once for as long as the matter stays the same. */
  #warn(error: unknown): void {
    const { message } = error as Error
    if (message === this.#warned) return
    this.#warned = message
    this.#options.log.warn(`static files stay as they were: ${message}`)
  }
}

function countsOf({ hashed, reused, streamed }: Scan) {
  return { hashed, reused, streamed }
}

/** Gives back what the source before used and the one after it does not. */
function release(contents: Contents, before: Source | null, after: Source | null): void {
  if (before === null) return
  if (before.content !== null) contents.release(before.content)
  if (before !== after) before.held?.close()
  if (before.entry !== after?.entry) contents.drop(before.entry)
}
