/**
 * All statements of the site by name: `statement()` enters them, `warm` and `uwas check` read them.
 * A reload of the site's code evaluates its modules again: `beginStatementGeneration` comes before.
 */
import { createError } from '../core/errors.ts'
import { PLAN_MODES } from './plan-mode.ts'
import { insteadOfSession, needsSession } from './session-need.ts'
import { bareSql } from './sql-token.ts'
import type { Statement, StatementOptions } from './statement.ts'
import type { Shape } from './types.ts'

let generation = new Map<string, Statement>()

/** The statements declared since the start, or since `beginStatementGeneration`. */
export function declaredStatements(): Statement[] {
  return [...generation.values()]
}

/**
 * Forgets all names, so that the site's modules may declare them again. Statements made before go on
 * working: a reload that fails leaves the old site whole.
 */
export function beginStatementGeneration(): void {
  generation = new Map()
}

/** Enters a statement. Throws UWAS_ERR_MODEL_STATEMENT when its name is taken. */
export function registerStatement<P extends Shape, R extends Shape>(
  declared: Statement<P, R>,
): void {
  if (generation.has(declared.name)) {
    throw wrong(declared.name, 'the name is declared twice; every statement needs its own')
  }
  generation.set(declared.name, declared as unknown as Statement)
}

/** What would change the session for others, or is done by `atomic`. */
const SESSION_COMMAND =
  /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set(?!\s+(?:local|constraints)\b)|reset|discard|listen|unlisten|copy|declare)\b/i

/**
 * Throws UWAS_ERR_MODEL_STATEMENT when the declaration itself is wrong, UWAS_ERR_MODEL_SESSION when what it does would
 * stay behind on a connection that requests share.
 */
export function checkDeclaration(name: string, options: StatementOptions<Shape, Shape>): void {
  if (typeof name !== 'string' || name === '') throw wrong(String(name), 'it needs a name')
  if (typeof options.sql !== 'string') throw wrong(name, 'sql must be a text')
  const { text } = bareSql(options.sql)
  if (text === '') throw wrong(name, 'sql is empty')
  const command = SESSION_COMMAND.exec(text)?.[0]
  if (command !== undefined) {
    throw wrong(
      name,
      `${command.toUpperCase()} cannot be a statement: connections are shared; transactions are made with atomic()`,
    )
  }
  const { planMode } = options
  if (planMode !== undefined && !PLAN_MODES.includes(planMode)) {
    throw wrong(name, `planMode is "${planMode}"; it must be one of: ${PLAN_MODES.join(', ')}`)
  }
  const instead = insteadOfSession(options.sql)
  if (instead !== undefined) {
    throw needsSession(`statement "${name}"`, instead, 'requests share theirs')
  }
  for (const key of [...Object.keys(options.params ?? {}), ...Object.keys(options.row ?? {})]) {
    // Keys like '1' come first in an object, whatever the order in which they are written.
    if (/^\d+$/.test(key)) throw wrong(name, `${key} cannot be a name; it must not be a number`)
  }
}

function wrong(name: string, problem: string): Error {
  return createError('UWAS_ERR_MODEL_STATEMENT', { statement: name, problem })
}
