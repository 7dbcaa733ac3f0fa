/**
 * Reads a site's own file as one version of it, while anybody may be writing to it. Gets a path below
 * a mount's root, gives bytes and the identity they belong to. Called by the catalogue only.
 */
import { closeSync, read as readCallback } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Native } from '../native/skin.ts'
import { type FileIdentity, identityOfFd, isSettled } from './identity.ts'

const read = promisify(readCallback)

const PAUSE_MS = 25
const MAX_PAUSES = 60
/** Stillness that is asked of a file: the next write must not carry the same time stamp as the last. */
const SETTLE_MS = 25
/** Of a file that was seen moving: the disk may hold its writer up in the middle of the content. */
const MOVING_SETTLE_MS = 250
/** Of an empty file: writers that truncate it first are often held up just then. */
const EMPTY_SETTLE_MS = 500

/**
 * `read`: bytes (a buffer of its own) of one version. `large`: above the ceiling, not read. `irregular`: not a
 * file. `unsettled`: somebody kept writing for more than a second.
 */
export type Reading =
  | { readonly kind: 'read'; readonly identity: FileIdentity; readonly bytes: Uint8Array }
  | { readonly kind: 'large'; readonly identity: FileIdentity }
  | { readonly kind: 'irregular' | 'unsettled' }

/**
 * The file is opened beneath `root`, read, and looked at until it has lain still for a moment; if it moved
 * since it was opened, all begins anew. Rejects with UWAS_ERR_NATIVE_… or the system's error when it
 * cannot be read.
 */
export async function readSettled(
  native: Native,
  root: string,
  relative: string,
  ceilingBytes: number,
): Promise<Reading> {
  let settleMs = SETTLE_MS
  for (let pauses = 0; pauses < MAX_PAUSES; pauses++) {
    const fd = native.openBeneath(root, relative)
    try {
      const before = identityOfFd(fd)
      if (before === null) return { kind: 'irregular' }
      if (before.size > ceilingBytes) return { kind: 'large', identity: before }
      const bytes = await readAll(fd, before.size)
      let after = identityOfFd(fd)
      while (bytes !== null && isSame(before, after)) {
        const enoughMs = after.size === 0 ? EMPTY_SETTLE_MS : settleMs
        if (isSettled(after, enoughMs)) return { kind: 'read', identity: after, bytes }
        if (pauses++ >= MAX_PAUSES) return { kind: 'unsettled' }
        await sleep(PAUSE_MS)
        after = identityOfFd(fd)
      }
    } finally {
      closeSync(fd)
    }
    settleMs = MOVING_SETTLE_MS
    await sleep(PAUSE_MS)
  }
  return { kind: 'unsettled' }
}

/** A replaced file gets a new change time by losing its name; its content is judged without it. */
function isSame(before: FileIdentity, after: FileIdentity | null): after is FileIdentity {
  if (after === null) return false
  return after.unlinked ? before.contentKey === after.contentKey : before.key === after.key
}

/** Exactly `size` bytes, or null when the file turns out shorter. */
async function readAll(fd: number, size: number): Promise<Uint8Array | null> {
  const buffer = Buffer.allocUnsafeSlow(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await read(fd, buffer, filled, size - filled, filled)
    if (bytesRead === 0) return null
    filled += bytesRead
  }
  return buffer
}
