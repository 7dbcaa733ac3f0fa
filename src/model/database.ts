/**
 * The site's database: a pipelined lane for single statements, an exclusive one for transactions.
 * Made at start by `app.ts`, reached by requests through the `DATABASE` service.
 */

import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ServiceKey } from '../core/services.ts'
import { cancelOnAbort } from './abandon.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { Connector } from './connector.ts'
import { refuseOutside } from './escape.ts'
import { ExclusiveLane, type ExclusiveOptions } from './exclusive-lane.ts'
import { busy } from './failures.ts'
import { Leaks } from './leaks.ts'
import { listen, type NotificationOptions } from './listen.ts'
import type { Listener } from './listener.ts'
import type { Pinned } from './pinned.ts'
import { PipelinedLane } from './pipelined-lane.ts'
import { PROFILES, type Profile } from './profile.ts'
import type { Query } from './query.ts'
import { Repeats } from './repeats.ts'
import { needsSession } from './session-need.ts'
import { SlowLog } from './slow-log.ts'
import type { StatementTimes } from './statement-times.ts'
import { parseDatabaseUrl, siblingTarget } from './url.ts'

export interface DatabaseOptions {
  /** As `parseDatabaseUrl` reads it; the embedded server gives its own. */
  readonly url: string
  /** The way around a pooler, for migrations and `listen`; default `url`. */
  readonly directUrl?: string
  /** What stands behind `url`; default `direct`. */
  readonly profile?: Profile
  /** Connections in all, at least 2; default 10. Up to two of them (half, behind a pooler) are for single statements. */
  readonly poolSize?: number
  /** How long one waits for a connection of its own before UWAS_ERR_MODEL_BUSY; default 5000. */
  readonly acquireTimeoutMs?: number
  /** How many wait at most; the next is UWAS_ERR_MODEL_BUSY at once. Default 1000. */
  readonly maxWaiting?: number
  /** How long connecting may take before UWAS_ERR_MODEL_UNAVAILABLE; default 5000. */
  readonly connectTimeoutMs?: number
  /** After it PostgreSQL cancels a statement: UWAS_ERR_MODEL_TIMEOUT; 0 = never; default 30,000. */
  readonly statementTimeoutMs?: number
  /** A statement that takes longer is logged, its plan there and in its request's trace; 0 = none; default 0. */
  readonly slowStatementMs?: number
  /** Hears how long each statement took; default nobody. */
  readonly times?: StatementTimes | null
  /** So old a connection is replaced, a tenth more or less; 0 = never; default 1800. */
  readonly maxConnectionSeconds?: number
  /** Refuse the same read again and again for one request: development and tests. Default false. */
  readonly refusesRepeats?: boolean
  /** Tell the log who has had a connection for so long: development and tests. Default 0 = never. */
  readonly leakAfterMs?: number
  readonly log: Log
}

/** How the pool is and what it has seen: for metrics. */
export interface DatabaseStats {
  /** Connections that are open. */
  readonly open: number
  /** Connections that one transaction or long statement has to itself. */
  readonly inUse: number
  /** Single statements that are sent and not answered. */
  readonly inFlight: number
  /** Who wait for a connection now, have waited, and how long all of them together. */
  readonly waiting: number
  readonly waited: number
  readonly waitedMs: number
  /** Who waited in vain. */
  readonly refused: number
  /** Statements that PostgreSQL was asked to stop, since nobody waited for them any more. */
  readonly cancelled: number
  /** Runs of `atomic` again after a conflict. */
  readonly retries: number
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

interface DatabaseParts {
  readonly connection: ConnectionOptions
  readonly direct: ConnectionOptions
  readonly lifetimeMs: number
  readonly pipelined: number
  readonly exclusive: ExclusiveOptions
  readonly repeats: Repeats | null
  readonly slowStatementMs: number
  readonly times: StatementTimes | null
  readonly log: Log
}

/** Made by `createDatabase`; statements run on it outside of any request or transaction. */
export class Database {
  /** Where the data is, for people; without the password. */
  readonly where: string
  readonly log: Log
  /** Statements on the database itself are in no request's trace. */
  readonly trace: null
  /** For `model/` itself: what `stats` tells. */
  readonly counts: { retries: number; cancelled: number }
  /** For tests: the one transaction that everything runs in; null everywhere else. */
  pinned: Pinned | null
  /** For `statement.ts`; null where repeated reads are nobody's business. */
  readonly repeats: Repeats | null
  /** For `model/` itself. */
  readonly connector: Connector
  readonly pipelined: PipelinedLane
  readonly exclusive: ExclusiveLane
  /** For `listen.ts`; null while nobody has listened. */
  listener: Listener | null
  /** Whether it is closed, or about to be. */
  isClosed: boolean
  readonly #parts: DatabaseParts
  readonly #watch: NodeJS.Timeout

