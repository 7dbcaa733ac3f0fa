/** What a rival is: a server that can be started on a folder and a port, pinned to one core. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { listOf } from '../method/cores.ts'
import { childrenOf } from '../method/cpu.ts'
import type { DatabasePlace } from '../method/database.ts'

export interface RivalContext {
  /** The folder with the scenario's files. */
  readonly dir: string
  /** A folder for the rival's own files. */
  readonly scratch: string
  readonly port: number
  /** What everything of the rival runs on; who has workers has one a core. */
  readonly cores: readonly number[]
  /** Fields of uwas' 200, without validators, Date and framing: rivals send them too. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Requests come with `Connection: close`. */
  readonly closes: boolean
  /** Where it answers by TLS, too, in scenarios that are secure. */
  readonly secure?: SecurePlace
  /** The same, where a scenario of views has files, too. */
  readonly files?: string
  /** A database of the rival's own, for scenarios of views. */
  readonly database?: DatabasePlace
}

export interface SecurePlace {
  readonly port: number
  /** PEM, for localhost and 127.0.0.1. */
  readonly certFile: string
  readonly keyFile: string
}

export interface Rival {
  readonly name: string
  /** Settings of one server: the report marks the best of a family. */
  readonly family?: string
  /** Fields that it cannot be made to send as uwas does; a leading `+`: or cannot be made to leave out. */
  readonly cannotSet?: readonly string[]
  /** It is one process of one thread, which more cores do not make faster. */
  readonly isSingle?: true
  /** Why it cannot run here and how to get it, or undefined when it can. */
  missing(): string | undefined
  start(context: RivalContext): Promise<Running>
  /** Version, as the report names it. */
  version(): string
}

export interface Running {
  /** All processes that serve. */
  readonly pids: readonly number[]
  /** What started it, for the report. */
  readonly command: readonly string[]
  /** The text of its configuration file. */
  readonly configuration?: string
  stop(): Promise<void>
}

/** Children that `stopChild` ends. */
const stopping = new WeakSet<ChildProcess>()

/** A folder of many files takes its time to load. */
const START_MS = 120_000
/** Between two questions whether a server is there: how exact the time of its start is. */
export const ASK_MS = 5

/** Starts a command on these cores and waits until its port answers. */
export async function startPinned(
  cores: readonly number[],
  port: number,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<ChildProcess> {
  const child = spawn('taskset', ['-c', listOf(cores), ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors = (errors + chunk).slice(-2000)
  })
  child.once('exit', (code, signal) => {
    if (!stopping.has(child)) console.error(`${command[0]} ended (${code ?? signal}):\n${errors}`)
  })
  const until = Date.now() + START_MS
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`${command[0]} ended: ${errors}`)
    try {
      await fetch(`http://127.0.0.1:${port}/`, {
        redirect: 'manual',
        signal: AbortSignal.timeout(1000),
      })
      return child
    } catch {
      await sleep(ASK_MS)
    }
  }
  stopping.add(child)
  child.kill('SIGKILL')
  throw new Error(`${command[0]} does not answer on port ${port}: ${errors}`)
}

/** `startPinned` for a server of one process. */
export async function runPinned(
  context: RivalContext,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<Running> {
  const child = await startPinned(context.cores, context.port, command, env)
  return { pids: [child.pid as number], command, stop: () => stopChild(child) }
}

/** A server whose processes are the first one and its children. */
export function withChildren(running: Running): Running {
  return { ...running, pids: running.pids.flatMap((pid) => [pid, ...childrenOf(pid)]) }
}

/** Ends a process that `startPinned` started and waits for it. */
export async function stopChild(child: ChildProcess): Promise<void> {
  stopping.add(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(timer)
}
