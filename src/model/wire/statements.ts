/** The statements that a session has prepared, by their text. Kept by `session.ts`. */
import { isSame } from './columns.ts'
import { bindPrefix, type Output } from './output.ts'
import type { Column, Prepared } from './task.ts'

export class Statements {
  readonly #bySql: Map<string, Prepared>
  /** False: they are prepared anew for each run, without a name that a pooler could mix up. */
  #isNamed: boolean
  #named: number

  constructor() {
    this.#bySql = new Map()
    this.#isNamed = true
    this.#named = 0
  }

  /** From here on none keeps a name: what the pooler cannot keep either. */
  forgetNames(): void {
    this.#isNamed = false
    this.#bySql.clear()
  }

  /** One that can run without being prepared again. */
  find(sql: string): Prepared | undefined {
    return this.#isNamed ? this.#bySql.get(sql) : undefined
  }

  /** One that is about to be prepared. Throws a RangeError for more parameters than there can be. */
  prepare(sql: string, paramCount: number): Prepared {
    if (paramCount > 0xffff) throw new RangeError('a statement can have 65,535 parameters at most')
    const name = this.#isNamed ? `u${++this.#named}` : ''
    const bind = bindPrefix(name, paramCount)
    const prepared = { sql, name, bind, params: null, columns: null, failure: undefined }
    if (this.#isNamed) this.#bySql.set(sql, prepared)
    return prepared
  }

  /** Row readers are kept by the array of columns: without names the one of an earlier run, where nothing has changed. */
  columnsOf(prepared: Prepared, columns: readonly Column[]): readonly Column[] {
    if (this.#isNamed) return columns
    const before = this.#bySql.get(prepared.sql)?.columns
    if (before != null && isSame(before, columns)) return before
    this.#bySql.set(prepared.sql, prepared)
    return columns
  }

  forget(prepared: Prepared): void {
    if (this.#bySql.get(prepared.sql) === prepared) this.#bySql.delete(prepared.sql)
  }

  /** `prepared` has a stale plan: what changed it has changed others, and in a transaction each would fail it anew. */
  forgetAll(prepared: Prepared, output: Output): void {
    if (this.#bySql.get(prepared.sql) !== prepared) return
    for (const [sql, { name, columns }] of this.#bySql) {
      // One that is not described yet is being prepared, after the change.
      if (columns === null) continue
      this.#bySql.delete(sql)
      output.closeStatement(name)
    }
  }
}
