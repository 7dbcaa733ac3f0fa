/** `uwas serve` in a process that a supervisor has started: one of its workers. Called by `serve.ts`. */
import { createError } from '../core/errors.ts'
import { runWorker } from '../supervisor/worker.ts'
import { describeFailure } from './failure.ts'
import { createCommandLog } from './log.ts'
import { servedSite } from './served-site.ts'
import type { FolderFlags } from './site.ts'
import { showPath } from './site-place.ts'
import { readVersion } from './version.ts'

/** `running`: version of the supervisor. */
export function serveAsWorker(
  dir: string | undefined,
  flags: FolderFlags,
  running: string,
): Promise<never> {
  return runWorker({
    load() {
      const found = readVersion()
      if (found !== running) throw createError('UWAS_ERR_SUPERVISOR_VERSION', { found, running })
      return servedSite(dir, flags)
    },
    nameOf: ({ root }) => showPath(root),
    describe: (error) => describeFailure(error, flags.verbose ?? false),
    log: createCommandLog(),
  })
}
