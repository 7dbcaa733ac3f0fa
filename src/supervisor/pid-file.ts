/**
 * The file that tells which process serves a site, and where it can be asked: pid, time of its start, control socket,
 * one a line. Written by a supervisor, or by the one process of a server without workers, read by `uwas stop` and its like.
 */
import {
  closeSync,
  constants,
  copyFileSync,
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
const NOT_REGULAR = 'it is not a regular file'
/** Its longest path is that of a socket. */
const MOST_BYTES = 1_000
/** Who has the lock is done with it in less than one pause. */
const LOCK_TRIES = 200
const LOCK_PAUSE_MS = 5

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
  if (pid === '') throw notOne(file, 'it is another file: its content is not that of uwas')
  const server = { pid: Number(pid), startedAt, socket, owner }
  return isStill(server) ? server : 'stale'
}

function readOwn(file: string): { readonly text: string; readonly owner: number } | null {
  let fd = -1
  try {
    // Neither through a link, nor waiting for a pipe's other end.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const { size, uid: owner } = regular(file, fstatSync(fd))
    if (size > MOST_BYTES) throw notOne(file, 'it is another file: it is too long')
    return { text: readFileSync(fd, 'utf8'), owner }
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
  const lock = `${file}.lock`
  acquire(made, lock, file)
  try {
    const found = readPidFile(file)
    const isFree = found === null || found === 'stale'
    if (!isFree && ![before, process.pid].includes(found.pid)) return found
    renameSync(made, file)
    return null
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Throws UWAS_ERR_SUPERVISOR_PID_FILE where another process has the lock for long. */
function acquire(made: string, lock: string, file: string): void {
  for (let left = LOCK_TRIES; ; left--) {
    try {
      return linkOrCopy(made, lock)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (left === 0) throw notOne(file, `another process keeps ${lock}`)
    // Of one that was killed just then.
    if (readPidFile(lock) === 'stale') rmSync(lock, { force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MS)
  }
}

/** In one step, and only where nobody has been faster. Some file systems have no second names. */
function linkOrCopy(made: string, file: string): void {
  try {
    linkSync(made, file)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) throw error
    copyFileSync(made, file, constants.COPYFILE_EXCL)
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
