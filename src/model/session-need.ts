/**
 * What lasts as long as a session, and so gets lost or into wrong hands where a pooler gives each transaction another
 * one (PgBouncer, "SQL feature map for pooling modes"). Called by `warm.ts` and `database.ts`.
 */
import { type CodedError, createError } from '../core/errors.ts'

interface Need {
  readonly pattern: RegExp
  readonly instead: string
}

const NEEDS: readonly Need[] = [
  { pattern: /^\s*(?:un)?listen\b/i, instead: 'use listen(), with database.directUrl' },
  {
    pattern:
      /^\s*(?:reset\b|set\s+(?!local\b|transaction\b|constraints\b))|\bset_config\s*\([^()]*,\s*false\s*\)/i,
    instead: 'use SET LOCAL inside of an atomic, or ALTER ROLE … SET for all sessions',
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
      /^\s*create\s+(?:(?:local|global)\s+)?temp(?:orary)?\s+(?![\s\S]*\bon\s+commit\s+drop\b)/i,
    instead: 'make it ON COMMIT DROP, inside of an atomic',
  },
]

/** Comments, strings and quoted names: nothing in them is a command. */
const QUIET = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$/g

/** What stands for it behind a pooler; undefined where `sql` needs no session of its own. */
export function insteadOfSession(sql: string): string | undefined {
  const bare = sql.replace(QUIET, (found) => (found.startsWith("'") ? "''" : ' '))
  return NEEDS.find(({ pattern }) => pattern.test(bare))?.instead
}

export function needsSession(what: string, instead: string): CodedError {
  return createError('UWAS_ERR_MODEL_SESSION', { what, instead })
}
