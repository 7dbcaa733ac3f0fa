/**
 * The log of a command: the process's own words, with the paths of a site's modules as people know them. On standard
 * error, or in a file, where `uwas serve` says so.
 */
import { appendFileSync, closeSync, constants, fchownSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { createError } from '../core/errors.ts'
import { createLog, type Log } from '../core/log.ts'
import { withoutLoadNumbers } from './site-url.ts'

export const LOG_LEVELS = ['info', 'warning', 'error'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** What the command line says of it. */
export interface LogFlags {
  /** Default: standard error. */
  readonly logFile?: string | undefined
  /** The least that is told. Default `info`. */
  readonly logLevel?: LogLevel | undefined
}

/** Who rotates the file needs to tell nobody; a pipe without a reader is an error, not a wait. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
const MODE = 0o640

/** Of this process. */
let file: string | null = null
let least: LogLevel = 'info'
/** Who starts a server sees what it says until it serves. */
let isEchoed = false
let isTold = false

/** How a server is told where to log. */
export interface LogStart {
  /** Whether standard error has all of it, too, until it serves. */
  readonly echoes: boolean
  /** Whose a file is that is made here. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
}

/** From now on all logs of this process do so. Throws UWAS_ERR_COMMANDS_LOG_FILE. */
export function logTo({ logFile, logLevel = 'info' }: LogFlags, { echoes, owner }: LogStart): void {
  least = logLevel
  if (logFile === undefined) return
  const path = resolve(logFile)
  try {
    if (owner !== undefined) make(path, owner)
    closeSync(openSync(path, FLAGS, MODE))
  } catch (error) {
    const { message } = error as Error
    throw createError('UWAS_ERR_COMMANDS_LOG_FILE', { file: logFile, problem: message }, error)
  }
  file = path
  isEchoed = echoes
}

/** It serves: from now on the file alone is written to. */
export function logToFileAlone(): void {
  isEchoed = false
}

export function createCommandLog(): Log {
  const { info, warn, error } = createLog((line) => write(withoutLoadNumbers(line)))
  const tells = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least)
  return {
    info: (message) => tells('info') && info(message),
    warn: (message) => tells('warning') && warn(message),
    error,
  }
}

/** Nothing where there is a file already: that one is somebody's. */
function make(path: string, { uid, gid }: NonNullable<LogStart['owner']>): void {
  try {
    const fd = openSync(path, FLAGS | constants.O_EXCL, MODE)
    fchownSync(fd, uid, gid)
    closeSync(fd)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function write(line: string): void {
  if (file === null || isEchoed) process.stderr.write(`${line}\n`)
  if (file === null) return
  try {
    // By its name each time: a file that has been renamed or removed is not written to any more.
    const at = `${new Date().toISOString()} [${process.pid}] `
    appendFileSync(file, `${at}${line}\n`, { flag: FLAGS as unknown as string, mode: MODE })
    isTold = false
  } catch (error) {
    const { message } = error as Error
    if (!isTold) process.stderr.write(`uwas: warning: ${file} cannot be written: ${message}\n`)
    isTold = true
    if (!isEchoed) process.stderr.write(`${line}\n`)
  }
}
