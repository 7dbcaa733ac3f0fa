/**
 * Tells the user what went wrong, once and without noise. Gets anything that was thrown; leaves text
 * on standard error and the exit code. Called by `cli.ts` and `check.ts`.
 */
import { type CodedError, isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

/** 2 for mistakes that have a code: their message says what to do. 1 for everything else. */
export function reportFailure(error: unknown, log: Log, isVerbose: boolean): 1 | 2 {
  if (!isCodedError(error)) {
    log.error('stopped by an error that uwas did not expect', error)
    return 1
  }
  log.error(withCode(error), isVerbose ? error : undefined)
  return 2
}

/** The message with its code at the end of the first line, before source excerpts and lists. */
export function withCode({ message, code }: CodedError): string {
  const end = message.indexOf('\n')
  return end === -1
    ? `${message} [${code}]`
    : `${message.slice(0, end)} [${code}]${message.slice(end)}`
}
