/**
 * Fingerprinted URLs: which one a file has now, and what answers at one, present or past. A wrong
 * fingerprint finds nothing, so that no other bytes are ever cached for good under it.
 */

import { strongEtag } from '../http/etag.ts'
import { contentTypeOf } from '../http/mime.ts'
import { encodePath, parseTarget } from '../http/target.ts'
import type { Content } from './content.ts'
import type { Contents } from './contents.ts'
import type { Deployments, Version } from './deployments.ts'
import type { FileEntry, VariantMaker } from './entry.ts'
import { addFingerprint, fingerprintOf, splitFingerprint } from './fingerprint.ts'
import { DEFAULT_CACHE_CONTROL, type Heads } from './heads.ts'
import { makeEntry } from './make-entry.ts'
import { type Mount, mountOf } from './mounts.ts'
import type { PathMap } from './path-map.ts'
import type { Source } from './source.ts'
import { refreshVariants } from './variants.ts'

export interface VersionsOptions {
  readonly mounts: readonly Mount[]
  readonly heads: Heads
  readonly maker: VariantMaker
  readonly contents: Contents
  readonly deployments: Deployments
}

/** What a fingerprint names never changes (RFC 8246). */
const IMMUTABLE = 'public, max-age=31536000, immutable'

export class Versions {
  readonly #options: VersionsOptions
  /** Fingerprinted path → its entry, for those that were asked for since the last change of any file. */
  readonly #made = new Map<string, FileEntry>()
  /** Contents of past versions among them. */
  #held: Content[] = []

  constructor(options: VersionsOptions) {
    this.#options = options
  }

  lookup(map: PathMap, path: string): FileEntry | undefined {
    return this.#made.get(path) ?? this.#make(map, path)
  }

  urlOf(map: PathMap, wish: string, fingerprinted: boolean): string | undefined {
    const [, name = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(wish) ?? []
    for (const path of this.#candidates(name)) {
      const source = this.#sourceAt(map, path)
      if (source === undefined) continue
      return (
        (fingerprinted && source.hash !== '' ? addFingerprint(path, source.hash) : path) + suffix
      )
    }
    return undefined
  }

  /** The shell of a mount's single-page application, never used by a browser without asking. */
  shellOf(map: PathMap, mount: Mount): FileEntry | undefined {
    const source = mount.spa === null ? undefined : map.files(mount).get(mount.spa)
    if (source?.content == null) return undefined
    if (source.entry.fields.cacheControl === DEFAULT_CACHE_CONTROL) return source.entry
    // No request path has a blank, so this key is nobody else's.
    const key = `${mount.base} shell`
    const relative = mount.spa as string
    return (
      this.#made.get(key) ??
      this.#keep(
        key,
        this.#entry({ mount, relative }, source, source.content, DEFAULT_CACHE_CONTROL),
      )
    )
  }

  /** Files have changed: entries are made anew. */
  reset(): void {
    for (const entry of this.#made.values()) this.#options.contents.drop(entry)
    this.#made.clear()
    for (const content of this.#held) this.#options.contents.release(content)
    this.#held = []
  }

  /** Encoded paths that may be meant: one that starts with `/`, or one in each mount. */
  #candidates(name: string): string[] {
    if (!name.startsWith('/')) {
      return this.#options.mounts.map(({ base }) => `${base}/${encodePath(name)}`)
    }
    const target = parseTarget(encodePath(name))
    return typeof target === 'number' ? [] : [target.canonical]
  }

  #sourceAt(map: PathMap, path: string): Source | undefined {
    const place = this.#placeOf(path)
    return place === null ? undefined : map.files(place.mount).get(place.relative)
  }

  /** The mount of an encoded path and the file's decoded path below it. */
  #placeOf(path: string): { mount: Mount; relative: string } | null {
    const mount = mountOf(path, this.#options.mounts)
    if (mount === undefined) return null
    return { mount, relative: decodeURIComponent(path.slice(mount.base.length + 1)) }
  }

  #make(map: PathMap, path: string): FileEntry | undefined {
    const split = splitFingerprint(path)
    const place = split === null ? null : this.#placeOf(split.path)
    if (split === null || place === null) return undefined
    const source = map.files(place.mount).get(place.relative)
    if (source?.content && fingerprintOf(source.hash) === split.fingerprint) {
      const entry = this.#entry(place, source, source.content)
      entry.siblings = source.entry.siblings
      refreshVariants(entry)
      return this.#keep(path, entry)
    }
    const old = this.#options.deployments.find(split.path, split.fingerprint)
    if (old === undefined) return undefined
    const content = this.#options.contents.reserve(old.hash, old.size, {
      path,
      isPast: true,
      read: async () => {
        this.#options.deployments.forget(split.path, old.hash)
        this.#made.delete(path)
        return null
      },
    })
    this.#held.push(content)
    return this.#keep(path, this.#entry(place, old, content))
  }

  #keep(path: string, entry: FileEntry): FileEntry {
    this.#made.set(path, entry)
    return entry
  }

  #entry(
    { mount, relative }: { mount: Mount; relative: string },
    { hash, size, lastModifiedMs }: Version,
    content: Content,
    cacheControl = IMMUTABLE,
  ): FileEntry {
    const { heads, maker } = this.#options
    return makeEntry(heads, {
      maker,
      type: contentTypeOf(relative, mount.types),
      etag: strongEtag(hash),
      lastModifiedMs: mount.lastModified ? lastModifiedMs : Number.NaN,
      cacheControl,
      size,
      content,
      open: null,
    })
  }
}
