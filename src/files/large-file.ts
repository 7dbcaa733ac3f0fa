/**
 * Files that are sent from the disk: opened for each reply, and held open once by the catalogue so that a
 * version that was just replaced or removed can still be sent until the new one is known.
 */
import { closeSync, openSync } from 'node:fs'
import { createError } from '../core/errors.ts'
import type { Native } from '../native/skin.ts'
import { type FileIdentity, identityOfFd } from './identity.ts'
import { FileReader } from './windows.ts'

/** Which file to open, and whom to tell when it is another one by now. */
export interface Streamed {
  readonly native: Native
  readonly root: string
  readonly relative: string
  readonly identity: FileIdentity
  readonly onStale: () => void
}

/** A descriptor that is kept for a while. */
export interface HeldFile {
  readonly identity: FileIdentity
  /** Null once it is closed. */
  readonly fd: number | null
  close(): void
}

/** Of all files together; a site with more large ones gives 503 for those, for a moment, when they change. */
const MAX_HELD = 128
let held = 0

/**
 * Holds open the regular file that is there now. Null when enough are held: it does without then. Throws
 * UWAS_ERR_NATIVE_….
 */
export function holdFile(native: Native, root: string, relative: string): HeldFile | null {
  if (held >= MAX_HELD) return null
  let fd: number | null = native.openBeneath(root, relative)
  const identity = identityOfFd(fd)
  if (identity === null) {
    closeSync(fd)
    return null
  }
  held++
  return {
    identity,
    get fd() {
      return fd
    },
    close() {
      if (fd === null) return
      closeSync(fd)
      fd = null
      held--
    },
  }
}

/**
 * Opens the very file that `identity` was of, by its name or else by what is held of it. Throws
 * UWAS_ERR_FILES_CHANGED, UWAS_ERR_FILES_GONE.
 */
export function openFile(file: Streamed, held: HeldFile | null = null): FileReader {
  const path = `/${file.relative}`
  let problem: unknown
  try {
    const fd = file.native.openBeneath(file.root, file.relative)
    if (isSame(fd, file.identity)) return new FileReader(fd, file.identity, path)
    closeSync(fd)
  } catch (error) {
    if (!isGone(error)) throw error
    problem = error
  }
  file.onStale()
  const fd = held?.fd ?? null
  const again = fd === null ? null : reopenIfSame(fd, file.identity)
  if (again !== null) return new FileReader(again, file.identity, path)
  if (problem === undefined) throw createError('UWAS_ERR_FILES_CHANGED', { path })
  throw createError('UWAS_ERR_FILES_GONE', { path }, problem)
}

/** No file there, or none any more. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'UWAS_ERR_NATIVE_NOT_FOUND'
}

/** The same file once more, whether a name still leads to it or not. Only Linux has this. */
function reopenIfSame(held: number, identity: FileIdentity): number | null {
  let fd: number
  try {
    fd = openSync(`/proc/self/fd/${held}`, 'r')
  } catch {
    return null
  }
  if (isSame(fd, identity)) return fd
  closeSync(fd)
  return null
}

function isSame(fd: number, identity: FileIdentity): boolean {
  return identityOfFd(fd)?.contentKey === identity.contentKey
}
