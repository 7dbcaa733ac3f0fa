/**
 * `uwas serve` where nobody has started it as a worker: by a supervisor and its workers, or in this process. Gets the
 * command line's flags, leaves the exit code. Called by `serve.ts`. What serves is loaded only where it serves: the
 * supervisor stays small.
 */
import { resolve } from 'node:path'
import { loadNative } from '../native/load.ts'
import { inheritedSockets, refuseInherited } from '../supervisor/inherited-sockets.ts'
import { Predecessor } from '../supervisor/predecessor.ts'
import { ServiceManager } from '../supervisor/service-manager.ts'
import { readStart } from '../supervisor/start-command.ts'
import { type SuperviseOptions, supervise } from '../supervisor/supervise.ts'
import { processFacts, whyNoUpgrade } from '../supervisor/upgrade-refusal.ts'
import { refuseUser, type WorkerUser, workerUser } from '../supervisor/worker-user.ts'
import { describeFailure } from './failure.ts'
import { createCommandLog, logTo, logToFileAlone } from './log.ts'
import { servingLine } from './serving-line.ts'
import type { FolderFlags } from './site.ts'
import { readVersion } from './version.ts'

/** `ppid`: of the process at its start. */
export async function serveAnew(
  dir: string | undefined,
  flags: FolderFlags,
  ppid: number,
): Promise<number> {
  const inheritance = await Predecessor.find(process.env)
  try {
    return await serveBy(dir, flags, inheritance, ppid)
  } catch (error) {
    await inheritance?.predecessor.fail(describeFailure(error, false))
    throw error
  }
}

async function serveBy(
  dir: string | undefined,
  flags: FolderFlags,
  inheritance: SuperviseOptions['inheritance'],
  ppid: number,
): Promise<number> {
  const owner = flags.user === undefined ? undefined : workerUser(flags.user)
  logTo(flags, { echoes: true, owner })
  const log = createCommandLog()
  const { gate, ownProcess } = loadNative()
  const { pid, env } = process
  const [own, init] = [pid, 1].map(processFacts)
  const refusal = whyNoUpgrade({ pid, ppid, env, hasGate: gate !== null, own, init })
  const manager = new ServiceManager(process.env, ownProcess, log)
  const inherited = inheritedSockets(process.env)
  const exitCode =
    flags.workers === 0
      ? null
      : await serveSupervised(flags, { manager, inherited, inheritance, refusal, user: owner })
  if (exitCode !== null) return exitCode
  refuseInherited(inherited, 'that needs workers')
  if (flags.user !== undefined) refuseUser(flags.user, 'that needs workers')
  const { serveHere } = await import('./serve-here.ts')
  return await serveHere(dir, flags, manager)
}

interface Start extends Pick<SuperviseOptions, 'manager' | 'inherited' | 'inheritance'> {
  /** Why it cannot be upgraded; null: it can. */
  readonly refusal: string | null
  readonly user: WorkerUser | undefined
}

/** Null where the configuration wants no workers. */
function serveSupervised(
  { pidFile }: FolderFlags,
  { manager, inherited, inheritance, refusal, user }: Start,
): Promise<number | null> {
  const log = createCommandLog()
  const { execPath, execArgv, argv0, env } = process
  const args = process.argv.slice(1)
  return supervise({
    command: { file: execPath, args: [...execArgv, ...args], version: readVersion(), user },
    log,
    manager,
    inherited,
    inheritance,
    upgrade: {
      command: readStart({ execPath, execArgv, argv0, args, cwd: process.cwd(), env }),
      refusal,
    },
    pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    onServing: ({ settings: { name, isSite }, counts, addresses, workers }) => {
      log.info(servingLine({ name, isSite, counts, addresses, workers }))
      logToFileAlone()
    },
  })
}
