/**
 * Tables that uwas keeps for itself, in the schema `uwas`: steps of ours, each applied once a database. Called by
 * `app.ts` and `uwas migrate` before a site's own migrations; many servers may start at once.
 */
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, problemOf, sqlStateOf, translate } from './failures.ts'
import { withMigrationLock } from './migration-run.ts'

/** A change of our schema. Its name is never used again, its SQL never changed once it has been released. */
export interface OwnStep {
  /** `sessions 1` */
  readonly name: string
  /** One or several statements; they run in one transaction. */
  readonly sql: string
}

const CREATE_STEPS = `create table uwas.steps (
  name text primary key,
  applied_at timestamptz not null default now()
)`

/**
 * Applies the steps that are not applied yet, in order, and returns their names. Rejects with
 * UWAS_ERR_MODEL_OWN_TABLES when PostgreSQL refuses one; those before it stay.
 */
export async function createOwnTables(
  db: Database,
  steps: readonly OwnStep[],
  { log }: { readonly log: Log },
): Promise<string[]> {
  if ((await pendingOwnSteps(db, steps)).length === 0) return []
  return withMigrationLock(db, { log }, async (connection) => {
    const applied = await appliedNames(connection)
    const pending = steps.filter(({ name }) => !applied.has(name))
    for (const step of pending) {
      await apply(connection, step)
      log.info(`made uwas's own tables: ${step.name}`)
    }
    return pending.map(({ name }) => name)
  })
}

/** Names of the steps that are not applied; changes nothing. */
export async function pendingOwnSteps(db: Database, steps: readonly OwnStep[]): Promise<string[]> {
  if (steps.length === 0) return []
  const connection = await db.openSeparate()
  try {
    const applied = await appliedNames(connection)
    return steps.map(({ name }) => name).filter((name) => !applied.has(name))
  } catch (error) {
    throw translate(error, "reading uwas's own tables", db.where)
  } finally {
    await connection.close(1000)
  }
}

async function appliedNames(connection: Connection): Promise<Set<string>> {
  const { rows: found } = await connection.run("select to_regclass('uwas.steps') is not null", [])
  if (found[0]?.[0] !== 't') return new Set()
  const { rows } = await connection.run('select name from uwas.steps', [])
  return new Set(rows.map(([name]) => String(name)))
}

async function apply(connection: Connection, { name, sql }: OwnStep): Promise<void> {
  try {
    await connection.simple('begin')
    // IF NOT EXISTS asks for the right to create one even where somebody has made it for us, and is noticed aloud.
    const missing = "select to_regnamespace('uwas') is null, to_regclass('uwas.steps') is null"
    const { rows } = await connection.run(missing, [])
    if (rows[0]?.[0] === 't') await createSchema(connection)
    if (rows[0]?.[1] === 't') await connection.simple(CREATE_STEPS)
    await connection.simple(sql)
    await connection.run('insert into uwas.steps (name) values ($1)', [name])
    await connection.simple('commit')
  } catch (error) {
    await connection.simple('rollback').catch(() => {})
    if (isConnectionFailure(error)) throw error
    const state = sqlStateOf(error)
    const problem =
      state === undefined ? problemOf(error) : `${problemOf(error)} (SQLSTATE ${state})`
    throw createError('UWAS_ERR_MODEL_OWN_TABLES', { name, problem }, error)
  }
}

/** Not for a role of its name without more ado: all that the site makes from then on would stand in it, among ours. */
async function createSchema(connection: Connection): Promise<void> {
  await connection.simple('create schema uwas')
  const { rows } = await connection.run("select current_schema() = 'uwas'", [])
  if (rows[0]?.[0] !== 't') return
  throw new Error(
    'the role has the same name, so that the tables of the site would stand among them; say ALTER ROLE uwas SET search_path = public, "$user"',
  )
}
