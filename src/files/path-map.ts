/**
 * Which file answers at which path: its own, its folder's for an index, the one without `.html` where
 * a mount wants that. Holds what was read of all files; changes of one file cost a few look-ups.
 */
import { encodePath } from '../http/target.ts'
import type { FileEntry } from './entry.ts'
import { FolderIndex } from './folder-index.ts'
import { isOwner, type Mount } from './mounts.ts'
import { pairSiblings } from './siblings.ts'
import type { Source } from './source.ts'

/** Makes the entry that sends a client to an encoded path. */
export type MakeRedirect = (location: string) => FileEntry

/** A file that is new, changed or (null) gone. */
export interface Change {
  readonly mount: Mount
  /** Decoded path below the mount's folder: `css/site.css`. */
  readonly relative: string
  readonly source: Source | null
}

const HTML = '.html'

export class PathMap {
  readonly mounts: readonly Mount[]
  readonly #redirectTo: MakeRedirect
  /** Encoded canonical path → what answers there. */
  readonly #entries = new Map<string, FileEntry>()
  readonly #files: ReadonlyMap<Mount, Map<string, Source>>
  /** Of the mounts that list their folders. */
  readonly #folders: ReadonlyMap<Mount, FolderIndex>
  #count = 0
  #bytes = 0

  constructor(mounts: readonly Mount[], redirectTo: MakeRedirect) {
    this.mounts = mounts
    this.#redirectTo = redirectTo
    this.#files = new Map(mounts.map((mount) => [mount, new Map()]))
    const listed = mounts.filter(({ listing }) => listing)
    this.#folders = new Map(listed.map((mount) => [mount, new FolderIndex()]))
  }

  /** The redirect to an encoded path, if there is one. */
  redirectTo(location: string): FileEntry | undefined {
    const entry = this.#entries.get(location.slice(0, -1))
    return entry?.redirect && entry.location === location ? entry : undefined
  }

  /** Files, and the sum of their sizes. */
  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes
  }

  get(path: string): FileEntry | undefined {
    return this.#entries.get(path)
  }

  paths(): IterableIterator<string> {
    return this.#entries.keys()
  }

  /** The files of a mount by their relative paths. */
  files(mount: Mount): ReadonlyMap<string, Source> {
    return this.#files.get(mount) as Map<string, Source>
  }

  /** What lies in a folder, '' or `a/b/`, of a mount with listings: names, folders' with a slash. */
  names(mount: Mount, folder: string): ReadonlySet<string> | undefined {
    return this.#folders.get(mount)?.names(folder)
  }

  /** Puts a file in, or takes it out. The source that it had is given back. */
  set({ mount, relative, source }: Change): Source | null {
    const files = this.#files.get(mount) as Map<string, Source>
    const before = files.get(relative) ?? null
    if (before !== null) this.#tally(before, -1)
    const folders = this.#folders.get(mount)
    if (source === null) {
      files.delete(relative)
      folders?.remove(relative)
    } else {
      if (before === null) folders?.add(relative)
      files.set(relative, source)
      this.#tally(source, 1)
    }
    for (const slot of slotsOf(mount, relative)) this.#settle(mount, slot)
    pairSiblings(files, relative)
    source?.entry.maker?.offer(source.entry)
    return before
  }

  #tally({ size }: Source, by: 1 | -1): void {
    this.#count += by
    this.#bytes += by * size
  }

  /** Finds out anew who answers at `slot`, a decoded path below the mount that starts with `/`, or ''. */
  #settle(mount: Mount, slot: string): void {
    const path = mount.base + encodePath(slot)
    if (path === '' || !isOwner(mount, path, this.mounts)) return
    const entry = this.#resolve(mount, slot, path)
    if (entry === undefined) this.#entries.delete(path)
    else this.#entries.set(path, entry)
  }

  #resolve(mount: Mount, slot: string, path: string): FileEntry | undefined {
    const files = this.files(mount)
    const name = slot.slice(1)
    if (slot.endsWith('/')) return this.#indexOf(mount, name)?.entry
    const file = files.get(name)
    if (file !== undefined) {
      const clean = cleanSlot(mount, name)
      if (clean === null || this.#answering(mount, clean) !== file) return file.entry
      return this.#redirect(path, mount.base + encodePath(clean))
    }
    if (cleanSlot(mount, `${name}${HTML}`) === slot) {
      const page = files.get(`${name}${HTML}`)
      if (page !== undefined) return page.entry
    }
    const folder = slot === '' ? '' : `${name}/`
    return this.#indexOf(mount, folder) === undefined ? undefined : this.#redirect(path, `${path}/`)
  }

  /** The file that a page's clean path leads to, which may be another one. */
  #answering(mount: Mount, clean: string): Source | undefined {
    const files = this.files(mount)
    const name = clean.slice(1)
    if (!isOwner(mount, mount.base + encodePath(clean), this.mounts)) return undefined
    return clean.endsWith('/')
      ? this.#indexOf(mount, name)
      : (files.get(name) ?? files.get(`${name}${HTML}`))
  }

  /** The index of a folder, '' or `docs/`. */
  #indexOf(mount: Mount, folder: string): Source | undefined {
    const files = this.files(mount)
    for (const index of mount.index) {
      const source = files.get(folder + index)
      if (source !== undefined) return source
    }
    return undefined
  }

  /** The redirect that is there already, if it leads to the same place. */
  #redirect(path: string, location: string): FileEntry {
    const last = this.#entries.get(path)
    return last?.redirect && last.location === location ? last : this.#redirectTo(location)
  }
}

/** All paths at which something may change when this file comes, changes or goes. */
function slotsOf(mount: Mount, relative: string): string[] {
  const slash = relative.lastIndexOf('/') + 1
  const folder = `/${relative.slice(0, slash)}`
  const slots = [`/${relative}`]
  if (mount.index.includes(relative.slice(slash))) {
    slots.push(folder, folder.slice(0, -1))
    if (mount.cleanUrls) slots.push(...mount.index.map((index) => folder + index))
  }
  if (mount.cleanUrls) {
    if (relative.endsWith(HTML)) slots.push(`/${relative.slice(0, -HTML.length)}`)
    slots.push(`/${relative}${HTML}`)
  }
  return slots
}

/** The one path of a page where pages have no ending: `/a` of `a.html`, `/d/` of an index; else null. */
function cleanSlot(mount: Mount, relative: string): string | null {
  if (!mount.cleanUrls || !relative.endsWith(HTML)) return null
  const slash = relative.lastIndexOf('/') + 1
  if (mount.index.includes(relative.slice(slash))) return `/${relative.slice(0, slash)}`
  return relative.length === slash + HTML.length ? null : `/${relative.slice(0, -HTML.length)}`
}
