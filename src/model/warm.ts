/**
 * Proves and prepares every declared statement at start, so that no request pays for it and no
 * mistake waits for one. Called by `app.ts`; `uwas check` calls `checkStatements`.
 */
import { type CodedError, createError } from '../core/errors.ts'
import type { Connection } from './connection.ts'
import { prepareAll } from './connector.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, problemOf, sqlStateOf, translate } from './failures.ts'
import { columnProblem, paramProblem } from './row-reader.ts'
import { sqlPlace } from './sql-place.ts'
import type { Statement } from './statement.ts'
import { declaredStatements } from './statement-registry.ts'
import type { Description } from './wire/collect.ts'

/**
 * Opens the pipelined lane and one connection for transactions, prepares `statements` on each, and
 * has every later connection prepare them before its first use. Rejects with
 * UWAS_ERR_MODEL_UNAVAILABLE, or with the first of what `checkStatements` finds; others are logged.
 */
export async function warm(
  db: Database,
  statements: readonly Statement[] = declaredStatements(),
): Promise<void> {
  const [first, ...others] = await checkStatements(db, statements)
  for (const each of others) db.log.error(each.message)
  if (first !== undefined) throw first
  const before = db.pipelined.connections
  db.connector.prepared = statements.map(({ sql, params }) => ({
    sql,
    paramCount: Object.keys(params).length,
  }))
  await Promise.all(before.map((each) => prepareAll(each, db.connector.prepared)))
  await tellSmallServer(db)
  await db.pipelined.openAll()
  db.exclusive.release(await db.exclusive.acquire())
}

/**
 * Compares statements with the live schema: UWAS_ERR_MODEL_PREPARE for SQL that PostgreSQL refuses,
 * UWAS_ERR_MODEL_COLUMNS for parameters and columns that differ. All findings, in order of declaration. Rejects with UWAS_ERR_MODEL_UNAVAILABLE.
 */
export async function checkStatements(
  db: Database,
  statements: readonly Statement[] = declaredStatements(),
): Promise<CodedError[]> {
  const connection = await db.openSeparate()
  try {
    const findings: CodedError[] = []
    for (const each of statements) {
      const finding = await checkOne(connection, each)
      if (finding !== undefined) findings.push(finding)
    }
    return findings
  } finally {
    await connection.close(1000)
  }
}

async function checkOne(
  connection: Connection,
  { name, sql, params, row }: Statement,
): Promise<CodedError | undefined> {
  let found: Description
  try {
    found = await connection.describe(sql, Object.keys(params).length)
  } catch (error) {
    if (isConnectionFailure(error)) throw translate(error, 'checking statements', connection.where)
    const problem = `${problemOf(error)} (SQLSTATE ${sqlStateOf(error)})${sqlPlace(error, sql)}`
    return createError('UWAS_ERR_MODEL_PREPARE', { statement: name, problem }, error)
  }
  const problem = paramProblem(params, found.params) ?? columnProblem(row, found.columns)
  if (problem === undefined) return undefined
  return createError('UWAS_ERR_MODEL_COLUMNS', { statement: name, problem })
}

const ROOM = `select least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0),
    (select nullif(datconnlimit, -1) from pg_database where datname = current_database()),
    (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user)),
  current_user`

/** A pool that is larger than the server would be found out under load only. Behind a pooler that is its business. */
async function tellSmallServer(db: Database): Promise<void> {
  if (db.profile !== 'direct') return
  const connection = await db.openSeparate()
  try {
    const [[most, user] = []] = (await connection.simple(ROOM)).rows
    if (Number(most) >= db.poolSize) return
    db.log.warn(
      `database.poolSize is ${db.poolSize}, but the user "${user}" may have ${most} connections to PostgreSQL at ${db.where}: requests will wait for one another`,
    )
  } finally {
    await connection.close(1000)
  }
}
