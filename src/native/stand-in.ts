/**
 * The addon's functions in plain JavaScript, for machines without it: the same results and the same
 * failures, slower, and with a copy in place of a mapping. Called through `skin.ts`. There is no gate:
 * Node reads what it looks at, and cannot hand an accepted connection over.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { constants as system } from 'node:os'
import { join } from 'node:path'
import { MAX_MAP_BYTES, type NativeCode, type RawNative } from './skin.ts'

const { errno } = system

/** A FIFO or a device must not make the open wait. libuv adds O_CLOEXEC to every open. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** Symbolic links in one path, MAXSYMLINKS of Linux (path_resolution(7)). */
const MAX_LINKS = 40

/** PATH_MAX of Linux, its closing NUL included. */
const MAX_PATH_BYTES = 4096

/** How often a path is resolved anew when it changed between the look and the open. */
const MAX_ATTEMPTS = 32

export const standIn: RawNative = { mapFile, openBeneath }

function mapFile(path: string): ArrayBuffer {
  return withCodes(() => {
    checkLength(path)
    const fd = openSync(path, READ_FLAGS)
    try {
      return readWhole(fd)
    } finally {
      closeSync(fd)
    }
  })
}

function readWhole(fd: number): ArrayBuffer {
  const stats = fstatSync(fd)
  if (!stats.isFile()) throw failure('NOT_REGULAR')
  if (stats.size > MAX_MAP_BYTES) throw failure('TOO_LARGE')
  const bytes = new Uint8Array(stats.size)
  let at = 0
  while (at < bytes.length) {
    const count = readSync(fd, bytes, at, bytes.length - at, at)
    if (count === 0) throw failure('CHANGED')
    at += count
  }
  return bytes.buffer
}

function openBeneath(root: string, path: string): number {
  const top = realRoot(root)
  return withCodes(() => {
    checkLength(path)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const fd = openResolved(resolve(top, path))
      if (fd !== undefined) return fd
    }
    throw failure('CHANGED')
  })
}

function realRoot(root: string): string {
  try {
    // `realpath('')` would be the current folder; for the kernel it is nothing.
    if (root === '') throw failure('ROOT', errno.ENOENT)
    const top = realpathSync(root)
    if (!statSync(top).isDirectory()) throw failure('ROOT', errno.ENOTDIR)
    return top
  } catch (error) {
    const { errno: number = 0, code } = error as NodeJS.ErrnoException
    throw code?.startsWith('UWAS_') ? error : failure('ROOT', Math.abs(number), error)
  }
}

/** The real path that `path` names below `top`, which is real: every name looked at, links read. */
function resolve(top: string, path: string): string {
  if (path === '') throw failure('NOT_FOUND', errno.ENOENT)
  const names: string[] = []
  let links = 0
  let pending = namesOf(path)
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (names.pop() === undefined) throw failure('OUTSIDE', errno.EXDEV)
      continue
    }
    const here = join(top, ...names, name)
    const stats = lstatSync(here)
    if (stats.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw failure('LINK_LOOP', errno.ELOOP)
      pending = [...namesOf(readlinkSync(here)), ...pending]
    } else {
      checkKind(stats, pending.length > 0)
      names.push(name)
    }
  }
  return join(top, ...names)
}

function namesOf(path: string): string[] {
  if (path.startsWith('/')) throw failure('OUTSIDE', errno.EXDEV)
  return path.split('/')
}

/** A name with anything after it, be it only a slash, must be a folder. */
function checkKind(stats: Stats, hasMore: boolean): void {
  if (hasMore && !stats.isDirectory()) throw failure('NOT_FOUND', errno.ENOTDIR)
  if (!stats.isFile() && !stats.isDirectory()) throw failure('NOT_REGULAR')
}

/** The descriptor of `path`, or undefined when what was opened is no longer at this very path. */
function openResolved(path: string): number | undefined {
  const fd = openUnlessLink(path)
  if (fd === undefined) return undefined
  try {
    checkKind(fstatSync(fd), false)
    if (isAt(fd, path)) return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  return undefined
}

function openUnlessLink(path: string): number | undefined {
  try {
    return openSync(path, READ_FLAGS | constants.O_NOFOLLOW)
  } catch (error) {
    // Only O_NOFOLLOW gives ELOOP here: the path was free of links a moment ago.
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
    throw error
  }
}

/** Asks the kernel where the open file is; without /proc, whether the path still leads to it. */
function isAt(fd: number, path: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === path
  } catch {
    const opened = fstatSync(fd)
    const named = lstatSync(path)
    return opened.ino === named.ino && opened.dev === named.dev && realpathSync(path) === path
  }
}

function checkLength(path: string): void {
  if (Buffer.byteLength(path) >= MAX_PATH_BYTES) throw failure('PATH', errno.ENAMETOOLONG)
}

/** Runs `work`; what `node:fs` throws in it goes on as a failure with a code of ours. */
function withCodes<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { errno: number, code } = error as NodeJS.ErrnoException
    if (number === undefined || code?.startsWith('UWAS_')) throw error
    throw failure(CODES.get(-number) ?? 'IO', -number, error)
  }
}

type Kind = NativeCode extends `UWAS_ERR_NATIVE_${infer K}` ? K : never

/** As `failure_of` in native/core/error.cc. */
const CODES: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [errno.ENOENT, 'NOT_FOUND'],
  [errno.ENOTDIR, 'NOT_FOUND'],
  [errno.EACCES, 'DENIED'],
  [errno.EPERM, 'DENIED'],
  [errno.EXDEV, 'OUTSIDE'],
  [errno.ENXIO, 'NOT_REGULAR'],
  [errno.ELOOP, 'LINK_LOOP'],
  [errno.ENAMETOOLONG, 'PATH'],
  [errno.EAGAIN, 'CHANGED'],
  [errno.EMFILE, 'LIMIT'],
  [errno.ENFILE, 'LIMIT'],
  [errno.ENOMEM, 'LIMIT'],
])

function failure(kind: Kind, number = 0, cause?: unknown): Error {
  const error = new Error(kind, cause === undefined ? undefined : { cause })
  return Object.assign(error, { code: `UWAS_ERR_NATIVE_${kind}`, errno: number })
}
