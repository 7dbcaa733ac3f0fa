/** SQL that makes what tables declare. Called by `state.ts` for a table to compare with, by `diff.ts` for drafts. */
import { type ColumnInfo, quoteName, tableError } from '../table/columns.ts'
import type { AnyTable } from '../table/table.ts'

/** The definition of a column: `"price" numeric not null default 0`. Throws UWAS_ERR_MODEL_TABLE. */
export function columnSql(table: AnyTable, column: ColumnInfo): string {
  return [column.quoted, typeSql(table, column), ...columnRules(column)].join(' ')
}

/** Throws UWAS_ERR_MODEL_TABLE where nothing says what type a column of it has. */
export function typeSql({ name }: AnyTable, { key, type, sqlType }: ColumnInfo): string {
  if (sqlType !== null) return sqlType
  // Texts of a few kinds; a type of the database's own has to be named.
  if (type.choices !== null) return 'text'
  throw tableError(name, `its column ${key} (${type.name}) has no sqlType to make it with`)
}

function columnRules({ type, options: { generated, default: byDefault } }: ColumnInfo): string[] {
  const rules = type.nullable ? [] : ['not null']
  if (typeof generated === 'string') rules.push(`generated always as (${generated}) stored`)
  else if (generated === true) rules.push('generated always as identity')
  if (typeof byDefault === 'string') rules.push(`default ${byDefault}`)
  return rules
}

/** Conditions by the names of their constraints: those declared, and the texts that `pg.oneOf` allows. */
export function checksOf({ target, schema }: AnyTable): ReadonlyMap<string, string> {
  const base = tableOf(target.name)
  const checks = Object.entries(schema.checks).map(([name, condition]): [string, string] => [
    `${base}_${name}_check`,
    condition,
  ])
  for (const { name, quoted, type, sqlType } of target.columns) {
    if (type.choices === null || sqlType !== null) continue
    const texts = type.choices.map((each) => `'${each.replaceAll("'", "''")}'`)
    checks.push([`${base}_${name}_check`, `${quoted} in (${texts.join(', ')})`])
  }
  return new Map(checks)
}

/** As PostgreSQL would name it: `posts_author_id_fkey`. */
export function constraintName(
  table: string,
  columns: readonly ColumnInfo[],
  ending: string,
): string {
  return [tableOf(table), ...columns.map(({ name }) => name), ending].join('_')
}

/** Without its schema. */
export function tableOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

export function namesOf(columns: readonly ColumnInfo[]): string {
  return columns.map(({ quoted }) => quoted).join(', ')
}

/** `users.email` → its table and column in SQL; the column is `id` where none is named. */
export function referenceOf({ options }: ColumnInfo): {
  readonly table: string
  readonly column: string
  readonly onDelete: string | null
} | null {
  const { references, onDelete = null } = options
  if (references === undefined) return null
  const [table = '', column = 'id'] = references.split('.')
  return { table, column, onDelete }
}

export function foreignKeySql(table: AnyTable, column: ColumnInfo): string {
  const found = referenceOf(column)
  if (found === null) return ''
  const { onDelete } = found
  const name = quoteName(constraintName(table.target.name, [column], 'fkey'))
  const then = onDelete === null ? '' : ` on delete ${onDelete}`
  return `constraint ${name} foreign key (${column.quoted}) references ${quoteName(found.table)} (${quoteName(found.column)})${then}`
}
