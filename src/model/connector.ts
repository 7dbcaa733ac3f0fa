/**
 * Opens connections that are ready to serve: connected, and with every declared statement prepared.
 * Called by the lanes. While PostgreSQL is away it fails fast instead of dialling for each request, and tells
 * the log once when it goes and once when it is back.
 */
import type { Log } from '../core/log.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { problemOf } from './failures.ts'

/** A statement to prepare on every new connection. */
export interface Preparable {
  readonly sql: string
  readonly paramCount: number
}

/** So long after a failed attempt the next ones fail with the same reason, without an attempt. */
const FAIL_FAST_MS = 100

export class Connector {
  readonly options: ConnectionOptions
  /** What new connections prepare; set by `warm`. */
  prepared: readonly Preparable[]
  readonly #log: Log
  /** 0 = connections may live for ever. */
  readonly #lifetimeMs: number
  #failure: unknown
  #failedAt: number
  /** Since when nothing could be opened; 0 = the last attempt was a success. */
  #awaySince: number
  #hasOpened: boolean
  readonly #told: Set<string>

  constructor(options: ConnectionOptions, lifetimeMs: number, log: Log) {
    this.options = options
    this.prepared = []
    this.#log = log
    this.#lifetimeMs = lifetimeMs
    this.#failure = undefined
    this.#failedAt = Number.NEGATIVE_INFINITY
    this.#awaySince = 0
    this.#hasOpened = false
    this.#told = new Set()
  }

  /** Rejects with UWAS_ERR_MODEL_UNAVAILABLE when there is no connection to be had. */
  async open(onDead: () => void): Promise<Connection> {
    if (this.#failure !== undefined && performance.now() - this.#failedAt < FAIL_FAST_MS) {
      throw this.#failure
    }
    const connection = new Connection(this.options, onDead)
    try {
      await connection.open()
    } catch (error) {
      this.#fail(error)
      throw error
    }
    this.#failure = undefined
    this.#tellOpened(connection)
    // Not all at the same time: those that were opened together would end together.
    const lifetimeMs = this.#lifetimeMs * (0.9 + 0.2 * Math.random())
    if (lifetimeMs > 0) connection.endsAt = connection.openedAt + lifetimeMs
    await prepareAll(connection, this.prepared)
    return connection
  }

  #fail(error: unknown): void {
    this.#failedAt = performance.now()
    this.#failure = error
    if (this.#awaySince > 0 || !this.#hasOpened) return
    this.#awaySince = this.#failedAt
    this.#log.warn(problemOf(error))
  }

  #tellOpened({ where, isDirect, isStandby, keepsStatements }: Connection): void {
    if (this.#awaySince > 0) {
      const seconds = ((performance.now() - this.#awaySince) / 1000).toFixed(1)
      this.#log.info(`PostgreSQL at ${where} is available again, after ${seconds} s`)
    }
    this.#awaySince = 0
    this.#hasOpened = true
    const isPooled = this.options.profile === 'pgbouncer'
    this.#tell(
      !isPooled && !isDirect,
      `PostgreSQL at ${where} answers through a pooler or proxy: if that gives one session to many, as PgBouncer in transaction mode does, set database.profile to "pgbouncer"`,
    )
    this.#tell(
      isPooled && isDirect,
      `database.profile is "pgbouncer", but none stands before PostgreSQL at ${where}: "direct" is faster`,
    )
    this.#tell(
      isPooled && !isDirect && !keepsStatements,
      `the pooler at ${where} keeps no prepared statements, so each run prepares its own; PgBouncer does from 1.21 on, with max_prepared_statements above 0`,
    )
    this.#tell(
      isStandby,
      `PostgreSQL at ${where} is a standby: statements that write fail with 503`,
    )
  }

  /** Once, until it is so no longer. */
  #tell(isSo: boolean, message: string): void {
    if (!isSo) this.#told.delete(message)
    else if (!this.#told.has(message)) {
      this.#told.add(message)
      this.#log.warn(message)
    }
  }
}

/** A statement that cannot be prepared says so itself when it is run; here it hinders no other. */
export async function prepareAll(
  connection: Connection,
  statements: readonly Preparable[],
): Promise<void> {
  if (!connection.keepsStatements) return
  // All behind each other, in one round trip.
  const all = statements.map(({ sql, paramCount }) => connection.describe(sql, paramCount))
  await Promise.allSettled(all)
}
