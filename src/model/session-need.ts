/**
 * What lasts as long as a session, and so gets lost or into wrong hands where requests share sessions, or a pooler gives
 * each transaction another one (PgBouncer, "SQL feature map for pooling modes"). Called by `warm.ts` and `database.ts`.
 */
import { type CodedError, createError } from '../core/errors.ts'

interface Need {
  readonly pattern: RegExp
  readonly instead: string
}

const SET_LOCAL = 'use SET LOCAL inside of an atomic, or ALTER ROLE … SET for all sessions'

const NEEDS: readonly Need[] = [
  {
    pattern: /^\s*(?:un)?listen\b/i,
    instead: 'use listen(), behind a pooler with database.directUrl',
  },
  {
    pattern: /^\s*(?:reset\b|set\s+(?!local\b|transaction\b|constraints\b))/i,
    instead: SET_LOCAL,
  },
  {
    pattern: /\bpg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?\s*\(/i,
    instead: 'use advisoryLock(tx, …), which ends with its transaction',
  },
  {
    pattern: /^\s*(?:prepare|execute|deallocate|discard|load)\b/i,
    instead: 'uwas prepares each statement itself',
  },
  { pattern: /\bwith\s+hold\b/i, instead: 'use stream()' },
  {
    pattern:
      /^\s*create\s+(?:(?:(?:local|global)\s+)?temp(?:orary)?\s+|table\s+(?:if\s+not\s+exists\s+)?pg_temp\s*\.)(?![\s\S]*\bon\s+commit\s+drop\b)/i,
    instead: 'make it ON COMMIT DROP, inside of an atomic',
  },
  {
    pattern: /\bselect\b[\s\S]*(?<!\binsert\s+)\binto\s+(?:(?:local|global)\s+)?temp(?:orary)?\b/i,
    instead: 'use CREATE TEMP TABLE … ON COMMIT DROP AS, inside of an atomic',
  },
  { pattern: /\b(?:lastval|currval)\s*\(/i, instead: 'use RETURNING' },
]

/** Comments, strings and quoted names: nothing in them is a command. */
const QUIET =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\be'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$/gi

/** The body of a DO block, which is commands again. */
const BLOCK = /^\s*do\b[\s\S]*?(?:\$(\w*)\$([\s\S]*)\$\1\$|'((?:[^']|'')*)')/i

/** What stands for it where sessions are shared; undefined where `sql` needs no session of its own. */
export function insteadOfSession(sql: string): string | undefined {
  const bare = sql.replace(QUIET, quieten)
  const found = NEEDS.find(({ pattern }) => pattern.test(bare))?.instead
  if (found !== undefined) return found
  if (setsForSession(bare)) return SET_LOCAL
  if (!/^\s*do\b/i.test(bare)) return undefined
  const [, , dollars, quoted = ''] = BLOCK.exec(sql) ?? []
  return commandsOf(dollars ?? quoted.replaceAll("''", "'"))
}

/** `sessionIs`: why there is none. */
export function needsSession(
  what: string,
  instead: string,
  sessionIs = 'behind PgBouncer there is none',
): CodedError {
  return createError('UWAS_ERR_MODEL_SESSION', { what, instead, sessionIs })
}

function quieten(found: string): string {
  if (found.startsWith('-') || found.startsWith('/')) return ' '
  // A function's name may be quoted.
  return /^"[a-z_]+"$/.test(found) ? found.replaceAll('"', ' ') : "''"
}

/** Of the commands in a block, each by itself: behind BEGIN, THEN and the like a SET is its own. */
function commandsOf(body: string): string | undefined {
  for (const command of body.replace(QUIET, quieten).split(/;|\b(?:begin|then|else|loop)\b/i)) {
    // What EXECUTE runs there is text, which nobody can read before.
    const instead = insteadOfSession(command.replace(/^\s*(?:perform|execute)\b/i, 'select'))
    if (instead !== undefined) return instead
  }
  return undefined
}

/** A call of set_config whose last argument is not the word `true`. */
function setsForSession(bare: string): boolean {
  for (const { index, 0: call } of bare.matchAll(/\bset_config\s*\(/gi)) {
    const last = lastArgument(bare, index + call.length)
    if (!/^\s*(?:is_local\s*(?:=>|:=)\s*)?true\s*(?:::\s*bool(?:ean)?\s*)?$/i.test(last))
      return true
  }
  return false
}

/** Of the call whose parenthesis opens before `from`. */
function lastArgument(text: string, from: number): string {
  let depth = 0
  let start = from
  for (let i = from; i < text.length; i++) {
    const letter = text.charAt(i)
    if (letter === '(') depth++
    else if (letter === ',' && depth === 0) start = i + 1
    else if (letter === ')' && depth-- === 0) return text.slice(start, i)
  }
  return text.slice(start)
}
