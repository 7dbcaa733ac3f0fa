/** Rows for tests, of which a test says only what it is about. Called by a site's own tests and seeds. */
import type { Queryable } from '../model/statement.ts'
import type { Columns, Insert, Row } from '../model/table/columns.ts'
import type { Table } from '../model/table/table.ts'

/** A value, or what makes one: `n` counts the rows of the factory from 1; `on` is where the row goes. */
export type Attribute<V> = V | ((n: number, on: Queryable) => V | Promise<V>)

/** What each row gets where a test says nothing else. */
export type Attributes<C extends Columns> = {
  readonly [N in keyof Insert<C>]: Attribute<Insert<C>[N]>
}

type Values = Readonly<Record<string, unknown>>

/** Made by `factory`. */
export class Factory<C extends Columns, K extends keyof C & string> {
  readonly #table: Table<C, K>
  readonly #attributes: Attributes<C>
  #count = 0

  constructor(table: Table<C, K>, attributes: Attributes<C>) {
    this.#table = table
    this.#attributes = attributes
  }

  /** The values of a row, without adding it. */
  async build(on: Queryable, given: Partial<Insert<C>> = {}): Promise<Insert<C>> {
    const n = ++this.#count
    const values: Record<string, unknown> = { ...given }
    for (const [name, attribute] of Object.entries(this.#attributes as Values)) {
      if (Object.hasOwn(values, name)) continue
      values[name] = typeof attribute === 'function' ? await attribute(n, on) : attribute
    }
    return values as Insert<C>
  }

  /** Adds a row. Throws what `insert` of the table does. */
  async create(on: Queryable, given: Partial<Insert<C>> = {}): Promise<Row<C>> {
    return this.#table.insert(on, await this.build(on, given))
  }

  /** Adds rows with one statement; `given` may depend on the row's place, from 0. In no certain order. */
  async createMany(
    on: Queryable,
    count: number,
    given: Partial<Insert<C>> | ((i: number) => Partial<Insert<C>>) = {},
  ): Promise<Row<C>[]> {
    const rows: Insert<C>[] = []
    for (let i = 0; i < count; i++) {
      rows.push(await this.build(on, typeof given === 'function' ? given(i) : given))
    }
    return this.#table.insertMany(on, rows)
  }
}

/**
 * A maker of rows of a table:
 *
 *     const user = factory(users, { name: (n) => `user ${n}` })
 *     const post = factory(posts, { title: 'hello', authorId: async (_, on) => (await user.create(on)).id })
 *     await post.create(db, { title: 'what the test is about' })
 */
export function factory<C extends Columns, K extends keyof C & string>(
  table: Table<C, K>,
  attributes: Attributes<C>,
): Factory<C, K> {
  return new Factory(table, attributes)
}
