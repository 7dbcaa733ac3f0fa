/**
 * `uwas serve`: serves a site, or the files of a folder, until a signal ends it: by a supervisor and its workers, or
 * in this process. Gets the command line's flags, leaves the exit code. Called by `cli.ts`. What serves is loaded
 * only where it serves: the supervisor stays small.
 */

import { resolve } from 'node:path'
import { loadNative } from '../native/load.ts'
import { inheritedSockets, refuseInherited } from '../supervisor/inherited-sockets.ts'
import { WORKER_VARIABLE } from '../supervisor/messages.ts'
import { ServiceManager } from '../supervisor/service-manager.ts'
import { supervise } from '../supervisor/supervise.ts'
import { refuseUser, type WorkerUser, workerUser } from '../supervisor/worker-user.ts'
import { createCommandLog, logTo, logToFileAlone } from './log.ts'
import { servingLine } from './serving-line.ts'
import type { FolderFlags } from './site.ts'
import { readVersion } from './version.ts'

export async function serveCommand(dir: string | undefined, flags: FolderFlags): Promise<number> {
  const supervisor = process.env[WORKER_VARIABLE]
  if (supervisor !== undefined && process.send !== undefined) {
    // It is for this process alone, not for what the site starts.
    delete process.env[WORKER_VARIABLE]
    logTo(flags, { echoes: false })
    const { serveAsWorker } = await import('./serve-worker.ts')
    return await serveAsWorker(dir, flags, supervisor)
  }
  const owner = flags.user === undefined ? undefined : workerUser(flags.user)
  logTo(flags, { echoes: true, owner })
  const log = createCommandLog()
  const manager = new ServiceManager(process.env, loadNative().ownProcess, log)
  const inherited = inheritedSockets(process.env)
  const exitCode =
    flags.workers === 0 ? null : await serveSupervised(flags, manager, inherited, owner)
  if (exitCode !== null) return exitCode
  refuseInherited(inherited, 'that needs workers')
  if (flags.user !== undefined) refuseUser(flags.user, 'that needs workers')
  const { serveHere } = await import('./serve-here.ts')
  return await serveHere(dir, flags, manager)
}

/** Null where the configuration wants no workers. */
function serveSupervised(
  { pidFile }: FolderFlags,
  manager: ServiceManager,
  inherited: readonly number[],
  user: WorkerUser | undefined,
): Promise<number | null> {
  const log = createCommandLog()
  return supervise({
    command: {
      file: process.execPath,
      args: [...process.execArgv, ...process.argv.slice(1)],
      version: readVersion(),
      user,
    },
    log,
    manager,
    inherited,
    pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    onServing: ({ settings: { name, isSite }, counts, addresses, workers }) => {
      log.info(servingLine({ name, isSite, counts, addresses, workers }))
      logToFileAlone()
    },
  })
}
