/**
 * Brings a database's schema to where the site's migration files are. Called by `app.ts` at start and
 * by `uwas migrate`; many servers may start at once.
 */
import { createError, isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, problemOf, sqlStateOf, translate } from './failures.ts'
import { type MigrationFile, readMigrations } from './migration-files.ts'
import { lineOf } from './sql-place.ts'
import type { SqlStatement } from './sql-split.ts'

export interface MigrateOptions {
  readonly log: Log
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

/** Of pg_advisory_lock: 'uwas' and 'migr' in ASCII. One lock a database. */
const LOCK = '1970757491, 1835624306'
const LOCK_WAIT = '10min'
/** A migration that waits for a table's lock stops everyone who comes after it to that table. */
const TABLE_LOCK_WAIT = '30s'

const CREATE_TABLE = `create table uwas_migrations (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default now()
)`

/**
 * Applies the files of `dir` that are not applied yet, in order, each in a transaction of its own, and
 * returns their names. Rejects with UWAS_ERR_MODEL_MIGRATION_FILES, _MISSING, _CHANGED before anything
 * is done, with _FAILED (file, line) for a mistake in one: those before it stay applied.
 */
export async function migrate(
  db: Database,
  dir: string,
  { log }: MigrateOptions,
): Promise<string[]> {
  const files = readMigrations(dir)
  return withMigrationLock(db, log, async (connection) => {
    if (!(await hasTable(connection))) await connection.simple(CREATE_TABLE)
    const applied = await readApplied(connection)
    checkApplied(dir, files, applied)
    const pending = files.filter(({ name }) => !applied.some((each) => each.name === name))
    for (const file of pending) {
      await runFile(connection, file.path, file.statements, () => recordApplied(connection, file))
      log.info(`applied migration ${file.name}`)
    }
    return pending.map(({ name }) => name)
  })
}

/**
 * Reverts the last `count` (default 1) applied migrations by their `.down.sql` files, newest first,
 * and returns their names. Rejects as `migrate` does.
 */
export async function revertMigrations(
  db: Database,
  dir: string,
  { log, count = 1 }: MigrateOptions & { readonly count?: number },
): Promise<string[]> {
  const files = readMigrations(dir)
  return withMigrationLock(db, log, async (connection) => {
    const applied = (await hasTable(connection)) ? await readApplied(connection) : []
    checkApplied(dir, files, applied)
    const last = files
      .filter(({ name }) => applied.some((each) => each.name === name))
      .reverse()
      .slice(0, count)
    for (const { path, down } of last) {
      if (down !== null) continue
      const problem = 'cannot be reverted: it has no .down.sql beside it'
      throw createError('UWAS_ERR_MODEL_MIGRATION_FILES', { file: path, problem })
    }
    for (const { name, path, down } of last) {
      await runFile(connection, down?.path ?? path, down?.statements ?? [], () =>
        connection.run('delete from uwas_migrations where name = $1', [name]),
      )
      log.info(`reverted migration ${name}`)
    }
    return last.map(({ name }) => name)
  })
}

/** Where the database is, compared with the files; changes nothing. In order of names. */
export async function migrationStatus(db: Database, dir: string): Promise<MigrationStatus[]> {
  const files = readMigrations(dir)
  const connection = await db.openSeparate()
  try {
    const applied = (await hasTable(connection)) ? await readApplied(connection) : []
    const missing = applied
      .filter(({ name }) => !files.some((file) => file.name === name))
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

/** One server at a time changes the schema of a database: for `own-tables.ts` as well. */
export async function withMigrationLock<T>(
  db: Database,
  log: Log,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await db.openSeparate((notice) => log.info(`PostgreSQL: ${notice}`))
  try {
    const { rows } = await connection.run(`select pg_try_advisory_lock(${LOCK})`, [])
    if (rows[0]?.[0] !== 't') {
      log.info('another server is migrating this database; waiting for it')
      await connection.simple(`set lock_timeout = '${LOCK_WAIT}'`)
      await connection.simple(`select pg_advisory_lock(${LOCK})`)
    }
    await connection.simple(`set lock_timeout = '${TABLE_LOCK_WAIT}'`)
    return await work(connection)
  } catch (error) {
    throw translate(error, 'migrating', db.where)
  } finally {
    // The lock belongs to the session and ends with it.
    await connection.close(1000)
  }
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

function checkApplied(
  dir: string,
  files: readonly MigrationFile[],
  applied: readonly Applied[],
): void {
  for (const { name, checksum } of applied) {
    const file = files.find((each) => each.name === name)
    if (file === undefined) throw createError('UWAS_ERR_MODEL_MIGRATION_MISSING', { name, dir })
    if (file.checksum !== checksum) {
      const [actual, expected] = [file.checksum.slice(0, 12), checksum.slice(0, 12)]
      const values = { file: file.path, actual, expected }
      throw createError('UWAS_ERR_MODEL_MIGRATION_CHANGED', values)
    }
  }
}

async function runFile(
  connection: Connection,
  path: string,
  statements: readonly SqlStatement[],
  record: () => Promise<unknown>,
): Promise<void> {
  await connection.simple('begin')
  try {
    for (const each of statements) await runStatement(connection, path, each)
    await record()
    await connection.simple('commit')
  } catch (error) {
    await connection.simple('rollback').catch(() => {})
    throw isCodedError(error) || isConnectionFailure(error) ? error : failed(path, error)
  }
}

async function runStatement(
  connection: Connection,
  path: string,
  { text, line }: SqlStatement,
): Promise<void> {
  try {
    await connection.simple(text)
  } catch (error) {
    if (isConnectionFailure(error)) throw error
    throw failed(`${path}:${line + (lineOf(error, text) ?? 1) - 1}`, error)
  }
}

function failed(place: string, error: unknown): Error {
  const { detail, hint } = error as { detail?: string; hint?: string }
  const problem = [
    problemOf(error),
    detail,
    hint && `hint: ${hint}`,
    `SQLSTATE ${sqlStateOf(error)}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('; ')
  return createError('UWAS_ERR_MODEL_MIGRATION_FAILED', { place, problem }, error)
}
