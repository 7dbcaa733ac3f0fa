/** The key `database` of a configuration: as its author writes it, and complete. Read by `config.ts`. */

/** Where the data is, when it is not in the embedded PostgreSQL. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:port/name`. Default: the environment's DATABASE_URL. */
  readonly url?: string | undefined
  /** The way around a pooler, for migrations and `listen`, which need a session of their own. Default `url`. */
  readonly directUrl?: string | undefined
  /**
   * What answers at `url`: PostgreSQL itself (`direct`), or PgBouncer, which gives each transaction another session
   * (`pgbouncer`). Default `direct`.
   */
  readonly profile?: 'direct' | 'pgbouncer' | undefined
  /** Connections of the whole server, for single statements, transactions and `listen` together. Default 10. */
  readonly poolSize?: number | undefined
  /** Longest wait for a connection of its own, in milliseconds; then the request is 503. Default 5000. */
  readonly acquireTimeoutMs?: number | undefined
  /** Requests that wait for a connection at most; the next is 503 at once. Default 1000. */
  readonly maxWaiting?: number | undefined
  /** Longest time of connecting, in milliseconds; then the request is 503. Default 5000. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest time of a statement, in milliseconds; PostgreSQL stops it then. 0 for no limit. Default 30,000. */
  readonly statementTimeoutMs?: number | undefined
  /** Connections are replaced when they are so old, in seconds; 0 for never. Default 1800. */
  readonly maxConnectionSeconds?: number | undefined
  /**
   * A statement that takes longer is logged, at most once a minute, with PostgreSQL's plan for any values (version
   * 16 on; it is not run again). With `timings` the line names its route, and the request's trace has the plan.
   * 0: none. Default 0; in `uwas dev` 100.
   */
  readonly slowStatementMs?: number | undefined
}

/** Complete but for what stands in the URL. */
export interface DatabaseConfig {
  /** Null: the embedded PostgreSQL. */
  readonly url: string | null
  /** Null: `url`. */
  readonly directUrl: string | null
  readonly profile: 'direct' | 'pgbouncer'
  readonly poolSize: number
  readonly acquireTimeoutMs: number
  readonly maxWaiting: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  readonly maxConnectionSeconds: number
  /** Null: not said. */
  readonly slowStatementMs: number | null
}
