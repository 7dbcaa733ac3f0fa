/** Rows of text → objects of a declared shape. Made once a prepared statement, by `statement.ts`. */
import { createError } from '../core/errors.ts'
import type { Column, TextRow } from './connection.ts'
import { problemOf } from './failures.ts'
import { FIRST_USER_OID, type Shape, type Type } from './types.ts'

export type RowReader = (row: TextRow) => Record<string, unknown>

/** Throws UWAS_ERR_MODEL_COLUMNS when `columns` are not those of `shape`. */
export function createReader(
  statement: string,
  shape: Shape,
  columns: readonly Column[],
): RowReader {
  const problem = columnProblem(shape, columns)
  if (problem !== undefined) throw createError('UWAS_ERR_MODEL_COLUMNS', { statement, problem })
  const cells = Object.entries(shape).map(([name, type]) => ({
    name,
    type,
    index: columns.findIndex((column) => column.name === name),
  }))
  return (row) => {
    const values: Record<string, unknown> = {}
    for (const { name, type, index } of cells) {
      values[name] = readCell(statement, name, type, row[index] ?? null)
    }
    return values
  }
}

/** What is wrong between a declared row and the columns that PostgreSQL gives, or undefined. */
export function columnProblem(shape: Shape, columns: readonly Column[]): string | undefined {
  const declared = Object.keys(shape)
  const actual = columns.map((column) => column.name)
  const twice = actual.find((name, i) => actual.indexOf(name) !== i)
  if (twice !== undefined) return `two of its columns are named ${twice}; name one with AS`
  const extra = actual.filter((name) => !Object.hasOwn(shape, name))
  const absent = declared.filter((name) => !actual.includes(name))
  if (extra.length > 0 || absent.length > 0) {
    const parts = [
      extra.length > 0 ? `it returns ${extra.join(', ')}, which its row does not declare` : '',
      absent.length > 0 ? `its row declares ${absent.join(', ')}, which it does not return` : '',
    ]
    return parts.filter((part) => part !== '').join('; ')
  }
  for (const { name, type } of columns) {
    const declaredType = shape[name] as Type<unknown>
    if (!accepts(declaredType.columns, type)) {
      return `column ${name} is declared ${declaredType.name}, but PostgreSQL gives ${typeName(type)}`
    }
  }
  return undefined
}

/** What is wrong between declared parameters and those that PostgreSQL sees, or undefined. */
export function paramProblem(shape: Shape, oids: readonly number[]): string | undefined {
  const declared = Object.entries(shape)
  if (declared.length !== oids.length) {
    return `it declares ${declared.length} parameter(s), but its SQL uses ${oids.length}`
  }
  for (const [i, [key, type]] of declared.entries()) {
    const oid = oids[i] as number
    if (!accepts(type.params, oid)) {
      return `parameter ${key} ($${i + 1}) is declared ${type.name}, but PostgreSQL expects ${typeName(oid)}`
    }
  }
  return undefined
}

/** An enum's or extension's type has an oid of its own in each database: it is believed. */
function accepts(oids: readonly number[] | null, oid: number): boolean {
  return oids === null || oid >= FIRST_USER_OID || oids.includes(oid)
}

const TYPE_NAMES = new Map<number, string>([
  [16, 'boolean'],
  [17, 'bytea'],
  [20, 'bigint'],
  [21, 'smallint'],
  [23, 'integer'],
  [25, 'text'],
  [114, 'json'],
  [700, 'real'],
  [701, 'double precision'],
  [1042, 'character'],
  [1043, 'character varying'],
  [1082, 'date'],
  [1114, 'timestamp without time zone'],
  [1184, 'timestamp with time zone'],
  [1186, 'interval'],
  [1700, 'numeric'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
])

function typeName(oid: number): string {
  return TYPE_NAMES.get(oid) ?? `the type with oid ${oid}`
}

function readCell(
  statement: string,
  column: string,
  type: Type<unknown>,
  text: string | null,
): unknown {
  if (text === null) {
    if (type.nullable) return null
    const problem = `it is NULL; declare it nullable(${type.name})`
    throw createError('UWAS_ERR_MODEL_VALUE', { statement, column, problem })
  }
  try {
    return type.decode(text)
  } catch (error) {
    const problem = problemOf(error)
    throw createError('UWAS_ERR_MODEL_VALUE', { statement, column, problem }, error)
  }
}
