/** SQL of a table's standard statements. Parameters stand in the order of the columns given. */
import type { ColumnInfo } from './columns.ts'

/** A table's name and columns, ready for SQL. */
export interface Target {
  /** As it stands in SQL, and as PostgreSQL has it: `schema.table`, or `table` of the search path. */
  readonly quoted: string
  readonly name: string
  readonly columns: readonly ColumnInfo[]
  readonly key: readonly ColumnInfo[]
}

/** `"id", "created_at" as "createdAt"`: every column under its key. */
export function selectList({ columns }: Target): string {
  return columns
    .map(({ key, name, quoted }) => (key === name ? quoted : `${quoted} as "${key}"`))
    .join(', ')
}

export function selectByKey(target: Target): string {
  return `select ${selectList(target)} from ${target.quoted} where ${keyIs(target, 1)}`
}

/** `wait` is empty, ` nowait` or ` skip locked`. */
export function lockByKey(target: Target, strength: string, wait: string): string {
  return `${selectByKey(target)} for ${strength}${wait}`
}

/** `$1` is an array of values of one column. */
export function selectByAny(target: Target, by: ColumnInfo, order: string): string {
  return `select ${selectList(target)} from ${target.quoted} where ${by.quoted} = any($1)${order}`
}

/** `$1` is the limit; behind it the values of the order's columns in the row that came last. */
/** Rows as PostgreSQL's planner reckons them; counted where the table is small, or nothing is known of it yet. */
export function estimate({ quoted }: Target): string {
  const table = `'${quoted.replaceAll("'", "''")}'::regclass`
  return `select coalesce(
    (select case when sum(size) > ${COUNTED_BYTES} then round(sum(density * size)) end from (
      select pg_relation_size(oid) as size, case
          when reltuples >= 0 and relpages > 0
            then reltuples / (relpages * current_setting('block_size')::float8)
          when pg_relation_size(oid) = 0 then 0 end as density
      from pg_class where oid = ${table}
        or oid in (select relid from pg_partition_tree(${table}) where isleaf)
    ) as parts having bool_and(density is not null)),
    (select count(*) from ${quoted}))::bigint as rows`
}

/** Up to this size it takes a few milliseconds to count. */
const COUNTED_BYTES = 1024 * 1024

export function selectPage(
  target: Target,
  order: readonly ColumnInfo[],
  isDescending: boolean,
  isFirst: boolean,
): string {
  const names = order.map(({ quoted }) => quoted)
  const values = names.map((_, i) => `$${i + 2}`)
  const sign = isDescending ? '<' : '>'
  const after = isFirst ? '' : ` where (${names.join(', ')}) ${sign} (${values.join(', ')})`
  const direction = isDescending ? ' desc' : ''
  const by = names.map((name) => name + direction).join(', ')
  return `select ${selectList(target)} from ${target.quoted}${after} order by ${by} limit $1`
}

export function insertRow(target: Target, given: readonly ColumnInfo[]): string {
  return `${insertInto(target, given)} returning ${selectList(target)}`
}

/** The row as given takes the place of one that is alike in `by`. */
export function upsertRow(
  target: Target,
  given: readonly ColumnInfo[],
  by: readonly ColumnInfo[],
): string {
  return `${insertInto(target, given)}${onConflict(target, given, by)} returning ${selectList(target)}`
}

/** Each parameter is an array, one element a row. */
export function insertMany(target: Target, given: readonly ColumnInfo[]): string {
  return `${insertUnnested(target, given)} returning ${selectList(target)}`
}

export function upsertMany(
  target: Target,
  given: readonly ColumnInfo[],
  by: readonly ColumnInfo[],
): string {
  return `${insertUnnested(target, given)}${onConflict(target, given, by)} returning ${selectList(target)}`
}

function insertUnnested(target: Target, given: readonly ColumnInfo[]): string {
  const names = given.map(({ quoted }) => quoted).join(', ')
  const arrays = given.map((each, i) => `$${i + 1}::${isArray(each) ? 'text' : each.sqlType}[]`)
  // unnest takes an array of arrays apart to its last element: inner ones go as texts.
  const cells = given.map((each, i) => (isArray(each) ? `c${i}::${each.sqlType}` : `c${i}`))
  const columns = given.map((_, i) => `c${i}`)
  return `insert into ${target.quoted} (${names}) select ${cells.join(', ')} from unnest(${arrays.join(', ')}) as r (${columns.join(', ')})`
}

export function isArray({ sqlType }: ColumnInfo): boolean {
  return sqlType?.endsWith('[]') === true
}

function onConflict(
  { key }: Target,
  given: readonly ColumnInfo[],
  by: readonly ColumnInfo[],
): string {
  const others = given.filter((each) => !by.includes(each) && !key.includes(each))
  // Something has to be set, or PostgreSQL returns no row.
  const changed = others.length > 0 ? others : by
  const names = by.map(({ quoted }) => quoted).join(', ')
  const sets = changed.map(({ quoted }) => `${quoted} = excluded.${quoted}`).join(', ')
  return ` on conflict (${names}) do update set ${sets}`
}

/** First the key, then for each column whether it changes and to what. */
export function updateRow(target: Target, changeable: readonly ColumnInfo[]): string {
  const from = target.key.length
  const sets = changeable.map(({ quoted }, i) => {
    const flag = from + 2 * i + 1
    return `${quoted} = case when $${flag}::boolean then $${flag + 1} else ${quoted} end`
  })
  return `update ${target.quoted} set ${sets.join(', ')} where ${keyIs(target, 1)} returning ${selectList(target)}`
}

export function deleteRow(target: Target): string {
  return `delete from ${target.quoted} where ${keyIs(target, 1)}`
}

function insertInto({ quoted }: Target, given: readonly ColumnInfo[]): string {
  if (given.length === 0) return `insert into ${quoted} default values`
  const names = given.map((each) => each.quoted).join(', ')
  const values = given.map((_, i) => `$${i + 1}`).join(', ')
  return `insert into ${quoted} (${names}) values (${values})`
}

function keyIs({ key }: Target, from: number): string {
  return key.map(({ quoted }, i) => `${quoted} = $${from + i}`).join(' and ')
}
