/**
 * Tells the user what went wrong, once and without noise. Gets anything that was thrown; leaves text
 * on standard error and the exit code. Called by `cli.ts` and `check.ts`.
 */
import { type CodedError, isCodedError, withCode } from '../core/errors.ts'
import { describeError, type Log } from '../core/log.ts'

/** 75, of sysexits.h, is for what may go well the next time. */
type ExitCode = 1 | 2 | typeof TEMPORARY
const TEMPORARY = 75

/** A failure in words, and the exit code that tells its kind. */
export interface Failure {
  readonly text: string
  readonly exitCode: ExitCode
}

/** 2 for mistakes that have a code: their message says what to do. 75 where PostgreSQL is away. 1 for everything else. */
export function reportFailure(error: unknown, log: Log, isVerbose: boolean): ExitCode {
  const { text, exitCode } = describeFailure(error, isVerbose)
  log.error(text)
  return exitCode
}

/** The same for somebody else to tell. */
export function describeFailure(error: unknown, isVerbose: boolean): Failure {
  if (!isCodedError(error)) {
    const text = `stopped by an error that uwas did not expect\n${describeError(error)}`
    return { text, exitCode: 1 }
  }
  const stack = isVerbose ? `\n${describeError(error)}` : ''
  return { text: withCode(error) + stack, exitCode: isAway(error) ? TEMPORARY : 2 }
}

function isAway({ code }: CodedError): boolean {
  return code === 'UWAS_ERR_MODEL_UNAVAILABLE'
}
