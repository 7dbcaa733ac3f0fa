/**
 * One connection to PostgreSQL: tasks in, their answers out, in order. Made by `connector.ts`, used by the
 * lanes. It never reconnects: a lost one is thrown away and another made, so that no statement runs on a
 * session that has forgotten its transaction.
 */
import { isConnectionFailure, problemOf, unavailable } from './failures.ts'
import type { SlowLog } from './slow-log.ts'
import type { DatabaseTarget } from './url.ts'
import {
  Collected,
  Described,
  type Description,
  type Result,
  type Settling,
} from './wire/collect.ts'
import { login } from './wire/login.ts'
import { Session } from './wire/session.ts'
import type { Task } from './wire/task.ts'

export interface ConnectionOptions {
  readonly target: DatabaseTarget
  /** Milliseconds until a connection must be usable. */
  readonly connectTimeoutMs: number
  /** Milliseconds after which PostgreSQL cancels a statement; 0 = never. */
  readonly statementTimeoutMs: number
  /** Gets PostgreSQL's notices (`RAISE NOTICE`); by default nobody does. */
  readonly onNotice?: (message: string) => void
  readonly slow?: SlowLog | null
}

/** What a statement may take longer than its time-out before its connection counts as hung. */
const HUNG_AFTER_MS = 5000

export class Connection {
  readonly where: string
  /** Hears of statements that take long; null where nobody asked. */
  readonly slow: SlowLog | null
  /** `performance.now()` when the hung check last saw the connection get on. */
  #progressAt: number
  #seenAnswers: number
  #dead: Error | undefined
  /** Why we cut the connection ourselves. */
  #killed: string | undefined
  readonly #options: ConnectionOptions
  #session: Session | undefined
  readonly #onDead: () => void
  #closed: (() => void) | undefined

  constructor(options: ConnectionOptions, onDead: () => void = () => {}) {
    this.where = options.target.where
    this.slow = options.slow ?? null
    this.#progressAt = 0
    this.#seenAnswers = 0
    this.#dead = undefined
    this.#killed = undefined
    this.#options = options
    this.#session = undefined
    this.#onDead = onDead
    this.#closed = undefined
  }

  /** False from the moment on which the connection was lost or ended. */
  get alive(): boolean {
    return this.#dead === undefined
  }

  /** Statements sent and not answered. */
  get pending(): number {
    return this.#session?.pending ?? 0
  }

  /** Connects. Rejects with UWAS_ERR_MODEL_UNAVAILABLE; the connection is dead then. */
  async open(): Promise<void> {
    const { target, connectTimeoutMs, statementTimeoutMs, onNotice = noop } = this.#options
    try {
      const socket = await login({
        target,
        connectTimeoutMs,
        settings: {
          application_name: target.applicationName,
          // What `timestamp.ts` and `types.ts` read; a database may have other defaults.
          DateStyle: 'ISO',
          bytea_output: 'hex',
          statement_timeout: statementTimeoutMs,
        },
      })
      this.#session = new Session(socket, { onNotice, onEnd: (failure) => this.#lost(failure) })
    } catch (error) {
      this.#markDead(problemOf(error))
      throw unavailable(this.where, problemOf(error), error)
    }
    if (this.#dead !== undefined) {
      this.#session.destroy(this.#dead)
      throw this.#dead
    }
  }

  /** Runs a prepared statement; prepares it at its first run here. `args` are text forms. */
  start(task: Task, text: string, args: readonly (string | null)[]): void {
    if (this.#dead !== undefined || this.#session === undefined) return task.done(this.#refusal())
    try {
      this.#session.run(task, text, args)
    } catch (error) {
      task.done(error)
    }
  }

  /** As `start`, with all rows as texts. */
  run(text: string, args: readonly (string | null)[]): Promise<Result> {
    const task = new Collected()
    this.start(task, text, args)
    return this.#told(task.promise)
  }

  /** Runs one statement, or several in one implicit transaction, unprepared and without parameters. */
  simple(text: string): Promise<Result> {
    return this.simply(new Collected(), text)
  }

  /** As `simple`, with what becomes of the answer left to the task. */
  simply<T>(task: Settling<T>, text: string): Promise<T> {
    if (this.#dead !== undefined || this.#session === undefined) {
      return Promise.reject(this.#refusal())
    }
    this.#session.simple(task, text)
    return this.#told(task.promise)
  }

  /** Prepares a statement without running it; `run` finds it prepared. */
  describe(text: string, paramCount: number): Promise<Description> {
    if (this.#dead !== undefined || this.#session === undefined) {
      return Promise.reject(this.#refusal())
    }
    const task = new Described()
    this.#session.describe(task, text, paramCount)
    return this.#told(task.promise)
  }

  /** What a task of this connection failed with, as it is told: a connection that we cut says why. */
  tell(error: unknown): unknown {
    if (this.#killed === undefined || !isConnectionFailure(error)) return error
    return unavailable(this.where, this.#killed, error)
  }

  /** Ends the connection when it has not answered for longer than any statement may take. */
  checkHung(now: number): void {
    const { statementTimeoutMs } = this.#options
    const { answers = 0 } = this.#session ?? {}
    if (this.pending === 0 || answers !== this.#seenAnswers) {
      this.#seenAnswers = answers
      this.#progressAt = now
      return
    }
    const silentMs = now - this.#progressAt
    if (statementTimeoutMs > 0 && silentMs > statementTimeoutMs + HUNG_AFTER_MS) {
      this.kill(`no answer for ${Math.round(silentMs)} ms`)
    }
  }

  /** Cuts the connection at once; what is in flight rejects with UWAS_ERR_MODEL_UNAVAILABLE. */
  kill(problem: string): void {
    this.#killed ??= problem
    this.#markDead(problem)
    this.#session?.destroy(new Cut(problem))
  }

  /** Ends the connection after what is in flight, at most `timeoutMs` later. */
  async close(timeoutMs: number): Promise<void> {
    this.#markDead('the connection was closed')
    const session = this.#session
    if (session === undefined || session.isEnded) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(
        () => session.destroy(new Cut('the connection was closed')),
        timeoutMs,
      )
      this.#closed = () => {
        clearTimeout(timer)
        resolve()
      }
      session.end()
    })
  }

  #told<T>(promise: Promise<T>): Promise<T> {
    return promise.catch((error: unknown) => {
      throw this.tell(error)
    })
  }

  #refusal(): Error {
    return this.#dead ?? unavailable(this.where, 'the connection is not open')
  }

  #lost(failure: Error): void {
    this.#markDead(problemOf(failure))
    this.#closed?.()
  }

  #markDead(problem: string): void {
    if (this.#dead !== undefined) return
    this.#dead = unavailable(this.where, problem)
    this.#onDead()
  }
}

class Cut extends Error {
  readonly code = 'CONNECTION_DESTROYED'
}

function noop(): void {}