  constructor(parts: DatabaseParts) {
    const { connection, log } = parts
    this.where = connection.target.where
    this.log = log
    this.trace = null
    this.counts = { retries: 0, cancelled: 0 }
    this.pinned = null
    this.repeats = parts.repeats
    const explain = (sql: string) => this.#explain(sql)
    const slow =
      parts.slowStatementMs === 0 ? null : new SlowLog(parts.slowStatementMs, log, explain)
    const { times } = parts
    this.connector = new Connector({ ...connection, slow, times }, parts.lifetimeMs, log)
    this.pipelined = new PipelinedLane(this.connector, parts.pipelined)
    this.exclusive = new ExclusiveLane(this.connector, parts.exclusive)
    this.#parts = parts
    this.isClosed = false
    this.#watch = setInterval(() => this.#tick(), WATCH_MS).unref()
    this.listener = null
  }

  get stats(): DatabaseStats {
    const { pipelined, exclusive, listener, counts } = this
    const shared = pipelined.connections
    return {
      open: shared.length + exclusive.connections.length + (listener?.isConnected ? 1 : 0),
      inUse: exclusive.inUse,
      inFlight: shared.reduce((sum, { pending }) => sum + pending, 0),
      waiting: exclusive.waiting,
      ...exclusive.counts,
      ...counts,
    }
  }

  /** Connections in all that this database may open. */
  get poolSize(): number {
    return this.pipelined.size + this.#parts.exclusive.size
  }

  /**
   * How far the pool is behind, in milliseconds: for how long the first has waited who waits for a connection, or a
   * single statement for its answer where all connections that they share are that slow. 0 where nobody has to wait.
   */
  oldestWaitMs(now = performance.now()): number {
    const { exclusive, pipelined } = this
    return Math.max(exclusive.oldestWaitMs(now), pipelined.answerMs(now, exclusive.hasFree))
  }

  /** What stands between. */
  get profile(): Profile {
    return this.connector.options.profile
  }

