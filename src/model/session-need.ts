/**
 * What lasts as long as a session, and so gets lost or into wrong hands where requests share sessions, or a pooler gives
 * each transaction another one (PgBouncer, "SQL feature map for pooling modes"). It
 * finds mistakes, not malice: functions, and text that is put together, may hide all of it. Called by
 * `statement-registry.ts` and `database.ts`.
 */
import { type CodedError, createError } from '../core/errors.ts'
import { bareSql } from './sql-token.ts'

interface Need {
  readonly pattern: RegExp
  readonly instead: string
}

const SET_LOCAL = 'use SET LOCAL inside of an atomic, or ALTER ROLE … SET for all sessions'
const ORDINARY = 'make an ordinary one, by a migration'

const NEEDS: readonly Need[] = [
  {
    pattern: /^(?:un)?listen\b/i,
    instead: 'use listen(), behind a pooler with database.directUrl',
  },
  {
    pattern: /^(?:reset\b|set\s+(?!local\b|transaction\b|constraints\b))/i,
    instead: SET_LOCAL,
  },
  {
    pattern: /\bpg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?\s*\(/i,
    instead: 'use advisoryLock(tx, …), which ends with its transaction',
  },
  {
    pattern: /^(?:prepare|execute|deallocate|discard|load)\b/i,
    instead: 'uwas prepares each statement itself',
  },
  { pattern: /\bwith\s+hold\b/i, instead: 'use stream()' },
  {
    pattern:
      /^create\s+(?:(?:(?:local|global)\s+)?temp(?:orary)?\s+table\b|table\s+(?:if\s+not\s+exists\s+)?pg_temp\s*\.)(?![\s\S]*\bon\s+commit\s+drop\b)/i,
    instead: 'make it ON COMMIT DROP, inside of an atomic',
  },
  {
    pattern: /^create\s+(?:or\s+replace\s+)?(?:(?:local|global)\s+)?temp(?:orary)?\s+(?!table\b)/i,
    instead: ORDINARY,
  },
  {
    // What is made for a temporary table goes with it.
    pattern:
      /^create\s+(?:or\s+replace\s+)?(?!(?:unique\s+)?index\b|(?:constraint\s+)?trigger\b|table\b|rule\b|policy\b|statistics\b)(?:[a-z]+\s+){1,6}pg_temp(?:_\d+)?\s*\./i,
    instead: ORDINARY,
  },
  {
    pattern: /\bselect\b[\s\S]*(?<!\binsert\s+)\binto\s+(?:(?:local|global)\s+)?temp(?:orary)?\b/i,
    instead: 'use CREATE TEMP TABLE … ON COMMIT DROP AS, inside of an atomic',
  },
  { pattern: /\b(?:lastval|currval)\s*\(/i, instead: 'use RETURNING' },
  {
    pattern: /\bsetseed\s*\(/i,
    instead: 'give it the random values that it needs, as parameters',
  },
  { pattern: /\bset_limit\s*\(/i, instead: 'use SET LOCAL pg_trgm.similarity_threshold' },
]

/** Where commands begin in PL/pgSQL. What its EXECUTE runs is text, which nobody can read before. */
const BEGINNINGS = /;|\b(?:begin|then|else|loop|perform|execute)\b/i

/** What stands for it where sessions are shared; undefined where `sql` needs no session of its own. */
export function insteadOfSession(sql: string): string | undefined {
  const { text, strings } = bareSql(sql)
  if (!/^do\b/i.test(text)) return insteadOf(text)
  const commands = strings.flatMap((body) => bareSql(body).text.split(BEGINNINGS))
  return commands.map((each) => insteadOf(each.trim())).find((each) => each !== undefined)
}

function insteadOf(bare: string): string | undefined {
  if (setsForSession(bare)) return SET_LOCAL
  return NEEDS.find(({ pattern }) => pattern.test(bare))?.instead
}

/** `sessionIs`: why there is none. */
export function needsSession(
  what: string,
  instead: string,
  sessionIs = 'behind PgBouncer there is none',
): CodedError {
  return createError('UWAS_ERR_MODEL_SESSION', { what, instead, sessionIs })
}

/** Whether a call of set_config has anything but a constant that is true as its `is_local`. */
function setsForSession(bare: string): boolean {
  for (const { index, 0: call } of bare.matchAll(/\bset_config\s*\(/gi)) {
    const given = argumentsOf(bare, index + call.length)
    const named = given.map((each) => NAMED.exec(each)?.[1]).find((each) => each !== undefined)
    if (!isTrue(named ?? given[2] ?? '')) return true
  }
  return false
}

const NAMED = /^\s*is_local\s*(?:=>|:=)([\s\S]*)$/i

/** Of the call whose parenthesis opens before `from`. */
function argumentsOf(text: string, from: number): string[] {
  const given: string[] = []
  let depth = 0
  let start = from
  for (let i = from; i < text.length; i++) {
    const letter = text.charAt(i)
    if (letter === '(' || letter === '[') depth++
    else if (letter === ')' || letter === ']') depth--
    if (depth < 0 || (letter === ',' && depth === 0)) {
      given.push(text.slice(start, i))
      start = i + 1
    }
    if (depth < 0) break
  }
  return given
}

/** Ways to write a value's type. */
const TYPED = [
  /^cast\s*\(([^()]*)\bas\s+bool(?:ean)?\s*\)$/i,
  /^bool(?:ean)?\s([^()]*)$/i,
  /^([\s\S]*?)::\s*(?:pg_catalog\s*\.\s*)?bool(?:ean)?$/i,
]

function isTrue(argument: string): boolean {
  let text = argument.trim()
  for (let inner: string | undefined = text; inner !== undefined; ) {
    text = inner.trim()
    inner =
      inParentheses(text) ??
      TYPED.map((each) => each.exec(text)?.[1]).find((each) => each !== undefined)
  }
  return /^true$/i.test(text)
}

function inParentheses(text: string): string | undefined {
  const [inner = ''] = argumentsOf(text, 1)
  return text.startsWith('(') && inner.length === text.length - 2 ? inner : undefined
}
