/** The part of `uwas check` that asks the collector of traces: an export without spans. Called by `check.ts`. */
import { createError, withCode } from '../core/errors.ts'
import { Sender } from '../observe/tracing/sender.ts'
import type { SiteConfig } from '../was/config.ts'
import type { Findings } from './check-findings.ts'

const MOST_MS = 5000

/** What answers wrongly is a problem; what does not answer now is a warning, since it may be there when the site runs. */
export async function checkTracing({ tracing }: SiteConfig, findings: Findings): Promise<void> {
  if (tracing === null) return
  const timeoutMs = Math.min(MOST_MS, tracing.timeoutMs)
  const sender = new Sender({ ...tracing, timeoutMs })
  const outcome = await sender.send('{"resourceSpans":[]}')
  sender.close()
  if (outcome.isTaken) return void findings.proved.push('a collector of traces')
  const endpoint = sender.where
  const { problem } = outcome
  if (!outcome.mayRetry) {
    const error = createError('UWAS_ERR_COMMANDS_TRACING_ENDPOINT', { endpoint, problem })
    findings.problems.push(withCode(error))
  } else findings.warnings.push(`tracing.endpoint ${endpoint} takes no traces now: ${problem}`)
}
