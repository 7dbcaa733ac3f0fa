/**
 * What a new configuration may change while a server runs: by a reload, by an upgrade. The settings of before and after
 * come in; called by `supervisor.ts`.
 */
import { realpathSync } from 'node:fs'
import { createError } from '../core/errors.ts'
import { embeddedDir } from '../model/embedded-processes.ts'
import type { SiteStatus } from '../was/status.ts'
import { changedAddresses } from './addresses.ts'
import type { Settings } from './messages.ts'
import { workerCount } from './worker-count.ts'

/** Throws UWAS_ERR_SUPERVISOR_UPGRADE for what cannot follow the server that runs. */
export function checkTakeOver(
  given: { readonly postgresDir: string | null },
  { isEmbedded, stateDir }: Settings,
  workers: number,
): void {
  const refuse = (problem: string) => createError('UWAS_ERR_SUPERVISOR_UPGRADE', { problem })
  if (workers === 0) throw refuse('the configuration wants no workers')
  const dir = embeddedDir(stateDir)
  if (!isEmbedded || given.postgresDir === null || resolved(dir) === given.postgresDir) return
  throw refuse(
    `the data of the embedded PostgreSQL are in ${given.postgresDir}, and would be in ${dir}; set stateDir to a folder that all releases have`,
  )
}

/** How many workers it wants. Throws UWAS_ERR_SUPERVISOR_RESTART for what a reload cannot change. */
export function checkReload(before: Settings, after: Settings): number {
  const workers = workerCount(after.workers)
  const changed = changedAddresses(before, after)
  if (before.stateDir !== after.stateDir) changed.push('stateDir')
  const keys = [
    ...changed,
    ...(workers === 0 ? ['workers'] : []),
    ...(addressOf(before.status) === addressOf(after.status) ? [] : ['status.listen']),
  ]
  if (keys.length === 0) return workers
  throw createError('UWAS_ERR_SUPERVISOR_RESTART', { keys: keys.join(', ') })
}

export function addressOf(status: Pick<SiteStatus, 'host' | 'port'> | null): string {
  return status === null ? '' : `${status.host} ${status.port}`
}

function resolved(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
