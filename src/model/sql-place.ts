/** Where in an SQL text PostgreSQL saw a mistake. Called by `warm.ts` and `migrate.ts`. */

/** 1-based line of the `position` (1-based, in characters) that an error of PostgreSQL carries. */
export function lineOf(error: unknown, sql: string): number | undefined {
  const position = Number((error as { position?: unknown }).position)
  if (!(position >= 1)) return undefined
  // PostgreSQL counts characters; JavaScript's indexes count UTF-16 units.
  return [...sql].slice(0, position - 1).filter((char) => char === '\n').length + 1
}

/** Ends a message with the line, its number and text; empty when PostgreSQL told no position. */
export function sqlPlace(error: unknown, sql: string): string {
  const line = lineOf(error, sql)
  if (line === undefined) return ''
  return ` in line ${line} of its SQL: ${sql.split('\n')[line - 1]?.trim() ?? ''}`
}
