/**
 * The file that tells which process serves a site, and where it can be asked: pid, time of its start, control socket,
 * one a line. Written by a supervisor, read by `uwas stop`, `reload` and `status`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createError } from '../core/errors.ts'
import { identify, isStill, type ProcessId } from '../core/process-id.ts'

/** In the folder of a site's state. */
export const PID_FILE = 'uwas.pid'

/** A supervisor that runs. */
export interface RunningServer extends ProcessId {
  /** Path of its control socket. */
  readonly socket: string
}

/** What the file says: a living server, what one has left behind that was killed, or nothing. */
export function readPidFile(file: string): RunningServer | 'stale' | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  const [pid = '', startedAt = '', socket = ''] = text.split('\n')
  const server = { pid: Number(pid), startedAt, socket }
  return isStill(server) ? server : 'stale'
}

/** The server that the file names. Throws UWAS_ERR_SUPERVISOR_UNREACHABLE. */
export function findServer(file: string): RunningServer {
  const found = readPidFile(file)
  if (found !== null && found !== 'stale') return found
  const problem = found === null ? 'there is no such file' : 'the process that it names has ended'
  throw createError('UWAS_ERR_SUPERVISOR_UNREACHABLE', { file, problem })
}

/** Puts this process into the file, until it exits. Throws what the file system throws. */
export function writePidFile(file: string, socket: string): void {
  const { pid, startedAt } = identify(process.pid)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${pid}\n${startedAt}\n${socket}\n`)
  process.once('exit', () => {
    const found = readPidFile(file)
    if (found !== null && found !== 'stale' && found.pid !== pid) return
    rmSync(file, { force: true })
  })
}
