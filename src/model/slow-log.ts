/**
 * Tells which statements take long, with PostgreSQL's plan: a line in the log, at most one a minute for each
 * statement, and the plan in the trace of each request that met it. Made by `database.ts` where the configuration asks for it, called by `query.ts`.
 */
import type { Log } from '../core/log.ts'
import type { Span, Trace } from '../core/trace.ts'
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

/** The last line of a statement, and what has been since. */
interface Told {
  readonly at: number
  unsaid: number
  /** Null where there is none. */
  readonly plan: Promise<readonly string[] | null>
}

export class SlowLog {
  readonly thresholdMs: number
  readonly #log: Log
  readonly #explain: Explain
  readonly #told = new Map<string, Told>()
  #isExplaining = false

  constructor(thresholdMs: number, log: Log, explain: Explain) {
    this.thresholdMs = thresholdMs
    this.#log = log
    this.#explain = explain
  }

  /** A statement has been answered after `ms`, which is as long as the threshold or longer. */
  note(watched: Watched, ms: number, span: Span | null): void {
    const { name } = watched.statement
    const last = this.#told.get(name)
    const isQuiet = last !== undefined && performance.now() - last.at < QUIET_MS
    const told = isQuiet ? last : this.#tell(watched, ms, last?.unsaid ?? 0)
    if (isQuiet) last.unsaid++
    else this.#told.set(name, told)
    if (span !== null) void attach(told.plan, span)
  }

  #tell({ statement, trace }: Watched, ms: number, unsaid: number): Told {
    if (this.#told.size >= MAX_STATEMENTS) this.#told.clear()
    const route = trace?.spans.find(({ step }) => step === 'route')?.detail ?? ''
    const place = route === '' ? '' : ` in ${route}`
    const before = unsaid === 0 ? '' : `, ${unsaid} times more since`
    const line = `slow: statement "${statement.name}"${place} took ${Math.round(ms)} ms${before}`
    return { at: performance.now(), unsaid: 0, plan: this.#plan(line, statement.sql) }
  }

  async #plan(line: string, sql: string): Promise<readonly string[] | null> {
    // One at a time: a database that is slow is not asked for many plans as well.
    if (this.#isExplaining) {
      this.#log.warn(line)
      return null
    }
    this.#isExplaining = true
    try {
      const plan = await this.#explain(sql)
      this.#log.warn([line, ...plan.map((each) => `  ${each}`)].join('\n'))
      return plan
    } catch (error) {
      this.#log.warn(`${line}; there is no plan: ${problemOf(error)}`)
      return null
    } finally {
      this.#isExplaining = false
    }
  }
}

async function attach(plan: Promise<readonly string[] | null>, span: Span): Promise<void> {
  const found = await plan
  if (found !== null) span.plan = found
}
