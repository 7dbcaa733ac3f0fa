/** Spawns the server and waits until it accepts connections. Called by `embedded.ts`. */
import { spawn } from 'node:child_process'
import { chownSync, closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import type { Binaries } from './embedded-binaries.ts'
import type { Layout } from './embedded-cluster.ts'
import { atExit } from './embedded-exit.ts'
import type { Identity } from './embedded-identity.ts'
import { FAST_SHUTDOWN, findServer, type RunningServer } from './embedded-processes.ts'
import { problemOf } from './failures.ts'

export interface Program {
  readonly binaries: Binaries
  readonly identity: Identity
  readonly fast: boolean
}

/** Recovery after a crash replays what was written since the last checkpoint: up to minutes. */
const READY_WITHIN_MS = 300_000

/** How often a start is repeated while orphans of a killed server still hold its memory. */
const ORPHAN_ATTEMPTS = 20

const DURABLE = ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on']
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/**
 * Returns the server when it is ready, `'taken'` when another process was first. It runs in a session
 * of its own: Ctrl-C in the terminal is for uwas, which ends PostgreSQL after its last request.
 * Rejects with UWAS_ERR_MODEL_EMBEDDED_START and the last lines of the server's log.
 */
export async function launch(
  layout: Layout,
  socketFolder: string,
  program: Program,
): Promise<RunningServer | 'taken'> {
  for (let attempt = 1; ; attempt++) {
    const logStart = openLog(layout, program.identity)
    const { ended, spare } = spawnServer(layout, socketFolder, program)
    const server = await waitUntilReady(layout, ended)
    if (typeof server !== 'string') {
      // From now on its owner ends it, who may be another process by then.
      spare()
      return server
    }
    const words = readFileSync(layout.log).subarray(logStart).toString('utf8')
    if (/lock file "[^"]*" already exists/.test(words)) return 'taken'
    if (!/shared memory block .* in use/.test(words) || attempt === ORPHAN_ATTEMPTS) {
      throw failed(layout, server, words)
    }
    await sleep(500)
  }
}

/** Makes the log, and returns its size. */
function openLog({ log }: Layout, identity: Identity): number {
  closeSync(openSync(log, 'a', 0o600))
  const { size, uid } = statSync(log)
  if (uid !== identity.uid) chownSync(log, identity.uid, identity.gid)
  return size
}

interface Spawned {
  /** Resolves when the process ended, with how. */
  readonly ended: Promise<string>
  /** Until then it is asked to end when this process exits. */
  readonly spare: () => void
}

function spawnServer(layout: Layout, socketFolder: string, program: Program): Spawned {
  const settings = [
    'listen_addresses=',
    'port=5432',
    `unix_socket_directories="${socketFolder.replaceAll('"', '""')}"`,
    'unix_socket_permissions=0700',
    'logging_collector=off',
    'log_destination=stderr',
    ...(program.fast ? FAST : DURABLE),
  ]
  const { file, args, options } = program.identity.wrap(program.binaries.postgres, [
    '-D',
    layout.data,
    ...settings.flatMap((setting) => ['-c', setting]),
  ])
  const log = openSync(layout.log, 'a')
  const child = spawn(file, args, {
    ...options,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  const spare = atExit(() => child.kill(FAST_SHUTDOWN))
  child.once('exit', spare)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(problemOf(error)))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`))
  })
  return { ended, spare }
}

async function waitUntilReady(
  layout: Layout,
  ended: Promise<string>,
): Promise<RunningServer | string> {
  let end: string | undefined
  void ended.then((how) => {
    end = how
  })
  const deadline = performance.now() + READY_WITHIN_MS
  while (performance.now() < deadline) {
    if (end !== undefined) return end
    const server = findServer(layout)
    if (server?.status === 'ready') return server
    await sleep(20)
  }
  return `it was not ready within ${READY_WITHIN_MS / 1000} s`
}

function failed(layout: Layout, how: string, words: string): Error {
  const last = words.trim().split('\n').slice(-6).join('\n  ')
  return createError('UWAS_ERR_MODEL_EMBEDDED_START', {
    folder: layout.folder,
    problem: `${how}; ${layout.log} says:\n  ${last}`,
  })
}
