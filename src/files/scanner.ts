/**
 * Looks at the folders of the mounts: at all of them, or at what is said to have changed. Gets what is
 * known of the files, gives the changes; what to do with them is the catalogue's business.
 */
import { lstat, realpath, stat } from 'node:fs/promises'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { encodePath } from '../http/target.ts'
import { forEachLimited } from './limited.ts'
import type { Loaded, Loader } from './loader.ts'
import { isHidden, isOwner, type Mount } from './mounts.ts'
import type { Change, PathMap } from './path-map.ts'
import { SIBLING_ENDING } from './siblings.ts'
import type { Source } from './source.ts'
import { walkFolder, whyUnreachable } from './walk.ts'

export interface ScannerOptions {
  readonly mounts: readonly Mount[]
  readonly loader: Loader
  readonly log: Log
  /** Called with each folder that files are served from, before it is read. */
  readonly onFolder: (mount: Mount, relative: string, real: string) => void
  /** Called with the real path of a mount's folder when another one is in its place. */
  readonly onMoved: (real: string) => void
}

export interface Scan {
  readonly changes: readonly Change[]
  /** Files by how they were loaded. */
  readonly hashed: number
  readonly reused: number
  readonly streamed: number
}

interface Root {
  /** Without links. */
  readonly path: string
  readonly key: string
}

/** As many as keep the four threads of the file system pool busy. */
const CONCURRENCY = 16

export class Scanner {
  readonly #options: ScannerOptions
  readonly #warned = new Set<string>()
  /** Where the mounts' folders really are, by the last scan. */
  readonly #roots = new Map<Mount, Root>()
  /** Links to files, by mount: a change behind them shows in no folder that is watched. */
  readonly #links = new Map<Mount, Set<string>>()
  /** Relative paths of the folders that files were found in, by mount. */
  readonly #folders = new Map<Mount, Set<string>>()

  constructor(options: ScannerOptions) {
    this.#options = options
  }

  /**
   * Looks at everything. Rejects with UWAS_ERR_FILES_FOLDER; a file that cannot be read is left out with a
   * warning.
   */
  async scan(known: PathMap): Promise<Scan> {
    const counts = { hashed: 0, reused: 0, streamed: 0 }
    const lists = await Promise.all(
      this.#options.mounts.map((mount) => this.#scanMount(mount, known, counts)),
    )
    return {
      changes: lists.flat(),
      ...counts,
    }
  }

