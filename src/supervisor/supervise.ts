/**
 * A supervised server from its start to its end: the signals, and what is said of it. Gets how workers are started;
 * leaves the exit code. Called by `uwas serve`.
 */
import { join } from 'node:path'
import { isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { EmbeddedPostgres } from '../model/embedded.ts'
import { embeddedDir } from '../model/embedded-processes.ts'
import { loadNative } from '../native/load.ts'
import { createSharedTables } from '../native/shared-tables.ts'
import { ConnectionRows } from './connection-rows.ts'
import type { Answer } from './control.ts'
import type { Handover } from './handover.ts'
import { refuseInherited } from './inherited-sockets.ts'
import { openSiteStatus } from './open-status.ts'
import { PID_FILE, readPidFile } from './pid-file.ts'
import type { Predecessor } from './predecessor.ts'
import { Registration } from './registration.ts'
import { reloadAndTell } from './reload-and-tell.ts'
import { ServerFacts } from './server-facts.ts'
import type { ServiceManager } from './service-manager.ts'
import { Signals } from './signals.ts'
import { type ServerStatus, workerStatuses } from './status.ts'
import { type Given, type Started, Supervisor } from './supervisor.ts'
import { Upgrade, type UpgradeOptions } from './upgrade.ts'
import type { WorkerCommand, WorkerProblem } from './worker-process.ts'
import { giveFolder, refuseUser } from './worker-user.ts'

export interface SuperviseOptions {
  readonly command: WorkerCommand
  readonly log: Log
  readonly manager: ServiceManager
  /** Listening sockets that a service manager has started the process with. */
  readonly inherited: readonly number[]
  /** Where the process was started to take over from another one. */
  readonly inheritance: { readonly predecessor: Predecessor; readonly handover: Handover } | null
  readonly upgrade: Pick<UpgradeOptions, 'command' | 'refusal'>
  /** File for the pid; default: `uwas.pid` in the folder of the site's state. */
  readonly pidFile: string | undefined
  /** Called when it is served. */
  readonly onServing: (started: Started) => void
}

const NO_EMBEDDED =
  'the embedded PostgreSQL answers nobody but who started uwas; name a database of theirs with DATABASE_URL or database.url'

/** Resolves to the exit code, or to null where the configuration wants no workers. */
export async function supervise(options: SuperviseOptions): Promise<number | null> {
  const { command, log, manager, inherited, inheritance, pidFile, onServing } = options
  const native = loadNative()
  if (native.gate === null) refuseInherited(inherited, 'that needs Linux and the native addon')
  let file = ''
  let started: Started | null = null
  const { sharedMemory } = native
  const sharedFd = sharedMemory === null ? undefined : createSharedTables(sharedMemory)
  const predecessor = inheritance?.predecessor ?? null
  const given = givenBy(inheritance?.handover ?? null, inherited)
  const supervisor: Supervisor = new Supervisor({
    command: { ...command, sharedFd },
    rows: new ConnectionRows(native.counting, sharedFd ?? null),
    gate: native.gate,
    log,
    given,
    predecessor,
    startPostgres: (stateDir) => startPostgres(given.postgresDir ?? embeddedDir(stateDir), options),
    onSettings: ({ stateDir }) => {
      if (command.user !== undefined) giveFolder(stateDir, command.user)
      file = pidFile ?? join(stateDir, PID_FILE)
      return { isPatient: readPidFile(file) === 'stale' }
    },
    onPreparing: (done) => manager.extendUntil(done),
    openStatus: (status, fd) =>
      openSiteStatus(status, () => supervisor.statusToken, facts, log, fd),
  })
  const status = (): ServerStatus => statusOf(supervisor, command.version, started)
  const facts = new ServerFacts(supervisor, command.version, status)
  const registration = new Registration((question) => answer(question), log)
  const register = (before: number | null = null): Promise<void> => registration.open(file, before)
  const upgrade = new Upgrade({
    ...options.upgrade,
    ...{ supervisor, log, manager, registration, register },
  })
  const signals = new Signals(supervisor, log, manager, upgrade)
  const answer: Answer = async (question) => {
    if (question === 'upgrade') return await upgrade.run('uwas upgrade')
    if (question === 'reload') await reloadAndTell(supervisor, log, manager)
    return status()
  }
  process.title = 'uwas: master'
  void predecessor?.agreed.then(() => signals.serve())
  try {
    started = await supervisor.start()
  } catch (error) {
    const problem = startProblem(error)
    log.error(problem.text)
    await predecessor?.fail(problem)
    return problem.exitCode
  }
  if (started === null) {
    signals.leave()
    return null
  }
  // From now on `uwas status` and its like find it.
  await register(inheritance?.handover.pid)
  onServing(started)
  await predecessor?.relieve(command.version, workerPids(supervisor))
  supervisor.dropUnused()
  manager.ready()
  return await signals.untilEnd()
}

function givenBy(handover: Handover | null, inherited: readonly number[]): Given {
  return {
    activated: handover?.activated ?? inherited,
    handed: handover?.sockets ?? [],
    status: handover?.status ?? null,
    postgresDir: handover?.postgresDir ?? null,
    ticketSeed: handover?.ticketSeed ?? null,
  }
}

async function startPostgres(
  dir: string,
  { log, inheritance, command: { user } }: SuperviseOptions,
): Promise<EmbeddedPostgres> {
  // Its folder would be the user's and its keeper root: no place for what root reads and writes.
  if (user !== undefined) refuseUser(user.name, NO_EMBEDDED)
  const { startEmbeddedPostgres } = await import('../model/embedded.ts')
  return await startEmbeddedPostgres({ dir, log, inherits: inheritance !== null })
}

/** What a worker that could not start has said in words of its own. Throws all else. */
function startProblem(error: unknown): WorkerProblem {
  if (!isCodedError(error) || error.code !== 'UWAS_ERR_SUPERVISOR_WORKER') throw error
  return (error.cause ?? { text: error.message, exitCode: 1 }) as WorkerProblem
}

function workerPids({ crew }: Supervisor): number[] {
  return crew.slots.flatMap(({ ready }) => ready?.pid ?? [])
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
