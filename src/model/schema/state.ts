/**
 * What PostgreSQL has of a table, read from its catalogue; and what it would have of a declared one, by making it
 * as a temporary table and reading that: so types, defaults and expressions are compared in PostgreSQL's own
 * words. Called by `diff.ts`. PostgreSQL 18, chapter 52.
 */
import { createError } from '../../core/errors.ts'
import type { Connection } from '../connection.ts'
import { isConnectionFailure, problemOf } from '../failures.ts'
import { quoteName } from '../table/columns.ts'
import type { AnyTable } from '../table/table.ts'
import { checksOf, columnSql } from './ddl.ts'

export interface ColumnState {
  readonly name: string
  /** With its modifiers: `numeric(12,2)`. */
  readonly type: string
  /** pg_type.oid */
  readonly oid: number
  readonly isNotNull: boolean
  /** The default's expression, or that of a generated column. */
  readonly expression: string | null
  readonly isIdentity: boolean
  readonly isComputed: boolean
}

export interface ForeignKey {
  readonly column: string
  /** `users.id` */
  readonly to: string
}

export interface TableState {
  /** False of a view, which has no rules of its own. */
  readonly isTable: boolean
  readonly columns: readonly ColumnState[]
  /** Names of the columns of each valid index, unique ones apart; without conditions and expressions. */
  readonly unique: readonly (readonly string[])[]
  readonly indexes: readonly (readonly string[])[]
  readonly checks: readonly string[]
  readonly foreignKeys: readonly ForeignKey[]
}

/** Undefined when there is no such table. */
export async function readState(
  connection: Connection,
  regclass: string,
): Promise<TableState | undefined> {
  const ask = async (sql: string) => (await connection.run(sql, [regclass])).rows
  const [kind] = (await ask('select relkind from pg_class where oid = to_regclass($1)'))[0] ?? []
  if (kind == null) return undefined
  const indexes = (await ask(INDEXES)).map(([isUnique, names]) => ({
    isUnique: isUnique === 't',
    names: JSON.parse(names as string) as string[],
  }))
  return {
    isTable: kind === 'r' || kind === 'p',
    columns: (await ask(COLUMNS)).map(readColumnState),
    unique: indexes.filter(({ isUnique }) => isUnique).map(({ names }) => names),
    indexes: indexes.map(({ names }) => names),
    checks: (await ask(CHECKS)).map(([text]) => text as string),
    foreignKeys: (await ask(FOREIGN_KEYS)).map(([column, to]) => ({
      column: column as string,
      to: to as string,
    })),
  }
}

function readColumnState(row: readonly (string | null)[]): ColumnState {
  const [name, type, oid, isNotNull, expression, isIdentity, isComputed] = row
  return {
    name: name as string,
    type: type as string,
    oid: Number(oid),
    isNotNull: isNotNull === 't',
    expression: expression ?? null,
    isIdentity: isIdentity === 't',
    isComputed: isComputed === 't',
  }
}

/**
 * What a declared table would be, without its foreign keys and indexes. Inside a transaction, which is rolled
 * back. UWAS_ERR_MODEL_TABLE when PostgreSQL would not make it.
 */
export async function declaredState(connection: Connection, table: AnyTable): Promise<TableState> {
  const parts = table.target.columns.map((each) => columnSql(table, each))
  for (const [name, condition] of checksOf(table)) {
    parts.push(`constraint ${quoteName(name)} check (${condition})`)
  }
  try {
    await connection.simple(
      `savepoint declared; create temp table uwas_declared (${parts.join(', ')})`,
    )
    return (await readState(connection, 'pg_temp.uwas_declared')) as TableState
  } catch (error) {
    if (isConnectionFailure(error)) throw error
    const problem = `PostgreSQL could not make it: ${problemOf(error)}`
    throw createError('UWAS_ERR_MODEL_TABLE', { table: table.name, problem }, error)
  } finally {
    await connection.simple('rollback to savepoint declared').catch(() => {})
  }
}

/** Tables of the search path that no declared one stands for, by name; ours are not among them. */
export async function otherTables(
  connection: Connection,
  declared: readonly string[],
): Promise<string[]> {
  const { rows } = await connection.simple(
    `select relname from pg_class where relkind in ('r', 'p') and pg_table_is_visible(oid)
    and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'uwas')
    and relname !~ '^uwas_' order by relname`,
  )
  return rows.map(([name]) => name as string).filter((name) => !declared.includes(name))
}

const COLUMNS = `select a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '', a.attgenerated <> ''
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`

const INDEXES = `select indisunique, (
    select json_agg(a.attname order by k.place) from unnest(indkey::int2[]) with ordinality as k (number, place)
    join pg_attribute a on a.attrelid = indrelid and a.attnum = k.number where k.place <= indnkeyatts
  )
  from pg_index where indrelid = to_regclass($1) and indisvalid and indpred is null and indexprs is null`

const CHECKS = `select pg_get_constraintdef(oid) from pg_constraint
  where conrelid = to_regclass($1) and contype = 'c' order by conname`

const FOREIGN_KEYS = `select a.attname, r.relname || '.' || f.attname from pg_constraint c
  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
  join pg_class r on r.oid = c.confrelid
  join pg_attribute f on f.attrelid = c.confrelid and f.attnum = c.confkey[1]
  where c.conrelid = to_regclass($1) and c.contype = 'f' and cardinality(c.conkey) = 1`
