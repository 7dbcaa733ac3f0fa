/**
 * A site's database before the first request: brought up to date, the statements proved and prepared. A worker that
 * follows the only one does not wait for a database that is away: what needs none is served, and the rest is 503 as it
 * was. Called by `app.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../core/log.ts'
import type { Database } from '../model/database.ts'
import { isConnectionFailure, sqlStateOf, translate, unavailable } from '../model/failures.ts'
import { migrate } from '../model/migrate.ts'
import { createOwnTables } from '../model/own-tables.ts'
import type { Statement } from '../model/statement.ts'
import { declaredStatements } from '../model/statement-registry.ts'
import { checkStatements, warm } from '../model/warm.ts'
import type { SiteConfig } from '../was/config.ts'
import { ownDatabase } from '../was/own-database.ts'

/**
 * What a database that is away does to a start: it fails at once; it waits for ten seconds before it fails, since machines
 * start their services in any order; it serves without.
 */
export type OnOutage = 'fail' | 'wait' | 'serve'

export interface PrepareOptions {
  readonly log: Log
  readonly migrates?: boolean
  readonly onOutage?: OnOutage
  /** Whether a database that is ahead of the site's migrations is a mistake. Default false. */
  readonly isStrict?: boolean
}

/** How far it is. */
export interface Preparation {
  /** Why it is not ready yet; null: it is. */
  readonly problem: Error | null
}

/** One that accepts connections and does not answer is waited for so long before the worker serves without it. */
const PATIENCE_MS = 5_000
const RETRY_MS = 500
const WAIT_MS = 10_000

/** Rejects with the first mistake, and with UWAS_ERR_MODEL_UNAVAILABLE as `onOutage` says. */
export async function prepareDatabase(
  config: SiteConfig,
  database: Database,
  { log, migrates = true, onOutage = 'fail', isStrict = false }: PrepareOptions,
): Promise<Preparation> {
  const own = ownDatabase(config)
  const statements = [...declaredStatements(), ...own.statements]
  if (onOutage === 'serve') return await LatePreparation.begin(database, statements)
  const prepare = async (): Promise<void> => {
    if (migrates) await createOwnTables(database, own.steps, { log })
    if (migrates && config.migrations !== null) {
      await migrate(database, config.migrations, { log, acceptsNewer: !isStrict })
    }
    await warm(database, statements)
  }
  try {
    await prepare()
  } catch (error) {
    if (onOutage === 'fail' || !isConnectionFailure(error)) throw error
    await untilAvailable(database, translate(error, 'starting', database.where))
    await prepare()
  }
  return { problem: null }
}

/** Rejects with UWAS_ERR_MODEL_UNAVAILABLE when it has taken too long. */
async function untilAvailable(database: Database, problem: Error): Promise<void> {
  database.log.warn(`${problem.message}; waiting for it, for ${WAIT_MS / 1000} s at most`)
  for (const until = performance.now() + WAIT_MS; ; ) {
    await sleep(RETRY_MS)
    try {
      const connection = await database.openSeparate()
      return await connection.close(1000)
    } catch (error) {
      if (!isConnectionFailure(error) || performance.now() > until) throw error
    }
  }
}

/** A server that is there and has no connection left is a mistake in `database.poolSize`, and a matter of a moment. */
function isAway(error: unknown): boolean {
  return isConnectionFailure(error) && sqlStateOf(error) !== '53300'
}

/** Goes on beside the requests until it is done. */
class LatePreparation implements Preparation {
  problem: Error | null
  readonly #database: Database
  readonly #statements: readonly Statement[]

  private constructor(database: Database, statements: readonly Statement[], problem: Error) {
    this.problem = problem
    this.#database = database
    this.#statements = statements
    database.log.warn(`${problem.message}; until it is, what needs no database is served`)
  }

  static async begin(database: Database, statements: readonly Statement[]): Promise<Preparation> {
    const attempt = warm(database, statements)
    let problem: Error = unavailable(database.where, `it has not answered for ${PATIENCE_MS} ms`)
    try {
      const isDone = await Promise.race([
        attempt.then(() => true),
        sleep(PATIENCE_MS, false, { ref: false }),
      ])
      if (isDone) return { problem: null }
    } catch (error) {
      if (!isAway(error)) throw error
      problem = translate(error, 'checking statements', database.where)
    }
    const preparation = new LatePreparation(database, statements, problem)
    void preparation.#goOn(attempt)
    return preparation
  }

  async #goOn(first: Promise<void>): Promise<void> {
    const { where, log } = this.#database
    for (let attempt = first; ; attempt = this.#again()) {
      try {
        await attempt
        break
      } catch (error) {
        if (this.#database.isClosed) return
        this.#tell(error)
        await sleep(RETRY_MS, undefined, { ref: false })
        if (this.#database.isClosed) return
      }
    }
    this.problem = null
    log.info(`PostgreSQL at ${where} is available: all statements are proved and prepared`)
  }

  /** A mistake that has been told is not told with each look. */
  async #again(): Promise<void> {
    if (!isAway(this.problem)) {
      const [first] = await checkStatements(this.#database, this.#statements)
      if (first !== undefined) throw first
    }
    await warm(this.#database, this.#statements)
  }

  /** An outage has been told. A mistake is another one's than those of a start: the schema is not that of the site. */
  #tell(error: unknown): void {
    const found = error instanceof Error ? error : new Error(String(error))
    const isNews = !isAway(found) && found.message !== this.problem?.message
    if (isNews) this.#database.log.error(`not ready: ${found.message}`)
    this.problem = found
  }
}
