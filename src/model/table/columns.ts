/**
 * The columns of a table as a site declares them, and the TypeScript types that follow: of a row, of what
 * an insert takes, of what an update may change. Used by `table.ts`.
 */
import type { ZodType } from 'zod'
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import type { Type } from '../types.ts'

/** What is to be said of a column beyond its type. */
export interface ColumnOptions {
  /** The column's name in PostgreSQL. Default: the key, with `_` before each capital: `createdAt` is `created_at`. */
  readonly name?: string
  /**
   * PostgreSQL alone makes its values (`generated always`): neither inserts nor updates take it. True: an
   * identity, in drafts of migrations; a text is the expression in SQL that it is computed by.
   */
  readonly generated?: boolean | string
  /** It has a default in PostgreSQL: an insert may leave it out. A text is that default in SQL: `'now()'`. */
  readonly default?: boolean | string
  /** The column of another table that it names, in SQL: `'users'` (its `id`) or `'users.email'`. */
  readonly references?: string
  /** What becomes of the row when that one goes; default: PostgreSQL refuses to remove it. */
  readonly onDelete?: 'cascade' | 'set null' | 'restrict'
  /** What a value that comes from outside has to be, beyond its type. Default: anything of the type. */
  readonly check?: ZodType
  /** Its type in SQL, for drafts of migrations and for types of your own. Default: by the type, as `text`. */
  readonly sqlType?: string
}

/** A column of a table: `column(type, options)`. */
export interface Column<T, G extends boolean, D extends boolean> {
  readonly type: Type<T>
  readonly options: ColumnOptions
  /** Never set: hold what an insert may leave out. */
  readonly isGenerated?: G
  readonly hasDefault?: D
}

/** Columns by key; a type alone is a column without options. */
export type Columns = {
  // biome-ignore lint/suspicious/noExplicitAny: columns hold values of any type
  readonly [key: string]: Type<any> | Column<any, boolean, boolean>
}

type ValueOf<C> =
  C extends Column<infer T, boolean, boolean> ? T : C extends Type<infer T> ? T : never

type GeneratedKeys<C extends Columns> = {
  [K in keyof C]: C[K] extends Column<infer _, true, boolean> ? K : never
}[keyof C]

type OptionalKeys<C extends Columns> = {
  [K in keyof C]: C[K] extends Column<infer _, boolean, true>
    ? K
    : null extends ValueOf<C[K]>
      ? K
      : never
}[keyof C]

type Flat<T> = { [K in keyof T]: T[K] }

/** A row of the table. */
export type Row<C extends Columns> = { -readonly [K in keyof C]: ValueOf<C[K]> }

/** What an insert takes: columns with a default, or that may be NULL, may be left out. */
export type Insert<C extends Columns> = Flat<
  {
    readonly [K in Exclude<keyof C, GeneratedKeys<C> | OptionalKeys<C>>]: ValueOf<C[K]>
  } & {
    readonly [K in Exclude<OptionalKeys<C>, GeneratedKeys<C>>]?: ValueOf<C[K]> | undefined
  }
>

/** What an update may change: everything but the key and what PostgreSQL makes. */
export type Changes<C extends Columns, K extends keyof C> = {
  readonly [N in Exclude<keyof C, GeneratedKeys<C> | K>]?: ValueOf<C[N]> | undefined
}

/** A column with what is to be said of it. */
export function column<T, const O extends ColumnOptions = Record<never, never>>(
  type: Type<T>,
  options?: O,
): Column<
  T,
  O extends { generated: true | string } ? true : false,
  O extends { default: true | string } ? true : false
> {
  return { type, options: options ?? {} }
}

/** A column, complete. */
export interface ColumnInfo {
  readonly key: string
  /** In PostgreSQL, and as it stands in SQL. */
  readonly name: string
  readonly quoted: string
  readonly type: Type<unknown>
  readonly sqlType: string | null
  readonly isGenerated: boolean
  readonly hasDefault: boolean
  readonly check: ZodType | null
  /** As declared, for `schema/`. */
  readonly options: ColumnOptions
}

const OPTIONS = ['name', 'generated', 'default', 'references', 'onDelete', 'check', 'sqlType']

const ON_DELETE = ['cascade', 'set null', 'restrict']

/** Throws UWAS_ERR_MODEL_TABLE. */
export function readColumns(table: string, columns: Columns): ColumnInfo[] {
  const infos = Object.entries(columns).map(([key, each]) => readColumn(table, key, each))
  if (infos.length === 0) throw tableError(table, 'it has no columns')
  const names = infos.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw tableError(table, `two of its columns are named ${twice}`)
  return infos
}

function readColumn(table: string, key: string, given: Columns[string]): ColumnInfo {
  if (/^\d+$/.test(key)) throw tableError(table, `${key} cannot be a key; it must not be a number`)
  const { type, options } = 'options' in given ? given : { type: given, options: {} }
  refuseUnknown(table, `its column ${key}`, options, OPTIONS)
  const { references, onDelete } = options
  if (references !== undefined && !/^[^.]+(?:\.[^.]+)?$/.test(references)) {
    throw tableError(
      table,
      `its column ${key} references "${references}"; it must be a table, or table.column`,
    )
  }
  if (onDelete !== undefined && (references === undefined || !ON_DELETE.includes(onDelete))) {
    throw tableError(
      table,
      `onDelete of its column ${key} goes with references; it is one of: ${ON_DELETE.join(', ')}`,
    )
  }
  const name = options.name ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return {
    key,
    name,
    quoted: quoteName(name),
    type: type as Type<unknown>,
    sqlType: options.sqlType ?? type.sqlType,
    isGenerated: (options.generated ?? false) !== false,
    hasDefault: (options.default ?? false) !== false,
    check: options.check ?? null,
    options,
  }
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function tableError(table: string, problem: string): Error {
  return createError('UWAS_ERR_MODEL_TABLE', { table, problem })
}

/** Throws UWAS_ERR_MODEL_TABLE for an option that is none of `known`. `what` is of the table: `list`. */
export function refuseUnknown(
  table: string,
  what: string,
  options: object,
  known: readonly string[],
): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const hint = hintNearest(unknown, known)
  throw tableError(table, `${what} has the unknown option "${unknown}"${hint}`)
}
