/**
 * `uwas stop`, `uwas reload`, `uwas upgrade` and `uwas status`: what they ask of a server that runs on this machine. Get the command
 * line, leave the exit code. Called by `cli.ts`.
 */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError, isCodedError } from '../core/errors.ts'
import { isStill } from '../core/process-id.ts'
import { askServer } from '../supervisor/control.ts'
import { findServer, PID_FILE } from '../supervisor/pid-file.ts'
import type { ServerStatus } from '../supervisor/status.ts'
import type { Upgraded } from '../supervisor/upgrade.ts'
import { nameOf } from '../was/address.ts'
import { reportFailure } from './failure.ts'
import { printJson } from './json.ts'
import { createCommandLog } from './log.ts'
import type { SiteFlags } from './site.ts'
import { cacheDir, findConfig } from './site-place.ts'
import { formatTable } from './table.ts'

export interface RunningFlags extends SiteFlags {
  readonly json?: boolean
}

/** Between two looks at whether it has ended. */
const LOOK_MS = 50

/** Returns when it has ended: replies that have begun are finished first. */
export async function stopCommand(dir: string | undefined, flags: RunningFlags): Promise<number> {
  const server = findServer(await pidFileOf(dir, flags))
  endServer(server.pid)
  while (isStill(server)) await sleep(LOOK_MS)
  process.stdout.write(`stopped (pid ${server.pid})\n`)
  return 0
}

function endServer(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    const problem = code === 'EPERM' ? `it (pid ${pid}) is of another user` : message
    throw createError('UWAS_ERR_SUPERVISOR_REFUSED', { question: 'stop', problem }, error)
  }
}

/** Returns when new workers serve. */
export async function reloadCommand(dir: string | undefined, flags: RunningFlags): Promise<number> {
  const server = findServer(await pidFileOf(dir, flags))
  const { workers } = (await askServer(server, 'reload')) as ServerStatus
  process.stdout.write(`reloaded: workers ${workers.map(({ pid }) => pid).join(', ')}\n`)
  return 0
}

/** Returns when a new binary serves. Exit code 1 where it does not, and what served before goes on. */
export async function upgradeCommand(
  dir: string | undefined,
  flags: RunningFlags,
): Promise<number> {
  const server = findServer(await pidFileOf(dir, flags))
  try {
    const upgraded = (await askServer(server, 'upgrade')) as Upgraded
    const { before, pid, version, workers } = upgraded
    process.stdout.write(
      `upgraded: pid ${before} to ${pid} (uwas ${version}), workers ${workers.join(', ')}\n`,
    )
    return 0
  } catch (error) {
    if (!isCodedError(error) || error.code !== 'UWAS_ERR_SUPERVISOR_REFUSED') throw error
    reportFailure(error, createCommandLog(), flags.verbose ?? false)
    return 1
  }
}

export async function statusCommand(dir: string | undefined, flags: RunningFlags): Promise<number> {
  const server = findServer(await pidFileOf(dir, flags))
  const status = (await askServer(server, 'status')) as ServerStatus
  if (flags.json === true) printJson(status)
  else process.stdout.write(`${describe(status)}\n`)
  return 0
}

function describe(status: ServerStatus): string {
  const { pid, version, name, addresses, seconds, reloads, workers } = status
  const where = addresses.map((one) => nameOf(one) + (one.isTls ? ' by TLS' : '')).join(', ')
  const first = `uwas ${version} serves ${name} on ${where} (pid ${pid}, for ${seconds} s, ${reloads} reloads)`
  const rows = workers.map((one) => [
    String(one.worker),
    one.pid === 0 ? '' : String(one.pid),
    one.state,
    String(one.requests),
    `${(one.memoryBytes / 1024 / 1024).toFixed(1)} MiB`,
    `${one.seconds} s`,
    String(one.crashes),
  ])
  const head = ['WORKER', 'PID', 'STATE', 'REQUESTS', 'MEMORY', 'AGE', 'CRASHES']
  return `${first}\n${formatTable(head, rows)}`
}

/** A site that does not load can be stopped all the same, where its state is in the usual folder. */
async function pidFileOf(dir: string | undefined, flags: RunningFlags): Promise<string> {
  if (flags.pidFile !== undefined) return resolve(flags.pidFile)
  if (dir !== undefined) return join(cacheDir(resolve(dir)), PID_FILE)
  const usual = join(dirname(findConfig(flags.config)), '.uwas', PID_FILE)
  if (existsSync(usual)) return usual
  const { loadSite } = await import('./site.ts')
  return join((await loadSite(flags)).stateDir, PID_FILE)
}
