/**
 * One connection to PostgreSQL: tasks in, their answers out, in order. Made by `connector.ts`, used by the
 * lanes. It never reconnects: a lost one is thrown away and another made, so that no statement runs on a
 * session that has forgotten its transaction.
 */
import { isConnectionFailure, problemOf, unavailable } from './failures.ts'
import { loginProblem } from './login-problem.ts'
import { canPrepare, type Profile, settingsOf } from './profile.ts'
import type { SlowLog } from './slow-log.ts'
import type { StatementTimes } from './statement-times.ts'
import { type DatabaseTarget, socketPath } from './url.ts'
import { type CancelKey, requestCancel } from './wire/cancel.ts'
import {
  Collected,
  Described,
  type Description,
  type Result,
  type Settling,
} from './wire/collect.ts'
import { type LoggedIn, login } from './wire/login.ts'
import { Session } from './wire/session.ts'
import type { Task } from './wire/task.ts'

export interface ConnectionOptions {
  readonly target: DatabaseTarget
  /** Milliseconds until a connection must be usable. */
  readonly connectTimeoutMs: number
  /** Milliseconds after which PostgreSQL cancels a statement; 0 = never. */
  readonly statementTimeoutMs: number
  readonly profile: Profile
  /** Gets what NOTIFY sends; by default nobody listens. */
  readonly onNotification?: (channel: string, payload: string) => void
  /** Gets PostgreSQL's notices (`RAISE NOTICE`); by default nobody does. */
  readonly onNotice?: (message: string) => void
  readonly slow?: SlowLog | null
  readonly times?: StatementTimes | null
}

/** What a statement may take longer than its time-out before its connection counts as hung. */
const HUNG_AFTER_MS = 5000
/** A request to cancel that is not taken by then is given up; the statement's time-out remains. */
const CANCEL_MS = 1000
/** An idle connection over a network is asked this often whether it is still one, and has so long to answer. */
const PING_EACH_MS = 30_000
const PING_MS = 5000

export class Connection {
  readonly where: string
  /** Hears of statements that take long; null where nobody asked. */
  readonly slow: SlowLog | null
  /** Hears how long each statement took; null where nobody asked. */
  readonly times: StatementTimes | null
  /** `performance.now()` when it was logged in. */
  openedAt: number
  /** `performance.now()` when it was last given back, or opened. */
  idleSince: number
  /** `performance.now()` from which on it is replaced. */
  endsAt: number
  /** What runs on it takes long: others had better go elsewhere. Found by `look`. */
  isStuck: boolean
  /** What runs on it may take any time: no silence is too long. */
  isLong: boolean
  /** It serves what it has begun and nothing more: too old, or its server takes no writes any more. */
  isRetired: boolean
  /** False where a pooler or proxy stands between. */
  isDirect: boolean
  /** Its server takes no writes. */
  isStandby: boolean
  /** False where each run of a statement prepares it anew. */
  keepsStatements: boolean
  /** `performance.now()` when the hung check last saw the connection get on. */
  #progressAt: number
  #seenAnswers: number
  /** What `look` saw last; -1 while nothing was in flight. */
  #lookedAtAnswers: number
  /** `performance.now()` when `look` began to wait for what was in flight then; 0 while nothing was. */
  #waitsSince: number
  /** The answers that this wait ends with. */
  #waitsFor: number
  /** How long the wait before it took, in milliseconds. */
  #waitedMs: number
  /** `performance.now()` of the last answer. */
  #heardAt: number
  #isPinged: boolean
  #key: CancelKey | undefined
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
    this.times = options.times ?? null
    this.openedAt = 0
    this.idleSince = 0
    this.endsAt = Infinity
    this.isStuck = false
    this.isLong = false
    this.isRetired = false
    this.isDirect = true
    this.isStandby = false
    this.keepsStatements = true
    this.#progressAt = 0
    this.#seenAnswers = 0
    this.#lookedAtAnswers = -1
    this.#waitsSince = 0
    this.#waitsFor = 0
    this.#waitedMs = 0
    this.#heardAt = 0
    this.#isPinged = false
    this.#key = undefined
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

  /** Whether it shall be replaced when it is free. */
  isOver(now: number): boolean {
    return this.isRetired || now > this.endsAt
  }

  /** Statements sent and not answered. */
  get pending(): number {
    return this.#session?.pending ?? 0
  }

