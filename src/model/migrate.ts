/**
 * Brings a database's schema to where the site's migration files are. Called by `app.ts` at start and
 * by `uwas migrate`; many servers may start at once.
 */
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { writeArray } from './array.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { translate } from './failures.ts'
import { type MigrationFile, readMigrations } from './migration-files.ts'
import { type MigrationPlan, type MigrationStep, planDown, planUp } from './migration-plan.ts'
import { runScript, withMigrationLock } from './migration-run.ts'

export interface MigrateOptions {
  readonly log: Log
  /** How long a statement may wait for the lock of a table; default 30,000. */
  readonly lockTimeoutMs?: number | undefined
  /**
   * Whether the database may be ahead: migrations that are later than all files are told by a warning, as long as all
   * files are applied. For servers beside those of a newer version of the site. Default false.
   */
  readonly acceptsNewer?: boolean
}

export interface MigrationStatus {
  /** `0001_posts` */
  readonly name: string
  /** `changed`: the file differs from what was applied; `missing`: applied, but the file is gone. */
  readonly state: 'applied' | 'pending' | 'changed' | 'missing'
  readonly appliedAt: Date | null
}

interface Applied {
  readonly name: string
  readonly checksum: string
  readonly appliedAt: Date
}

const CREATE_TABLE = `create table uwas_migrations (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default now()
)`

/**
 * Applies the files of `dir` that are not applied yet, in order, each in a transaction of its own, and
 * returns their names. Rejects with UWAS_ERR_MODEL_MIGRATION_FILES, _MISSING, _CHANGED before anything
 * is done, with _FAILED or _LOCKED (file, line) for a mistake in one: those before it stay applied.
 */
export function migrate(db: Database, dir: string, options: MigrateOptions): Promise<string[]> {
  return runMigrations(db, dir, planUp(), options)
}

/**
 * Reverts the last `count` (default 1) applied migrations by their `.down.sql` files, newest first,
 * and returns their names. Rejects as `migrate` does.
 */
export function revertMigrations(
  db: Database,
  dir: string,
  { count = 1, ...options }: MigrateOptions & { readonly count?: number },
): Promise<string[]> {
  return runMigrations(db, dir, planDown(count), options)
}

/** Does what `plan` says, under the lock; names of the files. Rejects as `migrate` does. */
export async function runMigrations(
  db: Database,
  dir: string,
  plan: MigrationPlan,
  options: MigrateOptions,
): Promise<string[]> {
  const files = readMigrations(dir)
  return withMigrationLock(db, options, async (connection) => {
    if (!(await hasTable(connection))) await connection.simple(CREATE_TABLE)
    const applied = await readApplied(connection)
    const newer = options.acceptsNewer === true ? newerThan(files, applied) : []
    checkApplied(dir, files, without(applied, newer))
    const steps = plan(
      files,
      applied.map(({ name }) => name),
    )
    if (newer.length > 0) tellNewer(dir, newer, steps, options.log)
    for (const each of steps) {
      await run(connection, each)
      options.log.info(`${DONE[each.does]} migration ${each.file.name}`)
    }
    return steps.map(({ file }) => file.name)
  })
}

/** What `runMigrations` would do now; changes nothing. */
export async function previewMigrations(
  db: Database,
  dir: string,
  plan: MigrationPlan,
): Promise<MigrationStep[]> {
  const files = readMigrations(dir)
  const connection = await db.openSeparate()
  try {
    const applied = (await hasTable(connection)) ? await readApplied(connection) : []
    checkApplied(dir, files, applied)
    return plan(
      files,
      applied.map(({ name }) => name),
    )
  } finally {
    await connection.close(1000)
  }
}

const DONE = { apply: 'applied', revert: 'reverted', adopt: 'adopted' }