  /** Looks at these paths of a mount, files or folders, and at all links. */
  async look(mount: Mount, relatives: Iterable<string>, known: PathMap): Promise<Change[]> {
    const root = this.#roots.get(mount)?.path
    if (root === undefined) return []
    const changes = new Map<string, Change>()
    const note = (change: Change) => changes.set(change.relative, change)
    const files = new Set(this.#links.get(mount))
    for (const relative of relatives) {
      if (isLeftOut(mount, relative)) continue
      const kind = await kindOf(root, relative)
      if (kind === 'folder') await this.#lookInto(mount, root, relative, known, files, note)
      else {
        if (kind === 'gone') files.delete(relative)
        else files.add(relative)
        const base = baseOfSibling(relative)
        if (base !== null && known.files(mount).has(base)) files.add(base)
        for (const gone of this.#leaveFolder(mount, relative, known)) {
          note({ mount, relative: gone, source: null })
        }
        if (kind === 'gone' && known.files(mount).has(relative)) {
          note({ mount, relative, source: null })
        }
      }
    }
    await this.#loadAll(mount, root, [...files], known, note)
    return [...changes.values()]
  }

  /** Where a mount's folder really was at the last scan; undefined before it. */
  rootOf(mount: Mount): string | undefined {
    return this.#roots.get(mount)?.path
  }

  /** Whether a mount's path leads to another folder than at the last scan; false while it leads to none. */
  async hasMoved(mount: Mount): Promise<boolean> {
    const now = await rootAt(mount.dir).catch(() => null)
    return now !== null && now.key !== this.#roots.get(mount)?.key
  }

  async #scanMount(
    mount: Mount,
    known: PathMap,
    counts: { hashed: number; reused: number; streamed: number },
  ): Promise<Change[]> {
    const changes: Change[] = []
    const { root, files } = await this.#find(mount)
    const gone = new Set(known.files(mount).keys())
    await this.#loadAll(
      mount,
      root,
      files,
      known,
      (change) => {
        if (change.source !== null) changes.push(change)
      },
      (relative, how) => {
        gone.delete(relative)
        counts[how]++
      },
    )
    for (const relative of gone) changes.push({ mount, relative, source: null })
    return changes
  }

  /** Loads files; `note` gets those that differ from what is known, `see` all that are there. */
  async #loadAll(
    mount: Mount,
    root: string,
    files: readonly string[],
    known: PathMap,
    note: (change: Change) => void,
    see?: (relative: string, how: Loaded['how']) => void,
  ): Promise<void> {
    await forEachLimited(files, CONCURRENCY, async (relative) => {
      if (!isOwner(mount, `${mount.base}/${encodePath(relative)}`, this.#options.mounts)) return
      const last: Source | null = known.files(mount).get(relative) ?? null
      const loaded = await this.#options.loader.load({ mount, root, relative }, last, (what) =>
        this.#warn(mount, relative, what),
      )
      if (loaded !== null) see?.(relative, loaded.how)
      const source = loaded?.source ?? null
      if (source !== last) note({ mount, relative, source })
    })
  }

  async #find(mount: Mount): Promise<{ root: string; files: string[] }> {
    try {
      const root = await rootAt(mount.dir)
      const before = this.#roots.get(mount)
      if (before !== undefined && before.key !== root.key) this.#options.onMoved(before.path)
      const links = new Set<string>()
      this.#folders.set(mount, new Set())
      const files = await walkFolder(root.path, this.#rules(mount, links))
      this.#links.set(mount, links)
      this.#roots.set(mount, root)
      return { root: root.path, files }
    } catch (error) {
      throw createError(
        'UWAS_ERR_FILES_FOLDER',
        { dir: mount.dir, prefix: mount.prefix, problem: (error as Error).message },
        error,
      )
    }
  }

  /** A folder that is new or has changed: everything in it may be new, or gone. */
  async #lookInto(
    mount: Mount,
    root: string,
    relative: string,
    known: PathMap,
    files: Set<string>,
    note: (change: Change) => void,
  ): Promise<void> {
    const links = this.#links.get(mount) ?? new Set()
    const found = await walkFolder(root, this.#rules(mount, links), relative).catch(() => [])
    const present = new Set(found)
    for (const file of found) files.add(file)
    if (known.files(mount).has(relative)) note({ mount, relative, source: null })
    for (const gone of filesBelow(known, mount, `${relative}/`)) {
      if (!present.has(gone)) note({ mount, relative: gone, source: null })
    }
  }

  /** What was served from a folder that is none any more: usually nothing, because it was none before. */
  #leaveFolder(mount: Mount, relative: string, known: PathMap): string[] {
    const folders = this.#folders.get(mount) ?? new Set()
    if (!folders.delete(relative)) return []
    for (const folder of folders) if (folder.startsWith(`${relative}/`)) folders.delete(folder)
    return filesBelow(known, mount, `${relative}/`)
  }

  #rules(mount: Mount, links: Set<string>): Parameters<typeof walkFolder>[1] {
    return {
      isHidden: (relative) => isHidden(mount, relative),
      skip: (relative, reason) => this.#warn(mount, relative, `is not served: ${reason}`),
      enter: (relative, real) => {
        this.#folders.get(mount)?.add(relative)
        this.#options.onFolder(mount, relative, real)
      },
      link: (relative) => links.add(relative),
    }
  }

  /** Once per file and matter: a scan may run often. */
  #warn(mount: Mount, relative: string, what: string): void {
    const line = `${JSON.stringify(`${mount.dir}/${relative}`)} ${what}`
    if (this.#warned.has(line)) return
    this.#warned.add(line)
    this.#options.log.warn(line)
  }
}

/** The folder at a path, as it is told apart from one that takes its place. */
async function rootAt(dir: string): Promise<Root> {
  const path = await realpath(dir)
  const { dev, ino } = await stat(path)
  return { path, key: `${dev}:${ino}:${path}` }
}

function isLeftOut(mount: Mount, relative: string): boolean {
  const parts = relative.split('/')
  return parts.some(
    (name, i) => isHidden(mount, parts.slice(0, i + 1).join('/')) || whyUnreachable(name) !== null,
  )
}

/** What a name leads to; a link that leads to nothing, or out of the folder, is for the loader to judge. */
async function kindOf(root: string, relative: string): Promise<'file' | 'folder' | 'gone'> {
  const path = `${root}/${relative}`
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) {
    const real = await realpath(path).catch(() => '')
    return real === root || real.startsWith(`${root}/`) ? 'folder' : 'gone'
  }
  if (found !== null) return 'file'
  return (await lstat(path).catch(() => null)) === null ? 'gone' : 'file'
}

/** `app.css` of `app.css.br`: a compressed form belongs to the file beside it. */
function baseOfSibling(relative: string): string | null {
  return SIBLING_ENDING.test(relative) ? relative.replace(SIBLING_ENDING, '') : null
}

function filesBelow(known: PathMap, mount: Mount, folder: string): string[] {
  const found: string[] = []
  for (const relative of known.files(mount).keys()) {
    if (relative.startsWith(folder)) found.push(relative)
  }
  return found
}
