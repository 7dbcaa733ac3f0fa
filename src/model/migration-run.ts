/**
 * Runs migrations against a database that many servers may migrate at once: one lock, and for each file a
 * transaction, or none where PostgreSQL allows none. Called by `migrate.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createError, isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, problemOf, sqlStateOf, translate } from './failures.ts'
import { lineOf } from './sql-place.ts'
import type { SqlStatement } from './sql-split.ts'

/** Of pg_advisory_lock: 'uwas' and 'migr' in ASCII. One lock a database. */
const LOCK = '1970757491, 1835624306'
const LOCK_WAIT_MS = 600_000
const LOCK_POLL_MS = 200
/** A migration that waits for a table's lock stops everyone who comes after it to that table. */
const TABLE_LOCK_WAIT_MS = 30_000

export interface LockOptions {
  readonly log: Log
  /** How long a statement may wait for the lock of a table; default 30,000. */
  readonly lockTimeoutMs?: number | undefined
  /** How long to wait for another server that migrates; default 600,000. */
  readonly waitMs?: number
}

/** A file's statements, in one direction. */
export interface Script {
  readonly path: string
  readonly statements: readonly SqlStatement[]
  readonly isOutside: boolean
}

/** Runs `work` while no other server migrates. UWAS_ERR_MODEL_MIGRATION_LOCKED when one does for too long. */
export async function withMigrationLock<T>(
  db: Database,
  options: LockOptions,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { log, lockTimeoutMs = TABLE_LOCK_WAIT_MS } = options
  const connection = await db.openSession('migrating', {
    onNotice: (notice) => log.info(`PostgreSQL: ${notice}`),
  })
  try {
    await takeLock(connection, options)
    await connection.simple(`set lock_timeout = ${lockTimeoutMs}`)
    return await work(connection)
  } catch (error) {
    throw translate(error, 'migrating', db.where)
  } finally {
    // The lock belongs to the session and ends with it.
    await connection.close(1000)
  }
}

/**
 * Asks again and again instead of waiting in PostgreSQL: a session that waits there has a snapshot, for whose
 * end CREATE INDEX CONCURRENTLY of the one who has the lock would wait.
 */
async function takeLock(
  connection: Connection,
  { log, waitMs = LOCK_WAIT_MS }: LockOptions,
): Promise<void> {
  const deadline = performance.now() + waitMs
  for (let isFirst = true; ; isFirst = false) {
    const { rows } = await connection.run(`select pg_try_advisory_lock(${LOCK})`, [])
    if (rows[0]?.[0] === 't') return
    if (isFirst) log.info('another server is migrating this database; waiting for it')
    if (performance.now() > deadline) {
      const holders = await holdersOf(connection, ADVISORY_HOLDERS)
      throw locked('the migration', waitMs, holders)
    }
    await sleep(LOCK_POLL_MS)
  }
}

/** Runs a file and, in the same transaction, `record`. */
export async function runScript(
  connection: Connection,
  script: Script,
  record: () => Promise<unknown>,
): Promise<void> {
  if (script.isOutside) return runOutside(connection, script, record)
  await connection.simple('begin')
  try {
    for (const each of script.statements) await runStatement(connection, script.path, each)
    await record()
    await connection.simple('commit')
  } catch (error) {
    await connection.simple('rollback').catch(() => {})
    throw await explained(connection, script.path, error, 'the migration was rolled back')
  }
}

/** What PostgreSQL runs in no transaction stands alone in its file, so that nothing is done by half. */
async function runOutside(
  connection: Connection,
  { path, statements }: Script,
  record: () => Promise<unknown>,
): Promise<void> {
  const [statement] = statements as readonly [SqlStatement]
  const { rows } = await connection.run("select current_setting('lock_timeout')", [])
  try {
    await dropInvalidIndex(connection, statement)
    // It waits for every transaction that is older, and locks out nobody meanwhile.
    await connection.simple('set lock_timeout = 0')
    await runStatement(connection, path, statement)
    await record()
  } catch (error) {
    const consequence = 'it runs outside of a transaction, and again as a whole the next time'
    throw await explained(connection, path, error, consequence)
  }
  await connection.simple(`set lock_timeout = '${rows[0]?.[0]}'`)
}

const INDEX_NAME =
  /^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?("(?:[^"]|"")+"|[\w$]+)\s+on\b/i

/** CREATE INDEX CONCURRENTLY that failed leaves an index that nobody uses and everybody keeps up to date. */
async function dropInvalidIndex(connection: Connection, { text }: SqlStatement): Promise<void> {
  const name = INDEX_NAME.exec(text)?.[1]
  if (name === undefined) return
  const { rows } = await connection.run(
    'select indexrelid::regclass::text from pg_index where indexrelid = to_regclass($1) and not indisvalid',
    [name],
  )
  const [invalid] = rows[0] ?? []
  if (invalid != null) await connection.simple(`drop index concurrently ${invalid}`)
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
    throw new Failed(`${path}:${line + (lineOf(error, text) ?? 1) - 1}`, error)
  }
}

/** A statement's failure with its place, until it is known what became of the migration. */
class Failed extends Error {
  readonly place: string

  constructor(place: string, cause: unknown) {
    super(problemOf(cause), { cause })
    this.place = place
  }
}

async function explained(
  connection: Connection,
  path: string,
  error: unknown,
  consequence: string,
): Promise<unknown> {
  const cause = error instanceof Failed ? error.cause : error
  if (isCodedError(cause) || isConnectionFailure(cause)) return cause
  const place = error instanceof Failed ? error.place : path
  if (sqlStateOf(cause) === '55P03') {
    const { rows } = await connection.run(
      "select extract(epoch from current_setting('lock_timeout')::interval) * 1000",
      [],
    )
    const waitedMs = Number(rows[0]?.[0])
    return locked(place, waitedMs, await holdersOf(connection, oldTransactions(waitedMs)), cause)
  }
  const { detail, hint } = cause as { detail?: string; hint?: string }
  const problem = [
    problemOf(cause),
    detail,
    hint && `hint: ${hint}`,
    `SQLSTATE ${sqlStateOf(cause)}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('; ')
  return createError('UWAS_ERR_MODEL_MIGRATION_FAILED', { place, problem, consequence }, cause)
}

function locked(what: string, waitedMs: number, holders: string, cause?: unknown): Error {
  const seconds = waitedMs / 1000
  return createError('UWAS_ERR_MODEL_MIGRATION_LOCKED', { what, seconds, holders }, cause)
}

const SESSION = `format('%s (%s, %s for %s s: %s)', pid, coalesce(nullif(application_name, ''), '?'), state,
  round(extract(epoch from clock_timestamp() - coalesce(xact_start, backend_start))), left(query, 60))`

const ADVISORY_HOLDERS = `select ${SESSION} from pg_stat_activity where pid in (
  select pid from pg_locks where locktype = 'advisory' and granted
  and (classid, objid) = (${LOCK})
  and database = (select oid from pg_database where datname = current_database()))`

/** Who has been in a transaction for as long as a lock was waited for has it, probably. */
function oldTransactions(ms: number): string {
  return `select ${SESSION} from pg_stat_activity where datname = current_database()
  and pid <> pg_backend_pid() and xact_start < clock_timestamp() - interval '${ms} ms'
  order by xact_start limit 3`
}

async function holdersOf(connection: Connection, sql: string): Promise<string> {
  const { rows } = await connection.run(sql, [])
  return rows.length === 0 ? 'nobody has it any more' : rows.map(([text]) => text).join(', ')
}
