/**
 * What runs on a data folder: PostgreSQL's own postmaster.pid, and our note of which uwas process
 * looks after the server. Called by `embedded.ts`.
 */
import {
  existsSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify, isAlive, isStill, type ProcessId } from '../core/process-id.ts'
import type { Layout } from './embedded-cluster.ts'

/** Where the embedded PostgreSQL of a site lives. */
export function embeddedDir(stateDir: string): string {
  return join(stateDir, 'postgres')
}

export interface RunningServer {
  readonly pid: number
  /** Where its socket is; a moved folder or another TMPDIR may make it differ from ours. */
  readonly socketFolder: string
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby'
}

/** PostgreSQL 18, section 18.5: connections are ended, transactions rolled back. */
export const FAST_SHUTDOWN = 'SIGINT'
/** Nobody is let in any more, and those who are there may stay. */
const SMART_SHUTDOWN = 'SIGTERM'

/** Longer than any pid can be (Linux: PID_MAX_LIMIT is 2^22), so it never names a process. */
const NO_PID = 4194305

/** The server that runs on the data, or undefined. */
export function findServer({ data }: Layout): RunningServer | undefined {
  const lines = readPidFile(data)
  if (lines === undefined) return undefined
  const pid = Math.abs(Number(lines[0]))
  if (!isAlive(pid)) return undefined
  if (!worksIn(pid, data)) {
    disown(data, lines)
    return undefined
  }
  const status = (lines[7]?.trim() || 'starting') as RunningServer['status']
  return { pid, socketFolder: lines[4] ?? '', status }
}

/**
 * Asks `pid` to end, ever less politely (PostgreSQL 18, section 18.5): fast shutdown, after `patienceMs`
 * immediate shutdown, at last SIGKILL. Returns when it has ended.
 */
export async function endServer(pid: number, patienceMs = 15_000): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    [FAST_SHUTDOWN, patienceMs],
    ['SIGQUIT', patienceMs / 3],
    ['SIGKILL', 5000],
  ]
  for (const [signal, waitMs] of steps) {
    if (!isAlive(pid)) return
    send(pid, signal)
    if (await waitForEnd(pid, waitMs)) return
  }
}

/** Asks the server to end, if this process looks after it, without waiting: for the process's own exit. */
export function leaveServer(layout: Layout): void {
  if (readOwner(layout) !== process.pid) return
  const server = findServer(layout)
  if (server !== undefined) send(server.pid, FAST_SHUTDOWN)
  dropOwnership(layout)
}

/**
 * Asks a server that nobody looks after any more to end once its last client has gone (smart shutdown), without
 * waiting. `dir` as for `startEmbeddedPostgres`.
 */
export function leaveOrphan(dir: string): void {
  const [owner, heir] = [`${dir}/owner.json`, `${dir}/heir.json`]
  const layout = { folder: dir, data: `${dir}/data`, log: '', owner, heir }
  if (readOwner(layout) !== undefined) return
  const server = findServer(layout)
  if (server !== undefined) send(server.pid, SMART_SHUTDOWN)
}

/** Notes that this process looks after the server. */
export function takeOwnership({ owner, heir }: Layout): void {
  note(owner)
  if (readNote(heir) === process.pid) rmSync(heir, { force: true })
}

/**
 * Notes that this process looks after the server from the moment on in which its owner gives it up or ends, in whatever
 * way: there is none in which nobody does.
 */
export function noteHeir({ owner, heir }: Layout): void {
  // Who has inherited a moment ago is the owner, and stays so.
  if (readNote(owner) === undefined && readNote(heir) !== undefined) renameSync(heir, owner)
  note(heir)
}

/** Whether another process looks after the server once this one has given it up. */
export function hasHeir({ heir }: Layout): boolean {
  return ![undefined, process.pid].includes(readNote(heir))
}

/** Gives it up, and what it would have inherited; nothing happens when another process has taken it. */
export function dropOwnership({ owner, heir }: Layout): void {
  for (const file of [owner, heir]) {
    if (readNote(file) === process.pid) rmSync(file, { force: true })
  }
}

/** The living process that looks after the server, or undefined. */
export function readOwner({ owner, heir }: Layout): number | undefined {
  return readNote(owner) ?? readNote(heir)
}

/** Whether the note of the owner itself is of a living process. */
export function isOwned({ owner }: Layout): boolean {
  return readNote(owner) !== undefined
}

function note(file: string): void {
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(identify(process.pid)), { mode: 0o600 })
  renameSync(fresh, file)
}

function readNote(file: string): number | undefined {
  if (!existsSync(file)) return undefined
  try {
    const noted = JSON.parse(readFileSync(file, 'utf8')) as ProcessId
    return isStill(noted) ? noted.pid : undefined
  } catch {
    return undefined
  }
}

function readPidFile(data: string): string[] | undefined {
  try {
    return readFileSync(`${data}/postmaster.pid`, 'utf8').split('\n')
  } catch {
    return undefined
  }
}

/** A server works in its data folder. Where the system does not tell, it is believed. */
function worksIn(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}

/**
 * After a restart of the machine another program may have the pid in the file, and PostgreSQL would
 * refuse to start. Only the pid is replaced: the rest protects against orphans of a killed server.
 */
function disown(data: string, lines: readonly string[]): void {
  writeFileSync(`${data}/postmaster.pid`, [NO_PID, ...lines.slice(1)].join('\n'))
}

/** It may end in this very moment. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false
    await sleep(20)
  }
  return true
}
