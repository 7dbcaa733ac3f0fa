/**
 * `uwas serve`: serves a site, or the files of a folder, until a signal ends it: by a supervisor and its workers, or
 * in this process. Gets the command line's flags, leaves the exit code. Called by `cli.ts`. What serves is loaded
 * only where it serves: the supervisor stays small.
 */

import { resolve } from 'node:path'
import { WORKER_VARIABLE } from '../supervisor/messages.ts'
import { supervise } from '../supervisor/supervise.ts'
import { createCommandLog } from './log.ts'
import { servingLine } from './serving-line.ts'
import type { FolderFlags } from './site.ts'
import { readVersion } from './version.ts'

export async function serveCommand(dir: string | undefined, flags: FolderFlags): Promise<number> {
  const supervisor = process.env[WORKER_VARIABLE]
  if (supervisor !== undefined && process.send !== undefined) {
    // It is for this process alone, not for what the site starts.
    delete process.env[WORKER_VARIABLE]
    const { serveAsWorker } = await import('./serve-worker.ts')
    return await serveAsWorker(dir, flags, supervisor)
  }
  const exitCode = flags.workers === 0 ? null : await serveSupervised(flags)
  if (exitCode !== null) return exitCode
  const { serveHere } = await import('./serve-here.ts')
  return await serveHere(dir, flags)
}

/** Null where the configuration wants no workers. */
function serveSupervised({ pidFile }: FolderFlags): Promise<number | null> {
  const log = createCommandLog()
  return supervise({
    command: {
      file: process.execPath,
      args: [...process.execArgv, ...process.argv.slice(1)],
      version: readVersion(),
    },
    log,
    pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    onServing: ({ settings: { name, isSite, host }, counts, port, workers }) =>
      log.info(servingLine({ name, isSite, counts, host, port, workers })),
  })
}
