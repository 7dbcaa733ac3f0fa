/**
 * Statements that look for rows by reading a whole large table: what is quick on a developer's machine and slow with a
 * year's data. By PostgreSQL's plan for any values and its statistics; nothing is run. Called by `uwas check`.
 */
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isConnectionFailure, translate } from './failures.ts'
import { bareSql } from './sql-token.ts'
import type { Statement } from './statement.ts'

export interface FullScan {
  readonly statement: string
  /** `public.notes` */
  readonly table: string
  /** About how many it has. */
  readonly rows: number
  /** By what it looks, as PostgreSQL writes it: `(author_id = $1)`. */
  readonly filter: string
}

/** What a plan in JSON has of this (PostgreSQL 18, EXPLAIN). */
interface PlanNode {
  readonly 'Node Type': string
  readonly Schema?: string
  readonly 'Relation Name'?: string
  readonly Filter?: string
  readonly Plans?: readonly PlanNode[]
}

/** A table of fewer rows is read in a few milliseconds. */
const LARGE_ROWS = 10_000
/** What EXPLAIN takes, and what a site runs for its requests. */
const PLANNED = /^(?:select|with|insert|update|delete|merge|values)\b/i

/** In order of declaration. Empty before PostgreSQL 16, which cannot plan for any values. Rejects with UWAS_ERR_MODEL_UNAVAILABLE. */
export async function findFullScans(
  db: Database,
  statements: readonly Statement[],
): Promise<FullScan[]> {
  const connection = await db.openSeparate()
  try {
    const sizes = await sizesOf(connection)
    if (sizes.size === 0) return []
    const found: FullScan[] = []
    for (const { name, sql } of statements) {
      if (!PLANNED.test(bareSql(sql).text)) continue
      for (const { table, filter } of scansIn(await planOf(connection, sql))) {
        const rows = sizes.get(table)
        if (rows !== undefined) found.push({ statement: name, table, rows, filter })
      }
    }
    return found
  } catch (error) {
    throw translate(error, 'looking at plans', connection.where)
  } finally {
    await connection.close(1000)
  }
}

/** Large tables, and about how many rows they have. */
async function sizesOf(connection: Connection): Promise<Map<string, number>> {
  const { rows } = await connection.run(
    `select nspname || '.' || relname, reltuples::bigint
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'm') and reltuples >= $1::bigint`,
    [String(LARGE_ROWS)],
  )
  return new Map(rows.map(([name, count]) => [String(name), Number(count)]))
}

/** Undefined for what cannot be planned: then it is told elsewhere that it cannot be prepared. */
async function planOf(connection: Connection, sql: string): Promise<PlanNode | undefined> {
  try {
    const text = `explain (generic_plan, verbose, format json) ${sql}`
    const [[json] = []] = (await connection.simple(text)).rows
    return (JSON.parse(String(json)) as { Plan: PlanNode }[])[0]?.Plan
  } catch (error) {
    if (isConnectionFailure(error)) throw error
    return undefined
  }
}

/** Without a filter it is meant to read all. */
function scansIn(node: PlanNode | undefined): { table: string; filter: string }[] {
  if (node === undefined) return []
  const below = (node.Plans ?? []).flatMap(scansIn)
  const { 'Node Type': type, Filter: filter, Schema: schema, 'Relation Name': name } = node
  if (type !== 'Seq Scan' || filter === undefined) return below
  return [{ table: `${schema}.${name}`, filter }, ...below]
}
