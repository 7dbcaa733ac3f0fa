/** What signals do to a supervisor. Made by `supervise.ts`. */
import { constants } from 'node:os'
import type { Log } from '../core/log.ts'
import { hasTerminal, isUnderNohup } from './nohup.ts'
import { reloadAndTell } from './reload-and-tell.ts'
import type { ServiceManager } from './service-manager.ts'
import type { Supervisor } from './supervisor.ts'

const ENDS = ['SIGTERM', 'SIGINT'] as const

/** Before it serves, a signal to stop ends it at once; then the first one stops, and the second one ends. */
export class Signals {
  readonly #supervisor: Supervisor
  readonly #log: Log
  readonly #manager: ServiceManager
  readonly #hadTerminal: boolean
  readonly #isUnderNohup: boolean
  readonly #handlers: Map<NodeJS.Signals, () => void>
  #onEnd: ((signal: NodeJS.Signals) => void) | null
  /** A reload was asked for before it served: what starts may have read what was there before. */
  #owesReload: boolean

  constructor(supervisor: Supervisor, log: Log, manager: ServiceManager) {
    this.#supervisor = supervisor
    this.#log = log
    this.#manager = manager
    this.#hadTerminal = hasTerminal()
    this.#isUnderNohup = isUnderNohup()
    this.#onEnd = null
    this.#owesReload = false
    this.#handlers = new Map<NodeJS.Signals, () => void>([
      ...ENDS.map((signal) => [signal, () => this.#end(signal)] as const),
      ['SIGHUP', () => this.#hangUp()],
      // Without a handler it would open Node's debugger.
      ['SIGUSR1', () => this.#supervisor.crew.reopenLogs()],
    ])
    for (const [signal, handler] of this.#handlers) process.on(signal, handler)
  }

  /** Leaves signals to others. */
  leave(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
  }

  /** Resolves to the exit code once a signal has ended all. */
  untilEnd(): Promise<number> {
    return new Promise((resolve) => {
      this.#onEnd = (signal) => {
        this.#onEnd = (second) => this.#exitNow(`second signal (${second})`)
        void this.#stop(signal).then(() => resolve(0))
      }
      if (this.#owesReload) void this.#reload()
    })
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    this.#manager.stopping()
    await this.#supervisor.stop()
    this.#log.info(`${signal}: finishing what has begun, then stopping`)
    await this.#supervisor.ended()
  }

  #end(signal: NodeJS.Signals): void {
    if (this.#onEnd !== null) return this.#onEnd(signal)
    this.#supervisor.kill()
    process.exit(128 + constants.signals[signal])
  }

  #exitNow(why: string): void {
    this.#log.warn(`${why}: exiting at once`)
    this.#supervisor.kill()
    process.exit(1)
  }

  /** A terminal that is closed ends what was started in it; else the signal asks for a reload. */
  #hangUp(): void {
    const isClosed = this.#hadTerminal && !hasTerminal()
    if (isClosed && this.#isUnderNohup) return
    if (isClosed) this.#end('SIGHUP')
    else if (this.#onEnd === null) this.#owesReload = true
    else if (!this.#supervisor.isStopping) void this.#reload()
  }

  async #reload(): Promise<void> {
    this.#log.info('SIGHUP: starting new workers')
    await reloadAndTell(this.#supervisor, this.#log, this.#manager).catch(() => undefined)
  }
}
