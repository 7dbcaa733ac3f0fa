/**
 * What a supervisor tells systemd, or who speaks like it: sd_notify(3), and the watchdog of sd_watchdog_enabled(3). The
 * environment's NOTIFY_SOCKET comes in; without one nothing is told. Made by `uwas serve`.
 */
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { getSystemErrorMap } from 'node:util'
import type { Log } from '../core/log.ts'
import type { OwnProcess } from '../native/own-process.ts'

/** Between two tries to tell one that has not read yet what it was told before. */
const PAUSE_MS = 100
/** How long one that reads nothing is waited for when another process follows. */
const LEAVE_MS = 30_000
/** What it may take until one that reads has read. */
const READ_MS = 100
/** What a start is given from now on, again and again while it migrates or waits for PostgreSQL: systemd's own default. */
const EXTEND_MS = 90_000
const EXTEND_TIMES = 4
/** Told so often within the watchdog's time. */
const TIMES = 2

export class ServiceManager {
  readonly #path: string
  readonly #ownProcess: OwnProcess | null
  readonly #log: Log
  readonly #watchdogMs: number
  #timer: NodeJS.Timeout | undefined
  #hasWarned: boolean
  /** What is yet to be told, in its order. */
  readonly #waiting: string[]
  /** Called when nothing is. */
  #onTold: () => void

  /** Takes its variables out of `env`: they are for this process alone. */
  constructor(env: NodeJS.ProcessEnv, ownProcess: OwnProcess | null, log: Log) {
    const { NOTIFY_SOCKET: path, WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = env
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
    this.#path = path ?? ''
    this.#ownProcess = ownProcess
    this.#log = log
    this.#watchdogMs = pid === undefined || Number(pid) === process.pid ? Number(micros) / 1000 : 0
    this.#timer = undefined
    this.#waiting = []
    this.#onTold = () => {}
    this.#hasWarned = false
    if (path !== undefined && ownProcess === null) {
      log.warn('NOTIFY_SOCKET is set, but telling it needs Linux and the native addon')
    }
  }

  /** It serves; also after a reload, whatever came of it. */
  ready(): void {
    this.#tell('READY=1')
    if (!(this.#watchdogMs > 0)) return
    this.#timer ??= setInterval(() => this.#live(), this.#watchdogMs / TIMES)
    this.#timer.unref()
  }

  /** A start, or a reload, may take as long as `done` is pending, and what comes behind it some time more. */
  extendUntil(done: Promise<unknown>): void {
    const extend = () => this.#tell(`EXTEND_TIMEOUT_USEC=${EXTEND_MS * 1000}`)
    extend()
    const timer = setInterval(extend, EXTEND_MS / EXTEND_TIMES).unref()
    const end = () => {
      clearInterval(timer)
      extend()
    }
    done.then(end, end)
  }

  /** Until `ready` is told. */
  reloading(): void {
    const micros = process.hrtime.bigint() / 1000n
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${micros}`)
  }

  stopping(): void {
    this.#tell('STOPPING=1')
  }

  /** For a process that takes this one's place: it is the service manager's, and alive. */
  get environment(): Record<string, string> {
    return {
      ...(this.#path !== '' && { NOTIFY_SOCKET: this.#path }),
      ...(this.#watchdogMs > 0 && { WATCHDOG_USEC: String(Math.round(this.#watchdogMs * 1000)) }),
    }
  }

  /**
   * From now on the service is the process `pid`. Resolves when that is known, or cannot be told; signals that were meant
   * for the service have come by then.
   */
  async leaveTo(pid: number, withinMs = LEAVE_MS): Promise<void> {
    clearInterval(this.#timer)
    if (this.#path === '' || this.#ownProcess === null) return
    const isTold = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs)
      this.#onTold = () => {
        clearTimeout(timer)
        resolve(true)
      }
      // The other one's first word may be as late as half of the watchdog's time.
      this.#tell(`MAINPID=${pid}${this.#watchdogMs > 0 ? '\nWATCHDOG=1' : ''}`)
    })
    if (isTold) return await sleep(READ_MS)
    this.#log.warn(
      `NOTIFY_SOCKET ${this.#path} has not been read for ${withinMs} ms: the service manager does not know that pid ${pid} is the service now, and may end it with this process`,
    )
  }

  /** What waits tells it as well. */
  #live(): void {
    if (this.#waiting.length === 0) this.#tell('WATCHDOG=1')
  }

  #tell(state: string): void {
    if (this.#path === '' || this.#ownProcess === null) return
    this.#waiting.push(state)
    if (this.#waiting.length === 1) this.#tellWaiting(this.#ownProcess)
  }

  /** A start that is never told is one that has failed: what finds the socket full is told later. */
  #tellWaiting(ownProcess: OwnProcess): void {
    for (let state = this.#waiting[0]; state !== undefined; state = this.#waiting[0]) {
      const error = ownProcess.notify(this.#path, state)
      if (error === constants.errno.EAGAIN) {
        setTimeout(() => this.#tellWaiting(ownProcess), PAUSE_MS).unref()
        return
      }
      this.#waiting.shift()
      if (error !== 0) this.#warn(error)
    }
    this.#onTold()
  }

  #warn(error: number): void {
    // The watchdog tells it again and again.
    if (this.#hasWarned) return
    this.#hasWarned = true
    const [name = String(error)] = getSystemErrorMap().get(-error) ?? []
    this.#log.warn(`NOTIFY_SOCKET ${this.#path} cannot be told: ${name}`)
  }
}
