/**
 * The lane of transactions and of statements that take long: connections that are lent out one by one. Waiting is
 * bounded in time and in number. Called by `database.ts` and `atomic.ts`.
 */
import { createError } from '../core/errors.ts'
import type { Connection } from './connection.ts'
import type { Connector } from './connector.ts'
import { busy, sqlStateOf } from './failures.ts'
import type { Leaks } from './leaks.ts'

export interface ExclusiveOptions {
  readonly size: number
  /** How long one waits for a connection. */
  readonly acquireTimeoutMs: number
  /** How many wait at most. */
  readonly maxWaiting: number
  /** Null in production. */
  readonly leaks: Leaks | null
}

/** What has happened so far. */
export interface WaitCounts {
  waited: number
  waitedMs: number
  refused: number
}

interface Waiter {
  /** Undefined: a place for a new connection is free. */
  readonly resolve: (connection: Connection | undefined) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
  /** `performance.now()` when the wait began. */
  readonly since: number
}

/** Unused for so long, all but one are given back to PostgreSQL. */
const IDLE_MS = 60_000
const CLOSE_MS = 5000
/** A server that has no place for a further connection is not asked for one for so long. */
const FULL_MS = 1000

export class ExclusiveLane {
  /** For metrics. */
  readonly counts: WaitCounts
  readonly #connector: Connector
  readonly #options: ExclusiveOptions
  readonly #all: Set<Connection>
  readonly #idle: Connection[]
  readonly #waiters: Set<Waiter>
  #opening: number
  /** Connections taken out of the budget for good. */
  #reserved: number
  /** Runs while the server, full as it was, is not asked for a further connection. */
  #quiet: NodeJS.Timeout | null
  #closed: boolean

  constructor(connector: Connector, options: ExclusiveOptions) {
    this.counts = { waited: 0, waitedMs: 0, refused: 0 }
    this.#connector = connector
    this.#options = options
    this.#all = new Set()
    this.#idle = []
    this.#waiters = new Set()
    this.#opening = 0
    this.#reserved = 0
    this.#quiet = null
    this.#closed = false
  }

