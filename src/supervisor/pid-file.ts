/**
 * The file that tells which process serves a site, and where it can be asked: pid, time of its start, control socket,
 * one a line. Written by a supervisor, or by the one process of a server without workers, read by `uwas stop` and its like.
 */
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createError, isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { identify, isStill, type ProcessId } from '../core/process-id.ts'

/** In the folder of a site's state. */
export const PID_FILE = 'uwas.pid'

/** A supervisor that runs. */
export interface RunningServer extends ProcessId {
  /** Path of its control socket; empty where it takes no commands. */
  readonly socket: string
  /** Numeric id of the user whose file has told so. */
  readonly owner: number
}

const CONTENT = /^(\d{1,10})\n(\d*)\n([^\n]*)\n$/
const NOT_OURS = 'it is another file: its content is not that of uwas'
const NOT_REGULAR = 'it is not a regular file'
/** Its longest path is that of a socket. */
const MOST_BYTES = 1_000
/** Who has the lock is done with it in less than one pause; all of them are longer than WRITING_MS. */
const LOCK_TRIES = 1_000
const LOCK_PAUSE_MS = 5
/** What file systems say that have no second names. */
const NO_LINKS = new Set<string | undefined>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP'])
/** A lock without its content may be about to get it: on file systems without hard links that is a second step. */
const WRITING_MS = 3_000
/** Processes that were killed while they had the lock, each while it followed the one before. */
const MOST_DEAD = 10

/**
 * What the file says: a living server, what one has left behind that was killed, or, where there is no file, nothing.
 * Throws UWAS_ERR_SUPERVISOR_PID_FILE where it is something else.
 */
export function readPidFile(file: string): RunningServer | 'stale' | null {
  const own = readOwn(file)
  if (own === null) return null
  const { text, owner } = own
  // One that is being written for the first time, or was cut short with its machine.
  if (text === '') return 'stale'
  const [, pid = '', startedAt = '', socket = ''] = CONTENT.exec(text) ?? []
  if (pid === '') throw notOne(file, NOT_OURS)
  const server = { pid: Number(pid), startedAt, socket, owner }
  return isStill(server) ? server : 'stale'
}

interface OwnFile {
  readonly text: string
  readonly owner: number
  /** Milliseconds. */
  readonly writtenAt: number
}

function readOwn(file: string): OwnFile | null {
  let fd = -1
  try {
    // Neither through a link, nor waiting for a pipe's other end.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const { size, uid: owner, mtimeMs: writtenAt } = regular(file, fstatSync(fd))
    if (size > MOST_BYTES) throw notOne(file, 'it is another file: it is too long')
    return { text: readFileSync(fd, 'utf8'), owner, writtenAt }
  } catch (error) {
    if (isCodedError(error)) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw notOne(file, code === 'ELOOP' ? NOT_REGULAR : message)
  } finally {
    if (fd >= 0) closeSync(fd)
  }
}

function regular(file: string, stats: Stats): Stats {
  if (!stats.isFile()) throw notOne(file, NOT_REGULAR)
  return stats
}

function notOne(file: string, problem: string): Error {
  return createError('UWAS_ERR_SUPERVISOR_PID_FILE', { file, problem })
}

/**
 * The server that the file names: whoever may write the file does not choose which process of another user is ended
 * (workers of `--user` own the folder that it is in). Throws UWAS_ERR_SUPERVISOR_UNREACHABLE,
 * UWAS_ERR_SUPERVISOR_PID_FILE.
 */
export function findServer(file: string): RunningServer {
  const found = readPidFile(file)
  if (found !== null && found !== 'stale') {
    if (found.owner === 0 || isOf(found)) return found
    throw notOne(file, `it is not of the user whose process (pid ${found.pid}) it names`)
  }
  const problem = found === null ? 'there is no such file' : 'the process that it names has ended'
  throw createError('UWAS_ERR_SUPERVISOR_UNREACHABLE', { file, problem })
}

/** Linux proc(5), status: the effective id is the second one. True where the system does not tell. */
function isOf({ pid, owner }: RunningServer): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1] === String(owner)
  } catch {
    return true
  }
}

/**
 * Puts this process into the file, until it exits; `socket` is empty where it takes no commands. Where the file is of
 * another server that runs it stays, the log says so, and false is returned; the server `before` is followed by this one.
 * Of two that start at the same time one gets it. Throws UWAS_ERR_SUPERVISOR_PID_FILE where the file is not one, and what
 * the file system throws.
 */