async function run(connection: Connection, { file, does }: MigrationStep): Promise<void> {
  const { name, replaces, down } = file
  const forget = (names: readonly string[]) =>
    connection.run('delete from uwas_migrations where name = any($1)', [writeArray(names)])
  const script = {
    apply: file,
    revert: down ?? file,
    adopt: { ...file, statements: [], isOutside: false },
  }
  await runScript(connection, script[does], async () => {
    if (does !== 'apply') await forget(does === 'adopt' ? replaces : [name])
    if (does !== 'revert') await recordApplied(connection, file)
  })
}

/** Where the database is, compared with the files; changes nothing. In order of names. */
export async function migrationStatus(db: Database, dir: string): Promise<MigrationStatus[]> {
  const files = readMigrations(dir)
  const connection = await db.openSeparate()
  try {
    const applied = (await hasTable(connection)) ? await readApplied(connection) : []
    const missing = applied
      .filter(
        ({ name }) => !files.some((each) => each.name === name || each.replaces.includes(name)),
      )
      .map(({ name, appliedAt }) => ({ name, appliedAt, state: 'missing' as const }))
    return [...files.map((file) => statusOf(file, applied)), ...missing].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )
  } catch (error) {
    throw translate(error, 'reading the migrations', db.where)
  } finally {
    await connection.close(1000)
  }
}

function statusOf(file: MigrationFile, applied: readonly Applied[]): MigrationStatus {
  const found = applied.find(({ name }) => name === file.name)
  if (found === undefined) return { name: file.name, state: 'pending', appliedAt: null }
  const state = found.checksum === file.checksum ? 'applied' : 'changed'
  return { name: file.name, state, appliedAt: found.appliedAt }
}

async function hasTable(connection: Connection): Promise<boolean> {
  const { rows } = await connection.run("select to_regclass('uwas_migrations') is not null", [])
  return rows[0]?.[0] === 't'
}

async function readApplied(connection: Connection): Promise<Applied[]> {
  const { rows } = await connection.run(
    'select name, checksum, extract(epoch from applied_at) from uwas_migrations order by name',
    [],
  )
  return rows.map(([name, checksum, seconds]) => ({
    name: String(name),
    checksum: String(checksum),
    appliedAt: new Date(Number(seconds) * 1000),
  }))
}

function recordApplied(
  connection: Connection,
  { name, checksum }: MigrationFile,
): Promise<unknown> {
  const text = 'insert into uwas_migrations (name, checksum) values ($1, $2)'
  return connection.run(text, [name, checksum])
}

/** Names of those that are later than all files. None where there are no files: the folder is another one's, then. */
function newerThan(files: readonly MigrationFile[], applied: readonly Applied[]): string[] {
  const last = files.at(-1)?.number ?? Number.POSITIVE_INFINITY
  return applied.map(({ name }) => name).filter((name) => Number.parseInt(name, 10) > last)
}

function without(applied: readonly Applied[], names: readonly string[]): Applied[] {
  return applied.filter(({ name }) => !names.includes(name))
}

/** What the newer version has built on may not be changed behind its back: a file of ours that it lacks is an error. */
function tellNewer(
  dir: string,
  [name = '', ...others]: readonly string[],
  steps: readonly MigrationStep[],
  log: Log,
): void {
  if (steps.length > 0) throw createError('UWAS_ERR_MODEL_MIGRATION_MISSING', { name, dir })
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  log.warn(
    `this database has migration ${name}${more}, which ${dir} has not: it belongs to a newer version of the site; going on with the schema as it is`,
  )
}

function checkApplied(
  dir: string,
  files: readonly MigrationFile[],
  applied: readonly Applied[],
): void {
  for (const { name, checksum } of applied) {
    if (files.some(({ replaces }) => replaces.includes(name))) continue
    const file = files.find((each) => each.name === name)
    if (file === undefined) throw createError('UWAS_ERR_MODEL_MIGRATION_MISSING', { name, dir })
    if (file.checksum !== checksum) {
      const [actual, expected] = [file.checksum.slice(0, 12), checksum.slice(0, 12)]
      const values = { file: file.path, actual, expected }
      throw createError('UWAS_ERR_MODEL_MIGRATION_CHANGED', values)
    }
  }
}
