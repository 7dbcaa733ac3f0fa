/**
 * The end of a process. Gets what has to be closed; leaves the exit code once a signal, or an error
 * that nothing caught, has ended the service. Called by the commands that open backends.
 */
import { constants } from 'node:os'
import type { Log } from '../core/log.ts'
import { isUnderNohup } from '../supervisor/nohup.ts'

/** Milliseconds for replies that have begun when a signal comes; after an uncaught error. */
const GRACE_MS = 10_000
const GRACE_AFTER_ERROR_MS = 2_000
/** What closing may take beyond that (the database's last connections, embedded PostgreSQL). */
const CLOSE_MS = 10_000

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

type Signal = (typeof SIGNALS)[number]

/** Stops accepting, lets replies end for `graceMs`, then closes everything that the command opened. */
export type Close = (graceMs: number) => Promise<void>

let onSignal: ((signal: Signal) => void) | undefined

/**
 * From now on until `untilEnd` a signal exits at once with 128 and its number. Called before backends
 * are opened: an exit, unlike the signal's own way of ending a process, stops an embedded PostgreSQL.
 */
export function exitOnSignals(): void {
  handleSignals((signal) => process.exit(128 + constants.signals[signal]))
}

/** How a signal ends a service. */
export interface Ending {
  /** Of replies that have begun, in milliseconds. Default 10,000. */
  readonly graceMs?: number
  /** From `leave` until it closes, in milliseconds. Default 0. */
  readonly delayMs?: number
  /** Tells load balancers to send no more. */
  readonly leave?: () => void
}

/**
 * Waits for the end. The first signal closes with grace: 0. A second one exits at once, as do replies
 * and connections that take longer than both time limits: 1. An exception or a rejected promise that
 * nobody handled is logged and closes too: 1, since the process may be in any state. While closing,
 * further ones are not even logged: the log itself may be what fails.
 */
export function untilEnd(close: Close, log: Log, ending: Ending = {}): Promise<number> {
  const { graceMs = GRACE_MS, delayMs = 0, leave } = ending
  return new Promise((resolve) => {
    let hasSignal = false
    let isClosing = false
    const end = (waitMs: number, code: number): void => {
      setTimeout(() => exitNow(log, 'closing took too long'), waitMs + CLOSE_MS).unref()
      close(waitMs).then(
        () => resolve(code),
        (error: unknown) => {
          log.error('closing failed', error)
          resolve(1)
        },
      )
    }
    handleSignals((signal) => {
      if (hasSignal || isClosing) exitNow(log, `second signal (${signal})`)
      hasSignal = true
      const stop = (): void => {
        if (isClosing) return
        isClosing = true
        // The line says that nothing more is accepted, so that comes first.
        end(graceMs, 0)
        log.info(`${signal}: finishing what has begun, then stopping`)
      }
      if (delayMs === 0) return stop()
      leave?.()
      log.info(`not ready any more, stopping in ${delayMs} ms`)
      setTimeout(stop, delayMs)
    })
    process.on('uncaughtException', (error, origin) => {
      if (isClosing) return
      isClosing = true
      const what = origin === 'unhandledRejection' ? 'a rejected promise' : 'an exception'
      log.error(`stopping: the site's code left ${what} unhandled`, error)
      end(Math.min(graceMs, GRACE_AFTER_ERROR_MS), 1)
    })
  })
}

/** SIGUSR2, whose default is the end, is answered by why there is no upgrade. */
export function refuseUpgrades(log: Log, why: string): void {
  process.on('SIGUSR2', () => log.warn(`SIGUSR2: not upgraded: ${why}`))
}

/** One handler at a time; the later takes the place of the earlier without a gap between them. */
function handleSignals(handler: (signal: Signal) => void): void {
  const isFirst = onSignal === undefined
  onSignal = handler
  if (!isFirst) return
  for (const signal of SIGNALS) {
    const ignored = signal === 'SIGHUP' && isUnderNohup()
    process.on(signal, ignored ? () => {} : () => onSignal?.(signal))
  }
}

function exitNow(log: Log, why: string): never {
  log.warn(`${why}: exiting at once`)
  process.exit(1)
}
