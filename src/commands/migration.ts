/**
 * `uwas migration NAME`: starts a migration with the SQL that takes the database from where it is to what the tables
 * of the site declare; or makes one of many. Gets the flags, leaves files and the exit code. Called by `cli.ts`.
 */
import { createError } from '../core/errors.ts'
import type { Database } from '../model/database.ts'
import { migrationStatus } from '../model/migrate.ts'
import { compareSchema } from '../model/schema/diff.ts'
import { type Draft, draftMigration, squashMigrations, writeDraft } from '../model/schema/draft.ts'
import { declaredTables } from '../model/table/registry.ts'
import { createCommandLog } from './log.ts'
import { migrationsOf, withDatabase } from './migrate.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'

export interface MigrationFlags extends SiteFlags {
  /** Without a look at the database. */
  readonly empty: boolean
  readonly squash: boolean
  /** The last migration to squash. */
  readonly to?: string | undefined
  readonly dryRun: boolean
}

export async function migrationCommand(name: string, flags: MigrationFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  const dir = migrationsOf(config)
  if (flags.squash) {
    const { draft, replaced } = squashMigrations(dir, name, flags.to)
    leave(draft, () => writeDraft(dir, draft, replaced))
  } else if (flags.empty) {
    const draft = draftMigration(dir, name, [])
    leave(draft, () => writeDraft(dir, draft))
  } else {
    await withDatabase(config, log, async (database) => {
      await refuseOpen(database, dir)
      const draft = draftMigration(dir, name, await compareSchema(database, declaredTables()))
      leave(draft, () => writeDraft(dir, draft))
    })
  }
  return 0

  function leave({ up, down }: Draft, write: () => string[]): void {
    if (flags.dryRun) process.stdout.write(down === null ? up : `${up}\n-- to revert:\n${down}`)
    else log.info(`wrote ${write().map(showPath).join(' and ')}`)
  }
}

/** A draft starts from where the files lead to, so the database has to be there. */
async function refuseOpen(database: Database, dir: string): Promise<void> {
  const all = await migrationStatus(database, dir)
  const open = all.filter(({ state }) => state !== 'applied')
  const [first] = open
  if (first === undefined) return
  const { name, state } = first
  throw createError('UWAS_ERR_COMMANDS_MIGRATION_OPEN', { name, state })
}
