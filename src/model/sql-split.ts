/**
 * Cuts an SQL file into its statements, as psql does, so that a mistake is told with its line. Called
 * by `migration-files.ts`. PostgreSQL 18, section 4.1.
 */
import { sqlTokens } from './sql-token.ts'

export interface SqlStatement {
  readonly text: string
  /** 1-based line of its first word. */
  readonly line: number
}

/** The statements in order, each without its semicolon; comments alone are none. */
export function splitSql(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = []
  let start = -1
  let body = new BodyDepth()
  for (const { kind, text, index } of sqlTokens(sql)) {
    if (kind === 'end' && body.depth === 0) {
      if (start >= 0) statements.push(cut(sql, start, index))
      start = -1
      body = new BodyDepth()
    } else if (kind !== 'blank') {
      if (start < 0) start = index
      if (kind === 'word') body.see(text.toLowerCase())
    }
  }
  if (start >= 0) statements.push(cut(sql, start, sql.length))
  return statements
}

/** The first two words in capitals: `CREATE TABLE`. */
export function commandOf({ text }: SqlStatement): string {
  return text.split(/\s+/, 2).join(' ').toUpperCase()
}

/**
 * `BEGIN ATOMIC … END` of an SQL-standard function body holds semicolons of its own (PostgreSQL 18,
 * CREATE FUNCTION). Inside it only CASE and BEGIN have an END too.
 */
class BodyDepth {
  depth = 0
  #last = ''

  see(word: string): void {
    if (this.depth === 0) {
      if (word === 'atomic' && this.#last === 'begin') this.depth = 1
    } else if (word === 'case' || word === 'begin') {
      this.depth++
    } else if (word === 'end') {
      this.depth--
    }
    this.#last = word
  }
}

function cut(sql: string, start: number, end: number): SqlStatement {
  return { text: sql.slice(start, end).trimEnd(), line: sql.slice(0, start).split('\n').length }
}