  get connections(): Connection[] {
    return [...this.#all]
  }

  get inUse(): number {
    return this.#all.size - this.#idle.length
  }

  get waiting(): number {
    return this.#waiters.size
  }

  get size(): number {
    return this.#options.size - this.#reserved
  }

  /** Milliseconds for which the first in the queue has waited; 0 where nobody waits. */
  oldestWaitMs(now: number): number {
    for (const { since } of this.#waiters) return now - since
    return 0
  }

  /** Whether `acquire` would not have to wait. */
  get hasFree(): boolean {
    return this.#idle.length > 0 || this.#mayOpen
  }

  /**
   * Lends a connection; give it back with `release`. Rejects with UWAS_ERR_MODEL_BUSY when none
   * became free in time, with UWAS_ERR_MODEL_UNAVAILABLE when none can be opened, with
   * UWAS_ERR_MODEL_ABANDONED when `signal` fires while it waits.
   */
  async acquire(signal: AbortSignal | null = null): Promise<Connection> {
    const holder = this.#options.leaks?.begin() ?? null
    const connection = await this.#take(signal)
    if (holder !== null) this.#options.leaks?.took(connection, holder)
    return connection
  }

  /** Takes a connection back: to the next in the queue, else to the idle ones. */
  release(connection: Connection): void {
    this.#options.leaks?.gaveBack(connection)
    if (!connection.alive) return
    const now = performance.now()
    if (this.#closed || connection.isOver(now) || this.#all.size > this.size) {
      void connection.close(CLOSE_MS)
      return
    }
    connection.idleSince = now
    if (!this.#wake(connection)) this.#idle.push(connection)
  }

  /**
   * Takes one connection out of the budget, for somebody who keeps his for good; `free` gives it back. Rejects as
   * `acquire` does, and with UWAS_ERR_MODEL_LISTEN when none would be left.
   */
  async reserve(): Promise<void> {
    if (this.size < 2) {
      const problem = 'it takes one connection, and database.poolSize leaves no other; 3 is enough'
      throw createError('UWAS_ERR_MODEL_LISTEN', { what: 'listening', problem })
    }
    const held = await this.#take(null)
    this.#reserved++
    await held.close(CLOSE_MS)
  }

  free(): void {
    this.#reserved--
    this.#wakeToOpen()
  }

  /** Each second: ends connections that hang, that nobody needs, and whose time is over. */
  tick(now: number): void {
    for (const each of this.#all) each.checkHung(now)
    for (const each of [...this.#idle]) {
      const isSpare = now - each.idleSince > IDLE_MS && this.#all.size > 1
      if (each.alive && (isSpare || each.isOver(now))) void each.close(CLOSE_MS)
    }
    this.#options.leaks?.look(now)
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true
    if (this.#quiet !== null) clearTimeout(this.#quiet)
    const closed = busy('the database is being closed')
    for (const waiter of this.#waiters) this.#forget(waiter).reject(closed)
    await Promise.all(this.connections.map((each) => each.close(timeoutMs)))
    this.#options.leaks?.atEnd()
  }

  async #take(signal: AbortSignal | null): Promise<Connection> {
    const deadline = performance.now() + this.#options.acquireTimeoutMs
    for (;;) {
      if (signal?.aborted === true) {
        // It may have been woken for a place that it does not need any more.
        this.#wakeToOpen()
        throw createError('UWAS_ERR_MODEL_ABANDONED', {})
      }
      const idle = this.#idle.pop()
      if (idle !== undefined) return idle
      if (this.#closed) throw busy('the database is closed')
      if (this.#mayOpen) {
        const opened = await this.#open()
        if (opened !== undefined) return opened
        // One may have been given back meanwhile.
        continue
      }
      const given = await this.#wait(deadline - performance.now(), signal)
      if (given?.alive === true) return given
    }
  }

  /** A full server is asked nevertheless where there is nobody of this lane to be waited for. */
  get #mayOpen(): boolean {
    const count = this.#all.size + this.#opening
    return count < this.size && (this.#quiet === null || count === 0)
  }

  /** Undefined when PostgreSQL has no place for more, and others of this lane are there to be waited for. */
  async #open(): Promise<Connection | undefined> {
    this.#opening++
    let connection: Connection | undefined
    let isFull = false
    try {
      connection = await this.#connector.open(() => {
        if (connection !== undefined) this.#drop(connection)
      })
      if (connection.alive) this.#all.add(connection)
      return connection
    } catch (error) {
      isFull = sqlStateOf(error) === '53300' && this.#all.size > 0
      if (!isFull) throw error
      this.#beQuiet()
      return undefined
    } finally {
      this.#opening--
      // Also after a success: a server that was full may have room for more than one.
      if (!isFull) this.#wakeToOpen()
    }
  }

  #beQuiet(): void {
    this.#quiet ??= setTimeout(() => {
      this.#quiet = null
      this.#wakeToOpen()
    }, FULL_MS).unref()
  }

  #drop(connection: Connection): void {
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#wakeToOpen()
  }

  async #wait(timeoutMs: number, signal: AbortSignal | null): Promise<Connection | undefined> {
    const { maxWaiting } = this.#options
    if (this.#waiters.size >= maxWaiting) {
      this.counts.refused++
      throw busy(`${maxWaiting} are waiting for one already`)
    }
    const since = performance.now()
    let onAbort = () => {}
    try {
      return await new Promise<Connection | undefined>((resolve, reject) => {
        const timer = setTimeout(() => this.#forget(waiter).reject(this.#tooLate()), timeoutMs)
        const waiter: Waiter = { resolve, reject, timer, since }
        onAbort = () => this.#forget(waiter).reject(createError('UWAS_ERR_MODEL_ABANDONED', {}))
        signal?.addEventListener('abort', onAbort, { once: true })
        this.#waiters.add(waiter)
      })
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.counts.waited++
      this.counts.waitedMs += performance.now() - since
    }
  }

  #tooLate(): Error {
    this.counts.refused++
    const { acquireTimeoutMs, leaks } = this.#options
    const holders = leaks?.describe() ?? ''
    return busy(
      `all ${this.size} for transactions were in use for ${acquireTimeoutMs} ms${holders}`,
    )
  }

  #wakeToOpen(): void {
    if (this.#mayOpen) this.#wake(undefined)
  }

  /** Gives `connection`, or the place that became free, to who waits longest. */
  #wake(connection: Connection | undefined): boolean {
    for (const waiter of this.#waiters) {
      this.#forget(waiter).resolve(connection)
      return true
    }
    return false
  }

  #forget(waiter: Waiter): Waiter {
    this.#waiters.delete(waiter)
    clearTimeout(waiter.timer)
    return waiter
  }
}
