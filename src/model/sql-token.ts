/**
 * SQL as PostgreSQL's lexer reads it, as far as it matters where a comment, a string or a name ends. Used by
 * `sql-split.ts`, `session-need.ts` and `query.ts`. PostgreSQL 18, section 4.1.
 */

export interface SqlToken {
  /** `end` is the semicolon; `other` are numbers, operators, brackets. */
  readonly kind: 'blank' | 'string' | 'name' | 'word' | 'end' | 'other'
  readonly text: string
  /** Where it begins. */
  readonly index: number
}

/** A string, name or comment that is not closed reaches the end. */
const TOKEN = new RegExp(
  [
    /(?<blank>\s+|--[^\n]*)/,
    /(?<block>\/\*)/,
    /(?<string>[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$))/,
    /(?<name>"(?:[^"]|"")*(?:"|$))/,
    /(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/,
    /(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
    /(?<end>;)/,
    /\d[\w$]*/,
    /[\s\S]/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
)

export function* sqlTokens(sql: string): Generator<SqlToken, void, undefined> {
  const token = new RegExp(TOKEN)
  for (let match = token.exec(sql); match !== null; match = token.exec(sql)) {
    const { index, groups = {} } = match
    if (groups['block'] !== undefined) token.lastIndex = endOfComment(sql, index)
    const { dollar } = groups
    if (dollar !== undefined) token.lastIndex = endOfDollar(sql, token.lastIndex, dollar)
    yield { kind: kindOf(groups), text: sql.slice(index, token.lastIndex), index }
  }
}

function kindOf({
  blank,
  block,
  string,
  dollar,
  name,
  word,
  end,
}: Record<string, string | undefined>): SqlToken['kind'] {
  if (blank !== undefined || block !== undefined) return 'blank'
  if (word !== undefined) return 'word'
  if (string !== undefined || dollar !== undefined) return 'string'
  if (name !== undefined) return 'name'
  return end === undefined ? 'other' : 'end'
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

/** SQL without what only looks like commands, and the strings that were in it. */
export interface BareSql {
  /** A blank for each comment and odd name, `''` for each string, `true` for one that PostgreSQL reads so. */
  readonly text: string
  /** What is in its strings, between the quotes. */
  readonly strings: readonly string[]
}

/** Nothing in a comment, a string or a quoted name is a command. */
export function bareSql(sql: string): BareSql {
  let text = ''
  const strings: string[] = []
  for (const token of sqlTokens(sql)) {
    if (token.kind === 'string') {
      const body = bodyOf(token.text)
      strings.push(body)
      text += TRUE.test(body) ? ' true ' : "''"
    } else if (token.kind === 'name') {
      // A function's name may be quoted.
      text += PLAIN_NAME.exec(token.text)?.[1] ?? "''"
    } else if (token.kind === 'blank') text += ' '
    else text += token.text
  }
  return { text: text.trim(), strings }
}

/** PostgreSQL 18, section 8.6: unambiguous beginnings count, too. */
const TRUE = /^\s*(?:t|tr|tru|true|y|ye|yes|on|1)\s*$/i
const PLAIN_NAME = /^"([a-z_]+)"$/
const TAG = /^\$[^$]*\$/

function bodyOf(string: string): string {
  const tag = TAG.exec(string)?.[0]
  if (tag !== undefined) return string.slice(tag.length, -tag.length)
  return string.slice(string.indexOf("'") + 1, -1).replaceAll("''", "'")
}
