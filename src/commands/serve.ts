/**
 * `uwas serve`: serves a site, or the files of a folder, until a signal ends it. Gets the command line's flags, leaves
 * the exit code. Called by `cli.ts`. A worker loads nothing of what starts and keeps workers.
 */
import { WORKER_VARIABLE } from '../supervisor/messages.ts'
import { logTo } from './log.ts'
import type { FolderFlags } from './site.ts'

export async function serveCommand(dir: string | undefined, flags: FolderFlags): Promise<number> {
  const { ppid } = process
  const supervisor = process.env[WORKER_VARIABLE]
  if (supervisor === undefined || process.send === undefined) {
    const { serveAnew } = await import('./serve-anew.ts')
    return await serveAnew(dir, flags, ppid)
  }
  // It is for this process alone, not for what the site starts.
  delete process.env[WORKER_VARIABLE]
  logTo(flags, { echoes: false })
  const { serveAsWorker } = await import('./serve-worker.ts')
  return await serveAsWorker(dir, flags, supervisor)
}
