/**
 * What rows of one table have to do with rows of another: declared once, then loaded for a whole list with
 * one statement each, instead of one a row. Used by sites beside `table.ts`.
 */
import { handled } from '../../core/handled.ts'
import { type Queryable, type Statement, statement } from '../statement.ts'
import { array, type Shape } from '../types.ts'
import { given } from './any.ts'
import { type ColumnInfo, type Columns, type Row, tableError } from './columns.ts'
import * as sql from './sql.ts'
import type { Table } from './table.ts'

/** Loads what belongs to rows. `T` is what each row gets, `R` what the rows need to have. */
export interface Relation<R, T> {
  /** One for each row, in the order of the rows. */
  load(on: Queryable, rows: readonly R[]): Promise<T[]>
}

/** Relations by the name under which each row gets what they load. */
type Relations<R> = Readonly<Record<string, Relation<R, unknown>>>

type Loaded<R, L extends Relations<R>> = R & {
  [N in keyof L]: L[N] extends Relation<R, infer T> ? T : never
}

/**
 * The one row of `parent` that a row names by `column`; null where the column is NULL or the row is gone.
 * `belongsTo('posts.author', 'authorId', users)`: each post's author. `name` names the statement.
 */
export function belongsTo<N extends string, C extends Columns, K extends keyof C & string>(
  name: string,
  column: N,
  parent: Table<C, K>,
): Relation<Readonly<Record<N, Row<C>[K] | null>>, Row<C> | null> {
  const [key, ...others] = parent.target.key
  if (key === undefined || others.length > 0) {
    throw tableError(
      parent.name,
      `${name} cannot name a row of it by one column: its key has several`,
    )
  }
  const byKeys = byAny(name, parent.target, parent.shape, key, '')
  return {
    load: loader(async (on, rows) => {
      const found = new Map<unknown, Row<C>>()
      for (const row of await run(byKeys, on, rows, column)) {
        found.set(comparable(row[key.key]), row as Row<C>)
      }
      return rows.map((row) => found.get(comparable(row[column])) ?? null)
    }),
  }
}

/**
 * All rows of `child` that name a row by `column`, in the order of their key, or as `order` has it:
 * `hasMany('posts.comments', comments, 'postId')`. The rows need their key under `key`, by default `id`.
 */
export function hasMany<
  C extends Columns,
  K extends keyof C & string,
  N extends keyof C & string,
  P extends string = 'id',
>(
  name: string,
  child: Table<C, K>,
  column: N,
  options: { readonly key?: P; readonly newestFirst?: boolean } = {},
): Relation<Readonly<Record<P, NonNullable<Row<C>[N]>>>, Row<C>[]> {
  const { key = 'id' as P, newestFirst = false } = options
  const by = child.target.columns.find((each) => each.key === column)
  if (by === undefined)
    throw tableError(child.name, `${name} goes by "${column}", which it has not`)
  const direction = newestFirst ? ' desc' : ''
  const order = child.target.key.map(({ quoted }) => quoted + direction).join(', ')
  const byParents = byAny(name, child.target, child.shape, by, ` order by ${order}`)
  return {
    load: loader(async (on, rows) => {
      const found = new Map<unknown, Row<C>[]>(rows.map((row) => [comparable(row[key]), []]))
      for (const row of await run(byParents, on, rows, key)) {
        found.get(comparable(row[column]))?.push(row as Row<C>)
      }
      return rows.map((row) => found.get(comparable(row[key])) ?? [])
    }),
  }
}

/**
 * The rows with what their relations load, each with one statement for all rows, all at once:
 * `await preload(req, posts, { author: postAuthor, comments: postComments })`.
 */
export function preload<R extends object, const L extends Relations<R>>(
  on: Queryable,
  rows: readonly R[],
  relations: L,
): Promise<Loaded<R, L>[]> {
  return handled(loadAll(on, rows, relations))
}

async function loadAll<R extends object, const L extends Relations<R>>(
  on: Queryable,
  rows: readonly R[],
  relations: L,
): Promise<Loaded<R, L>[]> {
  if (rows.length === 0) return []
  const names = Object.keys(relations)
  const loads = names.map((name) => (relations[name] as Relation<R, unknown>).load(on, rows))
  const loaded = await Promise.all(loads)
  return rows.map((row, at) => {
    // Not by spreading: V8 of Node 20 gives each object that is spread and then grows a hidden class of its own.
    const whole: Record<string, unknown> = Object.assign({} as Record<string, unknown>, row)
    names.forEach((name, i) => {
      whole[name] = loaded[i]?.[at]
    })
    return whole as Loaded<R, L>
  })
}

function loader<R, T>(load: Relation<R, T>['load']): Relation<R, T>['load'] {
  return (on, rows) => handled(load(on, rows))
}

function byAny(
  name: string,
  target: sql.Target,
  row: Shape,
  by: ColumnInfo,
  order: string,
): Statement {
  const params = { values: array(by.type) }
  return statement(name, { params, row, sql: sql.selectByAny(target, by, order) }) as Statement
}

/** The rows of the other table for these; none are asked for where all name none. */
async function run(
  from: Statement,
  on: Queryable,
  rows: readonly Readonly<Record<string, unknown>>[],
  key: string,
): Promise<Record<string, unknown>[]> {
  const values = new Map<unknown, unknown>()
  for (const row of rows) {
    const value = row[key]
    if (value !== null && value !== undefined) values.set(comparable(value), value)
  }
  return values.size === 0 ? [] : from.all(on, ...given({ values: [...values.values()] }))
}

/** Dates and bytes are equal by what they hold, not by being the same object. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
}
