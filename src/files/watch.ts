/**
 * Tells which paths of the mounts' folders have changed, soon after. One watch a folder: the scanner
 * names the folders as it finds them. Called by the catalogue, which looks for itself what has changed.
 */
import { type FSWatcher, watch } from 'node:fs'
import type { Mount } from './mounts.ts'

export interface WatcherOptions {
  /** Called with all that has changed since the last call. */
  readonly onChange: (dirty: Dirty) => void
  /** Called once, when the system has no more watches: changes have to be looked for from now on. */
  readonly onFailure: (problem: string) => void
}

/** Relative paths that may be new, changed or gone, by mount; '' for the mount's folder itself. */
export type Dirty = Map<Mount, Set<string>>

interface Folder {
  readonly watcher: FSWatcher
  /** Links may lead to one folder in several ways. */
  ways: { readonly mount: Mount; readonly relative: string }[]
  /** The scan that last came by. */
  scan: number
}

/** Editors and copiers change a file in several steps within this time. */
const GATHER_MS = 20

export class Watcher {
  readonly #options: WatcherOptions
  /** By real path. */
  readonly #folders = new Map<string, Folder>()
  #dirty: Dirty = new Map()
  #timer: NodeJS.Timeout | null = null
  #hasFailed = false
  #scan = 0

  constructor(options: WatcherOptions) {
    this.#options = options
  }

  /** Watches a folder; call it before the folder is read, so that nothing falls in between. */
  add(mount: Mount, relative: string, real: string): void {
    if (this.#hasFailed) return
    const known = this.#folders.get(real)
    if (known === undefined) this.#watch(mount, relative, real)
    else if (known.scan < this.#scan) {
      known.scan = this.#scan
      known.ways = [{ mount, relative }]
    } else if (!known.ways.some((way) => way.mount === mount && way.relative === relative)) {
      known.ways.push({ mount, relative })
    }
  }

  /** Call it before a scan of all folders. */
  beginScan(): void {
    this.#scan++
  }

  /** Call it when the scan has succeeded: what it did not come by is watched no longer. */
  endScan(): void {
    for (const [real, { scan }] of this.#folders) if (scan < this.#scan) this.#forget(real)
  }

  /**
   * Another folder may have come in place of `real`: a watch stays with the folder that it began at, wherever
   * that is moved.
   */
  forgetBelow(real: string): void {
    this.#forget(real)
    for (const path of this.#folders.keys()) if (path.startsWith(`${real}/`)) this.#forget(path)
  }

  /** Adds a path by hand to what has changed. */
  mark(mount: Mount, relative: string): void {
    const paths = this.#dirty.get(mount)
    if (paths === undefined) this.#dirty.set(mount, new Set([relative]))
    else paths.add(relative)
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS).unref()
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#dirty = new Map()
    for (const real of [...this.#folders.keys()]) this.#forget(real)
  }

  #watch(mount: Mount, relative: string, real: string): void {
    try {
      const watcher = watch(real, { persistent: false })
      const ways = [{ mount, relative }]
      this.#folders.set(real, { watcher, ways, scan: this.#scan })
      watcher.on('change', (_event, name) => {
        if (this.#folders.get(real)?.watcher !== watcher) return
        for (const way of ways) this.mark(way.mount, joined(way.relative, String(name ?? '')))
        if (String(name) === nameOf(real)) this.#checkSelf(real)
      })
      watcher.on('error', () => this.#forget(real))
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException)
    }
  }

  /** The system names the folder itself when it is moved or removed: its watch shows nothing any more. */
  #checkSelf(real: string): void {
    const folder = this.#folders.get(real)
    if (folder === undefined) return
    this.forgetBelow(real)
    for (const { mount, relative } of folder.ways) this.mark(mount, relative)
  }

  #forget(real: string): void {
    this.#folders.get(real)?.watcher.close()
    this.#folders.delete(real)
  }

  #fail(error: NodeJS.ErrnoException): void {
    // It was removed since it was found: its parent's watch tells.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return
    this.#hasFailed = true
    this.close()
    this.#options.onFailure(error.message)
  }

  #flush(): void {
    const dirty = this.#dirty
    this.#timer = null
    this.#dirty = new Map()
    this.#options.onChange(dirty)
  }
}

function joined(folder: string, name: string): string {
  if (folder === '') return name
  return name === '' ? folder : `${folder}/${name}`
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
