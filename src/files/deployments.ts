/**
 * Remembers which contents files had in the last deployments, over restarts too, so that pages that
 * were made then still find what they name. Called by the updater with every change it applies.
 */
import { readFile } from 'node:fs/promises'
import { replaceFile } from './replace-file.ts'

/** Contents that a file had. */
export interface Version {
  readonly hash: string
  readonly size: number
  readonly lastModifiedMs: number
}

interface OldVersion extends Version {
  /** Number of the last deployment that had it. */
  readonly last: number
}

/** Changes with less than this between them are one deployment: copying a site takes its time. */
const QUIET_MS = 10_000
/** Of one file: somebody who writes it all day is one endless deployment. */
const MAX_VERSIONS = 16
const VERSION = 1
const HASH = /^[0-9a-f]{32}$/

export class Deployments {
  /** Of its file; null when nothing is kept. */
  readonly path: string | null
  readonly #keep: number
  #number = 1
  #changedAt = 0
  /** By encoded plain path, oldest first. */
  readonly #old = new Map<string, OldVersion[]>()
  /** Of the run before, until `resume`. */
  #before: ReadonlyMap<string, Version> = new Map()

  /** `path` null, or `keep` 0: nothing is remembered. */
  private constructor(path: string | null, keep: number) {
    this.path = path
    this.#keep = path === null ? 0 : keep
  }

  /** Beside the manifest at `manifest`; whatever is wrong with the file, it is ignored. */
  static async open(manifest: string | null, keep: number): Promise<Deployments> {
    const path = manifest === null ? null : manifest.replace(/manifest-([^/]*)$/, 'deployments-$1')
    const deployments = new Deployments(path, keep)
    if (path !== null) await deployments.#read(path)
    return deployments
  }

  /** Takes the files as they are at start: what differs from the run before is a deployment. */
  resume(current: ReadonlyMap<string, Version>, nowMs: number): void {
    const before = this.#before
    this.#before = new Map()
    const changed = [...before].filter(([path, { hash }]) => current.get(path)?.hash !== hash)
    const isNew = [...current.keys()].some((path) => !before.has(path))
    if (before.size > 0 && (changed.length > 0 || isNew)) this.replaced(changed, nowMs)
  }

  /** Versions that are served no longer, because others took their place or their files are gone. */
  replaced(versions: readonly (readonly [path: string, version: Version])[], nowMs: number): void {
    const isNext = nowMs - this.#changedAt >= QUIET_MS
    const last = this.#number
    if (isNext) this.#number++
    this.#changedAt = nowMs
    if (this.#keep === 0) return
    for (const [path, { hash, size, lastModifiedMs }] of versions) {
      const others = this.#old.get(path)?.filter((other) => other.hash !== hash) ?? []
      const all = [...others, { hash, size, lastModifiedMs, last }]
      this.#old.set(path, all.slice(-MAX_VERSIONS))
    }
    if (isNext) this.#forgetOld()
  }

  /** The version of a path whose hash begins like this. */
  find(path: string, fingerprint: string): Version | undefined {
    return this.#old.get(path)?.find(({ hash }) => hash.startsWith(fingerprint))
  }

  /** The object of a version was lost: it is remembered no longer. */
  forget(path: string, hash: string): void {
    const kept = this.#old.get(path)?.filter((one) => one.hash !== hash) ?? []
    if (kept.length === 0) this.#old.delete(path)
    else this.#old.set(path, kept)
  }

  /** Rejects when the file cannot be written. */
  async save(current: ReadonlyMap<string, Version>): Promise<void> {
    if (this.path === null || this.#keep === 0) return
    const row = (path: string, { hash, size, lastModifiedMs }: Version) => [
      path,
      hash,
      size,
      lastModifiedMs,
    ]
    await replaceFile(
      this.path,
      JSON.stringify({
        version: VERSION,
        number: this.#number,
        changedAt: this.#changedAt,
        current: Array.from(current, ([path, one]) => row(path, one)),
        old: Array.from(this.#old, ([path, all]) =>
          all.map((one) => [...row(path, one), one.last]),
        ).flat(),
      }),
    )
  }

  #forgetOld(): void {
    for (const [path, versions] of this.#old) {
      const kept = versions.filter(({ last }) => last >= this.#number - this.#keep)
      if (kept.length === 0) this.#old.delete(path)
      else this.#old.set(path, kept)
    }
  }

  async #read(path: string): Promise<void> {
    try {
      const saved = JSON.parse(await readFile(path, 'utf8'))
      if (saved.version !== VERSION) return
      const before = new Map<string, Version>()
      for (const [file, ...rest] of saved.current) before.set(check(file), versionOf(rest))
      const old = new Map<string, OldVersion[]>()
      for (const [file, hash, size, lastModifiedMs, last] of saved.old) {
        const version = { ...versionOf([hash, size, lastModifiedMs]), last: count(last) }
        const others = old.get(check(file))
        if (others === undefined) old.set(file, [version])
        else others.push(version)
      }
      this.#number = count(saved.number)
      this.#changedAt = count(saved.changedAt)
      this.#before = before
      for (const [file, versions] of old) this.#old.set(file, versions)
      this.#forgetOld()
    } catch {
      // Old pages then ask for what is not there any more, and get 404.
    }
  }
}

function versionOf([hash, size, lastModifiedMs]: unknown[]): Version {
  if (typeof hash !== 'string' || !HASH.test(hash)) throw new TypeError('not a hash')
  return { hash, size: count(size), lastModifiedMs: count(lastModifiedMs) }
}

function count(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new TypeError('not a number')
}

function check(path: unknown): string {
  if (typeof path === 'string') return path
  throw new TypeError('not a path')
}
