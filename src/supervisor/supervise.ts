/**
 * A supervised server from its start to its end: the signals, and what is said of it. Gets how workers are started;
 * leaves the exit code. Called by `uwas serve`.
 */
import { constants } from 'node:os'
import { isCodedError, withCode } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { embeddedDir } from '../model/embedded-processes.ts'
import { loadNative } from '../native/load.ts'
import { hasTerminal, isUnderNohup } from './nohup.ts'
import { type Started, Supervisor } from './supervisor.ts'
import type { WorkerCommand, WorkerProblem } from './worker-process.ts'

export interface SuperviseOptions {
  readonly command: WorkerCommand
  readonly log: Log
  /** Called when it is served. */
  readonly onServing: (started: Started) => void
}

/** Resolves to the exit code, or to null where the configuration wants no workers. */
export async function supervise({
  command,
  log,
  onServing,
}: SuperviseOptions): Promise<number | null> {
  const native = loadNative()
  const supervisor = new Supervisor({
    command,
    gate: native.gate,
    log,
    startPostgres: async (stateDir) => {
      const dir = embeddedDir(stateDir)
      const { startEmbeddedPostgres } = await import('../model/embedded.ts')
      return startEmbeddedPostgres({ dir, log })
    },
    onSettings: () => ({ isPatient: false }),
  })
  const signals = new Signals(supervisor, log)
  process.title = 'uwas: master'
  let started: Started | null
  try {
    started = await supervisor.start()
  } catch (error) {
    return reportStart(error, log)
  }
  if (started === null) {
    signals.leave()
    return null
  }
  onServing(started)
  return await signals.untilEnd()
}

/** A worker that could not start has said it in words of its own. */
function reportStart(error: unknown, log: Log): number {
  if (!isCodedError(error) || error.code !== 'UWAS_ERR_SUPERVISOR_WORKER') throw error
  const { text, exitCode } = (error.cause ?? { text: error.message, exitCode: 1 }) as WorkerProblem
  log.error(text)
  return exitCode
}

/** A worker's own words have a code already. */
function wordsOf(error: unknown): string {
  const { message } = error as Error
  const hasCode = !isCodedError(error) || error.code === 'UWAS_ERR_SUPERVISOR_WORKER'
  return hasCode ? message : withCode(error)
}

const ENDS = ['SIGTERM', 'SIGINT'] as const

/** What signals do: before it serves they end it at once; then the first one stops, and the second one ends. */
class Signals {
  readonly #supervisor: Supervisor
  readonly #log: Log
  readonly #hadTerminal: boolean
  readonly #isUnderNohup: boolean
  readonly #handlers: Map<NodeJS.Signals, () => void>
  #onEnd: ((signal: NodeJS.Signals) => void) | null

  constructor(supervisor: Supervisor, log: Log) {
    this.#supervisor = supervisor
    this.#log = log
    this.#hadTerminal = hasTerminal()
    this.#isUnderNohup = isUnderNohup()
    this.#onEnd = null
    this.#handlers = new Map<NodeJS.Signals, () => void>([
      ...ENDS.map((signal) => [signal, () => this.#end(signal)] as const),
      ['SIGHUP', () => this.#hangUp()],
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
    })
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
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
    if (isClosed || this.#onEnd === null) this.#end('SIGHUP')
    else void this.#reload()
  }

  async #reload(): Promise<void> {
    const from = performance.now()
    this.#log.info('SIGHUP: starting new workers')
    try {
      await this.#supervisor.reload()
      this.#log.info(`reloaded in ${Math.round(performance.now() - from)} ms`)
    } catch (error) {
      this.#log.error(`not reloaded, what served before goes on: ${wordsOf(error)}`)
    }
  }
}