  /**
   * For `statement.ts`: starts a query on the pipelined lane, or alone on a connection where it is declared slow or
   * all others are held up. It may fail with UWAS_ERR_MODEL_UNAVAILABLE, _BUSY, _TIMEOUT, _CONFLICT, _READ_ONLY, _QUERY,
   * _COMMIT_UNKNOWN; inside of an `atomic` with _ESCAPED.
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
    if (query.statement.slow) return void this.#runAlone(query)
    try {
      const connection = this.pipelined.pick()
      if (connection !== undefined) {
        if (connection.isStuck && this.exclusive.hasFree) return void this.#runAlone(query)
        return query.startOn(connection)
      }
    } catch (error) {
      return query.fail(error)
    }
    this.pipelined.openAny().then(
      (connection) => query.startOn(connection),
      (error: unknown) => query.fail(error),
    )
  }

  /**
   * For `migrate.ts` and the commands: a connection outside the pool and around a pooler, without a statement
   * time-out. The caller closes it. Rejects with UWAS_ERR_MODEL_UNAVAILABLE.
   */
  async openSeparate(options: SeparateOptions = {}): Promise<Connection> {
    const connection = new Connection(
      { ...this.#parts.direct, statementTimeoutMs: 0, ...options },
      options.onEnd,
    )
    await connection.open()
    return connection
  }

  /**
   * Calls `handler` with what is sent to `channel`, one by one and in order, until the returned function is called or
   * `signal` fires. While the promise of one is pending the next wait; when 1000 do, they are dropped, the log says so, and
   * `onResync` is called. All listeners of a server share one connection, which is taken out of `database.poolSize` while
   * there are any. When it is lost another is made, after pauses from 0.1 to 5 seconds. What `handler` throws is logged.
   *
   *     const stop = await db.listen('prices', (payload) => cache.delete(payload), { onResync: () => cache.clear() })
   *
   * Resolves when PostgreSQL listens: what is committed from then on is heard. Rejects with UWAS_ERR_MODEL_UNAVAILABLE
   * and _BUSY without a connection, UWAS_ERR_MODEL_LISTEN for misuse and a pool too small, UWAS_ERR_MODEL_SESSION behind
   * PgBouncer without `database.directUrl`, and with the reason of a `signal` that has fired.
   */
  listen(
    channel: string,
    handler: (payload: string) => unknown,
    options?: NotificationOptions,
  ): Promise<() => Promise<void>> {
    return listen(this, channel, handler, options)
  }

  /**
   * As `openSeparate`, where a pooler that shares sessions would not do: UWAS_ERR_MODEL_SESSION when there is no way
   * around it.
   */
  openSession(what: string, options?: SeparateOptions): Promise<Connection> {
    if (this.#parts.direct.profile === 'direct') return this.openSeparate(options)
    const instead = 'set database.directUrl to a URL of PostgreSQL itself'
    return Promise.reject(needsSession(what, instead))
  }

  /**
   * For `scratch.ts`: another database of this server, as the same role, with the same settings, around a
   * pooler, which does not know it.
   */
  beside(name: string): Database {
    const { direct } = this.#parts
    const connection = { ...direct, target: siblingTarget(direct.target, name) }
    return new Database({ ...this.#parts, connection, direct: connection })
  }

  /** Ends all connections after what is in flight, at most `timeoutMs` (default 5000) later. */
  async close(timeoutMs = 5000): Promise<void> {
    this.isClosed = true
    clearInterval(this.#watch)
    await Promise.all([
      this.listener?.close(),
      this.pipelined.close(timeoutMs),
      this.exclusive.close(timeoutMs),
    ])
  }

  async #runAlone(query: Query): Promise<void> {
    const signal = query.request?.signal ?? null
    let connection: Connection
    try {
      connection = await this.exclusive.acquire(signal)
    } catch (error) {
      return query.fail(error)
    }
    const stop = cancelOnAbort(this, connection, signal)
    query.startOn(connection)
    await query.promise.catch(() => {})
    await stop()
    this.exclusive.release(connection)
  }

  /** The plan for any values: those of one run may be secrets. */
  async #explain(sql: string): Promise<string[]> {
    // Nobody waits longer for the sake of a plan.
    if (!this.exclusive.hasFree) throw busy('all are in use')
    const connection = await this.exclusive.acquire()
    try {
      await connection.simple('begin read only; set local statement_timeout = 5000')
      const { rows } = await connection.simple(`explain (generic_plan) ${sql}`)
      return rows.map(([line]) => line ?? '')
    } finally {
      await connection.simple('rollback').catch(() => connection.kill('rolling back failed'))
      this.exclusive.release(connection)
    }
  }

  #tick(): void {
    const now = performance.now()
    this.pipelined.tick(now)
    this.exclusive.tick(now)
    this.listener?.tick(now)
  }
}

/** What a connection outside of the pool may have of its own. */
export interface SeparateOptions {
  readonly onNotice?: (message: string) => void
  readonly onNotification?: (channel: string, payload: string) => void
  readonly onEnd?: () => void
}

/**
 * Makes the Database; nothing connects before the first statement or `warm`. Throws
 * UWAS_ERR_MODEL_URL, UWAS_ERR_CORE_INVALID_OPTION.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const { url, directUrl = url, profile = 'direct', refusesRepeats = false, log } = options
  const { poolSize = 10, acquireTimeoutMs = 5000, maxWaiting = 1000, leakAfterMs = 0 } = options
  const { connectTimeoutMs = 5000, statementTimeoutMs = 30_000 } = options
  const { maxConnectionSeconds = 1800, slowStatementMs = 0, times = null } = options
  checkWhole('poolSize', poolSize, 2, 10_000)
  checkWhole('acquireTimeoutMs', acquireTimeoutMs, 1, 3_600_000)
  checkWhole('maxWaiting', maxWaiting, 0, 1_000_000)
  checkWhole('connectTimeoutMs', connectTimeoutMs, 1, 3_600_000)
  checkWhole('statementTimeoutMs', statementTimeoutMs, 0, 86_400_000)
  checkWhole('slowStatementMs', slowStatementMs, 0, 3_600_000)
  checkWhole('maxConnectionSeconds', maxConnectionSeconds, 0, 31_536_000)
  checkWhole('leakAfterMs', leakAfterMs, 0, 86_400_000)
  if (!PROFILES.includes(profile)) {
    throw refuse(`profile is "${profile}"; it must be one of: ${PROFILES.join(', ')}`)
  }
  const common = { connectTimeoutMs, statementTimeoutMs }
  const pipelined = pipelinedOf(poolSize, profile)
  return new Database({
    connection: { ...common, target: parseDatabaseUrl(url), profile },
    direct: {
      ...common,
      target: parseDatabaseUrl(directUrl),
      profile: directUrl === url ? profile : 'direct',
    },
    lifetimeMs: maxConnectionSeconds * 1000,
    pipelined,
    exclusive: {
      size: poolSize - pipelined,
      acquireTimeoutMs,
      maxWaiting,
      leaks: leakAfterMs > 0 ? new Leaks(log, leakAfterMs) : null,
    },
    repeats: refusesRepeats ? new Repeats() : null,
    slowStatementMs,
    times,
    log,
  })
}

/** Behind a pooler each connection takes one statement at a time, so more of them are for single statements. */
function pipelinedOf(poolSize: number, profile: Profile): number {
  if (profile === 'pgbouncer') return poolSize >> 1
  return poolSize >= TWO_LANES_FROM ? 2 : 1
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw refuse(`${name} is ${value}; it must be a whole number from ${min} to ${max}`)
}

function refuse(problem: string): Error {
  return createError('UWAS_ERR_CORE_INVALID_OPTION', { where: 'database', problem })
}
