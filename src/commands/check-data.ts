/**
 * The part of `uwas check` that asks PostgreSQL: migrations, tables and statements. Where migrations are not applied
 * yet, the others are proved in a database for a while, in which they are. Called by `check.ts`.
 */
import { isCodedError, withCode } from '../core/errors.ts'
import { createLog, type Log } from '../core/log.ts'
import type { Database } from '../model/database.ts'
import { sqlStateOf } from '../model/failures.ts'
import { findFullScans } from '../model/full-scans.ts'
import { migrate, migrationStatus, previewMigrations } from '../model/migrate.ts'
import { planUp } from '../model/migration-plan.ts'
import { createOwnTables, pendingOwnSteps } from '../model/own-tables.ts'
import { compareSchema, NOT_THERE } from '../model/schema/diff.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import type { Statement } from '../model/statement.ts'
import { declaredStatements } from '../model/statement-registry.ts'
import { declaredTables } from '../model/table/registry.ts'
import { checkStatements } from '../model/warm.ts'
import type { SiteConfig } from '../was/config.ts'
import { ownDatabase } from '../was/own-database.ts'
import { type Findings, part } from './check-findings.ts'
import { count } from './count.ts'
import { withDatabase } from './migrate.ts'

export async function checkData(config: SiteConfig, log: Log, findings: Findings): Promise<void> {
  if (config.database === null) {
    for (const { name } of declaredStatements()) {
      findings.problems.push(`statement ${name}: the site has no database; set the key "database"`)
    }
    return
  }
  const own = ownDatabase(config)
  const statements = [...declaredStatements(), ...own.statements]
  await withDatabase(config, log, async (database) => {
    const ownPending = await pendingOwnSteps(database, own.steps)
    const state = await checkMigrations(config, database, findings)
    if (state === 'wrong') return
    for (const name of ownPending) {
      findings.warnings.push(
        `uwas's own tables (${name}) are missing; "uwas migrate" or the next start makes them`,
      )
    }
    if (state === 'current' && ownPending.length === 0) await prove(database, statements, findings)
    else await proveInScratch(config, database, statements, findings)
  })
}

async function prove(
  database: Database,
  statements: readonly Statement[],
  findings: Findings,
): Promise<void> {
  const missing: string[] = []
  await part(findings, async () => void missing.push(...(await checkSchema(database, findings))))
  const found = await checkStatements(database, statements)
  // A table that is not there is one problem, not one for each statement of it.
  const others = found.filter((error) => !missing.some((table) => isForWantOf(table, error)))
  findings.problems.push(...others.map(withCode))
  if (found.length === 0) findings.proved.push(count(statements.length, 'statement'))
  for (const { statement, table, rows, filter } of await findFullScans(database, statements)) {
    findings.warnings.push(
      `statement ${statement} reads all of ${table}, about ${rows} rows, to find some: no index serves ${filter}`,
    )
  }
}

function isForWantOf(table: string, error: Error): boolean {
  return sqlStateOf(error) === '42P01' && error.message.includes(`"${table}"`)
}

/** In a database that gets all migrations from the first one on. Whatever happens, it goes. */
async function proveInScratch(
  config: SiteConfig,
  beside: Database,
  statements: readonly Statement[],
  findings: Findings,
): Promise<void> {
  const scratch = await openScratch(beside, findings)
  if (scratch === null) return
  const { database } = scratch
  const log = createLog(() => {})
  try {
    await createOwnTables(database, ownDatabase(config).steps, { log })
    if (config.migrations !== null) await migrate(database, config.migrations, { log })
    await prove(database, statements, findings)
  } finally {
    await scratch.drop()
  }
}

/** There is none to be had: no right to make one, or no way around a pooler. */
const NO_SCRATCH = new Set(['UWAS_ERR_MODEL_SCRATCH', 'UWAS_ERR_MODEL_SESSION'])

async function openScratch(beside: Database, { problems }: Findings): Promise<Scratch | null> {
  try {
    return await createScratch(beside)
  } catch (error) {
    if (!isCodedError(error) || !NO_SCRATCH.has(error.code)) throw error
    problems.push(
      `tables and statements cannot be checked before all migrations are applied: run "uwas migrate" first (${withCode(error)})`,
    )
    return null
  }
}

/** Tables as they are declared, held against those that are there; gives the names of those that are not. */
async function checkSchema(database: Database, findings: Findings): Promise<string[]> {
  const tables = declaredTables()
  if (tables.length === 0) return []
  const { problems, warnings, proved } = findings
  const found = (await compareSchema(database, tables)).filter(({ problem }) => problem !== null)
  for (const { table, problem, level } of found) {
    const text = `table ${table} ${problem}; draft the change with "uwas migration NAME"`
    if (level === 'problem') problems.push(text)
    else warnings.push(text)
  }
  if (!found.some(({ level }) => level === 'problem')) proved.push(count(tables.length, 'table'))
  return found.filter(({ problem }) => problem === NOT_THERE).map(({ table }) => table)
}

/** `behind`: what is missing can be applied; `wrong`: nobody knows which schema statements are written for. */
async function checkMigrations(
  { migrations }: SiteConfig,
  database: Database,
  { problems, warnings, proved }: Findings,
): Promise<'current' | 'behind' | 'wrong'> {
  if (migrations === null) return 'current'
  const all = await migrationStatus(database, migrations)
  const wrong = all.filter(({ state }) => state === 'changed' || state === 'missing')
  for (const { name, state } of wrong) problems.push(`migration ${name} is ${state}`)
  if (wrong.length > 0) return 'wrong'
  const pending = all.filter(({ state }) => state === 'pending')
  for (const { name } of pending) {
    warnings.push(`migration ${name} is pending; "uwas migrate" or the next start applies it`)
  }
  // What cannot be applied as things are, is told.
  if (pending.length > 0) await previewMigrations(database, migrations, planUp())
  proved.push(count(all.length, 'migration'))
  return pending.length > 0 ? 'behind' : 'current'
}
