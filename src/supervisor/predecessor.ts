/**
 * The server that this process takes over from, as the new binary of an upgrade sees it. The environment and the ipc
 * channel come in; what has been handed over leaves. Made by `uwas serve`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Deferred } from '../core/deferred.ts'
import { createError } from '../core/errors.ts'
import {
  type FromSuccessor,
  type Handover,
  PROTOCOL,
  type ToSuccessor,
  UPGRADE_VARIABLE,
} from './handover.ts'
import type { WorkerProblem } from './worker-process.ts'

/** What the end of a process may take to be heard of. */
const MOMENT_MS = 1_000

export class Predecessor {
  readonly pid: number
  readonly #inherit: Deferred<Handover>
  readonly #taken: Deferred<void>
  readonly #agreed: Deferred<void>
  readonly #left: Deferred<void>
  readonly #gone: Deferred<void>

  /** Null where none has started this process. Takes its variable out of `env`. Rejects with UWAS_ERR_SUPERVISOR_UPGRADE. */
  static async find(
    env: NodeJS.ProcessEnv,
  ): Promise<{ predecessor: Predecessor; handover: Handover } | null> {
    const protocol = env[UPGRADE_VARIABLE]
    delete env[UPGRADE_VARIABLE]
    if (protocol === undefined || process.send === undefined) return null
    const predecessor = new Predecessor()
    if (protocol !== String(PROTOCOL)) {
      const problem = 'the versions are too far apart: stop the server and start it again'
      const error = createError('UWAS_ERR_SUPERVISOR_UPGRADE', { problem })
      await predecessor.fail({ text: error.message, exitCode: 2 })
      throw error
    }
    return { predecessor, handover: await predecessor.#inherit.promise }
  }

  private constructor() {
    this.pid = process.ppid
    this.#inherit = new Deferred()
    this.#taken = new Deferred()
    this.#agreed = new Deferred()
    this.#left = new Deferred()
    this.#gone = new Deferred()
    process.on('message', (message) => this.#hear(message as ToSuccessor))
    process.once('disconnect', () => this.#lose())
    // It may have gone before anybody listened; what it has said is heard first.
    if (!process.connected) setImmediate(() => this.#lose())
  }

  /** Resolves when this process can serve, and is to: it is told so, or the other one has ended. */
  get agreed(): Promise<void> {
    return this.#agreed.promise
  }

  /** Resolves when the other one has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Resolves to whether it has ended. */
  hasGone(): Promise<boolean> {
    return Promise.race([this.#gone.promise.then(() => true), sleep(MOMENT_MS, false)])
  }

  /** How long it may take to the next step, in milliseconds; 0: as long as it takes. */
  expectWithin(withinMs: number): void {
    void this.#tell({ type: 'expect', withinMs })
  }

  /** All that would serve is ready. Resolves when it is to. */
  async agree(): Promise<void> {
    void this.#tell({ type: 'ready' })
    await this.#taken.promise
    this.#agreed.resolve()
  }

  /** It serves. Resolves when the other one leaves, and the service manager knows who is left. */
  async relieve(version: string, workers: readonly number[]): Promise<void> {
    void this.#tell({ type: 'serving', version, workers })
    await this.#left.promise
  }

  /** Says why it cannot serve. Resolves when that is on its way. */
  async fail(problem: WorkerProblem): Promise<void> {
    await this.#tell({ type: 'failed', problem })
    if (process.connected) process.disconnect()
  }

  #hear(message: ToSuccessor): void {
    switch (message.type) {
      case 'inherit':
        return this.#inherit.resolve(message.handover)
      case 'take':
        return this.#taken.resolve()
      case 'left':
        return this.#left.resolve()
    }
  }

  #lose(): void {
    const problem = 'the server that has started this one has ended before it handed anything over'
    this.#inherit.reject(createError('UWAS_ERR_SUPERVISOR_UPGRADE', { problem }))
    this.#taken.resolve()
    this.#left.resolve()
    this.#gone.resolve()
  }

  #tell(message: FromSuccessor): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, {}, () => resolve())
      else resolve()
    })
  }
}
