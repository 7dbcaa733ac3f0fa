/**
 * `uwas migrate`: applies, reverts or lists a site's SQL migrations. Gets the flags, leaves the exit
 * code. Called by `cli.ts`.
 */
import { openBackends } from '../app.ts'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Database } from '../model/database.ts'
import { migrationStatus, previewMigrations, runMigrations } from '../model/migrate.ts'
import {
  type MigrationPlan,
  type MigrationStep,
  planDown,
  planTo,
  planUp,
} from '../model/migration-plan.ts'
import { createOwnTables } from '../model/own-tables.ts'
import type { SiteConfig } from '../was/config.ts'
import { ownDatabase } from '../was/own-database.ts'
import { count } from './count.ts'
import { exitOnSignals } from './lifecycle.ts'
import { createCommandLog } from './log.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'
import { formatTable } from './table.ts'

export interface MigrateFlags extends SiteFlags {
  readonly status: boolean
  /** How many to revert; `revert` is its older name. */
  readonly down?: number | undefined
  readonly revert?: number | undefined
  /** The migration to be at; `0` is before the first. */
  readonly to?: string | undefined
  readonly dryRun: boolean
  readonly lockTimeout?: number | undefined
}

export async function migrateCommand(flags: MigrateFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  const { steps } = ownDatabase(config)
  await withDatabase(config, log, async (database) => {
    const isForwards = (flags.down ?? flags.revert) === undefined && flags.to === undefined
    if (!flags.status && !flags.dryRun && isForwards)
      await createOwnTables(database, steps, { log })
    // A site may have tables of ours alone.
    if (config.migrations === null && steps.length > 0) return
    const dir = migrationsOf(config)
    if (flags.status) return printStatus(database, dir)
    if (flags.dryRun) return printSteps(await previewMigrations(database, dir, planOf(flags)))
    const { lockTimeout } = flags
    const lockTimeoutMs = lockTimeout === undefined ? undefined : lockTimeout * 1000
    const names = await runMigrations(database, dir, planOf(flags), { log, lockTimeoutMs })
    const done = flags.to === undefined ? doneWord(flags) : 'run'
    log.info(
      names.length === 0 ? 'nothing to apply' : `${count(names.length, 'migration')} ${done}`,
    )
  })
  return 0
}

function planOf({ down, revert, to }: MigrateFlags): MigrationPlan {
  const back = down ?? revert
  if (to !== undefined) return planTo(to)
  return back === undefined ? planUp() : planDown(back)
}

function doneWord({ down, revert }: MigrateFlags): string {
  return (down ?? revert) === undefined ? 'applied' : 'reverted'
}

/** What would be run, as a file for psql. */
function printSteps(steps: readonly MigrationStep[]): void {
  const parts = steps.map(({ file, does }) => {
    if (does === 'adopt') {
      return `-- adopt ${file.name}: it takes the place of ${file.replaces.join(', ')}\n`
    }
    const { text, isOutside } = does === 'revert' && file.down !== null ? file.down : file
    const sql = text.trimEnd()
    return `-- ${does} ${file.name}\n${isOutside ? sql : `begin;\n${sql}\ncommit;`}\n`
  })
  process.stdout.write(parts.length === 0 ? '-- nothing to run\n' : parts.join('\n'))
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

/** The site's folder of migrations. UWAS_ERR_COMMANDS_NOTHING_TO_MIGRATE. */
export function migrationsOf(config: SiteConfig): string {
  return config.migrations ?? refuse(config, 'migrations')
}

function refuse(config: SiteConfig, missing: 'database' | 'migrations'): never {
  const file = showPath(config.file ?? config.root)
  throw createError('UWAS_ERR_COMMANDS_NOTHING_TO_MIGRATE', { file, missing })
}
