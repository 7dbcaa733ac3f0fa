/** The log of a command: the process's own words, with the paths of a site's modules as people know them. */
import { createLog, type Log } from '../core/log.ts'
import { withoutLoadNumbers } from './site-url.ts'

/** Writes to standard error. */
export function createCommandLog(): Log {
  return createLog((line) => process.stderr.write(`${withoutLoadNumbers(line)}\n`))
}
