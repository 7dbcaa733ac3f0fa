/** A reload that a signal or a command has asked for, and what the log says of it. */
import { isCodedError, withCode } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ServiceManager } from './service-manager.ts'
import type { Supervisor } from './supervisor.ts'

/** Rejects, once the log has it, with an error whose message is all that its user needs. */
export async function reloadAndTell(
  supervisor: Supervisor,
  log: Log,
  manager: ServiceManager,
): Promise<void> {
  const from = performance.now()
  manager.reloading()
  try {
    await supervisor.reload()
  } catch (error) {
    if (isCodedError(error) && error.code === 'UWAS_ERR_SUPERVISOR_STOPPING') throw error
    const problem = wordsOf(error)
    log.error(`not reloaded, what served before goes on: ${problem}`)
    throw new Error(`what served before goes on: ${problem}`, { cause: error })
  } finally {
    if (!supervisor.isStopping) manager.ready()
  }
  log.info(`reloaded in ${Math.round(performance.now() - from)} ms`)
}

/** A worker's own words have a code already. */
function wordsOf(error: unknown): string {
  const { message } = error as Error
  const hasCode = !isCodedError(error) || error.code === 'UWAS_ERR_SUPERVISOR_WORKER'
  return hasCode ? message : withCode(error)
}
