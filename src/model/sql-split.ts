/**
 * Cuts an SQL file into its statements, as psql does, so that a mistake is told with its line. Called
 * by `migration-files.ts`. PostgreSQL 18, section 4.1.
 */

export interface SqlStatement {
  readonly text: string
  /** 1-based line of its first word. */
  readonly line: number
}

/** Comments, strings, names and words; a string, name or comment that is not closed reaches the end. */
const TOKEN = new RegExp(
  [
    /--[^\n]*/,
    /(?<block>\/\*)/,
    /\b[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/,
    /'(?:[^']|'')*(?:'|$)/,
    /"(?:[^"]|"")*(?:"|$)/,
    /(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/,
    /(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
    /(?<end>;)/,
    /\d[\w$]*/,
    /\s+/,
    /[\s\S]/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
)

/** The statements in order, each without its semicolon; comments alone are none. */
export function splitSql(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = []
  const token = new RegExp(TOKEN)
  let start = -1
  let body = new BodyDepth()
  for (let match = token.exec(sql); match !== null; match = token.exec(sql)) {
    const { block, dollar, word, end } = match.groups ?? {}
    if (block !== undefined) token.lastIndex = endOfComment(sql, match.index)
    if (dollar !== undefined) token.lastIndex = endOfDollar(sql, token.lastIndex, dollar)
    if (end !== undefined && body.depth === 0) {
      if (start >= 0) statements.push(cut(sql, start, match.index))
      start = -1
      body = new BodyDepth()
    } else if (!isBlank(match[0])) {
      if (start < 0) start = match.index
      if (word !== undefined) body.see(word.toLowerCase())
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

function isBlank(token: string): boolean {
  return token.startsWith('--') || token.startsWith('/*') || token.trim() === ''
}

/** Comments nest, unlike in C. */
function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  let depth = 0
  for (let match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return sql.length
}

function endOfDollar(sql: string, from: number, tag: string): number {
  const end = sql.indexOf(tag, from)
  return end < 0 ? sql.length : end + tag.length
}
