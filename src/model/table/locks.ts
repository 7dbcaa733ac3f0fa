/**
 * Rows that are read to be changed: SELECT … FOR UPDATE by the key, in all its kinds (PostgreSQL 18, section
 * 13.3.2). The usual one is prepared at start, others when first used. Called by `table.ts`.
 */
import { neededTransaction } from '../escape.ts'
import { type RequestLike, Statement, statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import type { Shape } from '../types.ts'
import { given } from './any.ts'
import { refuseUnknown, tableError } from './columns.ts'
import * as sql from './sql.ts'

/** How a row is locked. */
export interface LockOptions {
  /** What happens while another transaction has the row. Default `'wait'`. */
  readonly ifLocked?: 'wait' | 'fail' | 'skip'
  /** What others may not do meanwhile; `share` lets them read it as well with `share`. Default `'update'`. */
  readonly strength?: 'update' | 'no key update' | 'share' | 'key share'
}

const WAITS = { wait: '', fail: ' nowait', skip: ' skip locked' }
const STRENGTHS = ['update', 'no key update', 'share', 'key share']

export class Locks {
  readonly #table: string
  readonly #target: sql.Target
  readonly #row: Shape
  readonly #kinds = new Map<string, Statement>()

  constructor(table: string, target: sql.Target, row: Shape) {
    this.#table = table
    this.#target = target
    this.#row = row
    const usual = statement(`${table}.lock`, this.#options('update', ''))
    this.#kinds.set('update', usual as Statement)
  }

  async lock(on: Transaction | RequestLike, key: object, options: LockOptions): Promise<unknown> {
    refuseUnknown(this.#table, 'lock', options, ['ifLocked', 'strength'])
    const { ifLocked = 'wait', strength = 'update' } = options
    if (!Object.hasOwn(WAITS, ifLocked) || !STRENGTHS.includes(strength)) {
      const problem = `lock takes ifLocked (${Object.keys(WAITS).join(', ')}) and strength (${STRENGTHS.join(', ')})`
      throw tableError(this.#table, problem)
    }
    const kind = strength + WAITS[ifLocked]
    let found = this.#kinds.get(kind)
    if (found === undefined) {
      found = new Statement(
        `${this.#table}.lock(${kind})`,
        this.#options(strength, WAITS[ifLocked]),
      )
      this.#kinds.set(kind, found)
    }
    return found.maybe(neededTransaction(on, found.name), ...given(key))
  }

  #options(strength: string, wait: string) {
    const { key } = this.#target
    const params = Object.fromEntries(key.map((each) => [each.key, each.type])) as Shape
    return { params, row: this.#row, sql: sql.lockByKey(this.#target, strength, wait) }
  }
}
