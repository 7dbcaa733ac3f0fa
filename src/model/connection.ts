/**
 * One connection to PostgreSQL: text and text parameters in, rows of text out, in order. Made by
 * `connector.ts`, used by the lanes. It never reconnects: a lost one is thrown away and another made,
 * so that no statement runs on a session that has forgotten its transaction.
 */
import { connect, type Socket } from 'node:net'
import postgres from 'postgres'
import { isConnectionFailure, problemOf, unavailable } from './failures.ts'
import { type DatabaseTarget, socketPath } from './url.ts'

export interface ConnectionOptions {
  readonly target: DatabaseTarget
  /** Milliseconds until a connection must be usable. */
  readonly connectTimeoutMs: number
  /** Milliseconds after which PostgreSQL cancels a statement; 0 = never. */
  readonly statementTimeoutMs: number
  /** Gets PostgreSQL's notices (`RAISE NOTICE`); by default nobody does. */
  readonly onNotice?: (message: string) => void
}

/** Cells in the order of `columns`; null is SQL NULL. */
export type TextRow = readonly (string | null)[]

export interface Column {
  readonly name: string
  /** pg_type.oid */
  readonly type: number
}

export interface Result {
  readonly rows: readonly TextRow[]
  /** The same array for every run of one prepared statement on one connection. */
  readonly columns: readonly Column[]
  /** Rows that the statement returned or changed. */
  readonly count: number
  /** The command tag's first word: `COMMIT`. */
  readonly command: string
}

export interface Description {
  /** pg_type.oid of `$1`, `$2`, … */
  readonly params: readonly number[]
  readonly columns: readonly Column[]
}

interface DriverResult extends Array<TextRow> {
  columns: Column[] | null
  count: number | null
  command: string | null
}

type Driver = postgres.Sql<Record<string, never>>

/** With `simple: false` a text without parameters is prepared too. */
const PREPARED = { prepare: true, simple: false } as postgres.UnsafeQueryOptions

/** Every type that postgres.js would convert by itself; `types.ts` does that, from and to text. */
const CONVERTED_BY_DRIVER = [16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1082, 1114, 1184, 3802]

/** What a statement may take longer than its time-out before its connection counts as hung. */
const HUNG_AFTER_MS = 5000

const NO_COLUMNS: readonly Column[] = []

export class Connection {
  readonly where: string
  /** Statements sent and not answered. */
  pending: number
  /** `performance.now()` of the last answer, or of the first statement after idleness. */
  #progressAt: number
  #dead: Error | undefined
  /** Why we cut the connection ourselves. */
  #killed: string | undefined
  readonly #options: ConnectionOptions
  readonly #sql: Driver
  #socket: Socket | undefined
  readonly #onDead: () => void

  constructor(options: ConnectionOptions, onDead: () => void = () => {}) {
    this.where = options.target.where
    this.pending = 0
    this.#progressAt = 0
    this.#dead = undefined
    this.#killed = undefined
    this.#options = options
    this.#onDead = onDead
    this.#sql = this.#createDriver()
    this.#socket = undefined
  }

  /** False from the moment on which the connection was lost or ended. */
  get alive(): boolean {
    return this.#dead === undefined
  }

  /** Connects. Rejects with UWAS_ERR_MODEL_UNAVAILABLE; the connection is dead then. */
  async open(): Promise<void> {
    try {
      await this.simple('select 1')
    } catch (error) {
      await this.close(0)
      throw unavailable(this.where, problemOf(error), error)
    }
  }

  /** Runs a prepared statement; prepares it at its first run here. `args` are text forms. */
  run(text: string, args: (string | null)[]): Promise<Result> {
    return this.#track(this.#sql.unsafe(text, args, PREPARED).values()).then(toResult)
  }

  /** Runs one statement, or several in one implicit transaction, unprepared and without parameters. */
  simple(text: string): Promise<Result> {
    return this.#track(this.#sql.unsafe(text).values()).then(toResult)
  }

  /** Prepares a statement without running it; `run` with as many `args` finds it prepared. */
  async describe(text: string, paramCount: number): Promise<Description> {
    const args = new Array<null>(paramCount).fill(null)
    const described = await this.#track(this.#sql.unsafe(text, args, PREPARED).describe())
    return { params: described.types, columns: described.columns as unknown as Column[] }
  }

  /** Ends the connection when it has not answered for longer than any statement may take. */
  checkHung(now: number): void {
    const { statementTimeoutMs } = this.#options
    if (this.pending === 0 || statementTimeoutMs === 0) return
    const silentMs = now - this.#progressAt
    if (silentMs > statementTimeoutMs + HUNG_AFTER_MS) {
      this.kill(`no answer for ${Math.round(silentMs)} ms`)
    }
  }

