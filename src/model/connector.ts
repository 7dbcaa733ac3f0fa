/**
 * Opens connections that are ready to serve: connected, and with every declared statement prepared.
 * Called by the lanes. While PostgreSQL is away it fails fast instead of dialling for each request.
 */
import { Connection, type ConnectionOptions } from './connection.ts'

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
  #failure: unknown
  #failedAt: number

  constructor(options: ConnectionOptions) {
    this.options = options
    this.prepared = []
    this.#failure = undefined
    this.#failedAt = Number.NEGATIVE_INFINITY
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
      this.#failedAt = performance.now()
      this.#failure = error
      throw error
    }
    this.#failure = undefined
    await prepareAll(connection, this.prepared)
    return connection
  }
}

/** A statement that cannot be prepared says so itself when it is run; here it hinders no other. */
async function prepareAll(
  connection: Connection,
  statements: readonly Preparable[],
): Promise<void> {
  for (const { sql, paramCount } of statements) {
    if (!connection.alive) return
    await connection.describe(sql, paramCount).catch(() => {})
  }
}
