/**
 * Writes down what is served, for the next start: the manifest and the deployments. Called by the
 * updater after changes; many changes are written once.
 */
import { utimes } from 'node:fs/promises'
import type { Log } from '../core/log.ts'
import { encodePath } from '../http/target.ts'
import type { Deployments, Version } from './deployments.ts'
import { type Manifest, type ManifestFiles, saveManifest } from './manifest.ts'
import type { Mount } from './mounts.ts'
import type { PathMap } from './path-map.ts'
import type { Scanner } from './scanner.ts'

export interface RecordOptions {
  /** Of the manifest; null when nothing is kept. */
  readonly path: string | null
  readonly manifest: Manifest
  readonly scanner: Scanner
  readonly deployments: Deployments
  readonly log: Log
}

/** Changes of this long are written together. */
const DELAY_MS = 2000

export class Record {
  readonly deployments: Deployments
  readonly #options: RecordOptions
  #timer: NodeJS.Timeout | null = null
  #pending: PathMap | null = null

  constructor(options: RecordOptions) {
    this.deployments = options.deployments
    this.#options = options
  }

  /** Writes in a moment. */
  later(map: PathMap): void {
    this.#pending = map
    this.#timer ??= setTimeout(() => void this.flush(), DELAY_MS).unref()
  }

  /** Writes what is pending now. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const map = this.#pending
    this.#pending = null
    if (map !== null) await this.save(map)
  }

  /** Writes now; `isNeeded` false leaves out what is on disk already. Never rejects. */
  async save(map: PathMap): Promise<void> {
    const { path, deployments, log } = this.#options
    if (path === null) return
    try {
      await saveManifest(path, this.#manifestOf(map))
      await deployments.save(this.currentOf(map))
    } catch (error) {
      const { message } = error as Error
      log.warn(`the next start will read all static files again: ${message}`)
    }
  }

  /** Says that what is on disk is still in use: see `removeUnused`. */
  async touch(): Promise<void> {
    const { path, deployments } = this.#options
    const now = new Date()
    for (const file of [path, deployments.path]) {
      if (file !== null) await utimes(file, now, now).catch(() => undefined)
    }
  }

  /** True when the manifest on disk says as much as `map`. */
  isRecorded(map: PathMap): boolean {
    const { manifest, path } = this.#options
    if (path === null) return true
    if (!manifest.sameBoot) return false
    const files = this.#manifestOf(map)
    if (files.size !== manifest.files.size) return false
    for (const [file, { identity, hash }] of files) {
      const saved = manifest.files.get(file)
      if (saved?.identity !== identity || saved.hash !== hash) return false
    }
    return true
  }

  /** The version of each file by its encoded path. */
  currentOf(map: PathMap): Map<string, Version> {
    const current = new Map<string, Version>()
    for (const mount of map.mounts) {
      for (const [relative, source] of map.files(mount)) {
        if (source.hash !== '') current.set(pathOf(mount, relative), source)
      }
    }
    return current
  }

  #manifestOf(map: PathMap): ManifestFiles {
    const files: ManifestFiles = new Map()
    for (const mount of map.mounts) {
      const root = this.#options.scanner.rootOf(mount)
      for (const [relative, { identity, hash }] of map.files(mount)) {
        if (hash !== '') files.set(`${root}/${relative}`, { identity, hash })
      }
    }
    return files
  }
}

/** The encoded path at which a file answers. */
export function pathOf(mount: Mount, relative: string): string {
  return `${mount.base}/${encodePath(relative)}`
}