  /** Cuts the connection at once; what is in flight rejects with UWAS_ERR_MODEL_UNAVAILABLE. */
  kill(problem: string): void {
    this.#killed ??= problem
    this.#markDead(problem)
    this.#socket?.destroy()
    this.#sql.end({ timeout: 0 }).catch(noop)
  }

  /** Ends the connection after what is in flight, at most `timeoutMs` later. */
  async close(timeoutMs: number): Promise<void> {
    this.#markDead('the connection was closed')
    await this.#sql.end({ timeout: timeoutMs / 1000 }).catch(noop)
    this.#socket?.destroy()
  }

  #createDriver(): Driver {
    const { target, connectTimeoutMs, statementTimeoutMs, onNotice } = this.#options
    const raw = { to: 25, from: CONVERTED_BY_DRIVER, serialize: same, parse: same }
    const options = {
      host: target.host,
      port: target.port,
      ...withPath(socketPath(target)),
      user: target.user,
      pass: target.password,
      database: target.database,
      ssl: target.ssl,
      max: 1,
      // Past it the driver stops sending until everything in flight is answered.
      max_pipeline: 10_000,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: connectTimeoutMs / 1000,
      types: { raw },
      onnotice: (notice: { message?: string }) => onNotice?.(notice.message ?? ''),
      onclose: () => this.#lost(),
      socket: () => this.#dial(),
      connection: {
        application_name: target.applicationName,
        // What `timestamp.ts` and `types.ts` read; a database may have other defaults.
        DateStyle: 'ISO',
        bytea_output: 'hex',
        statement_timeout: statementTimeoutMs,
      },
    }
    return postgres(
      options as unknown as postgres.Options<Record<string, never>>,
    ) as unknown as Driver
  }

  /**
   * The driver's own reconnect is not used: after a FATAL error it fails the next connection's first
   * query with the old error, and its queue waits through every back-off. So a second dial is refused.
   */
  #dial(): Promise<Socket> {
    if (this.#dead !== undefined || this.#socket !== undefined) {
      return Promise.reject(new ConnectionSpent('the connection was lost'))
    }
    const { target, connectTimeoutMs } = this.#options
    const path = socketPath(target)
    const socket = path === undefined ? connect(target.port, target.host) : connect(path)
    this.#socket = Object.assign(socket, { host: target.host })
    socket.setNoDelay(true)
    return new Promise((resolve, reject) => {
      const giveUp = () => socket.destroy(new ConnectTimeout(connectTimeoutMs))
      const timer = setTimeout(giveUp, connectTimeoutMs)
      socket.once('error', reject)
      socket.once('close', () => clearTimeout(timer))
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.off('error', reject)
        resolve(socket)
      })
    })
  }

  #track<T>(query: Promise<T>): Promise<T> {
    if (this.#dead !== undefined) {
      return Promise.reject(this.#dead)
    }
    if (this.pending++ === 0) this.#progressAt = performance.now()
    return query.then(
      (result) => {
        this.#answered()
        return result
      },
      (error: unknown) => {
        this.#answered()
        if (this.#killed === undefined || !isConnectionFailure(error)) throw error
        throw unavailable(this.where, this.#killed, error)
      },
    )
  }

  #answered(): void {
    this.pending--
    this.#progressAt = performance.now()
  }

  /** What the driver has queued and not sent would wait for a reconnect that never comes. */
  #lost(): void {
    this.#markDead('the connection was lost')
    this.#sql.end({ timeout: 0 }).catch(noop)
  }

  #markDead(problem: string): void {
    if (this.#dead !== undefined) return
    this.#dead = unavailable(this.where, problem)
    this.#onDead()
  }
}

class ConnectionSpent extends Error {
  readonly code = 'CONNECTION_DESTROYED'
}

class ConnectTimeout extends Error {
  readonly code = 'CONNECT_TIMEOUT'

  constructor(timeoutMs: number) {
    super(`no connection within ${timeoutMs} ms`)
  }
}

function toResult(result: unknown): Result {
  const { columns, count, command } = result as DriverResult
  return {
    rows: result as DriverResult,
    columns: columns ?? NO_COLUMNS,
    count: count ?? 0,
    command: command ?? '',
  }
}

function withPath(path: string | undefined): { path?: string } {
  return path === undefined ? {} : { path }
}

function same(value: string): string {
  return value
}

function noop(): void {}
