/**
 * Tells which statements take long, with PostgreSQL's plan: a line in the log, at most one a minute for each
 * statement. Made by `database.ts` where the configuration asks for it, called by `query.ts`.
 */
import type { Log } from '../core/log.ts'
import type { Trace } from '../core/trace.ts'
import { problemOf } from './failures.ts'

/** What a Query has of this. */
export interface Watched {
  readonly statement: { readonly name: string; readonly sql: string }
  readonly trace: Trace | null
}

/** Asks PostgreSQL, on a connection of its own. */
export type Explain = (sql: string) => Promise<string[]>

const QUIET_MS = 60_000
/** Statements whose last line is remembered. */
const MAX_STATEMENTS = 10_000

export class SlowLog {
  readonly thresholdMs: number
  readonly #log: Log
  readonly #explain: Explain
  readonly #last = new Map<string, { at: number; unsaid: number }>()
  #isExplaining = false

  constructor(thresholdMs: number, log: Log, explain: Explain) {
    this.thresholdMs = thresholdMs
    this.#log = log
    this.#explain = explain
  }

  /** A statement has been answered after `ms`, which is as long as the threshold or longer. */
  note({ statement, trace }: Watched, ms: number): void {
    const last = this.#last.get(statement.name)
    const now = performance.now()
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.unsaid++
      return
    }
    if (this.#last.size >= MAX_STATEMENTS) this.#last.clear()
    this.#last.set(statement.name, { at: now, unsaid: 0 })
    const route = trace?.spans.find(({ step }) => step === 'route')?.detail ?? ''
    const place = route === '' ? '' : ` in ${route}`
    const before =
      last === undefined || last.unsaid === 0 ? '' : `, ${last.unsaid} times more since`
    const line = `slow: statement "${statement.name}"${place} took ${Math.round(ms)} ms${before}`
    void this.#tell(line, statement.sql)
  }

  async #tell(line: string, sql: string): Promise<void> {
    // One at a time: a database that is slow is not asked for many plans as well.
    if (this.#isExplaining) return this.#log.warn(line)
    this.#isExplaining = true
    try {
      const plan = await this.#explain(sql)
      this.#log.warn([line, ...plan.map((each) => `  ${each}`)].join('\n'))
    } catch (error) {
      this.#log.warn(`${line}; there is no plan: ${problemOf(error)}`)
    } finally {
      this.#isExplaining = false
    }
  }
}
