/**
 * The site's database: a pipelined lane for single statements, an exclusive one for transactions.
 * Made at start by `app.ts`, reached by requests through the `DATABASE` service.
 */

import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ServiceKey } from '../core/services.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { Connector } from './connector.ts'
import { refuseOutside } from './escape.ts'
import { ExclusiveLane, PipelinedLane } from './lanes.ts'
import type { Pinned } from './pinned.ts'
import type { Query } from './query.ts'
import { Repeats } from './repeats.ts'
import { SlowLog } from './slow-log.ts'
import { parseDatabaseUrl } from './url.ts'

export interface DatabaseOptions {
  /** As `parseDatabaseUrl` reads it; the embedded server gives its own. */
  readonly url: string
  /** Connections in all, at least 2; default 10. Up to two of them are the pipelined lane. */
  readonly poolSize?: number
  /** How long a transaction waits for a connection before UWAS_ERR_MODEL_BUSY; default 5000. */
  readonly acquireTimeoutMs?: number
  /** How long connecting may take before UWAS_ERR_MODEL_UNAVAILABLE; default 5000. */
  readonly connectTimeoutMs?: number
  /** After it PostgreSQL cancels a statement: UWAS_ERR_MODEL_TIMEOUT; 0 = never; default 30,000. */
  readonly statementTimeoutMs?: number
  /** A statement that takes longer is logged with its plan; 0 = none; default 0. */
  readonly slowStatementMs?: number
  /** Refuse the same read again and again for one request: development and tests. Default false. */
  readonly refusesRepeats?: boolean
  readonly log: Log
}

/** The site's Database in `req.services`. */
export const DATABASE: ServiceKey<Database> = {
  name: 'database',
  hint: 'set `database` in the configuration, or DATABASE_URL',
}

/** How often hung connections are looked for. */
const WATCH_MS = 1000

/** From this pool size on two connections are pipelined, so that a slow statement blocks but half. */
const TWO_LANES_FROM = 4

/** Made by `createDatabase`; statements run on it outside of any request or transaction. */
export class Database {
  /** Where the data is, for people; without the password. */
  readonly where: string
  readonly log: Log
  /** Statements on the database itself are in no request's trace. */
  readonly trace: null
  /** What has happened so far, for metrics: runs of `atomic` again after a conflict. */
  readonly stats: { retries: number }
  /** For tests: the one transaction that everything runs in; null everywhere else. */
  pinned: Pinned | null
  /** For `statement.ts`; null where repeated reads are nobody's business. */
  readonly repeats: Repeats | null
  /** For `model/` itself. */
  readonly connector: Connector
  readonly pipelined: PipelinedLane
  readonly exclusive: ExclusiveLane
  readonly #options: ConnectionOptions
  readonly #watch: NodeJS.Timeout

  constructor(
    connection: ConnectionOptions,
    poolSize: number,
    acquireTimeoutMs: number,
    repeats: Repeats | null,
    log: Log,
    slowStatementMs = 0,
  ) {
    const pipelined = poolSize >= TWO_LANES_FROM ? 2 : 1
    this.where = connection.target.where
    this.log = log
    this.trace = null
    this.stats = { retries: 0 }
    this.pinned = null
    this.repeats = repeats
    const explain = (sql: string) => this.#explain(sql)
    const slow = slowStatementMs === 0 ? null : new SlowLog(slowStatementMs, log, explain)
    this.connector = new Connector({ ...connection, slow })
    this.pipelined = new PipelinedLane(this.connector, pipelined)
    this.exclusive = new ExclusiveLane(this.connector, poolSize - pipelined, acquireTimeoutMs)
    this.#options = connection
    this.#watch = setInterval(() => this.#killHung(), WATCH_MS).unref()
  }

  /**
   * For `statement.ts`: starts a query on the pipelined lane. It may fail with UWAS_ERR_MODEL_UNAVAILABLE,
   * _BUSY, _TIMEOUT, _CONFLICT, _QUERY, _COMMIT_UNKNOWN; inside of an `atomic` with _ESCAPED.
   */
  submit(query: Query): void {
    try {
      refuseOutside(this, query.what)
    } catch (error) {
      return query.fail(error)
    }
    this.submitOutside(query)
  }

  /** For `outside.ts`: as `submit`, whatever transaction is open around. */
  submitOutside(query: Query): void {
    if (this.pinned !== null) return this.pinned.submit(query)
    try {
      const connection = this.pipelined.pick()
      if (connection !== undefined) return query.startOn(connection)
    } catch (error) {
      return query.fail(error)
    }
    this.pipelined.openAny().then(
      (connection) => query.startOn(connection),
      (error: unknown) => query.fail(error),
    )
  }

  /**
   * For `migrate.ts` and the commands: a connection outside the pool, without a statement time-out.
   * The caller closes it. Rejects with UWAS_ERR_MODEL_UNAVAILABLE.
   */
  async openSeparate(onNotice: (message: string) => void = () => {}): Promise<Connection> {
    const connection = new Connection({ ...this.#options, statementTimeoutMs: 0, onNotice })
    await connection.open()
    return connection
  }

  /** Ends all connections after what is in flight, at most `timeoutMs` (default 5000) later. */
  async close(timeoutMs = 5000): Promise<void> {
    clearInterval(this.#watch)
    await Promise.all([this.pipelined.close(timeoutMs), this.exclusive.close(timeoutMs)])
  }

  /** The plan for any values: those of one run may be secrets. */
  async #explain(sql: string): Promise<string[]> {
    const connection = await this.openSeparate()
    try {
      await connection.simple('set statement_timeout = 5000')
      const { rows } = await connection.simple(`explain (generic_plan) ${sql}`)
      return rows.map(([line]) => line ?? '')
    } finally {
      await connection.close(1000)
    }
  }

  #killHung(): void {
    const now = performance.now()
    for (const each of this.pipelined.connections) each.checkHung(now)
    for (const each of this.exclusive.connections) each.checkHung(now)
  }
}

/**
 * Makes the Database; nothing connects before the first statement or `warm`. Throws
 * UWAS_ERR_MODEL_URL, UWAS_ERR_CORE_INVALID_OPTION.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const {
    url,
    poolSize = 10,
    acquireTimeoutMs = 5000,
    connectTimeoutMs = 5000,
    statementTimeoutMs = 30_000,
    refusesRepeats = false,
    slowStatementMs = 0,
    log,
  } = options
  checkWhole('poolSize', poolSize, 2, 10_000)
  checkWhole('acquireTimeoutMs', acquireTimeoutMs, 1, 3_600_000)
  checkWhole('connectTimeoutMs', connectTimeoutMs, 1, 3_600_000)
  checkWhole('statementTimeoutMs', statementTimeoutMs, 0, 86_400_000)
  checkWhole('slowStatementMs', slowStatementMs, 0, 3_600_000)
  const target = parseDatabaseUrl(url)
  const connection = { target, connectTimeoutMs, statementTimeoutMs }
  const repeats = refusesRepeats ? new Repeats() : null
  return new Database(connection, poolSize, acquireTimeoutMs, repeats, log, slowStatementMs)
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
    where: 'database',
    problem: `${name} is ${value}; it must be a whole number from ${min} to ${max}`,
  })
}
