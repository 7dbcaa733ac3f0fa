/**
 * The process's own words: start, warnings, failures. One line each on standard error, so that a
 * command's output stays clean. Requests are logged elsewhere (`observe/`).
 */
import { inspect } from 'node:util'

/** Where the process's own words go. */
export interface Log {
  info(message: string): void
  warn(message: string): void
  /** `error`'s stack is printed after the message, causes included. */
  error(message: string, error?: unknown): void
}

/** Writes `message` with a level mark; errors with their stack and chain of causes. */
export function createLog(write: (line: string) => void = writeToStderr): Log {
  return {
    info: (message) => write(`uwas: ${message}`),
    warn: (message) => write(`uwas: warning: ${message}`),
    error: (message, error) =>
      write(`uwas: error: ${message}${error === undefined ? '' : `\n${describeError(error)}`}`),
  }
}

/** How many errors of one chain, or of one AggregateError, are described; the rest is only mentioned. */
const MOST_ERRORS = 16

/**
 * Stack of an error, of all its causes and of what an AggregateError collects, or the printed value of
 * anything else. Total: it never throws and it ends, whatever a site's code has thrown.
 */
export function describeError(error: unknown): string {
  return describe(error, new Set())
}

function describe(value: unknown, seen: Set<unknown>): string {
  if (!attempt(() => value instanceof Error, false)) return printed(value)
  if (seen.has(value)) return 'an error that is described above'
  if (seen.size >= MOST_ERRORS) return 'more errors, which are left out'
  seen.add(value)
  const error = value as Error & { readonly errors?: unknown }
  const parts = [ownWords(error)]
  for (const one of attempt(() => collected(error.errors), [])) {
    parts.push(`  one of them ${describe(one, seen)}`)
    if (seen.size >= MOST_ERRORS) break
  }
  const cause = attempt(() => error.cause, undefined)
  if (cause !== undefined) parts.push(`  caused by ${describe(cause, seen)}`)
  return parts.join('\n')
}

function ownWords(error: Error): string {
  const stack = attempt<unknown>(() => error.stack, undefined)
  if (typeof stack === 'string' && stack !== '') return stack
  return attempt(() => `${error.name}: ${error.message}`, 'an error that cannot be printed')
}

function collected(errors: unknown): readonly unknown[] {
  return Array.isArray(errors) ? errors.slice(0, MOST_ERRORS) : []
}

function printed(value: unknown): string {
  const text = attempt(() => String(value), undefined)
  return text ?? attempt(() => inspect(value), 'a value that cannot be printed')
}

/** Getters and proxies of a site's errors may throw themselves. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

function writeToStderr(line: string): void {
  process.stderr.write(`${line}\n`)
}
