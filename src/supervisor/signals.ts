/** What signals do to a supervisor. Made by `supervise.ts`. */
import { constants } from 'node:os'
import type { Log } from '../core/log.ts'
import { hasTerminal, isUnderNohup } from './nohup.ts'
import { reloadAndTell } from './reload-and-tell.ts'
import type { ServiceManager } from './service-manager.ts'
import type { Supervisor } from './supervisor.ts'
import type { Upgrade } from './upgrade.ts'

const ENDS = ['SIGTERM', 'SIGINT'] as const

/** Before it serves, a signal to stop ends it at once; then the first one stops, and the second one ends. */
export class Signals {
  readonly #supervisor: Supervisor
  readonly #log: Log
  readonly #manager: ServiceManager
  readonly #upgrade: Upgrade
  readonly #hadTerminal: boolean
  readonly #isUnderNohup: boolean
  readonly #handlers: Map<NodeJS.Signals, () => void>
  #onEnd: ((signal: NodeJS.Signals) => void) | null
  /** A reload was asked for before it served: what starts may have read what was there before. */
  #owesReload: boolean
  /** Clients are answered, though the start is not over. */
  #isServing: boolean
  /** What has been asked for since then. */
  #owedEnd: NodeJS.Signals | null
  #isEnding: boolean

  constructor(supervisor: Supervisor, log: Log, manager: ServiceManager, upgrade: Upgrade) {
    this.#supervisor = supervisor
    this.#log = log
    this.#manager = manager
    this.#upgrade = upgrade
    this.#hadTerminal = hasTerminal()
    this.#isUnderNohup = isUnderNohup()
    this.#onEnd = null
    this.#owesReload = false
    this.#isServing = false
    this.#owedEnd = null
    this.#isEnding = false
    this.#handlers = new Map<NodeJS.Signals, () => void>([
      ...ENDS.map((signal) => [signal, () => this.#end(signal)] as const),
      ['SIGHUP', () => this.#hangUp()],
      // Without a handler it would open Node's debugger.
      ['SIGUSR1', () => this.#supervisor.crew.reopenLogs()],
      ['SIGUSR2', () => this.#followUp()],
    ])
    for (const [signal, handler] of this.#handlers) process.on(signal, handler)
  }

  /** Leaves signals to others. */
  leave(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
  }

  /** From now on an end is one with grace, as soon as `untilEnd` is called. */
  serve(): void {
    this.#isServing = true
  }

  /** Resolves to the exit code once a signal has ended all, or another process has taken all over. */
  untilEnd(): Promise<number> {
    return new Promise((resolve) => {
      this.#onEnd = (signal) => {
        this.#isEnding = true
        this.#onEnd = (second) => this.#exitNow(`second signal (${second})`)
        void this.#stop(signal).then(() => resolve(0))
      }
      this.#upgrade.onLeaving = (pid) => this.#leaveEnd(pid)
      void this.#upgrade.over.then(() => resolve(0))
      if (this.#owedEnd !== null) this.#onEnd(this.#owedEnd)
      else if (this.#owesReload) void this.#reload()
    })
  }

  /** A first signal has nothing to end any more: that is the other process's. */
  #leaveEnd(pid: number): void {
    if (this.#isEnding) return
    this.#onEnd = (signal) => {
      this.#log.info(
        `${signal}: another process (pid ${pid}) serves, and goes on; finishing what has begun`,
      )
      this.#onEnd = (second) => this.#exitNow(`second signal (${second})`)
    }
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    this.#supervisor.beginStop()
    // One that serves by now is told to stop, and this process is about to end anyway.
    if (await this.#upgrade.end()) {
      this.#log.info(`${signal}: stopping, and so does the process that has taken over`)
      return await this.#upgrade.over
    }
    this.#manager.stopping()
    await this.#supervisor.stop()
    this.#log.info(`${signal}: finishing what has begun, then stopping`)
    await this.#supervisor.ended()
  }

  #end(signal: NodeJS.Signals): void {
    if (this.#onEnd !== null) return this.#onEnd(signal)
    if (this.#isServing) {
      this.#owedEnd ??= signal
      return
    }
    this.#supervisor.kill()
    process.exit(128 + constants.signals[signal])
  }

  #exitNow(why: string): void {
    this.#log.warn(`${why}: exiting at once`)
    this.#upgrade.kill()
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

  /** Has the new binary take over. */
  #followUp(): void {
    if (this.#onEnd === null) return this.#log.warn('SIGUSR2: not upgraded: it does not serve yet')
    void this.#upgrade.run('SIGUSR2').catch(() => undefined)
  }

  async #reload(): Promise<void> {
    this.#log.info('SIGHUP: starting new workers')
    await reloadAndTell(this.#supervisor, this.#log, this.#manager).catch(() => undefined)
  }
}
