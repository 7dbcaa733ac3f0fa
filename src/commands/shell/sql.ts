/**
 * SQL for the shell: a tagged template comes in, rows leave. On one connection of its own, so that `begin`
 * and `set` hold from line to line. Made by `../shell.ts`.
 */
import type { Connection } from '../../model/connection.ts'
import type { Database } from '../../model/database.ts'

export type Sql = (parts: TemplateStringsArray, ...values: unknown[]) => Promise<unknown>

/** What types of PostgreSQL become; all others stay texts as PostgreSQL writes them. By pg_type.oid. */
const READERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  20: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)),
  21: Number,
  23: Number,
  26: Number,
  114: JSON.parse,
  700: Number,
  701: Number,
  3802: JSON.parse,
}

export class ShellSql {
  readonly #database: Database
  #connection: Connection | null = null

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * sql`select * from notes where id = ${7}`: rows as objects, or how many rows a statement without any has
   * changed. Values are parameters, never text of the statement.
   */
  readonly sql: Sql = async (parts, ...values) => {
    const text = parts.reduce((before, part, i) => `${before}$${i}${part}`)
    const connection = await this.#open()
    const { rows, columns, count } = await connection.run(text, values.map(toText))
    if (columns.length === 0) return count
    return rows.map((row) =>
      Object.fromEntries(
        columns.map(({ name, type }, i) => {
          const cell = row[i] ?? null
          return [name, cell === null ? null : (READERS[type]?.(cell) ?? cell)]
        }),
      ),
    )
  }

  async close(): Promise<void> {
    await this.#connection?.close(1000)
  }

  /** A new one when the last has gone with its server. */
  async #open(): Promise<Connection> {
    if (this.#connection?.alive !== true) this.#connection = await this.#database.openSeparate()
    return this.#connection
  }
}

function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
