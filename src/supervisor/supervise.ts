/**
 * A supervised server from its start to its end: the signals, and what is said of it. Gets how workers are started;
 * leaves the exit code. Called by `uwas serve`.
 */
import { join } from 'node:path'
import { isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { embeddedDir } from '../model/embedded-processes.ts'
import { loadNative } from '../native/load.ts'
import { createSharedTables } from '../native/shared-tables.ts'
import { ConnectionRows } from './connection-rows.ts'
import { openControl } from './control.ts'
import { refuseInherited } from './inherited-sockets.ts'
import { openSiteStatus } from './open-status.ts'
import { isTaken, PID_FILE, readPidFile, writePidFile } from './pid-file.ts'
import { reloadAndTell } from './reload-and-tell.ts'
import { ServerFacts } from './server-facts.ts'
import type { ServiceManager } from './service-manager.ts'
import { Signals } from './signals.ts'
import { type ServerStatus, workerStatuses } from './status.ts'
import { type Started, Supervisor } from './supervisor.ts'
import type { WorkerCommand, WorkerProblem } from './worker-process.ts'
import { giveFolder, refuseUser } from './worker-user.ts'

export interface SuperviseOptions {
  readonly command: WorkerCommand
  readonly log: Log
  readonly manager: ServiceManager
  /** Listening sockets that the process was started with. */
  readonly inherited: readonly number[]
  /** File for the pid; default: `uwas.pid` in the folder of the site's state. */
  readonly pidFile: string | undefined
  /** Called when it is served. */
  readonly onServing: (started: Started) => void
}

const NO_EMBEDDED =
  'the embedded PostgreSQL answers nobody but who started uwas; name a database of theirs with DATABASE_URL or database.url'

/** Resolves to the exit code, or to null where the configuration wants no workers. */
export async function supervise({
  command,
  log,
  manager,
  inherited,
  pidFile,
  onServing,
}: SuperviseOptions): Promise<number | null> {
  const native = loadNative()
  if (native.gate === null) refuseInherited(inherited, 'that needs Linux and the native addon')
  let file = ''
  let started: Started | null = null
  const { sharedMemory } = native
  const sharedFd = sharedMemory === null ? undefined : createSharedTables(sharedMemory)
  const supervisor: Supervisor = new Supervisor({
    command: { ...command, sharedFd },
    rows: new ConnectionRows(native.counting, sharedFd ?? null),
    gate: native.gate,
    log,
    inherited,
    startPostgres: async (stateDir) => {
      // Its folder would be the user's and its keeper root: no place for what root reads and writes.
      if (command.user !== undefined) refuseUser(command.user.name, NO_EMBEDDED)
      const dir = embeddedDir(stateDir)
      const { startEmbeddedPostgres } = await import('../model/embedded.ts')
      return startEmbeddedPostgres({ dir, log })
    },
    onSettings: ({ stateDir }) => {
      if (command.user !== undefined) giveFolder(stateDir, command.user)
      file = pidFile ?? join(stateDir, PID_FILE)
      return { isPatient: readPidFile(file) === 'stale' }
    },
    openStatus: (status) => openSiteStatus(status, () => supervisor.statusToken, facts, log),
  })
  const facts = new ServerFacts(supervisor, command.version, () =>
    statusOf(supervisor, command.version, started),
  )
  const signals = new Signals(supervisor, log, manager)
  process.title = 'uwas: master'
  try {
    started = await supervisor.start()
  } catch (error) {
    return reportStart(error, log)
  }
  if (started === null) {
    signals.leave()
    return null
  }
  await openToCommands(file, supervisor, { command, log, manager, started })
  onServing(started)
  manager.ready()
  return await signals.untilEnd()
}

/** A worker that could not start has said it in words of its own. */
function reportStart(error: unknown, log: Log): number {
  if (!isCodedError(error) || error.code !== 'UWAS_ERR_SUPERVISOR_WORKER') throw error
  const { text, exitCode } = (error.cause ?? { text: error.message, exitCode: 1 }) as WorkerProblem
  log.error(text)
  return exitCode
}

interface Told {
  readonly command: WorkerCommand
  readonly log: Log
  readonly manager: ServiceManager
  readonly started: Started
}

/** From now on `uwas status`, `reload` and `stop` find it. It serves without them, too. */
async function openToCommands(
  file: string,
  supervisor: Supervisor,
  { command, log, manager, started }: Told,
): Promise<void> {
  const status = (): ServerStatus => statusOf(supervisor, command.version, started)
  try {
    if (isTaken(file, log)) return
    const socket = await openControl(file, async (question) => {
      if (question === 'reload') await reloadAndTell(supervisor, log, manager)
      return status()
    })
    writePidFile(file, socket)
  } catch (error) {
    log.warn(`"uwas stop" and its like cannot find this server: ${(error as Error).message}`)
  }
}

function statusOf(supervisor: Supervisor, version: string, started: Started | null): ServerStatus {
  const addresses = started?.addresses ?? []
  return {
    pid: process.pid,
    version,
    name: started?.settings.name ?? '',
    port: addresses.find(({ isTls, path }) => !isTls && path === null)?.port ?? 0,
    tlsPort: addresses.find(({ isTls }) => isTls)?.port ?? null,
    addresses,
    seconds: Math.round(process.uptime()),
    reloads: supervisor.reloads,
    workers: workerStatuses(supervisor.crew),
  }
}
