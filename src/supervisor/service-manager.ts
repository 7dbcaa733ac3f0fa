/**
 * What a supervisor tells systemd, or who speaks like it: sd_notify(3), and the watchdog of sd_watchdog_enabled(3). The
 * environment's NOTIFY_SOCKET comes in; without one nothing is told. Made by `uwas serve`.
 */
import { getSystemErrorMap } from 'node:util'
import type { Log } from '../core/log.ts'
import type { OwnProcess } from '../native/own-process.ts'

/** Told so often within the watchdog's time. */
const TIMES = 2

export class ServiceManager {
  readonly #path: string
  readonly #ownProcess: OwnProcess | null
  readonly #log: Log
  readonly #watchdogMs: number
  #timer: NodeJS.Timeout | undefined

  /** Takes its variables out of `env`: they are for this process alone. */
  constructor(env: NodeJS.ProcessEnv, ownProcess: OwnProcess | null, log: Log) {
    const { NOTIFY_SOCKET: path, WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = env
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
    this.#path = path ?? ''
    this.#ownProcess = ownProcess
    this.#log = log
    this.#watchdogMs = pid === undefined || Number(pid) === process.pid ? Number(micros) / 1000 : 0
    this.#timer = undefined
    if (path !== undefined && ownProcess === null) {
      log.warn('NOTIFY_SOCKET is set, but telling it needs Linux and the native addon')
    }
  }

  /** It serves; also after a reload, whatever came of it. */
  ready(): void {
    this.#tell('READY=1')
    if (!(this.#watchdogMs > 0)) return
    this.#timer ??= setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs / TIMES)
    this.#timer.unref()
  }

  /** Until `ready` is told. */
  reloading(): void {
    const micros = process.hrtime.bigint() / 1000n
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${micros}`)
  }

  stopping(): void {
    this.#tell('STOPPING=1')
  }

  #tell(state: string): void {
    if (this.#path === '' || this.#ownProcess === null) return
    const error = this.#ownProcess.notify(this.#path, state)
    if (error === 0) return
    const [name = String(error)] = getSystemErrorMap().get(-error) ?? []
    this.#log.warn(`NOTIFY_SOCKET ${this.#path} cannot be told: ${name}`)
  }
}
