/** The site's database: the one that the configuration names, or one of its own that is started here. Called by `app.ts`. */
import type { Log } from '../core/log.ts'
import { createDatabase, type Database } from '../model/database.ts'
import type { EmbeddedPostgres } from '../model/embedded.ts'
import { embeddedDir } from '../model/embedded-processes.ts'
import type { StatementTimes } from '../model/statement-times.ts'
import type { SiteConfig } from '../was/config.ts'

/** A transaction that is open for so long has been forgotten. */
const LEAK_AFTER_MS = 5000

export interface OpenDatabaseOptions {
  /** As `openBackends` has it. */
  readonly refusesRepeats: boolean
  /** Of a PostgreSQL that somebody else looks after; null where the configuration decides. */
  readonly url: string | null
  /** Processes that have the pool's connections together. */
  readonly workers: number
  /** Where the configuration does not say it. */
  readonly slowStatementMs: number
  readonly times: StatementTimes | null
}

/** Both null where the configuration wants none. */
export async function openDatabase(
  config: SiteConfig,
  log: Log,
  options: OpenDatabaseOptions,
): Promise<{ postgres: EmbeddedPostgres | null; database: Database | null }> {
  if (config.database === null) return { postgres: null, database: null }
  const { url: named, directUrl, slowStatementMs, ...rest } = config.database
  const given = named ?? options.url
  const postgres = given === null ? await startPostgres(config, log) : null
  const database = createDatabase({
    url: given ?? (postgres as EmbeddedPostgres).url,
    ...(directUrl !== null && { directUrl }),
    ...rest,
    slowStatementMs: slowStatementMs ?? options.slowStatementMs,
    poolSize: poolShare(rest.poolSize, options.workers, isCacheShared(config, options.workers)),
    log,
    times: options.times,
    refusesRepeats: options.refusesRepeats,
    leakAfterMs: options.refusesRepeats ? LEAK_AFTER_MS : 0,
  })
  return { postgres, database }
}

/** Loaded where it is started: a worker uses the supervisor's. */
async function startPostgres({ stateDir }: SiteConfig, log: Log): Promise<EmbeddedPostgres> {
  const { startEmbeddedPostgres } = await import('../model/embedded.ts')
  return await startEmbeddedPostgres({ dir: embeddedDir(stateDir), log })
}

/** Several workers tell one another what is invalidated, unless the configuration knows better. */
export function isCacheShared({ cache }: SiteConfig, workers: number): boolean {
  return cache.shared ?? workers > 1
}

/** One connection for single statements and one for transactions is the least; and one to listen. */
function poolShare(poolSize: number, workers: number, listens: boolean): number {
  return Math.max(listens ? 3 : 2, Math.floor(poolSize / workers))
}
