/**
 * An upgrade, as the server sees it that is followed: it starts the new binary with its sockets, has it serve once it can,
 * and leaves. Where that fails all stays as it is. Asked by a signal or a command; made by `supervise.ts`.
 */
import { Deferred } from '../core/deferred.ts'
import { isCodedError, withCode } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Registration } from './registration.ts'
import type { ServiceManager } from './service-manager.ts'
import type { StartCommand } from './start-command.ts'
import { type Served, Successor } from './successor.ts'
import type { Supervisor } from './supervisor.ts'

export interface UpgradeOptions {
  readonly supervisor: Supervisor
  readonly log: Log
  readonly manager: ServiceManager
  /** How the new binary is started. */
  readonly command: () => StartCommand
  /** Why there can be none; null: there can. */
  readonly refusal: string | null
  /** Is found again where the new one has ended in the very last moment. */
  readonly register: () => Promise<void>
  readonly registration: Registration
}

/** What has taken over. */
export interface Upgraded extends Served {
  readonly pid: number
  /** The process that it follows. */
  readonly before: number
}

export class Upgrade {
  readonly #options: UpgradeOptions
  readonly #over: Deferred<void>
  #successor: Successor | null
  /** Called when another process, `pid`, is in charge: who ends the service tells that one. */
  onLeaving: (pid: number) => void

  constructor(options: UpgradeOptions) {
    this.#options = options
    this.#over = new Deferred()
    this.#successor = null
    this.onLeaving = () => {}
  }

  /** Resolves when another process has taken over, and nothing is left to do here. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /**
   * Resolves when the new binary serves. Rejects, once the log has it, with an error whose message is all that its user
   * needs; `how` is who asks, for the log.
   */
  async run(how: string): Promise<Upgraded> {
    const { log, refusal, supervisor } = this.#options
    const from = performance.now()
    try {
      if (refusal !== null) throw new Error(refusal)
      const upgraded = await this.#run(how)
      const ms = Math.round(performance.now() - from)
      log.info(
        `upgraded in ${ms} ms: uwas ${upgraded.version} (pid ${upgraded.pid}) serves; finishing what has begun`,
      )
      void this.#leave()
      return upgraded
    } catch (error) {
      const problem = wordsOf(error)
      log.error(`not upgraded: ${problem}`)
      const isServing = !supervisor.isStopping && refusal === null
      throw new Error(isServing ? `what served before goes on: ${problem}` : problem, {
        cause: error,
      })
    }
  }

  /**
   * Has the new binary end, too: resolves to true where it serves by now, and so finishes what has begun; else to false,
   * once it has ended.
   */
  async end(): Promise<boolean> {
    const successor = this.#successor
    if (successor === null) return false
    successor.end('the server is stopping')
    if (!successor.isTaking) {
      await successor.ended
      return false
    }
    return await successor.serving.then(
      () => true,
      () => false,
    )
  }

  /** Has it end, for an exit at once; one that has taken over is left alone. */
  kill(): void {
    if (this.#successor?.isTaking === false) this.#successor.end('the server is stopping')
  }

  async #run(how: string): Promise<Upgraded> {
    const { supervisor, log, command, manager } = this.#options
    const handover = await supervisor.beginUpgrade()
    let isTaken = false
    try {
      const { file, args, cwd } = command()
      log.info(`${how}: starting ${[file, ...args].join(' ')} in ${cwd}`)
      const successor = new Successor({
        command: { file, args, cwd },
        handover,
        env: manager.environment,
        timeoutMs: supervisor.limits.startTimeoutMs,
      })
      this.#successor = successor
      await successor.ready
      isTaken = true
      successor.take()
      const served = await successor.serving
      return { ...served, pid: successor.pid, before: handover.pid }
    } catch (error) {
      this.#successor = null
      supervisor.endUpgrade()
      if (isTaken && !supervisor.isStopping) await this.#options.register()
      throw error
    }
  }

  async #leave(): Promise<void> {
    const { supervisor, manager, registration } = this.#options
    const successor = this.#successor as Successor
    await manager.leaveTo(successor.pid)
    this.onLeaving(successor.pid)
    successor.leave()
    registration.close()
    await supervisor.leave()
    await supervisor.ended()
    this.#over.resolve()
  }
}

function wordsOf(error: unknown): string {
  return isCodedError(error) ? withCode(error) : (error as Error).message
}
