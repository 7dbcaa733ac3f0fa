/**
 * Tells whether a file is still the one that was read, without reading it again. Called wherever a
 * file is opened or looked at; the manifest keeps identities between starts.
 */
import { type BigIntStats, fstatSync } from 'node:fs'

export interface FileIdentity {
  /** Equal for two looks at one file that nobody wrote to in between. */
  readonly key: string
  /** As `key`, but also equal when the file was renamed or unlinked in between. */
  readonly contentKey: string
  /** Of its size and times alone, as clients may see it. */
  readonly version: string
  readonly size: number
  readonly mtimeMs: number
  /** Of the last write or rename; nobody can set it back. */
  readonly changedMs: number
  /** No name leads to the file any more: it was replaced or removed while open. */
  readonly unlinked: boolean
}

export function identityOf(stats: BigIntStats): FileIdentity {
  const contentKey = `${stats.ino}.${stats.size}.${stats.mtimeNs}`
  const version = `${stats.size}.${stats.mtimeNs}.${stats.ctimeNs}`
  return {
    key: `${contentKey}.${stats.ctimeNs}`,
    contentKey,
    version,
    size: Number(stats.size),
    mtimeMs: Number(stats.mtimeMs),
    changedMs: Number(stats.ctimeMs),
    unlinked: stats.nlink === 0n,
  }
}

/** Identity of an open regular file; null for folders, pipes, devices. */
export function identityOfFd(fd: number): FileIdentity | null {
  const stats = fstatSync(fd, { bigint: true })
  return stats.isFile() ? identityOf(stats) : null
}

/**
 * Whether nobody has written to the file for `settleMs`. A replaced file is never written again; a time
 * stamp in the future says only that the clock was set back.
 */
export function isSettled(identity: FileIdentity, settleMs: number): boolean {
  const age = Date.now() - identity.changedMs
  return identity.unlinked || age < 0 || age >= settleMs
}
