/**
 * `uwas migrate`: applies, reverts or lists a site's SQL migrations. Gets the flags, leaves the exit
 * code. Called by `cli.ts`.
 */
import { openBackends } from '../app.ts'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Database } from '../model/database.ts'
import { migrate, migrationStatus, revertMigrations } from '../model/migrate.ts'
import { createOwnTables } from '../model/own-tables.ts'
import type { SiteConfig } from '../was/config.ts'
import { ownDatabase } from '../was/own-database.ts'
import { count } from './count.ts'
import { exitOnSignals } from './lifecycle.ts'
import { createCommandLog } from './log.ts'
import { loadSite, type SiteFlags, showPath } from './site.ts'
import { formatTable } from './table.ts'

export interface MigrateFlags extends SiteFlags {
  readonly status: boolean
  /** How many to revert. */
  readonly revert?: number | undefined
}

export async function migrateCommand(flags: MigrateFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  const { steps } = ownDatabase(config)
  await withDatabase(config, log, async (database) => {
    if (!flags.status && flags.revert === undefined) await createOwnTables(database, steps, { log })
    // A site may have tables of ours alone.
    if (config.migrations === null && steps.length > 0) return
    const dir = config.migrations ?? refuse(config, 'migrations')
    if (flags.status) await printStatus(database, dir)
    else if (flags.revert !== undefined) {
      const names = await revertMigrations(database, dir, { log, count: flags.revert })
      log.info(`${count(names.length, 'migration')} reverted`)
    } else {
      const names = await migrate(database, dir, { log })
      log.info(
        names.length === 0 ? 'nothing to apply' : `${count(names.length, 'migration')} applied`,
      )
    }
  })
  return 0
}

/** Runs `work` on the site's database, without its files; starts and stops an embedded one. */
export async function withDatabase(
  config: SiteConfig,
  log: Log,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  if (config.database === null) refuse(config, 'database')
  exitOnSignals()
  const backends = await openBackends({ ...config, static: [] }, log)
  try {
    if (backends.database !== null) await work(backends.database)
  } finally {
    await backends.close()
  }
}

async function printStatus(database: Database, dir: string): Promise<void> {
  const rows = (await migrationStatus(database, dir)).map(({ name, state, appliedAt }) => [
    name,
    state,
    appliedAt?.toISOString() ?? '',
  ])
  process.stdout.write(`${formatTable(['MIGRATION', 'STATE', 'APPLIED AT'], rows)}\n`)
}

function refuse(config: SiteConfig, missing: 'database' | 'migrations'): never {
  const file = showPath(config.file ?? config.root)
  throw createError('UWAS_ERR_COMMANDS_NOTHING_TO_MIGRATE', { file, missing })
}
