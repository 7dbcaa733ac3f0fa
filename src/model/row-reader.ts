/**
 * Rows as PostgreSQL sends them → objects of a declared shape, by a function generated for the shape. Made
 * once a prepared statement, by `statement.ts`.
 */
import { createError } from '../core/errors.ts'
import { readInt, readText } from './cells.ts'
import { problemOf } from './failures.ts'
import { FIRST_USER_OID, type Shape, type Type } from './types.ts'
import { int16At, int32At } from './wire/input.ts'
import type { Column } from './wire/task.ts'

/** `at` is where the row's number of cells stands. Throws UWAS_ERR_MODEL_VALUE. */
export type RowReader = (buffer: Buffer, at: number) => Record<string, unknown>

/** A column with what reads it. */
interface Cell {
  readonly name: string
  readonly type: Type<unknown>
}

/** Throws UWAS_ERR_MODEL_COLUMNS when `columns` are not those of `shape`. */
export function createReader(
  statement: string,
  shape: Shape,
  columns: readonly Column[],
): RowReader {
  const problem = columnProblem(shape, columns)
  if (problem !== undefined) throw createError('UWAS_ERR_MODEL_COLUMNS', { statement, problem })
  const cells = columns.map(({ name }) => ({ name, type: shape[name] as Type<unknown> }))
  const names = Object.keys(shape)
  const careful: RowReader = (buffer, at) => readCarefully(statement, cells, names, buffer, at)
  const quick = generateReader(cells, names)
  if (quick === undefined) return careful
  return (buffer, at) => {
    try {
      return quick(buffer, at)
    } catch {
      return careful(buffer, at)
    }
  }
}

/**
 * One statement a column, one object literal: every row has the same hidden class. Undefined where the
 * process may not make code (`--disallow-code-generation-from-strings`).
 */
function generateReader(cells: readonly Cell[], names: readonly string[]): RowReader | undefined {
  const lines = cells.map(({ type }, i) => {
    const none = type.nullable ? 'null' : 'none()'
    return `n = (b[at] << 24) | (b[at + 1] << 16) | (b[at + 2] << 8) | b[at + 3]; at += 4
if (n < 0) v${i} = ${none}
else { ${cellCode(type, i)}; at += n }`
  })
  const pairs = names.map((name) => {
    const index = cells.findIndex((cell) => cell.name === name)
    return `${keyCode(name)}: v${index}`
  })
  const variables = ['n', ...cells.map((_, i) => `v${i}`)].join(', ')
  const code = `return (b, at) => {
let ${variables}
at += 2
${lines.join('\n')}
return { ${pairs.join(', ')} }
}`
  try {
    const make = new Function('decode', 'text', 'int', 'none', code)
    return make(
      cells.map(
        ({ type }) =>
          (value: string) =>
            type.decode(value),
      ),
      readText,
      readInt,
      refuseNull,
    )
  } catch {
    return undefined
  }
}

/**
 * Plain keys make objects of just their size: a row of two columns takes 40 bytes, 58 with keys in brackets, which only
 * `__proto__` needs to be a name like any other.
 */
function keyCode(name: string): string {
  const key = JSON.stringify(name)
  return name === '__proto__' ? `[${key}]` : key
}

function cellCode(type: Type<unknown>, i: number): string {
  const text = 'text(b, at, at + n)'
  switch (type.cell) {
    case 'text':
      return `v${i} = ${text}`
    case 'bool':
      return `v${i} = b[at] === 116`
    case 'int':
      return `v${i} = int(b, at, at + n); if (v${i} !== v${i}) v${i} = decode[${i}](${text})`
    case 'other':
      return `v${i} = decode[${i}](${text})`
  }
}

function refuseNull(): never {
  throw new TypeError('NULL')
}

/** The same cell by cell, with an error that names the column. */
function readCarefully(
  statement: string,
  cells: readonly Cell[],
  names: readonly string[],
  buffer: Buffer,
  at: number,
): Record<string, unknown> {
  const values = new Map<string, unknown>()
  let from = at + 2
  for (let i = 0; i < int16At(buffer, at); i++) {
    const { name, type } = cells[i] as Cell
    const length = int32At(buffer, from)
    from += 4
    const text = length < 0 ? null : readText(buffer, from, from + length)
    if (length > 0) from += length
    values.set(name, readCell(statement, name, type, text))
  }
  return Object.fromEntries(names.map((name) => [name, values.get(name)]))
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
export function accepts(oids: readonly number[] | null, oid: number): boolean {
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
