/**
 * Turns one file on disk into its source: the last one when it has not changed, from the manifest
 * where that knows it, else by reading, hashing and storing it. Called by the scanner.
 */
import { stat } from 'node:fs/promises'
import { strongEtag } from '../http/etag.ts'
import { contentTypeOf } from '../http/mime.ts'
import type { Native } from '../native/skin.ts'
import type { Content } from './content.ts'
import type { Contents, Origin } from './contents.ts'
import type { FileEntry, VariantMaker } from './entry.ts'
import type { Heads } from './heads.ts'
import { type FileIdentity, identityOf } from './identity.ts'
import { holdFile, isGone, openFile } from './large-file.ts'
import { makeEntry } from './make-entry.ts'
import type { Manifest } from './manifest.ts'
import type { Mount } from './mounts.ts'
import { readSettled } from './read-settled.ts'
import type { Source } from './source.ts'
import { hashOf, type Store } from './store.ts'
import { becomesStrongIn, versionTag } from './version-tag.ts'

export interface LoaderOptions {
  readonly ceilingBytes: number
  readonly native: Native
  readonly heads: Heads
  readonly maker: VariantMaker
  readonly store: Store
  readonly contents: Contents
  /** Of the start before. */
  readonly manifest: Manifest
  /** Whether files above the ceiling are held open: only where their changes are followed. */
  readonly holds: boolean
  /** Called when a streamed file has to be looked at: it has changed since, or its tag can be strong. */
  readonly onStale: (mount: Mount, relative: string) => void
}

/** A file below the real path `root` of its mount's folder. */
export interface Place {
  readonly mount: Mount
  readonly root: string
  readonly relative: string
}

/** Takes what stands behind the name of a file in a warning. */
export type Report = (what: string) => void

export interface Loaded {
  readonly source: Source
  /** Whether its contents were read for it, known from before, or are read when it is sent. */
  readonly how: 'hashed' | 'reused' | 'streamed'
}

/** For the tag of a file to become strong. */
const MAX_WAIT_MS = 10_000
/** Timers may be early by the clock. */
const TIMER_SLACK_MS = 20

export class Loader {
  readonly #options: LoaderOptions

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  /**
   * The file at `place`, whose last source is `last`. Null when it is left out: `report` is told why,
   * unless it is simply no longer there. A source that is not `last` holds a use of its content.
   */
  async load(place: Place, last: Source | null, report: Report): Promise<Loaded | null> {
    try {
      const stats = await stat(pathOf(place), { bigint: true })
      if (!stats.isFile()) return null
      const identity = identityOf(stats)
      if (last?.identity === identity.key && !isTagDue(last, identity))
        return { source: last, how: howOf(last, true) }
      const recalled = this.#recall(place, identity, last)
      if (recalled !== null) return { source: recalled, how: 'reused' }
      const read = await this.#read(place, last, report)
      return read === null ? null : { source: read, how: howOf(read, read === last) }
    } catch (error) {
      if (!isGone(error)) report(`is not served: ${(error as Error).message}`)
      return null
    }
  }

  /** What the manifest knows of an unchanged file, or null. */
  #recall(place: Place, identity: FileIdentity, last: Source | null): Source | null {
    const { manifest, ceilingBytes, contents } = this.#options
    const saved = manifest.files.get(pathOf(place))
    if (saved === undefined || saved.identity !== identity.key) return null
    if (identity.size > ceilingBytes) return null
    const origin = this.#originOf(place)
    const content = contents.recall(saved.hash, identity.size, manifest.sameBoot, origin)
    return content === null ? null : this.#stored(place, identity, saved.hash, content, last)
  }

  async #read(place: Place, last: Source | null, report: Report): Promise<Source | null> {
    const { native, ceilingBytes, store, contents } = this.#options
    const reading = await readSettled(native, place.root, place.relative, ceilingBytes)
    switch (reading.kind) {
      case 'read': {
        const hash = hashOf(reading.bytes)
        const bytes = await store.put(hash, reading.bytes)
        const content = contents.acquire(hash, bytes, this.#originOf(place))
        return this.#stored(place, reading.identity, hash, content, last)
      }
      case 'large':
        return this.#streamed(place, reading.identity)
      case 'irregular':
        return null
      case 'unsettled':
        report(
          `is ${last === null ? 'not served' : 'served as it was'}: somebody keeps writing to it`,
        )
        return last
    }
  }

  /** An entry that differs in nothing from the last one is the last one. */
  #stored(
    place: Place,
    identity: FileIdentity,
    hash: string,
    content: Content,
    last: Source | null,
  ): Source {
    const lastModifiedMs = lastModifiedOf(identity)
    const isSame = last?.hash === hash && last.lastModifiedMs === lastModifiedMs
    const etag = strongEtag(hash)
    const entry = isSame ? last.entry : this.#entry(place, identity, { etag, content, open: null })
    const { key, size } = identity
    return { identity: key, hash, size, lastModifiedMs, entry, content, held: null }
  }

  #streamed(place: Place, seen: FileIdentity): Source {
    const { native, onStale, holds } = this.#options
    const held = holds ? holdFile(native, place.root, place.relative) : null
    const identity = held?.identity ?? seen
    const file = {
      native,
      ...place,
      identity,
      onStale: () => onStale(place.mount, place.relative),
    }
    const open: FileEntry['open'] = () => openFile(file, held)
    const etag = versionTag(identity)
    const strongInMs = becomesStrongIn(identity)
    // Else the clock was set back: it is seen by the next look at everything.
    if (strongInMs > 0 && strongInMs < MAX_WAIT_MS) {
      setTimeout(file.onStale, strongInMs + TIMER_SLACK_MS).unref()
    }
    const entry = this.#entry(place, identity, { etag, content: null, open })
    const { key, size } = identity
    return {
      identity: key,
      hash: '',
      size,
      lastModifiedMs: lastModifiedOf(identity),
      entry,
      content: null,
      held,
    }
  }

  #entry(
    { mount, relative }: Place,
    identity: FileIdentity,
    rest: { etag: string; content: Content | null; open: FileEntry['open'] },
  ): FileEntry {
    const { heads, maker } = this.#options
    return makeEntry(heads, {
      ...rest,
      maker,
      type: contentTypeOf(relative, mount.types),
      lastModifiedMs: mount.lastModified ? lastModifiedOf(identity) : Number.NaN,
      cacheControl: mount.cacheControlOf(relative),
      size: identity.size,
    })
  }

  #originOf(place: Place): Origin {
    const { native, ceilingBytes } = this.#options
    return {
      path: `/${place.relative}`,
      async read() {
        const reading = await readSettled(native, place.root, place.relative, ceilingBytes).catch(
          () => null,
        )
        return reading?.kind === 'read' ? reading.bytes : null
      },
    }
  }
}

function pathOf({ root, relative }: Place): string {
  return `${root}/${relative}`
}

/** RFC 9110 section 8.8.2.1: never later than the moment it is sent. */
function lastModifiedOf(identity: FileIdentity): number {
  return Math.floor(Math.min(identity.mtimeMs, Date.now()) / 1000) * 1000
}

/** Whether a streamed file that was written to just before has lain still for long enough since. */
function isTagDue({ hash, entry }: Source, identity: FileIdentity): boolean {
  return hash === '' && entry.etag.startsWith('W/') && becomesStrongIn(identity) === 0
}

function howOf(source: Source, isKnown: boolean): Loaded['how'] {
  if (source.hash === '') return 'streamed'
  return isKnown ? 'reused' : 'hashed'
}