export function claimPidFile(
  file: string,
  socket: string,
  log: Log,
  before: number | null = null,
): boolean {
  const { pid, startedAt } = identify(process.pid)
  mkdirSync(dirname(file), { recursive: true })
  // A link on the way to it may lead to another folder when this process ends.
  const place = join(realpathSync(dirname(file)), basename(file))
  const made = `${place}.${pid}`
  rmSync(made, { force: true })
  // Made under another name: nothing is ever written through a link, and nobody reads half of it.
  writeFileSync(made, `${pid}\n${startedAt}\n${socket}\n`, { flag: 'wx' })
  try {
    const other = putInPlace(made, place, before)
    if (other !== null) {
      log.warn(
        `${file} is of another server (pid ${other.pid}): "uwas stop" and its like do not find this one; give it a file with --pid-file`,
      )
      return false
    }
  } finally {
    rmSync(made, { force: true })
  }
  process.once('exit', () => removePidFile(place))
  return true
}

/**
 * The server that has the file; null: it is that of `made` now. Whoever looks at it and puts another one there has a lock
 * meanwhile: what a killed server has left would else be taken away by two, the second of whom takes what the first one
 * has put there.
 */
function putInPlace(made: string, file: string, before: number | null): RunningServer | null {
  const locks = acquire(made, file)
  try {
    const found = readPidFile(file)
    const isFree = found === null || found === 'stale'
    if (!isFree && ![before, process.pid].includes(found.pid)) return found
    renameSync(made, file)
    return null
  } finally {
    for (const lock of locks) rmSync(lock, { force: true })
  }
}

/**
 * What is to be removed afterwards, in this order. Throws UWAS_ERR_SUPERVISOR_PID_FILE where another process has the lock
 * for long.
 */
function acquire(made: string, file: string): readonly string[] {
  const lock = `${file}.lock`
  for (let left = LOCK_TRIES; left > 0; left--) {
    const locks = take(made, lock)
    if (locks !== null) return locks
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MS)
  }
  throw notOne(file, `another process keeps ${lock}`)
}

/**
 * The locks of killed processes, then that of this one; null where a living one has it. Nobody removes a lock because he
 * has read that its process is dead: it may be another one by then. Instead, who follows the dead one is who makes the
 * lock that is named after it, provided that the dead one's is still there after that: a follower who is done removes
 * them from the first one on, and no later process has the dead one's name.
 */
function take(made: string, lock: string): readonly string[] | null {
  const dead: { readonly path: string; readonly name: string }[] = []
  let path = lock
  while (!linkOrCopy(made, path)) {
    const name = holderOf(path)
    if (name === null || dead.length === MOST_DEAD) return null
    dead.push({ path, name })
    path = `${lock}.${name}`
  }
  if (dead.every(({ path, name }) => holderOf(path) === name)) {
    return [...dead.map(({ path }) => path), path]
  }
  rmSync(path, { force: true })
  return null
}

/** Of the dead process that a lock is of; null where that is alive, or the lock is gone. */
function holderOf(lock: string): string | null {
  const own = readOwn(lock)
  if (own === null) return null
  const [, pid, startedAt = ''] = CONTENT.exec(own.text) ?? []
  if (pid !== undefined) {
    return isStill({ pid: Number(pid), startedAt }) ? null : `${pid}-${startedAt}`
  }
  // One that is being written, or was cut short with its machine, whose clock may have been wrong.
  if (Math.abs(Date.now() - own.writtenAt) < WRITING_MS) return null
  if (own.text !== '') throw notOne(lock, NOT_OURS)
  return `0-${Math.floor(own.writtenAt)}`
}

/** False where it is there: one of several makes it. */
function linkOrCopy(made: string, file: string): boolean {
  try {
    try {
      linkSync(made, file)
    } catch (error) {
      if (!NO_LINKS.has((error as NodeJS.ErrnoException).code)) throw error
      writeFileSync(file, readFileSync(made), { flag: 'wx' })
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Where it is of this process. */
export function removePidFile(file: string): void {
  try {
    const found = readPidFile(file)
    if (found !== null && found !== 'stale' && found.pid === process.pid)
      rmSync(file, { force: true })
  } catch {
    // Somebody else's by now.
  }
}