  /** Connects. Rejects with UWAS_ERR_MODEL_UNAVAILABLE; the connection is dead then. */
  async open(): Promise<void> {
    const { target, connectTimeoutMs } = this.#options
    try {
      const settings = settingsOf(this.#options)
      this.#begin(await login({ target, connectTimeoutMs, settings }))
    } catch (error) {
      const problem = loginProblem(error)
      this.#markDead(problem)
      throw unavailable(this.where, problem, error)
    }
    if (this.#dead === undefined && this.#options.profile === 'pgbouncer') await this.#tryNames()
    if (this.#dead !== undefined) {
      this.#session?.destroy(this.#dead)
      throw this.#dead
    }
  }

  #begin({ socket, key, isDirect, isStandby }: LoggedIn): void {
    const { profile, onNotice = noop, onNotification = noop } = this.#options
    this.#session = new Session(socket, {
      onNotice,
      onNotification,
      isSerial: profile === 'pgbouncer',
      onEnd: (failure) => this.#lost(failure),
    })
    this.#key = key
    this.isDirect = isDirect
    this.isStandby = isStandby
    this.openedAt = performance.now()
    this.idleSince = this.openedAt
    this.#heardAt = this.openedAt
    this.#progressAt = this.openedAt
  }

  async #tryNames(): Promise<void> {
    try {
      this.keepsStatements = await canPrepare(this)
    } catch (error) {
      this.kill(problemOf(error))
      return
    }
    if (!this.keepsStatements) this.#session?.forgetNames()
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

  /** What runs next begins with these commands, in the same round trip: where one fails it does not run. */
  lead(commands: readonly string[]): void {
    this.#session?.lead(commands)
  }

  /** Forgets the commands of `lead`; false where they have been sent. */
  dropLead(): boolean {
    return this.#session?.dropLead() ?? true
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

  /**
   * Has PostgreSQL stop the statement that runs here. Only for who has the connection alone, and only where the
   * session is ours: through a pooler it may be another's by then. Resolves when nothing that is sent from then on
   * can be hit; false when nobody was there to ask, and the statement goes on, or it is not known whether the request
   * was taken: then the connection is retired.
   */
  async cancel(): Promise<boolean> {
    if (this.#key === undefined || !this.isDirect || this.#options.profile !== 'direct')
      return false
    const isTaken = await requestCancel(this.#options.target, this.#key, CANCEL_MS)
    // It may be taken later still, and would then hit who has the connection next.
    if (!isTaken) this.isRetired = true
    return isTaken
  }

  /** Called every few milliseconds while something is in flight: finds out whether the connection gets on. */
  look(): void {
    const { answers = 0 } = this.#session ?? {}
    const isIdle = this.pending === 0
    this.isStuck = !isIdle && answers === this.#lookedAtAnswers
    this.#lookedAtAnswers = isIdle ? -1 : answers
    this.#timeAnswers(answers, isIdle)
  }

  /** Times the last of what is in flight, and when that is answered the last of what is in flight by then. */
  #timeAnswers(answers: number, isIdle: boolean): void {
    const now = performance.now()
    if (isIdle) this.#waitedMs = 0
    else if (this.#waitsSince !== 0 && answers < this.#waitsFor) return
    else this.#waitedMs = this.#waitsSince === 0 ? 0 : now - this.#waitsSince
    this.#waitsSince = isIdle ? 0 : now
    this.#waitsFor = answers + this.pending
  }

  /**
   * Milliseconds that an answer takes here, from sent to there, as `look` has found: those of the one that is timed, or of
   * the one before where that took longer; 0 where nothing is in flight.
   */
  answerMs(now: number): number {
    if (this.#waitsSince === 0 || this.pending === 0) return 0
    return Math.max(this.#waitedMs, now - this.#waitsSince)
  }

  /** What a task of this connection failed with, as it is told: a connection that we cut says why. */
  tell(error: unknown): unknown {
    if (this.#killed === undefined || !isConnectionFailure(error)) return error
    return unavailable(this.where, this.#killed, error)
  }

  /** Ends the connection when it has not answered for longer than any statement may take. Asked each second. */
  checkHung(now: number): void {
    const { statementTimeoutMs } = this.#options
    const { answers = 0 } = this.#session ?? {}
    if (answers !== this.#seenAnswers) {
      this.#seenAnswers = answers
      this.#heardAt = now
      this.#progressAt = now
      this.#isPinged = false
      return
    }
    if (this.pending === 0) return this.#checkIdle(now)
    const isLimited = statementTimeoutMs > 0 && !this.isLong
    const usualMs = isLimited ? statementTimeoutMs + HUNG_AFTER_MS : Infinity
    const silentMs = now - this.#progressAt
    if (silentMs > (this.#isPinged ? PING_MS : usualMs)) {
      this.kill(`no answer for ${Math.round(silentMs)} ms`)
    }
  }

  /** A network may have forgotten the connection without a word. */
  #checkIdle(now: number): void {
    this.#progressAt = now
    const isLocal = socketPath(this.#options.target) !== undefined
    if (isLocal || now - this.#heardAt < PING_EACH_MS) return
    this.#isPinged = true
    this.simple('').catch(noop)
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
